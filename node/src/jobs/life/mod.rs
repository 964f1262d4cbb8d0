//! The life of a job at one node, as a pure state machine: facts in, state and next step out. No clock, disk or network.
//!
//! ```text
//! submitted ──agreed──→ awaiting-approvals ──all verified──→ ready ──opened──→ running ──closed──→ done
//!     │                       │                               ↑ ↓                │
//!     └──declined, denied, expired, cancelled, voided─────────┴───── broken ─────┘──3 times, or for good──→ failed
//! ```
//!
//! A life is folded from its facts in the order of the journal, so after a restart it stands exactly where it stood. What has
//! ended stays ended: no later fact, whoever sends it, moves a job out of a final state. [`Life::next`] says what this node
//! owes now; the shell does it, records it, and asks again until nothing is owed.

mod next;
#[cfg(test)]
mod tests;

pub(crate) use next::{Derivation, Next, Standing};

use crate::ledger::{Entry, Fact, SessionEnd, SignedRecord};
use entente_wire::approval::{SignedDecision, Verdict};
use entente_wire::canonical::Digest;
use entente_wire::local::JobState;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::report::{Report, Step};
use entente_wire::seal::JobHash;
use entente_wire::session::Opening;
use entente_wire::sign::{Kind, Record};
use entente_wire::submission::Submission;
use std::collections::BTreeMap;

/// One job at one node.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    /// This organisation.
    own: OrgName,
    job: JobHash,
    submission: Submission,
    record: SignedRecord,
    seen_at_ms: u64,
    agreed: bool,
    decisions: Vec<SignedDecision>,
    approvals: BTreeMap<OrgName, Approved>,
    sessions: BTreeMap<u32, Session>,
    heard: Vec<(OrgName, Report)>,
    sent: Vec<SignedRecord>,
    owed: Vec<Report>,
    end: Option<End>,
}

/// A node approval that was checked when it came.
#[derive(Debug, Clone)]
pub(crate) struct Approved {
    /// When it was recorded here.
    pub(crate) at_ms: u64,
    /// The approval.
    pub(crate) record: SignedRecord,
}

/// A session that began here.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// When.
    pub(crate) opened_at_ms: u64,
    /// The version of our dataset that we signed.
    pub(crate) own_version: Digest,
    /// The version of theirs that the partner signed, once it has.
    pub(crate) partner_version: Option<Digest>,
    /// How it ended, once it has.
    pub(crate) end: Option<SessionEnd>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Both sides closed.
    Done,
    /// Declined, denied, void, or broken for good.
    Failed(Problem),
    /// Taken back by its asker.
    Cancelled,
    /// Too late.
    Expired,
}

impl Life {
    /// Begins with a submission, ours or a verified one. `None` if the record holds none, which a recorded one always does.
    pub(crate) fn begin(own: &OrgName, entry: &Entry) -> Option<Self> {
        let Fact::SubmissionSeen { job, record } = &entry.fact else {
            return None;
        };
        let submission = Record::from(record)
            .read_unverified(Kind::Submission)
            .ok()?;
        Some(Self {
            own: own.clone(),
            job: *job,
            submission,
            record: record.clone(),
            seen_at_ms: entry.at_unix_ms,
            agreed: false,
            decisions: Vec::new(),
            approvals: BTreeMap::new(),
            sessions: BTreeMap::new(),
            heard: Vec::new(),
            sent: Vec::new(),
            owed: Vec::new(),
            end: None,
        })
    }

