//! What a policy wants to know of every row before one row an id is chosen: consent, a fingerprint of the published
//! columns, and the order of rows.

use super::fault::defect;
use super::ids;
use super::manifest::{Dataset, Storage};
use super::spill::Layout;
use super::values::exact;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::arrow::row::{RowConverter, SortField};
use entente_wire::names::ColumnName;
use entente_wire::policy::{IdKind, Policy};
use entente_wire::problem::{Code, Problem};
use std::collections::BTreeSet;

/// What a policy says about the rows of a batch; `None` where it has no such rule.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Whether consent is given.
    pub(crate) consent: Option<Vec<bool>>,
    /// The `latest` column, as something that can be ordered.
    pub(crate) latest: Option<Vec<i128>>,
}

/// Stands for a row without a value in the `latest` column: older than every other.
pub(crate) const NEVER: i128 = i128::MIN;

/// Reads facts from batches in [`super::file::Form::Typed`].
pub(crate) struct FactReader {
    consent: Option<ColumnName>,
    latest: Option<ColumnName>,
    /// Published columns but the joined id, and how ids among them are written.
    content: Vec<(ColumnName, Option<IdKind>)>,
}

impl FactReader {
    /// For one id column of a dataset under `policy`. Columns that the file does not have or questions cannot use are a
    /// problem: nobody may take part in a job on half of the rules.
    pub(crate) fn new(
        dataset: &Dataset,
        policy: &Policy,
        id: &ColumnName,
    ) -> Result<Self, Problem> {
        let published = policy.columns.iter().filter(|(name, _)| *name != id);
        let content: Vec<_> = published
            .map(|(name, column)| (name.clone(), column.id.clone()))
            .collect();
        let reader = Self {
            consent: policy.consent.clone(),
            latest: policy.latest.clone(),
            content,
        };
        for name in reader.columns().union(&reader.content_columns()) {
            usable(dataset, name)?;
        }
        if let Some(latest) = &reader.latest {
            orderable(dataset, latest)?;
        }
        Ok(reader)
    }

    /// For an event table, which is collapsed in the question: all rows of an id count, if all consent.
    pub(crate) fn consent_only(dataset: &Dataset, policy: &Policy) -> Result<Self, Problem> {
        let consent = policy.consent.clone();
        if let Some(name) = &consent {
            usable(dataset, name)?;
        }
        Ok(Self {
            consent,
            latest: None,
            content: Vec::new(),
        })
    }

    /// Where there is no policy yet: ids are only counted.
    pub(crate) fn none() -> Self {
        Self {
            consent: None,
            latest: None,
            content: Vec::new(),
        }
    }

    /// The columns that every row's facts come from.
    pub(crate) fn columns(&self) -> BTreeSet<&ColumnName> {
        self.consent.iter().chain(&self.latest).collect()
    }

    /// The columns in which contested rows are compared.
    pub(crate) fn content_columns(&self) -> BTreeSet<&ColumnName> {
        self.content.iter().map(|(name, _)| name).collect()
    }

    /// What a spilled record must hold.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            consent: self.consent.is_some(),
            latest: self.latest.is_some(),
        }
    }

    /// The facts of one batch, which holds at least [`Self::columns`].
    pub(crate) fn read(&self, batch: &RecordBatch) -> Result<Facts, Problem> {
        let column = |name: &ColumnName| batch.column_by_name(&name.0).ok_or_else(|| missing(name));
        let consent = self.consent.as_ref().map(column).transpose()?;
        let latest = self.latest.as_ref().map(column).transpose()?;
        Ok(Facts {
            consent: consent.map(|array| {
                let given = consents(array).into_iter();
                given.map(|consent| consent == Consent::Given).collect()
            }),
            latest: latest.map(order_keys),
        })
    }

    /// 64 bits of BLAKE3 over each row's published values, in an encoding in which different rows differ, nulls included. The
    /// batch holds at least [`Self::content_columns`], of which there is one.
    pub(crate) fn fingerprints(&self, batch: &RecordBatch) -> Result<Vec<u64>, Problem> {
        let arrays = self
            .content
            .iter()
            .map(|(name, kind)| {
                let array = batch.column_by_name(&name.0).ok_or_else(|| missing(name))?;
                Ok(match kind {
                    Some(kind) => canonical_ids(array, kind),
                    None => ArrayRef::clone(array),
                })
            })
            .collect::<Result<Vec<_>, Problem>>()?;
        let fields = arrays
            .iter()
            .map(|array| SortField::new(array.data_type().clone()))
            .collect();
        let rows = RowConverter::new(fields)
            .and_then(|converter| converter.convert_columns(&arrays))
            .map_err(|_| defect("published columns cannot be compared"))?;
        let fingerprint = |row: datafusion::arrow::row::Row<'_>| {
            let digest = blake3::hash(row.as_ref());
            let first = digest.as_bytes().first_chunk::<8>().copied();
            u64::from_le_bytes(first.unwrap_or_default())
        };
        Ok(rows.iter().map(fingerprint).collect())
    }
}

/// An id column that is not joined on is compared in its canonical form too: `A@x` and `a@x` are no difference.
fn canonical_ids(array: &ArrayRef, kind: &IdKind) -> ArrayRef {
    let Some(texts) = array.as_string_opt::<i32>() else {
        return ArrayRef::clone(array);
    };
    let normaliser = ids::Normaliser::new(kind);
    let mut canonical = String::new();
    let forms = texts.iter().map(|text| {
        let text = text?;
        match normaliser.normalise(text, &mut canonical) {
            Ok(()) => Some(canonical.clone()),
            Err(_) => Some(text.to_owned()),
        }
    });
    std::sync::Arc::new(forms.collect::<StringArray>())
}

