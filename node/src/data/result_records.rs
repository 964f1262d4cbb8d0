//! Reads back what [`super::csv_out`] writes, and nothing else: a field without characters is nothing, `""` is an empty text.
//! General CSV readers do not tell the two apart.

use std::borrow::Cow;
use std::io::{self, BufRead};

/// One field; `None` where it holds nothing.
pub(super) type Field<'a> = Option<Cow<'a, str>>;

/// The file is not one that this program wrote.
#[derive(Debug)]
pub(super) enum RecordFault {
    /// It cannot be read.
    Io(io::Error),
    /// Its quotes or its characters are not as this program writes them.
    Malformed,
}

/// The records of a result file, one after the other, the header first.
pub(super) struct Records<R> {
    source: R,
    bytes: Vec<u8>,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(source: R) -> Self {
        let bytes = Vec::new();
        Self { source, bytes }
    }

    /// The next record's fields; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Field<'_>>>, RecordFault> {
        self.bytes.clear();
        // A line feed inside quotes is a character of the field. Every quote is one of a pair, so an odd count is an open field.
        let mut quotes = 0;
        loop {
            let begin = self.bytes.len();
            let read = self.source.read_until(b'\n', &mut self.bytes);
            if read.map_err(RecordFault::Io)? == 0 {
                break;
            }
            quotes += memchr::memchr_iter(b'"', &self.bytes[begin..]).count();
            if quotes % 2 == 0 {
                break;
            }
        }
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let record = self.bytes.strip_suffix(b"\n");
        let record = record.and_then(|record| std::str::from_utf8(record).ok());
        let fields = record.and_then(fields).ok_or(RecordFault::Malformed)?;
        Ok(Some(fields))
    }
}

/// The fields of a record without its line feed.
fn fields(record: &str) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    let mut rest = record;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                if field.contains('"') {
                    return None;
                }
                ((!field.is_empty()).then_some(Cow::Borrowed(field)), after)
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(fields),
        }
    }
}

/// A quoted field, from behind its first quote, and what follows its last.
fn unquoted(text: &str) -> Option<(Field<'_>, &str)> {
    let mut end = 0;
    loop {
        end += text.get(end..)?.find('"')?;
        let after = text.get(end + 1..)?;
        if !after.starts_with('"') {
            let field = text.get(..end)?;
            let field = match field.contains('"') {
                true => Cow::Owned(field.replace("\"\"", "\"")),
                false => Cow::Borrowed(field),
            };
            return Some((Some(field), after));
        }
        end += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::super::csv_out;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            rows in prop::collection::vec(prop::collection::vec(prop::option::of("[a, \"\n\ré0]{0,5}"), 3), 0..6),
        ) {
            let mut bytes = Vec::new();
            for row in &rows {
                csv_out::line(&mut bytes, row.iter().map(Option::as_deref));
            }
            let mut records = Records::new(bytes.as_slice());
            for row in &rows {
                let fields = records.next().ok().flatten().expect("as many records as rows");
                let fields: Vec<_> = fields.iter().map(Option::as_deref).collect();
                prop_assert_eq!(fields, row.iter().map(Option::as_deref).collect::<Vec<_>>());
            }
            prop_assert!(matches!(records.next(), Ok(None)));
        }
    }

    #[test]
    fn what_this_program_does_not_write_is_refused() {
        for bytes in [
            &b"a,b"[..],
            b"\"a\"b\n",
            b"\"a\n",
            b"a\"b\n",
            b"\xff\n",
            b"\"a,\"\"\n",
        ] {
            let mut records = Records::new(bytes);
            assert!(
                matches!(records.next(), Err(RecordFault::Malformed)),
                "{bytes:?}"
            );
        }
        let mut nothing = Records::new(&b"\n"[..]);
        let fields = nothing.next().expect("a record").expect("one");
        assert_eq!(fields, [None], "one column with nothing in it");
    }
}
