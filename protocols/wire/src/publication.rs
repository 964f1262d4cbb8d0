//! What a node tells its partners about one dataset: schema, policy and a rounded size. Never data.

use crate::canonical::Digest;
use crate::names::{ColumnName, OrgName};
use crate::policy::Policy;
use crate::tags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A published dataset. A partner plans against this; `H` covers its policy and schema digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// Whose.
    pub org: OrgName,
    /// Grows with each publication of this dataset.
    pub version: u64,
    /// Verbs, domains, caps, thresholds, quorum.
    pub policy: Policy,
    /// Types of the published columns only.
    pub schema: Schema,
    /// Consenting usable ids, rounded up to the policy's `set_grid`.
    pub ids_rounded: u64,
}

impl Publication {
    /// The digest of the policy, as it stands in `H`.
    pub fn policy_digest(&self) -> Digest {
        Digest::of_document(tags::POLICY, &self.policy)
    }

    /// The digest of the schema, as it stands in `H`.
    pub fn schema_digest(&self) -> Digest {
        Digest::of_document(tags::SCHEMA, &self.schema)
    }
}

/// Column types of a dataset, published columns only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(pub BTreeMap<ColumnName, ColumnType>);

/// The types the question language knows; a node maps its files' types onto these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Characters.
    Text,
    /// Whole numbers that fit 64 bits.
    Integer,
    /// Any other number.
    Decimal,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment.
    Timestamp,
}
