//! Whether a number is at least a bound, as one bit shared by exclusive or, from additive shares of the number (protocols.md §8;
//! the comparison is the tree of Rathee et al., CCS'20, with digits of one bit).
//!
//! Of x = count − bound modulo 2^b, R has u and S has v, x = u + v. x is negative where its highest bit is set, which is u_top ⊕ v_top ⊕ carry, and
//! the lower b − 1 bits carry where u > ¬v, as numbers of b − 1 bits. Bit by bit, "greater" u_j ∧ v_j is one product and "equal" u_j ⊕ v_j
//! needs none; two neighbours combine as greater = greater_high ⊕ equal_high ∧ greater_low and equal = equal_high ∧ equal_low, in a tree. A
//! product of shared bits is two correlated transfers, one in each direction, modulo 2.
//!
//! Who learns what: nobody anything. About 2b transfers in which R chooses and b in which S does for each number; two rounds for each of
//! log2(b) levels, for a piece of numbers at a time.

use crate::blind::correlated::{self, choose, offer};
use crate::blind::layout::Layout;
use crate::blind::ots::Ots;
use crate::blind::tally::{Chooser, Tally};
use crate::channel::Channel;
use crate::fault::Fault;
use rand_core::CryptoRng;

/// Numbers compared in one piece: their bits and keys stay within some mebibytes. One side always receives while the other sends.
const PIECE: usize = 1 << 11;

/// R's shares of whether each number is at least `bound`. `shares` are R's, modulo 2^`bits`. The peer runs [`send`].
pub(super) fn receive(
    channel: &mut Channel,
    ots: &mut Ots,
    bits: u32,
    bound: u64,
    shares: &[u128],
    rng: &mut impl CryptoRng,
) -> Result<Vec<bool>, Fault> {
    let mut shown = Vec::with_capacity(shares.len());
    for shares in shares.chunks(PIECE) {
        let shifted: Vec<u128> = shares
            .iter()
            .map(|share| share.wrapping_sub(bound.into()))
            .collect();
        let mut gates = Gates {
            channel,
            ots,
            receives: true,
        };
        let layout = one_bit(1);
        let choices: Vec<bool> = low_bits(&shifted, bits).collect();
        let gates_of = &mut gates.ots.receiver;
        let greater = choose::<u64>(gates.channel, gates_of, &choices, &layout, rng)?;
        let bits_of = greater.iter().zip(&choices);
        let digits = bits_of.map(|(greater, equal)| Digit {
            greater: greater & 1 == 1,
            equal: *equal,
        });
        let carry = gates.combined(digits.collect(), (bits - 1) as usize, rng)?;
        shown.extend(negated_signs(&shifted, bits, &carry, true));
    }
    Ok(shown)
}

/// S's part of [`receive`], and its shares.
pub(super) fn send(
    channel: &mut Channel,
    ots: &mut Ots,
    bits: u32,
    shares: &[u128],
    rng: &mut impl CryptoRng,
) -> Result<Vec<bool>, Fault> {
    let mut shown = Vec::with_capacity(shares.len());
    for shares in shares.chunks(PIECE) {
        let mut gates = Gates {
            channel,
            ots,
            receives: false,
        };
        let own: Vec<bool> = low_bits(shares, bits).collect();
        let words: Vec<u64> = own.iter().map(|bit| u64::from(*bit)).collect();
        let gates_of = &mut gates.ots.sender;
        let greater = offer(gates.channel, gates_of, &words, &one_bit(1), rng)?;
        let bits_of = greater.iter().zip(&own);
        let digits = bits_of.map(|(greater, equal)| Digit {
            greater: greater & 1 == 1,
            equal: *equal,
        });
        let carry = gates.combined(digits.collect(), (bits - 1) as usize, rng)?;
        shown.extend(negated_signs(shares, bits, &carry, false));
    }
    Ok(shown)
}

