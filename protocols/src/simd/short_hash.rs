//! BLAKE3 under one key over many inputs of at most one block, eight at a time: the same digests as one call an input, for a fifth
//! of the time. Ids come in millions, and each is one compression whose chain of additions leaves a core half idle.

/// Longest input.
pub(crate) const BLOCK_BYTES: usize = 64;
/// Bytes of a digest that are kept.
pub(crate) const DIGEST_BYTES: usize = 16;
/// Inputs side by side.
pub(crate) const LANES: usize = 8;

/// The first [`DIGEST_BYTES`] of BLAKE3 under `key` of the first `lengths[i]` bytes of each block, the others of which are zero.
///
/// # Panics
/// If a length is more than a block, or the lists have different lengths: a caller's defect.
pub(crate) fn keyed(
    key: &[u8; 32],
    blocks: &[[u8; BLOCK_BYTES]],
    lengths: &[u8],
    digests: &mut [[u8; DIGEST_BYTES]],
) {
    assert!(
        blocks.len() == lengths.len() && blocks.len() == digests.len(),
        "a length and a digest for every block"
    );
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        let (blocks, _) = blocks.as_chunks::<LANES>();
        let (lengths, _) = lengths.as_chunks::<LANES>();
        let (digests, _) = digests.as_chunks_mut::<LANES>();
        for ((blocks, lengths), digests) in blocks.iter().zip(lengths).zip(digests) {
            // SAFETY: `available` has just seen AVX2 on this CPU.
            unsafe { x86::keyed(key, blocks, lengths, digests) };
        }
        done = blocks.len() * LANES;
    }
    portable::keyed(key, &blocks[done..], &lengths[done..], &mut digests[done..]);
}

pub(crate) mod portable {
    use super::{BLOCK_BYTES, DIGEST_BYTES};

    /// [`super::keyed`], one after the other.
    pub(crate) fn keyed(
        key: &[u8; 32],
        blocks: &[[u8; BLOCK_BYTES]],
        lengths: &[u8],
        digests: &mut [[u8; DIGEST_BYTES]],
    ) {
        for ((block, length), digest) in blocks.iter().zip(lengths).zip(digests) {
            let hash = blake3::keyed_hash(key, &block[..usize::from(*length)]);
            digest.copy_from_slice(&hash.as_bytes()[..DIGEST_BYTES]);
        }
    }
}

