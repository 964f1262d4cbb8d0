//! Sixty-four sums at once, each over the words that a bit of their selections picks: the authenticator of an aggregation is made of such sums.
//!
//! Words and selections may be secret: every word is added to every sum, under a mask.

/// Sums at once: one for each bit of a selection.
pub(crate) const SUMS: usize = 64;

/// Adds each word to sum k, modulo 2^64, if bit k of its selection is set.
///
/// # Panics
/// If there are not as many selections as words: a caller's defect.
pub(crate) fn add_selected(sums: &mut [u64; SUMS], selections: &[u64], words: &[u64]) {
    assert_eq!(selections.len(), words.len(), "a selection for every word");
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: the detection has just seen what the kernel needs on this CPU.
        unsafe { x86::add_selected(sums, selections, words) };
        return;
    }
    super::wide::run(
        #[inline(always)]
        || portable::add_selected(sums, selections, words),
    );
}

mod portable {
    use super::SUMS;

    /// Sums that one pass over the words goes to: as many as stay in registers.
    const ABREAST: usize = 16;

    /// [`super::add_selected`] without special instructions, written for the compiler to use vectors.
    #[inline(always)]
    pub(super) fn add_selected(sums: &mut [u64; SUMS], selections: &[u64], words: &[u64]) {
        let (passes, _) = sums.as_chunks_mut::<ABREAST>();
        for (pass, sums) in passes.iter_mut().enumerate() {
            let mut totals = *sums;
            for (selection, word) in selections.iter().zip(words) {
                let selection = selection >> (pass * ABREAST);
                for (bit, total) in totals.iter_mut().enumerate() {
                    let mask = ((selection >> bit) & 1).wrapping_neg();
                    *total = total.wrapping_add(word & mask);
                }
            }
            *sums = totals;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::SUMS;
    use std::arch::x86_64::{
        __m512i, _mm512_loadu_si512, _mm512_mask_add_epi64, _mm512_set1_epi64, _mm512_storeu_si512,
    };

    /// Sums in a register.
    const LANES: usize = 8;
    /// Registers that hold all sums: half of those there are.
    const REGISTERS: usize = SUMS / LANES;

    #[inline]
    pub(super) fn available() -> bool {
        crate::simd::special_instructions()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
    }

    /// A byte of a selection is the mask of one register's sums.
    #[target_feature(enable = "avx512f,avx512dq")]
    pub(super) fn add_selected(sums: &mut [u64; SUMS], selections: &[u64], words: &[u64]) {
        let (registers, _) = sums.as_chunks_mut::<LANES>();
        // SAFETY: i < REGISTERS, as many as there are groups of eight words in `sums`; loads are unaligned ones.
        let mut totals: [__m512i; REGISTERS] =
            std::array::from_fn(|i| unsafe { _mm512_loadu_si512(registers[i].as_ptr().cast()) });
        for (selection, word) in selections.iter().zip(words) {
            let word = _mm512_set1_epi64(*word as i64);
            for (total, mask) in totals.iter_mut().zip(selection.to_le_bytes()) {
                *total = _mm512_mask_add_epi64(*total, mask, *total, word);
            }
        }
        for (register, total) in registers.iter_mut().zip(totals) {
            // SAFETY: a group of eight words is as long as a register; stores are unaligned ones.
            unsafe { _mm512_storeu_si512(register.as_mut_ptr().cast(), total) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bit by bit, with branches.
    fn by_definition(sums: &[u64; SUMS], pairs: &[(u64, u64)]) -> [u64; SUMS] {
        std::array::from_fn(|bit| {
            let picked = pairs
                .iter()
                .filter(|(selection, _)| selection >> bit & 1 == 1);
            picked.fold(sums[bit], |sum, (_, word)| sum.wrapping_add(*word))
        })
    }

    proptest! {
        #[test]
        fn kernels_and_portable_twin_add_what_is_selected(first: u64, pairs in prop::collection::vec(any::<(u64, u64)>(), 0..200)) {
            let sums = std::array::from_fn(|bit| first.rotate_left(bit as u32));
            let (selections, words): (Vec<u64>, Vec<u64>) = pairs.iter().copied().unzip();
            let expected = by_definition(&sums, &pairs);
            let run = |add: &dyn Fn(&mut [u64; SUMS])| {
                let mut sums = sums;
                add(&mut sums);
                sums
            };
            prop_assert_eq!(run(&|sums| add_selected(sums, &selections, &words)), expected);
            prop_assert_eq!(run(&|sums| portable::add_selected(sums, &selections, &words)), expected);
            // The same source as the compiler makes it for AVX2, if this CPU has it.
            let wide = |sums: &mut [u64; SUMS]| crate::simd::wide::run(|| portable::add_selected(sums, &selections, &words));
            prop_assert_eq!(run(&wide), expected);
        }
    }

    #[test]
    fn all_and_no_bits_select_all_and_no_words() {
        let mut sums = [5; SUMS];
        add_selected(&mut sums, &[u64::MAX, 0, u64::MAX], &[7, 100, u64::MAX]);
        assert_eq!(sums, [11; SUMS]);
    }
}
