//! A plan: one local query a party, one joint operator, and how the answer is laid out. Made by [`crate::sql`] from the job's
//! text and the published policies and nothing else, so the same bytes give the same plan at every party.

mod aggregation;
mod joint;
mod noise;

pub use aggregation::Aggregation;
use joint::codes;
pub use joint::{Groups, Joint, MeasureAt, Moment, MomentKind, SideColumn};
pub use noise::{Cap, NoiseScale, NotACap};

use crate::job::SecurityChoice;
use crate::limits::{ECDH_IDS_MAX, VOLE_IDS_MAX};
use crate::names::{ColumnName, DatasetName, OrgName};
use crate::policy::IdKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the planner; a change in any rule that could change a plan raises it.
pub const PLAN_VERSION: u32 = 3;

/// What is going to happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// The two sides, in the order of FROM and JOIN.
    pub sides: [Side; 2],
    /// The joint part.
    pub operator: Operator,
    /// R of the protocol. Of a reveal and what is computed from one: the one party that reads the result, or of two readers the
    /// one that publishes fewer ids. Of the blind join: by published sizes and the place of the groups only, whoever reads.
    pub receiver: OrgName,
    /// How the common ids are found.
    pub matching: Matching,
}

impl Plan {
    /// The side of `org`, if it takes part.
    pub fn side(&self, org: &OrgName) -> Option<&Side> {
        self.sides.iter().find(|side| side.org == *org)
    }

    /// The side that is not `org`'s, if `org` takes part.
    pub fn other_side(&self, org: &OrgName) -> Option<&Side> {
        self.side(org)?;
        self.sides.iter().find(|side| side.org != *org)
    }

    /// Whoever reads a result, in the order of their names.
    pub fn recipients(&self) -> Vec<&OrgName> {
        match &self.operator {
            Operator::Reveal { readers, .. } => readers.keys().collect(),
            Operator::Overlap { .. } | Operator::Table { .. } => vec![&self.receiver],
            Operator::Joint(joint) => joint.readers.iter().collect(),
        }
    }

    /// Whether both parties read rows of their own, so that R returns the matched tags to S.
    pub fn is_mutual(&self) -> bool {
        self.operator.is_mutual()
    }

    /// The groups of both roles.
    pub fn groups(&self) -> Groups {
        let [first, second] = &self.sides;
        match first.org == self.receiver {
            true => Groups::of(&first.groups, &second.groups),
            false => Groups::of(&second.groups, &first.groups),
        }
    }
}

/// How the common ids are found; [`crate::sql`] decides it once, from the operator and the job's `protect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Matching {
    /// ECDH-PSI (protocols.md §6), semi-honest, in one piece.
    Ecdh,
    /// VOLE-PSI (protocols.md §5), in buckets.
    Vole {
        /// Which cheating it withstands.
        security: SecurityChoice,
    },
    /// The blind join (protocols.md §7), semi-honest, in buckets: nobody learns which ids are common.
    Blind,
}

impl Matching {
    /// Most ids of one side.
    pub fn ids_max(self) -> u64 {
        match self {
            Self::Ecdh => ECDH_IDS_MAX,
            Self::Vole { .. } | Self::Blind => VOLE_IDS_MAX,
        }
    }
}

/// One party's local query: everything that touches only its own columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Whose.
    pub org: OrgName,
    /// Over which dataset.
    pub dataset: DatasetName,
    /// Set where FROM holds a subquery that collapses an event table to one row an id.
    pub derived: Option<Derived>,
    /// The id column joined on.
    pub id: ColumnName,
    /// How its ids are written.
    pub id_kind: IdKind,
    /// WHERE, as one SQL expression over this dataset's bare, quoted column names.
    pub filter: Option<SqlText>,
    /// Group keys over this party's columns.
    pub groups: Vec<GroupKey>,
    /// Measures over this party's columns.
    pub measures: Vec<Measure>,
}

/// An event table collapsed in the question: aggregates over all rows of one id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// WHERE inside the subquery.
    pub filter: Option<SqlText>,
    /// Aggregates and their names, which the outer question uses as columns.
    pub columns: Vec<NamedExpression>,
}

/// A SQL expression in the planner's canonical text: quoted identifiers, upper-case keywords, versioned functions only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SqlText(pub String);

/// An expression and the name of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedExpression {
    /// Name.
    pub name: ColumnName,
    /// Expression.
    pub sql: SqlText,
}

/// A GROUP BY key with its public domain. A row's code is the place of its value in the domain; NULL has the code after the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupKey {
    /// Output name.
    pub name: ColumnName,
    /// Expression that gives text, to be looked up in the domain. Integers, booleans and dates are cast to text in it.
    pub sql: SqlText,
    /// All values, in the order of their codes.
    pub domain: Vec<String>,
    /// Has one more code, for NULL.
    pub nullable: bool,
}

