//! The calls that nodes make. Every call looks again whether the caller is admitted.

use crate::board::{Board, Watching};
use crate::feed::Feed;
use crate::limits::{CALL_TIMEOUT, RoundWaits};
use crate::members::Members;
use crate::records::Filed;
use crate::rounds::{Comer, Replies, Rounds, not_for};
use crate::store::Store;
use entente_certs::Peer;
use entente_wire::canonical::Digest;
use entente_wire::limits::WIRE_VERSION;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::coordinator::v1::coordinator_server::Coordinator;
use entente_wire::rpc::coordinator::v1::{
    JobsReply, JobsRequest, PostReply, RoundJoin, RoundUp, WatchReply, WatchRequest, round_up::Step,
};
use entente_wire::rpc::record::v1::Record;
use entente_wire::seal::JobHash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Replies on their way into one connection; more only wait in memory.
const REPLIES_AHEAD: usize = 16;

/// The service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Service {
    board: Arc<Mutex<Board>>,
    store: Store,
    members: Members,
    watches: Watches,
    rounds: Rounds,
}

/// What every watch goes by.
#[derive(Clone)]
pub(crate) struct Watches {
    /// Between two heartbeats.
    pub(crate) heartbeat: Duration,
    /// Becomes true when the coordinator stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Service {
    /// With what the store held; records that no longer fit the limits are left out.
    pub(crate) fn new(
        store: Store,
        filed: Vec<Filed>,
        members: Members,
        watches: Watches,
        waits: RoundWaits,
    ) -> Self {
        let mut board = Board::default();
        for filed in filed {
            if board.check(&filed).is_ok() {
                board.file(filed);
            }
        }
        Self {
            board: Arc::new(Mutex::new(board)),
            store,
            rounds: Rounds::new(waits, watches.clone(), members.clone()),
            members,
            watches,
        }
    }

    /// Throws away what was kept long enough.
    pub(crate) fn throw_away_outdated(&self, now_unix_s: u64) -> Result<usize, Problem> {
        let mut board = self.board();
        let outdated = board.outdated(now_unix_s);
        for key in &outdated {
            self.store.remove(key)?;
            board.remove(key);
        }
        Ok(outdated.len())
    }

    /// Everything acknowledged is on disk already; this is for the rest.
    pub(crate) fn flush(&self) -> Result<(), Problem> {
        self.store.flush()
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post_blocking(&self, peer: &Peer, record: Record) -> Result<(), Problem> {
        let caller = self.members.check(peer)?;
        let filed = Filed::read(record, &caller, unix_s(SystemTime::now()))?;
        {
            let mut board = self.board();
            if board.check(&filed)? {
                self.store.put(&filed)?;
                board.file(filed);
            }
        }
        // Outside the lock, so that many wait for one flush; also where nothing changed, because the one before may not be through.
        self.store.flush()
    }

    fn watch_blocking(&self, peer: &Peer) -> Result<(OrgName, Watching), Problem> {
        let caller = self.members.check(peer)?;
        let watching = self.board().watch(&caller)?;
        Ok((caller, watching))
    }

    fn comer_blocking(&self, peer: Peer, join: &RoundJoin) -> Result<Comer, Problem> {
        let org = self.members.check(&peer)?;
        let hash = join.job_hash.as_slice().try_into();
        let job = JobHash(Digest(hash.map_err(|_| no_join(&org))?));
        let facts = self.board().round_of(&org, job)?;
        Ok(Comer {
            peer,
            org,
            job,
            facts,
            round_min: join.round_min,
        })
    }

    fn jobs_blocking(&self, peer: &Peer) -> Result<JobsReply, Problem> {
        let caller = self.members.check(peer)?;
        let now = unix_s(SystemTime::now());
        let jobs = self.board().jobs_of(&caller, now);
        Ok(JobsReply { jobs })
    }
}

/// Runs what reads files or writes to disk where it holds up nobody.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Status> {
    match timeout(CALL_TIMEOUT, spawn_blocking(work)).await {
        Ok(Ok(result)) => result.map_err(Status::from),
        Ok(Err(_)) => Err(Problem::here(
            Code::Defect,
            "the coordinator failed over this call",
            "look into the coordinator's log and report this as a defect",
        )
        .into()),
        Err(_) => Err(Problem::here(
            Code::Disk,
            "the coordinator's disk does not answer",
            "check the coordinator's disk, then try again",
        )
        .into()),
    }
}

