//! Watches the quotes of a CSV file while it is read. The CSV reader forgives what must not be forgiven: a quote that is
//! never closed swallows all rows after it into one field, silently if they end up in the last column.

use std::io::{self, Read};

/// Longest quoted field and longest line: far beyond any real value, small enough to stop before memory is gone.
pub(super) const FIELD_BYTES_MAX: u64 = 4 << 20;

/// What is wrong with the quotes or the lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum QuoteFault {
    #[error("the quote opened in line {line} is not closed")]
    Unclosed { line: u64 },
    #[error("in line {line} a quoted field goes on after its closing quote")]
    TextAfterQuote { line: u64 },
    #[error("line {line} or a quoted field in it is longer than {FIELD_BYTES_MAX} bytes")]
    TooLong { line: u64 },
}

/// Passes bytes through and fails on the first [`QuoteFault`].
pub(super) struct QuoteWatch<R> {
    inner: R,
    delimiter: u8,
    /// The byte before the next one; a line end before the first.
    previous: u8,
    inside: bool,
    /// The last byte was a quote inside quotes: it closes, unless another one follows.
    maybe_closed: bool,
    /// Lines begun, for messages.
    line: u64,
    opened_in_line: u64,
    /// Bytes since the last line end outside quotes or the last opening quote.
    run_bytes: u64,
    /// Bytes up to now, and up to the last line feed outside quotes.
    seen_bytes: u64,
    whole_bytes: u64,
}

/// How many of `bytes`, which begin with a record, are whole records: all up to the last line feed outside quotes, and all of
/// them at the end of the file.
pub(super) fn whole_records(
    bytes: &[u8],
    delimiter: u8,
    at_end: bool,
) -> Result<usize, QuoteFault> {
    let mut watch = QuoteWatch::new(io::empty(), delimiter);
    watch.watch(bytes)?;
    if at_end {
        watch.end()?;
        return Ok(bytes.len());
    }
    Ok(usize::try_from(watch.whole_bytes).unwrap_or(bytes.len()))
}

impl<R: Read> QuoteWatch<R> {
    pub(super) fn new(inner: R, delimiter: u8) -> Self {
        Self {
            inner,
            delimiter,
            previous: b'\n',
            inside: false,
            maybe_closed: false,
            line: 1,
            opened_in_line: 1,
            run_bytes: 0,
            seen_bytes: 0,
            whole_bytes: 0,
        }
    }

    /// Looks at the next bytes. Between quotes and line ends it jumps, so plain files cost two byte searches.
    fn watch(&mut self, bytes: &[u8]) -> Result<(), QuoteFault> {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if self.maybe_closed {
                self.after_quote(*first)?;
                rest = self.take(rest, usize::from(*first == b'"'))?;
                continue;
            }
            let Some(place) = memchr::memchr2(b'"', b'\n', rest) else {
                self.take(rest, rest.len())?;
                break;
            };
            rest = self.take(rest, place)?;
            self.mark(rest.first().copied().unwrap_or(b'\n'));
            rest = self.take(rest, 1)?;
        }
        Ok(())
    }

    /// Moves past `count` bytes.
    fn take<'a>(&mut self, bytes: &'a [u8], count: usize) -> Result<&'a [u8], QuoteFault> {
        let (past, rest) = bytes.split_at(count);
        self.previous = past.last().copied().unwrap_or(self.previous);
        self.run_bytes += past.len() as u64;
        self.seen_bytes += past.len() as u64;
        if self.run_bytes > FIELD_BYTES_MAX {
            let line = if self.inside {
                self.opened_in_line
            } else {
                self.line
            };
            return Err(QuoteFault::TooLong { line });
        }
        Ok(rest)
    }

    /// The next byte is a quote or a line feed.
    fn mark(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.line += 1;
                if !self.inside {
                    self.run_bytes = 0;
                    // The line feed itself is taken after this.
                    self.whole_bytes = self.seen_bytes + 1;
                }
            }
            _ if self.inside => self.maybe_closed = true,
            _ if self.begins_field() => {
                self.inside = true;
                self.opened_in_line = self.line;
                self.run_bytes = 0;
            }
            // A quote inside an unquoted field, as in 5" pipe, is a character like any other.
            _ => {}
        }
    }

    fn begins_field(&self) -> bool {
        self.previous == self.delimiter || matches!(self.previous, b'\n' | b'\r')
    }

    fn after_quote(&mut self, next: u8) -> Result<(), QuoteFault> {
        self.maybe_closed = false;
        if next == b'"' {
            return Ok(());
        }
        self.inside = false;
        self.run_bytes = 0;
        if next == self.delimiter || matches!(next, b'\n' | b'\r') {
            return Ok(());
        }
        Err(QuoteFault::TextAfterQuote { line: self.line })
    }

    fn end(&self) -> Result<(), QuoteFault> {
        if self.inside && !self.maybe_closed {
            let line = self.opened_in_line;
            return Err(QuoteFault::Unclosed { line });
        }
        Ok(())
    }
}

