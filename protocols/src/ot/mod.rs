//! Oblivious transfer (protocols.md §2): the sender gets two random keys, the receiver the one it chose, and neither learns
//! which or the other.
//!
//! [`base`] makes 128 of them with public-key operations; [`extension`] makes any number from those with symmetric ones, and with
//! [`silent`] rows for a fraction of the bytes.
//!
//! ```
//! use entente_protocols::channel::memory_pair;
//! use entente_protocols::{ot::extension, prg::Prg, block::Block, security::Security, session_id::SessionId};
//!
//! let sid = SessionId::new([7; 32]);
//! let (mut to_receiver, mut to_sender) = memory_pair();
//! let sender = std::thread::spawn(move || {
//!     let mut rng = Prg::new(Block(1));
//!     let mut sender = extension::Sender::set_up(&mut to_receiver, &sid, Security::Malicious, &mut rng)?;
//!     sender.extend(&mut to_receiver, 3, &mut rng)
//! });
//! let mut rng = Prg::new(Block(2));
//! let mut receiver = extension::Receiver::set_up(&mut to_sender, &sid, Security::Malicious, &mut rng)?;
//! let chosen = receiver.extend(&mut to_sender, &[false, true, true], &mut rng)?;
//! let pairs = sender.join().expect("no panic")?;
//! let (chosen, pairs) = (chosen.expose(), pairs.expose());
//! assert_eq!(*chosen, [pairs[0][0], pairs[1][1], pairs[2][1]]);
//! # Ok::<(), entente_protocols::fault::Fault>(())
//! ```

pub mod base;
pub mod extension;
pub mod halving;
pub mod silent;

use crate::security::Security;

/// How semi-honest transfers are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transfers {
    /// By SoftSpokenOT ([`extension`]): little to compute, four bytes each.
    #[default]
    Fast,
    /// [`silent`]ly: two to three bits each, of many, and several times as much to compute. For slow links; of few transfers the trees cost more than
    /// is saved.
    Silent,
}

impl Transfers {
    /// Bytes of one call for `transfers` transfers, both directions.
    pub fn bytes(self, transfers: usize) -> u64 {
        match self {
            Self::Fast => extension::bytes(transfers, Security::SemiHonest),
            Self::Silent => silent::bytes(transfers),
        }
    }

    /// How many transfers a call for so many takes of those prepared.
    pub fn used(self, transfers: usize) -> usize {
        match self {
            Self::Fast => 0,
            Self::Silent => silent::used(transfers),
        }
    }
}
