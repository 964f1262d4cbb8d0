//! Selection (protocols.md §7 step 5): from exclusive-or shares of e, whether a bin's targets are equal, and additive shares of a row
//! x, to additive shares of e·x.
//!
//! Each word of the row has shares x_R and x_S, or is known to one party alone, whose share is then all of it: the count's one and S's
//! columns to S, R's own columns to R, a column that came by a hint to neither. With e = e_R + (1 − 2·e_R)·e_S, and the same the other way
//! round, e·x_S is S's e_S·x_S plus e_R times (1 − 2·e_S)·x_S, a correlated transfer in which R chooses; and e·x_R is R's e_R·x_R plus e_S
//! times (1 − 2·e_R)·x_R, one in which S chooses. A word of one party alone takes one of the two.
//!
//! Nobody learns anything: both see what correlated transfers show. Where the targets differ, whatever x_R is, the shares add up to zero. Both
//! parties' choices are under way at once and then both parties' words: one round each.

use super::correlated::{self, Chosen};
use super::layout::Layout;
use super::ots::Ots;
use super::tally::{Chooser, Tally};
use super::word::Word;
use crate::channel::Channel;
use crate::fault::Fault;
use rand_core::CryptoRng;

/// Who has shares of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// R alone.
    Receiver,
    /// S alone.
    Sender,
    /// Both: their shares add up to the word where the targets are equal.
    Both,
}

/// What rows are made of; public.
pub struct Selection {
    layout: Layout,
    of_receiver: Part,
    of_sender: Part,
}

/// The words of which a party has shares.
struct Part {
    words: Vec<usize>,
    layout: Layout,
}

/// Most rows at a time: their choices are one frame of 256 KiB.
const ROWS_MAX: usize = 1 << 16;
/// Most bytes that a party sends before it receives: transports are bounded, and both parties send at once.
const BYTES_MAX: usize = 4 << 20;

impl Selection {
    /// Who has shares of each word of a row, and the word's bits.
    pub fn new(words: &[(Holder, u32)]) -> Self {
        let layout = Layout::new(words.iter().map(|(_, bits)| *bits).collect());
        let part = |other: Holder| {
            let own = words
                .iter()
                .enumerate()
                .filter(|(_, (holder, _))| *holder != other);
            let own: Vec<usize> = own.map(|(word, _)| word).collect();
            let layout = layout.only(&own);
            Part { words: own, layout }
        };
        Self {
            of_receiver: part(Holder::Sender),
            of_sender: part(Holder::Receiver),
            layout,
        }
    }

    /// The words of a row and of its shares.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What so many rows say.
    pub fn count(&self, tally: &mut Tally, rows: usize) {
        let at_once = self.rows_at_once();
        let parts = [
            (Chooser::Sender, &self.of_receiver),
            (Chooser::Receiver, &self.of_sender),
        ];
        for start in (0..rows).step_by(at_once) {
            let rows = at_once.min(rows - start);
            for (chooser, part) in parts.iter().filter(|(_, part)| !part.words.is_empty()) {
                correlated::count(tally, *chooser, rows, &part.layout);
            }
        }
    }

    fn rows_at_once(&self) -> usize {
        let a_row = self.of_receiver.layout.bytes_a_row();
        let a_row = a_row.max(self.of_sender.layout.bytes_a_row()).max(1);
        (BYTES_MAX / a_row / 128 * 128).clamp(128, ROWS_MAX)
    }
}

/// R's shares of e times each row, from its shares of e and of the rows. Words that S alone holds stand in `rows` too, and are ignored.
///
/// # Panics
/// If there are not as many rows as shares of e: a caller's defect.
pub fn receive<W: Word>(
    channel: &mut Channel,
    ots: &mut Ots,
    selection: &Selection,
    equal: &[bool],
    rows: &[W],
    rng: &mut impl CryptoRng,
) -> Result<Vec<W>, Fault> {
    let parts = [&selection.of_receiver, &selection.of_sender];
    run(channel, ots, selection, parts, equal, rows, rng)
}

/// S's part of [`receive`].
///
/// # Panics
/// If there are not as many rows as shares of e: a caller's defect.
pub fn send<W: Word>(
    channel: &mut Channel,
    ots: &mut Ots,
    selection: &Selection,
    equal: &[bool],
    rows: &[W],
    rng: &mut impl CryptoRng,
) -> Result<Vec<W>, Fault> {
    let parts = [&selection.of_sender, &selection.of_receiver];
    run(channel, ots, selection, parts, equal, rows, rng)
}

