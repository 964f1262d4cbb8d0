//! Signatures of pinned identities, Ed25519 (RFC 8032).
//!
//! What is signed is a text that only this protocol signs, followed by a hash of purpose, round and statement: a signature means nothing in another
//! round, for another purpose, or for anything else the same identity signs.

use super::fault::Misdeed;
use super::{Member, Terms};
use crate::hash;
use crate::session_id::SessionId;
use ring::signature::{ED25519, UnparsedPublicKey};

/// Bytes of a signature.
pub(super) const SIGNATURE_BYTES: usize = 64;

/// A signature as it travels. Not yet known to be valid.
pub type Signature = [u8; SIGNATURE_BYTES];

/// What keeps a member's identity key and signs with it.
pub trait Identity {
    /// The Ed25519 signature of `message`.
    fn sign(&self, message: &[u8]) -> Signature;
}

/// What a signature says.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// These are my keys of this round.
    Introduction,
    /// My contribution was made seeing this cohort and these sharers.
    Contribution,
    /// These, and no others, are the survivors.
    Survivors,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Introduction => "an introduction",
            Self::Contribution => "a contribution",
            Self::Survivors => "a survivor set",
        }
    }

    fn context(self) -> &'static str {
        match self {
            Self::Introduction => "entente/1/aggregate/signed-introduction",
            Self::Contribution => "entente/1/aggregate/signed-contribution",
            Self::Survivors => "entente/1/aggregate/signed-survivors",
        }
    }
}

/// No other text that an identity signs starts like this.
const PREFIX: &[u8] = b"Entente aggregation, version 2\0";

fn message(purpose: Purpose, sid: &SessionId, member: Member, parts: &[&[u8]]) -> Vec<u8> {
    let member = member.0.to_le_bytes();
    let parts = [&[&member[..]], parts].concat();
    [PREFIX, &hash::digest(purpose.context(), sid, &parts)].concat()
}

pub(super) fn sign(
    identity: &dyn Identity,
    purpose: Purpose,
    sid: &SessionId,
    member: Member,
    parts: &[&[u8]],
) -> Signature {
    identity.sign(&message(purpose, sid, member, parts))
}

/// Whether `member` of the roster signed.
pub(super) fn verify(
    terms: &Terms,
    purpose: Purpose,
    member: Member,
    parts: &[&[u8]],
    signature: &Signature,
) -> Result<(), Misdeed> {
    let message = message(purpose, terms.sid(), member, parts);
    let valid = terms.identity(member).is_some_and(|key| {
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&message, signature)
            .is_ok()
    });
    match valid {
        true => Ok(()),
        false => Err(Misdeed::BadSignature {
            what: purpose.name(),
        }),
    }
}
