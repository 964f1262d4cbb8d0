//! PSI from Diffie and Hellman's commuting exponents, over ristretto255.
//!
//! Specification §6; Meadows, "A more efficient cryptographic matchmaking protocol" (S&P 1986), in the form of Huberman,
//! Franklin and Hogg (EC 1999); the count as in Ion et al. (EuroS&P 2020), without sums.
//!
//! R draws a secret exponent a, S draws b; H maps an id and the session to a point.
//!
//! ```text
//! R → S   blinded     H(x)^a   of all of R's ids x
//! S → R   masked      H(y)^b   of all of S's ids y, shuffled
//! S → R   evaluated   H(x)^ab  in R's order (reveal) or freshly permuted (count)
//! R       raises the masked points to a and compares: x is common exactly where H(x)^ab is among the H(y)^ba
//! ```
//!
//! Both lists are padded with random dummies to agreed sizes. Both sides first send what they agreed on:
//! mode, sizes, roles and session. Points travel in parts, so that each side computes while the other does; R keeps a
//! constant number of parts ahead, so no queue between them grows with the sets.
//!
//! **Who learns what.** S: nothing but R's padded size. R: S's padded size and, in [`receiver::reveal`], which of its ids
//! are common; in [`receiver::count`], how many are. This holds against parties that follow the protocol (semi-honest), in
//! the random-oracle model, if the decisional Diffie-Hellman problem is hard in ristretto255. **Not prevented** in a cheating party: a
//! choice of inputs, leaving out or inventing points (S can make R miss matches, R can ask for any ids within its size), and
//! in count mode an R that relates its blinded points to each other to recognise one after the permutation.
//! What is checked all the same: every point is canonical and not the identity, no list contains a point twice.
//!
//! Cost: one exponentiation an id and side for the own list and one for the other's, about 96 bytes an id pair.
//!
//! ```
//! use entente_protocols::{block::Block, channel::memory_pair, prg::Prg, psi::ecdh, psi::{Id, PaddedSizes, SessionId}};
//! use std::thread;
//!
//! let ids = |names: &[&str]| -> Vec<Id> { names.iter().map(|name| Id::new(std::array::from_fn(|i| *name.as_bytes().get(i).unwrap_or(&0)))).collect() };
//! let (bank, platform) = (ids(&["ada", "bo", "cleo", "dan"]), ids(&["cleo", "eve", "ada"]));
//! let (sid, sizes) = (SessionId::new([7; 32]), PaddedSizes::new(5, 4)?);
//! let (mut to_platform, mut to_bank) = memory_pair();
//!
//! let common = thread::scope(|scope| {
//!     let sender = scope.spawn(|| ecdh::sender::reveal(&mut to_bank, sid, &platform, sizes, &mut Prg::new(Block(1))));
//!     let common = ecdh::receiver::reveal(&mut to_platform, sid, &bank, sizes, &mut Prg::new(Block(2)));
//!     sender.join().expect("the sender does not panic").and(common)
//! })?;
//!
//! assert_eq!(common, [0, 2]);
//! assert!(to_platform.totals().mirror(&to_bank.totals()));
//! # Ok::<(), entente_protocols::fault::Fault>(())
//! ```

mod group;
mod messages;
pub mod receiver;
pub mod sender;

use crate::channel::{Channel, HEADER_BYTES};
use crate::fault::{Fault, Malformed, Misbehaviour};
use crate::psi::{PaddedSizes, SessionId};
use crate::{channel::Kind, hash};
use group::{Encoded, Exponent};
use messages::{AGREEMENT_BYTES, Agreement, Role};

/// Points in a part: a quarter of a second's work of one core, so that the sides alternate often enough to keep both busy,
/// and 128 KiB, so that a frame's overhead does not show.
const PART_POINTS: u32 = 1 << 12;
/// Parts that R blinds ahead of what it has got back: while S raises one, the next is on the way.
const PARTS_AHEAD: usize = 2;

/// What R learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Which of its ids are common.
    Reveal,
    /// How many are.
    Count,
}

/// Bytes that a run sends each way, headers included: both sides know them beforehand, which makes progress exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// From R to S.
    pub from_receiver: u64,
    /// From S to R.
    pub from_sender: u64,
}

/// The traffic of one run; the same in both modes.
pub fn traffic(sizes: PaddedSizes) -> Traffic {
    let frames = |size: u32| {
        u64::from(size.div_ceil(PART_POINTS)) * HEADER_BYTES as u64 + 32 * u64::from(size)
    };
    let agreement = (HEADER_BYTES + AGREEMENT_BYTES) as u64;
    let (receiver, sender) = (frames(sizes.receiver()), frames(sizes.sender()));
    Traffic {
        from_receiver: agreement + receiver,
        from_sender: agreement + sender + receiver,
    }
}

/// What both sides fixed before the run.
#[derive(Clone, Copy)]
struct Terms {
    sid: SessionId,
    sizes: PaddedSizes,
    mode: Mode,
    part_points: u32,
}

impl Terms {
    fn new(sid: SessionId, sizes: PaddedSizes, mode: Mode) -> Self {
        Self {
            sid,
            sizes,
            mode,
            part_points: PART_POINTS,
        }
    }

    /// Both sides say what they are about to run; any difference ends the run before a point is sent.
    fn agree(&self, channel: &mut Channel, role: Role) -> Result<(), Fault> {
        let ours = Agreement::of(self, role);
        channel.send(&ours)?;
        ours.check(&channel.receive(AGREEMENT_BYTES)?)
    }

    /// Points in each part of R's lists.
    fn receiver_parts(&self) -> Vec<usize> {
        parts(self.sizes.receiver(), self.part_points)
    }

    /// Points in each part of S's list.
    fn sender_parts(&self) -> Vec<usize> {
        parts(self.sizes.sender(), self.part_points)
    }
}

fn parts(size: u32, part_points: u32) -> Vec<usize> {
    let starts = (0..size).step_by(part_points as usize);
    starts
        .map(|start| part_points.min(size - start) as usize)
        .collect()
}

/// Receives one part of `count` points and raises it; a point that is not one blames the peer.
fn receive_raised(
    channel: &mut Channel,
    kind: Kind,
    count: usize,
    exponent: &Exponent,
) -> Result<Vec<Encoded>, Fault> {
    let points = channel.receive_part(kind, count)?;
    exponent.raise(&points).map_err(|why| malformed(kind, why))
}

fn malformed(kind: Kind, why: Malformed) -> Fault {
    Misbehaviour::Malformed {
        message: kind.name(),
        why,
    }
    .into()
}

/// Short names of points for joining and for finding a point that comes twice. Two points share one with probability
/// 2^-128, so among the largest sets with probability below 2^-78.
struct PointNames {
    hash: hash::KeyedHash,
}

impl PointNames {
    fn new(sid: &SessionId) -> Self {
        Self {
            hash: hash::keyed("entente/1/psi/ecdh/point-name", sid, &[]),
        }
    }

    fn name(&self, point: &Encoded) -> u128 {
        self.hash.block(&point.0).0
    }
}

/// Refuses a list in which a point comes twice: the ids of an honest peer are distinct, and so are their powers.
fn check_distinct(sorted: &[u128], check: &'static str) -> Result<(), Fault> {
    if sorted.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    Err(Misbehaviour::CheckFailed { check }.into())
}

#[cfg(test)]
mod tests;
