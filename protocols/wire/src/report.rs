//! What a node tells the coordinator and its partners about a job's life. Never a row, an id, a share or a result.

use crate::problem::Problem;
use crate::seal::JobHash;
use serde::{Deserialize, Serialize};

/// One step in a job's life, as one node saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `H`.
    pub job: JobHash,
    /// 0 before the first run; then the run's attempt.
    pub attempt: u32,
    /// Which step.
    pub step: Step,
    /// Why, where something went wrong.
    pub problem: Option<Problem>,
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
