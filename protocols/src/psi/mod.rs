//! Private set intersection between two parties: R, the receiver, learns which of its ids S, the sender, has too.
//!
//! Specification §5 and §6. What all variants share is here: an [`Id`], the agreed [`PaddedSizes`], and the padding of a
//! party's list to its agreed size with random dummies, so that nobody learns how many ids the other really has.
//!
//! | module | for | security |
//! |---|---|---|
//! | [`ecdh`] | small sets, slow links, interoperation | semi-honest |
//! | [`vole`] | everything else: hundreds of nanoseconds an id | semi-honest or malicious |

pub mod ecdh;
pub mod vole;

pub use crate::session_id::SessionId;

use crate::fault::{Fault, Misuse};
use rand_core::CryptoRng;
use std::collections::HashSet;

/// Bytes of an id.
pub const ID_BYTES: usize = 16;
/// Most ids of one party in one run: what the plan for the largest sets puts into a bucket, sixteen times over. It keeps
/// row numbers in 32 bits and bounds a run's memory.
pub const SET_IDS_MAX: u32 = 1 << 24;

/// An identifier as protocols see it: a digest keyed with both parties' nonces, never the identifier itself. Without
/// `Debug`, so that not even the digest gets into a log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; ID_BYTES]);

impl Id {
    /// From a keyed digest. Every value is an id.
    pub const fn new(digest: [u8; ID_BYTES]) -> Self {
        Self(digest)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }
}

/// How many ids each party is taken to have: agreed and signed before the run, rounded up from what it really has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaddedSizes {
    receiver: u32,
    sender: u32,
}

impl PaddedSizes {
    /// The two agreed sizes, at most [`SET_IDS_MAX`] each.
    pub fn new(receiver: u32, sender: u32) -> Result<Self, Fault> {
        let what = "padded ids";
        for size in [receiver, sender] {
            if size > SET_IDS_MAX {
                return Err(Misuse::TooMany {
                    what,
                    max: SET_IDS_MAX as usize,
                    got: size as usize,
                }
                .into());
            }
        }
        Ok(Self { receiver, sender })
    }

    /// R's padded size.
    pub const fn receiver(self) -> u32 {
        self.receiver
    }

    /// S's padded size.
    pub const fn sender(self) -> u32 {
        self.sender
    }
}

/// `ids` followed by random dummies up to `size`. Ids must be distinct: equal ones would be seen by the other party.
///
/// A dummy is a uniform 128-bit value, so that it equals an id of either party with probability below 2^-79 even for the
/// largest sets.
pub(crate) fn padded(ids: &[Id], size: u32, rng: &mut impl CryptoRng) -> Result<Vec<Id>, Fault> {
    let size = size as usize;
    if ids.len() > size {
        return Err(Misuse::TooMany {
            what: "ids",
            max: size,
            got: ids.len(),
        }
        .into());
    }
    let mut seen = HashSet::with_capacity(ids.len());
    if !ids.iter().all(|id| seen.insert(id)) {
        return Err(Misuse::Duplicate { what: "ids" }.into());
    }
    Ok(with_dummies(ids, size, rng))
}

/// `ids`, whose number the caller has checked, followed by dummies up to `size`.
fn with_dummies(ids: &[Id], size: usize, rng: &mut impl CryptoRng) -> Vec<Id> {
    let dummy = || {
        let mut digest = [0; ID_BYTES];
        rng.fill_bytes(&mut digest);
        Id(digest)
    };
    let mut padded = Vec::with_capacity(size);
    padded.extend_from_slice(ids);
    padded.extend(std::iter::repeat_with(dummy).take(size.saturating_sub(ids.len())));
    padded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::prg::Prg;

    fn id(number: u128) -> Id {
        Id::new(number.to_le_bytes())
    }

    #[test]
    fn padding_keeps_the_ids_in_front_and_adds_distinct_dummies() {
        let ids = [id(3), id(1), id(2)];
        let padded = padded(&ids, 1000, &mut Prg::new(Block(1))).expect("the ids fit");
        assert!(padded[..3] == ids);
        assert_eq!(padded.iter().collect::<HashSet<_>>().len(), 1000);
    }

    #[test]
    fn too_many_or_equal_ids_blame_this_side() {
        let fault = |ids: &[Id]| padded(ids, 2, &mut Prg::new(Block(1))).err();
        let too_many = Misuse::TooMany {
            what: "ids",
            max: 2,
            got: 3,
        };
        assert_eq!(fault(&[id(1), id(2), id(3)]), Some(too_many.into()));
        assert_eq!(
            fault(&[id(1), id(1)]),
            Some(Misuse::Duplicate { what: "ids" }.into())
        );
    }

    #[test]
    fn sizes_over_the_limit_are_refused() {
        assert!(PaddedSizes::new(SET_IDS_MAX, SET_IDS_MAX).is_ok());
        assert!(PaddedSizes::new(SET_IDS_MAX + 1, 0).is_err());
        assert!(PaddedSizes::new(0, SET_IDS_MAX + 1).is_err());
    }
}
