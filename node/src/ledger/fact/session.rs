//! Facts of a session of a job, and how sessions and rounds end.

use super::SignedRecord;
use crate::data::Storage;
use entente_wire::canonical::Digest;
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::policy::Epsilon;
use entente_wire::problem::Problem;
use entente_wire::seal::JobHash;
use entente_wire::session::{Opening, Transcript};
use serde::{Deserialize, Serialize};

/// A session of a job that began at this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionOpened {
    /// With whom.
    pub peer: OrgName,
    /// Which of our datasets is used.
    pub dataset: DatasetName,
    /// Which of theirs.
    pub peer_dataset: DatasetName,
    /// What we sign: job, attempt, dataset version, size, commitment.
    pub opening: Opening,
}

/// Privacy loss of one release, spent before its first message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpsilonSpent {
    /// `H`.
    pub job: JobHash,
    /// In which session.
    pub attempt: u32,
    /// With whom.
    pub peer: OrgName,
    /// Which of our datasets is used.
    pub dataset: DatasetName,
    /// Which of theirs.
    pub peer_dataset: DatasetName,
    /// How much, of each of the two.
    pub epsilon: Epsilon,
}

/// How a session of a job ended at this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionEnded {
    /// `H`.
    pub job: JobHash,
    /// Which session.
    pub attempt: u32,
    /// How.
    pub end: SessionEnd,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, on its way to the journal"
)]
pub enum SessionEnd {
    /// Both sides closed and their transcripts agree.
    Closed {
        /// Our transcript.
        own: Transcript,
        /// The partner's, kind `transcript`.
        peer: SignedRecord,
        /// The result, at a party that receives it.
        result: Option<ResultFile>,
        /// Stages with their wall time in milliseconds.
        stages_ms: Vec<(String, u64)>,
    },
    /// The round of an aggregation is over, and its sum open at the recipient.
    Summed {
        /// Parties whose numbers are in the sum.
        survivors: Vec<OrgName>,
        /// The result, at the recipient.
        result: Option<ResultFile>,
        /// Bytes sent to the coordinator in it.
        sent_bytes: u64,
        /// Bytes received from it.
        received_bytes: u64,
        /// Stages with their wall time in milliseconds.
        stages_ms: Vec<(String, u64)>,
    },
    /// It broke off.
    Broken {
        /// Why.
        problem: Problem,
    },
}

/// A released result: what it is, not where the home folder happens to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultFile {
    /// Folder of this job under the home's results.
    pub folder: String,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Rows without the header.
    pub rows: u64,
    /// Groups not shown because they are smaller than allowed.
    pub suppressed_groups: u64,
    /// Types of the columns, in the file's order. None where the result is older than this field.
    #[serde(default)]
    pub types: Vec<Storage>,
}
