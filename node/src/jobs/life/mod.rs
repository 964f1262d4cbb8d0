//! The life of a job at one node, as a pure state machine: facts in, state and next step out. No clock, disk or network.
//!
//! ```text
//! submitted ──agreed──→ awaiting-approvals ──all verified──→ ready ──opened──→ running ──closed──→ done
//!     │                       │                               ↑ ↓                │
//!     └──declined, denied, expired, cancelled, voided─────────┴───── broken ─────┘──3 times, or for good──→ failed
//! ```
//!
//! In an aggregation only the reader closes; everybody else who has signed a sum stays in running until the reader's report.
//!
//! A life is folded from its facts in the order of the journal, so after a restart it stands exactly where it stood. What has
//! ended stays ended: no later fact, whoever sends it, moves a job out of a final state. [`Life::next`] says what this node
//! owes now; the shell does it, records it, and asks again until nothing is owed.

mod endings;
mod next;
mod reading;
#[cfg(test)]
mod tests;

pub(crate) use next::{Derivation, Next, Standing};

use crate::ledger::{Entry, Fact, SessionEnd, SignedRecord};
use entente_wire::approval::{SignedDecision, Verdict};
use entente_wire::canonical::Digest;
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
    /// Whether this node's numbers have left it in a round.
    contributed: bool,
    /// Whether this node has signed who is in the sum of a round.
    signed: bool,
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
    /// Both sides closed, or the reader of an aggregation has its table.
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
            contributed: false,
            signed: false,
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
            Fact::RoundBegun(round) => {
                let session = Session {
                    opened_at_ms: entry.at_unix_ms,
                    own_version: round.dataset_version,
                    partner_version: None,
                    end: None,
                };
                self.sessions.insert(round.attempt, session);
                self.owe(round.attempt, Step::Running, None);
            }
            Fact::RoundContributed(_) => self.contributed = true,
            Fact::SurvivorsSigned(_) => self.signed = true,
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
        self.as_heard();
    }

    fn session_agreed(&mut self, partner: &SignedRecord) {
        let opening = Record::from(partner).read_unverified::<Opening>(Kind::Opening);
        let Ok(opening) = opening else { return };
        if let Some(session) = self.sessions.get_mut(&opening.attempt) {
            session.partner_version = Some(opening.dataset_version);
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
