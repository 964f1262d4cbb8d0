//! The rows of a table: as a file that a node registers, and as Arrow batches in the clear for the oracle. A third of the files are
//! CSV, with ids in several spellings; of the others, half hold
//! money in floating point where its digits allow, the rest in decimals.

use super::tables::{Kind, MONEY_DECIMALS, Row, Rows, Table, Value};
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::ArrowWriter;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Digits that hold all money.
const MONEY_DIGITS: u8 = 20;

/// The id as one row spells it.
fn mobile(person: u32, row: usize) -> String {
    let digits = format!("138{person:08}");
    match row % 4 {
        0 => digits,
        1 => format!("+86 {digits}"),
        2 => format!("0086-{digits}"),
        _ => format!(" 86{digits} "),
    }
}

fn money(units: i64) -> String {
    entente_wire::decimal::render(units, MONEY_DECIMALS)
}

/// Writes the rows of one world; which form, the world's number says.
pub(super) fn write(table: &Table, rows: &Rows, world: usize, folder: &Path) -> PathBuf {
    let name = format!("{}-{world}", table.dataset);
    match world % 3 {
        0 => {
            let path = folder.join(name + ".csv");
            std::fs::write(&path, csv(table, rows)).expect("a disk with room");
            path
        }
        form => {
            let path = folder.join(name + ".parquet");
            let batch = parquet(table, rows, form == 1);
            let file = File::create(&path).expect("a disk with room");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a schema");
            writer.write(&batch).expect("a disk with room");
            writer.close().expect("a disk with room");
            path
        }
    }
}

fn csv(table: &Table, rows: &Rows) -> String {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let mut text = format!("mobile,consent,{}\n", names.join(","));
    for (number, row) in rows.iter().enumerate() {
        let values = row
            .values
            .iter()
            .zip(&table.columns)
            .map(|(value, column)| match value {
                None => String::new(),
                Some(Value::Text(text)) => format!("\"{}\"", text.replace('"', "\"\"")),
                Some(Value::Number(units)) if column.kind == Kind::Money => money(*units),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Flag(flag)) => flag.to_string(),
            });
        let consent = row
            .consent
            .map_or(String::new(), |consent| consent.to_string());
        let values: Vec<String> = values.collect();
        text += &format!(
            "{},{consent},{}\n",
            mobile(row.person, number),
            values.join(",")
        );
    }
    text
}

fn parquet(table: &Table, rows: &Rows, floats: bool) -> RecordBatch {
    let ids = rows
        .iter()
        .enumerate()
        .map(|(number, row)| Some(mobile(row.person, number)));
    let mut columns = vec![("mobile", Arc::new(ids.collect::<StringArray>()) as ArrayRef)];
    columns.push(("consent", consent(rows)));
    columns.extend(arrays(table, rows, floats));
    batch(columns)
}

/// All worlds' rows, each with its world's number and its person's: one batch.
pub(super) fn clear(table: &Table, worlds: &[&Rows]) -> RecordBatch {
    let numbers = (0_i32..)
        .zip(worlds)
        .flat_map(|(world, rows)| rows.iter().map(move |_| Some(world)));
    let all: Rows = worlds
        .iter()
        .flat_map(|rows| rows.iter().cloned())
        .collect();
    let people = all.iter().map(|row| Some(i64::from(row.person)));
    let mut columns = vec![
        (
            "world",
            Arc::new(numbers.collect::<Int32Array>()) as ArrayRef,
        ),
        ("mobile", Arc::new(people.collect::<Int64Array>())),
        ("consent", consent(&all)),
    ];
    columns.extend(arrays(table, &all, false));
    batch(columns)
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

fn consent(rows: &Rows) -> ArrayRef {
    Arc::new(rows.iter().map(|row| row.consent).collect::<BooleanArray>())
}

fn arrays(table: &Table, rows: &Rows, floats: bool) -> Vec<(&'static str, ArrayRef)> {
    let array = |place: usize, kind: Kind| -> ArrayRef {
        let values = rows.iter().map(|row: &Row| row.values[place]);
        let numbers = values.clone().map(|value| match value {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        });
        let texts = values.clone().map(|value| match value {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        });
        let flags = values.map(|value| match value {
            Some(Value::Flag(flag)) => Some(flag),
            _ => None,
        });
        match kind {
            Kind::Text => Arc::new(texts.collect::<StringArray>()),
            Kind::Day => {
                let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
                cast(&texts, &DataType::Date32).expect("days")
            }
            Kind::Whole => Arc::new(numbers.collect::<Int64Array>()),
            Kind::Flag => Arc::new(flags.collect::<BooleanArray>()),
            Kind::Money if floats && table.columns[place].name != "assets" => {
                let floats = numbers
                    .map(|units| units.map(|units| money(units).parse::<f64>().expect("a number")));
                Arc::new(floats.collect::<Float64Array>())
            }
            Kind::Money => {
                let units = numbers
                    .map(|units| units.map(i128::from))
                    .collect::<Decimal128Array>();
                let money = units.with_precision_and_scale(MONEY_DIGITS, MONEY_DECIMALS as i8);
                Arc::new(money.expect("few digits"))
            }
        }
    };
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(place, column)| (column.name, array(place, column.kind)))
        .collect()
}
