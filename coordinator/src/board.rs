//! What is filed now, for whom, and who is watching. Pure: no clock, no disk, no network.
//!
//! Registries and publications are for every member; what is about a job is for the parties of that job only, so
//! an approval or report waits here until its job's submission has come.

use crate::limits::{
    BYTES_PER_ORG_MAX, JOBS_REPLY_BYTES, JOBS_SHOWN_MAX, KEPT_AFTER_EXPIRY, RECORDS_PER_ORG_MAX,
    WATCH_QUEUE_RECORDS, WATCHERS_PER_ORG_MAX,
};
use crate::records::{About, Filed, RecordKey, refused};
use crate::rounds::{RoundFacts, not_for};
use crate::states::{self, JobFacts, Reported};
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::report::Step;
use entente_wire::rpc::coordinator::v1::JobState;
use entente_wire::seal::JobHash;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Everything filed.
#[derive(Default)]
pub(crate) struct Board {
    records: BTreeMap<RecordKey, Arc<Filed>>,
    jobs: BTreeMap<JobHash, JobFile>,
    usage: BTreeMap<OrgName, Usage>,
    watchers: Vec<Watcher>,
}

/// What is filed about one job.
#[derive(Default)]
struct JobFile {
    /// `None` until the submission comes.
    facts: Option<JobFacts>,
    records: BTreeSet<RecordKey>,
}

#[derive(Default, Clone, Copy)]
struct Usage {
    records: usize,
    bytes: usize,
}

struct Watcher {
    org: OrgName,
    queue: mpsc::Sender<Arc<Filed>>,
}

/// A watch begun: what is there now, and what comes. The queue ends where its reader is too slow.
pub(crate) struct Watching {
    pub(crate) now: Vec<Arc<Filed>>,
    pub(crate) coming: mpsc::Receiver<Arc<Filed>>,
}

impl Board {
    /// Whether this may be filed; `false` where the very same record is filed already.
    pub(crate) fn check(&self, filed: &Filed) -> Result<bool, Problem> {
        let facts = filed
            .job()
            .and_then(|job| self.jobs.get(&job)?.facts.as_ref());
        if let Some(facts) = facts {
            check_role(filed, facts)?;
        }
        let before = self.records.get(&filed.key);
        if before.is_some_and(|before| before.record == filed.record) {
            return Ok(false);
        }
        let mut usage = self.usage.get(&filed.org).copied().unwrap_or_default();
        usage.take(before.map(Arc::as_ref));
        usage.add(filed);
        if usage.records > RECORDS_PER_ORG_MAX || usage.bytes > BYTES_PER_ORG_MAX {
            return Err(full(&filed.org));
        }
        Ok(true)
    }

    /// Files what [`Self::check`] allowed, and hands it out.
    pub(crate) fn file(&mut self, filed: Filed) {
        let filed = Arc::new(filed);
        let before = self.records.insert(filed.key.clone(), filed.clone());
        let usage = self.usage.entry(filed.org.clone()).or_default();
        usage.take(before.as_deref());
        usage.add(&filed);
        let mut begun = false;
        if let Some(hash) = filed.job() {
            let job = self.jobs.entry(hash).or_default();
            job.records.insert(filed.key.clone());
            if let About::Submission(_, facts) = &filed.about {
                begun = job.facts.replace(facts.clone()).is_none();
            }
        }
        self.hand_out(&filed);
        if begun {
            self.hand_out_what_waited(&filed);
        }
    }

    /// Begins a watch of `org`.
    pub(crate) fn watch(&mut self, org: &OrgName) -> Result<Watching, Problem> {
        self.watchers.retain(|watcher| !watcher.queue.is_closed());
        let running = self.watchers.iter().filter(|w| w.org == *org).count();
        if running >= WATCHERS_PER_ORG_MAX {
            return Err(Problem::partner(
                org,
                Code::CoordinatorRefused,
                format!("{org} watches {running} times already"),
                "stop nodes of this organisation that should no longer run",
            ));
        }
        let (queue, coming) = mpsc::channel(WATCH_QUEUE_RECORDS);
        let org = org.clone();
        let now = self.records.values();
        let now = now
            .filter(|filed| self.is_for(filed, &org))
            .cloned()
            .collect();
        self.watchers.push(Watcher { org, queue });
        Ok(Watching { now, coming })
    }

    /// The jobs that `org` takes part in and their states at `now_unix_s`, newest first, as many as fit one reply.
    pub(crate) fn jobs_of(&self, org: &OrgName, now_unix_s: u64) -> Vec<JobState> {
        let mut jobs: Vec<(u64, JobState)> = self
            .jobs
            .iter()
            .filter_map(|(hash, job)| Some((hash, job, job.facts.as_ref()?)))
            .filter(|(_, _, facts)| facts.parties.contains(org))
            .map(|(hash, job, facts)| {
                (
                    self.begun(job),
                    self.job_state(hash, job, facts, now_unix_s),
                )
            })
            .collect();
        jobs.sort_by_key(|(begun, _)| std::cmp::Reverse(*begun));
        let mut left = JOBS_REPLY_BYTES;
        let fits = |job: &JobState| {
            left = left.saturating_sub(job.encoded_len());
            left > 0
        };
        let shown = jobs.into_iter().map(|(_, job)| job);
        shown.take(JOBS_SHOWN_MAX).take_while(fits).collect()
    }

    /// What the rounds of a job go by, for one of its parties.
    pub(crate) fn round_of(&self, org: &OrgName, job: JobHash) -> Result<Arc<RoundFacts>, Problem> {
        let facts = self.jobs.get(&job).and_then(|job| job.facts.as_ref());
        let facts = facts.ok_or_else(|| not_filed(job))?;
        if !facts.parties.contains(org) {
            return Err(not_for(org, "it takes no part in it"));
        }
        let round = facts.round.clone();
        round.ok_or_else(|| not_for(org, "it is no secure aggregation"))
    }

