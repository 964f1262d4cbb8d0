//! Boxes that one member seals to another, and the coordinator only forwards: AES-256-GCM under a key of one use.
//!
//! The key comes from both sealing keys, the round, the purpose and both names, so each key seals one box, and the nonce can be zero. The
//! cohort is in what is authenticated: a box opens only at a member that saw the same cohort as its sealer.

use super::keys::Shared;
use super::{Cohort, Member};
use crate::hash;
use crate::secret::Secret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes that a box is longer than what is in it.
pub(super) const OVERHEAD_BYTES: usize = 16;

/// What is in a box.
#[derive(Clone, Copy)]
pub(super) enum Content {
    /// Shares of both of the sealer's secrets.
    Shares,
    /// The key of the sum's authenticator.
    CheckKey,
    /// Shares that unmask, for the recipient.
    Unmasking,
}

impl Content {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Shares => "the box of shares",
            Self::CheckKey => "the box of the check key",
            Self::Unmasking => "the box of unmasking shares",
        }
    }

    fn context(self) -> &'static str {
        match self {
            Self::Shares => "entente/1/aggregate/box-of-shares",
            Self::CheckKey => "entente/1/aggregate/box-of-check-key",
            Self::Unmasking => "entente/1/aggregate/box-of-unmasking",
        }
    }
}

/// Who seals what to whom.
#[derive(Clone, Copy)]
pub(super) struct Label {
    pub(super) content: Content,
    pub(super) from: Member,
    pub(super) to: Member,
}

fn key(cohort: &Cohort, label: Label, shared: &Shared) -> LessSafeKey {
    let names = [label.from, label.to].map(|member| member.0.to_le_bytes());
    let parts: [&[u8]; 3] = [shared.expose(), &names[0], &names[1]];
    let key = Secret::new(hash::digest(label.content.context(), cohort.sid(), &parts));
    let key = UnboundKey::new(&AES_256_GCM, key.expose()).expect("a key has 32 bytes");
    LessSafeKey::new(key)
}

/// All of it, though the key binds all but the cohort already: whoever reads only this sees what a box is tied to.
fn authenticated(cohort: &Cohort, label: Label) -> Vec<u8> {
    let names = [label.from, label.to].map(|member| member.0.to_le_bytes());
    [
        cohort.sid().as_bytes(),
        &cohort.digest()[..],
        &names[0],
        &names[1],
    ]
    .concat()
}

/// Seals `content`. Its copy is encrypted where it stands and never moved, so none is left behind in freed memory.
pub(super) fn seal(cohort: &Cohort, label: Label, shared: &Shared, content: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(content.len() + OVERHEAD_BYTES);
    sealed.extend(content);
    let aad = Aad::from(authenticated(cohort, label));
    key(cohort, label, shared)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), aad, &mut sealed)
        .expect("a box is far shorter than the cipher's limit");
    sealed
}

/// What is in the box, if it is the one with this label.
pub(super) fn open(
    cohort: &Cohort,
    label: Label,
    shared: &Shared,
    sealed: &[u8],
) -> Option<Secret<Vec<u8>>> {
    let mut content = Secret::new(sealed.to_vec());
    let aad = Aad::from(authenticated(cohort, label));
    let length = key(cohort, label, shared)
        .open_in_place(
            Nonce::assume_unique_for_key([0; 12]),
            aad,
            content.expose_mut(),
        )
        .ok()?
        .len();
    content.expose_mut().truncate(length);
    Some(content)
}
