//! Multiplication in GF(2^64) = GF(2)\[x\] / (x^64 + x^4 + x^3 + x + 1), by carry-less multiplication where the CPU has it.
//!
//! Both twins run in time independent of the operands.

use super::clmul;
use crate::block::Block;

/// `a·b`.
#[inline]
pub(crate) fn multiply(a: u64, b: u64) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if clmul::x86::available() {
        // SAFETY: `available` has just seen PCLMULQDQ and SSE4.1 on this CPU.
        return unsafe { x86::multiply(a, b) };
    }
    portable::multiply(a, b)
}

/// `sums[i] ^= Σ_k points[i]^(k+1)·coefficients[k]`, the points being low halves, over the shorter of the two; by Horner's rule.
pub(crate) fn add_polynomials(sums: &mut [u64], points: &[Block], coefficients: &[u64]) {
    #[cfg(target_arch = "x86_64")]
    if clmul::x86::available() {
        // SAFETY: both detections have just seen what the kernels need on this CPU.
        unsafe {
            match clmul::x86::wide_available() {
                true => x86::wide::add_polynomials(sums, points, coefficients),
                false => x86::add_polynomials(sums, points, coefficients),
            }
        }
        return;
    }
    portable::add_polynomials(sums, points, coefficients);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Block;
    use std::arch::x86_64::*;

    /// x^64 = x^4 + x^3 + x + 1.
    const FOLD: i64 = 0x1b;

    #[target_feature(enable = "pclmulqdq,sse4.1")]
    #[inline]
    fn word(value: u64) -> __m128i {
        _mm_cvtsi64_si128(value as i64)
    }

    #[target_feature(enable = "pclmulqdq,sse4.1")]
    #[inline]
    fn low(vector: __m128i) -> u64 {
        _mm_cvtsi128_si64(vector) as u64
    }

    /// The product of the low halves, in the low half; the high one is noise.
    #[target_feature(enable = "pclmulqdq,sse4.1")]
    #[inline]
    fn product(a: __m128i, b: __m128i) -> __m128i {
        let fold = _mm_set_epi64x(0, FOLD);
        let product = _mm_clmulepi64_si128(a, b, 0x00);
        // The high half folds to up to 68 bits, whose own high half folds once more.
        let once = _mm_clmulepi64_si128(product, fold, 0x01);
        let twice = _mm_clmulepi64_si128(once, fold, 0x01);
        _mm_xor_si128(product, _mm_xor_si128(once, twice))
    }

    #[target_feature(enable = "pclmulqdq,sse4.1")]
    #[inline]
    pub(super) fn multiply(a: u64, b: u64) -> u64 {
        low(product(word(a), word(b)))
    }

    #[target_feature(enable = "pclmulqdq,sse4.1")]
    pub(super) fn add_polynomials(sums: &mut [u64], points: &[Block], coefficients: &[u64]) {
        for (sum, point) in sums.iter_mut().zip(points) {
            let (point, mut value) = (word(point.low()), word(0));
            for coefficient in coefficients.iter().rev() {
                value = product(_mm_xor_si128(value, word(*coefficient)), point);
            }
            *sum ^= low(value);
        }
    }

    /// Four products at a time, one in the low half of each lane. What does not fill four vectors is left to the narrow kernel.
    pub(super) mod wide {
        use super::{Block, FOLD};
        use std::arch::x86_64::*;

        /// Words of a vector, each with 128 bits of room.
        const WORDS: usize = 4;
        /// Vectors side by side, so that no multiplication waits for the one before.
        const ABREAST: usize = 4;
        const BATCH: usize = WORDS * ABREAST;
        /// The low half of each lane.
        const LOW_HALVES: u8 = 0x55;

        /// As [`super::product`].
        #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
        #[inline]
        fn product(a: __m512i, b: __m512i) -> __m512i {
            let fold = _mm512_set1_epi64(FOLD);
            let product = _mm512_clmulepi64_epi128(a, b, 0x00);
            let once = _mm512_clmulepi64_epi128(product, fold, 0x01);
            let twice = _mm512_clmulepi64_epi128(once, fold, 0x01);
            _mm512_xor_si512(product, _mm512_xor_si512(once, twice))
        }

        #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq,pclmulqdq,sse4.1")]
        pub(in super::super) fn add_polynomials(
            sums: &mut [u64],
            points: &[Block],
            coefficients: &[u64],
        ) {
            let count = sums.len().min(points.len());
            let (sums, sums_rest) = sums[..count].as_chunks_mut::<BATCH>();
            let (points, points_rest) = points[..count].as_chunks::<BATCH>();
            for (sums, points) in sums.iter_mut().zip(points) {
                let first: *const __m512i = points.as_ptr().cast();
                // SAFETY: a batch has ABREAST vectors of points; loads are unaligned ones.
                let points: [__m512i; ABREAST] =
                    std::array::from_fn(|i| unsafe { _mm512_loadu_si512(first.add(i)) });
                let mut values = [_mm512_setzero_si512(); ABREAST];
                for coefficient in coefficients.iter().rev() {
                    let coefficient = _mm512_set1_epi64(*coefficient as i64);
                    for (value, point) in values.iter_mut().zip(points) {
                        *value = product(_mm512_xor_si512(*value, coefficient), point);
                    }
                }
                let (sums, _) = sums.as_chunks_mut::<WORDS>();
                for (sums, value) in sums.iter_mut().zip(values) {
                    let packed = _mm512_maskz_compress_epi64(LOW_HALVES, value);
                    let packed = _mm512_castsi512_si256(packed);
                    let place: *mut __m256i = sums.as_mut_ptr().cast();
                    // SAFETY: four words are one vector; loads and stores are unaligned ones.
                    unsafe {
                        let sum = _mm256_xor_si256(_mm256_loadu_si256(place), packed);
                        _mm256_storeu_si256(place, sum);
                    }
                }
            }
            super::add_polynomials(sums_rest, points_rest, coefficients);
        }
    }
}