    /// What is kept long enough: jobs long expired, and records whose job never came.
    pub(crate) fn outdated(&self, now_unix_s: u64) -> Vec<RecordKey> {
        let kept = KEPT_AFTER_EXPIRY.as_secs();
        let is_over = |job: &JobFile| match &job.facts {
            Some(facts) => facts.expires_unix_s.saturating_add(kept) < now_unix_s,
            None => self.newest(job).saturating_add(kept) < now_unix_s,
        };
        let over = self.jobs.values().filter(|job| is_over(job));
        over.flat_map(|job| job.records.iter().cloned()).collect()
    }

    /// Throws one record away.
    pub(crate) fn remove(&mut self, key: &RecordKey) {
        let Some(filed) = self.records.remove(key) else {
            return;
        };
        if let Some(usage) = self.usage.get_mut(&filed.org) {
            usage.take(Some(&filed));
        }
        let Some(hash) = filed.job() else { return };
        if let Some(job) = self.jobs.get_mut(&hash) {
            job.records.remove(key);
            if matches!(filed.about, About::Submission(..)) {
                job.facts = None;
            }
            if job.records.is_empty() {
                self.jobs.remove(&hash);
            }
        }
    }

    /// Nobody is handed his own records: he has them.
    fn is_for(&self, filed: &Filed, org: &OrgName) -> bool {
        if filed.org == *org {
            return false;
        }
        let Some(hash) = filed.job() else { return true };
        let facts = self.jobs.get(&hash).and_then(|job| job.facts.as_ref());
        facts.is_some_and(|facts| facts.parties.contains(org) && check_role(filed, facts).is_ok())
    }

    fn hand_out(&mut self, filed: &Arc<Filed>) {
        let mut watchers = std::mem::take(&mut self.watchers);
        // Whoever has gone, or lets his queue run full, is let go; he begins anew and misses nothing.
        watchers.retain(|watcher| {
            !self.is_for(filed, &watcher.org) || watcher.queue.try_send(filed.clone()).is_ok()
        });
        self.watchers = watchers;
    }

    fn hand_out_what_waited(&mut self, submission: &Filed) {
        let job = submission.job().and_then(|hash| self.jobs.get(&hash));
        let keys = job.map(|job| job.records.clone()).unwrap_or_default();
        for key in keys.iter().filter(|key| **key != submission.key) {
            if let Some(filed) = self.records.get(key).cloned() {
                self.hand_out(&filed);
            }
        }
    }

    fn of_job<'a>(&'a self, job: &'a JobFile) -> impl Iterator<Item = &'a Filed> {
        let keys = job.records.iter();
        keys.filter_map(|key| self.records.get(key).map(Arc::as_ref))
    }

    fn newest(&self, job: &JobFile) -> u64 {
        self.of_job(job).map(|f| f.filed_unix_s).max().unwrap_or(0)
    }

    fn begun(&self, job: &JobFile) -> u64 {
        let submission = |filed: &&Filed| matches!(filed.about, About::Submission(..));
        let begun = self.of_job(job).find(submission);
        begun.map_or(0, |filed| filed.filed_unix_s)
    }

    fn job_state(
        &self,
        hash: &JobHash,
        job: &JobFile,
        facts: &JobFacts,
        now_unix_s: u64,
    ) -> JobState {
        let mut approved = BTreeSet::new();
        let mut reports = Vec::new();
        for filed in self.of_job(job) {
            let by = &filed.org;
            match filed.about {
                About::Approval(_) => {
                    approved.insert(by);
                }
                About::Report(_, attempt, step) => reports.push(Reported { by, attempt, step }),
                About::Submission(..) | About::Organisation => {}
            }
        }
        let state = states::state(facts, &approved, &reports, now_unix_s);
        JobState {
            job_hash: hash.0.0.to_vec(),
            asker: facts.asker.to_string(),
            parties: facts.parties.iter().map(OrgName::to_string).collect(),
            state: state.to_string(),
            waiting_for: states::missing(facts, &approved)
                .map(OrgName::to_string)
                .collect(),
        }
    }
}

impl Usage {
    fn add(&mut self, filed: &Filed) {
        self.records += 1;
        self.bytes += filed.bytes();
    }

    fn take(&mut self, filed: Option<&Filed>) {
        if let Some(filed) = filed {
            self.records = self.records.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(filed.bytes());
        }
    }
}

/// Only parties speak about a job, and only its asker takes it back.
fn check_role(filed: &Filed, facts: &JobFacts) -> Result<(), Problem> {
    let org = &filed.org;
    if !facts.parties.contains(org) {
        return Err(refused(org, format!("{org} takes no part in that job")));
    }
    let takes_back = matches!(filed.about, About::Report(_, _, Step::Cancelled));
    if takes_back && *org != facts.asker {
        return Err(refused(org, "only the asker can take a job back"));
    }
    Ok(())
}

fn not_filed(job: JobHash) -> Problem {
    Problem::new(
        Code::JobUnknown,
        Side::Coordinator,
        format!("the coordinator has no submission of the job {job}"),
        "nodes hand it in and try again by themselves; ask the asker whether its node is connected",
    )
}

fn full(org: &OrgName) -> Problem {
    Problem::partner(
        org,
        Code::CoordinatorRefused,
        format!(
            "{org} has filed as much as one organisation may: {RECORDS_PER_ORG_MAX} records or {BYTES_PER_ORG_MAX} bytes"
        ),
        "records of expired jobs are thrown away after 30 days; ask for fewer jobs, or with earlier expiry",
    )
}
