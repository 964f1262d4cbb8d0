//! Products of R's own numbers with shared words (Gilboa, CRYPTO'99; protocols.md §7.5).
//!
//! R knows f, a signed number of a fixed number of bits; R and S share a word c of a moment with b bits. R's own share is a product that it
//! computes alone. Of S's share, f·c is the sum of its bits' products, the top bit's being negative (two's complement), and each of
//! these is one oblivious transfer in which R chooses by the bit: S sends K_0 − K_1 + c and takes −K_0, R takes K_0, or K_1 plus
//! what was sent. Bit i weighs 2^i, so that only b − i bits of its word count and travel.
//!
//! R learns nothing, as what is sent is masked by the key that it did not choose; S learns nothing, as it receives only the
//! transfers. No branch or address depends on f.

use super::layout::Layout;
use super::tally::{Chooser, Tally};
use super::word::Word;
use crate::block::Block;
use crate::channel::{Channel, Kind};
use crate::fault::{Fault, Misuse};
use crate::ot::extension::{Receiver, Sender};
use crate::secret::Secret;
use rand_core::CryptoRng;
use std::collections::VecDeque;
use std::ops::Range;

pub(super) const WORDS: Kind = Kind::new(0x0522, "products: the sender's words");

/// Transfers of a piece: its words fit one frame.
const PIECE_TRANSFERS: usize = 1 << 15;
/// Pieces for which R chooses before it reads what S sent for the first, so that the line is never idle. As many frames of S wait at most,
/// fewer than a line holds: so S never waits for R to read.
const AHEAD: usize = 4;

/// Which products: public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Bits of R's numbers, sign included: 1 to 128.
    pub factor_bits: u32,
    /// Bits of the moment that the products are for: 1 to 128.
    pub moment_bits: u32,
}

impl Widths {
    /// Transfers a product. Bits of the number that weigh 2^b or more do not count.
    fn transfers(self) -> usize {
        self.factor_bits.min(self.moment_bits) as usize
    }

    /// How a bit's words travel.
    fn layouts(self) -> Vec<Layout> {
        let bits = 0..self.transfers() as u32;
        bits.map(|bit| Layout::new(vec![self.moment_bits - bit]))
            .collect()
    }

    /// Bytes of S's words a product.
    fn bytes_a_product(self) -> usize {
        self.layouts().iter().map(Layout::bytes_a_row).sum()
    }

    /// What bit `bit` of a number weighs.
    fn weight<W: Word>(self, bit: usize) -> W {
        let weight = W::from_u128(1 << bit);
        weight.negated(bit as u32 + 1 == self.factor_bits)
    }

    fn pieces(self, count: usize) -> impl Iterator<Item = Range<usize>> {
        let piece = PIECE_TRANSFERS / self.transfers();
        let starts = (0..count).step_by(piece);
        starts.map(move |start| start..count.min(start + piece))
    }
}

/// What so many products say.
pub fn count(tally: &mut Tally, products: usize, widths: Widths) {
    for piece in widths.pieces(products) {
        tally.call(Chooser::Receiver, widths.transfers() * piece.len());
        tally.message(widths.bytes_a_product() * piece.len(), 1);
    }
}

/// R's shares of `factors` times the words that it and S share, of which `words` are R's shares.
///
/// # Panics
/// If there are not as many words as factors: a caller's defect.
pub fn receive<W: Word>(
    channel: &mut Channel,
    ot: &mut Receiver,
    widths: Widths,
    factors: &[i128],
    words: &[W],
    rng: &mut impl CryptoRng,
) -> Result<Vec<W>, Fault> {
    assert_eq!(factors.len(), words.len(), "a word for every factor");
    check(widths, factors)?;
    let own = factors.iter().zip(words);
    let mut products: Vec<W> = own
        .map(|(factor, word)| W::from_i128(*factor).wrapping_mul(*word))
        .collect();
    let mut chosen = VecDeque::with_capacity(AHEAD + 1);
    for piece in widths.pieces(factors.len()) {
        let choices = choices(widths, &factors[piece.clone()]);
        let keys = ot.extend(channel, choices.expose(), rng)?;
        chosen.push_back((piece, choices, keys));
        if chosen.len() > AHEAD {
            take_first(channel, widths, &mut chosen, &mut products)?;
        }
    }
    while !chosen.is_empty() {
        take_first(channel, widths, &mut chosen, &mut products)?;
    }
    Ok(products)
}

