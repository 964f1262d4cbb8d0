//! Equality of two hidden targets in few bytes (protocols.md §7 step 4, where transfers are [silent](crate::ot::silent)): as
//! [`super::equality`], but by tables of eight, level by level (after Rathee et al., CCS'20).
//!
//! **A level.** R and S have strings of L bits. For each group of three, R with x and S with y, three transfers are chosen by the bits of x; their keys K_j
//! give masks M_v, bit v of ⊕_j K_j^{v_j}, for the eight v. S takes e_S = [y = 0] ⊕ M_0 and sends T_v = e_S ⊕ [y = v] ⊕ M_v for v from 1
//! to 7: T_0 would be zero. R takes e_R = T_x ⊕ M_x. So e_R ⊕ e_S = [x = y], and the groups are equal where R's e_R is S's ¬e_S: these are
//! the strings of the next level, a third as long. One bit too many is handed down as it is; where it is two, a zero that both know is put beside them. After the
//! last level there is one bit, x at R and y at S, and the shares are x and ¬y.
//!
//! S sees masked choices. R knows M_x alone: every other v differs from x in a bit j, and bit v of the key that R did not choose there is used for
//! nothing else; so seven uniform bits are all it sees, and its share is one of its own keys' bits or hidden by S's.
//!
//! Per bin of 64 bits 320 bits in all and four rounds, against 648 and two of the test by distances: that one takes fewer
//! transfers, and is better where each sends four bytes. Bins go through in blocks of 128, bit by bit.

use super::counters::{self, BINS, COUNTER_BITS, Counters, Packed};
use super::equality::BITS_MAX;
use super::tally::{Chooser, Tally};
use crate::block::Block;
use crate::channel::{Channel, Kind};
use crate::fault::Fault;
use crate::ot::extension::{Choices, Receiver, Sender};
use crate::secret::Secret;
use crate::simd::wide;
use rand_core::CryptoRng;

pub(super) const TABLES: Kind = Kind::new(0x0503, "blind join equality tables of eight");

/// Bits that one table compares.
const GROUP: usize = 3;
/// For each bit of a number below eight, the numbers in which it is set.
const WITH_BIT: [u8; GROUP] = [0xaa, 0xcc, 0xf0];

/// One level: strings of `bits` bits become strings of [`Level::below`].
#[derive(Clone, Copy)]
struct Level {
    bits: usize,
    groups: usize,
}

impl Level {
    /// All of them, down to one bit.
    fn all(bits: u32) -> impl Iterator<Item = Self> {
        let of = |bits: usize| {
            let groups = match bits % GROUP {
                1 => bits / GROUP,
                _ => bits.div_ceil(GROUP),
            };
            (bits > 1).then_some(Self { bits, groups })
        };
        std::iter::successors(of(bits as usize), move |level| of(level.below()))
    }

    fn below(self) -> usize {
        self.groups + usize::from(self.is_handing_down())
    }

    /// Whether the last bit is handed down.
    fn is_handing_down(self) -> bool {
        self.bits > GROUP * self.groups
    }

    /// The words that are compared, block by block, with a zero where a group is one short.
    fn compared(self, words: &[u128]) -> Secret<Vec<u128>> {
        let mut compared = Vec::with_capacity(words.len() + words.len() / self.bits);
        for words in words.chunks_exact(self.bits) {
            let whole = GROUP * self.groups;
            compared.extend_from_slice(&words[..whole.min(self.bits)]);
            compared.extend((self.bits..whole).map(|_| 0));
        }
        Secret::new(compared)
    }

    /// The next level's words from what came of the groups, and the words handed down.
    fn joined(self, words: &[u128], of_groups: &[u128]) -> Secret<Vec<u128>> {
        let mut below = Vec::with_capacity(words.len() / self.bits * self.below());
        let blocks = words.chunks_exact(self.bits);
        for (words, of_groups) in blocks.zip(of_groups.chunks_exact(self.groups)) {
            below.extend_from_slice(of_groups);
            below.extend(words.iter().skip(GROUP * self.groups));
        }
        Secret::new(below)
    }
}

