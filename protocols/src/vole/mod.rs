//! Silent vector oblivious linear evaluation (protocols.md §3): R gets A and C, S gets Δ and B, with C = B + A·Δ over GF(2^128),
//! for the price of a few hundred oblivious transfers.
//!
//! Per chunk of m outputs: R hides t = 320 noise values at secret places of a vector of N = 2m. A *base VOLE* (`noisy`) gives both
//! shares of noise·Δ; t *trees* ([`tree`]) give both the same pseudo-random vector but at R's places, where S programs the
//! difference to be the share. The public *code* ([`code`]) then compresses the noisy vectors to m outputs that look random under
//! the dual LPN assumption with regular noise. The base entries of later chunks are outputs of the first.
//!
//! S learns nothing of A; R learns nothing of Δ. Malicious mode adds a check of the base VOLE against R and one of the trees
//! against S. Whether the latter passes tells a cheating S about one bit of the noise places (WYKW20).
//!
//! **Parameters.** A linear test whose vector has relative weight d sees nothing of the noise if it misses all t places: at most
//! (1 − d)^t with random values from a large field (over bits it is (1 − 2d)^t, which is what smaller t are often chosen by).
//! The code's authors estimate a pseudo-distance of 1/4, so t = 320 gives 2^-132, which also covers the leaked bit. The
//! estimate of the distance is theirs and is not proven; it is the assumption that a reviewer should look at first.
//!
//! ```
//! use entente_protocols::{block::Block, channel::memory_pair, field, prg::Prg, secret::Secret};
//! use entente_protocols::{security::Security, session_id::SessionId, vole::{receiver, sender, Setup}};
//!
//! let setup = Setup::new(5_000, Security::Malicious);
//! let sid = SessionId::new([7; 32]);
//! let (mut to_receiver, mut to_sender) = memory_pair();
//! let mut a = vec![Block::ZERO; setup.outputs()];
//! let (b, c) = std::thread::scope(|scope| {
//!     let sender = scope.spawn(|| {
//!         let delta = Secret::new(Block(99));
//!         sender::run(&mut to_receiver, &sid, &setup, &delta, &mut Prg::new(Block(1)))
//!     });
//!     let c = receiver::run(&mut to_sender, &sid, &setup, &mut a, &mut Prg::new(Block(2)));
//!     (sender.join().expect("no panic"), c)
//! });
//! let (b, c) = (b?, c?);
//! for i in 0..5_000 {
//!     assert_eq!(c.expose()[i], b.expose()[i] ^ field::multiply(a[i], Block(99)));
//! }
//! # Ok::<(), entente_protocols::fault::Fault>(())
//! ```

pub mod code;
mod noisy;
pub mod receiver;
pub mod sender;
mod setup;
pub mod tree;

pub use setup::{NOISE, OUTPUTS_MAX, Setup};

use crate::block::Block;
use crate::channel::Kind;
use crate::hash;
use crate::secret::Secret;
use crate::session_id::SessionId;

const TREE_SUMS: Kind = Kind::new(0x0311, "VOLE tree sums");
const TREE_DIFFERENCES: Kind = Kind::new(0x0312, "VOLE tree differences");
const RECHOSEN: Kind = Kind::new(0x0313, "VOLE chosen base entry");
const CHECK_POINT: Kind = Kind::new(0x0314, "VOLE check point");
const CHECK_VALUE: Kind = Kind::new(0x0315, "VOLE check value");

/// What S shows of the check's value: enough to compare, nothing to compute with. An R that chose another entry for the check
/// would see a multiple of Δ in the value itself.
fn check_digest(sid: &SessionId, value: Block) -> Block {
    hash::keyed("entente/1/vole/check-value", sid, &[]).block(&value.to_bytes())
}

/// Zeros to be filled with what must be wiped. Boxed, so that no spare capacity has to be wiped too.
fn secret_blocks(count: usize) -> Secret<Box<[Block]>> {
    Secret::new(vec![Block::ZERO; count].into_boxed_slice())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::tamper::UNNOTICEABLE;
