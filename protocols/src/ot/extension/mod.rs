//! SoftSpokenOT (Roy, CRYPTO'22) over GF(2^4): 32 bits sent per transfer. In semi-honest mode [silent](super::silent) rows can stand in for
//! its own, for two to three bits.
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
//!
//! Transfers are made a tile of 4,096 at a time and handed out in pieces of up to 512, so that streams, rows and keys stay in
//! the caches: [`Receiver::extend_each`], [`Sender::extend_each`]. In semi-honest mode H takes one call of the permutation and a
//! frame carries the corrections of up to sixteen tiles; in malicious mode H takes two and a frame is a tile.

mod choices;
mod instances;
mod keys;
mod receiver;
mod receiver_rows;
mod sender;
mod sender_rows;
mod subspace;

pub use choices::{Choices, pack};
pub use keys::Stretch;
pub use receiver::Receiver;
pub use sender::Sender;

pub(super) use receiver_rows::ReceiverRows;
pub(super) use sender_rows::SenderRows;

use crate::block::Block;
use crate::channel::{Kind, vector_bytes};
use crate::ot::base;
use crate::secret::Secret;
use crate::security::Security;
use crate::simd::{leaves, transpose};

/// Bits of the small field; 128/k bits are sent a transfer. Four balances bytes and time (protocols.md §2).
const FIELD_BITS: usize = leaves::BITS;
/// Elements of the small field: leaves of an instance's tree.
const LEAVES: usize = leaves::LEAVES;
/// Instances side by side.
const INSTANCES: usize = 128 / FIELD_BITS;
/// Words of 128 transfers that are worked on at a time: columns of a tile stay in the second cache.
const TILE_WORDS: usize = leaves::BLOCKS;
/// Tiles whose corrections travel in one frame in semi-honest mode: few enough that both sides work at the same time, many enough that
/// what a frame costs vanishes, and that 2^16 transfers are one frame of 256 KiB.
const FRAME_TILES: usize = 16;

/// Most keys that are handed out at once.
pub const PIECE: usize = transpose::ROWS;

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
    let corrections = frames(transfers, security).map(|words| vector_bytes(INSTANCES * words, 16));
    let check = match security {
        Security::Malicious => vector_bytes(1, 16) + vector_bytes(subspace::RESPONSE_BLOCKS, 16),
        Security::SemiHonest => 0,
    };
    corrections.sum::<u64>() + check
}

/// 128 columns of one tile, `words` words each.
type Columns = [[Block; TILE_WORDS]; 128];

/// Where a tile's columns go.
fn no_columns() -> Box<Secret<Columns>> {
    Box::new(Secret::new([[Block::ZERO; TILE_WORDS]; 128]))
}

/// Most words of one frame.
fn frame_words(security: Security) -> usize {
    match security {
        Security::SemiHonest => FRAME_TILES * TILE_WORDS,
        Security::Malicious => TILE_WORDS,
    }
}

/// How many words each frame of a call has.
fn frames(transfers: usize, security: Security) -> impl Iterator<Item = usize> {
    let words = transfers.div_ceil(128) + usize::from(security.is_malicious());
    let most = frame_words(security);
    let starts = (0..words).step_by(most);
    starts.map(move |start| most.min(words - start))
}

/// Tiles' columns with how many of their words are used, kept until a check of all of them.
type KeptTiles = Vec<(Box<Secret<Columns>>, usize)>;

#[cfg(test)]
mod tests;
