//! R: gets, for each bin, what is S's where the bin's id is common, and noise where not.

use super::super::cuckoo::{Bins, FUNCTIONS, Table};
use super::keys::KeyHash;
use super::{BinValues, Format, HINT_SEED, HINTS, Setup, joint_seed, padded, pads, row_seed};
use crate::block::Block;
use crate::channel::{Channel, Element};
use crate::fault::Fault;
use crate::hash::CorrelationHash;
use crate::okvs::{self, Rows, Value};
use crate::oprf;
use crate::psi::Id;
use crate::secret::Secret;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use std::ops::Range;

/// Values that are hashed at a time: stays on the stack.
const BATCH: usize = 256;

/// R's part: its table, in which places from the caller's number of ids on are dummies, and what it has of each bin. The peer runs
/// [`super::sender::run`].
///
/// `ids` are distinct and at most as many as agreed. `rng` must be unpredictable to the peer.
pub fn run(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Setup,
    ids: &[Id],
    rng: &mut impl CryptoRng,
) -> Result<(Table, BinValues), Fault> {
    let ids = padded(ids, setup.sizes.receiver(), rng)?;
    let seed = joint_seed(channel, rng)?;
    let table = Table::new(&Bins::new(sid, seed, setup.bins), &ids)?;
    let by_id = table.by_id();
    let functions = by_id.iter().map(|(_, function)| *function);
    let keys = KeyHash::new(sid).chosen(&ids, functions);
    drop(ids);
    let mut packed = Secret::new(setup.format.room(setup.bins as usize));
    u64::fill_random(packed.expose_mut(), rng);
    let mut hints = Hints {
        format: &setup.format,
        packed,
        bins: by_id.iter().map(|(bin, _)| *bin).collect(),
    };
    let values = oprf::receiver::obtain(channel, sid, &setup.oprf, keys.iter().copied(), rng)?;
    let at_rows = Secret::new(values.at_rows(&setup.oprf, |_, _| {}));
    let pads = pads(sid, setup.format.words());
    hints.begin(&pads, at_rows.expose(), values.into_rows().places());
    drop(at_rows);
    let seed: Vec<Block> = channel.receive_part(HINT_SEED, 1)?;
    for function in 0..FUNCTIONS {
        let of_function = keys.iter().zip(&by_id);
        let of_function = of_function.filter(|(_, (_, of))| usize::from(*of) == function);
        hints.bins = of_function.clone().map(|(_, (bin, _))| *bin).collect();
        let keys = of_function.map(|(key, _)| *key);
        let seed = row_seed(sid, function, seed[0]);
        receive(
            channel,
            setup,
            &Rows::for_decoding(&setup.shape, seed, keys),
            &mut hints,
        )?;
    }
    let values = BinValues::of_receiver(&setup.format, setup.bins, hints.packed);
    Ok((table, values))
}

/// Receives one function's hints, and adds them to the values at R's keys of that function.
fn receive(
    channel: &mut Channel,
    setup: &Setup,
    rows: &Rows,
    hints: &mut Hints<'_>,
) -> Result<(), Fault> {
    let words = setup.format.words();
    let (mut pairs, mut single) = (Vec::new(), Vec::new());
    for bins in setup.batches() {
        let places = &rows.places()[rows.rows_of(bins.clone())];
        for pair in 0..words / 2 {
            let values = receive_plane(channel, setup, rows, bins.clone(), &mut pairs)?;
            hints.add(2 * pair, &values, places, |value: Block| {
                [value.low(), value.high()]
            });
        }
        if words % 2 == 1 {
            let values = receive_plane(channel, setup, rows, bins, &mut single)?;
            hints.add(words - 1, &values, places, |value: u64| [value]);
        }
    }
    Ok(())
}

/// One plane of some bins, decoded at R's keys, row by row.
fn receive_plane<V: Value + Element>(
    channel: &mut Channel,
    setup: &Setup,
    rows: &Rows,
    bins: Range<usize>,
    vector: &mut Vec<V>,
) -> Result<Vec<V>, Fault> {
    vector.resize(bins.len() * setup.shape.bin_width(), V::ZERO);
    channel.receive_into(HINTS, vector)?;
    Ok(okvs::decode_bins(
        &setup.shape,
        rows,
        bins,
        vector,
        |_, _| {},
    ))
}

/// The bins' values while they are put together; at empty bins they stay random.
struct Hints<'a> {
    format: &'a Format,
    packed: Secret<Vec<u64>>,
    /// The bin of each key that is worked on.
    bins: Vec<u32>,
}

impl Hints<'_> {
    /// Replaces the values at keys by F there; `places` tells which key's each of `values` is.
    fn begin(&mut self, pads: &[CorrelationHash], values: &[Block], places: &[u32]) {
        for (values, places) in values.chunks(BATCH).zip(places.chunks(BATCH)) {
            for (pair, pad) in pads.iter().enumerate() {
                let mut hashed = [Block::ZERO; BATCH];
                let hashed = &mut hashed[..values.len()];
                hashed.copy_from_slice(values);
                pad.hash_each(hashed, 0);
                for (value, place) in hashed.iter().zip(places) {
                    let bin = self.bins[*place as usize] as usize;
                    self.format
                        .set_pair(self.packed.expose_mut(), bin, pair, value.0);
                }
            }
        }
    }

    /// Adds one plane's values at keys, from the given word of a row on.
    fn add<V: Copy, const N: usize>(
        &mut self,
        first: usize,
        values: &[V],
        places: &[u32],
        words_of: impl Fn(V) -> [u64; N],
    ) {
        let width = self.format.words();
        let packed = self.packed.expose_mut();
        for (value, place) in values.iter().zip(places) {
            let at = self.bins[*place as usize] as usize * width + first;
            let words = packed[at..].iter_mut().zip(words_of(*value));
            words.for_each(|(mine, theirs)| *mine ^= theirs);
        }
    }
}