/// A piece of products with R's choices and keys, bit by bit.
type Chosen = (Range<usize>, Secret<Vec<bool>>, Secret<Vec<Block>>);

fn take_first<W: Word>(
    channel: &mut Channel,
    widths: Widths,
    chosen: &mut VecDeque<Chosen>,
    products: &mut [W],
) -> Result<(), Fault> {
    let Some((piece, choices, keys)) = chosen.pop_front() else {
        return Ok(());
    };
    let count = piece.len();
    let message: Vec<u8> = channel.receive_all(WORDS, widths.bytes_a_product() * count)?;
    let mut rest = message.as_slice();
    let mut sent = vec![W::ZERO; count];
    let bits = choices.expose().chunks_exact(count);
    let bits = bits.zip(keys.expose().chunks_exact(count));
    for (bit, (layout, (choices, keys))) in widths.layouts().iter().zip(bits).enumerate() {
        let (now, later) = rest.split_at(count * layout.bytes_a_row());
        rest = later;
        layout.decode_into(now, &mut sent);
        let weight = widths.weight::<W>(bit);
        let products = products[piece.clone()].iter_mut();
        for (((product, key), choice), sent) in products.zip(keys).zip(choices).zip(&sent) {
            let share = W::from_u128(key.0).wrapping_add(sent.masked(*choice));
            *product = product.wrapping_add(share.wrapping_mul(weight));
        }
    }
    Ok(())
}

/// S's shares of R's factors times the words that both share, of which `words` are S's shares.
pub fn send<W: Word>(
    channel: &mut Channel,
    ot: &mut Sender,
    widths: Widths,
    words: &[W],
    rng: &mut impl CryptoRng,
) -> Result<Vec<W>, Fault> {
    let mut products = vec![W::ZERO; words.len()];
    for piece in widths.pieces(words.len()) {
        let count = piece.len();
        let pairs = ot.extend(channel, widths.transfers() * count, rng)?;
        let mut message = Vec::with_capacity(widths.bytes_a_product() * count);
        let mut sent = vec![W::ZERO; count];
        let bits = pairs.expose().chunks_exact(count);
        for (bit, (layout, pairs)) in widths.layouts().iter().zip(bits).enumerate() {
            let weight = widths.weight::<W>(bit);
            let products = products[piece.clone()].iter_mut();
            let words = words[piece.clone()].iter().zip(&mut sent);
            for ((product, pair), (word, sent)) in products.zip(pairs).zip(words) {
                let [zero, one] = pair.map(|key| W::from_u128(key.0));
                *sent = zero.wrapping_sub(one).wrapping_add(*word);
                *product = product.wrapping_sub(zero.wrapping_mul(weight));
            }
            layout.encode_onto(&sent, &mut message);
        }
        channel.send_all(WORDS, &message)?;
    }
    Ok(products)
}

/// Each factor's bits, those of one weight side by side.
fn choices(widths: Widths, factors: &[i128]) -> Secret<Vec<bool>> {
    let mut choices = Vec::with_capacity(widths.transfers() * factors.len());
    for bit in 0..widths.transfers() {
        choices.extend(factors.iter().map(|factor| (factor >> bit) & 1 == 1));
    }
    Secret::new(choices)
}

/// Whether all factors have as few bits as was agreed.
fn check(widths: Widths, factors: &[i128]) -> Result<(), Fault> {
    let magnitudes = factors
        .iter()
        .map(|factor| (factor ^ (factor >> 127)) as u128);
    let all = magnitudes.fold(0, |all, magnitude| all | magnitude);
    let got = (u128::BITS - all.leading_zeros() + 1) as usize;
    let max = widths.factor_bits as usize;
    if got > max {
        let what = "bits of a factor";
        return Err(Misuse::TooMany { what, max, got }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
