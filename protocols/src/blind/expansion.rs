//! Seeds to words: AES under one fixed public key as `π(seed ⊕ tweak) ⊕ seed ⊕ tweak`, as many blocks as the words need.
//!
//! A seed is either uniformly random to the one who does not know it, or Δ plus something that it knows and did not choose, or known: with π an ideal
//! permutation this is a single-key Even–Mansour cipher ([`hash_once`](crate::hash::CorrelationHash::hash_once)). The two seeds of one transfer may share their tweaks;
//! otherwise **a tweak never comes twice in a session**: tweaks are numbered as they are taken, by both parties alike. No key is
//! scheduled for a seed: that would cost more than all its blocks.

use super::word::Word;
use crate::block::Block;
use crate::hash;
use crate::secret::Secret;
use crate::session_id::SessionId;
use crate::simd::aes::Aes;
use crate::simd::wide;

/// Blocks handed to the cipher at once, a *part*; tweaks count parts, and places within a part.
const PART: usize = 128;
const PART_BITS: u32 = PART.trailing_zeros();

/// The stretching of seeds for one purpose in one session.
pub(super) struct Expansion {
    permutation: Aes,
    parts: u64,
    /// Where the cipher reads and writes; wiped when dropped.
    inputs: Box<Secret<[Block; PART]>>,
    stream: Box<Secret<[Block; PART]>>,
}

/// Tweaks of one call of [`Expansion::expand`].
#[derive(Clone, Copy)]
pub(super) struct Tweaks {
    first_part: u64,
}

/// Words that `words` take in memory, whole blocks of them.
pub(super) const fn stride<W: Word>(words: usize) -> usize {
    blocks::<W>(words) * per_block::<W>()
}

/// Blocks that `words` take.
pub(super) const fn blocks<W: Word>(words: usize) -> usize {
    words.div_ceil(per_block::<W>())
}

const fn per_block<W: Word>() -> usize {
    (u128::BITS / W::BITS) as usize
}

/// How many seeds a part has, and how many parts a seed.
const fn division(blocks: usize) -> (usize, usize) {
    match PART.checked_div(blocks) {
        Some(seeds) if seeds > 0 => (seeds, 1),
        _ => (1, blocks.div_ceil(PART)),
    }
}

impl Expansion {
    /// The key is public; it keeps sessions and purposes apart.
    pub(super) fn new(sid: &SessionId) -> Self {
        let key = hash::keyed("entente/1/blind/expansion", sid, &[]).block(b"fixed AES key");
        let [inputs, stream] = [(); 2].map(|()| Box::new(Secret::new([Block::ZERO; PART])));
        Self {
            permutation: Aes::new(key),
            parts: 0,
            inputs,
            stream,
        }
    }

    /// Takes tweaks for `seeds` seeds of `words` words each.
    pub(super) fn tweaks<W: Word>(&mut self, seeds: usize, words: usize) -> Tweaks {
        let first_part = self.parts;
        let (abreast, parts) = division(blocks::<W>(words));
        self.parts += (seeds.div_ceil(abreast) * parts) as u64;
        Tweaks { first_part }
    }

    /// Writes each seed's words, [`stride`] of them, one seed after the other.
    ///
    /// # Panics
    /// If `out` does not have the stride of one or more words for each seed: a caller's defect.
    pub(super) fn expand<W: Word>(&mut self, seeds: &[Block], tweaks: Tweaks, out: &mut [W]) {
        let blocks = out.len() / per_block::<W>() / seeds.len();
        let words = blocks * per_block::<W>();
        assert_eq!(out.len(), seeds.len() * words, "whole blocks a seed");
        let (abreast, _) = division(blocks);
        let mut part = tweaks.first_part;
        for (seeds, out) in seeds.chunks(abreast).zip(out.chunks_mut(abreast * words)) {
            for out in out.chunks_mut(PART * per_block::<W>()) {
                self.part(seeds, part, out);
                part += 1;
            }
        }
    }

