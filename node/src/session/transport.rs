//! The protocol's end of a session: whole frames in and out of each lane, blocking, with deadlines that tell a partner at work
//! from a partner gone.

use super::blame;
use super::limits::{Limits, QUEUE_FRAMES_MAX};
use super::line::data_frame;
use entente_protocols::channel::Transport;
use entente_protocols::fault::{Broken, Fault};
use entente_wire::names::OrgName;
use entente_wire::problem::Problem;
use entente_wire::rpc::peer::v1::Frame;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::{TryRecvError, TrySendError};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Why the line ended before the protocol did: the first reason counts, whoever found it.
#[derive(Debug, Clone, Default)]
pub(super) struct Cause(Arc<Reason>);

#[derive(Debug, Default)]
struct Reason {
    known: OnceLock<Problem>,
    lost: AtomicBool,
}

impl Cause {
    pub(super) fn set(&self, problem: Problem) {
        // A later reason is a consequence of the first.
        let _ = self.0.known.set(problem);
    }

    pub(super) fn get(&self) -> Option<&Problem> {
        self.0.known.get()
    }

    /// Whether the thread found the stream gone and nobody knows why.
    pub(super) fn is_lost(&self) -> bool {
        self.get().is_none() && self.0.lost.load(Ordering::Acquire)
    }

    fn lose(&self) {
        self.0.lost.store(true, Ordering::Release);
    }
}

/// When the partner was last heard, and whether the line still stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pulse {
    pub(super) heard: Instant,
    pub(super) ended: bool,
}

/// One lane's queues between the stream and its protocol thread.
pub(super) struct StreamTransport {
    lane: u32,
    runtime: Handle,
    partner: OrgName,
    outgoing: mpsc::Sender<Frame>,
    incoming: mpsc::Receiver<Vec<u8>>,
    waits: Waits,
    cause: Cause,
}

/// What a run talks over.
pub(crate) struct Lanes {
    /// One transport a lane.
    pub(crate) transports: Vec<Box<dyn Transport + Send>>,
    /// Wakes whoever waits on any of them; every wait ends as a broken line from then on.
    pub(crate) hang_up: Box<dyn Fn() + Send + Sync>,
}

/// The pump's end of those queues.
pub(super) struct PumpEnd {
    /// One a lane.
    pub(super) to_lanes: Vec<mpsc::Sender<Vec<u8>>>,
    pub(super) pulse: watch::Sender<Pulse>,
    pub(super) cause: Cause,
}

#[derive(Clone)]
struct Waits {
    pulse: watch::Receiver<Pulse>,
    idle: Duration,
    stall: Duration,
}

/// Both ends of `lanes` lanes. Must be called on the runtime that moves the stream.
pub(super) fn queues(
    partner: &OrgName,
    outgoing: &mpsc::Sender<Frame>,
    lanes: u32,
    limits: &Limits,
) -> (Lanes, PumpEnd) {
    let (pulse, seen) = watch::channel(Pulse {
        heard: Instant::now(),
        ended: false,
    });
    let waits = Waits {
        pulse: seen,
        idle: limits.idle,
        stall: limits.stall,
    };
    let cause = Cause::default();
    let (mut transports, mut to_lanes) = (Vec::new(), Vec::new());
    for lane in 0..lanes {
        let (to_lane, incoming) = mpsc::channel(QUEUE_FRAMES_MAX);
        to_lanes.push(to_lane);
        let transport: Box<dyn Transport + Send> = Box::new(StreamTransport {
            lane,
            runtime: Handle::current(),
            partner: partner.clone(),
            outgoing: outgoing.clone(),
            incoming,
            waits: waits.clone(),
            cause: cause.clone(),
        });
        transports.push(transport);
    }
    let hang_up = pulse.clone();
    let lanes = Lanes {
        transports,
        hang_up: Box::new(move || hang_up.send_modify(|pulse| pulse.ended = true)),
    };
    let pump = PumpEnd {
        to_lanes,
        pulse,
        cause,
    };
    (lanes, pump)
}

impl Transport for StreamTransport {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        let frame = match self.outgoing.try_send(data_frame(self.lane, frame)) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(self.broke(Broken::Closed, "")),
            Err(TrySendError::Full(frame)) => frame,
        };
        let sending = async { self.outgoing.send(frame).await.ok() };
        let sent = self.runtime.block_on(self.waits.until(sending));
        sent.map_err(|broken| self.broke(broken, "for it to read"))
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        match self.incoming.try_recv() {
            Ok(frame) => return Ok(frame),
            Err(TryRecvError::Disconnected) => return Err(self.closed_early()),
            Err(TryRecvError::Empty) => {}
        }
        match self
            .runtime
            .block_on(self.waits.until(self.incoming.recv()))
        {
            Ok(frame) => Ok(frame),
            Err(Broken::Closed) => Err(self.closed_early()),
            Err(broken) => Err(self.broke(broken, "the next protocol message")),
        }
    }
}

impl StreamTransport {
    /// The pump closes the queue after it has set a cause, or because the partner's Closing came.
    fn closed_early(&self) -> Fault {
        let what = "it closed the session before the protocol had ended";
        self.cause.set(blame::misbehaved(&self.partner, what));
        Broken::Closed.into()
    }

    fn broke(&self, broken: Broken, awaited: &str) -> Fault {
        match broken {
            Broken::TimedOut { after } => {
                self.cause.set(blame::silent(&self.partner, awaited, after));
            }
            _ => self.cause.lose(),
        }
        broken.into()
    }
}

impl Waits {
    /// Waits for `moved`, as long as the partner is heard at all and not longer than `stall`.
    async fn until<T>(&mut self, moved: impl Future<Output = Option<T>>) -> Result<T, Broken> {
        let began = Instant::now();
        tokio::pin!(moved);
        loop {
            let pulse = *self.pulse.borrow_and_update();
            if pulse.ended {
                return Err(Broken::Aborted);
            }
            let idle_until = pulse.heard.max(began) + self.idle;
            let stall_until = began + self.stall;
            tokio::select! {
                biased;
                moved = &mut moved => return moved.ok_or(Broken::Closed),
                alive = self.pulse.changed() => if alive.is_err() {
                    return Err(Broken::Aborted);
                },
                () = sleep_until(idle_until.min(stall_until)) => {
                    let after = if idle_until <= stall_until { self.idle } else { self.stall };
                    return Err(Broken::TimedOut { after });
                }
            }
        }
    }
}
