//! What all rows of a file show before it is a dataset: the type of each column, and how many usable and different ids there are.

use super::facts::{FactReader, Facts};
use super::fault::defect;
use super::file::{Chunk, DataFile, malformed};
use super::id_pass::{COUNTING_KEY, ChunkIds, IdPass};
use super::manifest::{Column, IdCounts, Storage};
use super::spill::SpillFolder;
use super::values::exact;
use super::values::infer::Inference;
use super::values::typed;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use entente_wire::names::ColumnName;
use entente_wire::policy::IdKind;
use entente_wire::problem::Problem;
use std::collections::BTreeSet;

/// One pass over all rows.
pub(super) struct Sweep {
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
pub(super) struct Sight {
    columns: Vec<Inference>,
    ids: Vec<ChunkIds>,
}

impl Sweep {
    pub(super) fn new(
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
    pub(super) fn raw_columns(&self) -> Vec<Column> {
        let columns = self.columns.iter().map(|sighting| Column {
            name: sighting.name.clone(),
            storage: Storage::Text,
            nulls: 0,
            not_numbers: 0,
        });
        columns.collect()
    }

    /// Looks at one chunk. On any thread, for any chunk.
    pub(super) fn look(&self, file: &DataFile, chunk: &Chunk) -> Result<Sight, Problem> {
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
    pub(super) fn take(&mut self, sights: Vec<Sight>, rows: u64) -> Result<(), Problem> {
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

    pub(super) fn finish(self) -> Result<(Vec<Column>, u64, Vec<IdCounts>), Problem> {
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
