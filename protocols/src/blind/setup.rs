//! What a job fixes once for all its buckets, every bound for the whole job.

use super::grouping::Grouping;
use super::hints;
use super::layout::Layout;
use super::ots::Way;
use super::products::{self, Widths};
use super::selection::{Holder, Selection};
use super::table::{Product, Table};
use super::tally::Tally;
use super::{Transfers, VERSION, equality, equality_tables};
use crate::agreement;
use crate::fault::{Fault, Misuse};
use crate::psi::{PaddedSizes, SessionId};

/// Most bits of a target: a distance of two is told from zero modulo 128.
const EQUALITY_BITS_MAX: u32 = 127;
/// Most bins that go through equality, selection and grouping together.
const TILE_BINS_MAX: usize = 1 << 16;
/// Most words of a tile's selection and moments together: 32 MiB of the widest, beside copies of the same order on their way.
const TILE_WORDS: usize = 1 << 21;
/// Bins of a tile are a multiple of this many, so that transfers fill their words.
const TILE_STEP: usize = 1 << 7;

/// What both parties run one bucket with.
pub struct Setup {
    buckets: u64,
    table: Table,
    pub(super) hints: hints::Setup,
    pub(super) selection: Selection,
    moments: Layout,
    pub(super) way: Way,
    tile_bins_max: usize,
}

impl Setup {
    /// For buckets padded to `sizes`, of which the job has `buckets`. Sets smaller than [`crate::bounds::SET_IDS_MIN`] are padded up to that.
    pub fn new(sizes: PaddedSizes, buckets: u64, table: Table) -> Result<Self, Fault> {
        Self::of(buckets, table, |code_bits, hinted| {
            hints::Setup::new(sizes, buckets, code_bits, hinted)
        })
    }

    /// For one bucket of exactly these sizes, so that a test can run it hundreds of times.
    #[cfg(test)]
    pub(super) fn unpadded(sizes: PaddedSizes, table: Table) -> Self {
        let setup = Self::of(1, table, |code_bits, hinted| {
            Ok(hints::Setup::unpadded(sizes, 1, code_bits, hinted))
        });
        setup.expect("few bins need few bits")
    }

    /// With tiles of so many bins, so that a test's bucket has several.
    #[cfg(test)]
    pub(super) fn in_tiles_of(self, tile_bins_max: usize) -> Self {
        Self {
            tile_bins_max,
            ..self
        }
    }

    /// With the hints that `hints` makes for codes of so many bits and words of these widths.
    fn of(
        buckets: u64,
        table: Table,
        hints: impl FnOnce(u32, &Layout) -> Result<hints::Setup, Fault>,
    ) -> Result<Self, Fault> {
        let bits = |columns: &[(usize, u32)]| -> Vec<u32> {
            columns.iter().map(|(_, bits)| *bits).collect()
        };
        let (hinted, own) = (bits(table.hinted()), bits(table.own()));
        let code_bits = table.sender_groups().trailing_zeros();
        let moments = Layout::new(table.bits());
        let hinted_words = hinted.iter().map(|bits| (Holder::Both, *bits));
        let own_words = own.iter().map(|bits| (Holder::Receiver, *bits));
        let one = std::iter::once((Holder::Sender, table.bits()[0]));
        let words: Vec<_> = one.chain(hinted_words).chain(own_words).collect();
        let hints = hints(code_bits, &Layout::new(hinted.clone()))?;
        if hints.target_bits() > EQUALITY_BITS_MAX {
            return Err(Misuse::TooMany {
                what: "bits of an equality test",
                max: EQUALITY_BITS_MAX as usize,
                got: hints.target_bits() as usize,
            }
            .into());
        }
        Ok(Self {
            buckets,
            hints,
            selection: Selection::new(&words),
            moments,
            table,
            way: Way::Fast,
            tile_bins_max: TILE_BINS_MAX,
        })
    }

