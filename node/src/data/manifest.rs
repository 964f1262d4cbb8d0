//! What is known of a registered dataset: the part that is signed and may be shown as evidence ([`Manifest`]: counts and
//! hashes, never a row, never a path), and the part that stays in this node ([`Dataset`]: where the file lies and what
//! its columns hold).

use entente_wire::canonical::Digest;
use entente_wire::local::{DatasetReport, IdReport};
use entente_wire::names::{ColumnName, DatasetName};
use entente_wire::policy::{IdKind, Policy};
use entente_wire::publication::{ColumnType, Schema};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Version of the manifest and of the reading rules it stands for (types, null, ids). Raised when the same file would be
/// read differently.
pub const MANIFEST_VERSION: u32 = 1;
/// Domain of a dataset version's digest.
const VERSION_TAG: &str = "entente/1/dataset-version";
/// Domain of a column list's digest.
const COLUMNS_TAG: &str = "entente/1/dataset-columns";

/// A dataset version, as the node signs it (`Kind::Manifest`). Two registrations of the same bytes under the same rules
/// give the same manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`].
    pub version: u32,
    /// Name of the dataset.
    pub dataset: DatasetName,
    /// How the file is written.
    pub format: Format,
    /// Size of the file.
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub blake3: Digest,
    /// Rows, without the header.
    pub rows: u64,
    /// Digest of the column list ([`Dataset::columns`]): names and types of unpublished columns stay here.
    pub columns: Digest,
    /// Version of the id rules ([`super::ids::IDS_VERSION`]).
    pub ids_version: u32,
    /// What became of each id column's rows.
    pub ids: Vec<IdCounts>,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Format {
    /// Text in UTF-8 with a header line and RFC 4180 quotes.
    Csv {
        /// What stands between two fields.
        delimiter: char,
    },
    /// Apache Parquet.
    Parquet,
}

/// Counts of one id column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdCounts {
    /// Which column.
    pub column: ColumnName,
    /// How its ids are written.
    pub kind: IdKind,
    /// Rows with a usable id.
    pub usable_rows: u64,
    /// Rows whose id cannot be used, by reason.
    pub rejected_rows: BTreeMap<String, u64>,
    /// Different usable ids.
    pub distinct_ids: u64,
}

/// A registered dataset in this node. Kept in the journal; never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Where the file lies, absolute.
    pub path: PathBuf,
    /// The part that is signed.
    pub manifest: Manifest,
    /// All columns in file order.
    pub columns: Vec<Column>,
}

/// One column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// As in the header.
    pub name: ColumnName,
    /// How its values are held; from all rows, not from a sample.
    pub storage: Storage,
    /// Rows without a value.
    pub nulls: u64,
    /// Values that are not finite numbers in a column of numbers; values that are not numbers in a column of text.
    pub not_numbers: u64,
}

/// How the values of a column are held while a query runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Storage {
    /// Characters, exactly as in the file. Id columns are always text.
    Text,
    /// Whole numbers that fit 64 bits.
    Integer,
    /// Exact decimals.
    Decimal {
        /// All digits, at most 38.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// Floating point: only where the values do not fit 38 exact digits or are not all finite.
    Float,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment, microseconds since 1970 in UTC.
    Timestamp,
    /// A type that questions cannot use, as the file names it.
    Unusable {
        /// The file's name for the type.
        found: String,
    },
}

impl Storage {
    /// The type in the question language; `None` for one it does not have.
    pub fn column_type(&self) -> Option<ColumnType> {
        Some(match self {
            Self::Text => ColumnType::Text,
            Self::Integer => ColumnType::Integer,
            Self::Decimal { .. } | Self::Float => ColumnType::Decimal,
            Self::Boolean => ColumnType::Boolean,
            Self::Date => ColumnType::Date,
            Self::Timestamp => ColumnType::Timestamp,
            Self::Unusable { .. } => return None,
        })
    }
}

impl Manifest {
    /// The dataset version, as it stands in an `Opening`.
    pub fn digest(&self) -> Digest {
        Digest::of_document(VERSION_TAG, self)
    }
}

impl Dataset {
    /// The digest that the manifest carries for `columns`.
    pub fn columns_digest(columns: &[Column]) -> Digest {
        Digest::of_document(COLUMNS_TAG, &columns)
    }

    /// The column of that name.
    pub fn column(&self, name: &ColumnName) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// Whether the column has no value in any row. Its type is a guess: text.
    pub(crate) fn is_empty(&self, name: &ColumnName) -> bool {
        self.column(name)
            .is_some_and(|column| column.nulls == self.manifest.rows)
    }

    /// The registered id column of that name.
    pub fn id(&self, name: &ColumnName) -> Option<&IdCounts> {
        self.manifest.ids.iter().find(|id| id.column == *name)
    }

    /// Places in file order of the columns in `names`; names that the file does not have are left out.
    pub(crate) fn places(&self, names: &BTreeSet<&ColumnName>) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(_, column)| names.contains(&column.name))
            .map(|(place, _)| place)
            .collect()
    }

    /// Types of the columns that `policy` publishes and this file has: what a `Publication` carries.
    pub fn schema(&self, policy: &Policy) -> Schema {
        let published = policy.columns.keys().filter_map(|name| {
            let column_type = self.column(name)?.storage.column_type()?;
            Some((name.clone(), column_type))
        });
        Schema(published.collect())
    }

    /// The report without what only a policy can tell.
    pub fn report(&self) -> DatasetReport {
        let columns = self.columns.iter().filter_map(|column| {
            let column_type = column.storage.column_type()?;
            Some((column.name.clone(), column_type))
        });
        DatasetReport {
            dataset: self.manifest.dataset.clone(),
            path: self.path.display().to_string(),
            version: self.manifest.digest(),
            rows: self.manifest.rows,
            columns: columns.collect(),
            ids: self.manifest.ids.iter().map(IdCounts::report).collect(),
            published_version: None,
        }
    }
}

impl IdCounts {
    fn report(&self) -> IdReport {
        IdReport {
            column: self.column.clone(),
            kind: self.kind.clone(),
            usable_rows: self.usable_rows,
            rejected_rows: self.rejected_rows.clone(),
            distinct_ids: self.distinct_ids,
            non_consenting_ids: None,
            conflicting_ids: None,
            eligible_ids: None,
        }
    }
}
