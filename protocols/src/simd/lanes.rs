//! Sums of lanes (one or two blocks) for the expand-convolute code: whole lanes in one vector register where the CPU has them wide
//! enough.

#[cfg(target_arch = "x86_64")]
mod window;

use crate::block::Block;

/// A lane: K elements of GF(2^128).
pub(crate) type Lane<const K: usize> = [Block; K];

/// What the convolution multiplies with, as an element of GF(2^128): the golden ratio's first 64 bits, so that nobody chose it.
///
/// Without it the code's coefficients would all be bits, and each of a block's 128 bits a code word of its own, with noise at
/// the same places: an attacker could split them and look for a test in which half of the noise happens to be zero.
pub(crate) const SCALER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Places that one step of the convolution looks back.
pub(crate) const WINDOW: usize = 25;

/// For i from [`WINDOW`] on: adds to `places[i]` the place `WINDOW` before it, multiplies by [`SCALER`] if `SCALED`, and adds those of
/// the 24 places just before it whose bit in `coefficients[i]` is set, the oldest first.
///
/// # Panics
/// If there are fewer coefficients than places: a caller's defect.
pub(crate) fn convolve<const K: usize, const SCALED: bool>(
    places: &mut [Lane<K>],
    coefficients: &[[u8; 3]],
) {
    assert!(
        coefficients.len() >= places.len(),
        "coefficients for every place"
    );
    #[cfg(target_arch = "x86_64")]
    if (K == 1 || K == 2 && SCALED) && x86::available() {
        let blocks = places.as_flattened_mut();
        // SAFETY: the detections have just seen what the kernels need on this CPU.
        unsafe {
            match (K, window::available()) {
                (1, false) => x86::convolve_one::<SCALED>(blocks, coefficients),
                (1, true) => window::convolve_one::<SCALED>(blocks, coefficients),
                (_, false) => x86::convolve_two(blocks, coefficients),
                (_, true) => window::convolve_two(blocks, coefficients),
            }
        }
        return;
    }
    portable::convolve::<K, SCALED>(places, coefficients);
}

/// Outputs ahead of which [`gather`] asks for places: far enough to hide the last cache's latency, near enough not to be evicted.
const AHEAD: usize = 12;

/// Adds to each sum the places that its row of `indices` names.
///
/// # Panics
/// If an index is outside `places`: a caller's defect.
pub(crate) fn gather<const K: usize, const W: usize>(
    sums: &mut [Lane<K>],
    places: &[Lane<K>],
    indices: &[[u32; W]],
) {
    for (i, (sum, row)) in sums.iter_mut().zip(indices).enumerate() {
        for index in indices.get(i + AHEAD).into_iter().flatten() {
            prefetch(&places[*index as usize]);
        }
        let mut total = *sum;
        for index in row {
            for (total, place) in total.iter_mut().zip(&places[*index as usize]) {
                *total ^= *place;
            }
        }
        *sum = total;
    }
}

#[inline(always)]
fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of a live reference has no effect but on the cache; SSE is part of x86-64.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// For each byte, its eight bits as masks: a load instead of a shift and a negation in the hottest loop.
static MASKS: [[u64; 8]; 256] = {
    let mut masks = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            masks[byte][bit] = (((byte >> bit) & 1) as u64).wrapping_neg();
            bit += 1;
        }
        byte += 1;
    }
    masks
};

pub(crate) mod portable {
    use super::{Lane, MASKS, SCALER, WINDOW};
    use crate::block::Block;
    use crate::simd::clmul::portable::multiply;

    /// [`super::convolve`] without special instructions.
    pub(crate) fn convolve<const K: usize, const SCALED: bool>(
        places: &mut [Lane<K>],
        coefficients: &[[u8; 3]],
    ) {
        for i in WINDOW..places.len() {
            let (before, rest) = places.split_at_mut(i);
            step::<K, SCALED>(&mut rest[0], &before[i - WINDOW..], coefficients[i]);
        }
    }