/// The same without special instructions.
pub(crate) mod portable {
    use super::Block;
    use super::clmul::portable::carryless;

    /// `a·b`.
    pub(crate) const fn multiply(a: u64, b: u64) -> u64 {
        let product = carryless(a, b);
        let (low, high) = (product as u64, (product >> 64) as u64);
        // The high half folds to up to 68 bits, whose own high half folds once more.
        let overflow = (high >> 63) ^ (high >> 61) ^ (high >> 60);
        let folded = high ^ (high << 1) ^ (high << 3) ^ (high << 4);
        low ^ folded ^ overflow ^ (overflow << 1) ^ (overflow << 3) ^ (overflow << 4)
    }

    pub(super) fn add_polynomials(sums: &mut [u64], points: &[Block], coefficients: &[u64]) {
        for (sum, point) in sums.iter_mut().zip(points) {
            let step = |value, coefficient: &u64| multiply(value ^ *coefficient, point.low());
            *sum ^= coefficients.iter().rev().fold(0, step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn kernel_and_portable_twin_agree(a: u64, b: u64) {
            prop_assert_eq!(multiply(a, b), portable::multiply(a, b));
        }

        #[test]
        fn all_kernels_of_polynomials_agree(items in prop::collection::vec(any::<(u64, u128)>(), 0..70), coefficients in prop::collection::vec(any::<u64>(), 0..5)) {
            let (sums, points): (Vec<u64>, Vec<Block>) = items.iter().map(|(sum, point)| (*sum, Block(*point))).unzip();
            let mut expected = sums.clone();
            portable::add_polynomials(&mut expected, &points, &coefficients);
            let mut added = sums.clone();
            add_polynomials(&mut added, &points, &coefficients);
            prop_assert_eq!(&added, &expected);
            #[cfg(target_arch = "x86_64")]
            if clmul::x86::available() {
                let mut narrow = sums.clone();
                // SAFETY: `available` has just seen what the kernel needs on this CPU.
                unsafe { x86::add_polynomials(&mut narrow, &points, &coefficients) };
                prop_assert_eq!(&narrow, &expected);
            }
        }
    }
}