/// What a test of so many bins says.
pub fn count(tally: &mut Tally, bins: usize, bits: u32) {
    let blocks = bins.div_ceil(BINS);
    for level in Level::all(bits) {
        let groups = blocks * level.groups;
        tally.call(Chooser::Receiver, BINS * GROUP * groups);
        tally.message(COUNTER_BITS * groups, 16);
    }
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
    assert!((1..=BITS_MAX).contains(&bits), "1 to 127 bits");
    let mut words = Secret::new(counters::bit_words(targets, bits as usize));
    for level in Level::all(bits) {
        let choices = level.compared(words.expose());
        let choices = choices.expose();
        let mut masks = Secret::new(vec![0; BINS * choices.len() / GROUP]);
        let all = Choices::new(choices, BINS * choices.len());
        ot.extend_each(channel, all, rng, |first, keys| {
            for (word, keys) in (first / BINS..).zip(keys.as_chunks::<BINS>().0) {
                let masks = &mut masks.expose_mut().as_chunks_mut::<BINS>().0[word / GROUP];
                wide::run(|| counters::add_low(masks, keys));
            }
        })?;
        let count = COUNTER_BITS * choices.len() / GROUP;
        let tables: Vec<Block> = channel.receive_all(TABLES, count)?;
        let groups = choices.as_chunks::<GROUP>().0.iter();
        let hidden = tables
            .as_chunks()
            .0
            .iter()
            .zip(masks.expose().as_chunks().0);
        let of_groups = groups.zip(hidden);
        let of_groups = of_groups.map(|(x, (table, masks))| looked_up(x, table, masks));
        let of_groups = Secret::new(of_groups.collect::<Vec<u128>>());
        words = level.joined(words.expose(), of_groups.expose());
    }
    Ok(shares(words.expose(), targets.len(), 0))
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
    assert!((1..=BITS_MAX).contains(&bits), "1 to 127 bits");
    let mut words = Secret::new(counters::bit_words(targets, bits as usize));
    for level in Level::all(bits) {
        let compared = level.compared(words.expose());
        let compared = compared.expose();
        let mut masks = Secret::new(vec![0; BINS * compared.len() / GROUP]);
        let count = BINS * compared.len();
        ot.extend_each(channel, count, rng, |first, [zeros, ones]| {
            let pairs = zeros.as_chunks::<BINS>().0.iter();
            let pairs = pairs.zip(ones.as_chunks::<BINS>().0);
            for (word, (zeros, ones)) in (first / BINS..).zip(pairs) {
                let masks = &mut masks.expose_mut().as_chunks_mut::<BINS>().0[word / GROUP];
                let with_bit = WITH_BIT[word % GROUP];
                wide::run(|| counters::add_low_by_bit(masks, zeros, ones, with_bit));
            }
        })?;
        let groups = compared.as_chunks::<GROUP>().0.iter();
        let of_groups = groups.zip(masks.expose().as_chunks().0);
        let (tables, of_groups): (Vec<Packed>, Vec<u128>) =
            of_groups.map(|(y, masks)| table(y, masks)).unzip();
        let of_groups = Secret::new(of_groups);
        channel.send_all(TABLES, tables.as_flattened())?;
        words = level.joined(words.expose(), of_groups.expose());
    }
    Ok(shares(words.expose(), targets.len(), u128::MAX))
}

/// Of each bin a byte with the one bit set that the three words' bits name.
#[inline(always)]
fn one_hot(words: &[u128; GROUP]) -> Counters {
    let mut hot = [0xff; BINS];
    for (word, with_bit) in words.iter().zip(WITH_BIT) {
        for (hot, bit) in hot.iter_mut().zip(counters::spread(*word)) {
            // All ones where the bit is clear turns the pattern round.
            *hot &= with_bit ^ bit.wrapping_sub(1);
        }
    }
    hot
}

/// S's tables of 128 bins for one group, and its strings' next bits.
fn table(y: &[u128; GROUP], masks: &Counters) -> (Packed, u128) {
    wide::run(|| {
        let mut bytes = one_hot(y);
        let mut own = [0; BINS];
        for ((byte, mask), own) in bytes.iter_mut().zip(masks).zip(&mut own) {
            *byte ^= mask;
            *own = *byte & 1;
            *byte = (*byte ^ own.wrapping_neg()) >> 1;
        }
        (counters::pack(&bytes), !counters::plane(&own, 0))
    })
}

