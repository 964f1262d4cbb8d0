//! The bench: fake jobs with a small protocol, an in-memory line, and a partner that follows a script.

use crate::session::{
    Agreed, Calls, End, Identity, Lanes as RunLanes, Limits, Line, Partner, Runs, Sessions, Stop,
};
use entente_protocols::channel::{Totals, Transport};
use entente_protocols::fault::Fault;
use entente_wire::canonical::Digest;
use entente_wire::limits::WIRE_VERSION;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::JobHash;
use entente_wire::session::{Opening, Transcript};
use entente_wire::sign::Signer;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Frames that the fake protocol sends in each direction.
pub(crate) const ROUNDS: u8 = 3;
/// Its lanes.
pub(crate) const LANES: u32 = 2;

pub(crate) fn org(name: &str) -> OrgName {
    name.parse().expect("a valid name")
}

pub(crate) fn job() -> JobHash {
    JobHash(Digest([7; 32]))
}

pub(crate) fn identity(name: &str) -> Identity {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
    Identity {
        org: org(name),
        signer: Arc::new(Signer::from_pkcs8(pkcs8.as_ref()).expect("a key just made")),
    }
}

pub(crate) fn partner_of(identity: &Identity) -> Partner {
    Partner {
        org: identity.org.clone(),
        node_key: identity.signer.public_key(),
    }
}

/// Deadlines for the tests that wait for them.
pub(crate) fn short() -> Limits {
    let ms = Duration::from_millis;
    Limits {
        connect: ms(1_000),
        control: ms(1_000),
        idle: ms(1_000),
        stall: ms(2_500),
        working_every: ms(50),
        farewell: ms(200),
        sessions_max: 3,
        per_partner_max: 2,
        attempts_max: 3,
        connects_max: 3,
        backoff: ms(1),
    }
}

/// Deadlines that no scripted partner misses by accident, however busy the machine.
pub(crate) fn roomy() -> Limits {
    let s = Duration::from_secs;
    Limits {
        connect: s(60),
        control: s(60),
        idle: s(60),
        stall: s(60),
        ..short()
    }
}

/// How an attempt ended, kept for the test to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    Closed(Transcript),
    Broken {
        attempt: Option<u32>,
        problem: Problem,
        may_follow: bool,
    },
}

/// What the fake run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Play {
    /// Sends [`ROUNDS`] frames and receives as many.
    Honest,
    /// Ends with a problem of its own data.
    Fails,
    /// Dies.
    Panics,
    /// Sends frames until the transport refuses.
    SendsForEver,
    /// Is at work until the test lets it go on, then is honest.
    WorksUntilTold,
    /// Is at work until the test lets it go on, then has caught the partner cheating.
    CatchesWhenTold,
}

/// Fake jobs: admit everything up to a script's refusal, run [`Play`].
pub(crate) struct FakeRuns {
    pub(crate) play: Play,
    pub(crate) partner: OrgName,
    pub(crate) refuse: Mutex<Option<Problem>>,
    pub(crate) attempts: Mutex<u32>,
    pub(crate) started: mpsc::UnboundedSender<()>,
    pub(crate) ended: mpsc::UnboundedSender<Ended>,
    pub(crate) go_on: Mutex<std::sync::mpsc::Receiver<()>>,
}

/// The attempt admitted, at the listener.
pub(crate) type Grant = Option<u32>;

impl Runs for FakeRuns {
    type Grant = Grant;
    type Outcome = ();

    fn admit(&self, partner: &OrgName, opening: &Opening) -> Result<Grant, Problem> {
        assert_eq!(*partner, self.partner);
        match self.refuse.lock().expect("not poisoned").take() {
            Some(problem) => Err(problem),
            None => Ok(Some(opening.attempt)),
        }
    }

    fn partner(&self, _grant: &Grant) -> OrgName {
        self.partner.clone()
    }

    fn opening(&self, grant: &Grant, nonce_commitment: Digest) -> Result<Opening, Problem> {
        let mut attempts = self.attempts.lock().expect("not poisoned");
        *attempts = grant.unwrap_or(*attempts + 1);
        Ok(opening(*attempts, nonce_commitment))
    }

    fn lanes(&self, _grant: &Grant) -> u32 {
        LANES
    }

    fn run(
        &self,
        _grant: &Grant,
        _session: &Agreed,
        lanes: RunLanes,
    ) -> Result<((), Totals), Problem> {
        // A test that does not look at it has dropped the other end.
        let _ = self.started.send(());
        match self.play {
            Play::Fails => return Err(own_problem()),
            Play::Panics => panic!("the run's thread dies"),
            Play::WorksUntilTold | Play::CatchesWhenTold => {
                let told = self.go_on.lock().expect("not poisoned").recv();
                told.expect("the test tells");
                if self.play == Play::CatchesWhenTold {
                    return Err(crate::session::blame::misbehaved(&self.partner, "a check"));
                }
            }
            Play::Honest | Play::SendsForEver => {}
        }
        let rounds = match self.play {
            Play::SendsForEver => u32::MAX,
            _ => u32::from(ROUNDS),
        };
        talk(lanes.transports, rounds)
            .map(|totals| ((), totals))
            .map_err(|fault| {
                Problem::here(
                    Code::Defect,
                    format!("the run: {fault}"),
                    "look at the session's reason",
                )
            })
    }

