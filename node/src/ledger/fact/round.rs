//! Facts of a round of an aggregation: each is on disk before anything that it says leaves this node.

use entente_wire::canonical::Digest;
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::policy::Epsilon;
use entente_wire::seal::JobHash;
use serde::{Deserialize, Serialize};

/// A dataset and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    /// Whose.
    pub org: OrgName,
    /// Which.
    pub dataset: DatasetName,
}

/// Whose data an aggregation uses, and towards whom: what budgets are kept by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uses {
    /// Who opens the sum.
    pub recipient: OrgName,
    /// Which of our datasets is in it; used towards the recipient, unless that is this organisation.
    pub dataset: DatasetName,
    /// Where this organisation is the recipient, all others' datasets.
    pub reads: Vec<Used>,
}

/// A round that began at this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundBegun {
    /// `H`.
    pub job: JobHash,
    /// Its number.
    pub attempt: u32,
    /// The name that every key and signature of the round takes in.
    pub round: Digest,
    /// The version of our dataset that is in it.
    pub dataset_version: Digest,
    /// What is used.
    pub uses: Uses,
}

/// This node's numbers are about to leave it, under masks: from here on others can open a sum with them in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundContributed {
    /// `H`.
    pub job: JobHash,
    /// In which round.
    pub attempt: u32,
    /// Privacy loss, of each dataset that is used; none where an earlier round of the job has spent it.
    pub epsilon: Option<Epsilon>,
    /// What is used.
    pub uses: Uses,
}

/// Who is in the sum, as this node is about to sign it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurvivorsSigned {
    /// `H`.
    pub job: JobHash,
    /// In which round.
    pub attempt: u32,
    /// The parties whose numbers are in it.
    pub survivors: Vec<OrgName>,
    /// SHA-256 of what is signed: the round, what this node saw of it, and the survivors.
    pub signed: Digest,
}
