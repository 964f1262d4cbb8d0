//! What one record of each kind has to fulfil before it counts.

use super::life::Life;
use super::limits::{OPEN_JOBS_PER_PARTNER_MAX, REPORTS_PER_PARTY_MAX};
use super::records::{Taken, cancelled};
use super::{Core, Live};
use crate::ledger::{Entry, Fact, SignedRecord};
use entente_wire::approval::{self, NodeApproval};
use entente_wire::names::OrgName;
use entente_wire::people::{Pins, Registry};
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::Publication;
use entente_wire::report::{Report, Step};
use entente_wire::seal::JobHash;
use entente_wire::sign::{Kind, PublicKey, Record};
use entente_wire::sql::Catalog;
use entente_wire::submission::Submission;

impl Core {
    pub(super) fn take_registry(&self, live: &mut Live, record: &Record) -> Result<Taken, Problem> {
        let Some(pin) = self.ledger.partner(&record.org)? else {
            return Err(stranger(&record.org));
        };
        let held = live.view.registry(&record.org);
        let version = held.map_or(0, |held| held.version);
        match Registry::open(record, pin.root_key, held) {
            Ok(registry) if registry.version == version => return Ok(Taken::Known),
            Ok(_) => {}
            // An older one, delivered late, is nothing to be alarmed about; it just does not count.
            Err(_) if is_stale(record, &pin.root_key, version) => return Ok(Taken::Known),
            Err(problem) => return Err(problem),
        }
        let fact = Fact::RegistrySeen {
            record: SignedRecord::from(record),
        };
        self.ledger.record(self.now_ms(), fact)?;
        self.view_changed(live)?;
        Ok(Taken::New)
    }

    pub(super) fn take_publication(
        &self,
        live: &mut Live,
        record: &Record,
    ) -> Result<Taken, Problem> {
        let publication = Publication::open(record, &live.view)?;
        let held = live
            .view
            .publication(&publication.org, &publication.policy.dataset);
        if let Some(held) = held {
            if publication == *held || publication.version < held.version {
                return Ok(Taken::Known);
            }
            if publication.version == held.version {
                let reason = format!(
                    "{} was published twice with version {}",
                    publication.policy.dataset, publication.version
                );
                return Err(record.refused(reason));
            }
        }
        let fact = Fact::PublicationSeen {
            record: SignedRecord::from(record),
        };
        self.ledger.record(self.now_ms(), fact)?;
        self.view_changed(live)?;
        Ok(Taken::New)
    }

    pub(super) fn take_submission(
        &self,
        live: &mut Live,
        record: &Record,
    ) -> Result<Taken, Problem> {
        let submission = Submission::open(record, &live.view)?;
        let job = submission.hash();
        if live.tracked.contains_key(&job) {
            return Ok(Taken::Known);
        }
        if !submission.seal.parties.contains_key(&self.own) {
            return Err(record.refused(format!("{} takes no part in it", self.own)));
        }
        if submission.job.has_expired(self.now_ms() / 1_000) {
            // A coordinator delivers old jobs to a node that was away. They are over, and no line is owed to them.
            return Ok(Taken::Known);
        }
        let asked = live
            .tracked
            .values()
            .filter(|tracked| *tracked.life.asker() == record.org && tracked.life.end().is_none());
        if asked.count() >= OPEN_JOBS_PER_PARTNER_MAX {
            let reason = format!(
                "{} has {OPEN_JOBS_PER_PARTNER_MAX} jobs under way here",
                record.org
            );
            return Err(record.refused(reason));
        }
        let fact = Fact::SubmissionSeen {
            job,
            record: SignedRecord::from(record),
        };
        self.begin(live, &job, fact)?;
        Ok(Taken::New)
    }

    /// Records a submission and begins its life.
    pub(super) fn begin(&self, live: &mut Live, job: &JobHash, fact: Fact) -> Result<(), Problem> {
        let at_unix_ms = self.now_ms();
        self.ledger.record(at_unix_ms, fact.clone())?;
        if let Some(life) = Life::begin(&self.own, &Entry { at_unix_ms, fact }) {
            self.track(live, life);
        }
        self.settle(live, job)
    }

    pub(super) fn take_approval(&self, live: &mut Live, record: &Record) -> Result<Taken, Problem> {
        let approval: NodeApproval = record.open_pinned(Kind::Approval, &live.view)?;
        let job = approval.job;
        let Live { view, tracked, .. } = &mut *live;
        let Some(tracked) = tracked.get_mut(&job) else {
            return Ok(Taken::Early);
        };
        if !tracked
            .life
            .submission()
            .seal
            .parties
            .contains_key(&record.org)
        {
            return Err(record.refused(format!("{} takes no part in {}", record.org, job.short())));
        }
        if tracked.life.end().is_some() || tracked.life.approvals().contains_key(&record.org) {
            return Ok(Taken::Known);
        }
        if !tracked.life.is_agreed() {
            return Ok(Taken::Early);
        }
        match approval::check_one(tracked.life.submission(), view, view, record) {
            Ok(()) => {}
            // Given under a registry of people that is still on its way.
            Err(problem) if problem.code == Code::ApprovalsMissing => return Ok(Taken::Early),
            Err(problem) => return Err(problem),
        }
        self.write(
            tracked,
            Fact::ApprovalSeen {
                job,
                record: SignedRecord::from(record),
            },
        )?;
        self.settle(live, &job)?;
        Ok(Taken::New)
    }

    pub(super) fn take_report(&self, live: &mut Live, record: &Record) -> Result<Taken, Problem> {
        let report: Report = record.open_pinned(Kind::Report, &live.view)?;
        let job = report.job;
        let Some(tracked) = live.tracked.get_mut(&job) else {
            return Ok(Taken::Early);
        };
        if !tracked
            .life
            .submission()
            .seal
            .parties
            .contains_key(&record.org)
        {
            return Err(record.refused(format!("{} takes no part in {}", record.org, job.short())));
        }
        if report.step == Step::Cancelled && *tracked.life.asker() != record.org {
            return Err(record.refused("only the asker can cancel a job"));
        }
        let from_party = tracked
            .life
            .heard()
            .iter()
            .filter(|(org, _)| *org == record.org);
        let mut heard = from_party.map(|(_, heard)| heard);
        if heard
            .clone()
            .any(|heard| (heard.attempt, heard.step) == (report.attempt, report.step))
        {
            return Ok(Taken::Known);
        }
        if heard.by_ref().count() >= REPORTS_PER_PARTY_MAX {
            return Err(record.refused(format!(
                "{} has sent enough reports about {}",
                record.org,
                job.short()
            )));
        }
        self.write(
            tracked,
            Fact::ReportSeen {
                job,
                record: SignedRecord::from(record),
            },
        )?;
        if let Some(granted) = tracked
            .granted
            .as_ref()
            .filter(|_| report.step == Step::Cancelled)
        {
            granted.stop(&cancelled(&job, &record.org));
        }
        self.settle(live, &job)?;
        Ok(Taken::New)
    }
}

/// Whether a registry that was refused is only an older one of the same organisation.
fn is_stale(record: &Record, root_key: &PublicKey, version: u64) -> bool {
    let older: Result<Registry, _> = record.open(Kind::Registry, *root_key);
    older.is_ok_and(|older| older.org == record.org && older.version < version)
}

fn stranger(org: &OrgName) -> Problem {
    let what = format!("{org} is not linked with this node");
    Problem::here(
        Code::PartnerUnknown,
        what,
        format!("link it first: `entente invite {org}`"),
    )
}
