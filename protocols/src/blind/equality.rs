//! Equality of two hidden targets, bin by bin (protocols.md §7 step 4): R and S end with bits whose exclusive or says whether their targets
//! are equal, and neither learns anything else.
//!
//! **Distance.** For bit i of a bin, S takes two counters k0, k1 modulo 128 from the low bits of a random transfer's keys and sends d = k0 − k1 + 1 −
//! 2·t_i; R, choosing t'_i, takes k0 or k1 + d. With S's t_i − k0 that is a sharing of t_i ⊕ t'_i, and the sums a and b over all bits
//! share the Hamming distance, which is below 128 as a target has at most 127 bits.
//!
//! **One of 128.** The targets are equal where a = −b. Seven transfers, chosen by the bits of a, have keys K_j of 128 bits. S sends a table
//! with a bit T_v = e_S ⊕ M_v, flipped at v = −b, for every v, where M_v is bit v of ⊕_j K_j^{v_j}. R knows M_a alone: every other v
//! differs from a in a bit j, and bit v of the key that R did not choose there is used for nothing else.
//!
//! S sees masked choices, R sees differences hidden by k1 or k0, whichever it did not choose, and 127 bits hidden by M. Semi-honest: an
//! S that sends other differences learns nothing by itself but makes R's bit depend on R's target.
//!
//! Per bin ℓ·(4 + 7/8) + 7·4 + 16 bytes and two rounds. The transfers of 128 bins go bit by bit, so that a word is one bit of all of
//! them and the counters of a block stay in registers.

use super::counters::{self, BINS, COUNTER_BITS, Counters, Packed};
use super::tally::{Chooser, Tally};
use crate::block::Block;
use crate::channel::{Channel, Kind};
use crate::fault::Fault;
use crate::ot::extension::{Choices, Receiver, Sender};
use crate::secret::Secret;
use rand_core::CryptoRng;

pub(super) const DIFFERENCES: Kind = Kind::new(0x0500, "blind join distance differences");
pub(super) const TABLES: Kind = Kind::new(0x0501, "blind join equality tables");

/// Most bits of a target: the distance must not wrap.
pub const BITS_MAX: u32 = 127;

/// What a test of so many bins says.
pub fn count(tally: &mut Tally, bins: usize, bits: u32) {
    let blocks = bins.div_ceil(BINS);
    let distance = blocks * bits as usize;
    tally.call(Chooser::Receiver, BINS * distance);
    tally.message(COUNTER_BITS * distance, 16);
    tally.call(Chooser::Receiver, BINS * COUNTER_BITS * blocks);
    tally.message(bins, 16);
}

/// R's share of whether each target's low `bits` bits are those of S's.
///
/// # Panics
/// If a target has no bits or more than [`BITS_MAX`]: a caller's defect.
pub fn receive(
    channel: &mut Channel,
    ot: &mut Receiver,
    bits: u32,
    targets: &[u128],
    rng: &mut impl CryptoRng,
) -> Result<Vec<bool>, Fault> {
    let distance = receive_distance(channel, ot, width(bits), targets, rng)?;
    let choices = Secret::new(counters::counter_words(distance.expose()));
    let count = BINS * choices.expose().len();
    let mut masks = Secret::new(vec![Block::ZERO; distance.expose().len()]);
    ot.extend_each(
        channel,
        Choices::new(choices.expose(), count),
        rng,
        |first, keys| {
            for (word, keys) in (first / BINS..).zip(keys.as_chunks::<BINS>().0) {
                let masks = block_of(masks.expose_mut(), word / COUNTER_BITS);
                masks
                    .iter_mut()
                    .zip(keys)
                    .for_each(|(mask, key)| *mask ^= *key);
            }
        },
    )?;
    let tables: Vec<Block> = channel.receive_all(TABLES, targets.len())?;
    let hidden = tables.iter().zip(masks.expose()).zip(distance.expose());
    Ok(hidden
        .map(|((table, mask), a)| ((*table ^ *mask).0 >> (a & 0x7f)) & 1 == 1)
        .collect())
}

