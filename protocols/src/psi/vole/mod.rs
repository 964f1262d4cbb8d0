//! PSI from a VOLE-based oblivious PRF (protocols.md §5; Raghuraman and Rindal, CCS'22; Rindal and Schoppmann, EUROCRYPT'21).
//!
//! The OPRF ([`crate::oprf`]) gives R the values u at its ids, and S everywhere.
//!
//! ```text
//! R → S   a seed and A + P      the OPRF's masked vector
//! S → R   tags of all its y     of u(y), which R knows exactly where y is one of its ids
//! S → R   what both have said   so that R takes no answer from a conversation in which anything changed on the way
//! R → S   a bit for each tag    only where both read: which of S's tags are R's too, and again what both have said
//! ```
//!
//! In semi-honest mode a tag is a truncated hash of u. In malicious mode the base VOLE and its trees are checked, both sides toss a
//! coin w (S commits to its half before anything else and opens it after R has sent all of A + P), and a tag is AES under the key u + w of the id, plus the id, all 16 bytes: S
//! sends exactly as many as agreed. S sends tags sorted by value, so that their order tells nothing.
//!
//! **Who learns what.** S: R's padded size. R: S's padded size and which of its ids are common. Where both read, S learns the same of
//! its ids, as far as R tells the truth: a lying R is not prevented. Assumptions: dual LPN with regular noise
//! for the expand-convolute code, the ideal-cipher model for AES with public keys and the random-oracle model for BLAKE3. **Not
//! prevented**, in malicious mode too: a choice of inputs; an R that encodes about twice as many ids as agreed into the slack of P (a
//! counting bound: |P| field elements carry at most 2|P|/1.35 ids); an S that leaves ids out; leaving early. In semi-honest mode
//! a cheating S can invent tags and a cheating R can probe; that is what malicious mode is for.
//!
//! ```
//! use entente_protocols::{block::Block, channel::memory_pair, prg::Prg, psi::vole, psi::{Id, PaddedSizes, SessionId}};
//! use entente_protocols::security::Security;
//!
//! let id = |number: u8| Id::new([number; 16]);
//! let (bank, platform) = ([id(1), id(2), id(3)], [id(3), id(4), id(1)]);
//! let setup = vole::Setup::new(PaddedSizes::new(5_000, 5_000)?, 1, Security::Malicious)?;
//! let sid = SessionId::new([7; 32]);
//! let (mut to_platform, mut to_bank) = memory_pair();
//! let common = std::thread::scope(|scope| {
//!     let sender = scope.spawn(|| vole::sender::reveal(&mut to_bank, sid, &setup, &platform, &mut Prg::new(Block(1))));
//!     let common = vole::receiver::reveal(&mut to_platform, sid, &setup, &bank, &mut Prg::new(Block(2)));
//!     sender.join().expect("the sender does not panic").and(common)
//! })?;
//! assert_eq!(common, [0, 2]);
//! # Ok::<(), entente_protocols::fault::Fault>(())
//! ```

mod bytes;
mod job;
pub mod receiver;
mod returned;
pub mod sender;
mod tags;

pub use job::{Job, Party};

use crate::agreement::Agreement;
use crate::block::Block;
use crate::bounds;
use crate::channel::Kind;
use crate::fault::{Fault, Misuse};
use crate::hash::{self, CorrelationHash};
use crate::oprf;
use crate::psi::{Id, PaddedSizes, SessionId, with_dummies};
use crate::security::Security;
use rand_core::CryptoRng;

const AGREEMENT: Agreement = Agreement {
    kind: Kind::new(0x0401, "VOLE-PSI agreement"),
    purpose: "entente/1/psi/vole/agreement",
    what: "the session, sizes, mode or role of VOLE-PSI",
};
const COIN_COMMITMENT: Kind = Kind::new(0x0402, "VOLE-PSI coin commitment");
const SEED: Kind = Kind::new(0x0403, "VOLE-PSI seed and coin");
const MASKED: Kind = Kind::new(0x0404, "VOLE-PSI masked vector");
const COIN: Kind = Kind::new(0x0405, "VOLE-PSI coin");
const TAGS: Kind = Kind::new(0x0406, "VOLE-PSI tags");
const CLOSING: Kind = Kind::new(0x0407, "VOLE-PSI closing");

const RETURNED: Kind = Kind::new(0x0408, "VOLE-PSI returned matches");
const RETURNED_CLOSING: Kind = Kind::new(0x0409, "VOLE-PSI closing of the receiver");

/// The OPRF's names here, and what its seed travels in: a block of the coin stands beside it.
const OPRF: oprf::Names = oprf::Names {
    value: "entente/1/psi/vole/value",
    rows: "entente/1/psi/vole/rows",
    seed: SEED,
    masked: MASKED,
    keys: "ids",
};