/// R's strings' next bits from S's tables of 128 bins for one group.
fn looked_up(x: &[u128; GROUP], table: &Packed, masks: &Counters) -> u128 {
    wide::run(|| {
        let (mut bytes, hot) = (counters::unpack(table), one_hot(x));
        for ((byte, mask), hot) in bytes.iter_mut().zip(masks).zip(hot) {
            let bit = ((*byte << 1) ^ mask) & hot;
            *byte = (bit | bit.wrapping_neg()) >> 7;
        }
        counters::plane(&bytes, 0)
    })
}

/// The bits of the last words, flipped by `flip`.
fn shares(words: &[u128], bins: usize, flip: u128) -> Vec<bool> {
    let bit = |bin: usize| ((words[bin / BINS] ^ flip) >> (bin % BINS)) & 1 == 1;
    (0..bins).map(bit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blind::ots::{BOTH, both_with_ots, refuses_other_frames};
    use crate::ot::Transfers;

    fn tally(transfers: Transfers, bins: usize, bits: u32) -> Tally {
        let mut tally = Tally::new(transfers);
        count(&mut tally, bins, bits);
        tally
    }

    /// Both parties' shares; the bytes are compared with what [`count`] says.
    fn both_shares(transfers: Transfers, bits: u32, r: &[u128], s: &[u128]) -> [Vec<bool>; 2] {
        let (at_receiver, at_sender) = both_with_ots(
            &tally(transfers, r.len(), bits),
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
    fn only_equal_targets_are_equal_at_every_width() {
        for bits in 1..=BITS_MAX {
            let mask = u128::MAX >> (128 - bits);
            let mut pairs: Vec<(u128, u128)> = Vec::new();
            for target in [0, mask, 0x0123_4567_89ab_cdef_0011_2233_4455_6677 & mask] {
                pairs.push((target, target));
                pairs.extend((0..bits).map(|bit| (target, target ^ (1 << bit))));
                pairs.push((target, target ^ mask));
                // What lies above the bits does not count.
                pairs.push((target, target | !mask));
            }
            pairs.extend(random_targets(7, 40).into_iter().zip(random_targets(8, 40)));
            let (r, s): (Vec<u128>, Vec<u128>) = pairs.iter().copied().unzip();
            let [of_r, of_s] = both_shares(Transfers::Silent, bits, &r, &s);
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
            for transfers in BOTH {
                let [of_r, of_s] = both_shares(transfers, 61, &targets, &targets);
                assert!(of_r.iter().zip(&of_s).all(|(r, s)| r ^ s));
            }
        }
        // 32 groups of three choices and seven bits each, of 64 + 22 + 8 + 3 bits; and the frames' ten bytes.
        let levels: Vec<usize> = Level::all(64).map(|level| level.groups).collect();
        assert_eq!(levels, [21, 7, 3, 1]);
        let frames = 63 + 21 + 9 + 3 + 2 + 1 + 1 + 1;
        let expected = (1 << 16) * 32 * 10 / 8 + 10 * frames;
        assert_eq!(tally(Transfers::Silent, 1 << 16, 64).bytes(), expected);
    }

    /// Of n fair bits, less than 3·√n more or less than half are ones but for a probability of 2·e^-18 (Hoeffding), or 2^-24; four counts.
    #[test]
    fn a_share_alone_looks_uniform_whether_targets_match_or_not() {
        let bins = 1 << 12;
        let targets = random_targets(10, bins);
        let others: Vec<u128> = targets.iter().map(|target| target ^ 4).collect();
        for s in [&targets, &others] {
            for shares in both_shares(Transfers::Silent, 64, &targets, s) {
                let ones = shares.iter().filter(|share| **share).count();
                assert!(ones.abs_diff(bins / 2) < 3 * 64, "{ones} of {bins}");
            }
        }
    }

    #[test]
    fn frames_of_other_lengths_or_kinds_blame_the_peer() {
        let targets = random_targets(11, 5);
        refuses_other_frames(
            &tally(Transfers::Silent, 5, 43),
            &[TABLES],
            |channel, ots, rng| receive(channel, &mut ots.receiver, 43, &targets, rng),
            |channel, ots, rng| send(channel, &mut ots.sender, 43, &targets, rng),
        );
    }
}