/// S's share of the same.
///
/// # Panics
/// If a target has no bits or more than [`BITS_MAX`]: a caller's defect.
pub fn send(
    channel: &mut Channel,
    ot: &mut Sender,
    bits: u32,
    targets: &[u128],
    rng: &mut impl CryptoRng,
) -> Result<Vec<bool>, Fault> {
    let distance = send_distance(channel, ot, width(bits), targets, rng)?;
    let distance = distance.expose();
    let own: Vec<Block> = distance.chunks(BINS).map(|_| Block::random(rng)).collect();
    let share = |bin: usize| (own[bin / BINS].0 >> (bin % BINS)) & 1 == 1;
    let entries = distance.iter().enumerate().map(|(bin, b)| {
        let equal_at = b.wrapping_neg() & 0x7f;
        Block(u128::MAX).masked(share(bin)) ^ Block(1 << equal_at)
    });
    let mut tables: Vec<Block> = entries.collect();
    let count = COUNTER_BITS * tables.len();
    ot.extend_each(channel, count, rng, |first, [zeros, ones]| {
        let pairs = zeros
            .as_chunks::<BINS>()
            .0
            .iter()
            .zip(ones.as_chunks::<BINS>().0);
        for (word, (zeros, ones)) in (first / BINS..).zip(pairs) {
            let with_bit = WITH_BIT[word % COUNTER_BITS];
            let tables = block_of(&mut tables, word / COUNTER_BITS);
            for (table, (zero, one)) in tables.iter_mut().zip(zeros.iter().zip(ones)) {
                *table ^= *zero ^ ((*zero ^ *one) & with_bit);
            }
        }
    })?;
    channel.send_all(TABLES, &tables[..targets.len()])?;
    Ok((0..targets.len()).map(share).collect())
}

/// For each bit of a counter, the counters in which it is set.
const WITH_BIT: [Block; COUNTER_BITS] = {
    let mut masks = [Block::ZERO; COUNTER_BITS];
    let mut v = 0;
    while v < 128 {
        let mut bit = 0;
        while bit < COUNTER_BITS {
            masks[bit].0 |= ((v >> bit) & 1) << v;
            bit += 1;
        }
        v += 1;
    }
    masks
};

/// R's share of each bin's distance, modulo 128, for whole blocks of bins.
fn receive_distance(
    channel: &mut Channel,
    ot: &mut Receiver,
    bits: usize,
    targets: &[u128],
    rng: &mut impl CryptoRng,
) -> Result<Secret<Vec<u8>>, Fault> {
    let choices = Secret::new(counters::bit_words(targets, bits));
    let choices = choices.expose();
    let mut sums = no_counters(targets.len());
    let blocks = Choices::new(choices, BINS * choices.len());
    ot.extend_each(channel, blocks, rng, |first, keys| {
        for (word, keys) in (first / BINS..).zip(keys.as_chunks::<BINS>().0) {
            counters::add_keys(block_of(sums.expose_mut(), word / bits), keys);
        }
    })?;
    let differences: Vec<Block> = channel.receive_all(DIFFERENCES, COUNTER_BITS * choices.len())?;
    let packed = differences.as_chunks::<COUNTER_BITS>().0;
    for (word, (choices, differences)) in choices.iter().zip(packed).enumerate() {
        let sums = block_of(sums.expose_mut(), word / bits);
        counters::add_chosen(sums, *choices, differences);
    }
    Ok(sums)
}

/// S's share of the same.
fn send_distance(
    channel: &mut Channel,
    ot: &mut Sender,
    bits: usize,
    targets: &[u128],
    rng: &mut impl CryptoRng,
) -> Result<Secret<Vec<u8>>, Fault> {
    let own = Secret::new(counters::bit_words(targets, bits));
    let own = own.expose();
    let mut sums = no_counters(targets.len());
    let mut differences: Vec<Packed> = Vec::with_capacity(own.len());
    ot.extend_each(channel, BINS * own.len(), rng, |first, [zeros, ones]| {
        let pairs = zeros
            .as_chunks::<BINS>()
            .0
            .iter()
            .zip(ones.as_chunks::<BINS>().0);
        for (word, (zeros, ones)) in (first / BINS..).zip(pairs) {
            let sums = block_of(sums.expose_mut(), word / bits);
            differences.push(counters::differences(sums, own[word], zeros, ones));
        }
    })?;
    channel.send_all(DIFFERENCES, differences.as_flattened())?;
    Ok(sums)
}

fn width(bits: u32) -> usize {
    assert!((1..=BITS_MAX).contains(&bits), "a target has 1 to 127 bits");
    bits as usize
}

/// A counter for every bin of whole blocks.
fn no_counters(bins: usize) -> Secret<Vec<u8>> {
    Secret::new(vec![0; bins.next_multiple_of(size_of::<Counters>())])
}

