//! The inbox: jobs that wait for this organisation's people, their signed decisions, and this node's approval.
//!
//! A decision is counted by the same [`Ballot`] that every partner checks it with. When the policy's quorum is met the node
//! signs too, with a counter and its journal's head, and both are on disk before the record leaves.

use super::view::View;
use super::{Core, Jobs, Tracked};
use crate::jobs::life::Life;
use crate::ledger::{Entry, Fact, SignedRecord};
use entente_wire::approval::{Ballot, NodeApproval, SignedDecision, Verdict};
use entente_wire::local::{InboxItem, JobState, JobView};
use entente_wire::people::Pins;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::sign::{Kind, Record};
use entente_wire::sql::Catalog;

impl Jobs {
    /// Jobs that this organisation's people can decide on, oldest first.
    pub fn inbox(&self) -> Vec<InboxItem> {
        let live = self.core.live();
        let mut waiting: Vec<&Tracked> = live
            .tracked
            .values()
            .filter(|tracked| self.core.is_undecided(tracked))
            .collect();
        waiting.sort_by_key(|tracked| tracked.life.seen_at_ms());
        let items = waiting.into_iter().filter_map(|tracked| {
            let derived = tracked.derived.as_ref()?;
            let decisions = tracked.life.decisions().iter();
            Some(InboxItem {
                job: self.core.view_of(tracked),
                submission: tracked.life.submission().clone(),
                statement: derived.statement.clone(),
                decided: decisions
                    .map(|signed| signed.decision.person.clone())
                    .collect(),
            })
        });
        items.collect()
    }

    /// Takes one person's decision: the canonical bytes that the person signed, and the signature.
    pub fn decide(&self, body: &[u8], signature: &[u8]) -> Result<JobView, Problem> {
        let signed = SignedDecision::from_parts(body, signature).map_err(|error| {
            let what = format!("the decision cannot be read: {error}");
            Problem::request(
                Code::ApprovalRefused,
                what,
                "decide with `entente approve` or `entente deny`",
            )
        })?;
        let mut live = self.core.live();
        let job = signed.decision.job;
        let super::Live { view, tracked, .. } = &mut *live;
        let tracked = tracked
            .get_mut(&job)
            .ok_or_else(|| super::unknown(&job.short()))?;
        if tracked.life.decisions().contains(&signed) {
            return Ok(self.core.view_of(tracked));
        }
        self.core.admit_decision(view, tracked, &signed)?;
        self.core.write(tracked, Fact::Decided { job, signed })?;
        self.core.settle(&mut live, &job)?;
        Ok(self.core.view_of(live.get(&job)?))
    }
}

impl Core {
    /// Whether people here still have a say: agreed, not ended, our node has not approved.
    fn is_undecided(&self, tracked: &Tracked) -> bool {
        let life = &tracked.life;
        life.is_agreed() && life.end().is_none() && !life.approvals().contains_key(&self.own)
    }

    fn admit_decision(
        &self,
        view: &View,
        tracked: &Tracked,
        signed: &SignedDecision,
    ) -> Result<(), Problem> {
        let life = &tracked.life;
        let (job, state) = (life.job(), life.state(tracked.approval.is_some()));
        if life.submission().job.has_expired(self.now_ms() / 1_000) {
            return Err(life.expired());
        }
        let open = match (signed.decision.verdict, state) {
            (_, JobState::AwaitingApprovals) => true,
            // A word against the job counts until its data is read.
            (Verdict::Deny, JobState::Ready) => true,
            _ => false,
        };
        if !open {
            let what = format!(
                "{} is {}, so nothing can be decided",
                job.short(),
                in_words(state)
            );
            let todo = "see `entente inbox` for the jobs that wait for a decision";
            return Err(Problem::request(Code::JobState, what, todo));
        }
        let side = || Side::Request;
        let mut ballot = self.ballot(view, life).ok_or_else(|| {
            let what = format!(
                "nobody is registered at {} to decide on {}",
                self.own,
                job.short()
            );
            Problem::here(
                Code::PersonUnknown,
                what,
                "register people: `entente people add NAME --role ROLE --key KEY`",
            )
        })?;
        ballot
            .add(signed.clone())
            .map_err(|refusal| refusal.into_problem(side()))
    }

    /// Decisions so far, counted. One that no longer counts (the person was removed) is left out.
    fn ballot<'a>(&self, view: &'a View, life: &Life) -> Option<Ballot<'a>> {
        let sealed = life.submission().seal.parties.get(&self.own)?;
        let publication = view.publication(&self.own, &sealed.dataset)?;
        let registry = view.registry(&self.own)?;
        let mut ballot = Ballot::new(life.job(), &publication.policy.approvers, registry);
        for signed in life.decisions() {
            // Refusals were told to the person when the decision was given.
            let _ = ballot.add(signed.clone());
        }
        Some(ballot)
    }

    /// Whether this organisation's quorum is met.
    pub(super) fn quorum_met(&self, view: &View, life: &Life) -> bool {
        self.ballot(view, life)
            .is_some_and(|ballot| ballot.is_met())
    }

    /// How many roles are missing here, and which could still approve.
    pub(super) fn missing_here(
        &self,
        view: &View,
        life: &Life,
    ) -> Option<(u32, Vec<entente_wire::names::Role>)> {
        let ballot = self.ballot(view, life)?;
        Some((ballot.missing(), ballot.open_roles()))
    }

    /// Signs and records this node's approval, then sends it.
    pub(super) fn approve(&self, view: &View, tracked: &mut Tracked) -> Result<(), Problem> {
        let job = tracked.life.job();
        let counted = self
            .ballot(view, &tracked.life)
            .map(|ballot| ballot.decisions().to_vec());
        let registry_version = view.registry(&self.own).map(|registry| registry.version);
        let (Some(decisions), Some(registry_version)) = (counted, registry_version) else {
            let what = format!(
                "{} was to be approved without a registry of people",
                job.short()
            );
            return Err(Problem::here(
                Code::Defect,
                what,
                "report this with the node's log",
            ));
        };
        let at_unix_ms = self.now_ms();
        let (_, fact) = self.ledger.record_after(at_unix_ms, |head, given| {
            let approval = NodeApproval {
                job,
                org: self.own.clone(),
                registry_version,
                counter: given.saturating_add(1),
                journal_head: head.digest,
                decisions,
            };
            let record = Record::sign(&self.node_key, Kind::Approval, &self.own, &approval);
            Fact::ApprovalGiven {
                job,
                record: SignedRecord::from(&record),
            }
        })?;
        if let Fact::ApprovalGiven { record, .. } = &fact {
            self.post(Record::from(record));
        }
        tracked.life.apply(&Entry { at_unix_ms, fact });
        Ok(())
    }
}

/// A state as a sentence has it.
pub(super) fn in_words(state: JobState) -> &'static str {
    match state {
        JobState::Submitted => "still being checked by this node",
        JobState::AwaitingApprovals => "waiting for approvals",
        JobState::Ready => "approved and ready to run",
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
        JobState::Expired => "expired",
    }
}