/// What `numbers` numbers of `bits` bits say.
pub(super) fn count(tally: &mut Tally, numbers: usize, bits: u32) {
    for start in (0..numbers).step_by(PIECE) {
        let numbers = PIECE.min(numbers - start);
        let mut width = (bits - 1) as usize;
        correlated::count(tally, Chooser::Receiver, numbers * width, &one_bit(1));
        while width > 1 {
            for chooser in [Chooser::Receiver, Chooser::Sender] {
                correlated::count(tally, chooser, numbers * (width / 2), &one_bit(2));
            }
            width = width.div_ceil(2);
        }
    }
}

fn one_bit(words: usize) -> Layout {
    Layout::new(vec![1; words])
}

/// The lower bits − 1 bits of each number, from the lowest on.
fn low_bits(numbers: &[u128], bits: u32) -> impl Iterator<Item = bool> + '_ {
    let bit = |number: u128, place| (number >> place) & 1 == 1;
    numbers
        .iter()
        .flat_map(move |number| (0..bits - 1).map(move |place| bit(*number, place)))
}

/// Shares of "the highest bit of the sum is not set"; one party alone negates.
fn negated_signs<'a>(
    numbers: &'a [u128],
    bits: u32,
    carries: &'a [bool],
    negate: bool,
) -> impl Iterator<Item = bool> + 'a {
    let top = move |number: &u128| (number >> (bits - 1)) & 1 == 1;
    let pairs = numbers.iter().zip(carries);
    pairs.map(move |(number, carry)| top(number) ^ carry ^ negate)
}

/// Shares of how one party's bits compare with the complement of the other's.
#[derive(Clone, Copy)]
struct Digit {
    greater: bool,
    equal: bool,
}

/// Products of shared bits.
struct Gates<'a> {
    channel: &'a mut Channel,
    ots: &'a mut Ots,
    receives: bool,
}

