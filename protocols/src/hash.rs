//! Hashes of two strengths, all bound to the session and to a purpose.
//!
//! * [`digest`] and [`keyed`]: BLAKE3, for anything that needs a random oracle or a key. The purpose is BLAKE3's
//!   key-derivation context, the session id comes first, and every part is preceded by its length, so two different
//!   calls never hash the same bytes.
//! * [`CorrelationHash`]: AES under one fixed key, two calls a block, for the many millions of hashes of correlated
//!   inputs in oblivious transfer. TMMO of Guo, Katz, Wang, Yu, "Efficient and secure
//!   multiparty computation from fixed-key block ciphers" (S&P 2020, §7.4):
//!   `H(x, i) = π(π(x) ⊕ i) ⊕ π(x)`, tweakable circular correlation robust while π is an ideal permutation. **A
//!   tweak must not come twice with the same hash**: that is the caller's promise, kept by numbering the OTs of a session.
//! * [`CorrelationHash::hash_once`]: one call a block, `H(x, i) = π(x ⊕ i) ⊕ x ⊕ i`, where nobody chooses inputs. Its own text says
//!   what it is good for.

use crate::block::Block;
use crate::session_id::SessionId;
use crate::simd::aes::Aes;
use crate::simd::short_hash;

/// Blocks handed to the cipher at once: they stay in the first cache between its two calls.
const BATCH: usize = 64;

/// 32 bytes that depend on the purpose, the session and all parts, and on how the parts are divided.
pub fn digest(purpose: &'static str, sid: &SessionId, parts: &[&[u8]]) -> [u8; 32] {
    *hasher(purpose, sid, parts).finalize().as_bytes()
}

/// A BLAKE3 key for hashing many inputs of one purpose in one session: see [`KeyedHash`].
pub fn keyed(purpose: &'static str, sid: &SessionId, parts: &[&[u8]]) -> KeyedHash {
    KeyedHash {
        key: digest(purpose, sid, parts),
    }
}

/// Expands to as many bytes as `out` has.
pub fn expand(purpose: &'static str, sid: &SessionId, parts: &[&[u8]], out: &mut [u8]) {
    hasher(purpose, sid, parts).finalize_xof().fill(out);
}

fn hasher(purpose: &'static str, sid: &SessionId, parts: &[&[u8]]) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    hasher.update(sid.as_bytes());
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher
}

/// BLAKE3 under a key that stands for purpose and session: one compression for inputs up to 64 bytes.
pub struct KeyedHash {
    key: [u8; 32],
}

impl KeyedHash {
    /// 32 bytes for one input.
    pub fn digest(&self, input: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.key, input).as_bytes()
    }

    /// The first 16 of them.
    pub fn block(&self, input: &[u8]) -> Block {
        let digest = self.digest(input);
        let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
        Block::from_bytes(*first)
    }
}

/// The first 16 bytes of BLAKE3 under `key` of many short inputs, as [`KeyedHash`] gives them one by one, for a fifth of the time. Input
/// i is the first `lengths[i]` bytes of its block, whose others are zero.
///
/// # Panics
/// If a length is more than 64, or the lists have different lengths: a caller's defect.
pub fn keyed_short(
    key: &[u8; 32],
    blocks: &[[u8; short_hash::BLOCK_BYTES]],
    lengths: &[u8],
    digests: &mut [[u8; short_hash::DIGEST_BYTES]],
) {
    short_hash::keyed(key, blocks, lengths, digests);
}

/// Fixed-key AES hash, tweakable circular correlation robust.
pub struct CorrelationHash {
    permutation: Aes,
}

impl CorrelationHash {
    /// The hash of one purpose in one session. The key is public; it keeps sessions and purposes apart.
    pub fn new(purpose: &'static str, sid: &SessionId) -> Self {
        let key = keyed(purpose, sid, &[]).block(b"fixed AES key");
        Self {
            permutation: Aes::new(key),
        }
    }

