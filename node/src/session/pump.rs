//! Moves frames between the stream and the protocol thread while a run is on, and says "at work" when there is nothing to move.

use super::limits::Limits;
use super::line::{Heard, Incoming, Line};
use super::transport::{Pulse, PumpEnd};
use super::{Role, Stop, blame};
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::session::Control;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// What stands when the protocol thread has ended.
pub(super) struct Carried<T> {
    /// What the run gave; if the line was the reason for a failure, that reason.
    pub(super) result: Result<T, Problem>,
    /// The dialer's Closing, if it came while this side was still at work.
    pub(super) closing: Option<Control>,
}

/// Moves frames until the protocol thread has ended. Always waits for the thread: it holds the dataset, and no new attempt may
/// begin while it does. The thread ends soon after the line does, because its next send or receive fails.
pub(super) async fn carry<T>(
    line: &mut Line,
    role: Role,
    mut thread: oneshot::Receiver<Result<T, Problem>>,
    pump: PumpEnd,
    stop: &mut Stop,
    limits: &Limits,
) -> Carried<T> {
    let Line { voice, incoming } = line;
    let (cause, pulse) = (pump.cause, pump.pulse);
    let partner = voice.partner.org.clone();
    let mut working = interval_at(Instant::now() + limits.working_every, limits.working_every);
    working.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let lanes = Queues {
        queues: pump.to_lanes.clone(),
        pulse: pulse.clone(),
        pulse_every: limits.working_every,
        patience: limits.idle,
    };
    let reader = read(incoming, lanes);
    tokio::pin!(reader);
    let mut to_lanes = Some(pump.to_lanes);
    let mut closing = None;
    let mut reading = true;
    let result = loop {
        let failed = tokio::select! {
            biased;
            result = &mut thread => break result,
            () = stop.requested(), if reading => Some(blame::stopping()),
            stopped = &mut reader, if reading => match stopped {
                Ok(control) if role == Role::Listener => {
                    closing = Some(control);
                    None
                }
                Ok(_) => Some(blame::misbehaved(&partner, "it closed before its dialer did")),
                Err(problem) => Some(problem),
            },
            _ = working.tick() => {
                voice.say_working();
                continue;
            }
        };
        reading = false;
        if let Some(problem) = failed {
            cause.set(problem);
            pulse.send_modify(|pulse| pulse.ended = true);
        }
        // Only now: a thread that finds its queue closed looks for the cause.
        to_lanes = None;
    };
    drop(to_lanes);
    let result = result.unwrap_or_else(|_| Err(thread_died()));
    if result.is_err() && reading && cause.is_lost() {
        // The stream was torn down under the thread; the partner's reason may still be on its way to us.
        let said = timeout(limits.farewell, &mut reader).await;
        cause.set(match said {
            Ok(Err(problem)) => problem,
            _ => blame::line_broke(&partner, "the run"),
        });
    }
    // A run that came to its end here is still broken if the line failed: there is nobody to close with. But a partner that was
    // caught does not get a second guess by hanging up.
    let result = match (cause.get(), result) {
        (_, Err(problem)) if problem.code == Code::PartnerMisbehaved => Err(problem),
        (Some(problem), _) => Err(problem.clone()),
        (None, result) => result,
    };
    Carried { result, closing }
}

/// Reads until the partner closes or the line fails. Frames for a thread that has ended are surplus: read and dropped; the
/// transcripts will differ.
async fn read(incoming: &mut Incoming, lanes: Queues) -> Result<Control, Problem> {
    loop {
        let heard = incoming.next("the run").await?;
        lanes.heard();
        match heard {
            Heard::Data { lane, payload } => match lanes.queues.get(lane as usize) {
                Some(queue) if lanes.put(queue, payload).await => {}
                Some(_) => {
                    let what = format!("it sent more for lane {lane} than the run takes");
                    return Err(incoming.misbehaved(&what));
                }
                None => {
                    let what = format!(
                        "data came for lane {lane}; the run has {} lanes",
                        lanes.queues.len()
                    );
                    return Err(incoming.misbehaved(&what));
                }
            },
            Heard::Control(control) => match *control {
                Control::Working {} => {}
                closing @ Control::Closing { .. } => return Ok(closing),
                Control::Abort { problem } => return Err(incoming.aborted(problem)),
                Control::Open { .. } | Control::Nonce { .. } => {
                    return Err(incoming.misbehaved("it began the session a second time"));
                }
            },
        }
    }
}

/// The queues of a run's lanes, and the sign of life that those who wait on them look at.
struct Queues {
    queues: Vec<mpsc::Sender<Vec<u8>>>,
    pulse: watch::Sender<Pulse>,
    pulse_every: Duration,
    patience: Duration,
}

impl Queues {
    fn heard(&self) {
        self.pulse.send_modify(|pulse| pulse.heard = Instant::now());
    }

    /// Puts a frame into a lane's queue, or says that the lane did not take it for longer than any bucket computes. While a lane
    /// is too busy, nothing is read for the others either; the partner is alive all the same, as its bytes are here.
    ///
    /// Lanes of honest partners cannot block each other for good: a lane's queue is full only while the partner sends a large
    /// vector, and then this side's thread computes or reads but never waits to send.
    async fn put(&self, queue: &mpsc::Sender<Vec<u8>>, payload: Vec<u8>) -> bool {
        let until = Instant::now() + self.patience;
        let sending = queue.send(payload);
        tokio::pin!(sending);
        while timeout(self.pulse_every, &mut sending).await.is_err() {
            if Instant::now() >= until {
                return false;
            }
            self.heard();
        }
        true
    }
}

fn thread_died() -> Problem {
    Problem::new(
        Code::Defect,
        Side::Here,
        "the thread of the run ended without a result",
        "report this with the node's log",
    )
}
