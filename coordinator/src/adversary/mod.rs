//! What a stranger, a member, or a damaged disk may do to a coordinator. Here: the stage; all calls go over real TLS on loopback.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed unwrap or a panic fails the test that it stands in"
)]

mod board;
mod jobs;
mod members;
mod process;
mod rounds;

use crate::home::COORDINATOR;
use crate::limits::RoundWaits;
use crate::run::{Timing, run_with};
use crate::{admit, init};
use entente_certs::{Expected, OrgRoot, RootFingerprint, TlsParty, connect};
use entente_wire::approval::NodeApproval;
use entente_wire::canonical::Digest;
use entente_wire::job::Job;
use entente_wire::limits::WIRE_VERSION;
use entente_wire::names::OrgName;
use entente_wire::people::Registry;
use entente_wire::problem::{Code, Problem};
use entente_wire::report::{Report, Step};
use entente_wire::rpc::coordinator::v1::coordinator_client::CoordinatorClient;
use entente_wire::rpc::coordinator::v1::{
    JobState, JobsRequest, WatchReply, WatchRequest, watch_reply::Event,
};
use entente_wire::rpc::record::v1 as rpc;
use entente_wire::seal::{JobHash, PartySeal, Protocol, Seal};
use entente_wire::sign::{Kind, Record, Signer};
use entente_wire::submission::Submission;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

/// No test waits longer than this for anything.
const DEADLINE: Duration = Duration::from_secs(30);
/// So that tests see heartbeats without waiting for real ones.
const HEARTBEAT: Duration = Duration::from_millis(50);
/// So long that a test that waits for a deadline of a round fails.
const NEVER: Duration = Duration::from_secs(3600);
const TIMING: Timing = Timing {
    heartbeat: HEARTBEAT,
    rounds: RoundWaits {
        gather: NEVER,
        prepare: NEVER,
        step: NEVER,
        upload: NEVER,
        idle: NEVER,
    },
};
const YEAR_2100: u64 = 4_102_444_800;

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.expect("in time")
}

/// A coordinator's home on disk.
struct Stage {
    folder: TempDir,
    fingerprint: RootFingerprint,
}

/// A coordinator that runs.
struct Running {
    address: SocketAddr,
    fingerprint: RootFingerprint,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), Problem>>,
}

impl Stage {
    fn new(members: &[&Member]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let summary = init(folder.path(), "127.0.0.1:0", SystemTime::now()).unwrap();
        for member in members {
            admit(folder.path(), &member.org, member.root.fingerprint()).unwrap();
        }
        let fingerprint = summary.fingerprint;
        Self {
            folder,
            fingerprint,
        }
    }

    fn home(&self) -> &Path {
        self.folder.path()
    }

    async fn start(&self) -> Running {
        self.start_with(TIMING).await
    }

    async fn start_with(&self, timing: Timing) -> Running {
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let home: PathBuf = self.home().to_owned();
        let ended = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            run_with(&home, stopped, ready, timing).await
        });
        let Ok(address) = in_time(is_ready).await else {
            panic!("not started: {:?}", in_time(ended).await)
        };
        Running {
            address,
            fingerprint: self.fingerprint,
            stop,
            ended,
        }
    }

    /// Tries to start; tells the problem.
    async fn does_not_start(&self) -> Problem {
        let (ready, _is_ready) = oneshot::channel();
        let ended = run_with(self.home(), std::future::pending(), ready, TIMING);
        in_time(ended).await.unwrap_err()
    }
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        in_time(self.ended).await.unwrap().unwrap();
    }
}

/// An organisation with its keys.
struct Member {
    org: OrgName,
    root: OrgRoot,
    party: TlsParty,
    signer: Signer,
}

fn member(name: &str) -> Member {
    let root = OrgRoot::create(name, SystemTime::now()).unwrap();
    let node = root.issue("node-1", &[], SystemTime::now()).unwrap();
    Member {
        org: name.parse().unwrap(),
        signer: Signer::from_pkcs8(root.pkcs8()).unwrap(),
        party: TlsParty::new(&node),
        root,
    }
}

impl Member {
    async fn call(&self, coordinator: &Running) -> CoordinatorClient<Channel> {
        let expected = Expected {
            org: COORDINATOR.to_owned(),
            root: coordinator.fingerprint,
        };
        let address = coordinator.address.to_string();
        let channel = connect(&self.party, &address, &expected, DEADLINE).await;
        CoordinatorClient::new(channel.unwrap())
    }

