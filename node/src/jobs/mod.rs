//! The one place where a job's life lives: from the text a data team writes to the result its reader opens.
//!
//! | module | does |
//! |---|---|
//! | `ask` | check, preview, submit |
//! | `records`, `intake` | takes in what other nodes signed, and gives out what this one signed |
//! | `decide` | the inbox, people's decisions, this node's approval |
//! | `life` | the state machine: pure, folded from the journal |
//! | `settle` | does what the state machine says is owed |
//! | `admit` | which session may open, and what is spent for it |
//! | `budget`, `spend` | what datasets have left with a partner; the spending of privacy loss |
//! | `run`, `matching`, `blind`, `answer` | the run itself: local query, protocol, result |
//! | `protocol`, `transfers`, `joint` | a protocol's parameters and cost, before anybody approves; a joint plan in the library's words |
//! | `kept`, `shares` | what a broken line leaves for the next session |
//! | `stored` | a table that was released before and answers again |
//! | `session` | how a session asks for all this |
//! | `aggregate`, `round` | an aggregation in the library's words; one round of it, step by step |
//! | `results` | where results lie and who may read them |
//! | `datasets` | registration, publication, the catalogue |
//!
//! Everything that matters is a fact in the ledger before it has an effect outside of this node. What is held in memory is
//! folded from facts and can be lost at any moment.
//!
//! Who learns what: partners get signed submissions, approvals and reports; the coordinator sees those too. None of them holds
//! a row, an id, or a sentence about this node's files.

mod admit;
mod aggregate;
mod answer;
mod ask;
mod blind;
mod budget;
mod datasets;
mod decide;
mod derive;
mod grant;
mod intake;
mod joint;
mod kept;
mod life;
mod limits;
mod matching;
mod parked;
mod progress;
mod protocol;
mod records;
mod refusals;
mod results;
mod round;
mod run;
mod session;
mod settle;
mod shares;
mod spend;
mod stored;
mod surroundings;
#[cfg(test)]
mod tests;
mod transfers;
mod view;
mod views;

pub use grant::RunGrant;
pub use results::ResultAt;
pub(crate) use round::{Answer, Round, over_without_this_node};
pub use run::{RunOutcome, RunTerms};
pub use surroundings::Surroundings;

use crate::data::SpillFolder;
use crate::ledger::Ledger;
use derive::Derived;
use entente_wire::approval::VerifiedApproval;
use entente_wire::local::JobView;
use entente_wire::names::{OrgName, Role};
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::JobHash;
use entente_wire::sign::{PublicKey, Record, Signer};
use kept::Kept;
use life::{Derivation, Life};
use parked::Parked;
use progress::Running;
use refusals::Refusals;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use view::View;

/// Whose node this is and what it works with.
pub struct Setting {
    /// The open ledger.
    pub ledger: Ledger,
    /// This organisation.
    pub org: OrgName,
    /// Signs this node's statements. Must not leave the node.
    pub node_key: Arc<Signer>,
    /// Verifies this organisation's own registry of people.
    pub root_key: PublicKey,
    /// Folder of results.
    pub results: PathBuf,
    /// Time and chance.
    pub surroundings: Surroundings,
}

/// All jobs of a node. Cheap to clone; all clones are the same jobs.
///
/// Calls take a lock and may wait for a disk flush: from async code they belong on a thread where blocking is allowed.
#[derive(Clone)]
pub struct Jobs {
    core: Arc<Core>,
}

struct Core {
    ledger: Ledger,
    own: OrgName,
    node_key: Arc<Signer>,
    root_key: PublicKey,
    results: PathBuf,
    /// Ids that do not fit into memory.
    spill: SpillFolder,
    surroundings: Surroundings,
    live: Mutex<Live>,
    /// Counts changes of any job, for those who wait for one.
    changes: watch::Sender<u64>,
    outgoing: mpsc::Sender<Record>,
    dials: mpsc::Sender<RunGrant>,
    outgoing_end: Mutex<Option<mpsc::Receiver<Record>>>,
    dials_end: Mutex<Option<mpsc::Receiver<RunGrant>>>,
}

/// What is held in memory.
struct Live {
    view: View,
    tracked: BTreeMap<JobHash, Tracked>,
    parked: Parked,
    refusals: Refusals,
}

/// A job and what goes with it while the node runs.
struct Tracked {
    life: Life,
    derivation: Derivation,
    /// Plan and statement, where this node could derive them.
    derived: Option<Arc<Derived>>,
    /// Which view it was derived from.
    derived_at: Option<u64>,
    /// All approvals, verified together.
    approval: Option<Arc<VerifiedApproval>>,
    /// What stands in the way just now and may pass.
    hindrance: Option<Problem>,
    /// Approvals missing at this organisation: how many roles, and which could still approve.
    missing_here: Option<(u32, Vec<Role>)>,
    /// What each party's policy asks for.
    quorums: BTreeMap<OrgName, (u32, Vec<Role>)>,
    /// Why the partner was not reached at the last try.
    unreached: Option<Problem>,
    /// A run handed out for dialling, or a session that was admitted.
    granted: Option<RunGrant>,
    running: Option<Running>,
    /// What the last session left, for the next one to go on from.
    kept: Option<Arc<Kept>>,
    /// When that is of no use any more, while no session is on.
    kept_until_ms: u64,
    watchers: watch::Sender<JobView>,
}

