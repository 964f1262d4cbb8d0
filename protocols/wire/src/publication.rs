//! What a node tells its partners about one dataset: schema, policy and a rounded size. Never data.
//!
//! The schema lists exactly the columns that the policy lists, so nothing unpublished shows in it and nothing published lacks a
//! type; the size is a multiple of the policy's grid, so it never tells an exact count.

use crate::canonical::{self, Digest};
use crate::flaw::{Flaw, checked, require};
use crate::limits::PUBLICATION_BYTES_MAX;
use crate::names::{ColumnName, OrgName};
use crate::people::Pins;
use crate::policy::{ColumnPolicy, Policy};
use crate::problem::Problem;
use crate::sign::{Kind, Record};
use crate::tags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A published dataset. A partner plans against this; `H` covers its policy and schema digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
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

checked!(Publication);

impl Publication {
    /// The publication in `record`, once the organisation's pinned node key signed it.
    pub fn open(record: &Record, pins: &dyn Pins) -> Result<Self, Problem> {
        let publication: Self = record.open_pinned(Kind::Publication, pins)?;
        if publication.org != record.org {
            return Err(record.refused(format!("it publishes {}'s data", publication.org)));
        }
        Ok(publication)
    }

    /// Whether schema, policy and size fit each other.
    pub fn check(&self) -> Result<(), Flaw> {
        require(self.version > 0, || {
            Flaw::at(["version"], "versions begin with 1", "write 1")
        })?;
        require(
            self.ids_rounded.is_multiple_of(self.policy.set_grid),
            || {
                let what = format!(
                    "the size is no multiple of the grid {}",
                    self.policy.set_grid
                );
                Flaw::at(
                    ["ids_rounded"],
                    what,
                    "round the size up to the policy's set_grid",
                )
            },
        )?;
        if let Some(name) = self
            .schema
            .0
            .keys()
            .find(|name| !self.policy.columns.contains_key(*name))
        {
            let what =
                format!("the schema shows the column {name}, which the policy does not publish");
            return Err(Flaw::at(
                ["schema", &name.0],
                what,
                "publish the types of published columns only",
            ));
        }
        for (name, column) in &self.policy.columns {
            let path = ["policy", "columns", &name.0];
            let Some(kind) = self.schema.0.get(name) else {
                let fix = "take it out of the policy, or add the column to the file";
                return Err(Flaw::at(
                    path,
                    format!("the dataset has no column {name}"),
                    fix,
                ));
            };
            fits(column, *kind).map_err(|flaw| flaw.within(path))?;
        }
        require(
            canonical::to_bytes(self).len() <= PUBLICATION_BYTES_MAX,
            || {
                let what =
                    format!("policy and schema are longer than {PUBLICATION_BYTES_MAX} bytes");
                Flaw::at(
                    ["policy"],
                    what,
                    "shorten the longest domains, or publish fewer columns",
                )
            },
        )
    }

    /// The digest of the policy, as it stands in `H`.
    pub fn policy_digest(&self) -> Digest {
        Digest::of_document(tags::POLICY, &self.policy)
    }

    /// The digest of the schema, as it stands in `H`.
    pub fn schema_digest(&self) -> Digest {
        Digest::of_document(tags::SCHEMA, &self.schema)
    }
}

/// Whether what a policy says of a column can be said of its type.
fn fits(column: &ColumnPolicy, kind: ColumnType) -> Result<(), Flaw> {
    require(
        column.id.is_none() || matches!(kind, ColumnType::Text | ColumnType::Integer),
        || {
            let what = format!("an id is text or a whole number, this column is {kind}");
            Flaw::at(["id"], what, "take `id` from this column")
        },
    )?;
    require(column.clip.is_none() || kind.is_number(), || {
        let what = format!("only numbers are capped, this column is {kind}");
        Flaw::at(["clip"], what, "take `clip` and `scale` from this column")
    })
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

impl ColumnType {
    /// Whether values can be summed.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Integer => "a whole number",
            Self::Decimal => "a decimal number",
            Self::Boolean => "true or false",
            Self::Date => "a date",
            Self::Timestamp => "a timestamp",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{from_bytes, to_bytes};
    use crate::rehearsal::Stage;

    fn good() -> Publication {
        from_bytes(include_bytes!(
            "../../vectors/wire/documents/publication.json"
        ))
        .expect("a good vector")
    }

    fn column(name: &str) -> ColumnName {
        ColumnName(name.to_owned())
    }

    #[test]
    fn schema_and_policy_name_the_same_columns() {
        let mut more = good();
        more.schema.0.insert(column("salary"), ColumnType::Decimal);
        assert!(
            more.check()
                .expect_err("unpublished")
                .what
                .contains("salary")
        );
        let mut fewer = good();
        fewer.schema.0.remove(&column("segment"));
        assert!(
            fewer
                .check()
                .expect_err("untyped")
                .what
                .contains("no column segment")
        );
        assert!(
            from_bytes::<Publication>(&to_bytes(&fewer)).is_err(),
            "on the way in as well"
        );
    }

    #[test]
    fn types_carry_what_the_policy_says_of_them() {
        let mut changed = good();
        changed
            .schema
            .0
            .insert(column("spend_90d"), ColumnType::Text);
        assert!(
            changed
                .check()
                .expect_err("capped text")
                .what
                .contains("only numbers")
        );
        let mut changed = good();
        changed.schema.0.insert(column("mobile"), ColumnType::Date);
        assert_eq!(
            changed.check().expect_err("a date").path,
            ["policy", "columns", "mobile", "id"]
        );
        changed
            .schema
            .0
            .insert(column("mobile"), ColumnType::Integer);
        assert_eq!(changed.check(), Ok(()));
    }

    #[test]
    fn an_exact_size_is_not_published() {
        let mut exact = good();
        exact.ids_rounded = 2_999;
        assert!(exact.check().expect_err("exact").what.contains("grid"));
    }

    #[test]
    fn policy_and_schema_have_digests_of_their_own() {
        let (one, mut other) = (good(), good());
        other.policy.min_group += 1;
        assert_ne!(one.policy_digest(), other.policy_digest());
        assert_eq!(one.schema_digest(), other.schema_digest());
        other
            .schema
            .0
            .insert(column("segment"), ColumnType::Integer);
        assert_ne!(one.schema_digest(), other.schema_digest());
        assert_ne!(one.schema_digest(), one.policy_digest());
    }

    #[test]
    fn a_publication_is_taken_from_its_own_organisation_only() {
        let stage = Stage::default()
            .with_org("north-bank", &[])
            .with_org("river-pay", &[]);
        let [north, river] = ["north-bank", "river-pay"].map(|name| name.parse().expect("a name"));
        let open = |org: &OrgName| {
            let record = Record::sign(&stage.cast(org).node, Kind::Publication, org, &good());
            Publication::open(&record, &stage)
        };
        assert_eq!(open(&river), Ok(good()));
        let problem = open(&north).expect_err("north publishes river's data");
        assert!(
            problem.what.contains("publishes river-pay's data"),
            "{problem}"
        );
    }
}