impl<R: Read> Read for QuoteWatch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let outcome = match buffer.get(..read) {
            Some([]) | None => self.end(),
            Some(bytes) => self.watch(bytes),
        };
        outcome.map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // tests: a failure is the point
    use super::*;
    use proptest::prelude::*;

    /// Hands out a few bytes at a time.
    struct Sips<'a>(&'a [u8], usize);
    impl Read for Sips<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    fn outcome(text: &[u8], sip: usize) -> Result<(), QuoteFault> {
        let mut watch = QuoteWatch::new(Sips(text, sip), b',');
        match watch.read_to_end(&mut Vec::new()) {
            Ok(_) => Ok(()),
            Err(error) => Err(error
                .get_ref()
                .unwrap()
                .downcast_ref::<QuoteFault>()
                .unwrap()
                .clone()),
        }
    }

    #[test]
    fn faults_are_found_wherever_reads_end() {
        let unclosed = |line| Err(QuoteFault::Unclosed { line });
        let after = |line| Err(QuoteFault::TextAfterQuote { line });
        for (text, expected) in [
            ("a,b\n1,2\n", Ok(())),
            ("a,b\r\n\"1\",\"2\"\r\n", Ok(())),
            ("a\n\"line\nbreak\"\n", Ok(())),
            ("a\n\"say \"\"hi\"\"\"\n", Ok(())),
            ("a\n\"\"", Ok(())),
            ("a,b\n5\" pipe,x\n", Ok(())),
            ("a,b\n1,\"2\n3,4\n", unclosed(2)),
            ("\"a,b\n", unclosed(1)),
            ("a,b\n\"1\"x,2\n", after(2)),
            ("a\n\"1\"\"", unclosed(2)),
            ("a\n\"x\ny\"z\n", after(3)),
        ] {
            for sip in [1, 2, 3, 7, 100] {
                assert_eq!(outcome(text.as_bytes(), sip), expected, "{text:?} by {sip}");
            }
        }
    }

    #[test]
    fn endless_lines_and_fields_are_stopped() {
        let mut long = b"a,b\n".to_vec();
        long.extend(std::iter::repeat_n(b'x', FIELD_BYTES_MAX as usize + 10));
        assert_eq!(
            outcome(&long, 1 << 16),
            Err(QuoteFault::TooLong { line: 2 })
        );
        let mut quoted = b"a,b\n1,\"".to_vec();
        quoted.extend(b"text\n".repeat(FIELD_BYTES_MAX as usize / 5 + 2));
        quoted.push(b'"');
        assert_eq!(
            outcome(&quoted, 1 << 16),
            Err(QuoteFault::TooLong { line: 2 })
        );
    }

    proptest! {
        #[test]
        fn the_verdict_does_not_depend_on_where_reads_end(text in "[a\",\r\n]{0,40}", sip in 1usize..10) {
            prop_assert_eq!(outcome(text.as_bytes(), sip), outcome(text.as_bytes(), 1000));
        }
    }
}
