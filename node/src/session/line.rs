//! The stream to one partner's node, as a session sees it: control messages and data frames, checked as they come in, with a
//! deadline on every wait. Made from a gRPC stream by `link/`, from a pair of queues by tests.

use super::blame;
use super::limits::{DATA_BYTES_MAX, QUEUE_FRAMES_MAX};
use entente_wire::canonical;
use entente_wire::limits::{CONTROL_BYTES_MAX, WIRE_VERSION};
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::peer::v1::{Data, Frame, frame::Content};
use entente_wire::session::Control;
use entente_wire::sign::PublicKey;
use futures::StreamExt;
use futures::stream::BoxStream;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::Status;

/// The partner at the other end: proven by its certificate, its keys pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partner {
    /// Who.
    pub(crate) org: OrgName,
    /// What its node signs openings and transcripts with.
    pub(crate) node_key: PublicKey,
}

/// Both directions of the stream.
pub(crate) struct Line {
    pub(super) voice: Voice,
    pub(super) incoming: Incoming,
}

/// This node's half of the stream. `outgoing` is bounded by its maker.
pub(super) struct Voice {
    pub(super) partner: Partner,
    pub(super) outgoing: mpsc::Sender<Frame>,
}

/// The partner's half of the stream.
pub(super) struct Incoming {
    us: OrgName,
    partner: OrgName,
    frames: BoxStream<'static, Result<Frame, Status>>,
}

/// The bounded queue in which frames wait for the stream to take them.
pub(crate) fn outgoing_queue() -> (mpsc::Sender<Frame>, mpsc::Receiver<Frame>) {
    mpsc::channel(QUEUE_FRAMES_MAX)
}

/// One checked frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Control(Box<Control>),
    Data { lane: u32, payload: Vec<u8> },
}

impl Line {
    /// A line to `partner`, whose proof of identity the caller has checked.
    pub(crate) fn new(
        us: OrgName,
        partner: Partner,
        outgoing: mpsc::Sender<Frame>,
        frames: BoxStream<'static, Result<Frame, Status>>,
    ) -> Self {
        let incoming = Incoming {
            us,
            partner: partner.org.clone(),
            frames,
        };
        let voice = Voice { partner, outgoing };
        Self { voice, incoming }
    }

    /// Hangs up: says why, if there is a reason, and leaves the partner a moment to read it before the stream is torn down.
    pub(super) async fn farewell(self, reason: Option<&Problem>, within: Duration) {
        let (outgoing, mut incoming) = (self.voice.outgoing, self.incoming);
        let goodbye = async move {
            if let Some(problem) = reason {
                let problem = problem.for_others();
                let sent = outgoing.send(control_frame(&Control::Abort { problem }));
                if sent.await.is_err() {
                    return;
                }
            }
            drop(outgoing);
            // What still comes is of no use; reading it lets the partner's end of stream arrive.
            while let Some(Ok(_)) = incoming.frames.next().await {}
        };
        // The deadline is the point: a partner that does not hang up is hung up on.
        let _ = timeout(within, goodbye).await;
    }
}

impl Voice {
    /// Sends a control message; a partner that reads nothing for `within` is silent.
    pub(super) async fn say(
        &self,
        control: &Control,
        within: Duration,
        step: &str,
    ) -> Result<(), Problem> {
        let sent = timeout(within, self.outgoing.send(control_frame(control))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(blame::line_broke(&self.partner.org, step)),
            Err(_) => Err(blame::silent(&self.partner.org, step, within)),
        }
    }

    /// Says "at work" if there is room; a full queue means that the partner has enough to read.
    pub(super) fn say_working(&self) {
        let _ = self.outgoing.try_send(control_frame(&Control::Working {}));
    }
}

impl Incoming {
    /// The next control message within a deadline. Data has no place where this is called.
    pub(super) async fn hear(&mut self, within: Duration, step: &str) -> Result<Control, Problem> {
        let Ok(heard) = timeout(within, self.next(step)).await else {
            return Err(blame::silent(&self.partner, step, within));
        };
        match heard? {
            Heard::Control(control) => match *control {
                Control::Abort { problem } => Err(self.aborted(problem)),
                control => Ok(control),
            },
            Heard::Data { .. } => Err(self.misbehaved(&format!("data came where {step} was due"))),
        }
    }

    /// The next frame, checked. `during` names what is awaited.
    pub(super) async fn next(&mut self, during: &str) -> Result<Heard, Problem> {
        let frame = match self.frames.next().await {
            Some(Ok(frame)) => frame,
            Some(Err(status)) => return Err(refused(&self.us, &self.partner, &status, during)),
            None => return Err(blame::line_broke(&self.partner, during)),
        };
        match frame.content {
            Some(Content::Control(bytes)) => {
                let control = self.control(&bytes)?;
                Ok(Heard::Control(Box::new(control)))
            }
            Some(Content::Data(data)) => self.data(data),
            None => Err(self.misbehaved("an empty frame came")),
        }
    }

    fn control(&self, bytes: &[u8]) -> Result<Control, Problem> {
        Control::from_bytes(bytes).map_err(|error| match stated_version(bytes) {
            Some(theirs) if theirs != u64::from(WIRE_VERSION) => {
                blame::other_version(&self.partner, Some(theirs))
            }
            _ => self.misbehaved(&format!("a control message: {error}")),
        })
    }

    fn data(&self, data: Data) -> Result<Heard, Problem> {
        let Data { lane, payload } = data;
        if payload.len() > DATA_BYTES_MAX {
            let what = format!(
                "a data frame of {} bytes came; at most {DATA_BYTES_MAX} are allowed",
                payload.len()
            );
            return Err(self.misbehaved(&what));
        }
        Ok(Heard::Data { lane, payload })
    }

    /// The partner's Abort, as it looks from here.
    pub(super) fn aborted(&self, problem: Problem) -> Problem {
        blame::heard(&self.us, &self.partner, problem)
    }

    pub(super) fn misbehaved(&self, what: &str) -> Problem {
        blame::misbehaved(&self.partner, what)
    }
}

/// What a gRPC status from a partner's node means: its own problem if it sent one, else what the code says.
pub(crate) fn refused(us: &OrgName, partner: &OrgName, status: &Status, during: &str) -> Problem {
    if let Ok(problem) = canonical::from_bytes::<Problem>(status.details()) {
        return blame::heard(us, partner, problem);
    }
    match status.code() {
        tonic::Code::Unimplemented => blame::other_version(partner, None),
        tonic::Code::OutOfRange => blame::misbehaved(partner, "a message was larger than allowed"),
        tonic::Code::DeadlineExceeded => Problem::new(
            Code::PartnerSilent,
            blame::at(partner),
            format!("{partner}'s node did not answer in time during {during}"),
            format!("ask {partner} to look at its node's log"),
        ),
        _ => blame::line_broke(partner, during),
    }
}

/// The version in an Open that this version cannot read.
fn stated_version(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > CONTROL_BYTES_MAX {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    value.get("opening")?.get("version")?.as_u64()
}

fn control_frame(control: &Control) -> Frame {
    Frame {
        content: Some(Content::Control(control.to_bytes())),
    }
}

pub(super) fn data_frame(lane: u32, payload: Vec<u8>) -> Frame {
    Frame {
        content: Some(Content::Data(Data { lane, payload })),
    }
}