/// Bytes of a tag in malicious mode: a block.
const TAG_BYTES_MALICIOUS: usize = 16;
/// Version of messages, hashes and order.
pub const VERSION: u32 = 1;

/// Who learns which ids are common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// R alone.
    ReceiverOnly,
    /// R, and S by R's word.
    Both,
}

/// What a job fixes once for all its buckets.
pub struct Setup {
    readers: Readers,
    buckets: u64,
    sizes: PaddedSizes,
    oprf: oprf::Setup,
    tag_bytes: usize,
}

impl Setup {
    /// For buckets padded to `sizes`, of which the job has `buckets`; every bound is for the whole job. Sets smaller than
    /// [`bounds::SET_IDS_MIN`] are padded up to that.
    pub fn new(sizes: PaddedSizes, buckets: u64, security: Security) -> Result<Self, Fault> {
        let least = bounds::SET_IDS_MIN as u32;
        let sizes = PaddedSizes::new(sizes.receiver().max(least), sizes.sender().max(least))?;
        let (receiver, sender) = (u64::from(sizes.receiver()), u64::from(sizes.sender()));
        let tag_bytes = match security {
            Security::SemiHonest => bounds::tag_bytes(receiver, sender, buckets),
            Security::Malicious => TAG_BYTES_MALICIOUS,
        };
        Ok(Self {
            readers: Readers::ReceiverOnly,
            buckets,
            sizes,
            oprf: oprf::Setup::new(receiver, buckets, security),
            tag_bytes,
        })
    }

    /// The same, read by others than R alone.
    #[must_use]
    pub fn read_by(self, readers: Readers) -> Self {
        Self { readers, ..self }
    }

    /// Elements of 16 bytes of the masked vector.
    pub fn vector_elements(&self) -> usize {
        self.oprf.vector_elements()
    }

    /// Bytes of a tag.
    pub fn tag_bytes(&self) -> usize {
        self.tag_bytes
    }

    /// Both sides' sizes after padding.
    pub fn sizes(&self) -> PaddedSizes {
        self.sizes
    }

    fn security(&self) -> Security {
        self.oprf.security()
    }

    /// Everything that both sides have to mean by the same name.
    fn terms(&self) -> [u8; 32] {
        let numbers: [u64; 6] = [
            VERSION.into(),
            self.sizes.receiver().into(),
            self.sizes.sender().into(),
            self.buckets,
            self.security().is_malicious().into(),
            (self.readers == Readers::Both).into(),
        ];
        let mut hasher = blake3::Hasher::new_derive_key("entente/1/psi/vole/terms");
        for number in numbers {
            hasher.update(&number.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

/// Ho, from the value u to a semi-honest tag.
fn tag_hash(sid: &SessionId) -> CorrelationHash {
    CorrelationHash::new("entente/1/psi/vole/tag", sid)
}

/// The caller's ids followed by random dummies up to the agreed size, so that nobody learns how many are real. That ids are
/// distinct is seen later: by the OKVS at R, and by two equal tags at S, each before anything that depends on it is sent.
struct Keys<'a> {
    ids: &'a [Id],
    dummies: Vec<Id>,
}

impl<'a> Keys<'a> {
    fn new(ids: &'a [Id], size: u32, rng: &mut impl CryptoRng) -> Result<Self, Fault> {
        let size = size as usize;
        if ids.len() > size {
            return Err(Misuse::TooMany {
                what: "ids",
                max: size,
                got: ids.len(),
            }
            .into());
        }
        let dummies = with_dummies(&[], size - ids.len(), rng);
        Ok(Self { ids, dummies })
    }

    fn iter(&self) -> impl Iterator<Item = Block> + Clone {
        let all = self.ids.iter().chain(&self.dummies);
        all.map(|id| Block::from_bytes(*id.as_bytes()))
    }
}

/// What hides S's share of the coin until R has fixed its vector.
fn coin_commitment(sid: &SessionId, coin: &[Block]) -> [u8; 32] {
    let bytes: Vec<[u8; 16]> = coin.iter().map(|block| block.to_bytes()).collect();
    hash::digest("entente/1/psi/vole/coin", sid, &[bytes.as_flattened()])
}

/// Everything that was said, R's part first. Whoever spoke last sends it; the other compares.
fn closing(sid: &SessionId, from_receiver: &[u8; 32], from_sender: &[u8; 32]) -> [u8; 32] {
    let parts: [&[u8]; 2] = [from_receiver, from_sender];
    hash::digest("entente/1/psi/vole/closing", sid, &parts)
}

#[cfg(test)]
mod tests;