    /// One step, for a place whose window does not stand before it in memory as well.
    pub(crate) fn step<const K: usize, const SCALED: bool>(
        place: &mut Lane<K>,
        window: &[Lane<K>],
        coefficients: [u8; 3],
    ) {
        let (oldest, window) = window.split_first().expect("a window is not empty");
        for (block, oldest) in place.iter_mut().zip(oldest) {
            *block ^= *oldest;
            if SCALED {
                *block = multiply(*block, Block(SCALER as u128));
            }
        }
        let masks = coefficients.iter().flat_map(|byte| MASKS[*byte as usize]);
        for (looked_at, mask) in window.iter().zip(masks) {
            let mask = Block((u128::from(mask) << 64) | u128::from(mask));
            for (block, looked_at) in place.iter_mut().zip(looked_at) {
                *block ^= *looked_at & mask;
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Block, MASKS, SCALER, WINDOW};
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_and_si128, _mm_castpd_si128, _mm_clmulepi64_si128, _mm_loaddup_pd,
        _mm_loadu_si128, _mm_set_epi64x, _mm_slli_si128, _mm_srli_si128, _mm_storeu_si128,
        _mm_xor_si128, _mm256_and_si256, _mm256_loadu_si256, _mm256_set_m128i, _mm256_set1_epi64x,
        _mm256_storeu_si256, _mm256_xor_si256,
    };

    #[inline]
    pub(super) fn available() -> bool {
        crate::simd::special_instructions()
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("sse3")
            && is_x86_feature_detected!("pclmulqdq")
    }

    /// `(place + oldest)·SCALER`, or the sum alone: a product of 128 by 64 bits, whose upper 64 fold back once.
    #[target_feature(enable = "avx2,pclmulqdq")]
    #[inline]
    fn scaled<const SCALED: bool>(place: __m128i, oldest: __m128i) -> __m128i {
        let constants = _mm_set_epi64x(0x87, SCALER as i64);
        let sum = _mm_xor_si128(place, oldest);
        if !SCALED {
            return sum;
        }
        let low = _mm_clmulepi64_si128(sum, constants, 0x00);
        let high = _mm_clmulepi64_si128(sum, constants, 0x01);
        let low = _mm_xor_si128(low, _mm_slli_si128(high, 8));
        let carried = _mm_srli_si128(high, 8);
        _mm_xor_si128(low, _mm_clmulepi64_si128(carried, constants, 0x10))
    }

    /// `blocks` are lanes of two, one after the other.
    #[target_feature(enable = "avx2,pclmulqdq")]
    pub(super) fn convolve_two(blocks: &mut [Block], coefficients: &[[u8; 3]]) {
        let places = blocks.len() / 2;
        let first: *mut __m256i = blocks.as_mut_ptr().cast();
        for (i, coefficients) in coefficients.iter().enumerate().take(places).skip(WINDOW) {
            // SAFETY: WINDOW ≤ i < places, so lanes i − WINDOW ..= i lie inside `blocks`; loads and stores are unaligned ones.
            unsafe {
                let window = first.add(i - WINDOW);
                let [place, oldest]: [*const __m128i; 2] = [first.add(i).cast(), window.cast()];
                let halves = [0, 1].map(|half| {
                    scaled::<true>(
                        _mm_loadu_si128(place.add(half)),
                        _mm_loadu_si128(oldest.add(half)),
                    )
                });
                let mut sums = [
                    _mm256_set_m128i(halves[1], halves[0]),
                    _mm256_set1_epi64x(0),
                ];
                for (byte, coefficients) in coefficients.iter().enumerate() {
                    let masks = &MASKS[*coefficients as usize];
                    for (bit, mask) in masks.iter().enumerate() {
                        let looked_at = _mm256_loadu_si256(window.add(1 + 8 * byte + bit));
                        let mask = _mm256_set1_epi64x(*mask as i64);
                        sums[bit % 2] =
                            _mm256_xor_si256(sums[bit % 2], _mm256_and_si256(looked_at, mask));
                    }
                }
                _mm256_storeu_si256(first.add(i), _mm256_xor_si256(sums[0], sums[1]));
            }
        }
    }

    #[target_feature(enable = "avx2,sse3,pclmulqdq")]
    pub(super) fn convolve_one<const SCALED: bool>(blocks: &mut [Block], coefficients: &[[u8; 3]]) {
        let places = blocks.len();
        let first: *mut __m128i = blocks.as_mut_ptr().cast();
        for (i, coefficients) in coefficients.iter().enumerate().take(places).skip(WINDOW) {
            // SAFETY: WINDOW ≤ i < places, so lanes i − WINDOW ..= i lie inside `blocks`; loads and stores are unaligned ones.
            unsafe {
                let window = first.add(i - WINDOW);
                let mut sums = [
                    scaled::<SCALED>(_mm_loadu_si128(first.add(i)), _mm_loadu_si128(window)),
                    _mm_set_epi64x(0, 0),
                ];
                for (byte, coefficients) in coefficients.iter().enumerate() {
                    let masks = &MASKS[*coefficients as usize];
                    for (bit, mask) in masks.iter().enumerate() {
                        let looked_at = _mm_loadu_si128(window.add(1 + 8 * byte + bit));
                        let mask = _mm_castpd_si128(_mm_loaddup_pd((mask as *const u64).cast()));
                        sums[bit % 2] =
                            _mm_xor_si128(sums[bit % 2], _mm_and_si128(looked_at, mask));
                    }
                }
                _mm_storeu_si128(first.add(i), _mm_xor_si128(sums[0], sums[1]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;
    use rand_core::Rng;

    fn kernel_agrees<const K: usize, const SCALED: bool>() {
        let mut rng = Prg::new(Block(11));
        for count in [0, 1, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 100] {
            let mut places = vec![[Block::ZERO; K]; count];
            rng.fill_blocks(places.as_flattened_mut());
            let mut coefficients = vec![[0u8; 3]; count];
            rng.fill_bytes(coefficients.as_flattened_mut());
            let mut expected = places.clone();
            portable::convolve::<K, SCALED>(&mut expected, &coefficients);
            convolve::<K, SCALED>(&mut places, &coefficients);
            assert_eq!(places, expected, "{count} places of {K} blocks");
        }
    }

    #[test]
    fn kernel_and_portable_twin_agree() {
        kernel_agrees::<1, true>();
        kernel_agrees::<2, true>();
        kernel_agrees::<1, false>();
    }

    #[test]
    fn gathering_adds_the_named_places() {
        let places: Vec<Lane<1>> = (0..40).map(|i| [Block(1 << i)]).collect();
        let indices: Vec<[u32; 2]> = (0..30).map(|i| [i, i + 10]).collect();
        let mut sums = vec![[Block(1 << 100)]; 30];
        gather(&mut sums, &places, &indices);
        for (i, sum) in sums.iter().enumerate() {
            assert_eq!(*sum, [Block((1 << 100) | (1 << i) | (1 << (i + 10)))]);
        }
    }
}