/// The part of a list that belongs to a block of bins. Blocks are counted by our own lengths, never the peer's.
fn block_of<T>(list: &mut [T], block: usize) -> &mut [T; BINS] {
    &mut list.as_chunks_mut().0[block]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blind::ots::{both_with_ots, refuses_other_frames};
    use crate::ot::Transfers;

    fn tally(bins: usize, bits: u32) -> Tally {
        let mut tally = Tally::new(Transfers::Fast);
        count(&mut tally, bins, bits);
        tally
    }

    /// Both parties' shares; the bytes are compared with what [`count`] says.
    fn shares(bits: u32, r: &[u128], s: &[u128]) -> [Vec<bool>; 2] {
        let (at_receiver, at_sender) = both_with_ots(
            &tally(r.len(), bits),
            |channel, ots, rng| receive(channel, &mut ots.receiver, bits, r, rng),
            |channel, ots, rng| send(channel, &mut ots.sender, bits, s, rng),
        );
        [at_receiver.expect("honest"), at_sender.expect("honest")]
    }

    fn random_targets(seed: u128, count: usize) -> Vec<u128> {
        let blocks = crate::prg::Prg::new(Block(seed)).blocks(count);
        blocks.iter().map(|block| block.0).collect()
    }

    #[test]
    fn only_equal_targets_are_equal() {
        for bits in [1u32, 43, 60, 64, 72, 127] {
            let mask = u128::MAX >> (128 - bits);
            let mut pairs: Vec<(u128, u128)> = Vec::new();
            for target in [0, mask, 0x0123_4567_89ab_cdef_0011_2233_4455_6677 & mask] {
                pairs.push((target, target));
                pairs.extend((0..bits).map(|bit| (target, target ^ (1 << bit))));
                pairs.push((target, target ^ mask));
                // Distance 64, or as far as there are bits, from either end.
                pairs.push((target, target ^ (mask & u128::from(u64::MAX))));
                pairs.push((target, target ^ (mask & (mask << bits.saturating_sub(64)))));
                // What lies above the bits does not count.
                pairs.push((target, target | !mask));
            }
            pairs.extend(random_targets(7, 40).into_iter().zip(random_targets(8, 40)));
            let (r, s): (Vec<u128>, Vec<u128>) = pairs.iter().copied().unzip();
            let [of_r, of_s] = shares(bits, &r, &s);
            assert_eq!(of_r.len(), pairs.len());
            for (bin, (r, s)) in pairs.iter().enumerate() {
                let equal = (r ^ s) & mask == 0;
                assert_eq!(of_r[bin] ^ of_s[bin], equal, "{bits} bits, {r:x} and {s:x}");
            }
        }
    }

    #[test]
    fn any_number_of_bins_takes_the_stated_bytes() {
        for bins in [0, 1, 127, 128, 129, 1_000] {
            let targets = random_targets(9, bins);
            let [of_r, of_s] = shares(61, &targets, &targets);
            assert!(of_r.iter().zip(&of_s).all(|(r, s)| r ^ s));
        }
        // ℓ·(4 + 7/8) + 7·4 + 16 bytes a bin, and ten a frame.
        let frames = 64 + 4 + 7 + 1;
        assert_eq!(
            tally(1 << 16, 64).bytes(),
            (1 << 16) * (64 * 39 / 8 + 44) + 10 * frames
        );
    }

    /// Of n fair bits, less than 3·√n more or less than half are ones but for a probability of 2·e^-18 (Hoeffding), or 2^-24; four counts.
    #[test]
    fn a_share_alone_looks_uniform_whether_targets_match_or_not() {
        let bins = 1 << 12;
        let targets = random_targets(10, bins);
        let others: Vec<u128> = targets.iter().map(|target| target ^ 4).collect();
        for s in [&targets, &others] {
            for shares in shares(64, &targets, s) {
                let ones = shares.iter().filter(|share| **share).count();
                assert!(ones.abs_diff(bins / 2) < 3 * 64, "{ones} of {bins}");
            }
        }
    }

    #[test]
    fn frames_of_other_lengths_or_kinds_blame_the_peer() {
        let targets = random_targets(11, 5);
        refuses_other_frames(
            &tally(5, 43),
            &[DIFFERENCES, TABLES],
            |channel, ots, rng| receive(channel, &mut ots.receiver, 43, &targets, rng),
            |channel, ots, rng| send(channel, &mut ots.sender, 43, &targets, rng),
        );
    }
}