/// The compression function of the BLAKE3 paper, section 2.2, in eight lanes. Names as there: `v` the state, `m` the message words.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{BLOCK_BYTES, DIGEST_BYTES, LANES};
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_or_si256, _mm256_permute2x128_si256,
        _mm256_set1_epi32, _mm256_setr_epi8, _mm256_setr_epi32, _mm256_shuffle_epi8,
        _mm256_slli_epi32, _mm256_srli_epi32, _mm256_storeu_si256, _mm256_unpackhi_epi32,
        _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256,
    };

    /// The first half of SHA-256's initial values.
    const IV: [u32; 4] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a];
    /// CHUNK_START, CHUNK_END, ROOT and KEYED_HASH: the one block of the one chunk of a keyed hash.
    const FLAGS: u32 = 1 | 2 | 8 | 16;
    const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
    /// Which message word comes where in each of the seven rounds.
    const SCHEDULE: [[usize; 16]; 7] = {
        let mut schedule = [[0; 16]; 7];
        let mut place = 0;
        while place < 16 {
            schedule[0][place] = place;
            place += 1;
        }
        let mut round = 1;
        while round < 7 {
            let mut place = 0;
            while place < 16 {
                schedule[round][place] = schedule[round - 1][PERMUTATION[place]];
                place += 1;
            }
            round += 1;
        }
        schedule
    };

    #[inline]
    pub(super) fn available() -> bool {
        crate::simd::special_instructions() && is_x86_feature_detected!("avx2")
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn keyed(
        key: &[u8; 32],
        blocks: &[[u8; BLOCK_BYTES]; LANES],
        lengths: &[u8; LANES],
        digests: &mut [[u8; DIGEST_BYTES]; LANES],
    ) {
        assert!(
            lengths
                .iter()
                .all(|length| usize::from(*length) <= BLOCK_BYTES),
            "an input fits a block"
        );
        let mut m = [_mm256_set1_epi32(0); 16];
        let (first, last) = m.split_at_mut(8);
        first.copy_from_slice(&transposed(blocks, 0));
        last.copy_from_slice(&transposed(blocks, 8));
        let (key, _) = key.as_chunks::<4>();
        let mut v = [_mm256_set1_epi32(0); 16];
        for (v, key) in v.iter_mut().zip(key) {
            *v = _mm256_set1_epi32(i32::from_le_bytes(*key));
        }
        for (v, iv) in v[8..12].iter_mut().zip(IV) {
            *v = _mm256_set1_epi32(iv as i32);
        }
        // The counter, words 12 and 13, is zero in a first chunk.
        let [a, b, c, d, e, f, g, h] = lengths.map(i32::from);
        v[14] = _mm256_setr_epi32(a, b, c, d, e, f, g, h);
        v[15] = _mm256_set1_epi32(FLAGS as i32);
        for words in &SCHEDULE {
            // The columns of the state, then its diagonals. Written out, so that the state stays in registers.
            mix(&mut v, [0, 4, 8, 12], m[words[0]], m[words[1]]);
            mix(&mut v, [1, 5, 9, 13], m[words[2]], m[words[3]]);
            mix(&mut v, [2, 6, 10, 14], m[words[4]], m[words[5]]);
            mix(&mut v, [3, 7, 11, 15], m[words[6]], m[words[7]]);
            mix(&mut v, [0, 5, 10, 15], m[words[8]], m[words[9]]);
            mix(&mut v, [1, 6, 11, 12], m[words[10]], m[words[11]]);
            mix(&mut v, [2, 7, 8, 13], m[words[12]], m[words[13]]);
            mix(&mut v, [3, 4, 9, 14], m[words[14]], m[words[15]]);
        }
        let out = [
            _mm256_xor_si256(v[0], v[8]),
            _mm256_xor_si256(v[1], v[9]),
            _mm256_xor_si256(v[2], v[10]),
            _mm256_xor_si256(v[3], v[11]),
        ];
        spread(out, digests);
    }

    /// Message words `first` to `first` + 7, each of all lanes: an eight by eight transposition.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn transposed(blocks: &[[u8; BLOCK_BYTES]; LANES], first: usize) -> [__m256i; 8] {
        let lower = four_lanes(&blocks[..4], first);
        let upper = four_lanes(&blocks[4..], first);
        [
            _mm256_permute2x128_si256::<0x20>(lower[0], upper[0]),
            _mm256_permute2x128_si256::<0x20>(lower[1], upper[1]),
            _mm256_permute2x128_si256::<0x20>(lower[2], upper[2]),
            _mm256_permute2x128_si256::<0x20>(lower[3], upper[3]),
            _mm256_permute2x128_si256::<0x31>(lower[0], upper[0]),
            _mm256_permute2x128_si256::<0x31>(lower[1], upper[1]),
            _mm256_permute2x128_si256::<0x31>(lower[2], upper[2]),
            _mm256_permute2x128_si256::<0x31>(lower[3], upper[3]),
        ]
    }

    /// Of four lanes the words 0 and 4, 1 and 5, 2 and 6, 3 and 7 behind the word `first`.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn four_lanes(blocks: &[[u8; BLOCK_BYTES]], first: usize) -> [__m256i; 4] {
        let rows = [
            load(&blocks[0], first),
            load(&blocks[1], first),
            load(&blocks[2], first),
            load(&blocks[3], first),
        ];
        let low = [
            _mm256_unpacklo_epi32(rows[0], rows[1]),
            _mm256_unpacklo_epi32(rows[2], rows[3]),
        ];
        let high = [
            _mm256_unpackhi_epi32(rows[0], rows[1]),
            _mm256_unpackhi_epi32(rows[2], rows[3]),
        ];
        [
            _mm256_unpacklo_epi64(low[0], low[1]),
            _mm256_unpackhi_epi64(low[0], low[1]),
            _mm256_unpacklo_epi64(high[0], high[1]),
            _mm256_unpackhi_epi64(high[0], high[1]),
        ]
    }

    /// Four words of all lanes, each lane's to its digest.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn spread(words: [__m256i; 4], digests: &mut [[u8; DIGEST_BYTES]; LANES]) {
        let [a, b, c, d] = words;
        let (ab_low, ab_high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        let (cd_low, cd_high) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
        // Each vector holds the digests of two lanes that are four apart.
        let lanes = [
            _mm256_unpacklo_epi64(ab_low, cd_low),
            _mm256_unpackhi_epi64(ab_low, cd_low),
            _mm256_unpacklo_epi64(ab_high, cd_high),
            _mm256_unpackhi_epi64(ab_high, cd_high),
        ];
        for (lane, two) in lanes.into_iter().enumerate() {
            let two = store(two);
            let (one, other) = two.split_at(DIGEST_BYTES);
            digests[lane].copy_from_slice(one);
            digests[lane + 4].copy_from_slice(other);
        }
    }

    /// The paper's G.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn mix(v: &mut [__m256i; 16], [a, b, c, d]: [usize; 4], x: __m256i, y: __m256i) {
        v[a] = _mm256_add_epi32(_mm256_add_epi32(v[a], v[b]), x);
        v[d] = rotated::<16>(_mm256_xor_si256(v[d], v[a]));
        v[c] = _mm256_add_epi32(v[c], v[d]);
        v[b] = rotated::<12>(_mm256_xor_si256(v[b], v[c]));
        v[a] = _mm256_add_epi32(_mm256_add_epi32(v[a], v[b]), y);
        v[d] = rotated::<8>(_mm256_xor_si256(v[d], v[a]));
        v[c] = _mm256_add_epi32(v[c], v[d]);
        v[b] = rotated::<7>(_mm256_xor_si256(v[b], v[c]));
    }

    /// Each lane rotated right. Whole bytes are shuffled, which is one instruction instead of three.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn rotated<const BITS: i32>(lanes: __m256i) -> __m256i {
        match BITS {
            16 => {
                let order = _mm256_setr_epi8(
                    2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3, 0, 1, 6, 7, 4, 5,
                    10, 11, 8, 9, 14, 15, 12, 13,
                );
                _mm256_shuffle_epi8(lanes, order)
            }
            8 => {
                let order = _mm256_setr_epi8(
                    1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12, 1, 2, 3, 0, 5, 6, 7, 4,
                    9, 10, 11, 8, 13, 14, 15, 12,
                );
                _mm256_shuffle_epi8(lanes, order)
            }
            12 => _mm256_or_si256(
                _mm256_srli_epi32::<12>(lanes),
                _mm256_slli_epi32::<20>(lanes),
            ),
            _ => _mm256_or_si256(
                _mm256_srli_epi32::<7>(lanes),
                _mm256_slli_epi32::<25>(lanes),
            ),
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(block: &[u8; BLOCK_BYTES], first: usize) -> __m256i {
        let words = block[first * 4..].first_chunk::<32>();
        let words = words.expect("a block has two halves of 32 bytes");
        // SAFETY: the array is 32 bytes long; the load is an unaligned one.
        unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn store(vector: __m256i) -> [u8; 32] {
        let mut bytes = [0; 32];
        // SAFETY: the array is 32 bytes long; the store is an unaligned one.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), vector) };
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_length_gives_the_digest_of_one_call() {
        let mut blocks = Vec::new();
        let mut lengths = Vec::new();
        for length in 0..=BLOCK_BYTES {
            let mut block = [0; BLOCK_BYTES];
            for (place, byte) in block[..length].iter_mut().enumerate() {
                *byte = (place * 7 + length) as u8;
            }
            blocks.push(block);
            lengths.push(length as u8);
        }
        let key = *b"whats the Elvish word for friend";
        let mut digests = vec![[0; DIGEST_BYTES]; blocks.len()];
        keyed(&key, &blocks, &lengths, &mut digests);
        let mut expected = digests.clone();
        expected.fill([0; DIGEST_BYTES]);
        portable::keyed(&key, &blocks, &lengths, &mut expected);
        assert_eq!(digests, expected);
    }

    proptest! {
        #[test]
        fn kernel_and_portable_twin_agree(
            key: [u8; 32],
            inputs in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=BLOCK_BYTES), 0..40),
        ) {
            let mut blocks = vec![[0; BLOCK_BYTES]; inputs.len()];
            for (block, input) in blocks.iter_mut().zip(&inputs) {
                block[..input.len()].copy_from_slice(input);
            }
            let lengths: Vec<u8> = inputs.iter().map(|input| input.len() as u8).collect();
            let mut digests = vec![[0; DIGEST_BYTES]; inputs.len()];
            keyed(&key, &blocks, &lengths, &mut digests);
            let mut expected = vec![[0; DIGEST_BYTES]; inputs.len()];
            portable::keyed(&key, &blocks, &lengths, &mut expected);
            prop_assert_eq!(digests, expected);
        }
    }
}
