//! What both parties fix before a release.

use super::noise::Scale;
use super::{VERSION, opening, threshold};
use crate::agreement::{self, Role};
use crate::blind::ots::Way;
use crate::blind::selection::{Holder, Selection};
use crate::blind::tally::Tally;
use crate::blind::word::Word;
use crate::blind::{MOMENT_BITS_MAX, TABLE_WORDS_MAX, Transfers};
use crate::fault::{Fault, Misuse};
use libm::exp2;

/// Who reads the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// R alone.
    Receiver,
    /// S alone.
    Sender,
    /// Both.
    Both,
}

/// One word of every cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Bits in which the word, noise included, is proven to fit as a signed number.
    pub bits: u32,
    /// Whether it is opened where the cell is shown.
    pub opened: bool,
    /// Noise that each party adds which does not read alone.
    pub noise: Option<Scale>,
}

/// A release's public terms.
#[derive(Clone, Debug)]
pub struct Terms {
    cells: usize,
    moments: Vec<Moment>,
    min_group: u64,
    readers: Readers,
}

impl Terms {
    /// For a table of `cells` cells with these moments, of which the first is the number of ids. Cells of fewer than `min_group` ids, and in any case
    /// empty ones, are suppressed.
    pub fn new(
        cells: usize,
        moments: Vec<Moment>,
        min_group: u64,
        readers: Readers,
    ) -> Result<Self, Fault> {
        let words = cells.saturating_mul(moments.len());
        too_many("words of a table", TABLE_WORDS_MAX, words as u64)?;
        for moment in &moments {
            too_many(
                "bits of a moment",
                MOMENT_BITS_MAX.into(),
                moment.bits.into(),
            )?;
        }
        let wide = moments
            .iter()
            .filter(|moment| moment.bits >= MOMENT_BITS_MIN);
        let (wide, of) = (wide.count(), moments.len().max(1));
        counted("moments with two bits or more", of, wide)?;
        let count = moments[0];
        // Exact cells beside noisy ones, or a threshold on an exact count, would be no differential privacy.
        let noisy = moments.iter().filter(|moment| moment.noise.is_some());
        match noisy.count() {
            0 => {}
            noisy => counted("moments with noise", moments.len(), noisy)?,
        }
        // The comparison subtracts the smallest group from a count that may be negative by the noise of both.
        let noise = count.noise.map_or(0.0, |s| s.bound(2 * words as u64));
        let room = exp2(f64::from(count.bits - 1)) - 2.0 * noise - 1.0;
        too_many("ids of the smallest group", room.max(0.0) as u64, min_group)?;
        Ok(Self {
            cells,
            moments,
            min_group: min_group.max(1),
            readers,
        })
    }

    /// Cells of the table.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Words of every cell.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// Fewest ids of a cell that is shown.
    pub fn min_group(&self) -> u64 {
        self.min_group
    }

    /// Who reads.
    pub fn readers(&self) -> Readers {
        self.readers
    }

    /// Bytes of a release, both directions, frame headers included.
    pub fn bytes(&self) -> u64 {
        // A few hundred transfers a cell: silent ones would cost more to set up than they save.
        let mut tally = Tally::new(Transfers::Fast);
        threshold::count(&mut tally, self.cells, self.count_bits());
        self.selection().count(&mut tally, self.cells);
        let transfers = Way::new(&tally).bytes(std::iter::once(&tally));
        2 * agreement::BYTES + transfers + tally.bytes() + opening::bytes(self)
    }

    /// Whether a cell is shown, of which S has the one, and its opened moments.
    pub(super) fn selection(&self) -> Selection {
        let bits = self.opened_bits().into_iter();
        let holders = std::iter::once(Holder::Sender).chain(std::iter::repeat(Holder::Both));
        Selection::new(&holders.zip(bits).collect::<Vec<_>>())
    }

    pub(super) fn count_bits(&self) -> u32 {
        self.moments.first().map_or(2, |count| count.bits)
    }

    pub(super) fn is_wide(&self) -> bool {
        self.moments.iter().any(|moment| moment.bits > u64::BITS)
    }

    /// Bits of what is opened of a cell: whether it is shown, then its opened moments.
    pub(super) fn opened_bits(&self) -> Vec<u32> {
        let opened = self.moments.iter().filter(|moment| moment.opened);
        let bits = opened.map(|moment| moment.bits);
        std::iter::once(SHOWN_BITS).chain(bits).collect()
    }

    pub(super) fn reads(&self, role: Role) -> bool {
        match self.readers {
            Readers::Both => true,
            Readers::Receiver => role == Role::Receiver,
            Readers::Sender => role == Role::Sender,
        }
    }

    /// Whoever reads alone knows its own noise, so only the other's would protect anything.
    pub(super) fn adds_noise(&self, role: Role) -> bool {
        self.readers == Readers::Both || !self.reads(role)
    }

    /// The numbers of ids, cell by cell.
    pub(super) fn counts(&self, shares: &[u128]) -> Vec<u128> {
        let counts = shares.iter().step_by(self.moments.len());
        counts.copied().collect()
    }

    /// Shares of what may be opened, cell by cell: `one`, and the opened moments.
    pub(super) fn rows_to_open<W: Word>(&self, one: W, shares: &[u128]) -> Vec<W> {
        let row = |cell: &[u128]| -> Vec<W> {
            let words = cell.iter().zip(&self.moments);
            let opened = words.filter(|(_, moment)| moment.opened);
            let opened = opened.map(|(word, _)| W::from_u128(*word));
            std::iter::once(one).chain(opened).collect()
        };
        shares
            .chunks_exact(self.moments.len())
            .flat_map(row)
            .collect()
    }

    /// # Errors
    /// If there is not a word for every moment of every cell.
    pub(super) fn check(&self, shares: &[u128]) -> Result<(), Fault> {
        let expected = self.cells * self.moments.len();
        counted("words of shares", expected, shares.len())
    }

    /// Everything that both sides have to mean by the same name.
    pub(super) fn digest(&self) -> [u8; 32] {
        let readers = self.readers as u64;
        let mut numbers = vec![VERSION.into(), self.cells as u64, self.min_group, readers];
        for moment in &self.moments {
            numbers.extend([u64::from(moment.bits), u64::from(moment.opened)]);
            let scale = moment.noise.map_or([0; 3], |scale| scale.words());
            numbers.extend(scale);
        }
        let mut hasher = blake3::Hasher::new_derive_key("entente/1/release/terms");
        for number in numbers {
            hasher.update(&number.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

/// Fewest bits of a moment: a signed number has one for its sign.
const MOMENT_BITS_MIN: u32 = 2;
/// Bits of the word that tells whether a cell is shown, 0 or 1.
pub(super) const SHOWN_BITS: u32 = 8;

fn counted(what: &'static str, expected: usize, got: usize) -> Result<(), Fault> {
    if got == expected {
        return Ok(());
    }
    Err(Misuse::Count {
        what,
        expected,
        got,
    }
    .into())
}

fn too_many(what: &'static str, max: u64, got: u64) -> Result<(), Fault> {
    if got <= max {
        return Ok(());
    }
    let (max, got) = (max as usize, got as usize);
    Err(Misuse::TooMany { what, max, got }.into())
}
