//! How one row's values are written: group code, which measures have a value, and the measures.

/// Which parts a record has. All records of a spill have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueLayout {
    /// Whether the side has a group key: four bytes.
    pub(crate) code: bool,
    /// Eight bytes and one bit each, the bits filled up to bytes.
    pub(crate) measures: usize,
}

const CODE_BYTES: usize = 4;
const MEASURE_BYTES: usize = 8;

impl ValueLayout {
    /// Bytes of a record; 0 where nothing is asked of rows.
    pub(crate) fn width(self) -> usize {
        self.measures_begin() + MEASURE_BYTES * self.measures
    }

    /// Writes a record to `out`, which has room for it. NULL is written as 0 without its bit.
    pub(super) fn write(
        self,
        code: u32,
        measures: impl Iterator<Item = Option<i64>>,
        out: &mut [u8],
    ) {
        let (head, values) = out.split_at_mut(self.measures_begin());
        let (coded, bits) = head.split_at_mut(self.bits_begin());
        if self.code {
            coded.copy_from_slice(&code.to_le_bytes());
        }
        bits.fill(0);
        let values = values.chunks_exact_mut(MEASURE_BYTES);
        for ((place, measure), out) in measures.enumerate().zip(values) {
            out.copy_from_slice(&measure.unwrap_or(0).to_le_bytes());
            bits[place / 8] |= u8::from(measure.is_some()) << (place % 8);
        }
    }

    /// A record's group code; 0 where the side has no group key.
    pub(crate) fn code(self, record: &[u8]) -> u32 {
        let code = record.first_chunk().filter(|_| self.code);
        code.map_or(0, |code| u32::from_le_bytes(*code))
    }

    /// One measure of a record; `None` where it has no value.
    pub(crate) fn measure(self, record: &[u8], place: usize) -> Option<i64> {
        let bits = record.get(self.bits_begin() + place / 8)?;
        let begin = self.measures_begin() + MEASURE_BYTES * place;
        let value = record.get(begin..)?.first_chunk()?;
        (bits >> (place % 8) & 1 == 1).then(|| i64::from_le_bytes(*value))
    }

    fn bits_begin(self) -> usize {
        CODE_BYTES * usize::from(self.code)
    }

    fn measures_begin(self) -> usize {
        self.bits_begin() + self.measures.div_ceil(8)
    }
}