impl Gates<'_> {
    /// Combines the digits of each number, `width` of them from the lowest on, to shares of "greater".
    fn combined(
        &mut self,
        mut digits: Vec<Digit>,
        mut width: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<bool>, Fault> {
        while width > 1 {
            let pairs: Vec<[Digit; 2]> = digits
                .chunks_exact(width)
                .flat_map(|number| number.as_chunks::<2>().0)
                .copied()
                .collect();
            let products = self.products(&pairs, rng)?;
            let mut products = products.into_iter().zip(&pairs);
            let mut above = Vec::with_capacity(digits.len().div_ceil(2));
            for number in digits.chunks_exact(width) {
                let joined = products.by_ref().take(width / 2);
                above.extend(joined.map(|([greater, equal], [_, high])| Digit {
                    greater: high.greater ^ greater,
                    equal,
                }));
                above.extend(number.as_chunks::<2>().1);
            }
            digits = above;
            width = width.div_ceil(2);
        }
        Ok(digits.iter().map(|digit| digit.greater).collect())
    }

    /// Of each pair of a lower and a higher digit: equal_high ∧ greater_low and equal_high ∧ equal_low.
    fn products(
        &mut self,
        pairs: &[[Digit; 2]],
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<[bool; 2]>, Fault> {
        let layout = one_bit(2);
        let choices: Vec<bool> = pairs.iter().map(|[_, high]| high.equal).collect();
        let of = |[low, _]: &[Digit; 2]| [u64::from(low.greater), u64::from(low.equal)];
        let words: Vec<u64> = pairs.iter().flat_map(of).collect();
        let Ots {
            sender, receiver, ..
        } = &mut *self.ots;
        let channel = &mut *self.channel;
        let [first, second] = match self.receives {
            true => {
                let chosen = choose(channel, receiver, &choices, &layout, rng)?;
                [chosen, offer(channel, sender, &words, &layout, rng)?]
            }
            false => {
                let offered = offer(channel, sender, &words, &layout, rng)?;
                [
                    offered,
                    choose::<u64>(channel, receiver, &choices, &layout, rng)?,
                ]
            }
        };
        let shares = first.iter().zip(&second).map(|(a, b)| (a ^ b) & 1 == 1);
        let local = words
            .iter()
            .zip(choices.iter().flat_map(|choice| [*choice; 2]));
        let local = local.map(|(word, choice)| (*word == 1) & choice);
        let shares: Vec<bool> = shares.zip(local).map(|(a, b)| a ^ b).collect();
        Ok(shares.as_chunks::<2>().0.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blind::ots::Way;
    use crate::block::Block;
    use crate::channel::memory_pair;
    use crate::ot::Transfers;
    use crate::prg::Prg;
    use crate::session_id::SessionId;

    const SID: SessionId = SessionId::new([8; 32]);

    /// Whether each number is at least the bound, and the bytes spent.
    fn run(bits: u32, bound: u64, numbers: &[i128]) -> (Vec<bool>, u64) {
        let mut rng = Prg::new(Block(bits.into()));
        let ours: Vec<u128> = numbers.iter().map(|_| Block::random(&mut rng).0).collect();
        let theirs = numbers.iter().zip(&ours);
        let theirs: Vec<u128> = theirs
            .map(|(number, share)| (*number as u128).wrapping_sub(*share))
            .collect();
        let (mut at_receiver, mut at_sender) = memory_pair();
        std::thread::scope(|scope| {
            let sender = scope.spawn(move || {
                let rng = &mut Prg::new(Block(1));
                let mut ots = Ots::set_up_at_sender(&Way::Fast, &mut at_sender, &SID, rng)?;
                send(&mut at_sender, &mut ots, bits, &theirs, rng)
            });
            let rng = &mut Prg::new(Block(2));
            let mut ots =
                Ots::set_up_at_receiver(&Way::Fast, &mut at_receiver, &SID, rng).expect("honest");
            let before = at_receiver.totals();
            let channel = &mut at_receiver;
            let ours = receive(channel, &mut ots, bits, bound, &ours, rng);
            let ours = ours.expect("honest");
            let theirs = sender.join().expect("no panic").expect("honest");
            let after = at_receiver.totals();
            let spent = after.sent_bytes + after.received_bytes;
            let spent = spent - before.sent_bytes - before.received_bytes;
            let shown = ours.iter().zip(&theirs).map(|(a, b)| a ^ b).collect();
            (shown, spent)
        })
    }

    #[test]
    fn numbers_are_shown_from_the_bound_on() {
        for bits in [2, 3, 9, 24, 64, 65, 127] {
            let largest = (1i128 << (bits - 1)) - 1;
            for bound in [1, 2, 50, 1_000]
                .into_iter()
                .filter(|b| *b <= largest as u64)
            {
                let least = i128::from(bound);
                let mut numbers = vec![least - 1, least, least + 1, 0, 1, -1, largest, largest / 2];
                // Numbers below −2^(b−1) + bound would wrap: a plan proves that there are none.
                numbers.extend([-largest - 1 + least, -largest / 2 + least]);
                numbers.retain(|number| (-largest - 1 + least..=largest).contains(number));
                let (shown, _) = run(bits, bound, &numbers);
                let expected: Vec<bool> = numbers.iter().map(|number| *number >= least).collect();
                assert_eq!(shown, expected, "{bits} bits, bound {bound}");
            }
        }
    }

    #[test]
    fn pieces_join_and_bytes_are_as_told() {
        for count in [0, 1, PIECE, PIECE + 1] {
            let numbers: Vec<i128> = (0..count as i128).map(|number| number % 7).collect();
            let (shown, spent) = run(17, 3, &numbers);
            let expected: Vec<bool> = numbers.iter().map(|number| *number >= 3).collect();
            assert_eq!(shown, expected);
            let mut tally = Tally::new(Transfers::Fast);
            super::count(&mut tally, count, 17);
            assert_eq!(spent, tally.bytes());
        }
    }
}
