//! The partner that a test plays by hand, and the lines to it.

use super::bench::{LANES, Node, ROUNDS, Seen, job, opening, partner_of};
use crate::session::limits::QUEUE_FRAMES_MAX;
use crate::session::line::data_frame;
use crate::session::{Identity, Line};
use entente_wire::canonical::Digest;
use entente_wire::names::OrgName;
use entente_wire::problem::Problem;
use entente_wire::rpc::peer::v1::{Frame, frame::Content};
use entente_wire::session::{Control, Opening, SessionNonce, Transcript};
use futures::StreamExt;
use futures::stream::BoxStream;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// The partner that the test plays, at its end of a stream.
pub(super) struct Script {
    pub(super) me: Identity,
    pub(super) outgoing: mpsc::Sender<Result<Frame, Status>>,
    pub(super) incoming: BoxStream<'static, Result<Frame, Status>>,
    pub(super) seen: Seen,
}

/// A line for the node `us` (a dialer under test), and the scripted partner at its other end.
pub(super) fn line_to(us: &OrgName, script: &Identity) -> (Line, Script) {
    let (to_us, frames) = mpsc::channel(QUEUE_FRAMES_MAX);
    let (outgoing, to_script) = mpsc::channel(QUEUE_FRAMES_MAX);
    let line = Line::new(
        us.clone(),
        partner_of(script),
        outgoing,
        ReceiverStream::new(frames).boxed(),
    );
    let script = Script {
        me: script.clone(),
        outgoing: to_us,
        incoming: ReceiverStream::new(to_script).map(Ok).boxed(),
        seen: Seen::default(),
    };
    (line, script)
}

/// A scripted partner that opens a session at the node under test.
pub(super) fn call(node: &Node, script: &Identity) -> Result<Script, Problem> {
    let (outgoing, frames) = mpsc::channel(QUEUE_FRAMES_MAX);
    let frames = ReceiverStream::new(frames).boxed();
    let incoming = node.sessions.serve(partner_of(script), frames)?;
    Ok(Script {
        me: script.clone(),
        outgoing,
        incoming,
        seen: Seen::default(),
    })
}

impl Script {
    pub(super) async fn say(&self, control: &Control) {
        self.send(Content::Control(control.to_bytes())).await;
    }

    pub(super) async fn send(&self, content: Content) {
        let frame = Frame {
            content: Some(content),
        };
        // A node that has hung up is what some tests are about.
        let _ = self.outgoing.send(Ok(frame)).await;
    }

    pub(super) async fn data(&mut self, lane: u32, bytes: &[u8]) {
        self.seen.send(bytes);
        let frame = data_frame(lane, bytes.to_vec());
        let _ = self.outgoing.send(Ok(frame)).await;
    }

    /// The next control message but "at work"; data is counted.
    pub(super) async fn hear(&mut self) -> Control {
        loop {
            match self.next().await {
                Some(Content::Control(bytes)) => {
                    match Control::from_bytes(&bytes).expect("a canonical message") {
                        Control::Working {} => {}
                        control => return control,
                    }
                }
                Some(Content::Data(data)) => self.seen.receive(&data.payload),
                None => panic!("the node hung up"),
            }
        }
    }

    pub(super) async fn next(&mut self) -> Option<Content> {
        let frame = self.incoming.next().await?.expect("the line stands");
        Some(frame.content.expect("the node sends no empty frames"))
    }

    /// Answers each "at work" with another until `enough`, or until the node says something else, which is returned.
    pub(super) async fn work_along(&mut self, enough: Duration) -> Option<Control> {
        let until = Instant::now() + enough;
        while Instant::now() < until {
            match self.next().await.expect("the node is there") {
                Content::Data(data) => self.seen.receive(&data.payload),
                Content::Control(bytes) => {
                    match Control::from_bytes(&bytes).expect("a canonical message") {
                        Control::Working {} => self.say(&Control::Working {}).await,
                        control => return Some(control),
                    }
                }
            }
        }
        None
    }

    pub(super) async fn hear_abort(&mut self) -> Problem {
        match self.hear().await {
            Control::Abort { problem } => problem,
            other => panic!("{other:?} came instead of an Abort"),
        }
    }

    pub(super) fn open(&self, opening: Opening) -> Control {
        Control::open(&self.me.signer, &self.me.org, opening)
    }

    /// Open and Nonce as a dialer.
    pub(super) async fn dial_handshake(&mut self) {
        let nonce = SessionNonce([9; 32]);
        let open = self.open(opening(1, nonce.commitment()));
        self.say(&open).await;
        assert!(matches!(self.hear().await, Control::Open { .. }));
        self.say(&Control::Nonce { nonce }).await;
        assert!(matches!(self.hear().await, Control::Nonce { .. }));
    }

    /// Open and Nonce as the other side.
    pub(super) async fn answer_handshake(&mut self) {
        let Control::Open {
            opening: theirs, ..
        } = self.hear().await
        else {
            panic!("an Open was due");
        };
        let nonce = SessionNonce([9; 32]);
        let open = self.open(opening(theirs.attempt, nonce.commitment()));
        self.say(&open).await;
        assert!(matches!(self.hear().await, Control::Nonce { .. }));
        self.say(&Control::Nonce { nonce }).await;
    }

    /// This side's frames of the fake protocol.
    pub(super) async fn send_rounds(&mut self) {
        for round in 0..ROUNDS {
            self.data(u32::from(round) % LANES, &[round; 64]).await;
        }
    }

    /// The node's frames of the fake protocol.
    pub(super) async fn take_rounds(&mut self) {
        for _ in 0..ROUNDS {
            loop {
                match self.next().await.expect("the node is there") {
                    Content::Data(data) => {
                        self.seen.receive(&data.payload);
                        break;
                    }
                    Content::Control(bytes) => {
                        let control = Control::from_bytes(&bytes).expect("canonical");
                        assert_eq!(control, Control::Working {});
                    }
                }
            }
        }
    }

    pub(super) fn transcript(&self, attempt: u32) -> Transcript {
        let totals = self.seen.totals();
        Transcript {
            job: job(),
            attempt,
            sent: Digest(totals.sent_hash),
            received: Digest(totals.received_hash),
            sent_bytes: totals.sent_bytes,
            received_bytes: totals.received_bytes,
        }
    }

    pub(super) fn closing(&self, transcript: Transcript) -> Control {
        Control::closing(&self.me.signer, &self.me.org, transcript)
    }
}