/// Both parties do the same, each with its own words.
fn run<W: Word>(
    channel: &mut Channel,
    ots: &mut Ots,
    selection: &Selection,
    parts: [&Part; 2],
    equal: &[bool],
    rows: &[W],
    rng: &mut impl CryptoRng,
) -> Result<Vec<W>, Fault> {
    let a_row = selection.layout.words();
    assert_eq!(rows.len(), equal.len() * a_row, "a row for every share");
    let mut shares = vec![W::ZERO; rows.len()];
    let at_once = selection.rows_at_once();
    let pieces = rows
        .chunks(at_once * a_row.max(1))
        .zip(shares.chunks_mut(at_once * a_row.max(1)));
    for (equal, (rows, shares)) in equal.chunks(at_once).zip(pieces) {
        select(channel, ots, parts, a_row, equal, rows, shares, rng)?;
    }
    Ok(shares)
}

#[expect(clippy::too_many_arguments, reason = "one step of a straight line")]
fn select<W: Word>(
    channel: &mut Channel,
    ots: &mut Ots,
    [own, theirs]: [&Part; 2],
    a_row: usize,
    equal: &[bool],
    rows: &[W],
    shares: &mut [W],
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let chosen = match theirs.words.is_empty() {
        true => None,
        false => Some(Chosen::<W>::choose(
            channel,
            &mut ots.receiver,
            equal,
            &theirs.layout,
            rng,
        )?),
    };
    if !own.words.is_empty() {
        let mut offered = Vec::with_capacity(equal.len() * own.words.len());
        for (row, equal) in rows.chunks_exact(a_row).zip(equal) {
            offered.extend(own.words.iter().map(|word| row[*word].negated(*equal)));
        }
        let offered = correlated::offer(channel, &mut ots.sender, &offered, &own.layout, rng)?;
        add(shares, a_row, &offered, &own.words);
        for ((share, row), equal) in shares
            .chunks_exact_mut(a_row)
            .zip(rows.chunks_exact(a_row))
            .zip(equal)
        {
            for word in &own.words {
                share[*word] = share[*word].wrapping_add(row[*word].masked(*equal));
            }
        }
    }
    if let Some(chosen) = chosen {
        add(shares, a_row, &chosen.finish(channel)?, &theirs.words);
    }
    Ok(())
}

