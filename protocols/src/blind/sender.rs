//! S: deals hints to bins that it does not know the ids of, and gets a share of the table.

use super::grouping::SenderBins;
use super::hints::sender::Inputs;
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

/// S's part of [`super::receiver::run`], and its share.
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
    bucket.check_sender(table)?;
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
    AGREEMENT.agree(channel, &sid, &setup.terms(), Role::Sender)?;
    let inputs = Inputs {
        ids: &bucket.ids,
        codes: &bucket.codes,
        words: &hinted::<W>(setup, bucket),
    };
    let dealt = hints::sender::run(channel, &sid, &setup.hints, inputs, rng)?;
    let mut ots = Ots::set_up_at_sender(&setup.way, channel, &sid, rng)?;
    let mut grouping = setup.grouping(&sid);
    let mut shares = Secret::new(vec![W::ZERO; setup.table().words()]);
    for tile in setup.tiles() {
        ots.prepare(channel, &setup.tally(tile.len()), rng)?;
        let targets = dealt.targets(tile.clone());
        let bits = setup.equality_bits();
        let of = &mut ots.sender;
        let equal = match setup.transfers() {
            Transfers::Fast => equality::send(channel, of, bits, &targets, rng)?,
            Transfers::Silent => equality_tables::send(channel, of, bits, &targets, rng)?,
        };
        let equal = Secret::new(equal);
        let rows = Secret::new(rows(setup, dealt.shares::<W>(tile.clone()), tile.len()));
        let (selection, words) = (&setup.selection, setup.selection.layout().words());
        let (equal, rows) = (equal.expose(), rows.expose());
        let selected = selection::send(channel, &mut ots, selection, equal, rows, rng)?;
        let selected = Secret::new(selected);
        let selected = selected.expose();
        let arranged = setup.table().arranged(selected, words);
        let mut moments = Secret::new(arranged);
        for product in setup.table().products() {
            let widths = setup.widths(&product);
            let shares = selected.iter().skip(product.selected);
            let shares: Vec<W> = shares.step_by(words).copied().collect();
            let of = &mut ots.sender;
            let products = products::send(channel, of, widths, &shares, rng)?;
            setup
                .table()
                .put(moments.expose_mut(), product.moment, &products);
        }
        let grouped = SenderBins {
            masks: &dealt.codes(tile),
            words: moments.expose(),
        };
        grouping.send(channel, &mut ots, grouped, shares.expose_mut(), rng)?;
    }
    AT_CLOSING.compare(channel, &sid, Role::Sender)?;
    Ok(setup.table().reduced(shares.expose()))
}

/// S's shares of the words to select from: 1, its masks of hinted columns, nothing of R's.
fn rows<W: Word>(setup: &Setup, hinted: Vec<W>, bins: usize) -> Vec<W> {
    let words = setup.selection.layout().words();
    let mut rows = vec![W::ZERO; bins * words];
    let count = setup.table().hinted().len();
    for (bin, row) in rows.chunks_exact_mut(words).enumerate() {
        row[0] = W::ONE;
        row[1..=count].copy_from_slice(&hinted[bin * count..][..count]);
    }
    rows
}

/// The columns that travel in hints, a row an id.
fn hinted<W: Word>(setup: &Setup, bucket: &Bucket) -> Vec<W> {
    let columns = setup.table().hinted();
    let mut words = vec![W::ZERO; bucket.ids.len() * columns.len()];
    for (place, (column, _)) in columns.iter().enumerate() {
        let slots = words.iter_mut().skip(place).step_by(columns.len());
        let numbers = &bucket.columns[*column];
        slots
            .zip(numbers)
            .for_each(|(word, number)| *word = W::from_i128(*number));
    }
    words
}
