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
