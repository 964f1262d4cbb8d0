//! A hint's bits: target, code and words, one after the other from the lowest bit of the first 64-bit word on.
//!
//! A row, a bin's masks and their difference all have this form. Subtracting masks from a row is done for all fields at once: every bit of
//! target, code and rest is a field of one bit, in which to subtract is to add, and the highest bit of each word's field is
//! kept from borrowing over its border (Lamport, "Multiple byte processing with full-word instructions", 1975).

use super::super::word::Word;
use std::ops::Range;

/// Bits of a 64-bit word.
const WORD: usize = u64::BITS as usize;
/// Bits of the two words of a plane.
const PAIR: usize = 2 * WORD;
/// Words after the last row, so that a field is read and written as three words wherever it stands.
const AFTER: usize = 2;

/// Where everything stands; public.
#[derive(Clone, Debug)]
pub(super) struct Format {
    target: Field,
    code: Field,
    fields: Vec<Field>,
    words: usize,
    /// Bits that do not borrow from the next: all that are exclusive-ored, and the highest of each number.
    borders: Vec<u128>,
}

/// Some of a row's bits; where there are none, it starts at the first.
#[derive(Clone, Copy, Debug)]
struct Field {
    start: usize,
    bits: usize,
}

impl Field {
    /// As many ones as it has bits.
    fn mask(self) -> u128 {
        u128::MAX
            .checked_shl(self.bits as u32)
            .map_or(u128::MAX, |above| !above)
    }
}

impl Format {
    /// For targets and codes of so many bits and words of `bits` bits each.
    ///
    /// # Panics
    /// If a field is wider than what it is read into: a caller's defect.
    pub(super) fn new(target: u32, code: u32, bits: &[u32]) -> Self {
        assert!(target <= 128 && code <= 32 && bits.iter().all(|bits| *bits <= 128));
        let mut end = 0;
        let mut field = |bits: u32| {
            let bits = bits as usize;
            let start = if bits == 0 { 0 } else { end };
            end += bits;
            Field { start, bits }
        };
        let (target, code) = (field(target), field(code));
        let fields: Vec<Field> = bits.iter().map(|bits| field(*bits)).collect();
        let words = end.div_ceil(WORD);
        let mut borders = vec![u128::MAX; words.div_ceil(2)];
        for Field { start, bits } in &fields {
            for bit in *start..(start + bits).saturating_sub(1) {
                borders[bit / PAIR] &= !(1 << (bit % PAIR));
            }
        }
        Self {
            target,
            code,
            fields,
            words,
            borders,
        }
    }

    /// 64-bit words of a hint.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// Bits of a target.
    pub(super) fn target_bits(&self) -> u32 {
        self.target.bits as u32
    }

    /// Greatest code.
    pub(super) fn code_max(&self) -> u32 {
        ((1u64 << self.code.bits) - 1) as u32
    }

    /// Numbers of a row.
    pub(super) fn numbers_a_row(&self) -> usize {
        self.fields.len()
    }

    /// Packed rows, all zero.
    pub(super) fn room(&self, rows: usize) -> Vec<u64> {
        vec![0; rows * self.words + AFTER]
    }

    /// How many packed rows these are.
    fn rows(&self, packed: &[u64]) -> usize {
        (packed.len() - AFTER) / self.words
    }

    /// Packs codes and rows of numbers into what [`Self::room`] made; targets are zero, and so is the rest.
    pub(super) fn pack<W: Word>(&self, codes: &[u32], numbers: &[W], packed: &mut [u64]) {
        self.put(
            self.code,
            codes.iter().map(|code| u128::from(*code)),
            packed,
        );
        for (place, field) in self.fields.iter().enumerate() {
            let column = numbers.iter().skip(place).step_by(self.fields.len());
            self.put(*field, column.map(|number| number.to_u128()), packed);
        }
    }

    /// `row − mask`, field by field, in the two words of one plane; the last plane may have one, whose other is noise. `borrow` goes from
    /// a row's plane to its next, and begins as false.
    #[inline]
    pub(super) fn subtract(&self, plane: usize, row: u128, mask: u128, borrow: &mut bool) -> u128 {
        let border = self.borders[plane];
        let (low, first) = (row | border).overflowing_sub(mask & !border);
        let (low, second) = low.overflowing_sub(u128::from(*borrow));
        *borrow = first | second;
        low ^ ((row ^ !mask) & border)
    }

    /// The two words of one plane of a packed row; where the last plane has one, the other is the next row's.
    #[inline]
    pub(super) fn pair(&self, packed: &[u64], row: usize, plane: usize) -> u128 {
        let at = row * self.words + 2 * plane;
        u128::from(packed[at]) | u128::from(packed[at + 1]) << WORD
    }

    /// Sets the two words of one plane of a packed row, or the one that there is.
    #[inline]
    pub(super) fn set_pair(&self, packed: &mut [u64], row: usize, plane: usize, pair: u128) {
        let at = row * self.words + 2 * plane;
        packed[at] = pair as u64;
        if 2 * plane + 1 < self.words {
            packed[at + 1] = (pair >> WORD) as u64;
        }
    }

    /// Some of the rows, to be unpacked.
    pub(super) fn some_rows<'a>(&self, packed: &'a [u64], rows: Range<usize>) -> &'a [u64] {
        &packed[rows.start * self.words..rows.end * self.words + AFTER]
    }

    /// The targets of packed rows.
    pub(super) fn targets(&self, packed: &[u64]) -> Vec<u128> {
        self.taken(self.target, packed, |target| target)
    }

    /// Their codes.
    pub(super) fn codes(&self, packed: &[u64]) -> Vec<u32> {
        self.taken(self.code, packed, |code| code as u32)
    }

    /// Their numbers, row by row, from zero up to each one's modulus.
    pub(super) fn numbers<W: Word>(&self, packed: &[u64]) -> Vec<W> {
        if let [only] = self.fields[..] {
            return self.taken(only, packed, W::from_u128);
        }
        let mut numbers = vec![W::ZERO; self.fields.len() * self.rows(packed)];
        for (place, field) in self.fields.iter().enumerate() {
            let column = numbers.iter_mut().skip(place).step_by(self.fields.len());
            for (row, number) in column.enumerate() {
                *number = W::from_u128(self.take(*field, packed, row));
            }
        }
        numbers
    }

    fn taken<T>(&self, field: Field, packed: &[u64], value: impl Fn(u128) -> T) -> Vec<T> {
        let rows = 0..self.rows(packed);
        rows.map(|row| value(self.take(field, packed, row)))
            .collect()
    }

    /// Adds one value a row to a field that is zero, without the bits it has no room for.
    fn put(&self, field: Field, values: impl Iterator<Item = u128>, packed: &mut [u64]) {
        let (word, shift, mask) = (field.start / WORD, field.start % WORD, field.mask());
        for (row, value) in values.enumerate() {
            let value = value & mask;
            let (low, high) = (value << shift, (value >> (WORD - shift)) >> WORD);
            let at = row * self.words + word;
            packed[at] |= low as u64;
            packed[at + 1] |= (low >> WORD) as u64;
            packed[at + 2] |= high as u64;
        }
    }

    /// One row's value.
    #[inline(always)]
    fn take(&self, field: Field, packed: &[u64], row: usize) -> u128 {
        let (word, shift) = (field.start / WORD, field.start % WORD);
        let at = row * self.words + word;
        let low = u128::from(packed[at]) | u128::from(packed[at + 1]) << WORD;
        let high = u128::from(packed[at + 2]) << WORD;
        ((low >> shift) | (high << (WORD - shift))) & field.mask()
    }
}