/// Adds rows of some words to rows of all.
fn add<W: Word>(shares: &mut [W], a_row: usize, part: &[W], words: &[usize]) {
    for (share, part) in shares
        .chunks_exact_mut(a_row)
        .zip(part.chunks_exact(words.len()))
    {
        for (word, part) in words.iter().zip(part) {
            share[*word] = share[*word].wrapping_add(*part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blind::ots::{BOTH, both_with_ots, refuses_other_frames};
    use crate::block::Block;
    use crate::ot::Transfers;
    use crate::prg::Prg;

    fn tally(transfers: Transfers, selection: &Selection, rows: usize) -> Tally {
        let mut tally = Tally::new(transfers);
        selection.count(&mut tally, rows);
        tally
    }

    fn shares<W: Word>(selection: &Selection, equal: [&[bool]; 2], rows: [&[W]; 2]) -> [Vec<W>; 2] {
        shares_by(Transfers::Fast, selection, equal, rows)
    }

    /// Both parties' shares; the bytes are compared with what [`Selection::count`] says.
    fn shares_by<W: Word>(
        transfers: Transfers,
        selection: &Selection,
        equal: [&[bool]; 2],
        rows: [&[W]; 2],
    ) -> [Vec<W>; 2] {
        let (at_receiver, at_sender) = both_with_ots(
            &tally(transfers, selection, equal[0].len()),
            |channel, ots, rng| receive(channel, ots, selection, equal[0], rows[0], rng),
            |channel, ots, rng| send(channel, ots, selection, equal[1], rows[1], rng),
        );
        [at_receiver.expect("honest"), at_sender.expect("honest")]
    }

    /// The four shares of e with each of the values, in rows of a count, a hinted column, a column of R and one of S.
    fn assert_selected<W: Word>(bits: u32) {
        use Holder::{Both, Receiver, Sender};
        let selection =
            Selection::new(&[(Sender, 21), (Both, bits), (Receiver, bits), (Sender, bits)]);
        let values = [0, 1, -1, 1 << 63, i128::MAX, i128::MIN + 5].map(W::from_i128);
        let mut random = Prg::new(Block(4)).blocks(8 * values.len()).into_iter();
        let mut random = || W::from_u128(random.next().expect("enough").0);
        let [mut equal_r, mut equal_s] = [Vec::new(), Vec::new()];
        let [mut rows_r, mut rows_s, mut expected] = [Vec::new(), Vec::new(), Vec::new()];
        for (of_r, of_s) in [(false, false), (false, true), (true, false), (true, true)] {
            for value in values {
                let is_equal = of_r ^ of_s;
                let hinted = random();
                // A miss leaves R with noise in place of the other share.
                let of_receiver = if is_equal {
                    value.wrapping_sub(hinted)
                } else {
                    random()
                };
                equal_r.push(of_r);
                equal_s.push(of_s);
                rows_r.extend([W::ZERO, of_receiver, value, W::ZERO]);
                rows_s.extend([W::ONE, hinted, W::ZERO, value]);
                expected.extend([W::ONE, value, value, value].map(|word| word.masked(is_equal)));
            }
        }
        for way in BOTH {
            let [of_r, of_s] = shares_by(way, &selection, [&equal_r, &equal_s], [&rows_r, &rows_s]);
            for (i, expected) in expected.iter().enumerate() {
                let counts = u128::MAX >> (128 - selection.layout().bits()[i % 4].min(W::BITS));
                let sum = of_r[i].wrapping_add(of_s[i]).to_u128();
                assert_eq!((sum ^ expected.to_u128()) & counts, 0, "word {i}");
            }
        }
    }

    #[test]
    fn a_match_selects_its_row_and_a_miss_selects_zero() {
        for bits in [8, 40, 64] {
            assert_selected::<u64>(bits);
        }
        for bits in [64, 65, 127, 128] {
            assert_selected::<u128>(bits);
        }
    }

    #[test]
    fn a_count_alone_travels_in_one_direction() {
        let selection = Selection::new(&[(Holder::Sender, 21)]);
        let of_r: Vec<bool> = (0..1_000).map(|i| i % 3 == 0).collect();
        let of_s: Vec<bool> = (0..1_000).map(|i| i % 5 == 0).collect();
        let [r, s] = shares::<u64>(&selection, [&of_r, &of_s], [&[9; 1_000], &[1; 1_000]]);
        let total = r
            .iter()
            .chain(&s)
            .fold(0u64, |sum, share| sum.wrapping_add(*share));
        let expected = of_r.iter().zip(&of_s).filter(|(r, s)| *r != *s).count() as u64;
        assert_eq!(total & 0x1f_ffff, expected);
        // Four bytes of the transfer and three of the word, and ten a frame.
        let fast = tally(Transfers::Fast, &selection, 1 << 16);
        assert_eq!(fast.bytes(), (1 << 16) * 7 + 20);
        // A bit instead of the four bytes.
        let silent = tally(Transfers::Silent, &selection, 1 << 16);
        assert_eq!(silent.bytes(), (1 << 16) * 25 / 8 + 20);
    }

    #[test]
    fn more_rows_than_are_worked_on_at_once_add_up_too() {
        let selection = Selection::new(&[(Holder::Both, 127); 40]);
        assert!(selection.rows_at_once() < 7_000);
        let count = 7_000;
        let blocks = Prg::new(Block(5)).blocks(2 * 40 * count);
        let words: Vec<u128> = blocks.iter().map(|block| block.0).collect();
        let (rows_r, rows_s) = words.split_at(40 * count);
        let of_r: Vec<bool> = (0..count).map(|i| i % 3 == 0).collect();
        let of_s: Vec<bool> = (0..count).map(|i| i % 5 == 0).collect();
        let [r, s] = shares(&selection, [&of_r, &of_s], [rows_r, rows_s]);
        for i in 0..words.len() / 2 {
            let word = rows_r[i].wrapping_add(rows_s[i]);
            let expected = word.masked(of_r[i / 40] != of_s[i / 40]);
            assert_eq!(r[i].wrapping_add(s[i]) << 1, expected << 1);
        }
    }

    /// Of n fair bits, less than 3·√n more or less than half are ones but for a probability of 2·e^-18 (Hoeffding), or 2^-24; eight counts.
    #[test]
    fn a_share_alone_looks_uniform_whether_there_is_a_match_or_not() {
        let selection = Selection::new(&[(Holder::Both, 64)]);
        let rows = vec![0u64; 1 << 10];
        for (of_r, of_s) in [(false, false), (false, true), (true, false), (true, true)] {
            let equal = [&vec![of_r; 1 << 10][..], &vec![of_s; 1 << 10][..]];
            for shares in shares(&selection, equal, [&rows, &rows]) {
                let ones: u32 = shares.iter().map(|share| share.count_ones()).sum();
                assert!(ones.abs_diff(1 << 15) < 3 * 256, "{ones} of {}", 1 << 16);
            }
        }
    }

    #[test]
    fn frames_of_other_lengths_or_kinds_blame_the_peer() {
        let selection = &Selection::new(&[(Holder::Both, 24)]);
        refuses_other_frames(
            &tally(Transfers::Silent, selection, 5),
            &[correlated::WORDS],
            |channel, ots, rng| receive::<u64>(channel, ots, selection, &[true; 5], &[3; 5], rng),
            |channel, ots, rng| send::<u64>(channel, ots, selection, &[false; 5], &[4; 5], rng),
        );
    }
}