/// A number per row: DECIMAL(38, scale), half away from zero, then clipped, then an integer. Under `COUNT(x)` it is 1 where x
/// has a value and NULL elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Expression.
    pub sql: SqlText,
    /// Cap, in units of 10^-scale.
    pub clip: [i64; 2],
    /// Decimals kept.
    pub scale: u8,
}

impl Measure {
    /// The largest absolute value, in units of 10^-scale.
    pub fn cap(&self) -> u64 {
        let [low, high] = self.clip;
        low.unsigned_abs().max(high.unsigned_abs())
    }
}

/// The joint part of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Operator {
    /// `SELECT a.*` or `SELECT a.*, b.*`: each reader learns which of its own ids are at the other party, and gets its own rows
    /// for them.
    Reveal {
        /// What each party that reads gets, one or both; every reader has a file of its own.
        readers: BTreeMap<OrgName, OwnRows>,
        /// How each file is displayed; without an order where both read.
        display: Display,
    },
    /// Aggregates over both parties' columns for the common ids, which neither learns: the blind join.
    Joint(Joint),
    /// `COUNT(*)` without groups by ECDH-PSI: the receiver learns how many ids both hold.
    Overlap {
        /// Output name.
        name: ColumnName,
        /// Not shown when smaller.
        min_group: u64,
    },
    /// A table over the receiver's own columns for the ids that matched, computed by the receiver after a reveal.
    Table {
        /// Output columns in the order of SELECT.
        columns: Vec<TableColumn>,
        /// Cells with fewer ids are suppressed.
        min_group: u64,
        /// How it is displayed.
        display: Display,
    },
}

impl Operator {
    /// Whether both parties read rows of their own.
    pub fn is_mutual(&self) -> bool {
        matches!(self, Self::Reveal { readers, .. } if readers.len() > 1)
    }
}

/// A reader's own rows in the result of a reveal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnRows {
    /// Its columns: as listed, or with `star` all published ones in the order of their names.
    pub columns: Vec<ColumnName>,
    /// Written as `a.*`: its node lays the columns out in its file's order.
    pub star: bool,
}

/// One output column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableColumn {
    /// Output name.
    pub name: ColumnName,
    /// What stands in it.
    pub value: TableValue,
}

/// What stands in an output column. Sides and places index [`Plan::sides`] and that side's `groups` or `measures`.
///
/// NULL adds nothing. Over no value at all AVG and everything below it is NULL; SUM is NULL in a table that its reader computes
/// itself, and 0 in a [`Joint`] one, where whether there was a value is not opened for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TableValue {
    /// A group key.
    Group {
        /// Index into `sides`.
        side: usize,
        /// Index into `groups`.
        place: usize,
    },
    /// `COUNT(*)`.
    CountAll,
    /// `COUNT(x)`: ids with a value.
    Count {
        /// Index into `sides`.
        side: usize,
        /// Index into `measures`.
        place: usize,
    },
    /// `SUM(x)`.
    Sum {
        /// Index into `sides`.
        side: usize,
        /// Index into `measures`.
        place: usize,
    },
    /// `AVG(x)`.
    Avg {
        /// Index into `sides`.
        side: usize,
        /// Index into `measures`.
        place: usize,
    },
    /// `VAR_SAMP(x)`; in a [`Joint`] table only, as is everything below.
    VarSamp {
        /// Index into `sides`.
        side: usize,
        /// Index into `measures`.
        place: usize,
    },
    /// `STDDEV_SAMP(x)`.
    StddevSamp {
        /// Index into `sides`.
        side: usize,
        /// Index into `measures`.
        place: usize,
    },
    /// `CORR(y, x)`; no row that WHERE lets through has a NULL in either.
    Corr {
        /// The dependent variable.
        y: MeasureAt,
        /// The independent variable.
        x: MeasureAt,
    },
    /// `REGR_SLOPE(y, x)`, likewise without NULL.
    RegrSlope {
        /// The dependent variable.
        y: MeasureAt,
        /// The independent variable.
        x: MeasureAt,
    },
    /// `REGR_INTERCEPT(y, x)`, likewise without NULL.
    RegrIntercept {
        /// The dependent variable.
        y: MeasureAt,
        /// The independent variable.
        x: MeasureAt,
    },
}

/// ORDER BY and LIMIT: they only order and cut what is displayed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Display {
    /// Output columns by name, most significant first.
    pub order_by: Vec<OrderKey>,
    /// Most rows shown.
    pub limit: Option<u64>,
}

/// One ORDER BY key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderKey {
    /// Output column.
    pub column: ColumnName,
    /// Largest first.
    pub descending: bool,
}