    /// `H(input, tweak)`.
    pub fn hash(&self, input: Block, tweak: u128) -> Block {
        let mut out = [input];
        self.hash_all(&mut out, tweak);
        let [out] = out;
        out
    }

    /// Replaces each block by its hash; the first takes the tweak `first_tweak`, the next one more, and so on.
    pub fn hash_all(&self, blocks: &mut [Block], first_tweak: u128) {
        self.hash_stepping(blocks, first_tweak, 1);
    }

    /// Replaces each block by its hash under one and the same tweak: a function of the block alone, wherever it stands. For inputs
    /// of which no two are equal: the tweak need only keep several hashes of one input apart.
    pub fn hash_each(&self, blocks: &mut [Block], tweak: u128) {
        self.hash_stepping(blocks, tweak, 0);
    }

    /// Writes `π(x ⊕ i) ⊕ x ⊕ i` for each of `inputs` plus `offset` as x, and tweaks i that count from `first_tweak` on: half of the
    /// work of the other hashes, for what semi-honest oblivious transfer needs and nothing more.
    ///
    /// **Argument.** Let someone know Δ-free inputs x_1, x_2, … and want to tell the hashes of x_j ⊕ Δ, for a uniform Δ that nobody
    /// told it, from random blocks. With u_j = x_j ⊕ i_j, which it knows, these are π(u_j ⊕ Δ) ⊕ Δ, up to the known u_j: the
    /// single-key Even–Mansour cipher of u_j under Δ. With π an ideal permutation and the u_j distinct, p calls of π and q hashes tell it from
    /// random blocks with probability at most 2pq/2^128 + q²/2^129 (Dunkelman, Keller, Shamir, EUROCRYPT'12; the same is the
    /// correlation robustness of `π(x) ⊕ x` in Guo et al., §7.2). The x_j must be distinct by themselves and not chosen by
    /// whoever wants to tell: pseudo-random ones are, and where a peer cheats in making them the other hashes are needed. Nor is anything said of hashes
    /// that are sent with Δ added (circular robustness).
    ///
    /// # Panics
    /// If there are not as many outputs as inputs, or `first_tweak` is not a multiple of 128: a caller's defect.
    pub fn hash_once(
        &self,
        inputs: &[Block],
        offset: Block,
        first_tweak: u128,
        outputs: &mut [Block],
    ) {
        assert_eq!(inputs.len(), outputs.len(), "as many outputs as inputs");
        assert!(first_tweak.is_multiple_of(128), "whole batches of tweaks");
        for (place, (inputs, outputs)) in
            inputs.chunks(128).zip(outputs.chunks_mut(128)).enumerate()
        {
            let tweak = first_tweak.wrapping_add(128 * place as u128);
            // A multiple of 128 plus a number below it is their exclusive or.
            self.permutation
                .hash_numbered(inputs, offset ^ Block(tweak), outputs);
        }
    }

    /// Replaces each block x by `π(x) ⊕ x`: [`hash_once`](Self::hash_once) for callers that have put offset and tweak into x
    /// themselves.
    pub fn hash_in_place(&self, blocks: &mut [Block]) {
        for blocks in blocks.chunks_mut(BATCH) {
            let mut inputs = [Block::ZERO; BATCH];
            let inputs = &mut inputs[..blocks.len()];
            inputs.copy_from_slice(blocks);
            self.permutation.encrypt_and_add(inputs, blocks);
        }
    }

