//! A job on its way to the parties: its canonical text and the seal. Every node derives the seal again from its own view.

use crate::job::Job;
use crate::people::Pins;
use crate::problem::Problem;
use crate::seal::{JobHash, Seal};
use crate::sign::{Kind, Record};
use serde::{Deserialize, Serialize};

/// What the asker's node signs and sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The job.
    pub job: Job,
    /// What the asker derived; a node whose own derivation differs declines and says in which part.
    pub seal: Seal,
}

impl Submission {
    /// The submission in `record`, once the asker's pinned node key signed it and its seal is over its job.
    pub fn open(record: &Record, pins: &dyn Pins) -> Result<Self, Problem> {
        let submission: Self = record.open_pinned(Kind::Submission, pins)?;
        if submission.seal.asker != record.org {
            return Err(record.refused(format!("it is asked by {}", submission.seal.asker)));
        }
        if !submission.is_whole() {
            return Err(record.refused("its seal is over another job text"));
        }
        submission.seal.check_parties(&submission.job)?;
        Ok(submission)
    }

    /// `H`.
    pub fn hash(&self) -> JobHash {
        self.seal.hash()
    }

    /// Whether the seal covers exactly this job text.
    pub(crate) fn is_whole(&self) -> bool {
        self.seal.job == self.job.digest()
    }
}