/// What a row says about consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// true, t, yes, y, 1.
    Given,
    /// false, f, no, n, 0, or nothing.
    NotGiven,
    /// Anything else: counts as not given, and a policy check says so.
    Unclear,
}

/// What each row of a consent column says.
pub(crate) fn consents(array: &ArrayRef) -> Vec<Consent> {
    let words: Vec<Option<String>> = match array.data_type() {
        DataType::Boolean => {
            let flags = array.as_boolean().iter();
            return flags.map(|flag| given(flag == Some(true))).collect();
        }
        DataType::Utf8 => {
            let texts = array.as_string::<i32>().iter();
            return texts
                .map(|text| text.map_or(Consent::NotGiven, consent_word))
                .collect();
        }
        DataType::Int64 => {
            let numbers = array.as_primitive::<Int64Type>().iter();
            numbers.map(|n| n.map(|n| n.to_string())).collect()
        }
        DataType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).unwrap_or(0);
            let numbers = array.as_primitive::<Decimal128Type>().iter();
            numbers
                .map(|n| n.map(|n| exact::write_trimmed(n, scale, 0)))
                .collect()
        }
        DataType::Float64 => {
            let numbers = array.as_primitive::<Float64Type>().iter();
            numbers.map(|n| n.map(|n| n.to_string())).collect()
        }
        _ => vec![Some("?".to_owned()); array.len()],
    };
    words
        .iter()
        .map(|word| word.as_deref().map_or(Consent::NotGiven, consent_word))
        .collect()
}

fn given(yes: bool) -> Consent {
    if yes {
        Consent::Given
    } else {
        Consent::NotGiven
    }
}

fn consent_word(text: &str) -> Consent {
    let text = text.trim_ascii();
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match text {
        _ if is(&["true", "t", "yes", "y", "1"]) => Consent::Given,
        _ if is(&["", "false", "f", "no", "n", "0"]) => Consent::NotGiven,
        _ => Consent::Unclear,
    }
}

/// Values of a `latest` column as numbers of the same order; no value is oldest.
fn order_keys(array: &ArrayRef) -> Vec<i128> {
    fn keys<T: Into<i128>>(values: impl Iterator<Item = Option<T>>) -> Vec<i128> {
        values
            .map(|value| value.map_or(NEVER, Into::into))
            .collect()
    }
    match array.data_type() {
        DataType::Decimal128(..) => keys(array.as_primitive::<Decimal128Type>().iter()),
        DataType::Date32 => keys(array.as_primitive::<Date32Type>().iter()),
        DataType::Timestamp(..) => keys(array.as_primitive::<TimestampMicrosecondType>().iter()),
        _ => match cast(array, &DataType::Int64) {
            Ok(numbers) => keys(numbers.as_primitive::<Int64Type>().iter()),
            Err(_) => vec![NEVER; array.len()],
        },
    }
}

/// The column, if questions can use it.
pub(crate) fn usable<'a>(dataset: &'a Dataset, name: &ColumnName) -> Result<&'a Storage, Problem> {
    let column = dataset
        .column(name)
        .ok_or_else(|| unknown_column(dataset, name))?;
    if let Storage::Unusable { found } = &column.storage {
        return Err(Problem::here(
            Code::FileMalformed,
            format!("the column {name} holds values of type {found}, which questions cannot use"),
            "write it as text, number, boolean, date or timestamp, or leave it out of the policy",
        ));
    }
    Ok(&column.storage)
}

/// Refuses a `latest` column without a certain order. One without any value orders nothing, and that is certain too.
pub(crate) fn orderable(dataset: &Dataset, name: &ColumnName) -> Result<(), Problem> {
    match usable(dataset, name)? {
        _ if dataset.is_empty(name) => Ok(()),
        Storage::Integer | Storage::Decimal { .. } | Storage::Date | Storage::Timestamp => Ok(()),
        Storage::Text | Storage::Boolean | Storage::Float | Storage::Unusable { .. } => {
            Err(Problem::request(
                Code::PolicyFile,
                format!("`latest` names the column {name}, whose values have no certain order"),
                "name a column of dates (2026-01-05), moments (2026-01-05T12:00:00Z) or whole numbers",
            ))
        }
    }
}

/// The file has no such column.
pub(crate) fn unknown_column(dataset: &Dataset, name: &ColumnName) -> Problem {
    Problem::here(
        Code::ColumnMissing,
        format!(
            "the dataset {} has no column {name}; it has {}",
            dataset.manifest.dataset,
            list(dataset.columns.iter().map(|column| &column.name)),
        ),
        "write the name as it stands in the file's header, capitals included",
    )
}

/// Names in a sentence; the first few where there are many.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a ColumnName>) -> String {
    const SHOWN_MAX: usize = 20;
    let mut names: Vec<&str> = names.map(|name| name.0.as_str()).collect();
    let more = names.len().saturating_sub(SHOWN_MAX);
    names.truncate(SHOWN_MAX);
    let shown = names.join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}

fn missing(name: &ColumnName) -> Problem {
    defect(&format!("the column {name} was not read"))
}
