//! The blind join (protocols.md §7): aggregates over the ids that two parties share, without either learning which those are.
//!
//! For every common id, numbers of R's row and of S's row, and products of one of each, are added up in the cell of its two groups. What comes
//! out is an additive share of the table at each party; [`crate::release`] opens what its readers may see of it. In a bucket:
//!
//! ```text
//! R          cuckoo       each id in one of its three bins, at most one in a bin                                §7.1
//! R ↔ S      hints        S deals every bin a target, a mask of its code and of its words; by an OPRF, R gets     §7.2, 7.3
//!                         those of the row that has R's id, or noise                                   ([`oprf`](crate::oprf))
//! R ↔ S      equality     XOR shares of e = [R's target is S's], which is: R's id in the bin is common            §7.4
//! R ↔ S      selection    additive shares of e, of e · S's words and of e · R's words                            §7.5
//! R ↔ S      products     of R's words with S's selected ones, where the table wants them                       Gilboa
//! R ↔ S      grouping     to additive shares of the cells, by R's code and S's masked one                       §7.6, 7.7
//! ```
//!
//! Transfers are fast or, for slow links, silent ([`Setup::with_transfers`]): half the bytes for more than twice the processor time. Equality is then
//! tested in another way ([`equality_tables`]); everything else is the same.
//!
//! **Who learns what.** R and S: each other's padded size, and nothing else; all that either receives is uniform, or masked by what it lacks.
//! Semi-honest: the partner runs the protocol as written and looks at everything. **Not prevented**: a choice of inputs, a party that
//! deviates (it can falsify the table, and a crafted hint or table entry can make the released numbers depend on one id of its choice),
//! numbers beyond the caps that the noise of the release was made for, leaving early. Assumptions: those of [`crate::oprf`] and of
//! oblivious transfer ([`crate::ot`]; silent transfers add dual LPN over bits), and fixed-key AES, an ideal permutation, as a (circular) correlation-robust hash and as
//! a pseudo-random generator.
//!
//! ```
//! use entente_protocols::{block::Block, channel::memory_pair, prg::Prg, psi::{Id, PaddedSizes, SessionId}};
//! use entente_protocols::blind::{Bucket, Moment, Setup, Table, What, receiver, sender};
//!
//! let id = |number: u8| Id::new([number; 16]);
//! // How many common customers, and what they spend at S, by R's two tiers.
//! let (count, spend) = (Moment { what: What::Ids, bits: 24 }, Moment { what: What::Sender(0), bits: 46 });
//! let setup = Setup::new(PaddedSizes::new(5_000, 5_000)?, 1, Table::new(2, 1, vec![count, spend])?)?;
//! let bank = Bucket { ids: vec![id(1), id(2), id(3)], codes: vec![0, 1, 0], columns: vec![] };
//! let shop = Bucket { ids: vec![id(3), id(4), id(1)], codes: vec![0; 3], columns: vec![vec![-5, 900, 40]] };
//!
//! let sid = SessionId::new([7; 32]);
//! let (mut to_shop, mut to_bank) = memory_pair();
//! let (ours, theirs) = std::thread::scope(|scope| {
//!     let shop = scope.spawn(|| sender::run(&mut to_bank, sid, &setup, &shop, &mut Prg::new(Block(1))));
//!     let ours = receiver::run(&mut to_shop, sid, &setup, &bank, &mut Prg::new(Block(2)))?;
//!     Ok::<_, entente_protocols::fault::Fault>((ours, shop.join().expect("the shop does not panic")?))
//! })?;
//! let sums: Vec<u128> = ours.iter().zip(&theirs).map(|(a, b)| a + b).collect();
//! assert_eq!((sums[0] % (1 << 24), sums[1] % (1 << 46)), (2, 35));
//! assert_eq!((sums[2] % (1 << 24), sums[3] % (1 << 46)), (0, 0));
//! # Ok::<(), entente_protocols::fault::Fault>(())
//! ```

pub mod correlated;
mod counters;
pub mod cuckoo;
pub mod equality;
pub mod equality_tables;
mod expansion;
pub mod grouping;
pub mod hints;
mod job;
pub mod layout;
mod one_hot;
pub mod ots;
pub mod products;
pub mod receiver;
pub mod selection;
pub mod sender;
mod setup;
mod shift;
mod table;
pub mod tally;
mod trees;
pub mod word;

pub use crate::ot::Transfers;
pub use job::{Job, Party};
pub use setup::Setup;
pub use table::{Bucket, COLUMNS_MAX, MOMENT_BITS_MAX, Moment, TABLE_WORDS_MAX, Table, What};

use crate::agreement::Agreement;
use crate::channel::Kind;

const AGREEMENT: Agreement = Agreement {
    kind: Kind::new(0x0560, "blind join agreement"),
    purpose: "entente/1/blind/agreement",
    what: "the session, sizes, table, transfers or role of the blind join",
};
/// Otherwise shares may belong to no table, and nobody would see it.
const AT_CLOSING: Agreement = Agreement {
    kind: Kind::new(0x0561, "blind join closing"),
    purpose: "entente/1/blind/closing",
    what: "the conversation at its closing",
};

/// Version of messages, hashes and order.
pub const VERSION: u32 = 1;

#[cfg(test)]
mod tests;
