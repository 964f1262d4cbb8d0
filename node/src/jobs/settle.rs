//! Doing what a life owes: the shell around [`super::life`]. Each step is recorded before it shows outside, and each can be
//! cut off by a crash at any point, since the next start asks the same question again.

use super::life::{Derivation, Life, Next, Standing};
use super::view::View;
use super::{Core, Live, Tracked, derive};
use crate::ledger::{Entry, Fact, SessionEnd, SessionEnded, SignedRecord};
use entente_wire::approval;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::report::Report;
use entente_wire::seal::JobHash;
use entente_wire::sign::{Kind, Record};
use entente_wire::sql::Catalog;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// More steps than a life can owe at once; reaching it is a defect, and stopping there keeps the node alive.
const STEPS_MAX: usize = 64;

impl Core {
    /// Folds all lives at start.
    pub(super) fn fold(&self) -> Result<(), Problem> {
        let mut live = self.live();
        for entry in self.ledger.jobs()? {
            let Some(job) = entry.fact.job().copied() else {
                continue;
            };
            match live.tracked.get_mut(&job) {
                Some(tracked) => tracked.life.apply(&entry),
                None => {
                    if let Some(life) = Life::begin(&self.own, &entry) {
                        self.track(&mut live, life);
                    }
                }
            }
        }
        let jobs: Vec<JobHash> = live.tracked.keys().copied().collect();
        for job in &jobs {
            self.end_cut_off(&mut live, job)?;
        }
        self.settle_all(&mut live)
    }

    /// A session that the last run of this node did not end was cut off.
    fn end_cut_off(&self, live: &mut Live, job: &JobHash) -> Result<(), Problem> {
        let tracked = live.get_mut(job)?;
        let Some(attempt) = tracked.life.session_on() else {
            return Ok(());
        };
        let problem = Problem::here(
            Code::NodeNotRunning,
            format!("the node stopped during attempt {attempt}"),
            "nothing, if attempts are left: the run is tried again by itself",
        );
        let end = SessionEnd::Broken { problem };
        self.write(
            tracked,
            Fact::SessionEnded(SessionEnded {
                job: *job,
                attempt,
                end,
            }),
        )
    }

    /// Begins to track a job.
    pub(super) fn track(&self, live: &mut Live, life: Life) {
        let job = life.job();
        let waits = Problem::here(Code::JobState, "the job has just come in", "wait a moment");
        let tracked = Tracked {
            watchers: watch::Sender::new(self.first_view(&life)),
            life,
            derivation: Derivation::Waits(waits),
            derived: None,
            derived_at: None,
            approval: None,
            hindrance: None,
            missing_here: None,
            quorums: BTreeMap::new(),
            unreached: None,
            granted: None,
            running: None,
            kept: None,
            kept_until_ms: 0,
        };
        live.tracked.insert(job, tracked);
    }

    /// Takes the ledger's newest registries and publications as the view, and settles every job against it.
    pub(super) fn view_changed(&self, live: &mut Live) -> Result<(), Problem> {
        live.view = live.view.newer(&self.ledger)?;
        self.settle_all(live)
    }

    pub(super) fn settle_all(&self, live: &mut Live) -> Result<(), Problem> {
        let jobs: Vec<JobHash> = live.tracked.keys().copied().collect();
        jobs.iter().try_for_each(|job| self.settle(live, job))
    }

    /// Does everything that one job owes now.
    pub(super) fn settle(&self, live: &mut Live, job: &JobHash) -> Result<(), Problem> {
        let Live { view, tracked, .. } = live;
        let Some(tracked) = tracked.get_mut(job) else {
            return Ok(());
        };
        for _ in 0..STEPS_MAX {
            self.look(view, tracked);
            let standing = Standing {
                now_ms: self.now_ms(),
                derivation: &tracked.derivation,
                quorum_met: self.quorum_met(view, &tracked.life),
                verified: tracked.approval.is_some(),
                granted: tracked.granted.is_some(),
            };
            let Some(next) = tracked.life.next(&standing) else {
                self.show(tracked);
                return Ok(());
            };
            self.act(view, tracked, next)?;
        }
        self.show(tracked);
        let what = format!("{} owes more than {STEPS_MAX} steps", job.short());
        Err(Problem::here(
            Code::Defect,
            what,
            "report this with the node's log",
        ))
    }

