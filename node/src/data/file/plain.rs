//! The fast way through CSV: pieces without a quote, where a line is a record and a delimiter ends a field. Nothing but the
//! fields asked for, of the rows asked for, is looked at closely.
//!
//! A piece that is not plain is left to the complete reader ([`super::csv`]), and so is a plain piece with a record that is not as
//! it should be: that reader finds the same fault and says where it is. What is read here is what it would have read.

use super::split::Piece;
use crate::data::rows::RowSet;
use datafusion::arrow::array::{ArrayRef, StringBuilder};
use std::sync::Arc;

/// What to take out of a piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) delimiter: u8,
    /// Fields of every record.
    pub(super) fields: usize,
    /// Fields to take, ascending.
    pub(super) places: &'a [usize],
    /// Whether every record's number of fields is checked. Not needed where the file's hash says that it was checked before.
    pub(super) check_all: bool,
}

/// A plain piece: text without quotes, whose lines end in `\n` or `\r\n`.
pub(super) struct Plain {
    text: String,
    crlf: bool,
    rows: usize,
}

impl Plain {
    /// The piece back where it is not plain.
    pub(super) fn of(piece: Piece) -> Result<Self, Piece> {
        // One line longer than a piece has to be is the complete reader's to judge.
        if piece.quoted || piece.header || piece.bytes.len() as u64 > super::quotes::FIELD_BYTES_MAX
        {
            return Err(piece);
        }
        let text = String::from_utf8(piece.bytes).map_err(|error| Piece {
            bytes: error.into_bytes(),
            ..piece
        });
        let text = text?;
        let bytes = text.as_bytes();
        let mut returns = memchr::memchr_iter(b'\r', bytes).peekable();
        let crlf = returns.peek().is_some();
        if !returns.all(|place| bytes.get(place + 1) == Some(&b'\n')) {
            return Err(Piece {
                bytes: text.into_bytes(),
                ..piece
            });
        }
        let rows = count(bytes, crlf);
        Ok(Self { text, crlf, rows })
    }

    /// Records in it.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The wanted fields, an array each; of all records, or of those that are in `only`, where the first record here is row
    /// `first_row` of the file. `None` where a record has not the fields it should have.
    pub(super) fn arrays(
        &self,
        wanted: Wanted<'_>,
        only: Option<(&RowSet, u32)>,
    ) -> Option<Vec<ArrayRef>> {
        let bytes = self.text.len() / wanted.fields.max(1);
        let column = |_| StringBuilder::with_capacity(self.rows, bytes);
        let mut columns: Vec<StringBuilder> = wanted.places.iter().map(column).collect();
        self.each(wanted, only, |fields| {
            for (column, field) in columns.iter_mut().zip(fields) {
                column.append_option(*field);
            }
        })?;
        let arrays = columns.iter_mut().map(StringBuilder::finish);
        Some(arrays.map(|array| Arc::new(array) as ArrayRef).collect())
    }

    /// Gives the wanted fields of each record to `take` and says how many records there were; otherwise as [`Self::arrays`].
    pub(super) fn each(
        &self,
        wanted: Wanted<'_>,
        only: Option<(&RowSet, u32)>,
        mut take: impl FnMut(&[Option<&str>]),
    ) -> Option<u64> {
        let mut fields = Vec::with_capacity(wanted.places.len());
        let mut look = |line| {
            find_fields(line, wanted, &mut fields)?;
            take(&fields);
            Some(())
        };
        let mut lines = self.lines();
        let Some((rows, first_row)) = only else {
            lines.try_for_each(look)?;
            return Some(self.rows as u64);
        };
        let end = first_row.checked_add(u32::try_from(self.rows).ok()?)?;
        let (mut passed, mut count) = (first_row, 0);
        for row in rows.within(first_row..end) {
            look(lines.nth((row - passed) as usize)?)?;
            passed = row + 1;
            count += 1;
        }
        Some(count)
    }

    /// Records; empty lines are none.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.text.as_str();
        let crlf = self.crlf;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let end = find(b'\n', rest.as_bytes()).unwrap_or(rest.len());
                let line = &rest[..end];
                rest = rest.get(end + 1..).unwrap_or_default();
                let line = match crlf {
                    true => line.strip_suffix('\r').unwrap_or(line),
                    false => line,
                };
                if !line.is_empty() {
                    return Some(line);
                }
            }
            None
        })
    }
}

/// Lines that are not empty.
fn count(bytes: &[u8], crlf: bool) -> usize {
    let ends = memchr::memchr_iter(b'\n', bytes).count();
    let open = usize::from(bytes.last().is_some_and(|last| *last != b'\n'));
    let (begins_empty, empty): (bool, &[u8]) = match crlf {
        true => (
            bytes.starts_with(b"\r\n") || bytes.starts_with(b"\n"),
            b"\n\r\n",
        ),
        false => (bytes.starts_with(b"\n"), b"\n\n"),
    };
    let empty_feed = crlf && memchr::memmem::find(bytes, b"\n\n").is_some();
    if !begins_empty && !empty_feed && memchr::memmem::find(bytes, empty).is_none() {
        return ends + open;
    }
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.filter(|line| !matches!(line, [] | [b'\r'])).count()
}

/// Puts the wanted fields of one record into `fields`; `None` where it does not have them.
#[inline]
fn find_fields<'a>(
    line: &'a str,
    wanted: Wanted<'_>,
    fields: &mut Vec<Option<&'a str>>,
) -> Option<()> {
    fields.clear();
    let (mut rest, mut place) = (Some(line), 0);
    for at in wanted.places {
        loop {
            let (field, after) = next_field(rest?, wanted.delimiter);
            rest = after;
            place += 1;
            if place > *at {
                fields.push(Some(field).filter(|field| !field.is_empty()));
                break;
            }
        }
    }
    if wanted.check_all {
        while let Some(more) = rest {
            rest = next_field(more, wanted.delimiter).1;
            place += 1;
        }
        return (place == wanted.fields).then_some(());
    }
    Some(())
}

/// The first field and what follows its delimiter.
#[inline]
fn next_field(line: &str, delimiter: u8) -> (&str, Option<&str>) {
    match find(delimiter, line.as_bytes()) {
        Some(end) => (&line[..end], line.get(end + 1..)),
        None => (line, None),
    }
}

/// The place of an ASCII byte. Fields are short: most are found in the first two words, without a call.
#[inline]
fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, _) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().take(2).enumerate() {
        // Hacker's Delight, 6-1: the lowest zero byte of the difference has the lowest high bit.
        let other = u64::from_le_bytes(*word) ^ (ONES * u64::from(byte));
        let zeros = other.wrapping_sub(ONES) & !other & (ONES << 7);
        if zeros != 0 {
            return Some(place * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    let passed = words.len().min(2) * 8;
    let rest = bytes.get(passed..)?;
    match rest.len() {
        0..16 => rest.iter().position(|other| *other == byte),
        _ => memchr::memchr(byte, rest),
    }
    .map(|place| passed + place)
}
