//! Counters modulo 128 of the bins of a block, side by side: what the equality tests add up, send in seven bits each, and take
//! apart again. Plain loops over bytes, compiled for wide registers; no branch or address depends on a value.

use crate::block::Block;
use crate::simd::{transpose, wide};

/// Bins of a block: as many as a word has bits.
pub(super) const BINS: usize = 128;
/// One counter a bin.
pub(super) type Counters = [u8; BINS];
/// Bits of a counter.
pub(super) const COUNTER_BITS: usize = 7;
/// A block's counters on the wire.
pub(super) type Packed = [Block; COUNTER_BITS];

/// Bins packed to one part: every eighth part's bits fill the high bits of the seven others.
const PART: usize = 16;

/// The low `bits` bits of each target: for each block of bins `bits` words, of which word i has as bit j bit i of bin j. Bins that
/// are missing in the last block count as zero.
pub(super) fn bit_words(targets: &[u128], bits: usize) -> Vec<u128> {
    let mut words = Vec::with_capacity(targets.len().div_ceil(BINS) * bits);
    for targets in targets.chunks(BINS) {
        let mut square = [Block::ZERO; BINS];
        for (cell, target) in square.iter_mut().zip(targets) {
            *cell = Block(*target);
        }
        transpose::square(&mut square);
        words.extend(square[..bits].iter().map(|block| block.0));
    }
    words
}

/// The words of the counters' bits, for [`super::equality`]'s choice out of 128.
pub(super) fn counter_words(counters: &[u8]) -> Vec<u128> {
    let mut words = Vec::with_capacity(counters.len() / BINS * COUNTER_BITS);
    for counters in counters.as_chunks::<BINS>().0 {
        words.extend((0..COUNTER_BITS).map(|bit| plane(counters, bit)));
    }
    words
}

/// Bit `bit` of every counter.
pub(super) fn plane(counters: &Counters, bit: usize) -> u128 {
    let mut word = [0; BINS / 8];
    for (byte, eight) in word.iter_mut().zip(counters.as_chunks::<8>().0) {
        let bits = (u64::from_le_bytes(*eight) >> bit) & 0x0101_0101_0101_0101;
        // The product's top byte collects one bit of each byte.
        *byte = (bits.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8;
    }
    u128::from_le_bytes(word)
}

/// Each bit of `word` as a byte of its own.
#[inline(always)]
pub(super) fn spread(word: u128) -> Counters {
    let mut bytes = [0; BINS];
    for (eight, byte) in bytes
        .as_chunks_mut::<8>()
        .0
        .iter_mut()
        .zip(word.to_le_bytes())
    {
        let kept = u64::from(byte).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
        let ones = (kept.wrapping_add(0x7f7f_7f7f_7f7f_7f7f) >> 7) & 0x0101_0101_0101_0101;
        *eight = ones.to_le_bytes();
    }
    bytes
}

/// The low byte of each key; its low seven bits are used.
#[inline(always)]
fn low(keys: &[Block; BINS]) -> Counters {
    let mut bytes = [0; BINS];
    for (byte, key) in bytes.iter_mut().zip(keys) {
        *byte = key.0 as u8;
    }
    bytes
}

/// Adds the low bytes of `keys`, bit by bit.
#[inline(always)]
pub(super) fn add_low(sums: &mut Counters, keys: &[Block; BINS]) {
    for (sum, key) in sums.iter_mut().zip(low(keys)) {
        *sum ^= key;
    }
}

/// Adds the low bytes of `ones` in the bits that are set in `with_bit`, and those of `zeros` in the others.
#[inline(always)]
pub(super) fn add_low_by_bit(
    sums: &mut Counters,
    zeros: &[Block; BINS],
    ones: &[Block; BINS],
    with_bit: u8,
) {
    let pairs = low(zeros).into_iter().zip(low(ones));
    for (sum, (zero, one)) in sums.iter_mut().zip(pairs) {
        *sum ^= zero ^ ((zero ^ one) & with_bit);
    }
}

/// R's step for one bit of all bins: adds its keys.
pub(super) fn add_keys(counters: &mut Counters, keys: &[Block; BINS]) {
    wide::run(|| {
        let keys = low(keys);
        for (counter, key) in counters.iter_mut().zip(keys) {
            *counter = counter.wrapping_add(key);
        }
    });
}

/// R's step when the differences of one bit have come: adds them where it chose one.
pub(super) fn add_chosen(counters: &mut Counters, choices: u128, differences: &Packed) {
    wide::run(|| {
        let (chosen, differences) = (spread(choices), unpack(differences));
        let terms = chosen.iter().zip(differences);
        for (counter, (chosen, difference)) in counters.iter_mut().zip(terms) {
            *counter = counter.wrapping_add(difference & chosen.wrapping_neg());
        }
    });
}

/// S's step for one bit of all bins: adds t − k0 to its counters and returns the differences k0 − k1 + 1 − 2t.
pub(super) fn differences(
    counters: &mut Counters,
    bits: u128,
    zeros: &[Block; BINS],
    ones: &[Block; BINS],
) -> Packed {
    wide::run(|| {
        let (bits, zeros, ones) = (spread(bits), low(zeros), low(ones));
        let mut differences = [0u8; BINS];
        for i in 0..BINS {
            counters[i] = counters[i].wrapping_add(bits[i]).wrapping_sub(zeros[i]);
            let difference = zeros[i].wrapping_sub(ones[i]).wrapping_add(1);
            differences[i] = difference.wrapping_sub(bits[i] << 1);
        }
        pack(&differences)
    })
}

/// The low seven bits of each counter: part j takes bit j of the last part as its eighth bits.
#[inline(always)]
pub(super) fn pack(counters: &Counters) -> Packed {
    let parts = counters.as_chunks::<PART>().0;
    std::array::from_fn(|j| {
        let mut bytes = [0; PART];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = (parts[j][i] & 0x7f) | (((parts[COUNTER_BITS][i] >> j) & 1) << 7);
        }
        Block::from_bytes(bytes)
    })
}

