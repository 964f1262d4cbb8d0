//! The kernels for CPUs with PCLMULQDQ, one or four products at a time.

use super::Block;
use std::arch::x86_64::{
    __m128i, _mm_clmulepi64_si128, _mm_slli_si128, _mm_srli_si128, _mm_xor_si128,
};

#[inline]
pub(in crate::simd) fn available() -> bool {
    crate::simd::special_instructions()
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("sse4.1")
}

/// Whether four products fit one register.
#[inline]
pub(in crate::simd) fn wide_available() -> bool {
    available()
        && is_x86_feature_detected!("vpclmulqdq")
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
}

#[inline(always)]
fn load(block: Block) -> __m128i {
    // SAFETY: both types are 16 plain bytes, little end first.
    unsafe { std::mem::transmute::<u128, __m128i>(block.0) }
}

#[inline(always)]
fn store(vector: __m128i) -> Block {
    // SAFETY: both types are 16 plain bytes, little end first.
    Block(unsafe { std::mem::transmute::<__m128i, u128>(vector) })
}

/// Reduces the 256-bit product `high·x^128 + low`: x^128 = x^7 + x^2 + x + 1 = 0x87, folded twice by multiplication.
#[target_feature(enable = "pclmulqdq,sse4.1")]
#[inline]
fn reduce(low: __m128i, high: __m128i) -> __m128i {
    let fold = load(Block(0x87));
    // high = h1·x^64 + h0: h1·0x87 has up to 71 bits and lands at x^64, so its top part needs one more fold.
    let upper = _mm_clmulepi64_si128(high, fold, 0x01);
    let low = _mm_xor_si128(low, _mm_slli_si128(upper, 8));
    let carried = _mm_xor_si128(high, _mm_srli_si128(upper, 8));
    _mm_xor_si128(low, _mm_clmulepi64_si128(carried, fold, 0x00))
}

/// The 256-bit product, low and high half, not yet reduced.
#[target_feature(enable = "pclmulqdq,sse4.1")]
#[inline]
fn wide_product(a: __m128i, b: __m128i) -> [__m128i; 2] {
    let low = _mm_clmulepi64_si128(a, b, 0x00);
    let high = _mm_clmulepi64_si128(a, b, 0x11);
    let cross = _mm_xor_si128(
        _mm_clmulepi64_si128(a, b, 0x01),
        _mm_clmulepi64_si128(a, b, 0x10),
    );
    [
        _mm_xor_si128(low, _mm_slli_si128(cross, 8)),
        _mm_xor_si128(high, _mm_srli_si128(cross, 8)),
    ]
}

#[target_feature(enable = "pclmulqdq,sse4.1")]
#[inline]
fn product(a: __m128i, b: __m128i) -> __m128i {
    let [low, high] = wide_product(a, b);
    reduce(low, high)
}

#[target_feature(enable = "pclmulqdq,sse4.1")]
#[inline]
pub(super) fn multiply(a: Block, b: Block) -> Block {
    store(product(load(a), load(b)))
}

#[target_feature(enable = "pclmulqdq,sse4.1")]
pub(super) fn multiply_add(destination: &mut [Block], scalar: Block, source: &[Block]) {
    let scalar = load(scalar);
    for (to, from) in destination.iter_mut().zip(source) {
        *to = store(_mm_xor_si128(load(*to), product(scalar, load(*from))));
    }
}

#[target_feature(enable = "pclmulqdq,sse4.1")]
pub(super) fn add_polynomials(sums: &mut [Block], points: &[Block], coefficients: &[Block]) {
    for (sum, point) in sums.iter_mut().zip(points) {
        let (point, mut value) = (load(*point), load(Block::ZERO));
        for coefficient in coefficients.iter().rev() {
            value = product(_mm_xor_si128(value, load(*coefficient)), point);
        }
        *sum = store(_mm_xor_si128(load(*sum), value));
    }
}

/// Reduces once: sums of products have no more bits than a product.
#[target_feature(enable = "pclmulqdq,sse4.1")]
pub(super) fn inner_product(a: &[Block], b: &[Block]) -> Block {
    let mut sums = [load(Block::ZERO); 2];
    for (a, b) in a.iter().zip(b) {
        let product = wide_product(load(*a), load(*b));
        sums[0] = _mm_xor_si128(sums[0], product[0]);
        sums[1] = _mm_xor_si128(sums[1], product[1]);
    }
    store(reduce(sums[0], sums[1]))
}

/// Four products at a time. What does not fill four vectors is left to the narrow kernels.
pub(super) mod wide {
    use super::{Block, load, reduce, store, wide_product as narrow_product};
    use std::arch::x86_64::*;

