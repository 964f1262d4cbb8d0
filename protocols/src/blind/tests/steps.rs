//! The steps of a bucket after its hints, each by itself on given inputs: what the vectors of the parts and the tests of views run.

use super::*;
use crate::blind::grouping::{Grouping, ReceiverBins, SenderBins};
use crate::blind::layout::Layout;
use crate::blind::ots::Ots;
use crate::blind::products::Widths;
use crate::blind::selection::{Holder, Selection};
use crate::blind::tally::Tally;
use crate::blind::{equality, equality_tables, products, selection};

/// A step: both roles' part of it, and what it is for.
pub(super) trait Step: Sync {
    /// R's outputs.
    fn receive(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs;
    /// S's outputs.
    fn send(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs;
    /// What it says.
    fn count(&self, tally: &mut Tally);
    /// Bits of each output word that count, over and over again.
    fn widths(&self) -> Vec<u32>;
    /// What the ideal functionality shares among the two: exclusive-ored where words have one bit, added up where they have more.
    fn ideal(&self) -> Vec<u64>;

    /// Both parties' outputs put together.
    fn opened(&self, outputs: [&[u64]; 2]) -> Vec<u64> {
        let words = outputs[0].iter().zip(outputs[1]);
        let words = words.zip(self.widths().into_iter().cycle());
        let words = words.map(|((a, b), bits)| a.wrapping_add(*b) & (u64::MAX >> (64 - bits)));
        words.collect()
    }
}

pub(super) type Outputs = Result<Vec<u64>, Fault>;

/// Equality of pairs of strings.
pub(super) struct Equality {
    /// By tables of eight rather than by distances.
    pub(super) by_tables: bool,
    pub(super) bits: u32,
    pub(super) strings: [Vec<u128>; 2],
}

impl Step for Equality {
    fn receive(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs {
        let [own, _] = &self.strings;
        let of = &mut ots.receiver;
        let equal = match self.by_tables {
            false => equality::receive(channel, of, self.bits, own, rng)?,
            true => equality_tables::receive(channel, of, self.bits, own, rng)?,
        };
        Ok(equal.into_iter().map(u64::from).collect())
    }

    fn send(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs {
        let [_, own] = &self.strings;
        let of = &mut ots.sender;
        let equal = match self.by_tables {
            false => equality::send(channel, of, self.bits, own, rng)?,
            true => equality_tables::send(channel, of, self.bits, own, rng)?,
        };
        Ok(equal.into_iter().map(u64::from).collect())
    }

    fn count(&self, tally: &mut Tally) {
        match self.by_tables {
            false => equality::count(tally, self.strings[0].len(), self.bits),
            true => equality_tables::count(tally, self.strings[0].len(), self.bits),
        }
    }

    fn widths(&self) -> Vec<u32> {
        vec![1]
    }

    fn ideal(&self) -> Vec<u64> {
        let pairs = self.strings[0].iter().zip(&self.strings[1]);
        pairs.map(|(a, b)| u64::from(a == b)).collect()
    }
}

/// Selection in bins, of a count, a hinted word and one of R's own.
pub(super) struct Selected {
    pub(super) equal: [Vec<bool>; 2],
    pub(super) hinted: [Vec<u64>; 2],
    pub(super) own: Vec<u64>,
}

/// Bits of the three words.
pub(super) const SELECTED_BITS: [u32; 3] = [8, 24, 16];

impl Selected {
    fn selection() -> Selection {
        let [count, hinted, own] = SELECTED_BITS;
        let words = [(Holder::Sender, count), (Holder::Both, hinted)];
        Selection::new(&[words[0], words[1], (Holder::Receiver, own)])
    }
}

impl Step for Selected {
    fn receive(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs {
        let rows = self.hinted[0].iter().zip(&self.own);
        let rows: Vec<u64> = rows.flat_map(|(hinted, own)| [0, *hinted, *own]).collect();
        selection::receive(channel, ots, &Self::selection(), &self.equal[0], &rows, rng)
    }

    fn send(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs {
        let rows = self.hinted[1].iter().flat_map(|hinted| [1, *hinted, 0]);
        let rows: Vec<u64> = rows.collect();
        selection::send(channel, ots, &Self::selection(), &self.equal[1], &rows, rng)
    }

    fn count(&self, tally: &mut Tally) {
        Self::selection().count(tally, self.own.len());
    }

    fn widths(&self) -> Vec<u32> {
        SELECTED_BITS.to_vec()
    }

    fn ideal(&self) -> Vec<u64> {
        let bin = |bin: usize| {
            let equal = u64::from(self.equal[0][bin] != self.equal[1][bin]);
            let hinted = self.hinted[0][bin].wrapping_add(self.hinted[1][bin]) & 0xff_ffff;
            [equal, equal * hinted, equal * self.own[bin]]
        };
        (0..self.own.len()).flat_map(bin).collect()
    }
}

/// Products of R's numbers with shared words.
pub(super) struct Multiplied {
    pub(super) widths: Widths,
    pub(super) factors: Vec<i128>,
    pub(super) words: [Vec<u64>; 2],
}

impl Step for Multiplied {
    fn receive(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs {
        let (of, own) = (&mut ots.receiver, &self.words[0]);
        products::receive(channel, of, self.widths, &self.factors, own, rng)
    }

    fn send(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs {
        products::send(channel, &mut ots.sender, self.widths, &self.words[1], rng)
    }

    fn count(&self, tally: &mut Tally) {
        products::count(tally, self.factors.len(), self.widths);
    }

    fn widths(&self) -> Vec<u32> {
        vec![self.widths.moment_bits]
    }

    fn ideal(&self) -> Vec<u64> {
        let words = self.words[0].iter().zip(&self.words[1]);
        let products = self.factors.iter().zip(words);
        let products = products.map(|(f, (a, b))| (*f as u64).wrapping_mul(a.wrapping_add(*b)));
        let mask = u64::MAX >> (64 - self.widths.moment_bits);
        products.map(|product| product & mask).collect()
    }
}

/// Grouping of bins into 2 × 4 groups.
pub(super) struct Grouped {
    pub(super) codes: Vec<u32>,
    pub(super) masked_codes: Vec<u32>,
    pub(super) masks: Vec<u32>,
    pub(super) words: [Vec<u64>; 2],
}

/// Groups of either side.
pub(super) const GROUPS: [usize; 2] = [2, 4];
/// Bits of the two moments of a bin.
pub(super) const GROUPED_BITS: [u32; 2] = [24, 40];

impl Grouped {
    fn grouping() -> (Grouping, Vec<u64>) {
        let layout = Layout::new(GROUPED_BITS.to_vec());
        let grouping = Grouping::new(&SID, GROUPS[0], GROUPS[1], &layout);
        let table = vec![0; grouping.table_words()];
        (grouping, table)
    }
}

impl Step for Grouped {
    fn receive(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs {
        let (mut grouping, mut table) = Self::grouping();
        let bins = ReceiverBins {
            codes: &self.codes,
            masked_codes: &self.masked_codes,
            words: &self.words[0],
        };
        grouping.receive(channel, ots, bins, &mut table, rng)?;
        Ok(table)
    }

    fn send(&self, channel: &mut Channel, ots: &mut Ots, rng: &mut Prg) -> Outputs {
        let (mut grouping, mut table) = Self::grouping();
        let bins = SenderBins {
            masks: &self.masks,
            words: &self.words[1],
        };
        grouping.send(channel, ots, bins, &mut table, rng)?;
        Ok(table)
    }

    fn count(&self, tally: &mut Tally) {
        Self::grouping().0.count(tally, self.codes.len());
    }

    fn widths(&self) -> Vec<u32> {
        GROUPED_BITS.to_vec()
    }

    fn ideal(&self) -> Vec<u64> {
        let mut table = vec![0u64; GROUPS[0] * GROUPS[1] * GROUPED_BITS.len()];
        for (bin, code) in self.codes.iter().enumerate() {
            let group = (self.masked_codes[bin] ^ self.masks[bin]) as usize;
            let cell = *code as usize * GROUPS[1] + group;
            for (moment, bits) in GROUPED_BITS.iter().enumerate() {
                let place = 2 * bin + moment;
                let word = self.words[0][place].wrapping_add(self.words[1][place]);
                let sum = &mut table[2 * cell + moment];
                *sum = sum.wrapping_add(word) & (u64::MAX >> (64 - bits));
            }
        }
        table
    }
}