    /// With transfers made so; they are fast if nothing is said. The link decides: on a slow one silent transfers save more time than they take.
    #[must_use]
    pub fn with_transfers(mut self, transfers: Transfers) -> Self {
        let mut tally = Tally::new(transfers);
        for tile in self.tiles() {
            self.count(&mut tally, tile.len());
        }
        self.way = Way::new(&tally);
        self
    }

    /// How transfers are made.
    pub fn transfers(&self) -> Transfers {
        self.way.transfers()
    }

    /// The table's shape.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Both sides' sizes after padding.
    pub fn sizes(&self) -> PaddedSizes {
        self.hints.sizes()
    }

    /// Bins of R's cuckoo table.
    pub fn bins(&self) -> u32 {
        self.hints.bins()
    }

    /// Bits that are compared in each bin.
    pub fn equality_bits(&self) -> u32 {
        self.hints.target_bits()
    }

    /// Elements of 16 bytes of R's masked vector.
    pub fn vector_elements(&self) -> usize {
        self.hints.vector_elements()
    }

    /// 64-bit words of a hint.
    pub fn hint_words(&self) -> usize {
        self.hints.words()
    }

    /// Bytes of one bucket, both directions, frame headers included: a function of public parameters.
    pub fn bytes(&self) -> u64 {
        let tiles: Vec<Tally> = self.tiles().map(|tile| self.tally(tile.len())).collect();
        let steps: u64 = tiles.iter().map(Tally::bytes).sum();
        2 * agreement::BYTES + self.hints.bytes() + self.way.bytes(tiles.iter()) + steps
    }

    /// The grouping of one bucket.
    pub(super) fn grouping(&self, sid: &SessionId) -> Grouping {
        let groups = [self.table.receiver_groups(), self.table.sender_groups()];
        let [receiver, sender] = groups.map(|groups| groups as usize);
        Grouping::new(sid, receiver, sender, &self.moments)
    }

    /// Bits of a product and of its factor.
    pub(super) fn widths(&self, product: &Product) -> Widths {
        Widths {
            factor_bits: product.receiver_bits,
            moment_bits: self.moments.bits()[product.moment],
        }
    }

    /// What a tile of so many bins says and takes.
    pub(super) fn tally(&self, bins: usize) -> Tally {
        let mut tally = Tally::new(self.transfers());
        self.count(&mut tally, bins);
        tally
    }

    fn count(&self, tally: &mut Tally, bins: usize) {
        let of_equality = match tally.transfers() {
            Transfers::Fast => equality::count,
            Transfers::Silent => equality_tables::count,
        };
        of_equality(tally, bins, self.equality_bits());
        self.selection.count(tally, bins);
        for product in self.table.products() {
            products::count(tally, bins, self.widths(&product));
        }
        self.grouping(&SessionId::new([0; 32])).count(tally, bins);
    }

    /// The bins that are worked on together: fewer where there are many words a bin.
    pub(super) fn tiles(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let (bins, tile) = (self.bins() as usize, self.tile_bins());
        let starts = (0..bins).step_by(tile);
        starts.map(move |start| start..bins.min(start + tile))
    }

    fn tile_bins(&self) -> usize {
        let words = self.selection.layout().words() + self.table.moments().len();
        let bins = (TILE_WORDS / words).next_multiple_of(TILE_STEP);
        bins.clamp(TILE_STEP, self.tile_bins_max)
    }

    /// Everything that both sides have to mean by the same name.
    pub(super) fn terms(&self) -> [u8; 32] {
        let sizes = self.sizes();
        let mut numbers = vec![
            u64::from(VERSION),
            sizes.receiver().into(),
            sizes.sender().into(),
            self.buckets,
            self.table.receiver_groups().into(),
            self.table.sender_groups().into(),
            match self.transfers() {
                Transfers::Fast => 0,
                Transfers::Silent => 1,
            },
        ];
        self.table.write_terms(&mut numbers);
        let mut hasher = blake3::Hasher::new_derive_key("entente/1/blind/terms");
        for number in numbers {
            hasher.update(&number.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}
