//! How two roles make sure that they mean the same: at the beginning that they run the same thing and not the same role, and where
//! it matters that each heard what the other said.
//!
//! Each sends a digest that only its own role can have, over terms that both know and the session; the other computes the one that is
//! due. Nothing secret is in it. A change on the line, or a version with other terms, ends the run before anything is used.

use crate::channel::{Channel, Kind, vector_bytes};
use crate::fault::{Difference, Fault, Misbehaviour};
use crate::hash;
use crate::session_id::SessionId;

/// Bytes of both parties' messages of one agreement or one comparison, frame headers included.
pub(crate) const BYTES: u64 = 2 * vector_bytes(1, 32);

/// What a party's name in the protocol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Receiver = 0,
    Sender = 1,
}

impl Role {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Receiver => Self::Sender,
            Self::Sender => Self::Receiver,
        }
    }
}

/// A message that both roles exchange, and what its digests are for.
pub(crate) struct Agreement {
    pub(crate) kind: Kind,
    pub(crate) purpose: &'static str,
    /// What differs, or which check fails, in words.
    pub(crate) what: &'static str,
}

impl Agreement {
    /// Before anything else is sent: `terms` are everything that both sides have to mean by the same name.
    pub(crate) fn agree(
        &self,
        channel: &mut Channel,
        sid: &SessionId,
        terms: &[u8; 32],
        own: Role,
    ) -> Result<(), Fault> {
        let digest = |role: Role| hash::digest(self.purpose, sid, &[terms, &[role as u8]]);
        match exchange(channel, self.kind, own, digest)? {
            true => Ok(()),
            false => Err(Difference::Bytes { what: self.what }.into()),
        }
    }

    /// Everything said on the channel so far: otherwise what follows may rest on something that was changed on the way.
    pub(crate) fn compare(
        &self,
        channel: &mut Channel,
        sid: &SessionId,
        own: Role,
    ) -> Result<(), Fault> {
        let totals = channel.totals();
        let (sent, received) = (&totals.sent_hash, &totals.received_hash);
        let [receivers, senders] = match own {
            Role::Receiver => [sent, received],
            Role::Sender => [received, sent],
        };
        let digest = |role: Role| {
            let role: &[u8] = &[role as u8];
            hash::digest(self.purpose, sid, &[receivers, senders, role])
        };
        match exchange(channel, self.kind, own, digest)? {
            true => Ok(()),
            false => Err(Misbehaviour::CheckFailed { check: self.what }.into()),
        }
    }
}

/// Whether the peer sent the digest of the other role.
fn exchange(
    channel: &mut Channel,
    kind: Kind,
    own: Role,
    digest: impl Fn(Role) -> [u8; 32],
) -> Result<bool, Fault> {
    channel.send_part(kind, &[digest(own)])?;
    let theirs: Vec<[u8; 32]> = channel.receive_part(kind, 1)?;
    Ok(theirs == [digest(own.other())])
}
