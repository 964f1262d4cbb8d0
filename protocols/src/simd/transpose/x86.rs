//! The kernel for CPUs with AVX-512 and GFNI.
//!
//! A register holds four words of one column, 16 bytes each; everything happens within those 16-byte lanes. Eight columns' bytes are
//! interleaved until each 64-bit part is an 8×8 square of bits, one instruction turns all squares (its affine map, with the square
//! as the matrix and the unit vectors as input), and sixteen such registers' bytes are interleaved to whole rows.

use super::{Block, ROWS, WORDS};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

#[inline]
pub(super) fn available() -> bool {
    crate::simd::special_instructions()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("gfni")
}

/// Bytes 1, 2, 4, … 128, little end first: the unit vectors of eight bits.
const UNITS: i64 = i64::from_le_bytes([1, 2, 4, 8, 16, 32, 64, 128]);

/// Rows of the four words at `columns`, of which the next column's are `stride` blocks further on.
///
/// # Safety
/// The CPU must have the kernel's features, and all 128 columns four words to read.
#[target_feature(enable = "avx512f,avx512bw,gfni")]
pub(super) unsafe fn rows(columns: *const Block, stride: usize, rows: &mut [Block; ROWS]) {
    const { assert!(WORDS == 4, "a lane a word") };
    let units = _mm512_set1_epi64(UNITS);
    // Place 16·j + k: in lane w, bytes of columns 8k…8k+7 for rows 16j…16j+15 of word w.
    let mut squares = MaybeUninit::<[__m512i; 128]>::uninit();
    let squares: *mut __m512i = squares.as_mut_ptr().cast();
    for k in 0..16 {
        // SAFETY: every column has four words to read; 16·j + k < 128; loads and stores are unaligned ones.
        unsafe {
            // From the last column to the first: the affine map takes its matrix's rows in that order.
            let column =
                |i: usize| _mm512_loadu_si512(columns.add((8 * k + 7 - i) * stride).cast());
            let bytes: [__m512i; 8] = [
                column(0),
                column(1),
                column(2),
                column(3),
                column(4),
                column(5),
                column(6),
                column(7),
            ];
            let bytes = interleave_8(&interleave_8(&interleave_8(&bytes)));
            for (j, bytes) in bytes.iter().enumerate() {
                *squares.add(16 * j + k) = _mm512_gf2p8affine_epi64_epi8::<0>(units, *bytes);
            }
        }
    }
    let to = rows.as_mut_ptr();
    for j in 0..8 {
        // SAFETY: all 128 places have been written; there are 128 rows a word; stores are unaligned ones.
        unsafe {
            let bytes = &*squares.add(16 * j).cast::<[__m512i; 16]>();
            let turned = interleave_16(&interleave_16(&interleave_16(&interleave_16(bytes))));
            for (r, turned) in turned.iter().enumerate() {
                let row = to.add(16 * j + r);
                _mm_storeu_si128(row.cast(), _mm512_castsi512_si128(*turned));
                _mm_storeu_si128(row.add(128).cast(), _mm512_extracti32x4_epi32::<1>(*turned));
                _mm_storeu_si128(row.add(256).cast(), _mm512_extracti32x4_epi32::<2>(*turned));
                _mm_storeu_si128(row.add(384).cast(), _mm512_extracti32x4_epi32::<3>(*turned));
            }
        }
    }
}

/// Interleaves the bytes of the first half of some vectors with those of the second, within each lane: where vector and byte were
/// number v and b of a place, the bits of the string v‖b are rotated by one. Written out, as a loop would go through memory.
macro_rules! interleaved {
    ($vectors:ident: $($first:literal $second:literal),+) => {
        [$(
            _mm512_unpacklo_epi8($vectors[$first], $vectors[$second]),
            _mm512_unpackhi_epi8($vectors[$first], $vectors[$second]),
        )+]
    };
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn interleave_8(v: &[__m512i; 8]) -> [__m512i; 8] {
    interleaved!(v: 0 4, 1 5, 2 6, 3 7)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn interleave_16(v: &[__m512i; 16]) -> [__m512i; 16] {
    interleaved!(v: 0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15)
}
