//! Silent vector oblivious linear evaluation (protocols.md §3): R gets A and C, S gets Δ and B, with C = B + A·Δ over GF(2^128),
//! for the price of a few hundred oblivious transfers.
//!
//! Per chunk of m outputs: R hides t = 256 noise values at secret places of a vector of N = 2m. A *base VOLE* ([`noisy`]) gives both
//! shares of noise·Δ; t *trees* ([`tree`]) give both the same pseudo-random vector but at R's places, where S programs the
//! difference to be the share. The public *code* ([`code`]) then compresses the noisy vectors to m outputs that look random under
//! the dual LPN assumption with regular noise. The base entries of later chunks are outputs of the first.
//!
//! S learns nothing of A; R learns nothing of Δ. Malicious mode adds a check of the base VOLE against R and one of the trees
//! against S; the latter tells a cheating S about one bit of the noise places (WYKW20), which the choice t = 256 covers: the code
//! needs about 128 for pseudo-distance 1/4.
//!
//! ```
//! use entente_protocols::{block::Block, channel::memory_pair, field, prg::Prg, secret::Secret};
//! use entente_protocols::{security::Security, session_id::SessionId, vole::{receiver, sender, Setup}};
//!
//! let setup = Setup::new(5_000, Security::Malicious);
//! let sid = SessionId::new([7; 32]);
//! let (mut to_receiver, mut to_sender) = memory_pair();
//! let (b, at_receiver) = std::thread::scope(|scope| {
//!     let sender = scope.spawn(|| {
//!         let delta = Secret::new(Block(99));
//!         sender::run(&mut to_receiver, &sid, &setup, &delta, &mut Prg::new(Block(1)))
//!     });
//!     let at_receiver = receiver::run(&mut to_sender, &sid, &setup, &mut Prg::new(Block(2)));
//!     (sender.join().expect("no panic"), at_receiver)
//! });
//! let (b, at_receiver) = (b?, at_receiver?);
//! for i in 0..5_000 {
//!     assert_eq!(at_receiver.c[i], b[i] ^ field::multiply(at_receiver.a[i], Block(99)));
//! }
//! # Ok::<(), entente_protocols::fault::Fault>(())
//! ```

pub mod code;
mod noisy;
pub mod receiver;
pub mod sender;
mod setup;
pub mod tree;

pub use setup::Setup;

use crate::block::Block;
use crate::channel::Kind;

const TREE_SUMS: Kind = Kind::new(0x0311, "VOLE tree sums");
const TREE_DIFFERENCES: Kind = Kind::new(0x0312, "VOLE tree differences");
const RECHOSEN: Kind = Kind::new(0x0313, "VOLE chosen base entry");
const CHECK_POINT: Kind = Kind::new(0x0314, "VOLE check point");
const CHECK_VALUE: Kind = Kind::new(0x0315, "VOLE check value");

/// What S shows of the check's value: enough to compare, nothing to compute with.
fn check_digest(value: Block) -> Block {
    let digest = blake3::derive_key("entente/1/vole/check-value", &value.to_bytes());
    let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
    Block::from_bytes(*first)
}

#[cfg(test)]
mod tests;
