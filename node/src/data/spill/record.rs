//! How one row's id is written: digest, row, and what the policy's rules need, in as few bytes as they take.

use crate::data::one_row::Digest16;

/// Which parts a record has. All records of a spill have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Layout {
    /// Whether consent is given: one byte.
    pub(crate) consent: bool,
    /// The place of the row in the order of `latest`: 16 bytes.
    pub(crate) latest: bool,
}

/// One row with a usable id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) digest: Digest16,
    pub(crate) row: u32,
    pub(crate) consent: bool,
    pub(crate) latest: i128,
}

const DIGEST_BYTES: usize = 16;
const ROW_BYTES: usize = 4;
const CONSENT_BYTES: usize = 1;
const LATEST_BYTES: usize = 16;

impl Layout {
    /// Bytes of a record.
    pub(crate) fn width(self) -> usize {
        DIGEST_BYTES
            + ROW_BYTES
            + CONSENT_BYTES * usize::from(self.consent)
            + LATEST_BYTES * usize::from(self.latest)
    }

    /// Writes `record` to the beginning of `out`, which has room.
    pub(crate) fn write(self, record: &Record, out: &mut [u8]) {
        let (digest, rest) = out.split_at_mut(DIGEST_BYTES);
        digest.copy_from_slice(&record.digest);
        let (row, rest) = rest.split_at_mut(ROW_BYTES);
        row.copy_from_slice(&record.row.to_le_bytes());
        let rest = if self.consent {
            let (consent, rest) = rest.split_at_mut(CONSENT_BYTES);
            consent.fill(u8::from(record.consent));
            rest
        } else {
            rest
        };
        if self.latest {
            let (latest, _) = rest.split_at_mut(LATEST_BYTES);
            latest.copy_from_slice(&record.latest.to_le_bytes());
        }
    }

    /// All records of a piece that holds whole ones.
    pub(crate) fn read(self, bytes: &[u8]) -> impl ExactSizeIterator<Item = Record> + '_ {
        bytes
            .chunks_exact(self.width())
            .map(move |record| self.read_one(record))
    }

    /// The record in exactly its bytes.
    pub(crate) fn read_one(self, bytes: &[u8]) -> Record {
        let latest = bytes.last_chunk().filter(|_| self.latest);
        Record {
            digest: digest_of(bytes),
            row: row_of(bytes),
            consent: !self.consent || bytes.get(DIGEST_BYTES + ROW_BYTES) == Some(&1),
            latest: latest.map_or(0, |latest| i128::from_le_bytes(*latest)),
        }
    }
}

/// The digest that a record begins with.
pub(crate) fn digest_of(record: &[u8]) -> Digest16 {
    record.first_chunk().copied().unwrap_or_default()
}

/// The row that a record is of.
pub(super) fn row_of(record: &[u8]) -> u32 {
    let row = record.get(DIGEST_BYTES..).and_then(<[u8]>::first_chunk);
    row.map_or(0, |row| u32::from_le_bytes(*row))
}
