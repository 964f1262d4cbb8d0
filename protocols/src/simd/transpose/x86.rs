//! The kernel for CPUs with AVX-512 and GFNI.
//!
//! A register holds four words of one column, 16 bytes each; everything happens within those 16-byte lanes. Eight columns' bytes are
//! interleaved until each 64-bit part is an 8×8 square of bits, one instruction turns all squares (its affine map, with the square
//! as the matrix and the unit vectors as input), and sixteen such registers' bytes are interleaved to whole rows.

use super::{Block, ROWS, WORDS};
use std::arch::x86_64::*;

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
    let units = _mm512_set1_epi64(UNITS);
    // squares[j][k]: in lane w, bytes of columns 8k…8k+7 for rows 16j…16j+15 of word w.
    let mut squares = [[_mm512_setzero_si512(); 16]; 8];
    #[expect(clippy::needless_range_loop, reason = "k is a place in eight arrays")]
    for k in 0..16 {
        let mut bytes = [_mm512_setzero_si512(); 8];
        for (i, bytes) in bytes.iter_mut().enumerate() {
            // From the last column to the first: the affine map takes its matrix's rows in that order.
            let column = 8 * k + 7 - i;
            // SAFETY: every column has four words to read; the load is an unaligned one.
            *bytes = unsafe { _mm512_loadu_si512(columns.add(column * stride).cast()) };
        }
        let bytes = interleave(interleave(interleave(bytes)));
        for (j, bytes) in bytes.into_iter().enumerate() {
            squares[j][k] = _mm512_gf2p8affine_epi64_epi8::<0>(units, bytes);
        }
    }
    let to = rows.as_mut_ptr();
    for (j, squares) in squares.into_iter().enumerate() {
        let turned = interleave(interleave(interleave(interleave(squares))));
        for (r, turned) in turned.into_iter().enumerate() {
            let row = 16 * j + r;
            const { assert!(WORDS == 4, "a lane a word") };
            // SAFETY: row < 128, and there are 128 rows a word; stores are unaligned ones.
            unsafe {
                _mm_storeu_si128(to.add(row).cast(), _mm512_castsi512_si128(turned));
                _mm_storeu_si128(
                    to.add(128 + row).cast(),
                    _mm512_extracti32x4_epi32::<1>(turned),
                );
                _mm_storeu_si128(
                    to.add(256 + row).cast(),
                    _mm512_extracti32x4_epi32::<2>(turned),
                );
                _mm_storeu_si128(
                    to.add(384 + row).cast(),
                    _mm512_extracti32x4_epi32::<3>(turned),
                );
            }
        }
    }
}

/// Interleaves the bytes of the first half of `vectors` with those of the second, within each lane: where vector and byte were
/// number v and b of a place, the bits of the string v‖b are rotated by one.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn interleave<const N: usize>(vectors: [__m512i; N]) -> [__m512i; N] {
    let mut result = vectors;
    for i in 0..N / 2 {
        result[2 * i] = _mm512_unpacklo_epi8(vectors[i], vectors[i + N / 2]);
        result[2 * i + 1] = _mm512_unpackhi_epi8(vectors[i], vectors[i + N / 2]);
    }
    result
}