impl Jobs {
    /// Folds all jobs from the ledger and does what they owe. Sessions that a crash or stop cut off count as broken.
    pub fn open(setting: Setting) -> Result<Self, Problem> {
        let (outgoing, outgoing_end) = mpsc::channel(limits::OUTGOING_MAX);
        let (dials, dials_end) = mpsc::channel(limits::DIALS_MAX);
        let live = Live {
            view: View::of(&setting.ledger)?,
            tracked: BTreeMap::new(),
            parked: Parked::default(),
            refusals: Refusals::default(),
        };
        let core = Core {
            ledger: setting.ledger,
            own: setting.org,
            node_key: setting.node_key,
            root_key: setting.root_key,
            spill: SpillFolder::open(&setting.results.with_file_name("spill"))?,
            results: setting.results,
            surroundings: setting.surroundings,
            live: Mutex::new(live),
            changes: watch::Sender::new(0),
            outgoing,
            dials,
            outgoing_end: Mutex::new(Some(outgoing_end)),
            dials_end: Mutex::new(Some(dials_end)),
        };
        let jobs = Self {
            core: Arc::new(core),
        };
        jobs.core.fold()?;
        Ok(jobs)
    }

    /// Records to post as they arise. Taken once; `None` afterwards.
    pub fn outgoing(&self) -> Option<mpsc::Receiver<Record>> {
        lock(&self.core.outgoing_end).take()
    }

    /// Runs whose approvals are all verified and whose asker this is: to be dialled now. Taken once; `None` afterwards.
    pub fn runs_to_dial(&self) -> Option<mpsc::Receiver<RunGrant>> {
        lock(&self.core.dials_end).take()
    }

    /// Looks at the clock every half second, for as long as it is polled: expiry, waiting records, progress.
    pub async fn keep_time(&self) {
        let mut ticks = interval(Duration::from_millis(limits::TICK_MS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let jobs = self.clone();
            let ticked = tokio::task::spawn_blocking(move || jobs.tick()).await;
            if let Ok(Err(problem)) = ticked {
                tracing::error!(code = %problem.code, "the clock of the jobs could not be kept: {}", problem.what);
            }
        }
    }

    /// Looks at the clock once.
    pub fn tick(&self) -> Result<(), Problem> {
        self.core.tick()
    }

    /// Waits until the job is ready here, or has ended, or `within` has passed: records of one job overtake each other, so
    /// a partner may dial before its approval has arrived here.
    pub async fn settled(&self, job: JobHash, within: Duration) {
        let mut changes = self.core.changes.subscribe();
        let ready = async {
            while !self.core.is_settled(&job) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        // Whether it came in time is seen by whoever asks next.
        let _ = timeout(within, ready).await;
    }

    /// All jobs, newest last.
    pub fn list(&self) -> Vec<JobView> {
        let live = self.core.live();
        let mut tracked: Vec<&Tracked> = live.tracked.values().collect();
        tracked.sort_by_key(|tracked| tracked.life.seen_at_ms());
        tracked
            .into_iter()
            .map(|tracked| self.core.view_of(tracked))
            .collect()
    }

    /// One job, by `J-` and its first eight or more hexadecimal digits.
    pub fn view(&self, job_ref: &str) -> Result<JobView, Problem> {
        let live = self.core.live();
        let job = live.find(job_ref)?;
        Ok(self.core.view_of(live.get(&job)?))
    }

    /// One job's view as it changes.
    pub fn subscribe(&self, job_ref: &str) -> Result<watch::Receiver<JobView>, Problem> {
        let live = self.core.live();
        let job = live.find(job_ref)?;
        Ok(live.get(&job)?.watchers.subscribe())
    }
}

impl Live {
    fn find(&self, job_ref: &str) -> Result<JobHash, Problem> {
        const DIGITS_MIN: usize = 8;
        let digits = job_ref
            .strip_prefix("J-")
            .or_else(|| job_ref.strip_prefix("j-"));
        let digits = digits.unwrap_or(job_ref).to_ascii_lowercase();
        let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digits.len() < DIGITS_MIN || !hexadecimal {
            let shown: String = job_ref.chars().take(80).collect();
            let what = format!("\"{shown}\" names no job");
            let todo = "name a job by J- and the eight digits that `entente job list` shows";
            return Err(Problem::request(Code::Argument, what, todo));
        }
        let mut found = self
            .tracked
            .keys()
            .filter(|job| job.to_string().starts_with(&digits));
        match (found.next(), found.next()) {
            (Some(job), None) => Ok(*job),
            (Some(_), Some(_)) => {
                let what = format!("several jobs begin with {digits}");
                Err(Problem::request(
                    Code::Argument,
                    what,
                    "give more digits of the job's hash",
                ))
            }
            (None, _) => Err(unknown(&format!("J-{}", digits.to_ascii_uppercase()))),
        }
    }

    fn get(&self, job: &JobHash) -> Result<&Tracked, Problem> {
        self.tracked.get(job).ok_or_else(|| unknown(&job.short()))
    }

    fn get_mut(&mut self, job: &JobHash) -> Result<&mut Tracked, Problem> {
        self.tracked
            .get_mut(job)
            .ok_or_else(|| unknown(&job.short()))
    }
}

impl Core {
    fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }

    fn now_ms(&self) -> u64 {
        self.surroundings.now_unix_ms()
    }

    fn is_settled(&self, job: &JobHash) -> bool {
        let live = self.live();
        let tracked = live.tracked.get(job);
        tracked.is_some_and(|tracked| tracked.approval.is_some() || tracked.life.end().is_some())
    }

    /// Sends a record on its way. One that finds no room is posted with all others when the coordinator is reached anew.
    fn post(&self, record: Record) {
        if self.outgoing.try_send(record).is_err() {
            tracing::warn!(
                "the queue to the coordinator is full: a record waits for the next connection"
            );
        }
    }
}

fn unknown(job: &str) -> Problem {
    let what = format!("{job} is not known here");
    Problem::request(Code::JobUnknown, what, "see `entente job list`")
}

/// A panic elsewhere must not stop every other job: what is guarded is folded from facts, and facts are written first.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
