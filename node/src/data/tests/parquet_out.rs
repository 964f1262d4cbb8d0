//! A released result as Parquet holds the same values as its CSV file, in the types of the dataset.

use super::*;
use crate::data::values::render;
use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use entente_wire::plan::{Display, Operator};
use std::fs::File;
use std::io;

/// One column of every type; the last row has only an id.
const CUSTOMERS: &str = "mobile,city,age,balance,rate,vip,born,seen\n\
    13800138000,\"Zug, \"\"old\"\"\",-30,1.005,1.5,true,1996-02-29,2026-01-05T12:00:00.25Z\n\
    13800138001,007,9223372036854775807,-0.100,NaN,false,0001-01-01,1969-12-31T23:59:59Z\n\
    13800138002,\"two\nlines\",0,12345678901234567890.000,inf,true,9999-12-31,2026-01-05T00:00:00Z\n\
    13800138003,,,,,,,\n";
const COLUMNS: [&str; 8] = [
    "mobile", "city", "age", "balance", "rate", "vip", "born", "seen",
];

/// One row, as text.
type Cells = Vec<Option<String>>;

/// Rows of `csv` as a released result in CSV and in Parquet.
fn released(disk: &Disk, csv: &str, columns: &[&str], rows: &[u32]) -> (PathBuf, PathBuf) {
    let path = disk.file("customers.csv", csv);
    let (dataset, _) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    let policy = policy("consent = \"not-needed\"", ID);
    let open = open_unapproved(&dataset, &policy).unwrap();
    let columns: Vec<ColumnName> = columns.iter().map(|name| column(name)).collect();
    let shown = Shown {
        columns: &columns,
        star: false,
        display: &Display::default(),
    };
    let out = disk.path("result.csv");
    write_rows(&open, &set(rows), shown, &out).unwrap();
    let parquet = disk.path("result.parquet");
    let types = row_types(&open, shown).unwrap();
    write_parquet(&out, &types, File::create(&parquet).unwrap()).unwrap();
    (out, parquet)
}

/// Names and types, and all values as this program writes them.
fn read(path: &Path) -> (Vec<(String, DataType)>, Vec<Cells>) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let fields = reader.schema().fields().clone();
    let types = fields
        .iter()
        .map(|field| (field.name().clone(), field.data_type().clone()))
        .collect();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let texts: Vec<_> = batch
            .columns()
            .iter()
            .map(|array| render::texts(array).unwrap())
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| {
            let cells = texts.iter();
            let cells = cells.map(|texts| texts.is_valid(row).then(|| texts.value(row).to_owned()));
            cells.collect()
        }));
    }
    (types, rows)
}

/// The same of CSV as this program writes it.
fn cells(csv: &Path) -> Vec<Cells> {
    let bytes = std::fs::read(csv).unwrap();
    let mut records = result_records::Records::new(bytes.as_slice());
    let mut rows = Vec::new();
    while let Some(fields) = records.next().unwrap() {
        rows.push(
            fields
                .iter()
                .map(|field| field.as_deref().map(str::to_owned))
                .collect(),
        );
    }
    rows.split_off(1)
}

#[test]
fn every_type_comes_back_as_the_characters_of_the_csv() {
    let disk = Disk::new();
    let (csv, parquet) = released(&disk, CUSTOMERS, &COLUMNS, &[0, 1, 2, 3]);
    let (types, rows) = read(&parquet);
    let (names, types): (Vec<_>, Vec<_>) = types.into_iter().unzip();
    assert_eq!(names, COLUMNS);
    assert_eq!(
        types,
        [
            DataType::Utf8,
            DataType::Utf8,
            DataType::Int64,
            DataType::Decimal128(23, 3),
            DataType::Float64,
            DataType::Boolean,
            DataType::Date32,
            DataType::Timestamp(TimeUnit::Microsecond, None),
        ]
    );
    let due = cells(&csv);
    assert_eq!(rows, due);
    assert_eq!(rows[0][1].as_deref(), Some("Zug, \"old\""));
    assert_eq!(rows[1][1].as_deref(), Some("007"), "text is not a number");
    assert!(rows[3][1..].iter().all(Option::is_none), "nothing is null");
}

