//! What a node tells the coordinator and its partners about a job's life. Never a row, an id, a share or a result.

use crate::flaw::{Flaw, checked, require};
use crate::people::Pins;
use crate::problem::Problem;
use crate::seal::JobHash;
use crate::sign::{Kind, Record};
use serde::{Deserialize, Serialize};

/// One step in a job's life, as one node saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Report {
    /// `H`.
    pub job: JobHash,
    /// 0 before the first run; then the run's attempt.
    pub attempt: u32,
    /// Which step.
    pub step: Step,
    /// Why, where something went wrong; its sides are the reporter's ([`Problem::told_by`] turns them).
    pub problem: Option<Problem>,
}

checked!(Report);

impl Report {
    /// The report in `record`, once the organisation's pinned node key signed it.
    pub fn open(record: &Record, pins: &dyn Pins) -> Result<Self, Problem> {
        record.open_pinned(Kind::Report, pins)
    }

    /// A step that went wrong says why; a run has an attempt.
    pub fn check(&self) -> Result<(), Flaw> {
        require(self.problem.is_some() || !self.step.went_wrong(), || {
            Flaw::at(
                ["problem"],
                "a step that went wrong gives no reason",
                "say why",
            )
        })?;
        let ran = matches!(self.step, Step::Running | Step::Done);
        require(self.attempt > 0 || !ran, || {
            Flaw::at(
                ["attempt"],
                "a run has an attempt from 1",
                "write the run's attempt",
            )
        })
    }
}

/// Steps that are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// This node will not take part: its own check refused the job.
    Declined,
    /// One of its people said no.
    Denied,
    /// A session has begun.
    Running,
    /// The run ended well, at both nodes.
    Done,
    /// The run ended in a fault that will not be retried.
    Failed,
    /// The asker took the job back.
    Cancelled,
}

impl Step {
    /// Whether the job ends here for a reason that people have to read.
    pub fn went_wrong(self) -> bool {
        matches!(self, Self::Declined | Self::Denied | Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{Digest, from_bytes, to_bytes};
    use crate::problem::Code;
    use crate::rehearsal::{Stage, signer};

    fn report(step: Step, attempt: u32, problem: bool) -> Report {
        Report {
            job: JobHash(Digest([1; 32])),
            attempt,
            step,
            problem: problem.then(|| Problem::here(Code::Disk, "full", "free some")),
        }
    }

    #[test]
    fn what_went_wrong_gives_a_reason_and_what_ran_an_attempt() {
        for (step, attempt, problem, valid) in [
            (Step::Declined, 0, true, true),
            (Step::Declined, 0, false, false),
            (Step::Denied, 0, false, false),
            (Step::Failed, 2, false, false),
            (Step::Failed, 2, true, true),
            (Step::Running, 1, false, true),
            (Step::Running, 0, false, false),
            (Step::Done, 0, false, false),
            (Step::Done, 3, false, true),
            (Step::Cancelled, 0, false, true),
        ] {
            let report = report(step, attempt, problem);
            assert_eq!(report.check().is_ok(), valid, "{report:?}");
            assert_eq!(from_bytes::<Report>(&to_bytes(&report)).is_ok(), valid);
        }
    }

    #[test]
    fn a_report_is_taken_from_its_own_node_only() {
        let stage = Stage::default().with_org("river-pay", &[]);
        let river = "river-pay".parse().expect("a name");
        let done = report(Step::Done, 1, false);
        let sign = |signer: &_, org| Record::sign(signer, Kind::Report, org, &done);
        assert_eq!(
            Report::open(&sign(&stage.cast(&river).node, &river), &stage),
            Ok(done.clone())
        );
        let forged = Report::open(&sign(&signer("stranger"), &river), &stage).expect_err("forged");
        assert_eq!(forged.code, Code::RecordRefused);
        let nobody = "nobody".parse().expect("a name");
        let unknown =
            Report::open(&sign(&stage.cast(&river).node, &nobody), &stage).expect_err("unknown");
        assert_eq!(unknown.code, Code::PartnerUnknown);
    }
}
