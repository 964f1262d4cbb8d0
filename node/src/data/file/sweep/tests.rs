#![allow(clippy::unwrap_used, clippy::panic)] // tests: a failure is the point

//! The fast reader against the complete one: the same rows, or the same refusal.

use super::*;
use crate::data::file::DataFile;
use crate::data::file::read::{Form, read};
use crate::data::file::split::PIECE_BYTES;
use crate::data::manifest::{Column, Format, Storage};
use crate::data::rows::RowSet;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use proptest::prelude::*;
use std::sync::Arc;

type Rows = Vec<Vec<Option<String>>>;

fn column(name: &str) -> Column {
    Column {
        name: entente_wire::names::ColumnName(name.to_owned()),
        storage: Storage::Text,
        nulls: 0,
        not_numbers: 0,
    }
}

fn rows_of(batch: &RecordBatch) -> Rows {
    let row = |row: usize| {
        let columns = batch.columns().iter().map(|array| array.as_string::<i32>());
        let value = |array: &datafusion::arrow::array::StringArray| {
            array.is_valid(row).then(|| array.value(row).to_owned())
        };
        columns.map(value).collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

fn one_by_one(reading: &Reading<'_>) -> Result<Rows, Problem> {
    let mut rows = Rows::new();
    let (columns, places) = (reading.columns, reading.places);
    for batch in read(reading.file, reading.format, columns, places, Form::Raw)? {
        rows.extend(rows_of(&batch?));
    }
    Ok(rows)
}

fn swept(reading: &Reading<'_>) -> Result<Rows, Problem> {
    let mut rows = Rows::new();
    let work = |_: &Rows, chunk: &Chunk| Ok((chunk.rows(), rows_of(&chunk.batch)));
    let mut last = None;
    sweep(reading, &mut rows, work, |rows, done, _| {
        for (numbers, more) in done {
            assert_eq!(numbers.len(), more.len());
            assert!(numbers.first().is_none_or(|first| last < Some(*first)));
            last = numbers.last().copied().or(last);
            rows.extend(more);
        }
        Ok(())
    })?;
    Ok(rows)
}

/// The same through texts.
fn texts(reading: &Reading<'_>) -> Result<Rows, Problem> {
    let mut rows = Rows::new();
    let work = |_: &Rows, part: Part<'_>| {
        let mut rows = Rows::new();
        let count = part.texts(|fields| {
            rows.push(
                fields
                    .iter()
                    .map(|field| field.map(str::to_owned))
                    .collect(),
            );
        })?;
        assert_eq!(rows.len() as u64, count);
        Ok(rows)
    };
    sweep_parts(reading, &mut rows, work, |rows, done, _| {
        rows.extend(done.into_iter().flatten());
        Ok(())
    })?;
    Ok(rows)
}

/// Compares both readers over `text` under columns `a`, `b` and `c`.
fn compare(text: &[u8], places: &[usize], piece_bytes: usize, every: usize) {
    let disk = tempfile::tempdir().unwrap();
    let path = disk.path().join("file.csv");
    std::fs::write(&path, text).unwrap();
    let file = Arc::new(DataFile::open(&path).unwrap());
    let columns = [column("a"), column("b"), column("c")];
    let format = Format::Csv { delimiter: ',' };
    let mut reading = Reading::first(&file, format, &columns, places, Form::Raw);
    reading.piece_bytes = piece_bytes;
    let expected = one_by_one(&reading);
    assert_eq!(
        swept(&reading),
        expected,
        "{:?}",
        String::from_utf8_lossy(text)
    );
    assert_eq!(texts(&reading), expected, "texts");
    let Ok(expected) = expected else {
        return;
    };
    reading.known = true;
    assert_eq!(swept(&reading).as_ref(), Ok(&expected), "a known file");
    let some = RowSet::new(expected.len() as u64);
    let picked = (0..expected.len()).step_by(every);
    picked.clone().for_each(|row| some.insert(row as u32));
    let expected: Rows = picked.map(|row| expected[row].clone()).collect();
    let reading = reading.only(&some);
    assert_eq!(
        texts(&reading).as_ref(),
        Ok(&expected),
        "texts of some rows"
    );
    assert_eq!(swept(&reading), Ok(expected), "some rows");
}

#[test]
fn odd_files_are_read_as_the_complete_reader_reads_them() {
    let long = format!("a,b,c\n{}1,2,3\n", "1,2,3\n".repeat(40_000));
    let wide = format!("a,b,c\n1,{},3\n1,2,3\n", "x".repeat(3 << 20));
    let too_wide = format!("a,b,c\n1,2,3\n1,{},3\n", "x".repeat(5 << 20));
    let multi = format!(
        "a,b,c\n{}",
        "1,\"two\nlines, \"\"quoted\"\"\",3\r\n".repeat(20_000)
    );
    let late_quote = format!("a,b,c\n{}1,\"2,3\n4,5,6\n", "1,2,3\n".repeat(20_000));
    let late_ragged = format!("a,b,c\n{}1,2\n4,5,6\n", "1,2,3\n".repeat(200_000));
    let classic = format!("a,b,c\r{}", "1,2,3\r".repeat(20_000));
    for text in [
        "a,b,c",
        "a,b,c\n",
        "a,b,c\n1,2,3",
        "\n\n\na,b,c\n\n1,2,3\n\n\n",
        "\r\n\r\na,b,c\r\n\r\n1,2,3\r\n\r\n",
        "\u{feff}a,b,c\n1,2,3\n",
        "\n\u{feff}a,b,c\n1,2,3\n",
        "a,b,c\n\u{feff}1,2,3\n",
        "a,b,c\n\u{feff}1,\"2\",3\n",
        "a,b,c\n1,2,3\r",
        "a,b,c\n1,2,3\n\r4,5,6",
        "a,b,c\n1,,\n,,\n,2,3\n",
        "a,b,c\n1,5\" pipe,3\n1,2,3\n",
        &long,
        &wide,
        &too_wide,
        &multi,
        &late_quote,
        &late_ragged,
        &classic,
    ] {
        for piece_bytes in [7, 1 << 10, PIECE_BYTES] {
            if text.len() < 1 << 10 || piece_bytes >= 1 << 10 {
                compare(text.as_bytes(), &[0, 1, 2], piece_bytes, 3);
            }
        }
    }
    let mut latin = long.into_bytes();
    latin.extend_from_slice(b"1,Z\xfcrich,3\n");
    compare(&latin, &[0], PIECE_BYTES, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_read_as_the_complete_reader_reads_it(
        lines in prop::collection::vec(
            prop_oneof![
                6 => "[a-c\u{e9} ]{0,3},[0-9.]{0,4},[a-c]{0,3}",
                1 => "[a,\"\u{feff}]{0,8}",
                1 => "\"[a,\n\"]{0,4}\",[a]{0,2},\"[b]{0,2}\"",
                1 => Just(String::new()),
            ], 0..30),
        ends in prop::sample::select(vec![vec!["\n"], vec!["\r\n"], vec!["\n", "\r\n"], vec!["\n", "\r"]]),
        last_end in any::<bool>(),
        places in prop::sample::subsequence(vec![0usize, 1, 2], 1..=3),
        piece_bytes in 1usize..60, every in 1usize..4,
    ) {
        let mut text = String::from("a,b,c\n");
        for (place, line) in lines.iter().enumerate() {
            text.push_str(line);
            if place + 1 < lines.len() || last_end {
                text.push_str(ends[place % ends.len()]);
            }
        }
        compare(text.as_bytes(), &places, piece_bytes, every);
    }

    #[test]
    fn any_bytes_are_refused_or_read_by_both(
        bytes in prop::collection::vec(prop::sample::select(b"a,\"\r\n\xc3\xa9\xff".to_vec()), 0..60),
        piece_bytes in 1usize..20,
    ) {
        compare(&[b"a,b,c\n".to_vec(), bytes].concat(), &[0, 2], piece_bytes, 2);
    }
}
