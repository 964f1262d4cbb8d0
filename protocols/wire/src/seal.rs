//! `H`, the job hash: everything that people approve, in one digest. A change to any part at any party voids it.

use crate::canonical::Digest;
use crate::hexadecimal::hexadecimal;
use crate::names::{DatasetName, OrgName};
use crate::tags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What `H` is taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Digest of the canonical job.
    pub job: Digest,
    /// Chosen by the asker; makes two submissions of one text two jobs.
    pub nonce: JobNonce,
    /// Who asks.
    pub asker: OrgName,
    /// [`crate::plan::PLAN_VERSION`].
    pub plan_version: u32,
    /// Digest of the plan.
    pub plan: Digest,
    /// Protocol and parameters.
    pub protocol: Protocol,
    /// Each party's dataset, policy and schema.
    pub parties: BTreeMap<OrgName, PartySeal>,
    /// Digest of the leakage statement.
    pub leakage: Digest,
}

/// What of one party `H` covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartySeal {
    /// The dataset used.
    pub dataset: DatasetName,
    /// Digest of its policy.
    pub policy: Digest,
    /// Digest of its schema.
    pub schema: Digest,
    /// Its published, rounded size.
    pub ids_rounded: u64,
}

/// A protocol and its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Protocol {
    /// protocols.md §6.
    Ecdh {
        /// `ristretto255`.
        profile: String,
    },
}

hexadecimal! {
    /// 16 random bytes of the asker, written as 32 hexadecimal digits.
    JobNonce, 16
}

/// The job hash `H`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobHash(pub Digest);

impl Seal {
    /// `H`.
    pub fn hash(&self) -> JobHash {
        JobHash(Digest::of_document(tags::SEAL, self))
    }
}

impl JobHash {
    /// What people call the job: `J-` and the first eight hexadecimal digits in upper case.
    pub fn short(&self) -> String {
        format!("J-{}", hex::encode_upper(&self.0.0[..4]))
    }
}

impl fmt::Display for JobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl fmt::Debug for JobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
