//! What happens in an aggregation (protocols.md §10): the same local query at every party, and the sum of what they give.
//!
//! Each party fills the cells of one table over its own rows and nobody else's; the nodes add the tables up, and one of them sees the
//! sum. Nothing is matched: a person who is known to several parties counts at each.

use super::{GroupKey, Joint, Side, codes};
use crate::names::OrgName;
use serde::{Deserialize, Serialize};

/// One question over the same published columns of many parties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// [`super::PLAN_VERSION`].
    pub version: u32,
    /// Each party's local query, in the order of their names. They differ in the party and in how its ids are called and written, and in
    /// nothing else.
    pub sides: Vec<Side>,
    /// What is added up and shown. Sides in it are 0, which is every party's; its one reader opens the sum.
    pub table: Joint,
    /// Fewest parties whose tables are added up.
    pub min_parties: u32,
    /// Most parties that may collude with each other and the coordinator.
    pub colluders: u32,
}

impl Aggregation {
    /// The side of `org`, if it takes part.
    pub fn side(&self, org: &OrgName) -> Option<&Side> {
        self.sides.iter().find(|side| side.org == *org)
    }

    /// The group keys, the same at every party.
    pub fn groups(&self) -> &[GroupKey] {
        self.sides.first().map_or(&[], |side| &side.groups)
    }

    /// Cells of the table, one for each combination of group codes.
    pub fn cells(&self) -> u64 {
        codes(self.groups())
    }

    /// Numbers of one party's vector: each moment of each cell.
    pub fn words(&self) -> u64 {
        self.cells().saturating_mul(self.table.moments.len() as u64)
    }

    /// Who opens the sum and alone sees it.
    pub fn recipient(&self) -> Option<&OrgName> {
        self.table.readers.iter().next()
    }
}