    fn hash_stepping(&self, blocks: &mut [Block], first_tweak: u128, step: u128) {
        let mut tweak = first_tweak;
        for blocks in blocks.chunks_mut(BATCH) {
            let mut once = [Block::ZERO; BATCH];
            let once = &mut once[..blocks.len()];
            once.copy_from_slice(blocks);
            self.permutation.encrypt(once);
            for (block, once) in blocks.iter_mut().zip(once.iter()) {
                *block = *once ^ Block(tweak);
                tweak = tweak.wrapping_add(step);
            }
            self.permutation.encrypt(blocks);
            for (block, once) in blocks.iter_mut().zip(once) {
                *block ^= *once;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SID: SessionId = SessionId::new([1; 32]);

    #[test]
    fn purpose_session_parts_and_their_division_all_count() {
        let digests = [
            digest("entente/1/test/a", &SID, &[b"ab", b"c"]),
            digest("entente/1/test/b", &SID, &[b"ab", b"c"]),
            digest("entente/1/test/a", &SessionId::new([2; 32]), &[b"ab", b"c"]),
            digest("entente/1/test/a", &SID, &[b"a", b"bc"]),
            digest("entente/1/test/a", &SID, &[b"ab", b"c", b""]),
            digest("entente/1/test/a", &SID, &[]),
        ];
        for (i, a) in digests.iter().enumerate() {
            assert!(digests[..i].iter().all(|b| a != b));
        }
    }

    #[test]
    fn keyed_blocks_are_the_first_half_of_the_digest() {
        let hash = keyed("entente/1/test/a", &SID, &[]);
        assert_eq!(hash.block(b"x").to_bytes(), hash.digest(b"x")[..16]);
    }

    #[test]
    fn expansion_starts_with_the_digest() {
        let mut out = [0; 100];
        expand("entente/1/test/a", &SID, &[b"x"], &mut out);
        assert_eq!(out[..32], digest("entente/1/test/a", &SID, &[b"x"]));
    }

    #[test]
    fn correlation_hash_is_tmmo() {
        let hash = CorrelationHash::new("entente/1/test/a", &SID);
        let permute = |block: Block| {
            let mut cell = [block];
            hash.permutation.encrypt(&mut cell);
            cell[0]
        };
        for (input, tweak) in [(Block(0), 0), (Block(3), 1 << 100), (Block(u128::MAX), 9)] {
            let once = permute(input);
            assert_eq!(hash.hash(input, tweak), permute(once ^ Block(tweak)) ^ once);
        }
    }

    #[test]
    fn sessions_and_purposes_have_different_permutations() {
        let a = CorrelationHash::new("entente/1/test/a", &SID).hash(Block(1), 1);
        assert_ne!(
            a,
            CorrelationHash::new("entente/1/test/b", &SID).hash(Block(1), 1)
        );
        assert_ne!(
            a,
            CorrelationHash::new("entente/1/test/a", &SessionId::new([2; 32])).hash(Block(1), 1)
        );
    }

    proptest! {
        #[test]
        fn a_batch_hashes_like_its_elements(inputs in prop::collection::vec(any::<u128>(), 0..200), first: u128) {
            let hash = CorrelationHash::new("entente/1/test/a", &SID);
            let mut batch: Vec<Block> = inputs.iter().map(|&word| Block(word)).collect();
            hash.hash_all(&mut batch, first);
            for (i, (&input, output)) in inputs.iter().zip(&batch).enumerate() {
                prop_assert_eq!(hash.hash(Block(input), first.wrapping_add(i as u128)), *output);
            }
            let (first_once, offset) = (first & !127, Block(first.rotate_left(9)));
            let blocks: Vec<Block> = inputs.iter().map(|&word| Block(word)).collect();
            let mut once = vec![Block::ZERO; inputs.len()];
            hash.hash_once(&blocks, offset, first_once, &mut once);
            for (i, (input, output)) in blocks.iter().zip(&once).enumerate() {
                let cell = *input ^ offset ^ Block(first_once.wrapping_add(i as u128));
                let mut permuted = [cell];
                hash.permutation.encrypt(&mut permuted);
                prop_assert_eq!(permuted[0] ^ cell, *output);
            }
            let mut each: Vec<Block> = inputs.iter().map(|&word| Block(word)).collect();
            hash.hash_each(&mut each, first);
            for (&input, output) in inputs.iter().zip(&each) {
                prop_assert_eq!(hash.hash(Block(input), first), *output);
            }
        }
    }
}