    async fn post(&self, to: &Running, record: rpc::Record) -> Result<(), Problem> {
        let mut client = self.call(to).await;
        let posted = in_time(client.post(record)).await;
        posted.map(drop).map_err(|status| problem(&status))
    }

    async fn watch(&self, at: &Running) -> Result<Watch, Problem> {
        let version = WIRE_VERSION;
        let mut client = self.call(at).await;
        let replies = in_time(client.watch(WatchRequest { version })).await;
        let replies = replies.map_err(|status| problem(&status))?.into_inner();
        Ok(Watch {
            replies,
            _client: client,
        })
    }

    async fn jobs(&self, at: &Running) -> Result<Vec<JobState>, Problem> {
        let mut client = self.call(at).await;
        let reply = in_time(client.jobs(JobsRequest {})).await;
        let reply = reply.map_err(|status| problem(&status))?;
        Ok(reply.into_inner().jobs)
    }

    fn sign<T: serde::Serialize>(&self, kind: Kind, document: &T) -> rpc::Record {
        Record::sign(&self.signer, kind, &self.org, document).into()
    }

    fn registry(&self, version: u64) -> rpc::Record {
        let registry = Registry {
            org: self.org.clone(),
            version,
            node_key: self.signer.public_key(),
            people: BTreeMap::new(),
        };
        self.sign(Kind::Registry, &registry)
    }

    fn submission(&self, with: &Member, expires_unix_s: u64) -> (JobHash, rpc::Record) {
        let submission = submission(&self.org, &[&self.org, &with.org], expires_unix_s);
        (submission.hash(), self.sign(Kind::Submission, &submission))
    }

    fn approval(&self, job: JobHash) -> rpc::Record {
        let approval = NodeApproval {
            job,
            org: self.org.clone(),
            registry_version: 1,
            counter: 1,
            journal_head: Digest([0; 32]),
            decisions: Vec::new(),
        };
        self.sign(Kind::Approval, &approval)
    }

    fn report(&self, job: JobHash, attempt: u32, step: Step) -> rpc::Record {
        let gone = || Problem::here(Code::DataChanged, "the file changed", "register it again");
        let report = Report {
            job,
            attempt,
            step,
            problem: step.went_wrong().then(gone),
        };
        self.sign(Kind::Report, &report)
    }
}

fn submission(asker: &OrgName, parties: &[&OrgName], expires_unix_s: u64) -> Submission {
    let yaml = format!(
        "entente: 1\nname: overlap\npurpose: a test\nlegal_basis: consent\nask: SELECT 1\nresults_to: [{asker}]\nexpires: 2099-12-31T00:00:00Z\n"
    );
    let mut job = Job::from_yaml(&yaml).unwrap();
    job.expires_unix_s = expires_unix_s;
    let side = PartySeal {
        dataset: "users".parse().unwrap(),
        policy: Digest([1; 32]),
        schema: Digest([2; 32]),
        ids_rounded: 1000,
    };
    let seal = Seal {
        job: job.digest(),
        nonce: "00112233445566778899aabbccddeeff"
            .to_owned()
            .try_into()
            .unwrap(),
        asker: asker.clone(),
        plan_version: 1,
        plan: Digest([3; 32]),
        protocol: Protocol::Ecdh {
            profile: "ristretto255".to_owned(),
        },
        parties: parties
            .iter()
            .map(|&party| (party.clone(), side.clone()))
            .collect(),
        leakage: Digest([4; 32]),
    };
    Submission { job, seal }
}

/// A watch that fails the test where nothing comes.
struct Watch {
    replies: Streaming<WatchReply>,
    _client: CoordinatorClient<Channel>,
}

impl Watch {
    async fn event(&mut self) -> Result<Event, Status> {
        let reply = in_time(self.replies.message()).await?;
        Ok(reply.expect("a watch never ends by itself").event.unwrap())
    }

    /// The next record, over heartbeats and the word that all old ones have come.
    async fn record(&mut self) -> rpc::Record {
        loop {
            if let Event::Record(record) = self.event().await.unwrap() {
                return record;
            }
        }
    }

    /// All records that existed.
    async fn caught_up(&mut self) -> Vec<rpc::Record> {
        let mut records = Vec::new();
        loop {
            match self.event().await.unwrap() {
                Event::Record(record) => records.push(record),
                Event::CaughtUp(_) => return records,
                Event::Heartbeat(_) => panic!("a heartbeat before all records"),
            }
        }
    }

    /// Why the watch ended.
    async fn end(&mut self) -> Problem {
        loop {
            if let Err(status) = self.event().await {
                return problem(&status);
            }
        }
    }
}

fn problem(status: &Status) -> Problem {
    Problem::from_status(status)
}
