//! Hints (protocols.md §7.2 and 7.3; Pinkas, Schneider, Tkachenko, Yanai, EUROCRYPT'19, whose OPPRF this is, with more than a target
//! in it): for each bin of R's table, a value that is the bin's *target* where R's id there is one of S's, and noise where not.
//!
//! ```text
//! S ↔ R   a seed each           of the bins, drawn by both
//! R → S   the OPRF              F, at one key H(x ‖ i) for every id x of R, where i is the function that led to its bin (`oprf`)
//! S → R   a seed and 3 OKVS     the i-th H(y ‖ i) → F(H(y ‖ i)) ⊕ (t_b ‖ h(y) ⊕ s_b ‖ v_y − w_b ‖ rest) for every id y, with b = h_i(y)
//! ```
//!
//! One OKVS a function instead of one for all keys: each is as large as S's list, so S works on a third at a time and R on what has come.
//!
//! t_b is the bin's random target of ℓ bits, s_b masks S's group code h and w_b the row's words v: for a bin with a common id, R's
//! t' is t_b, its code is h ⊕ s_b, and its words and S's w_b are shares of v, each modulo two to the power of its bits. Everything is
//! packed bit by bit into as few 64-bit words as it takes. The *rest* of the last word is as random as the target: were it
//! zero, R would see where it has a match.
//!
//! **Who learns what.** R: S's padded size; every value that it decodes is uniform, match or not, as long as it has the OPRF at one
//! key of a bin only; with two, equal targets would tell it that both ids are S's. S: R's padded size. Dummies fill both
//! lists, S's as hints that nobody can read. Semi-honest. Assumptions as in `oprf`, and fixed-key AES as a correlation-robust hash.

mod format;
mod keys;
pub mod receiver;
pub mod sender;
mod values;

pub use values::BinValues;

use format::Format;

use super::cuckoo::FUNCTIONS;
use super::layout::Layout;
use crate::block::Block;
use crate::bounds::{self, OkvsShape};
use crate::channel::{Channel, Kind, vector_bytes};
use crate::fault::{Fault, Misuse};
use crate::hash::{self, CorrelationHash};
use crate::okvs::Value;
use crate::oprf;
use crate::psi::{Id, PaddedSizes};
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use std::ops::Range;

pub(super) const BIN_SEED: Kind = Kind::new(0x0540, "blind join seed of the bins");
pub(super) const HINT_SEED: Kind = Kind::new(0x0541, "blind join seed of the hints");
pub(super) const HINTS: Kind = Kind::new(0x0542, "blind join hints");

/// Bins of an OKVS that travel together, plane by plane: enough for as many threads, ten megabytes where hints have two words.
const BINS_AT_ONCE: usize = 16;

/// What a job fixes once for all its buckets.
pub struct Setup {
    sizes: PaddedSizes,
    bins: u32,
    format: Format,
    oprf: oprf::Setup,
    /// Of one function's OKVS, of which the job has as many as functions and buckets.
    shape: OkvsShape,
}

impl Setup {
    /// For buckets padded to `sizes`, of which the job has `buckets`; every bound is for the whole job. Sets smaller than
    /// [`bounds::SET_IDS_MIN`] are padded up to that. S's rows have a group code of `code_bits` bits and words as `layout` says.
    ///
    /// # Panics
    /// If a code has more than 32 bits: a caller's defect.
    pub fn new(
        sizes: PaddedSizes,
        buckets: u64,
        code_bits: u32,
        layout: &Layout,
    ) -> Result<Self, Fault> {
        let least = bounds::SET_IDS_MIN as u32;
        let sizes = PaddedSizes::new(sizes.receiver().max(least), sizes.sender().max(least))?;
        Ok(Self::unpadded(sizes, buckets, code_bits, layout))
    }

