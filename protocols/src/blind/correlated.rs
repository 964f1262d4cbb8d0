//! Shares of choice·x (protocols.md §7 step 5): one party knows x, a row of words, the other a bit, and they end with two rows that add up to x
//! where the bit is set and to zero where it is not.
//!
//! A correlated transfer: the offering party takes rows k0, k1 from a random transfer's two keys, sends d = k0 − k1 + x and keeps −k0; the choosing
//! party takes k0 or k1 + d. It sees d hidden by k1 or k0, whichever it did not choose; the offering party sees nothing. A key
//! gives its own 16 bytes if a row has no more, otherwise what it stretches to.
//!
//! Both directions of a step can be under way at once: [`Chosen::choose`] sends what the choosing party has to say, [`Chosen::finish`] takes the
//! answer.

use super::layout::Layout;
use super::tally::{Chooser, Tally};
use super::word::Word;
use crate::block::Block;
use crate::channel::{Channel, Kind};
use crate::fault::{Fault, Misbehaviour};
use crate::ot::extension::{self, Choices, PIECE, Receiver, Sender, Stretch};
use crate::secret::Secret;
use rand_core::CryptoRng;
use std::sync::Arc;

pub(crate) const WORDS: Kind = Kind::new(0x0502, "blind join correlated words");

/// What so many rows say.
pub fn count(tally: &mut Tally, chooser: Chooser, rows: usize, layout: &Layout) {
    tally.call(chooser, rows);
    tally.message(rows * layout.bytes_a_row(), 1);
}

/// The choosing party's shares of `choices[i]` times the other's row i.
pub fn choose<W: Word>(
    channel: &mut Channel,
    ot: &mut Receiver,
    choices: &[bool],
    layout: &Layout,
    rng: &mut impl CryptoRng,
) -> Result<Vec<W>, Fault> {
    Chosen::choose(channel, ot, choices, layout, rng)?.finish(channel)
}

/// The offering party's shares of its own rows times the other's choices.
///
/// # Panics
/// If `words` are not whole rows: a caller's defect.
pub fn offer<W: Word>(
    channel: &mut Channel,
    ot: &mut Sender,
    words: &[W],
    layout: &Layout,
    rng: &mut impl CryptoRng,
) -> Result<Vec<W>, Fault> {
    let a_row = layout.words().max(1);
    assert!(words.len().is_multiple_of(a_row), "whole rows");
    let mut pads = Pads::new(layout, ot.stretch());
    let mut shares = words.to_vec();
    let mut sent = Vec::with_capacity(words.len() / a_row * layout.bytes_a_row());
    // With room for the longest piece, so that nothing that was not wiped is left behind by growing.
    let mut rows: [Secret<Vec<W>>; 2] =
        [(); 2].map(|()| Secret::new(Vec::with_capacity(PIECE * a_row)));
    ot.extend_each(channel, words.len() / a_row, rng, |first, keys| {
        let [zeros, ones] = rows.each_mut().map(Secret::expose_mut);
        for (keys, rows) in keys.into_iter().zip([&mut *zeros, &mut *ones]) {
            rows.clear();
            pads.read(keys, rows);
        }
        let rows = &mut shares[first * a_row..][..zeros.len()];
        for ((word, zero), one) in rows.iter_mut().zip(&*zeros).zip(&mut *ones) {
            *one = zero.wrapping_sub(*one).wrapping_add(*word);
            *word = zero.wrapping_neg();
        }
        layout.encode_onto(ones, &mut sent);
    })?;
    channel.send_all(WORDS, &sent)?;
    Ok(shares)
}

/// What the choosing party holds until the other's words come.
pub struct Chosen<'a, W> {
    choices: &'a [bool],
    layout: &'a Layout,
    shares: Vec<W>,
}

impl<'a, W: Word> Chosen<'a, W> {
    /// Sends the choices, masked.
    pub fn choose(
        channel: &mut Channel,
        ot: &mut Receiver,
        choices: &'a [bool],
        layout: &'a Layout,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let mut pads = Pads::new(layout, ot.stretch());
        let packed: Secret<Vec<u128>> = extension::pack(choices);
        let packed = Choices::new(packed.expose(), choices.len());
        let mut shares = Vec::with_capacity(choices.len() * layout.words());
        ot.extend_each(channel, packed, rng, |_, keys| pads.read(keys, &mut shares))?;
        Ok(Self {
            choices,
            layout,
            shares,
        })
    }

    /// Takes the other's words.
    pub fn finish(self, channel: &mut Channel) -> Result<Vec<W>, Fault> {
        let Self {
            choices,
            layout,
            mut shares,
        } = self;
        let expected = choices.len() * layout.bytes_a_row();
        let received: Vec<u8> = channel.receive_all(WORDS, expected)?;
        let got = received.len();
        let words = layout.decode::<W>(&received, choices.len());
        let words = words.ok_or(Misbehaviour::Length {
            message: WORDS.name(),
            expected,
            got,
        })?;
        let a_row = layout.words().max(1);
        let rows = shares
            .chunks_exact_mut(a_row)
            .zip(words.chunks_exact(a_row));
        for ((row, words), choice) in rows.zip(choices) {
            for (share, word) in row.iter_mut().zip(words) {
                *share = share.wrapping_add(word.masked(*choice));
            }
        }
        Ok(shares)
    }
}

