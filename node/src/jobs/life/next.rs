//! What a node owes a job now: one decision from what is recorded and what the shell sees.

use super::Life;
use crate::jobs::limits::{ATTEMPTS_MAX, VIEW_SETTLES_MS};
use crate::ledger::SessionEnd;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::report::Report;

/// What the shell sees at the moment of asking.
#[derive(Debug)]
pub(crate) struct Standing<'a> {
    /// Milliseconds since 1970.
    pub(crate) now_ms: u64,
    /// What this node derives from its own view.
    pub(crate) derivation: &'a Derivation,
    /// Whether this organisation's quorum is met by the decisions given.
    pub(crate) quorum_met: bool,
    /// Whether all approvals verify together.
    pub(crate) verified: bool,
    /// Whether a run was handed out for dialling and has not ended.
    pub(crate) granted: bool,
}

/// This node's own derivation of a job against the asker's seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Derivation {
    /// The same `H`.
    Same,
    /// A partner's publication that the seal names is not here, or another one is.
    Waits(Problem),
    /// Another `H`, or none.
    Differs(Problem),
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Sign, record and send this report.
    Report(Report),
    /// Record that the job expired.
    Expire,
    /// Record that this node derived the same `H`.
    Agree,
    /// Record that this node takes no part, or no longer.
    Decline(Problem),
    /// Sign, record and send this node's approval.
    Approve,
    /// Record that the job failed for good.
    Fail(Problem),
    /// Hand out a run to be dialled, or a round to be joined.
    Dial,
}

impl Life {
    /// The next thing this node owes, if any.
    pub(crate) fn next(&self, standing: &Standing<'_>) -> Option<Next> {
        if let Some(report) = self.owed.first() {
            return Some(Next::Report(report.clone()));
        }
        if self.end.is_some() || self.session_on().is_some() {
            return None;
        }
        if self.submission.job.has_expired(standing.now_ms / 1_000) {
            return Some(Next::Expire);
        }
        // Who has signed who is in a sum takes part in no other round, and its word is given; the table's reader tells what became of it.
        if self.signed {
            return None;
        }
        self.on_derivation(standing)
            .or_else(|| self.on_approvals(standing))
    }

    fn on_derivation(&self, standing: &Standing<'_>) -> Option<Next> {
        match standing.derivation {
            Derivation::Same if self.agreed => None,
            Derivation::Same => Some(Next::Agree),
            Derivation::Differs(problem) => Some(Next::Decline(problem.clone())),
            // What was agreed once and no longer holds is void: somebody has published anew since.
            Derivation::Waits(problem) if self.agreed => Some(Next::Decline(problem.clone())),
            Derivation::Waits(problem) => {
                let settled = self.has_settled(standing.now_ms);
                settled.then(|| Next::Decline(problem.clone()))
            }
        }
    }

    /// Whether publications that were under way when the job came have had their time.
    pub(crate) fn has_settled(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.seen_at_ms) >= VIEW_SETTLES_MS
    }

    fn on_approvals(&self, standing: &Standing<'_>) -> Option<Next> {
        if !self.agreed {
            return None;
        }
        if standing.quorum_met && !self.approvals.contains_key(&self.own) {
            return Some(Next::Approve);
        }
        if self.last_attempt() >= ATTEMPTS_MAX {
            return Some(Next::Fail(self.last_problem()));
        }
        // In a join the asker's node dials; to an aggregation each goes by itself.
        let mine = *self.asker() == self.own || self.is_aggregation();
        (mine && self.all_approved() && standing.verified && !standing.granted)
            .then_some(Next::Dial)
    }

    /// Why the last session broke off.
    fn last_problem(&self) -> Problem {
        let end = self
            .sessions
            .values()
            .next_back()
            .and_then(|session| session.end.as_ref());
        match end {
            Some(SessionEnd::Broken { problem }) => problem.clone(),
            _ => Problem::new(
                Code::PartnerSilent,
                Side::Network,
                format!("{ATTEMPTS_MAX} sessions broke off"),
                "look at both nodes' logs, then submit the job again",
            ),
        }
    }
}
