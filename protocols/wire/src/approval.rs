//! Approvals: people sign `H`, their node counts the quorum and signs too, and all parties' node approvals, checked against
//! pinned keys, make a [`VerifiedApproval`], without which no dataset can be opened.
//!
//! * [`PersonDecision`]: one person's signed word.
//! * [`Ballot`]: one organisation's count of such words against its policy's quorum. The node that collects them and the
//!   partner that checks them count with the same code.
//! * [`NodeApproval`]: a finished ballot, signed by the node.
//! * [`verify()`]: all parties' node approvals together.

mod ballot;
mod decision;
mod verify;

#[cfg(test)]
mod adversary;

pub use ballot::{Ballot, Refusal};
pub use decision::{PersonDecision, SignedDecision, Verdict};
pub use verify::{VerifiedApproval, check_one, verify};

use crate::canonical::Digest;
use crate::flaw::{Flaw, checked, require};
use crate::limits::ROLES_MAX;
use crate::names::OrgName;
use crate::seal::JobHash;
use serde::{Deserialize, Serialize};

/// A node's approval: its people's, plus its own place in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
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

checked!(NodeApproval);

impl NodeApproval {
    /// As many decisions as a quorum can have roles.
    fn check(&self) -> Result<(), Flaw> {
        require(self.decisions.len() <= ROLES_MAX, || {
            let what = format!("there are more than {ROLES_MAX} decisions");
            Flaw::at(["decisions"], what, "send one decision for each role")
        })
    }
}
