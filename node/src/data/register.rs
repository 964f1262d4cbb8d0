//! Registering a dataset: one look at every row of a file that stays where it is. What comes out is a [`Dataset`] with its
//! signed part, and a report of usable, rejected (with reasons) and different ids.
//!
//! Types come from all rows, not from a sample. Id columns are text whatever they look like, so that leading zeros live.

use super::facts::list;
use super::file::{self, Chunk, DataFile, Form, Reading, malformed};
use super::first_look::Sweep;
use super::ids::IDS_VERSION;
use super::manifest::{Dataset, Format, IdCounts, MANIFEST_VERSION, Manifest};
use super::spill::SpillFolder;
use datafusion::arrow::datatypes::DataType;
use entente_wire::limits::COLUMNS_MAX;
use entente_wire::local::DatasetReport;
use entente_wire::names::{ColumnName, DatasetName};
use entente_wire::policy::IdKind;
use entente_wire::problem::{Code, Problem};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Bytes that a row has at least, more or less: a phone number and a little more. Only the number of partitions depends on it.
const BYTES_A_ROW: u64 = 16;

/// Looks at every row of the file at `path` and counts what is usable under each of `ids`.
///
/// Errors: the file cannot be read, is not CSV in UTF-8 or Parquet, has not the columns, or a column of `ids` has not one
/// usable id. A changed file is registered again; the new [`Dataset`] replaces the old one of that name.
pub fn register(
    name: &DatasetName,
    path: &Path,
    ids: &[(ColumnName, IdKind)],
    spill: &SpillFolder,
) -> Result<(Dataset, DatasetReport), Problem> {
    let path =
        std::path::absolute(path).map_err(|error| file::unreadable(path, &error.to_string()))?;
    let file = Arc::new(DataFile::open(&path)?);
    let format = file.recognise()?;
    let found = found_columns(&file, format)?;
    check_ids(&file, &found, ids)?;
    let blake3 = file.hash()?;
    let rows_about = file.bytes() / BYTES_A_ROW;
    let mut sweep = Sweep::new(&found, ids, (spill, rows_about));
    let placeholders = sweep.raw_columns();
    let places: Vec<usize> = (0..found.len()).collect();
    let reading = Reading::first(&file, format, &placeholders, &places, Form::Raw);
    let look = |sweep: &Sweep, chunk: &Chunk| sweep.look(&file, chunk);
    file::sweep(&reading, &mut sweep, look, Sweep::take)?;
    file.check_unchanged()?;
    let (columns, rows, ids) = sweep.finish()?;
    check_usable(&file, rows, &ids)?;
    let manifest = Manifest {
        version: MANIFEST_VERSION,
        dataset: name.clone(),
        format,
        bytes: file.bytes(),
        blake3,
        rows,
        columns: Dataset::columns_digest(&columns),
        ids_version: IDS_VERSION,
        ids,
    };
    let dataset = Dataset {
        path,
        manifest,
        columns,
    };
    let report = dataset.report();
    Ok((dataset, report))
}

/// Names and native types, once the header makes sense.
fn found_columns(file: &DataFile, format: Format) -> Result<Vec<(ColumnName, DataType)>, Problem> {
    let native = file::native_columns(file, format)?;
    let refused = |what: String, todo: &str| Err(malformed(file.path(), &what, todo));
    if native.len() > COLUMNS_MAX {
        let what = format!(
            "it has {} columns; at most {COLUMNS_MAX} are read",
            native.len()
        );
        return refused(what, "write a file with fewer columns");
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::with_capacity(native.len());
    for (place, (name, data_type)) in native.into_iter().enumerate() {
        let name = ColumnName(name);
        if name.check().is_err() {
            let what = format!("column {} has no usable name in the header", place + 1);
            return refused(what, "give every column a name of one line");
        }
        if !seen.insert(name.clone()) {
            let what = format!("two columns are called {name}");
            return refused(what, "give every column its own name");
        }
        found.push((name, data_type));
    }
    if found.is_empty() {
        return refused(
            "it has no columns".to_owned(),
            "give a file with a header line and rows",
        );
    }
    Ok(found)
}

fn check_ids(
    file: &DataFile,
    found: &[(ColumnName, DataType)],
    ids: &[(ColumnName, IdKind)],
) -> Result<(), Problem> {
    if ids.is_empty() {
        return Err(Problem::request(
            Code::Argument,
            "no id column is named, so nothing could be matched",
            "name one: --id mobile=e164(+86)",
        ));
    }
    let mut seen = BTreeSet::new();
    for (name, _) in ids {
        if !seen.insert(name) {
            return Err(Problem::request(
                Code::Argument,
                format!("the id column {name} is named twice"),
                "name each id column once",
            ));
        }
        let Some((_, data_type)) = found.iter().find(|(found, _)| found == name) else {
            let what = format!(
                "{} has no column {name}; it has {}",
                file.path().display(),
                list(found.iter().map(|(name, _)| name))
            );
            let todo = "write the name as it stands in the header, capitals included";
            return Err(Problem::here(Code::ColumnMissing, what, todo));
        };
        if !can_hold_ids(data_type) {
            let what = format!("the id column {name} holds values of type {data_type}");
            let todo = "write ids as text or as whole numbers; floating point loses digits";
            return Err(malformed(file.path(), &what, todo));
        }
    }
    Ok(())
}

/// Text and whole numbers.
fn can_hold_ids(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => can_hold_ids(values),
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => *scale == 0,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        other => other.is_integer(),
    }
}

fn check_usable(file: &DataFile, rows: u64, ids: &[IdCounts]) -> Result<(), Problem> {
    let Some(unusable) = ids.iter().find(|id| id.usable_rows == 0) else {
        return Ok(());
    };
    let IdCounts {
        column,
        kind,
        rejected_rows,
        ..
    } = unusable;
    let reasons: Vec<String> = rejected_rows
        .iter()
        .map(|(why, rows)| format!("{rows} {why}"))
        .collect();
    let why = match rows {
        0 => "the file has a header and no rows".to_owned(),
        _ => format!("of {rows} rows {}", reasons.join(", ")),
    };
    Err(Problem::here(
        Code::NoUsableIds,
        format!(
            "{} has no usable id in column {column} read as {kind}: {why}",
            file.path().display()
        ),
        "check the column and how its ids are written: e164(+CC), email, cn-id or raw",
    ))
}
