//! Whether what a party receives is what its simulator would have made, who knows only that party's own inputs and outputs and the public
//! sizes: for the tests of each step of a protocol.
//!
//! The simulators of these protocols draw every message uniformly and set the party's output by it and its own keys. So over many runs
//! on the same inputs, with fresh randomness, every bit received is a fair coin, no value of a byte is more frequent than others, and no bit
//! received tells anything of a bit of the party's own output.
//!
//! **Chance of a false alarm**: below 2^-33 for each question asked of a view, and so below 2^-28 for any test of up to 32 of them, by Hoeffding's bound over all bits or pairs of bits, and by
//! Laurent and Massart's tail of the χ² distribution. The runs' seeds are fixed, so that a test fails always or never.

use crate::adversary::Frames;
use crate::channel::{HEADER_BYTES, Kind};
use std::f64::consts::LN_2;

/// −log2 of the chance of a false alarm of one question.
const FALSE_ALARM_BITS: f64 = 33.0;

/// Bits over many runs, bit by bit: those of one place in all runs side by side.
pub(crate) struct Columns {
    runs: usize,
    bits: Vec<Vec<u64>>,
}

impl Columns {
    /// Of equally many bytes a run.
    pub(crate) fn of_bytes(runs: &[Vec<u8>]) -> Self {
        let bits = 8 * runs.first().map_or(0, Vec::len);
        Self::of(runs.len(), bits, |run, bit| {
            (runs[run][bit / 8] >> (bit % 8)) & 1 == 1
        })
    }

    /// Of the low bits of equally many words a run; `widths` tells how many of each count, over and over again.
    pub(crate) fn of_words(runs: &[Vec<u64>], widths: &[u32]) -> Self {
        let words = runs.first().map_or(0, Vec::len);
        let widths = (0..words).zip(widths.iter().cycle());
        let places = widths.flat_map(|(word, bits)| (0..*bits).map(move |bit| (word, bit)));
        let places: Vec<(usize, u32)> = places.collect();
        Self::of(runs.len(), places.len(), |run, bit| {
            let (word, bit) = places[bit];
            (runs[run][word] >> bit) & 1 == 1
        })
    }

    fn of(runs: usize, bits: usize, is_set: impl Fn(usize, usize) -> bool) -> Self {
        let column = |bit| {
            let mut column = vec![0; runs.div_ceil(64)];
            for run in (0..runs).filter(|run| is_set(*run, bit)) {
                column[run / 64] |= 1 << (run % 64);
            }
            column
        };
        Self {
            runs,
            bits: (0..bits).map(column).collect(),
        }
    }

    /// How far a number of ones may be from half the runs, over `tests` tests: 2·e^(−2t²/runs) each.
    fn leeway(&self, tests: usize) -> f64 {
        let nats = (FALSE_ALARM_BITS + 1.0 + (tests as f64).log2()) * LN_2;
        (self.runs as f64 / 2.0 * nats).sqrt()
    }

    /// Of ones and zeros, how far their number is from half the runs.
    fn excess(&self, ones: u32) -> f64 {
        (f64::from(ones) - self.runs as f64 / 2.0).abs()
    }

    /// Every bit is a fair coin.
    pub(crate) fn are_fair(&self) -> bool {
        let leeway = self.leeway(self.bits.len());
        assert!(
            leeway < self.runs as f64 / 2.0,
            "too few runs to see a bit that stands still"
        );
        let ones = |column: &Vec<u64>| column.iter().map(|word| word.count_ones()).sum();
        self.bits
            .iter()
            .all(|column| self.excess(ones(column)) <= leeway)
    }

    /// No bit agrees with one of `other` more or less often than by chance.
    pub(crate) fn are_unrelated_to(&self, other: &Self) -> bool {
        let leeway = self.leeway(self.bits.len() * other.bits.len());
        assert!(
            leeway < self.runs as f64 / 2.0,
            "too few runs to see a bit that is another's"
        );
        self.bits.iter().all(|a| {
            other.bits.iter().all(|b| {
                let differ = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum();
                self.excess(differ) <= leeway
            })
        })
    }
}