/// Keys read as rows of words. Bits above a word's own are whatever stands there: nobody looks at them.
struct Pads {
    /// For each word, the block of a key's that holds it, and how far up.
    places: Vec<(usize, u32)>,
    blocks: usize,
    stretch: Arc<Stretch>,
    stretched: Secret<Vec<Block>>,
}

impl Pads {
    fn new(layout: &Layout, stretch: Arc<Stretch>) -> Self {
        let (mut places, mut blocks, mut used) = (Vec::new(), 0, Block::BITS);
        for bits in layout.bits().iter().map(|bits| bits.next_multiple_of(8)) {
            if used + bits > Block::BITS {
                (blocks, used) = (blocks + 1, 0);
            }
            places.push((blocks - 1, used));
            used += bits;
        }
        Self {
            places,
            blocks,
            stretch,
            stretched: Secret::new(Vec::new()),
        }
    }

    /// Appends the rows of `keys`.
    fn read<W: Word>(&mut self, keys: &[Block], rows: &mut Vec<W>) {
        let Self {
            places,
            blocks,
            stretch,
            stretched,
        } = self;
        let mut append = |blocks: &[Block]| {
            let word = |(block, shift): &(usize, u32)| W::from_u128(blocks[*block].0 >> shift);
            rows.extend(places.iter().map(word));
        };
        if *blocks <= 1 {
            keys.chunks(1).for_each(append);
            return;
        }
        // Few keys at a time, so that what they stretch to stays in the first cache.
        for keys in keys.chunks((PIECE / *blocks).max(1)) {
            stretch.replace(stretched.expose_mut(), keys, *blocks);
            stretched
                .expose()
                .chunks_exact(*blocks)
                .for_each(&mut append);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blind::ots::{BOTH, both_with_ots, refuses_other_frames};
    use crate::ot::Transfers;
    use crate::prg::Prg;

    fn tally(transfers: Transfers, rows: usize, layout: &Layout) -> Tally {
        let mut tally = Tally::new(transfers);
        count(&mut tally, Chooser::Receiver, rows, layout);
        tally
    }

    /// Runs both parties, R choosing, and asserts every sum; the bytes are compared with what [`count`] says.
    fn assert_shares<W: Word>(bits: &[u32], choices: &[bool]) {
        BOTH.iter()
            .for_each(|way| assert_shares_by::<W>(*way, bits, choices));
    }

    fn assert_shares_by<W: Word>(transfers: Transfers, bits: &[u32], choices: &[bool]) {
        let layout = &Layout::new(bits.to_vec());
        let blocks = Prg::new(Block(3)).blocks(choices.len() * bits.len());
        let words: Vec<W> = blocks.iter().map(|block| W::from_u128(block.0)).collect();
        let (chosen, offered) = both_with_ots(
            &tally(transfers, choices.len(), layout),
            |channel, ots, rng| choose::<W>(channel, &mut ots.receiver, choices, layout, rng),
            |channel, ots, rng| offer(channel, &mut ots.sender, &words, layout, rng),
        );
        let (chosen, offered) = (chosen.expect("honest"), offered.expect("honest"));
        assert_eq!(chosen.len(), words.len());
        for (i, word) in words.iter().enumerate() {
            let sum = chosen[i].wrapping_add(offered[i]).to_u128();
            let counts = u128::MAX >> (128 - bits[i % bits.len()].min(W::BITS));
            let expected = word.masked(choices[i / bits.len()]).to_u128();
            assert_eq!((sum ^ expected) & counts, 0, "word {i} of {bits:?}");
        }
    }

    #[test]
    fn rows_of_any_width_add_up_to_what_was_chosen() {
        let choices: Vec<bool> = (0..700).map(|i| i % 3 == 1).collect();
        for count in [0, 1, 128, 700] {
            let choices = &choices[..count];
            assert_shares::<u64>(&[21], choices);
            assert_shares::<u64>(&[64, 64], choices);
            assert_shares::<u64>(&[21, 33, 64, 64], choices);
            assert_shares::<u128>(&[127], choices);
            assert_shares::<u128>(&[21, 65, 127, 8, 64], choices);
        }
    }

    #[test]
    fn frames_of_other_lengths_or_kinds_blame_the_peer() {
        let layout = &Layout::new(vec![24, 40]);
        for transfers in BOTH {
            refuses_other_frames(
                &tally(transfers, 5, layout),
                &[WORDS],
                |channel, ots, rng| {
                    choose::<u64>(channel, &mut ots.receiver, &[true; 5], layout, rng)
                },
                |channel, ots, rng| offer::<u64>(channel, &mut ots.sender, &[7; 10], layout, rng),
            );
        }
    }
}
