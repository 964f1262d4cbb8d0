//! Approvals: people sign `H`, their node counts the quorum and signs too, and all parties' node approvals, checked against
//! pinned keys, make a [`VerifiedApproval`], without which no dataset can be opened.

use crate::canonical::Digest;
use crate::names::{OrgName, PersonName};
use crate::seal::JobHash;
use crate::sign::Signature;
use serde::{Deserialize, Serialize};

/// One person's word on a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonDecision {
    /// `H`.
    pub job: JobHash,
    /// For which organisation.
    pub org: OrgName,
    /// Who.
    pub person: PersonName,
    /// Yes or no.
    pub verdict: Verdict,
    /// In words; required for a denial.
    pub reason: String,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No; final for the job.
    Deny,
}

/// A person's decision with the person's signature over its canonical bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDecision {
    /// What was signed.
    pub decision: PersonDecision,
    /// By the person's own key.
    pub signature: Signature,
}

/// A node's approval: its people's, plus its own place in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeApproval {
    /// `H`.
    pub job: JobHash,
    /// Which organisation approves.
    pub org: OrgName,
    /// Version of the registry that the people and the node key stand in.
    pub registry_version: u64,
    /// Grows with each approval this node gives.
    pub counter: u64,
    /// Head of this node's journal just before.
    pub journal_head: Digest,
    /// The people's decisions, in the order given.
    pub decisions: Vec<SignedDecision>,
}