    /// As [`Self::new`] for sets of exactly these sizes. Bounds are computed for any size, but measured from [`bounds::SET_IDS_MIN`] ids on:
    /// smaller sets are for tests that run a bucket hundreds of times.
    pub(super) fn unpadded(
        sizes: PaddedSizes,
        buckets: u64,
        code_bits: u32,
        layout: &Layout,
    ) -> Self {
        let (receiver, sender) = (u64::from(sizes.receiver()), u64::from(sizes.sender()));
        let bins = bounds::cuckoo_bins(receiver);
        let target_bits = bounds::equality_bits(bins, buckets);
        Self {
            sizes,
            bins: bins as u32,
            format: Format::new(target_bits, code_bits, layout.bits()),
            oprf: oprf::Setup::new(receiver, buckets, Security::SemiHonest),
            shape: OkvsShape::new(sender, FUNCTIONS as u64 * buckets),
        }
    }

    /// Both sides' sizes after padding.
    pub fn sizes(&self) -> PaddedSizes {
        self.sizes
    }

    /// Bins of R's table.
    pub fn bins(&self) -> u32 {
        self.bins
    }

    /// Bits of a target.
    pub fn target_bits(&self) -> u32 {
        self.format.target_bits()
    }

    /// Elements of 16 bytes of R's masked vector.
    pub(crate) fn vector_elements(&self) -> usize {
        self.oprf.vector_elements()
    }

    /// 64-bit words of a hint.
    pub(crate) fn words(&self) -> usize {
        self.format.words()
    }

    /// Bytes of a run, both directions, frame headers included.
    pub fn bytes(&self) -> u64 {
        let words = self.format.words() as u64;
        let hints = self.batches().map(|bins| {
            let width = bins.len() * self.shape.bin_width();
            words / 2 * vector_bytes(width, 16) + words % 2 * vector_bytes(width, 8)
        });
        3 * vector_bytes(1, 16) + self.oprf.bytes() + FUNCTIONS as u64 * hints.sum::<u64>()
    }

    /// Which of an OKVS's bins are encoded, sent and decoded at a time.
    fn batches(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let bins = self.shape.bins as usize;
        let starts = (0..bins).step_by(BINS_AT_ONCE);
        starts.map(move |start| start..bins.min(start + BINS_AT_ONCE))
    }
}

/// A seed that neither has chosen, drawn when both have fixed their ids.
fn joint_seed(channel: &mut Channel, rng: &mut impl CryptoRng) -> Result<Block, Fault> {
    let own = Block::random(rng);
    channel.send_part(BIN_SEED, &[own])?;
    let theirs: Vec<Block> = channel.receive_part(BIN_SEED, 1)?;
    Ok(own ^ theirs[0])
}

/// The seed of a function's OKVS as it is used: bound to the session.
fn row_seed(sid: &SessionId, function: usize, seed: Block) -> Block {
    let function = (function as u64).to_le_bytes();
    hash::keyed("entente/1/blind/hint-rows", sid, &[&function]).block(&seed.to_bytes())
}

/// Two words of F each, from the OPRF's value.
fn pads(sid: &SessionId, words: usize) -> Vec<CorrelationHash> {
    let pad = |pair: usize| {
        CorrelationHash::new("entente/1/blind/hint-pad", &sid.part("pad", pair as u64))
    };
    (0..words.div_ceil(2)).map(pad).collect()
}

/// The caller's ids followed by random dummies up to the agreed size.
fn padded(ids: &[Id], size: u32, rng: &mut impl CryptoRng) -> Result<Vec<Block>, Fault> {
    let size = size as usize;
    if ids.len() > size {
        return Err(Misuse::TooMany {
            what: "ids",
            max: size,
            got: ids.len(),
        }
        .into());
    }
    let ids = ids.iter().map(|id| Block::from_bytes(*id.as_bytes()));
    let mut padded = Vec::with_capacity(size);
    padded.extend(ids);
    let real = padded.len();
    padded.resize(size, Block::ZERO);
    Block::fill_random(&mut padded[real..], rng);
    Ok(padded)
}

#[cfg(test)]
mod tests;
