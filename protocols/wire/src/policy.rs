//! What an organisation allows with one dataset: one TOML file, deny by default, six verbs.

use crate::names::{ColumnName, DatasetName, OrgName, Role};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a partner's question may do with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Join on this id, and count matches (`COUNT(*)`).
    Match,
    /// Stand in GROUP BY.
    Group,
    /// Stand in COUNT(column).
    Count,
    /// Stand in any other aggregate.
    Sum,
    /// Stand in WHERE and in the conditions of CASE.
    Filter,
    /// On an id: the partner may learn which of its own ids are here.
    Reveal,
}

/// How an id column is written, and so how it is normalised before it is compared (node: `data/ids`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum IdKind {
    /// A phone number; the country code is the one that numbers without one are taken to have. Written `e164(+86)`.
    E164 {
        /// Digits without the plus.
        country_code: String,
    },
    /// An e-mail address. Written `email`.
    Email,
    /// A Chinese resident identity number with its check digit. Written `cn-id`.
    CnId,
    /// Compared as it stands, after trimming white space. Written `raw`.
    Raw,
}

impl IdKind {
    /// Two id columns can be joined when their families are equal: `e164(+86)` and `e164(+852)` both give E.164 numbers.
    pub fn family(&self) -> &'static str {
        match self {
            Self::E164 { .. } => "e164",
            Self::Email => "email",
            Self::CnId => "cn-id",
            Self::Raw => "raw",
        }
    }
}

impl From<IdKind> for String {
    fn from(kind: IdKind) -> String {
        match kind {
            IdKind::E164 { country_code } => format!("e164(+{country_code})"),
            other => other.family().to_owned(),
        }
    }
}

impl TryFrom<String> for IdKind {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let country_code = text
            .strip_prefix("e164(+")
            .and_then(|rest| rest.strip_suffix(')'));
        match (text.as_str(), country_code) {
            ("email", _) => Ok(Self::Email),
            ("cn-id", _) => Ok(Self::CnId),
            ("raw", _) => Ok(Self::Raw),
            (_, Some(code))
                if (1..=3).contains(&code.len())
                    && code.bytes().all(|b| b.is_ascii_digit())
                    && !code.starts_with('0') =>
            {
                Ok(Self::E164 {
                    country_code: code.to_owned(),
                })
            }
            _ => Err("an id kind is one of e164(+CC), email, cn-id, raw"),
        }
    }
}

/// A privacy loss in millionths: 1.0 is 1_000_000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epsilon(pub u64);

/// A checked policy for one dataset. Made from TOML by [`Policy::from_toml`], which refuses unknown fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