    fn part<W: Word>(&mut self, seeds: &[Block], part: u64, words: &mut [W]) {
        let count = words.len() / per_block::<W>();
        let inputs = &mut self.inputs.expose_mut()[..count];
        let stream = &mut self.stream.expose_mut()[..count];
        let tweak = Block(u128::from(part) << PART_BITS);
        wide::run(|| tweaked(seeds, tweak, inputs));
        self.permutation.encrypt_and_add(inputs, stream);
        wide::run(|| cut(stream, words));
    }
}

/// Numbers of a part's places.
static PLACES: [Block; PART] = {
    let mut places = [Block::ZERO; PART];
    let mut place = 0;
    while place < PART {
        places[place] = Block(place as u128);
        place += 1;
    }
    places
};

/// Each seed as often as it has blocks in a part, every time under the next tweak.
#[inline(always)]
fn tweaked(seeds: &[Block], tweak: Block, inputs: &mut [Block]) {
    let each = inputs.len() / seeds.len();
    let places = wide::halves(&PLACES).chunks_exact(each);
    let inputs = wide::halves_mut(inputs).chunks_exact_mut(each);
    let tweak = wide::halves(&[tweak])[0];
    for ((inputs, places), seed) in inputs.zip(places).zip(wide::halves(seeds)) {
        for (input, place) in inputs.iter_mut().zip(places) {
            *input = [0, 1].map(|half| seed[half] ^ tweak[half] ^ place[half]);
        }
    }
}

/// Blocks to words, little end first.
#[inline(always)]
fn cut<W: Word>(blocks: &[Block], words: &mut [W]) {
    for (words, block) in words.chunks_exact_mut(per_block::<W>()).zip(blocks) {
        for (place, word) in words.iter_mut().enumerate() {
            *word = W::from_u128(block.0 >> (place as u32 * W::BITS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: SessionId = SessionId::new([5; 32]);

    /// A seed's block by its definition.
    fn block(expansion: &Expansion, seed: Block, tweak: u128) -> Block {
        let input = seed ^ Block(tweak);
        let mut output = [input];
        expansion.permutation.encrypt(&mut output);
        output[0] ^ input
    }

    #[test]
    fn a_seed_gives_its_blocks_under_tweaks_that_never_repeat() {
        let mut expansion = Expansion::new(&SID);
        let mut used = std::collections::HashSet::new();
        for (seeds, words) in [
            (1, 1),
            (3, 2),
            (5, 7),
            (200, 3),
            (2, 700),
            (65, 4),
            (1, 256),
        ] {
            let seeds: Vec<Block> = (0..seeds).map(|seed| Block(seed << 70)).collect();
            let tweaks = expansion.tweaks::<u64>(seeds.len(), words);
            let mut out = vec![0u64; seeds.len() * stride::<u64>(words)];
            expansion.expand(&seeds, tweaks, &mut out);
            let mut wide = vec![0u128; out.len() / 2];
            expansion.expand(&seeds, tweaks, &mut wide);
            let blocks = stride::<u64>(words) / 2;
            let mut tweak = u128::from(tweaks.first_part) * PART as u128;
            for (place, got) in wide.iter().enumerate() {
                let (seed, place_of_seed) = (place / blocks, place % blocks);
                let begins = match blocks > PART {
                    true => place_of_seed % PART == 0,
                    false => place_of_seed == 0 && seed % (PART / blocks) == 0,
                };
                if begins {
                    tweak = tweak.next_multiple_of(PART as u128);
                }
                assert_eq!(Block(*got), block(&expansion, seeds[seed], tweak));
                assert_eq!(out[2 * place..][..2], [*got as u64, (got >> 64) as u64]);
                assert!(used.insert(tweak), "tweak {tweak} comes twice");
                tweak += 1;
            }
        }
    }

    #[test]
    fn sessions_have_different_words() {
        let words = |sid: &SessionId| {
            let mut expansion = Expansion::new(sid);
            let tweaks = expansion.tweaks::<u128>(1, 1);
            let mut out = [0u128];
            expansion.expand(&[Block(1)], tweaks, &mut out);
            out
        };
        assert_ne!(words(&SID), words(&SID.part("another", 0)));
    }
}