#[tonic::async_trait]
impl Coordinator for Service {
    type WatchStream = ReceiverStream<Result<WatchReply, Status>>;

    async fn post(&self, request: Request<Record>) -> Result<Response<PostReply>, Status> {
        let peer = caller(&request)?;
        let record = request.into_inner();
        let this = self.clone();
        aside(move || this.post_blocking(&peer, record)).await?;
        Ok(Response::new(PostReply {}))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let peer = caller(&request)?;
        let version = request.get_ref().version;
        if version != WIRE_VERSION {
            return Err(other_version(version).into());
        }
        let (this, by) = (self.clone(), peer.clone());
        let (org, watching) = aside(move || this.watch_blocking(&by)).await?;
        let (replies, stream) = mpsc::channel(REPLIES_AHEAD);
        let feed = Feed {
            members: self.members.clone(),
            watches: self.watches.clone(),
            peer,
            org,
            replies,
        };
        tokio::spawn(feed.run(watching));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    type RoundStream = Replies;

    async fn round(
        &self,
        request: Request<Streaming<RoundUp>>,
    ) -> Result<Response<Self::RoundStream>, Status> {
        let peer = caller(&request)?;
        let mut steps = request.into_inner();
        let join = first_step(&mut steps).await?;
        if join.version != WIRE_VERSION {
            return Err(other_version(join.version).into());
        }
        let this = self.clone();
        let comer = aside(move || this.comer_blocking(peer, &join)).await?;
        let replies = self.rounds.join(comer, steps)?;
        Ok(Response::new(replies))
    }

    async fn jobs(&self, request: Request<JobsRequest>) -> Result<Response<JobsReply>, Status> {
        let peer = caller(&request)?;
        let this = self.clone();
        let reply = aside(move || this.jobs_blocking(&peer)).await?;
        Ok(Response::new(reply))
    }
}

/// What every part in a round begins with.
async fn first_step(steps: &mut Streaming<RoundUp>) -> Result<RoundJoin, Status> {
    let silent = || Status::deadline_exceeded("no join came");
    let first = timeout(CALL_TIMEOUT, steps.message()).await;
    match first.map_err(|_| silent())?? {
        Some(RoundUp {
            step: Some(Step::Join(join)),
        }) => Ok(join),
        _ => Err(Problem::here(
            Code::CoordinatorRefused,
            "a call to take part in a round did not begin with a join",
            "compare the versions of node and coordinator; if they are equal, report this as a defect",
        )
        .into()),
    }
}

pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Whom the handshake proved.
fn caller<T>(request: &Request<T>) -> Result<Peer, Status> {
    let peer = request.extensions().get::<Peer>().cloned();
    peer.ok_or_else(|| {
        Problem::here(
            Code::Defect,
            "a call came without a proven caller",
            "report this as a defect",
        )
        .into()
    })
}

fn other_version(theirs: u32) -> Problem {
    Problem::here(
        Code::VersionDiffers,
        format!("the coordinator speaks version {WIRE_VERSION}, the node version {theirs}"),
        "compare versions with `entente --version` and upgrade the older one",
    )
}

fn no_join(org: &OrgName) -> Problem {
    not_for(org, "its hash has not 32 bytes")
}

pub(crate) fn stops() -> Problem {
    Problem::here(
        Code::CoordinatorUnreachable,
        "the coordinator is stopping",
        "nodes connect again by themselves once it is back; jobs wait until then",
    )
}

pub(crate) fn unix_s(now: SystemTime) -> u64 {
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH);
    since_1970.unwrap_or_default().as_secs()
}
