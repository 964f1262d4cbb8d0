//! What an organisation allows with one dataset: one TOML file, deny by default, six verbs.
//!
//! The file is read by [`Policy::from_toml`] at its owner's node; partners plan against the canonical form that the node
//! publishes and signs. Both ways in hold the same rules.

mod epsilon;
pub(crate) mod file;
mod id_kind;
pub(crate) mod rules;
#[cfg(test)]
mod tests;
mod verb;

pub use epsilon::Epsilon;
pub use id_kind::{IdKind, NoSuchIdKind};
pub use verb::{NoSuchVerb, Verb};

use crate::flaw::checked;
use crate::names::{ColumnName, DatasetName, OrgName, Role};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A checked policy for one dataset. Made from TOML by [`Policy::from_toml`], which refuses unknown fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Policy {
    /// The dataset it speaks of.
    pub dataset: DatasetName,
    /// Rows where this column is not true never enter a job. `None` only where the file says `consent = "not-needed"`.
    pub consent: Option<ColumnName>,
    /// Smallest group that is shown, in ids.
    pub min_group: u64,
    /// Smallest list that may be matched, in ids.
    pub min_set: u64,
    /// What may be spent.
    pub budget: Budget,
    /// Who has to approve a job.
    pub approvers: Quorum,
    /// Published sizes are rounded up to a multiple of this.
    pub set_grid: u64,
    /// Whether every released table must carry noise.
    pub noise: Noise,
    /// Which of several rows of one id counts: the one with the largest value here.
    pub latest: Option<ColumnName>,
    /// What each column may be used for. A column that is not here is not published.
    pub columns: BTreeMap<ColumnName, ColumnPolicy>,
}

checked!(Policy);

impl Policy {
    /// Whether `org` may use `column` for `verb`. What is not granted by name is denied; a column that the policy does not
    /// list grants nothing. The dataset's own organisation needs no grant: its own approvers answer for its questions.
    pub fn allows(&self, column: &ColumnName, verb: Verb, org: &OrgName) -> bool {
        self.columns
            .get(column)
            .is_some_and(|column| column.grants(verb, org))
    }
}

/// What may be spent on a dataset for one partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Total privacy loss in any 365 days.
    pub epsilon_per_year: Epsilon,
    /// Job runs in any 30 days.
    pub jobs_per_30d: u64,
}

/// How many approvals are needed, and from which roles: `need` different people, whose roles are all in `of` and differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// How many different roles have to approve.
    pub need: u32,
    /// Roles whose approval counts.
    pub of: BTreeSet<Role>,
}

/// Whether results over this dataset may be released without noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Noise {
    /// Every table carries noise.
    Required,
    /// A job may say `epsilon: none` if every party's policy has this.
    Optional,
}

/// What one column may be used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnPolicy {
    /// If the column holds ids: how they are written.
    pub id: Option<IdKind>,
    /// Which partners may use the column for what.
    pub may: BTreeMap<Verb, BTreeSet<OrgName>>,
    /// The public list of values of a group column; a group's code is its place in this list.
    pub domain: Option<Vec<String>>,
    /// Values are capped to this range, in units of 10^-scale.
    pub clip: Option<[i64; 2]>,
    /// Decimals kept.
    pub scale: Option<u8>,
    /// May be null. A nullable group column has one more cell, the last.
    pub nullable: bool,
}

impl ColumnPolicy {
    /// Whether this column is granted to `org` for `verb`.
    pub fn grants(&self, verb: Verb, org: &OrgName) -> bool {
        self.may.get(&verb).is_some_and(|orgs| orgs.contains(org))
    }
}