#[inline(always)]
pub(super) fn unpack(packed: &Packed) -> Counters {
    let mut counters = [0; BINS];
    let (first, last) = counters.split_at_mut(PART * COUNTER_BITS);
    for (j, (part, block)) in first
        .as_chunks_mut::<PART>()
        .0
        .iter_mut()
        .zip(packed)
        .enumerate()
    {
        for ((counter, last), byte) in part.iter_mut().zip(last.iter_mut()).zip(block.to_bytes()) {
            *counter = byte & 0x7f;
            *last |= (byte >> 7) << j;
        }
    }
    counters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;

    fn random_counters(seed: u128) -> Counters {
        let mut counters = [0; BINS];
        Prg::new(Block(seed)).fill(&mut counters);
        counters
    }

    #[test]
    fn seven_bits_of_every_counter_travel() {
        let counters = random_counters(1);
        assert_eq!(
            unpack(&pack(&counters)),
            counters.map(|counter| counter & 0x7f)
        );
    }

    #[test]
    fn words_hold_the_bits_of_targets_and_counters() {
        let targets: Vec<u128> = Prg::new(Block(2))
            .blocks(130)
            .iter()
            .map(|block| block.0)
            .collect();
        let words = bit_words(&targets, 72);
        assert_eq!(words.len(), 144);
        for (bin, target) in targets.iter().enumerate() {
            for bit in 0..72 {
                let word = words[bin / BINS * 72 + bit];
                assert_eq!((word >> (bin % BINS)) & 1, (target >> bit) & 1);
            }
        }
        assert!(
            words[72..].iter().all(|word| word >> 2 == 0),
            "no more bins"
        );
        let counters = random_counters(3);
        for (bit, word) in counter_words(&counters).iter().enumerate() {
            let of_counters = counters.map(|counter| (counter >> bit) & 1);
            assert_eq!(spread(*word), of_counters);
        }
    }

    #[test]
    fn both_sides_counters_add_up_to_the_distance() {
        let mut prg = Prg::new(Block(4));
        let mut blocks = || -> [Block; BINS] { prg.blocks(BINS).try_into().expect("a block") };
        let (zeros, ones, words) = (blocks(), blocks(), blocks());
        let (theirs, mine) = (words[0].0, words[1].0);
        let (mut r, mut s) = (random_counters(5), random_counters(6));
        let before: Vec<u8> = r.iter().zip(s).map(|(r, s)| r.wrapping_add(s)).collect();
        let sent = differences(&mut s, mine, &zeros, &ones);
        let chosen = std::array::from_fn(|i| {
            if (theirs >> i) & 1 == 1 {
                ones[i]
            } else {
                zeros[i]
            }
        });
        add_keys(&mut r, &chosen);
        add_chosen(&mut r, theirs, &sent);
        for i in 0..BINS {
            let sum = r[i].wrapping_add(s[i]).wrapping_sub(before[i]) & 0x7f;
            assert_eq!(u128::from(sum), ((theirs ^ mine) >> i) & 1);
        }
    }
}
