//! R: places its ids in bins, and gets a share of the table.

use super::grouping::ReceiverBins;
use super::ots::Ots;
use super::table::Bucket;
use super::word::Word;
use super::{AGREEMENT, AT_CLOSING, Setup, Transfers};
use super::{equality, equality_tables, hints, products, selection};
use crate::agreement::Role;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::psi::SessionId;
use crate::secret::Secret;
use rand_core::CryptoRng;
use std::ops::Range;

/// R's share of the bucket's table, cell by cell. The peer runs [`super::sender::run`].
///
/// `bucket` has at most as many distinct ids as agreed. `rng` must be unpredictable to the peer.
pub fn run(
    channel: &mut Channel,
    sid: SessionId,
    setup: &Setup,
    bucket: &Bucket,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u128>, Fault> {
    let table = setup.table();
    bucket.check_receiver(table)?;
    match table.is_wide() {
        true => of_words::<u128>(channel, sid, setup, bucket, rng),
        false => of_words::<u64>(channel, sid, setup, bucket, rng),
    }
}

fn of_words<W: Word>(
    channel: &mut Channel,
    sid: SessionId,
    setup: &Setup,
    bucket: &Bucket,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u128>, Fault> {
    AGREEMENT.agree(channel, &sid, &setup.terms(), Role::Receiver)?;
    let (ids, hinted) = hints::receiver::run(channel, &sid, &setup.hints, &bucket.ids, rng)?;
    let mut ots = Ots::set_up_at_receiver(&setup.way, channel, &sid, rng)?;
    let mut grouping = setup.grouping(&sid);
    let bins = Bins::new(bucket, &ids);
    let mut shares = Secret::new(vec![W::ZERO; setup.table().words()]);
    for tile in setup.tiles() {
        ots.prepare(channel, &setup.tally(tile.len()), rng)?;
        let targets = hinted.targets(tile.clone());
        let bits = setup.equality_bits();
        let of = &mut ots.receiver;
        let equal = match setup.transfers() {
            Transfers::Fast => equality::receive(channel, of, bits, &targets, rng)?,
            Transfers::Silent => equality_tables::receive(channel, of, bits, &targets, rng)?,
        };
        let equal = Secret::new(equal);
        let rows = Secret::new(bins.rows(setup, hinted.shares(tile.clone()), tile.clone()));
        let (selection, words) = (&setup.selection, setup.selection.layout().words());
        let (equal, rows) = (equal.expose(), rows.expose());
        let selected = selection::receive::<W>(channel, &mut ots, selection, equal, rows, rng)?;
        let selected = Secret::new(selected);
        let selected = selected.expose();
        let arranged = setup.table().arranged(selected, words);
        let mut moments = Secret::new(arranged);
        for product in setup.table().products() {
            let factors = bins.column(product.receiver_column, tile.clone());
            let widths = setup.widths(&product);
            let shares = selected.iter().skip(product.selected);
            let shares: Vec<W> = shares.step_by(words).copied().collect();
            let of = &mut ots.receiver;
            let products = products::receive(channel, of, widths, &factors, &shares, rng)?;
            setup
                .table()
                .put(moments.expose_mut(), product.moment, &products);
        }
        let grouped = ReceiverBins {
            codes: &bins.codes(tile.clone()),
            masked_codes: &hinted.codes(tile),
            words: moments.expose(),
        };
        grouping.receive(channel, &mut ots, grouped, shares.expose_mut(), rng)?;
    }
    AT_CLOSING.compare(channel, &sid, Role::Receiver)?;
    Ok(setup.table().reduced(shares.expose()))
}

/// What of R's rows stands in which bin; nothing at empty bins and dummies. Which row is read depends on R's own ids: that pattern stays
/// inside its process.
struct Bins<'a> {
    bucket: &'a Bucket,
    rows: Vec<Option<u32>>,
}

impl<'a> Bins<'a> {
    fn new(bucket: &'a Bucket, table: &super::cuckoo::Table) -> Self {
        let real = |id: &u32| (*id as usize) < bucket.ids.len();
        let rows = table
            .slots()
            .map(|slot| slot.map(|slot| slot.id).filter(real));
        Self {
            bucket,
            rows: rows.collect(),
        }
    }

    fn codes(&self, tile: Range<usize>) -> Vec<u32> {
        let code = |row: &Option<u32>| row.map_or(0, |row| self.bucket.codes[row as usize]);
        self.rows[tile].iter().map(code).collect()
    }

    fn column(&self, column: usize, tile: Range<usize>) -> Vec<i128> {
        let column = &self.bucket.columns[column];
        let number = |row: &Option<u32>| row.map_or(0, |row| column[row as usize]);
        self.rows[tile].iter().map(number).collect()
    }

    /// R's shares of the words to select from: of 1, which is S's; of hinted columns; of those that are summed by themselves.
    fn rows<W: Word>(&self, setup: &Setup, hinted: Vec<W>, tile: Range<usize>) -> Vec<W> {
        let table = setup.table();
        let words = setup.selection.layout().words();
        let mut rows = vec![W::ZERO; tile.len() * words];
        let count = table.hinted().len();
        if count > 0 {
            for (row, hinted) in rows.chunks_exact_mut(words).zip(hinted.chunks_exact(count)) {
                row[1..=count].copy_from_slice(hinted);
            }
        }
        for (place, (column, _)) in table.own().iter().enumerate() {
            let numbers = self.column(*column, tile.clone());
            let slots = rows.iter_mut().skip(1 + count + place).step_by(words);
            slots
                .zip(numbers)
                .for_each(|(word, number)| *word = W::from_i128(number));
        }
        rows
    }
}
