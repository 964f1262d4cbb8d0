//! One member's stream: a task that reads what the member sends, and the queue of what it is sent.

use super::departure::Departure;
use super::down::Down;
use super::facts::Place;
use super::phase::Answer;
use super::table::{SeatId, Ticket};
use super::upload::{Uploads, Vector, next};
use crate::limits::SEND_TIMEOUT;
use crate::members::Members;
use entente_certs::Peer;
use entente_wire::problem::Problem;
use entente_wire::rpc::coordinator::v1::RoundUp;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tonic::Streaming;

/// What a member did.
#[derive(Debug)]
pub(super) enum Deed {
    Said(Answer),
    Uploaded(Vector),
    Went(Departure),
}

/// Which member, by which of its streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seating {
    pub(super) place: Place,
    pub(super) seat: SeatId,
}

pub(super) type Event = (Seating, Deed);

/// A member that comes.
pub(super) struct Joining {
    pub(super) place: Place,
    pub(super) round_min: u64,
    pub(super) peer: Peer,
    pub(super) ticket: Ticket,
    pub(super) replaced: oneshot::Receiver<()>,
    pub(super) steps: Streaming<RoundUp>,
    pub(super) replies: mpsc::Sender<Down>,
}

/// A member at its place.
pub(super) struct Seat {
    peer: Peer,
    ticket: Ticket,
    pub(super) replies: mpsc::Sender<Down>,
    _reader: UntilDropped,
}

/// A task that ends when nobody needs it any more.
pub(super) struct UntilDropped(pub(super) JoinHandle<()>);

impl Drop for UntilDropped {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Joining {
    /// Takes its seat; what it does from now on comes to `events`.
    pub(super) fn sit(self, events: mpsc::Sender<Event>, uploads: Uploads) -> Seat {
        let reader = Reader {
            seating: Seating {
                place: self.place,
                seat: self.ticket.seat,
            },
            steps: self.steps,
            replies: self.replies.clone(),
            replaced: self.replaced,
            events,
            uploads,
        };
        Seat {
            peer: self.peer,
            ticket: self.ticket,
            replies: self.replies,
            _reader: UntilDropped(tokio::spawn(reader.run())),
        }
    }

    /// Ends a part that did not begin.
    pub(super) fn turn_away(self, problem: Option<Problem>) {
        // If it has gone there is nobody to tell.
        let _ = self.replies.try_send(Down::End(problem));
    }
}

impl Seat {
    pub(super) fn id(&self) -> SeatId {
        self.ticket.seat
    }

    /// Sends one step. Whoever has let so many go unread is not there any more.
    pub(super) fn tell(&self, down: Down) -> Result<(), Departure> {
        self.replies.try_send(down).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Departure::Unread,
            mpsc::error::TrySendError::Closed(_) => Departure::Closed,
        })
    }

    /// Sends a heartbeat, unless something else is on its way anyhow.
    pub(super) fn beat(&self) {
        if self.replies.capacity() == self.replies.max_capacity() {
            // If this does not arrive, the reader of the stream notices.
            let _ = self.tell(Down::Heartbeat);
        }
    }

    /// Sends the last word and ends the stream.
    pub(super) fn end(self, problem: Option<Problem>) {
        let end = Down::End(problem);
        let Err(mpsc::error::TrySendError::Full(end)) = self.replies.try_send(end) else {
            return;
        };
        // It is in the middle of reading the sum.
        let replies = self.replies.clone();
        tokio::spawn(async move {
            // If it has gone or does not read there is nobody to tell.
            let _ = timeout(SEND_TIMEOUT, replies.send(end)).await;
        });
    }
}

/// Reads one member's stream until it goes.
struct Reader {
    seating: Seating,
    steps: Streaming<RoundUp>,
    replies: mpsc::Sender<Down>,
    replaced: oneshot::Receiver<()>,
    events: mpsc::Sender<Event>,
    uploads: Uploads,
}

impl Reader {
    async fn run(self) {
        let Self {
            seating,
            mut steps,
            replies,
            replaced,
            events,
            uploads,
        } = self;
        let went = tokio::select! {
            went = listen(seating, &mut steps, &events, &uploads) => went,
            () = replies.closed() => Departure::Closed,
            _ = replaced => Departure::Replaced,
        };
        // Where nobody listens the round is over.
        let _ = events.send((seating, Deed::Went(went))).await;
    }
}

async fn listen(
    seating: Seating,
    steps: &mut Streaming<RoundUp>,
    events: &mpsc::Sender<Event>,
    uploads: &Uploads,
) -> Departure {
    loop {
        let Err(went) = hear(seating, steps, events, uploads).await else {
            continue;
        };
        return went;
    }
}

/// One step of the member, with all its words if it is a contribution.
async fn hear(
    seating: Seating,
    steps: &mut Streaming<RoundUp>,
    events: &mpsc::Sender<Event>,
    uploads: &Uploads,
) -> Result<(), Departure> {
    let answer = Answer::of(next(steps).await?)?;
    let is_contribution = matches!(answer, Answer::Contribution(_));
    let over = |_| Departure::Closed;
    events
        .send((seating, Deed::Said(answer)))
        .await
        .map_err(over)?;
    if is_contribution {
        let vector = uploads.read(steps).await?;
        let uploaded = Deed::Uploaded(vector);
        events.send((seating, uploaded)).await.map_err(over)?;
    }
    Ok(())
}

/// Sends the recipient what it opens the sum with, as fast as it reads.
pub(super) struct Opening {
    pub(super) seating: Seating,
    pub(super) replies: mpsc::Sender<Down>,
    pub(super) events: mpsc::Sender<Event>,
}

impl Opening {
    pub(super) fn start(self, steps: impl Iterator<Item = Down> + Send + 'static) -> UntilDropped {
        UntilDropped(tokio::spawn(async move {
            for step in steps {
                match timeout(SEND_TIMEOUT, self.replies.send(step)).await {
                    Ok(Ok(())) => {}
                    // The reader of its stream notices.
                    Ok(Err(_)) => return,
                    Err(_) => {
                        let went = Deed::Went(Departure::Unread);
                        let _ = self.events.send((self.seating, went)).await;
                        return;
                    }
                }
            }
        }))
    }
}

/// Reads the list of who is admitted aside, once for all; who is struck from it is gone.
pub(super) fn look_who_is_admitted(
    seats: &BTreeMap<Place, Seat>,
    members: Members,
    events: mpsc::Sender<Event>,
) -> UntilDropped {
    let seated = seats.iter().map(|(place, seat)| {
        let (place, seat_id) = (*place, seat.id());
        let seating = Seating {
            place,
            seat: seat_id,
        };
        (seating, seat.peer.clone())
    });
    let (seatings, peers): (Vec<Seating>, Vec<Peer>) = seated.unzip();
    UntilDropped(tokio::spawn(async move {
        let struck = spawn_blocking(move || members.struck(&peers)).await;
        for (seating, problem) in seatings.into_iter().zip(struck.unwrap_or_default()) {
            if let Some(problem) = problem {
                let went = Departure::Struck(Box::new(problem));
                // Where nobody listens the round is over.
                let _ = events.send((seating, Deed::Went(went))).await;
            }
        }
    }))
}