    fn ended(&self, _grant: &Grant, end: End<()>) -> Result<(), Problem> {
        let ended = match end {
            End::Closed { own, .. } => Ended::Closed(own),
            End::Broken {
                attempt,
                problem,
                may_follow,
            } => Ended::Broken {
                attempt,
                problem,
                may_follow,
            },
        };
        self.ended.send(ended).map_err(|_| own_problem())
    }
}

pub(crate) fn own_problem() -> Problem {
    let what = "row 17 of /data/customers.csv is malformed";
    Problem::here(Code::ValueOutside, what, "repair the file")
}

pub(crate) fn opening(attempt: u32, nonce_commitment: Digest) -> Opening {
    Opening {
        version: WIRE_VERSION,
        job: job(),
        attempt,
        dataset_version: Digest([1; 32]),
        ids_rounded: 1000,
        nonce_commitment,
        continues: None,
        answered_by: None,
    }
}

/// The fake protocol: frames out, frames in, lane after lane.
fn talk(mut lanes: Vec<Box<dyn Transport + Send>>, rounds: u32) -> Result<Totals, Fault> {
    let mut seen = Seen::default();
    for round in 0..rounds {
        let lane = round as usize % lanes.len();
        let frame = vec![round as u8; 64];
        seen.send(&frame);
        lanes[lane].send(frame)?;
    }
    for round in 0..rounds {
        let lane = round as usize % lanes.len();
        seen.receive(&lanes[lane].receive()?);
    }
    Ok(seen.totals())
}

/// Counts and hashes as a channel keeps them.
#[derive(Default)]
pub(crate) struct Seen {
    sent: (u64, blake3::Hasher),
    received: (u64, blake3::Hasher),
}

impl Seen {
    pub(crate) fn send(&mut self, frame: &[u8]) {
        self.sent.0 += frame.len() as u64;
        self.sent.1.update(frame);
    }

    pub(crate) fn receive(&mut self, frame: &[u8]) {
        self.received.0 += frame.len() as u64;
        self.received.1.update(frame);
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            sent_bytes: self.sent.0,
            received_bytes: self.received.0,
            sent_hash: *self.sent.1.finalize().as_bytes(),
            received_hash: *self.received.1.finalize().as_bytes(),
        }
    }
}

/// One node under test and what the test needs to watch it.
pub(crate) struct Node {
    pub(crate) sessions: Arc<Sessions<FakeRuns>>,
    pub(crate) runs: Arc<FakeRuns>,
    pub(crate) started: mpsc::UnboundedReceiver<()>,
    pub(crate) ended: mpsc::UnboundedReceiver<Ended>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) go_on: std::sync::mpsc::Sender<()>,
}

impl Node {
    pub(crate) fn new(us: Identity, partner: &str, play: Play, limits: Limits) -> Self {
        let (ended_tx, ended) = mpsc::unbounded_channel();
        let (started_tx, started) = mpsc::unbounded_channel();
        let (go_on, told) = std::sync::mpsc::channel();
        let (stop, requests) = watch::channel(false);
        let runs = Arc::new(FakeRuns {
            play,
            partner: org(partner),
            refuse: Mutex::new(None),
            attempts: Mutex::new(0),
            started: started_tx,
            ended: ended_tx,
            go_on: Mutex::new(told),
        });
        let sessions = Sessions::new(us, Arc::clone(&runs), limits, Stop::new(requests));
        Self {
            sessions: Arc::new(sessions),
            runs,
            started,
            ended,
            stop,
            go_on,
        }
    }

    /// Returns once a run has begun: its handshake is over.
    pub(crate) async fn run_began(&mut self) {
        self.started.recv().await.expect("the node is there");
    }

    pub(crate) async fn next_end(&mut self) -> Ended {
        self.ended.recv().await.expect("the node is there")
    }

    /// The problem of the next attempt that breaks off.
    pub(crate) async fn broken(&mut self) -> Problem {
        match self.next_end().await {
            Ended::Broken { problem, .. } => problem,
            Ended::Closed(_) => panic!("the session closed well"),
        }
    }
}

/// Lines that the dialer under test is given, one a call.
pub(crate) struct Lines(pub(crate) Mutex<VecDeque<Result<Line, Problem>>>);

impl Lines {
    pub(crate) fn one(line: Line) -> Self {
        Self(Mutex::new(VecDeque::from([Ok(line)])))
    }
}

impl Calls for Lines {
    fn call<'a>(
        &'a self,
        partner: &'a OrgName,
    ) -> Pin<Box<dyn Future<Output = Result<Line, Problem>> + Send + 'a>> {
        let next = self.0.lock().expect("not poisoned").pop_front();
        Box::pin(async move {
            next.unwrap_or_else(|| {
                let what = "no line is left";
                Err(Problem::partner(
                    partner,
                    Code::PartnerUnreachable,
                    what,
                    "",
                ))
            })
        })
    }
}
