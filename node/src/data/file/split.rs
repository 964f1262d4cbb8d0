//! Cuts a CSV file into pieces of whole records, so that cores can parse pieces side by side. Only quotes need to be followed
//! for that: a line feed outside quotes ends a record, and most files have no quotes at all.

use super::quotes::{FIELD_BYTES_MAX, whole_records};
use std::io::{self, Read};

/// Bytes of a piece: some thousands of rows, and still in a core's cache when it is parsed.
pub(super) const PIECE_BYTES: usize = 1 << 20;
/// Bytes of the first piece, which has the header in it and is parsed by the slower reader.
const FIRST_BYTES: usize = 1 << 15;
/// A piece in which no record ends is not CSV that we read: no field and no line is longer than half of it.
const PIECE_BYTES_MAX: usize = 2 * FIELD_BYTES_MAX as usize;
/// What some programs write in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Some whole records.
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// The first record is the header.
    pub(super) header: bool,
    /// There is a quote somewhere.
    pub(super) quoted: bool,
}

/// Why a file cannot be cut.
#[derive(Debug)]
pub(super) enum Uncut {
    /// The quotes or the lines are not as they should be; the sequential reader says what it is.
    Odd,
    /// The file cannot be read.
    Unread(io::Error),
}

/// Hands out the pieces of a file in order; nothing after an error.
pub(super) struct Splitter<R> {
    input: R,
    delimiter: u8,
    piece_bytes: usize,
    /// What was read behind the last piece.
    rest: Vec<u8>,
    begun: bool,
    ended: bool,
}

impl<R: Read> Splitter<R> {
    /// From the beginning of `input`, in pieces of about `piece_bytes`.
    pub(super) fn new(input: R, delimiter: u8, piece_bytes: usize) -> Self {
        Self {
            input,
            delimiter,
            piece_bytes,
            rest: Vec::new(),
            begun: false,
            ended: false,
        }
    }

    fn cut(&mut self) -> Result<Option<Piece>, Uncut> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut wanted = match self.begun {
            true => self.piece_bytes,
            false => self.piece_bytes.min(FIRST_BYTES),
        };
        loop {
            self.fill(&mut bytes, wanted)?;
            let begin = match self.begun {
                true => 0,
                false => header_begin(&mut bytes),
            };
            let quoted = memchr::memchr(b'"', &bytes).is_some();
            let end = match (self.ended, quoted) {
                (true, false) => bytes.len(),
                (false, false) => memchr::memrchr(b'\n', &bytes).map_or(0, |place| place + 1),
                (ended, true) => {
                    whole_records(&bytes, self.delimiter, ended).map_err(|_| Uncut::Odd)?
                }
            };
            if end > begin || self.ended {
                self.rest = bytes.split_off(end);
                let header = !std::mem::replace(&mut self.begun, true);
                let piece = Piece {
                    bytes,
                    header,
                    quoted,
                };
                return Ok(Some(piece).filter(|piece| !piece.bytes.is_empty()));
            }
            if bytes.len() > PIECE_BYTES_MAX {
                return Err(Uncut::Odd);
            }
            wanted = bytes.len() * 2 + self.piece_bytes;
        }
    }

    /// Reads until there are `wanted` bytes or no more.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> Result<(), Uncut> {
        let missing = wanted.saturating_sub(bytes.len());
        bytes.reserve(missing);
        let read = self.input.by_ref().take(missing as u64).read_to_end(bytes);
        self.ended |= read.map_err(Uncut::Unread)? < missing;
        Ok(())
    }
}

/// Where the header begins, behind empty lines, of which all but one byte are dropped: it keeps a mark that is not at the very
/// beginning from being taken for a byte-order mark.
fn header_begin(bytes: &mut Vec<u8>) -> usize {
    let mark = match bytes.starts_with(BYTE_ORDER_MARK) {
        true => BYTE_ORDER_MARK.len(),
        false => 0,
    };
    let blank = bytes.iter().skip(mark);
    let blank = blank
        .take_while(|byte| matches!(byte, b'\n' | b'\r'))
        .count();
    bytes.drain(mark..mark + blank.saturating_sub(1));
    mark + blank.min(1)
}

impl<R: Read> Iterator for Splitter<R> {
    type Item = Result<Piece, Uncut>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.begun && self.ended && self.rest.is_empty() {
            return None;
        }
        let piece = self.cut();
        if piece.is_err() {
            (self.begun, self.ended) = (true, true);
            self.rest.clear();
        }
        piece.transpose()
    }
}
