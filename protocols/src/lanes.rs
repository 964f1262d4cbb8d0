//! A job's buckets, several in flight, each lane on a channel of its own.
//!
//! With c channels, channel k runs the buckets at places k, k + c, k + 2c … of an agreed list one after the other, so both parties
//! must have the same number of channels and the same list. While one bucket waits for the peer, another computes. A fault on one
//! channel ends them all: the party is told at once, so that it can hang up where others wait, and of several faults the one in
//! which the peer was caught counts.

use crate::block::Block;
use crate::channel::{Channel, Totals};
use crate::fault::{Abort, Fault, Misuse};
use crate::hash;
use crate::prg::Prg;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use std::sync::{Mutex, PoisonError};

/// Why a lane ended.
pub(crate) enum Stop<E> {
    /// In the protocol.
    Fault(Fault),
    /// At the party itself.
    Party(E),
}

impl<E> From<Fault> for Stop<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<E: From<Fault>> Stop<E> {
    /// The peer was caught cheating: of several ends this is the one that counts.
    fn caught(&self) -> bool {
        matches!(self, Self::Fault(Fault::Misbehaved(_)))
    }

    fn into_error(self) -> E {
        match self {
            Self::Fault(fault) => fault.into(),
            Self::Party(error) => error,
        }
    }
}

/// Runs `bucket` for every bucket in `todo`, each channel's on a thread of its own. `broke_off` is called on every lane that ends
/// in an error.
pub(crate) fn run<E: From<Fault> + Send>(
    channels: &mut [Channel],
    todo: &[u64],
    rng: &mut impl CryptoRng,
    broke_off: impl Fn() + Sync,
    bucket: impl Fn(&mut Channel, u64, &mut Prg) -> Result<(), Stop<E>> + Sync,
) -> Result<(), E> {
    let stride = channels.len();
    if stride == 0 {
        let (what, expected) = ("channels", 1);
        return Err(Fault::from(Misuse::Count {
            what,
            expected,
            got: 0,
        })
        .into());
    }
    // Wiped with their lane: whoever had one later could draw every bucket's secrets again.
    let generators: Vec<Prg> = (0..stride).map(|_| Prg::new(Block::random(rng))).collect();
    let first: Mutex<Option<Stop<E>>> = Mutex::new(None);
    let lane = |channel: &mut Channel, place: usize, mut rng: Prg| {
        let lock = || first.lock().unwrap_or_else(PoisonError::into_inner);
        for number in todo.iter().skip(place).step_by(stride) {
            if lock().is_some() {
                return;
            }
            if let Err(stop) = bucket(channel, *number, &mut rng) {
                let mut first = lock();
                if first.is_none() || stop.caught() {
                    *first = Some(stop);
                }
                drop(first);
                broke_off();
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for (place, (channel, rng)) in channels.iter_mut().zip(generators).enumerate() {
            let lane = &lane;
            scope.spawn(move || lane(channel, place, rng));
        }
    });
    let ended = first.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.map_or(Ok(()), |stop| Err(stop.into_error()))
}

/// Refuses a bucket with more ids than it is padded to: the caller has no more than agreed, so their digests have crowded by chance.
pub(crate) fn check_load(ids: usize, padded: u32) -> Result<(), Fault> {
    if ids <= padded as usize {
        return Ok(());
    }
    let what = "spreading ids over the job's buckets";
    Err(Abort::NoSolution { what }.into())
}

/// Both directions of everything said on a bucket's channel so far, in an order that both parties have.
pub(crate) fn said(purpose: &'static str, sid: &SessionId, totals: &Totals) -> [u8; 32] {
    let mut directions = [totals.sent_hash, totals.received_hash];
    directions.sort_unstable();
    hash::digest(purpose, sid, &[directions.as_flattened()])
}
