//! How a job ends at this node: by its own session or round, or by what others report.

use super::{End, Life, told};
use crate::ledger::SessionEnd;
use entente_wire::names::OrgName;
use entente_wire::report::{Report, Step};
use entente_wire::seal::Protocol;
use std::collections::BTreeSet;

impl Life {
    pub(super) fn session_ended(&mut self, attempt: u32, end: &SessionEnd) {
        if let Some(session) = self.sessions.get_mut(&attempt) {
            session.end = Some(end.clone());
        }
        match end {
            SessionEnd::Closed { .. } => {
                self.owe(attempt, Step::Done, None);
                self.finish(End::Done);
            }
            SessionEnd::Summed { .. } if self.reads() => {
                self.owe(attempt, Step::Done, None);
                self.finish(End::Done);
            }
            // Whether there is a table, its reader tells: the coordinator's word is none.
            SessionEnd::Summed { .. } => self.as_heard(),
            // A second round could open another sum under the same approvals.
            SessionEnd::Broken { problem } if self.signed && self.reads() => {
                self.fail(problem, Step::Failed);
            }
            SessionEnd::Broken { problem } => {
                if self.signed {
                    // The reader has to know that this node joins no other round.
                    self.owe(attempt, Step::Failed, Some(problem.clone()));
                }
                self.as_heard();
            }
        }
    }

    /// What reports of others end, while no session of this node's own is on: its end carries proof of what was exchanged, a report does
    /// not.
    pub(super) fn as_heard(&mut self) {
        if self.session_on().is_some() {
            return;
        }
        if self.is_aggregation()
            && self
                .heard
                .iter()
                .any(|(org, report)| self.is_done(org, report))
        {
            self.finish(End::Done);
        }
        let ending = self
            .heard
            .iter()
            .find(|(org, report)| self.ends(org, report));
        let Some((org, report)) = ending else { return };
        let problem = told(org, report, &self.own);
        match self.is_aggregation() && self.reads() {
            // All others wait for the reader's word.
            true => self.fail(&problem, Step::Failed),
            false => self.finish(End::Failed(problem)),
        }
    }

    /// An aggregation is over when its reader says so: it alone has the table, and those that were not in the sum hear of it in no other way.
    fn is_done(&self, org: &OrgName, report: &Report) -> bool {
        report.step == Step::Done && self.submission.job.results_to.contains(org)
    }

    /// Whether a report ends the job here. In an aggregation a party that failed is one that is not there: the reader goes on while enough are
    /// left, and the others for as long as the reader does.
    fn ends(&self, org: &OrgName, report: &Report) -> bool {
        match report.step {
            Step::Declined | Step::Denied => true,
            Step::Failed if !self.is_aggregation() => true,
            Step::Failed if self.reads() => self.are_too_few(),
            Step::Failed => self.submission.job.results_to.contains(org),
            Step::Running | Step::Done | Step::Cancelled => false,
        }
    }

    fn are_too_few(&self) -> bool {
        let failed = self
            .heard
            .iter()
            .filter(|(_, report)| report.step == Step::Failed);
        let failed: BTreeSet<&OrgName> = failed.map(|(org, _)| org).collect();
        let seal = &self.submission.seal;
        let least = match &seal.protocol {
            Protocol::Aggregate(terms) => terms.survivors_min as usize,
            _ => seal.parties.len(),
        };
        seal.parties.len() - failed.len() < least
    }

    /// Whether this organisation reads the result.
    fn reads(&self) -> bool {
        self.submission.job.results_to.contains(&self.own)
    }
}