#[test]
fn an_empty_result_keeps_its_columns_and_types() {
    let disk = Disk::new();
    let (_, parquet) = released(&disk, CUSTOMERS, &["age", "born"], &[]);
    let (types, rows) = read(&parquet);
    assert_eq!(rows.len(), 0);
    assert_eq!(
        types,
        [
            ("age".to_owned(), DataType::Int64),
            ("born".to_owned(), DataType::Date32)
        ]
    );
}

#[test]
fn more_rows_than_a_batch_holds_stay_in_order_and_none_is_lost() {
    let disk = Disk::new();
    let mut csv = "mobile,note\n".to_owned();
    for row in 0..20_000 {
        let note = if row % 3 == 0 { "" } else { "word" };
        csv.push_str(&format!("138{row:08},{note}\n"));
    }
    let path = disk.file("large.csv", &csv);
    let parquet = disk.path("large.parquet");
    let types = [Storage::Text, Storage::Text];
    write_parquet(&path, &types, File::create(&parquet).unwrap()).unwrap();
    assert_eq!(read(&parquet).1, cells(&path));
}

#[test]
fn an_empty_text_is_not_null() {
    let disk = Disk::new();
    let path = disk.file("texts.csv", "a\n\"\"\n\nx\n");
    let parquet = disk.path("texts.parquet");
    write_parquet(&path, &[Storage::Text], File::create(&parquet).unwrap()).unwrap();
    let texts: Vec<_> = read(&parquet).1.into_iter().flatten().collect();
    assert_eq!(texts, [Some(String::new()), None, Some("x".to_owned())]);
}

#[test]
fn a_tables_counts_sums_and_averages_are_exact() {
    let disk = Disk::new();
    let path = disk.file(
        "customers.csv",
        "mobile,tier,balance\n13800138000,gold,30.5\n13800138001,gold,40\n13800138002,gold,\n13800138003,basic,\n",
    );
    let columns = format!(
        "{ID}[columns.tier]\ndomain = [\"basic\", \"gold\"]\n\
         [columns.balance]\nclip = [-50, 50]\nscale = 2\nnullable = true"
    );
    let ask = "SELECT b.tier, COUNT(*) AS n, SUM(b.balance) AS s, AVG(b.balance) AS a FROM {J} GROUP BY b.tier";
    let asked = Asked::new(
        &path,
        &policy("consent = \"not-needed\"", &columns),
        ask,
        &[],
    );
    let Operator::Table { columns, .. } = &asked.plan.operator else {
        panic!("a table was asked for");
    };
    let types = table_types(&asked.plan, columns).unwrap();
    let (csv, parquet) = (disk.path("table.csv"), disk.path("table.parquet"));
    asked.table_of_all().write_csv(&csv).unwrap();
    write_parquet(&csv, &types, File::create(&parquet).unwrap()).unwrap();
    let (types, rows) = read(&parquet);
    let types: Vec<_> = types.into_iter().map(|(_, found)| found).collect();
    assert_eq!(
        types,
        [
            DataType::Utf8,
            DataType::Int64,
            DataType::Decimal128(38, 2),
            DataType::Decimal128(38, 10)
        ]
    );
    let shown: Vec<Vec<&str>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|cell| cell.as_deref().unwrap_or("NULL"))
                .collect()
        })
        .collect();
    assert_eq!(
        shown,
        [
            ["basic", "1", "NULL", "NULL"],
            ["gold", "3", "70.50", "35.2500000000"]
        ]
    );
}

#[test]
fn a_value_without_a_form_in_its_type_is_refused_and_not_told() {
    let disk = Disk::new();
    let path = disk.file("values.csv", "age\n7\n4711x\n");
    let problem = write_parquet(&path, &[Storage::Integer], io::sink()).unwrap_err();
    of_code(&problem, Code::ValueOutside, &["age", "whole number"]);
    assert!(problem.todo.contains("CSV") && !problem.to_string().contains("4711"));
    let other = write_parquet(&path, &[], io::sink()).unwrap_err();
    of_code(&other, Code::Defect, &["columns"]);
}

#[test]
fn a_disk_that_fails_is_the_disks_fault() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let disk = Disk::new();
    let path = disk.file("values.csv", "age\n7\n");
    let problem = write_parquet(&path, &[Storage::Integer], Full).unwrap_err();
    of_code(&problem, Code::Disk, &["Parquet"]);
}
