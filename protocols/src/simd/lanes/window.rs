//! The convolution with its whole window in registers, for CPUs with 32 registers of 512 bits and masks.
//!
//! A register holds the places of two lanes of two blocks, or of four lanes of one. One step makes as many places as a register
//! holds, all from the same registers: for each place the bits of its coefficients, moved to where its window begins, become the
//! masks under which the registers are added up. What only now comes to be is added at the end. So nothing is loaded that was
//! just stored. Masks depend on the public coefficients alone.

use super::{Block, SCALER, WINDOW, x86};
use std::arch::x86_64::*;

#[inline]
pub(super) fn available() -> bool {
    crate::simd::special_instructions()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("vpclmulqdq")
        && is_x86_feature_detected!("bmi2")
}

/// `x86::scaled` of four blocks.
#[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
#[inline]
fn scaled<const SCALED: bool>(sum: __m512i) -> __m512i {
    if !SCALED {
        return sum;
    }
    let constants = _mm512_broadcast_i32x4(_mm_set_epi64x(0x87, SCALER as i64));
    let low = _mm512_clmulepi64_epi128(sum, constants, 0x00);
    let high = _mm512_clmulepi64_epi128(sum, constants, 0x01);
    let low = _mm512_xor_si512(low, _mm512_bslli_epi128::<8>(high));
    let carried = _mm512_bsrli_epi128::<8>(high);
    _mm512_xor_si512(low, _mm512_clmulepi64_epi128(carried, constants, 0x10))
}

fn bits([a, b, c]: [u8; 3]) -> u64 {
    u64::from(u32::from_le_bytes([a, b, c, 0]))
}

/// `sum` plus the words of `addend` that `mask` names.
#[target_feature(enable = "avx512f")]
#[inline]
fn add(sum: __m512i, mask: u8, addend: __m512i) -> __m512i {
    _mm512_mask_xor_epi64(sum, mask, sum, addend)
}

/// Lanes of one block, four in a register.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,vpclmulqdq,bmi2,avx2,sse3,pclmulqdq")]
pub(super) fn convolve_one<const SCALED: bool>(blocks: &mut [Block], coefficients: &[[u8; 3]]) {
    const LANES: usize = 4;
    const REGISTERS: usize = 7;
    const KNOWN: usize = LANES * REGISTERS;
    let places = blocks.len();
    if places < KNOWN + LANES {
        return x86::convolve_one::<SCALED>(blocks, coefficients);
    }
    x86::convolve_one::<SCALED>(&mut blocks[..KNOWN], coefficients);
    let first: *mut Block = blocks.as_mut_ptr();
    // SAFETY: the first KNOWN places lie inside `blocks`; loads are unaligned ones.
    let mut window: [__m512i; REGISTERS] =
        std::array::from_fn(|i| unsafe { _mm512_loadu_si512(first.add(LANES * i).cast()) });
    let mut i = KNOWN;
    while i + LANES <= places {
        // SAFETY: the four places from i on lie inside `blocks`.
        let new = unsafe { _mm512_loadu_si512(first.add(i).cast()) };
        // The places 25 before: the last block of the oldest register and three of the next.
        let oldest = _mm512_alignr_epi64::<6>(window[1], window[0]);
        let own = scaled::<SCALED>(_mm512_xor_si512(new, oldest));
        let mut made = [own; LANES];
        for lane in 0..LANES {
            let bits = bits(coefficients[i + lane]) << lane;
            let masks = _pdep_u64(bits, 0x5555_5555_5555) * 3;
            let mut sums = [
                _mm512_maskz_mov_epi64(3 << (2 * lane), own),
                _mm512_setzero_si512(),
            ];
            for k in 0..REGISTERS - 1 {
                sums[k % 2] = add(sums[k % 2], (masks >> (8 * k)) as u8, window[k + 1]);
            }
            let sum = _mm512_xor_si512(sums[0], sums[1]);
            let sum = _mm512_xor_si512(sum, _mm512_shuffle_i64x2::<0b01_00_11_10>(sum, sum));
            let mut sum = _mm512_xor_si512(sum, _mm512_shuffle_i64x2::<0b10_11_00_01>(sum, sum));
            for (earlier, addend) in made[..lane].iter().enumerate() {
                let mask = (((bits >> (24 + earlier)) & 1) as u8).wrapping_neg();
                sum = add(sum, mask, *addend);
            }
            made[lane] = sum;
        }
        let made = _mm512_mask_blend_epi64(
            0xf0,
            _mm512_mask_blend_epi64(0x0c, made[0], made[1]),
            _mm512_mask_blend_epi64(0xc0, made[2], made[3]),
        );
        // SAFETY: as for the load.
        unsafe { _mm512_storeu_si512(first.add(i).cast(), made) };
        window = std::array::from_fn(|k| window.get(k + 1).copied().unwrap_or(made));
        i += LANES;
    }
    let rest = i - WINDOW;
    x86::convolve_one::<SCALED>(&mut blocks[rest..], &coefficients[rest..]);
}

