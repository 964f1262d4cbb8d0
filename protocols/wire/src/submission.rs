//! A job on its way to the parties: its canonical text and the seal. Every node derives the seal again from its own view.

use crate::job::Job;
use crate::seal::Seal;
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
