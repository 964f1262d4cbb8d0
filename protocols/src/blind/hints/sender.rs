//! S: deals a target, a masked code and shares to each bin.

use super::super::cuckoo::{Bins, FUNCTIONS};
use super::super::word::Word;
use super::keys::KeyHash;
use super::values::{self, Masks};
use super::{BinValues, Format, HINT_SEED, HINTS, Setup, joint_seed, padded, pads, row_seed};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::hash::CorrelationHash;
use crate::okvs::{self, Planes, Rows, Unencodable};
use crate::oprf;
use crate::oprf::sender::Evaluator;
use crate::psi::Id;
use crate::secret::Secret;
use crate::session_id::SessionId;
use rand_core::CryptoRng;

/// Values that are hashed at a time: stays on the stack.
const BATCH: usize = 256;

/// S's rows: an id, its group code, and its words one after the other. Codes are below two to the power of their bits; of each word the
/// job's bits count.
#[derive(Clone, Copy)]
pub struct Inputs<'a, W> {
    /// Distinct, and at most as many as agreed.
    pub ids: &'a [Id],
    /// One an id.
    pub codes: &'a [u32],
    /// As many an id as the layout has.
    pub words: &'a [W],
}

/// S's part: what it has of each bin. The peer runs [`super::receiver::run`].
///
/// Ids are distinct and at most as many as agreed. `rng` must be unpredictable to the peer.
pub fn run<W: Word>(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Setup,
    inputs: Inputs<'_, W>,
    rng: &mut impl CryptoRng,
) -> Result<BinValues, Fault> {
    let format = &setup.format;
    let rows = packed(format, inputs, setup.sizes.sender() as usize)?;
    let ids = padded(inputs.ids, setup.sizes.sender(), rng)?;
    let seed = joint_seed(channel, rng)?;
    let bins = Bins::new(sid, seed, setup.bins).of(&ids);
    let masks = Box::new(Masks::new(format, Block::random(rng)));
    let evaluator = oprf::sender::run(channel, sid, &setup.oprf, rng)?;
    let hash = KeyHash::new(sid);
    let mut hints = Hints {
        format,
        pads: pads(sid, format.words()),
        values: Planes::zero(ids.len(), format.words()),
    };
    // Drawn now that the keys are fixed.
    let seed = Block::random(rng);
    channel.send_part(HINT_SEED, &[seed])?;
    for function in 0..FUNCTIONS {
        let keys = hash.keys(function, &ids);
        let bins: Vec<u32> = bins.iter().map(|bins| bins[function]).collect();
        hints.begin(rows.expose(), &masks, &bins);
        hints.cover(&evaluator, &keys);
        let seed = row_seed(sid, function, seed);
        send(channel, setup, seed, &keys, &hints.values, rng)?;
    }
    Ok(BinValues::of_sender(format, setup.bins, masks))
}

/// The rows of `size` ids, of which those after the caller's are zero.
fn packed<W: Word>(
    format: &Format,
    inputs: Inputs<'_, W>,
    size: usize,
) -> Result<Secret<Vec<u64>>, Fault> {
    let ids = inputs.ids.len();
    let counts = [
        ("group codes", inputs.codes.len(), ids),
        ("words", inputs.words.len(), ids * format.numbers_a_row()),
    ];
    for (what, got, expected) in counts {
        if got != expected {
            return Err(Misuse::Count {
                what,
                expected,
                got,
            }
            .into());
        }
    }
    let (got, max) = (inputs.codes.iter().copied().max(), format.code_max());
    if let Some(got) = got.filter(|got| *got > max) {
        return Err(Misuse::TooMany {
            what: "groups",
            max: max as usize,
            got: got as usize,
        }
        .into());
    }
    if ids > size {
        return Err(Misuse::TooMany {
            what: "ids",
            max: size,
            got: ids,
        }
        .into());
    }
    let mut rows = Secret::new(format.room(size));
    format.pack(inputs.codes, inputs.words, rows.expose_mut());
    Ok(rows)
}

/// Encodes one function's hints and sends them. Every place that no key determines is random, as they are sent as they are.
fn send(
    channel: &mut Channel,
    setup: &Setup,
    seed: Block,
    keys: &[Block],
    values: &Planes,
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let unencodable = || Unencodable {
        items: "ids",
        keys: keys.iter().copied(),
    };
    let rows = Rows::new(&setup.shape, seed, keys.iter().copied());
    let rows = rows.map_err(|error| unencodable().rows(error))?;
    let mut planes = Planes::zero(0, setup.format.words());
    for bins in setup.batches() {
        let encoded = okvs::encode_planes(&setup.shape, &rows, bins, values, rng, &mut planes);
        encoded.map_err(|error| unencodable().solution(error))?;
        for plane in &planes.pairs {
            channel.send_all(HINTS, plane)?;
        }
        if let Some(plane) = &planes.single {
            channel.send_all(HINTS, plane)?;
        }
    }
    Ok(())
}

/// What will be encoded at each key of one function, while it is put together.
struct Hints<'a> {
    format: &'a Format,
    pads: Vec<CorrelationHash>,
    values: Planes,
}

impl Hints<'_> {
    /// Rows minus the masks of their bins.
    fn begin(&mut self, rows: &[u64], masks: &Masks, bins: &[u32]) {
        for (row, bins) in (0..).step_by(values::BATCH).zip(bins.chunks(values::BATCH)) {
            let mut borrows = [false; values::BATCH];
            for plane in 0..self.pads.len() {
                let drawn = masks.plane(plane, bins.iter().map(|bin| *bin as usize));
                let drawn = drawn[..bins.len()].iter().zip(&mut borrows);
                for (row, (mask, borrow)) in (row..).zip(drawn) {
                    let own = self.format.pair(rows, row, plane);
                    let difference = self.format.subtract(plane, own, mask.0, borrow);
                    self.values.set(plane, row, Block(difference));
                }
            }
        }
    }

    /// Adds F at the keys.
    fn cover(&mut self, evaluator: &Evaluator, keys: &[Block]) {
        let (rows, values) = evaluator.at_rows(keys.iter().copied(), |_, _| {});
        let values = Secret::new(values);
        let batches = values.expose().chunks(BATCH);
        for (values, places) in batches.zip(rows.places().chunks(BATCH)) {
            for (plane, pad) in self.pads.iter().enumerate() {
                let mut hashed = [Block::ZERO; BATCH];
                let hashed = &mut hashed[..values.len()];
                hashed.copy_from_slice(values);
                pad.hash_each(hashed, 0);
                for (value, place) in hashed.iter().zip(places) {
                    self.values.add(plane, *place as usize, *value);
                }
            }
        }
    }
}