    /// Derives and verifies anew from the view. What has ended is left as it was.
    fn look(&self, view: &View, tracked: &mut Tracked) {
        if tracked.life.end().is_some() {
            tracked.kept = None;
            return;
        }
        if tracked.life.session_on().is_some() {
            return;
        }
        // Planning looks at nothing but the job and the view.
        if tracked.derived_at != Some(view.number()) {
            let (derivation, derived) = derive::compare(tracked.life.submission(), &self.own, view);
            tracked.derivation = derivation;
            tracked.derived = derived.map(Arc::new);
            tracked.derived_at = Some(view.number());
        }
        tracked.hindrance = match &tracked.derivation {
            Derivation::Waits(problem) => Some(problem.clone()),
            Derivation::Same | Derivation::Differs(_) => None,
        };
        tracked.missing_here = self.missing_here(view, &tracked.life);
        let sealed = tracked.life.submission().seal.parties.iter();
        let quorums = sealed.filter_map(|(org, sealed)| {
            let asked = &view.publication(org, &sealed.dataset)?.policy.approvers;
            Some((
                org.clone(),
                (asked.need, asked.of.iter().cloned().collect()),
            ))
        });
        tracked.quorums = quorums.collect();
        tracked.approval = None;
        if !tracked.life.all_approved() || tracked.derivation != Derivation::Same {
            return;
        }
        let approvals = tracked.life.approvals().values();
        let records: Vec<Record> = approvals
            .map(|approved| Record::from(&approved.record))
            .collect();
        let now_s = self.now_ms() / 1_000;
        match approval::verify(tracked.life.submission(), view, view, &records, now_s) {
            Ok(approval) => tracked.approval = Some(Arc::new(approval)),
            Err(problem) => tracked.hindrance = Some(problem),
        }
    }

    fn act(&self, view: &View, tracked: &mut Tracked, next: Next) -> Result<(), Problem> {
        let job = tracked.life.job();
        match next {
            Next::Report(report) => self.report(tracked, &report),
            Next::Expire => self.write(tracked, Fact::JobExpired { job }),
            Next::Agree => self.write(tracked, Fact::JobAgreed { job }),
            Next::Decline(problem) => self.write(tracked, Fact::JobDeclined { job, problem }),
            Next::Fail(problem) => self.write(tracked, Fact::JobFailed { job, problem }),
            Next::Approve => self.approve(view, tracked),
            Next::Dial => self.grant_dial(tracked),
        }
    }

    fn report(&self, tracked: &mut Tracked, report: &Report) -> Result<(), Problem> {
        let record = Record::sign(&self.node_key, Kind::Report, &self.own, report);
        let fact = Fact::ReportSent {
            job: tracked.life.job(),
            record: SignedRecord::from(&record),
        };
        self.write(tracked, fact)?;
        self.post(record);
        Ok(())
    }

    /// Records a fact of a job and folds it in.
    pub(super) fn write(&self, tracked: &mut Tracked, fact: Fact) -> Result<(), Problem> {
        let at_unix_ms = self.now_ms();
        self.ledger.record(at_unix_ms, fact.clone())?;
        tracked.life.apply(&Entry { at_unix_ms, fact });
        Ok(())
    }

    /// Shows a job's view to those who watch.
    pub(super) fn show(&self, tracked: &Tracked) {
        tracked.watchers.send_replace(self.view_of(tracked));
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Expiry, waiting records and progress.
    pub(super) fn tick(&self) -> Result<(), Problem> {
        let mut live = self.live();
        let now_ms = self.now_ms();
        let mut due = Vec::new();
        for tracked in live.tracked.values_mut() {
            if tracked.life.session_on().is_none() && now_ms > tracked.kept_until_ms {
                tracked.kept = None;
            }
        }
        for (job, tracked) in &live.tracked {
            if tracked.life.end().is_some() {
                continue;
            }
            let expired = tracked.life.submission().job.has_expired(now_ms / 1_000);
            if tracked.life.session_on().is_some() {
                if let Some(granted) = tracked.granted.as_ref().filter(|_| expired) {
                    granted.stop(&tracked.life.expired());
                }
                self.show(tracked);
            } else if expired || tracked.is_due(&self.own, now_ms) {
                due.push(*job);
            }
        }
        due.iter().try_for_each(|job| self.settle(&mut live, job))
    }
}

impl Tracked {
    /// Whether time alone moves the job on: it has waited long enough for a publication, or found no room to be dialled.
    fn is_due(&self, own: &OrgName, now_ms: u64) -> bool {
        let waits = matches!(self.derivation, Derivation::Waits(_));
        let undialled =
            self.approval.is_some() && self.granted.is_none() && !self.life.has_signed();
        let dials = self.life.asker() == own || self.life.is_aggregation();
        (waits && self.life.has_settled(now_ms)) || (undialled && dials)
    }
}
