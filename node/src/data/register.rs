//! Registering a dataset: one look at every row of a file that stays where it is. What comes out is a [`Dataset`] with its
//! signed part, and a report of usable, rejected (with reasons) and different ids.
//!
//! Types come from all rows, not from a sample. Id columns are text whatever they look like, so that leading zeros live.

use super::facts::{FactReader, Facts, list};
use super::fault::defect;
use super::file::{self, Chunk, DataFile, Form, Reading, malformed};
use super::id_pass::{ChunkIds, IdPass};
use super::ids::IDS_VERSION;
use super::manifest::{Column, Dataset, Format, IdCounts, MANIFEST_VERSION, Manifest, Storage};
use super::spill::SpillFolder;
use super::values::exact;
use super::values::infer::Inference;
use super::values::typed;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use entente_wire::limits::COLUMNS_MAX;
use entente_wire::local::DatasetReport;
use entente_wire::names::{ColumnName, DatasetName};
use entente_wire::policy::IdKind;
use entente_wire::problem::{Code, Problem};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

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

/// One pass over all rows.
struct Sweep {
    columns: Vec<Sighting>,
    /// The place of each id column, and what its ids are counted by.
    ids: Vec<(usize, IdPass)>,
    rows: u64,
}

struct Sighting {
    name: ColumnName,
    data_type: DataType,
    inference: Inference,
}

/// What one chunk of rows showed: of each column its values, of each id column its ids.
struct Sight {
    columns: Vec<Inference>,
    ids: Vec<ChunkIds>,
}

/// Bytes that a row has at least, more or less: a phone number and a little more. Only the number of partitions depends on it.
const BYTES_A_ROW: u64 = 16;

impl Sweep {
    fn new(
        found: &[(ColumnName, DataType)],
        ids: &[(ColumnName, IdKind)],
        room: (&SpillFolder, u64),
    ) -> Self {
        let columns = found.iter().map(|(name, data_type)| Sighting {
            name: name.clone(),
            data_type: data_type.clone(),
            inference: Inference::new(),
        });
        let ids = ids.iter().filter_map(|(name, kind)| {
            let place = found.iter().position(|(found, _)| found == name)?;
            let pass = IdPass::new(name, kind, COUNTING_KEY, FactReader::none(), room);
            Some((place, pass))
        });
        Self {
            columns: columns.collect(),
            ids: ids.collect(),
            rows: 0,
        }
    }

    /// The columns as a raw reading needs them; types are not known yet.
    fn raw_columns(&self) -> Vec<Column> {
        let columns = self.columns.iter().map(|sighting| Column {
            name: sighting.name.clone(),
            storage: Storage::Text,
            nulls: 0,
            not_numbers: 0,
        });
        columns.collect()
    }

    /// Looks at one chunk. On any thread, for any chunk.
    fn look(&self, file: &DataFile, chunk: &Chunk) -> Result<Sight, Problem> {
        let columns = self.columns.iter().zip(chunk.batch.columns());
        let columns = columns.map(|(_, array)| observed(array)).collect();
        let ids = self.ids.iter().map(|(place, pass)| {
            let array = chunk.batch.columns().get(*place);
            let array = array.ok_or_else(|| defect("an id column is not there"))?;
            let texts = typed::exactly(array, &DataType::Utf8).map_err(|_| {
                let name = pass.column();
                let what = format!("the id column {name} holds values that are no text");
                malformed(file.path(), &what, "write ids as text in UTF-8")
            })?;
            let texts = texts.as_string::<i32>();
            Ok(pass.read_texts(chunk.first_row, texts, &Facts::default()))
        });
        Ok(Sight {
            columns,
            ids: ids.collect::<Result<_, Problem>>()?,
        })
    }

