//! The part of a seal that says by which protocol and with which parameters a job runs.

use crate::job::SecurityChoice;
use crate::link_speed::LinkSpeed;
use crate::names::OrgName;
use crate::plan::{Aggregation, Groups, Matching, Plan};
use crate::problem::{Code, Problem};
use serde::{Deserialize, Serialize};

/// The profile of ECDH-PSI that this version runs (protocols.md §6).
const ECDH_PROFILE: &str = "ristretto255";

/// A protocol and its parameters: what both nodes have to compute alike before anybody approves. The node makes it from the plan's
/// [`Matching`] and both published sizes; a partner's counts only where it is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Protocol {
    /// protocols.md §6.
    Ecdh {
        /// `ristretto255`.
        profile: String,
    },
    /// protocols.md §5 and §9.
    Vole(VoleTerms),
    /// protocols.md §7 to §9.
    Blind(BlindTerms),
    /// protocols.md §10.
    Aggregate(AggregateTerms),
}

/// The parameters of VOLE-PSI over all buckets of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoleTerms {
    /// Version of the protocol's messages, hashes and order.
    pub version: u32,
    /// Which cheating it withstands.
    pub security: SecurityChoice,
    /// The linear code of the silent VOLE, such as `expand-convolute 7x24`.
    pub code: String,
    /// Noise values of the silent VOLE a chunk (t).
    pub noise: u32,
    /// Buckets that the ids are cut into (β).
    pub buckets: u64,
    /// Ids that each bucket of the receiver is padded to.
    pub receiver_bucket_ids: u32,
    /// Ids that each bucket of the sender is padded to.
    pub sender_bucket_ids: u32,
    /// Elements of 16 bytes of the masked vector that the receiver sends for each bucket.
    pub vector_elements: u32,
    /// Bytes of one tag.
    pub tag_bytes: u32,
    /// Channels that buckets run on side by side.
    pub lanes: u32,
}

/// The parameters of the blind join over all buckets of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlindTerms {
    /// Version of the protocol's messages, hashes and order.
    pub version: u32,
    /// The linear code of the silent VOLE, such as `expand-convolute 7x24`.
    pub code: String,
    /// Noise values of the silent VOLE a chunk (t).
    pub noise: u32,
    /// Buckets that the ids are cut into (β).
    pub buckets: u64,
    /// Ids that each bucket of the receiver is padded to.
    pub receiver_bucket_ids: u32,
    /// Ids that each bucket of the sender is padded to.
    pub sender_bucket_ids: u32,
    /// Bins of the receiver's cuckoo table in each bucket (m).
    pub bins: u32,
    /// Bits that are compared in each bin (ℓ).
    pub equality_bits: u32,
    /// Elements of 16 bytes of the masked vector that the receiver sends for each bucket.
    pub vector_elements: u32,
    /// 64-bit words of one hint.
    pub hint_words: u32,
    /// Combinations of the receiver's group codes.
    pub receiver_groups: u32,
    /// Combinations of the sender's group codes, padded to a power of two.
    pub sender_groups: u32,
    /// How oblivious transfers are made.
    pub transfers: Transfers,
    /// The way to the partner as the asker's node measured it, for which the transfers were chosen; nothing if it was not reached.
    pub link: Option<LinkSpeed>,
    /// Channels that buckets run on side by side.
    pub lanes: u32,
}

/// The parameters of one round of secure aggregation: what the nodes compute from the job alone, and all that the coordinator needs of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregateTerms {
    /// Version of the protocol's messages, hashes and order.
    pub version: u32,
    /// Who opens the sum and alone sees it.
    pub recipient: OrgName,
    /// 64-bit words of one member's vector: its cells times its sums.
    pub words: u32,
    /// Words after those that carry the authenticator of the sum.
    pub tag_words: u32,
    /// Fewest members whose contributions are opened.
    pub survivors_min: u32,
    /// Most members that may collude with each other and the coordinator.
    pub colluders: u32,
    /// Votes for a survivor set that let a member release its shares.
    pub quorum: u32,
    /// Neighbours that each member picks; nothing where everybody is everybody's neighbour.
    pub picks: Option<u32>,
    /// Shares that open a member's secret.
    pub threshold: u32,
    /// Honest survivors, at most, that a coordinator could cut off from the others, but for 2^-43.
    pub isolable: u32,
}

/// How oblivious transfers are made, chosen for the link between the two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transfers {
    /// SoftSpokenOT with 4 bits at a time (protocols.md §2): little to compute, for fast links.
    #[serde(rename = "soft-spoken-4")]
    Fast,
    /// Silent transfers (protocols.md §3 over bits): few bytes, for slow links.
    #[serde(rename = "silent")]
    Silent,
}

impl AggregateTerms {
    /// Honest members at least whose vectors are in an opened sum together.
    pub fn honest_min(&self) -> u32 {
        self.survivors_min
            .saturating_sub(self.colluders)
            .saturating_sub(self.isolable)
    }

    /// How many members' shares of the noise are the whole of it: honest ones, and one fewer, as the recipient knows its own and need not be one of the colluders.
    pub fn noise_parties(&self) -> u32 {
        self.survivors_min
            .saturating_sub(self.colluders.saturating_add(1))
            .saturating_sub(self.isolable)
    }
}

impl Protocol {
    /// ECDH-PSI as this version runs it.
    pub fn ecdh() -> Self {
        Self::Ecdh {
            profile: ECDH_PROFILE.to_owned(),
        }
    }

    /// The link that the asker's node measured to choose the parameters.
    pub fn link(&self) -> Option<LinkSpeed> {
        match self {
            Self::Blind(terms) => terms.link,
            Self::Ecdh { .. } | Self::Vole(_) | Self::Aggregate(_) => None,
        }
    }

    /// Whether this is what the plan says. A node that seals anything else has a defect.
    pub(super) fn check_fit(&self, plan: &Plan) -> Result<(), Problem> {
        let matching = match self {
            Self::Ecdh { .. } => Matching::Ecdh,
            Self::Vole(VoleTerms { security, .. }) => Matching::Vole {
                security: *security,
            },
            Self::Blind(_) => Matching::Blind,
            Self::Aggregate(_) => return Err(not_the_plans()),
        };
        if matching == plan.matching && self.has_groups_of(plan) {
            return Ok(());
        }
        Err(not_the_plans())
    }

    /// Whether this is what an aggregation says, and leaves two honest parties in every sum.
    pub(super) fn check_aggregation(&self, plan: &Aggregation) -> Result<(), Problem> {
        match self {
            Self::Aggregate(terms)
                if Some(&terms.recipient) == plan.recipient()
                    && u64::from(terms.words) == plan.words()
                    && terms.colluders == plan.colluders
                    && terms.survivors_min >= plan.min_parties
                    && terms.survivors_min as usize <= plan.sides.len()
                    && terms.honest_min() >= 2 =>
            {
                Ok(())
            }
            _ => Err(not_the_plans()),
        }
    }

    /// Whether a table of the blind join has the plan's cells.
    fn has_groups_of(&self, plan: &Plan) -> bool {
        let Self::Blind(terms) = self else {
            return true;
        };
        let groups = Groups {
            receiver: terms.receiver_groups.into(),
            sender: terms.sender_groups.into(),
        };
        groups == plan.groups()
    }
}

/// A protocol and a plan that do not go together.
pub(crate) fn not_the_plans() -> Problem {
    Problem::here(
        Code::Defect,
        "the protocol that was to be sealed is not the plan's",
        "report this with both nodes' versions",
    )
}
