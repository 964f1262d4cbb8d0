//! From shares of a table to what its readers see of it, and nothing else (protocols.md §8).
//!
//! Both parties hold additive shares of words, cell by cell: of every *moment*, the first of which is the number of ids. A cell is
//! shown if that number, noise included, is at least the smallest group; which cells that are is computed on shares, and of all others not
//! even their number of ids is opened.
//!
//! ```text
//! R, S    noise                 discrete Laplace of full strength, added by each to its own share, unless it alone reads
//! R ↔ S   threshold             XOR shares of s = [count ≥ smallest group], by a comparison on shares
//! R ↔ S   selection             additive shares of s and of s · word, for the moments that are opened
//! R ↔ S   opening               towards the readers only; where both read, both commit to their shares first
//! ```
//!
//! **Who learns what.** Readers: which cells are shown, and of these the opened moments, with the other party's noise in them and their own.
//! Who does not read learns nothing. Semi-honest: a party that cheats can falsify its share, so that cells are shown that should
//! not be, or wrong; it can leave when it has read, so an opening that began counts as done. The other party's noise is still in
//! what it reads, but hides only what keeps to the caps that the noise was made for: a reader that brings larger numbers, or makes
//! them by deviating, can tell from the answer whether an id of its choice is common.
//!
//! ```
//! use entente_protocols::{block::Block, channel::memory_pair, prg::Prg, release, session_id::SessionId};
//!
//! let moments = vec![release::Moment { bits: 32, opened: true, noise: None }];
//! let terms = release::Terms::new(2, moments, 50, release::Readers::Receiver)?;
//! let sid = SessionId::new([7; 32]);
//! let (mut to_sender, mut to_receiver) = memory_pair();
//! // Cells of 60 and 49 ids; shares add up modulo 2^32.
//! let (ours, theirs) = ([100u128, 7], [(1 << 32) - 40, 42]);
//! let cells = std::thread::scope(|scope| {
//!     let sender = scope.spawn(|| release::sender::run(&mut to_receiver, sid, &terms, &theirs, &mut Prg::new(Block(1))));
//!     let cells = release::receiver::run(&mut to_sender, sid, &terms, &ours, &mut Prg::new(Block(2)));
//!     sender.join().expect("the sender does not panic").and(cells)
//! })?;
//! assert_eq!(cells, Some(vec![Some(vec![60]), None]));
//! # Ok::<(), entente_protocols::fault::Fault>(())
//! ```

pub mod noise;
mod opening;
pub mod receiver;
pub mod sender;
mod terms;
mod threshold;

pub use noise::Scale;
pub use terms::{Moment, Readers, Terms};

use crate::agreement::Agreement;
use crate::channel::Kind;

const AGREEMENT: Agreement = Agreement {
    kind: Kind::new(0x0601, "release agreement"),
    purpose: "entente/1/release/agreement",
    what: "the session, terms or role of the release",
};
const COMMITMENT: Kind = Kind::new(0x0602, "release commitment");
const SHARES: Kind = Kind::new(0x0603, "release shares");
/// Otherwise a cell might open that is too small.
const BEFORE_OPENING: Agreement = Agreement {
    kind: Kind::new(0x0604, "release closing"),
    purpose: "entente/1/release/closing",
    what: "the conversation before the opening",
};

/// Version of messages, hashes and order.
pub const VERSION: u32 = 1;

/// Of each cell its moments, 0 standing for those that are not opened; nothing of a suppressed cell.
pub type Cells = Vec<Option<Vec<i128>>>;

#[cfg(test)]
mod tests;