    /// Adds what was seen, in file order.
    fn take(&mut self, sights: Vec<Sight>, rows: u64) -> Result<(), Problem> {
        self.rows += rows;
        let mut chunks: Vec<Vec<ChunkIds>> = self.ids.iter().map(|_| Vec::new()).collect();
        for sight in sights {
            for (column, seen) in self.columns.iter_mut().zip(sight.columns) {
                column.inference.join(&seen);
            }
            for (chunks, ids) in chunks.iter_mut().zip(sight.ids) {
                chunks.push(ids);
            }
        }
        for ((_, pass), chunks) in self.ids.iter_mut().zip(chunks) {
            pass.add(chunks)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(Vec<Column>, u64, Vec<IdCounts>), Problem> {
        let is_id: BTreeSet<usize> = self.ids.iter().map(|(place, _)| *place).collect();
        let columns = self.columns.into_iter().enumerate();
        let columns = columns
            .map(|(place, sighting)| sighting.finish(is_id.contains(&place)))
            .collect();
        let ids = self.ids.into_iter().map(|(_, pass)| {
            let (column, kind) = (pass.column().clone(), pass.kind().clone());
            let counts = pass.reduce(None)?.counts;
            Ok(IdCounts {
                column,
                kind,
                usable_rows: counts.usable_rows,
                rejected_rows: counts.rejected_rows,
                distinct_ids: counts.distinct_ids,
            })
        });
        Ok((columns, self.rows, ids.collect::<Result<_, Problem>>()?))
    }
}

/// Ids that are only counted here are digested under a key of their own; these digests are never sent or kept.
pub(super) const COUNTING_KEY: [u8; 32] = *b"entente: ids that are counted   ";

/// What the values of a column show of its type.
fn observed(array: &ArrayRef) -> Inference {
    let mut inference = Inference::new();
    match array.data_type() {
        DataType::Utf8 => observe_texts(&mut inference, array.as_string::<i32>()),
        DataType::Float64 => {
            for value in array.as_primitive::<Float64Type>() {
                match value {
                    Some(value) => inference.see_float(exact::of_f64(value)),
                    None => inference.see_null(),
                }
            }
        }
        DataType::Float16 | DataType::Float32 => {
            let Ok(singles) = typed::exactly(array, &DataType::Float32) else {
                return inference;
            };
            for value in singles.as_primitive::<Float32Type>() {
                match value {
                    Some(value) => inference.see_float(exact::of_f32(value)),
                    None => inference.see_null(),
                }
            }
        }
        _ => inference.see_nulls(array.logical_null_count() as u64),
    }
    inference
}

impl Sighting {
    fn finish(self, is_id: bool) -> Column {
        let inferred = self.inference.finish();
        let storage = match native_storage(&self.data_type) {
            _ if is_id => Storage::Text,
            Some(storage) => storage,
            None => inferred.storage,
        };
        Column {
            name: self.name,
            storage,
            nulls: inferred.nulls,
            not_numbers: inferred.not_numbers,
        }
    }
}

fn observe_texts(inference: &mut Inference, texts: &StringArray) {
    for text in texts {
        match text {
            Some(text) => inference.see_text(text),
            None => inference.see_null(),
        }
    }
}

/// What a Parquet type stands for; `None` where the values decide: text of a CSV file, and floating point.
fn native_storage(data_type: &DataType) -> Option<Storage> {
    let unusable = || Storage::Unusable {
        found: data_type.to_string(),
    };
    Some(match data_type {
        DataType::Utf8 | DataType::Float16 | DataType::Float32 | DataType::Float64 => return None,
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Storage::Text,
        DataType::Dictionary(_, values) => match native_storage(values) {
            Some(storage) => storage,
            None if **values == DataType::Utf8 => Storage::Text,
            None => unusable(),
        },
        DataType::UInt64 => Storage::Decimal {
            precision: 20,
            scale: 0,
        },
        DataType::Decimal128(precision, scale) => match u8::try_from(*scale) {
            Ok(scale) => Storage::Decimal {
                precision: *precision,
                scale,
            },
            Err(_) => unusable(),
        },
        DataType::Boolean => Storage::Boolean,
        DataType::Date32 | DataType::Date64 => Storage::Date,
        DataType::Timestamp(..) => Storage::Timestamp,
        other if other.is_integer() => Storage::Integer,
        _ => unusable(),
    })
}