    /// Blocks of a vector.
    const BLOCKS: usize = 4;
    /// Vectors side by side, so that no multiplication waits for the one before.
    const ABREAST: usize = 4;
    const BATCH: usize = BLOCKS * ABREAST;

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn loaded(blocks: &[Block; BATCH]) -> [__m512i; ABREAST] {
        let first: *const __m512i = blocks.as_ptr().cast();
        // SAFETY: a batch has ABREAST vectors; loads are unaligned ones.
        std::array::from_fn(|i| unsafe { _mm512_loadu_si512(first.add(i)) })
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn stored(blocks: &mut [Block; BATCH], vectors: [__m512i; ABREAST]) {
        let first: *mut __m512i = blocks.as_mut_ptr().cast();
        for (i, vector) in vectors.into_iter().enumerate() {
            // SAFETY: a batch has ABREAST vectors; stores are unaligned ones.
            unsafe { _mm512_storeu_si512(first.add(i), vector) };
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    #[inline]
    fn wide_product(a: __m512i, b: __m512i) -> [__m512i; 2] {
        let low = _mm512_clmulepi64_epi128(a, b, 0x00);
        let high = _mm512_clmulepi64_epi128(a, b, 0x11);
        let cross = _mm512_xor_si512(
            _mm512_clmulepi64_epi128(a, b, 0x01),
            _mm512_clmulepi64_epi128(a, b, 0x10),
        );
        [
            _mm512_xor_si512(low, _mm512_bslli_epi128::<8>(cross)),
            _mm512_xor_si512(high, _mm512_bsrli_epi128::<8>(cross)),
        ]
    }

    /// As [`super::product`].
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    #[inline]
    fn product(a: __m512i, b: __m512i) -> __m512i {
        let [low, high] = wide_product(a, b);
        let fold = _mm512_broadcast_i32x4(load(Block(0x87)));
        let upper = _mm512_clmulepi64_epi128(high, fold, 0x01);
        let low = _mm512_xor_si512(low, _mm512_bslli_epi128::<8>(upper));
        let carried = _mm512_xor_si512(high, _mm512_bsrli_epi128::<8>(upper));
        _mm512_xor_si512(low, _mm512_clmulepi64_epi128(carried, fold, 0x00))
    }

    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq,pclmulqdq,sse4.1")]
    pub(in super::super) fn multiply_add(
        destination: &mut [Block],
        scalar: Block,
        source: &[Block],
    ) {
        let factor = _mm512_broadcast_i32x4(load(scalar));
        let count = destination.len().min(source.len());
        let (to, to_rest) = destination[..count].as_chunks_mut::<BATCH>();
        let (from, from_rest) = source[..count].as_chunks::<BATCH>();
        for (to, from) in to.iter_mut().zip(from) {
            let (mut sums, from) = (loaded(to), loaded(from));
            for (sum, from) in sums.iter_mut().zip(from) {
                *sum = _mm512_xor_si512(*sum, product(factor, from));
            }
            stored(to, sums);
        }
        super::multiply_add(to_rest, scalar, from_rest);
    }

    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq,pclmulqdq,sse4.1")]
    pub(in super::super) fn add_polynomials(
        sums: &mut [Block],
        points: &[Block],
        coefficients: &[Block],
    ) {
        let count = sums.len().min(points.len());
        let (sums, sums_rest) = sums[..count].as_chunks_mut::<BATCH>();
        let (points, points_rest) = points[..count].as_chunks::<BATCH>();
        for (sums, points) in sums.iter_mut().zip(points) {
            let points = loaded(points);
            let mut values = [_mm512_setzero_si512(); ABREAST];
            for coefficient in coefficients.iter().rev() {
                let coefficient = _mm512_broadcast_i32x4(load(*coefficient));
                for (value, point) in values.iter_mut().zip(points) {
                    *value = product(_mm512_xor_si512(*value, coefficient), point);
                }
            }
            for (value, sum) in values.iter_mut().zip(loaded(sums)) {
                *value = _mm512_xor_si512(*value, sum);
            }
            stored(sums, values);
        }
        super::add_polynomials(sums_rest, points_rest, coefficients);
    }

    /// Reduces once: sums of products have no more bits than a product.
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq,pclmulqdq,sse4.1")]
    pub(in super::super) fn inner_product(a: &[Block], b: &[Block]) -> Block {
        let count = a.len().min(b.len());
        let (a, a_rest) = a[..count].as_chunks::<BATCH>();
        let (b, b_rest) = b[..count].as_chunks::<BATCH>();
        let mut sums = [_mm512_setzero_si512(); 2];
        for (a, b) in a.iter().zip(b) {
            for (a, b) in loaded(a).into_iter().zip(loaded(b)) {
                let product = wide_product(a, b);
                sums[0] = _mm512_xor_si512(sums[0], product[0]);
                sums[1] = _mm512_xor_si512(sums[1], product[1]);
            }
        }
        let [mut low, mut high] = sums.map(|sum| sum_of_four(sum));
        for (a, b) in a_rest.iter().zip(b_rest) {
            let product = narrow_product(load(*a), load(*b));
            low = _mm_xor_si128(low, product[0]);
            high = _mm_xor_si128(high, product[1]);
        }
        store(reduce(low, high))
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn sum_of_four(vector: __m512i) -> __m128i {
        let halves = _mm256_xor_si256(
            _mm512_castsi512_si256(vector),
            _mm512_extracti64x4_epi64::<1>(vector),
        );
        _mm_xor_si128(
            _mm256_castsi256_si128(halves),
            _mm256_extracti128_si256::<1>(halves),
        )
    }
}
