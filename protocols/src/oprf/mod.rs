//! Oblivious pseudo-random function from a silent VOLE (protocols.md §5, steps 1 to 3; Rindal and Schoppmann, EUROCRYPT'21;
//! Raghuraman and Rindal, CCS'22): R learns the function's values at its own keys, S can compute them anywhere.
//!
//! R encodes its keys x with the values HB(x) into a vector P ([`crate::okvs`]). A silent VOLE gives R the vectors A and C, and S a Δ
//! and B with C = B + A·Δ ([`crate::vole`]).
//!
//! ```text
//! R → S   a seed and A + P      the vector masked; S sets K = B + Δ·(A + P) = C + Δ·P
//! ```
//!
//! The function is u(y) = Decode(K, y) + Δ·HB(y). R knows Decode(C, y), which is u(y) exactly where P decodes to HB(y): at its
//! keys.
//!
//! **Who learns what.** S: the number of R's keys. R: nothing but the values at its keys, and at most about twice as many keys if it
//! cheats (a counting bound on P). **The values are linear in Δ**: a caller hashes them before anybody sees anything of them,
//! and neither u nor a difference of two of them may be sent. Assumptions as in [`crate::vole`], and BLAKE3 and fixed-key AES.
//!
//! ```
//! use entente_protocols::{block::Block, channel::memory_pair, prg::Prg};
//! use entente_protocols::{oprf, security::Security, session_id::SessionId};
//!
//! let setup = oprf::Setup::new(5_000, 1, Security::SemiHonest);
//! let sid = SessionId::new([7; 32]);
//! let keys = Prg::new(Block(3)).blocks(5_000);
//! let (mut to_receiver, mut to_sender) = memory_pair();
//! let (evaluator, values) = std::thread::scope(|scope| {
//!     let sender = scope.spawn(|| oprf::sender::run(&mut to_receiver, &sid, &setup, &mut Prg::new(Block(1))));
//!     let values = oprf::receiver::run(&mut to_sender, &sid, &setup, &keys, &mut Prg::new(Block(2)));
//!     (sender.join().expect("no panic"), values)
//! });
//! assert!(evaluator?.evaluate(&keys).expose() == values?.expose());
//! # Ok::<(), entente_protocols::fault::Fault>(())
//! ```

pub mod receiver;
pub mod sender;

use crate::block::Block;
use crate::bounds::OkvsShape;
use crate::channel::{Kind, vector_bytes};
use crate::hash::{self, CorrelationHash};
use crate::security::Security;
use crate::session_id::SessionId;
use crate::vole;

pub(crate) const SEED: Kind = Kind::new(0x0580, "OPRF seed");
pub(crate) const MASKED: Kind = Kind::new(0x0581, "OPRF masked vector");

/// What a job fixes once for all its buckets.
pub struct Setup {
    shape: OkvsShape,
    vole: vole::Setup,
}

impl Setup {
    /// For `keys` keys of R in each of `buckets` buckets.
    ///
    /// # Panics
    /// If there are more keys than any run takes ([`vole::OUTPUTS_MAX`]): a caller's defect.
    pub fn new(keys: u64, buckets: u64, security: Security) -> Self {
        let shape = OkvsShape::new(keys, buckets);
        Self {
            shape,
            vole: vole::Setup::new(shape.width(), security),
        }
    }

    /// Keys of R.
    pub fn keys(&self) -> u64 {
        self.shape.keys
    }

    /// Elements of 16 bytes of the masked vector.
    pub fn vector_elements(&self) -> usize {
        self.shape.width()
    }

    /// The peer that the run withstands.
    pub fn security(&self) -> Security {
        self.vole.security()
    }

    /// Bytes of a run, both directions, frame headers included.
    pub fn bytes(&self) -> u64 {
        self.bytes_with(0)
    }

    /// The same where R sends `blocks` blocks of a protocol's own beside its seed.
    pub(crate) fn bytes_with(&self, blocks: usize) -> u64 {
        let seed = vector_bytes(1 + blocks, 16);
        self.vole.bytes() + seed + vector_bytes(self.shape.width(), 16)
    }
}

/// The names under which a protocol runs the function as a part of itself: its values mean nothing in another.
pub(crate) struct Names {
    /// Of the hash HB.
    pub(crate) value: &'static str,
    /// Of the hash that makes the OKVS's seed of R's.
    pub(crate) rows: &'static str,
    /// Of the message with R's seed.
    pub(crate) seed: Kind,
    /// Of R's masked vector.
    pub(crate) masked: Kind,
    /// What a fault calls the keys.
    pub(crate) keys: &'static str,
}

/// Where the function is run for its own sake.
const NAMES: Names = Names {
    value: "entente/1/oprf/value",
    rows: "entente/1/oprf/rows",
    seed: SEED,
    masked: MASKED,
    keys: "keys",
};

impl Names {
    /// HB, from a key to the value encoded for it.
    fn value_hash(&self, sid: &SessionId) -> CorrelationHash {
        CorrelationHash::new(self.value, sid)
    }

    /// The OKVS's seed as it is used: bound to the session.
    fn row_seed(&self, sid: &SessionId, seed: Block) -> Block {
        hash::keyed(self.rows, sid, &[]).block(&seed.to_bytes())
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::UNBOUND;