/// Lanes of two blocks, two in a register.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,vpclmulqdq,bmi2,avx2,pclmulqdq")]
pub(super) fn convolve_two(blocks: &mut [Block], coefficients: &[[u8; 3]]) {
    const LANES: usize = 2;
    const REGISTERS: usize = 13;
    const KNOWN: usize = LANES * REGISTERS;
    let places = blocks.len() / 2;
    if places < KNOWN + LANES {
        return x86::convolve_two(blocks, coefficients);
    }
    x86::convolve_two(&mut blocks[..2 * KNOWN], coefficients);
    let first: *mut Block = blocks.as_mut_ptr();
    // SAFETY: the first KNOWN places of two blocks lie inside `blocks`; loads are unaligned ones.
    let mut window: [__m512i; REGISTERS] =
        std::array::from_fn(|i| unsafe { _mm512_loadu_si512(first.add(2 * LANES * i).cast()) });
    let mut i = KNOWN;
    while i + LANES <= places {
        // SAFETY: the two places from i on lie inside `blocks`.
        let new = unsafe { _mm512_loadu_si512(first.add(2 * i).cast()) };
        // The places 25 before: the second of the oldest register and the first of the next.
        let oldest = _mm512_alignr_epi64::<4>(window[1], window[0]);
        let own = scaled::<true>(_mm512_xor_si512(new, oldest));
        let mut made = [own; LANES];
        for lane in 0..LANES {
            let bits = bits(coefficients[i + lane]) << lane;
            let masks = [
                _pdep_u64(bits, 0x1111_1111_1111_1111) * 15,
                _pdep_u64(bits >> 16, 0x1111_1111) * 15,
            ];
            let mut sums = [
                _mm512_maskz_mov_epi64(15 << (4 * lane), own),
                _mm512_setzero_si512(),
            ];
            for k in 0..REGISTERS - 1 {
                let mask = (masks[k / 8] >> (8 * (k % 8))) as u8;
                sums[k % 2] = add(sums[k % 2], mask, window[k + 1]);
            }
            let sum = _mm512_xor_si512(sums[0], sums[1]);
            let mut sum = _mm512_xor_si512(sum, _mm512_shuffle_i64x2::<0b01_00_11_10>(sum, sum));
            for (earlier, addend) in made[..lane].iter().enumerate() {
                let mask = (((bits >> (24 + earlier)) & 1) as u8).wrapping_neg();
                sum = add(sum, mask, *addend);
            }
            made[lane] = sum;
        }
        let made = _mm512_mask_blend_epi64(0xf0, made[0], made[1]);
        // SAFETY: as for the load.
        unsafe { _mm512_storeu_si512(first.add(2 * i).cast(), made) };
        window = std::array::from_fn(|k| window.get(k + 1).copied().unwrap_or(made));
        i += LANES;
    }
    let rest = i - WINDOW;
    x86::convolve_two(&mut blocks[2 * rest..], &coefficients[rest..]);
}