/// No value of a byte is more frequent than others: χ² with 255 degrees of freedom, of which 255 + 2·√(255·x) + 2x is exceeded with
/// probability below e^(−x).
pub(crate) fn are_even(runs: &[Vec<u8>]) -> bool {
    let mut counts = [0u32; 256];
    let bytes = runs.iter().flatten();
    bytes.for_each(|byte| counts[usize::from(*byte)] += 1);
    let expected = f64::from(counts.iter().sum::<u32>()) / 256.0;
    assert!(expected >= 20.0, "too few bytes for the approximation");
    let of = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
    let x = FALSE_ALARM_BITS * LN_2;
    counts.iter().map(of).sum::<f64>() <= 255.0 + 2.0 * (255.0 * x).sqrt() + 2.0 * x
}

/// What one side was sent in each of `runs` equal runs after a set-up of so many frames: the bodies of one run side by side.
pub(crate) fn received(frames: &[Vec<u8>], set_up: usize, runs: usize) -> Vec<Vec<u8>> {
    let frames = &frames[set_up..];
    assert!(frames.len().is_multiple_of(runs), "runs are alike");
    if frames.is_empty() {
        return vec![Vec::new(); runs];
    }
    let runs = frames.chunks_exact(frames.len() / runs);
    runs.map(|run| {
        run.iter()
            .flat_map(|frame| &frame[HEADER_BYTES..])
            .copied()
            .collect()
    })
    .collect()
}

/// The bodies of all frames of these kinds that a side has sent, one after the other.
pub(crate) fn bodies(frames: &Frames, side: usize, kinds: &[Kind]) -> Vec<u8> {
    let is_one = |frame: &&Vec<u8>| {
        let of = |kind: &Kind| frame.starts_with(&kind.number().to_le_bytes());
        kinds.iter().any(of)
    };
    let frames = frames[side].iter().filter(is_one);
    frames
        .flat_map(|frame| &frame[HEADER_BYTES..])
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::prg::Prg;
    use rand_core::Rng;

    const RUNS: usize = 1 << 10;

    /// Random bytes, changed by `change` in every run.
    fn runs(change: impl Fn(usize, &mut Vec<u8>)) -> Vec<Vec<u8>> {
        let mut rng = Prg::new(Block(3));
        let run = |number| {
            let mut bytes = vec![0; 40];
            rng.fill_bytes(&mut bytes);
            change(number, &mut bytes);
            bytes
        };
        (0..RUNS).map(run).collect()
    }

    #[test]
    fn uniform_bytes_pass_and_a_bit_that_stands_still_does_not() {
        let honest = runs(|_, _| {});
        assert!(Columns::of_bytes(&honest).are_fair() && are_even(&honest));
        let stuck = runs(|_, bytes| bytes[7] |= 4);
        assert!(!Columns::of_bytes(&stuck).are_fair());
        let skewed = runs(|run, bytes| bytes[7] |= u8::from(run % 3 == 0));
        assert!(!Columns::of_bytes(&skewed).are_fair());
    }

    #[test]
    fn a_bit_that_is_the_outputs_is_seen() {
        let (mut others, mut outputs) = (Prg::new(Block(5)), Vec::new());
        outputs.resize_with(RUNS, || vec![others.next_u64()]);
        let honest = runs(|_, _| {});
        let outputs = (Columns::of_words(&outputs, &[20]), outputs);
        assert!(outputs.0.are_fair() && Columns::of_bytes(&honest).are_unrelated_to(&outputs.0));
        for flipped in [0, 1] {
            let telling = runs(|run, bytes| {
                let told = (outputs.1[run][0] >> 19) as u8 & 1 ^ flipped;
                bytes[11] = bytes[11] & !2 | told << 1;
            });
            let telling = Columns::of_bytes(&telling);
            assert!(telling.are_fair() && !telling.are_unrelated_to(&outputs.0));
        }
    }

    #[test]
    fn bytes_that_avoid_a_value_are_seen() {
        // Each bit alone would look nearly fair.
        let uneven = runs(|_, bytes| {
            let all = bytes.iter_mut().filter(|byte| **byte == 0x5a);
            all.for_each(|byte| *byte = 0xa5);
        });
        assert!(Columns::of_bytes(&uneven).are_fair() && !are_even(&uneven));
    }
}
