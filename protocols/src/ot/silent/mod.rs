//! Silent oblivious transfer (Boyle et al., CCS'19; over bits): rows as [`extension`](super::extension) hashes them to keys, for two to three bits
//! a transfer, of many, instead of four bytes. For slow links; it takes about three times the processor time.
//!
//! R gets bits a and blocks C, S gets Δ and blocks B, with C = B ⊕ a·Δ. Per chunk of m:
//!
//! 1. *Noise.* R draws one place in each of t = 256 equal parts of a vector of N = 2m.
//! 2. *Trees.* Each part is a [half tree](super::halving) punctured at R's place: S has its leaves v; R has all of them but the one at its place,
//!    where it has v ⊕ Δ, as all leaves add up to Δ. A tree takes a correlated transfer a level, from SoftSpokenOT under the same Δ.
//! 3. *Code.* Both compress their vectors by the public [code](crate::vole::code) over bits.
//! 4. *Choices.* R's bits a are what the noise compresses to. A wanted choice c is told as c ⊕ a; S takes B ⊕ (c ⊕ a)·Δ as its row. With that
//!    row q, R's row C is q ⊕ c·Δ, which is what SoftSpokenOT gives.
//!
//! **The bit in the block.** The code is linear over bits and treats each of a block's 128 bits alike. So bit 0 carries a: S clears it in
//! every leaf, R too but sets it at its places, and Δ has it set. Then C = B ⊕ e·Δ holds in bit 0 too for the noise e, and after the code bit 0 of B
//! is zero and that of C is a. Of Δ one bit of 128 is known: what hides behind it hides behind 127.
//! The code of the silent VOLE multiplies by a constant of the field, which mixes bits: there this would not do.
//!
//! **Who learns what.** S: the bits c ⊕ a. They are uniform, as a looks uniform under the dual LPN assumption over bits with regular noise. R: no more than
//! its rows; half trees hide Δ. **Semi-honest only**: an S that sends other sums makes R's keys wrong where its noise is, and
//! whether R goes on would tell. So there is no malicious mode, and nothing that takes a mode makes these.
//!
//! **Parameters.** A linear test of relative weight d, counted as [`crate::bounds::noise_over_bits`] says, sees the noise with bias at most (1 − 2d)^t. The code's authors estimate a
//! pseudo-distance of 1/4, for which t = 128 would do; t = 256 still gives 2^-128 at a distance of 0.147.
//! The estimate of the distance is theirs and is not proven; it is the assumption that a reviewer should look at first. Parts have at
//! least 32 places: regular noise in much shorter ones is within reach of algebraic attacks (Briaud and Øygarden, EUROCRYPT'23).
//!
//! **When what is said.** Trees are dealt for many chunks at once ([`prepare`](super::extension::Receiver::prepare)), in one round and at a point that
//! both parties name; each chunk is expanded when its first row is asked for. So rows of one chunk a direction are in memory, with the roots and sums of those prepared (some 50 KiB each), and
//! a call says no more than SoftSpokenOT's does, from R to S.
//!
//! ```
//! use entente_protocols::{block::Block, channel::memory_pair, prg::Prg, session_id::SessionId};
//! use entente_protocols::ot::{extension::{Receiver, Sender}, silent};
//! use std::sync::Arc;
//!
//! let sid = SessionId::new([7; 32]);
//! let setup = Arc::new(silent::Setup::new(128));
//! let (mut to_receiver, mut to_sender) = memory_pair();
//! let (chosen, pairs) = std::thread::scope(|scope| {
//!     let sender = scope.spawn(|| {
//!         let rng = &mut Prg::new(Block(1));
//!         let mut sender = Sender::set_up_silent(&mut to_receiver, &sid, &setup, rng)?;
//!         sender.prepare(&mut to_receiver, 128, rng)?;
//!         sender.extend(&mut to_receiver, 3, rng)
//!     });
//!     let rng = &mut Prg::new(Block(2));
//!     let mut receiver = Receiver::set_up_silent(&mut to_sender, &sid, &setup, rng)?;
//!     receiver.prepare(&mut to_sender, 128, rng)?;
//!     let chosen = receiver.extend(&mut to_sender, &[false, true, true], rng)?;
//!     Ok::<_, entente_protocols::fault::Fault>((chosen, sender.join().expect("no panic")?))
//! })?;
//! let (chosen, pairs) = (chosen.expose(), pairs.expose());
//! assert_eq!(*chosen, [pairs[0][0], pairs[1][1], pairs[2][1]]);
//! # Ok::<(), entente_protocols::fault::Fault>(())
//! ```

mod receiver;
mod sender;
mod setup;
mod store;
mod tree;

pub(super) use receiver::ReceiverRows;
pub(super) use sender::SenderRows;
pub use setup::{Account, NOISE, Setup, bytes, used};

use crate::channel::Kind;

pub(crate) const TREE_SUMS: Kind = Kind::new(0x0221, "silent OT tree sums");
pub(crate) const CHOICES: Kind = Kind::new(0x0222, "silent OT choices");

#[cfg(test)]
mod tests;
