//! SoftSpokenOT (Roy, CRYPTO'22) over GF(2^4): 32 bits sent per transfer.
//!
//! Each of 32 *instances* is a puncturable PRF with 16 leaves, made from four base OTs, of which the extension's sender misses the
//! leaf Δ_i. From the leaves' streams r_y the receiver takes u = Σ r_y and v = Σ y·r_y, the sender w = Σ (y ⊕ Δ_i)·r_y =
//! v ⊕ Δ_i·u. The receiver sends u ⊕ x, and with it the sender's w becomes v ⊕ Δ_i·x. Side by side, the 32 instances give rows
//! q_j = v_j ⊕ x_j·Δ of 128 bits; hashed with a tweak that never repeats, H(q_j) and H(q_j ⊕ Δ) are the sender's keys and
//! H(v_j) the receiver's.
//!
//! Malicious mode adds two checks. The receiver deals the trees, so it commits to their leaves' sums and hash, which shows a tree
//! that is not one before Δ is used. And it proves that all instances got the same x: 128 masked random sums of each column
//! (Roy's subspace check); a cheater guesses bits of Δ with probability 1/2 each and is found otherwise.

mod instances;
mod receiver;
mod sender;
mod subspace;
mod transpose;

pub use receiver::Receiver;
pub use sender::Sender;

use crate::block::Block;
use crate::channel::{Kind, vector_bytes};
use crate::ot::base;
use crate::security::Security;

/// Bits of the small field; 128/k bits are sent a transfer. Four balances bytes and time (protocols.md §2).
const FIELD_BITS: usize = 4;
/// Elements of the small field: leaves of an instance's tree.
const LEAVES: usize = 1 << FIELD_BITS;
/// Instances side by side.
const INSTANCES: usize = 128 / FIELD_BITS;
/// Words of 128 transfers that are worked on at a time: columns of a tile stay in the second cache.
const TILE_WORDS: usize = 32;

/// Most transfers of one call: far above what one chunk needs, and small enough that its tweaks cannot run out.
pub const TRANSFERS_MAX: usize = 1 << 28;

pub(crate) const TREE_SUMS: Kind = Kind::new(0x0211, "OT extension tree sums");
const TREE_PROOFS: Kind = Kind::new(0x0212, "OT extension tree proofs");
pub(crate) const CORRECTIONS: Kind = Kind::new(0x0213, "OT extension corrections");
const CHALLENGE: Kind = Kind::new(0x0214, "OT extension challenge");
const RESPONSE: Kind = Kind::new(0x0215, "OT extension response");

/// Bytes of the set-up, both directions.
pub fn set_up_bytes(security: Security) -> u64 {
    let proofs = match security {
        Security::Malicious => vector_bytes(2 * INSTANCES, 32),
        Security::SemiHonest => 0,
    };
    base::bytes(base::TRANSFERS) + vector_bytes(2 * base::TRANSFERS, 16) + proofs
}

/// Bytes of one call for `transfers` transfers, both directions.
pub fn bytes(transfers: usize, security: Security) -> u64 {
    let words = transfers.div_ceil(128) + usize::from(security.is_malicious());
    let corrections = tiles(words).map(|words| vector_bytes(INSTANCES * words, 16));
    let check = match security {
        Security::Malicious => vector_bytes(1, 16) + vector_bytes(subspace::RESPONSE_BLOCKS, 16),
        Security::SemiHonest => 0,
    };
    corrections.sum::<u64>() + check
}

/// 128 columns of one tile, `words` words each.
type Columns = [[Block; TILE_WORDS]; 128];

/// How many words each tile of a run of `words` words has.
fn tiles(words: usize) -> impl Iterator<Item = usize> {
    (0..words)
        .step_by(TILE_WORDS)
        .map(move |start| TILE_WORDS.min(words - start))
}

#[cfg(test)]
mod tests;
