//! What the rest of the node reads off a life.

use super::{Approved, End, Life, Session};
use crate::ledger::{SessionEnd, SignedRecord};
use entente_wire::approval::SignedDecision;
use entente_wire::local::JobState;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::report::Report;
use entente_wire::seal::JobHash;
use entente_wire::submission::Submission;
use std::collections::BTreeMap;

impl Life {
    /// Where the job stands. `ready`: all approvals are here and verified together.
    pub(crate) fn state(&self, ready: bool) -> JobState {
        match &self.end {
            Some(End::Done) => JobState::Done,
            Some(End::Failed(_)) => JobState::Failed,
            Some(End::Cancelled) => JobState::Cancelled,
            Some(End::Expired) => JobState::Expired,
            // Whoever has signed a sum waits for its reader's word.
            None if self.session_on().is_some() || self.signed => JobState::Running,
            None if ready => JobState::Ready,
            None if self.agreed => JobState::AwaitingApprovals,
            None => JobState::Submitted,
        }
    }

    /// When it was first seen here.
    pub(crate) fn seen_at_ms(&self) -> u64 {
        self.seen_at_ms
    }

    /// The problem of a job whose time is over.
    pub(crate) fn expired(&self) -> Problem {
        let what = format!("{} has expired", self.job.short());
        let todo = "submit it again with a later `expires`; it has to be approved anew";
        Problem::request(Code::JobExpired, what, todo)
    }

    /// `H`.
    pub(crate) fn job(&self) -> JobHash {
        self.job
    }

    /// Text and seal.
    pub(crate) fn submission(&self) -> &Submission {
        &self.submission
    }

    /// The submission as the asker's node signed it.
    pub(crate) fn record(&self) -> &SignedRecord {
        &self.record
    }

    /// Who asks.
    pub(crate) fn asker(&self) -> &OrgName {
        &self.submission.seal.asker
    }

    /// Whether it is an aggregation of many parties, and not a join of two.
    pub(crate) fn is_aggregation(&self) -> bool {
        self.submission.job.is_aggregation()
    }

    /// In a join, the party that is not this organisation.
    pub(crate) fn partner(&self) -> Option<&OrgName> {
        let mut parties = self.submission.seal.parties.keys();
        parties
            .find(|org| **org != self.own)
            .filter(|_| !self.is_aggregation())
    }

    /// Whether this node derived the same `H`.
    pub(crate) fn is_agreed(&self) -> bool {
        self.agreed
    }

    /// Decisions of this organisation's people, in the order given.
    pub(crate) fn decisions(&self) -> &[SignedDecision] {
        &self.decisions
    }

    /// Node approvals so far.
    pub(crate) fn approvals(&self) -> &BTreeMap<OrgName, Approved> {
        &self.approvals
    }

    /// Whether every party's node has approved.
    pub(crate) fn all_approved(&self) -> bool {
        self.submission
            .seal
            .parties
            .keys()
            .all(|org| self.approvals.contains_key(org))
    }

    /// When the last approval came, once all are here.
    pub(crate) fn approved_at_ms(&self) -> Option<u64> {
        let last = self.approvals.values().map(|approved| approved.at_ms).max();
        last.filter(|_| self.all_approved())
    }

    /// The session that is on.
    pub(crate) fn session_on(&self) -> Option<u32> {
        self.sessions
            .iter()
            .find(|(_, session)| session.end.is_none())
            .map(|(attempt, _)| *attempt)
    }

    /// Whether the job's privacy loss is spent: of all rounds of a job at most one sum opens.
    pub(crate) fn has_contributed(&self) -> bool {
        self.contributed
    }

    /// Whether this node has signed who is in a sum, so that its numbers go into no other one of this job.
    pub(crate) fn has_signed(&self) -> bool {
        self.signed
    }

    /// All sessions, by attempt.
    pub(crate) fn sessions(&self) -> &BTreeMap<u32, Session> {
        &self.sessions
    }

    /// The newest attempt; 0 before the first.
    pub(crate) fn last_attempt(&self) -> u32 {
        self.sessions.keys().next_back().copied().unwrap_or(0)
    }

    /// The session that both nodes closed.
    pub(crate) fn closed_session(&self) -> Option<&Session> {
        let closed = |session: &&Session| matches!(session.end, Some(SessionEnd::Closed { .. }));
        self.sessions.values().find(closed)
    }

    /// Reports of the other parties.
    pub(crate) fn heard(&self) -> &[(OrgName, Report)] {
        &self.heard
    }

    /// Reports of this node, as sent.
    pub(crate) fn sent(&self) -> &[SignedRecord] {
        &self.sent
    }

    /// How it ended.
    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }
}