    /// Takes in the next fact of this job.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::JobAgreed { .. } => self.agreed = true,
            Fact::JobDeclined { problem, .. } => self.fail(problem, Step::Declined),
            Fact::JobFailed { problem, .. } => self.fail(problem, Step::Failed),
            Fact::Decided { signed, .. } => self.decide(signed),
            Fact::ApprovalGiven { record, .. } | Fact::ApprovalSeen { record, .. } => {
                let approved = Approved {
                    at_ms: entry.at_unix_ms,
                    record: record.clone(),
                };
                self.approvals.entry(record.org.clone()).or_insert(approved);
            }
            Fact::ReportSent { record, .. } => self.reported(record),
            Fact::ReportSeen { record, .. } => self.hear(record),
            Fact::SessionOpened(opened) => {
                let session = Session {
                    opened_at_ms: entry.at_unix_ms,
                    own_version: opened.opening.dataset_version,
                    partner_version: None,
                    end: None,
                };
                self.sessions.insert(opened.opening.attempt, session);
                self.owe(opened.opening.attempt, Step::Running, None);
            }
            Fact::SessionAgreed { partner, .. } => self.session_agreed(partner),
            Fact::SessionEnded(ended) => self.session_ended(ended.attempt, &ended.end),
            Fact::JobCancelled { .. } => {
                self.owe(0, Step::Cancelled, None);
                self.finish(End::Cancelled);
            }
            Fact::JobExpired { .. } => self.finish(End::Expired),
            _ => {}
        }
    }

    fn fail(&mut self, problem: &Problem, step: Step) {
        if self.end.is_none() {
            self.owe(self.last_attempt(), step, Some(problem.clone()));
            self.finish(End::Failed(problem.clone()));
        }
    }

    fn decide(&mut self, signed: &SignedDecision) {
        self.decisions.push(signed.clone());
        let decision = &signed.decision;
        if decision.verdict == Verdict::Deny && self.end.is_none() {
            let what = format!(
                "{} at {} denied the job: {}",
                decision.person, decision.org, decision.reason
            );
            let todo = "a denial is final; submit a new job that answers its reason";
            let problem = Problem::here(Code::ApprovalRefused, what, todo);
            self.fail(&problem, Step::Denied);
        }
    }

    fn reported(&mut self, record: &SignedRecord) {
        if let Some(report) = report(record) {
            self.owed
                .retain(|owed| (owed.attempt, owed.step) != (report.attempt, report.step));
        }
        self.sent.push(record.clone());
    }

    fn hear(&mut self, record: &SignedRecord) {
        let Some(report) = report(record) else { return };
        if report.step == Step::Cancelled && record.org == *self.asker() {
            self.finish(End::Cancelled);
        }
        self.heard.push((record.org.clone(), report));
        // While a session is on, its own end decides: it carries proof of what was exchanged, a report does not.
        if self.session_on().is_none() {
            self.fail_as_heard();
        }
    }

    fn fail_as_heard(&mut self) {
        let failed = self.heard.iter().find(|(_, report)| {
            matches!(report.step, Step::Declined | Step::Denied | Step::Failed)
        });
        if let Some((org, report)) = failed {
            let problem = told(org, report, &self.own);
            self.finish(End::Failed(problem));
        }
    }

    fn session_agreed(&mut self, partner: &SignedRecord) {
        let opening = Record::from(partner).read_unverified::<Opening>(Kind::Opening);
        let Ok(opening) = opening else { return };
        if let Some(session) = self.sessions.get_mut(&opening.attempt) {
            session.partner_version = Some(opening.dataset_version);
        }
    }

    fn session_ended(&mut self, attempt: u32, end: &SessionEnd) {
        if let Some(session) = self.sessions.get_mut(&attempt) {
            session.end = Some(end.clone());
        }
        match end {
            SessionEnd::Closed { .. } => {
                self.owe(attempt, Step::Done, None);
                self.finish(End::Done);
            }
            SessionEnd::Broken { .. } => self.fail_as_heard(),
        }
    }

    fn owe(&mut self, attempt: u32, step: Step, problem: Option<Problem>) {
        let problem = problem.map(|problem| problem.for_others());
        self.owed.push(Report {
            job: self.job,
            attempt,
            step,
            problem,
        });
    }

    fn finish(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// Where the job stands. `ready`: all approvals are here and verified together.
    pub(crate) fn state(&self, ready: bool) -> JobState {
        match &self.end {
            Some(End::Done) => JobState::Done,
            Some(End::Failed(_)) => JobState::Failed,
            Some(End::Cancelled) => JobState::Cancelled,
            Some(End::Expired) => JobState::Expired,
            None if self.session_on().is_some() => JobState::Running,
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

    /// The party that is not this organisation.
    pub(crate) fn partner(&self) -> Option<&OrgName> {
        self.submission
            .seal
            .parties
            .keys()
            .find(|org| **org != self.own)
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

fn report(record: &SignedRecord) -> Option<Report> {
    Record::from(record).read_unverified(Kind::Report).ok()
}

/// A partner's reason, as it reads here.
fn told(org: &OrgName, report: &Report, own: &OrgName) -> Problem {
    let side = Side::Partner { org: org.clone() };
    let Some(problem) = &report.problem else {
        let what = format!("{org} ended the job without a reason");
        return Problem::new(Code::PartnerAborted, side, what, "ask the partner");
    };
    problem.clone().told_by(&side, own)
}
