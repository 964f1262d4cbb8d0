//! The people of an organisation, their roles and keys, and the key of its node: one document, signed by the root key.

use crate::names::{OrgName, PersonName, Role};
use crate::sign::PublicKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everyone who may speak for an organisation. A node keeps the highest `version` it has seen of each partner and never goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// Whose.
    pub org: OrgName,
    /// Grows by one with each change.
    pub version: u64,
    /// Signs the node's statements: publications, submissions, node approvals, reports, openings, transcripts.
    pub node_key: PublicKey,
    /// Who may approve.
    pub people: BTreeMap<PersonName, Person>,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// What the person approves as.
    pub role: Role,
    /// The person's own key, made and kept by that person.
    pub key: PublicKey,
}

/// The keys that a node trusts because its own operators pinned them. The coordinator is never a source.
pub trait Pins {
    /// The newest registry of `org` whose signature verified under the root key pinned for `org`; `None` for a stranger.
    fn registry(&self, org: &OrgName) -> Option<&Registry>;
}
