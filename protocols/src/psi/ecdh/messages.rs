//! What travels: one agreement each way, then points.

use super::Terms;
use crate::channel::{Kind, Message, Reader};
use crate::fault::{Difference, Fault, Malformed};
use crate::hash;

/// H(x)^a.
pub(super) const BLINDED: Kind = Kind::new(0x0102, "BlindedPoints");
/// H(y)^b.
pub(super) const MASKED: Kind = Kind::new(0x0103, "MaskedPoints");
/// H(x)^ab.
pub(super) const EVALUATED: Kind = Kind::new(0x0104, "EvaluatedPoints");

/// This version of the messages and of the order in which they are sent.
const VERSION: u8 = 1;
/// Group and hash of this profile: ristretto255 with XMD:SHA-512.
const PROFILE: u8 = 1;
/// Bytes of an agreement's body.
pub(super) const AGREEMENT_BYTES: usize = 4 + 3 * 4 + 32;

/// Who a party is in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Receiver,
    Sender,
}

impl Role {
    fn other(self) -> Self {
        match self {
            Self::Receiver => Self::Sender,
            Self::Sender => Self::Receiver,
        }
    }
}

/// What a party is about to run, in plain numbers, so that a difference can be named. Nothing in it is secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Agreement {
    version: u8,
    profile: u8,
    role: u8,
    mode: u8,
    receiver_ids: u32,
    sender_ids: u32,
    part_points: u32,
    session: [u8; 32],
}

impl Agreement {
    pub(super) fn of(terms: &Terms, role: Role) -> Self {
        Self {
            version: VERSION,
            profile: PROFILE,
            role: role as u8,
            mode: terms.mode as u8,
            receiver_ids: terms.sizes.receiver(),
            sender_ids: terms.sizes.sender(),
            part_points: terms.part_points,
            session: hash::digest("entente/1/psi/ecdh/agreement", &terms.sid, &[]),
        }
    }

    /// Names the first difference to what the peer says.
    pub(super) fn check(&self, theirs: &Self) -> Result<(), Fault> {
        let expected_role = if self.role == Role::Receiver as u8 {
            Role::Receiver
        } else {
            Role::Sender
        }
        .other() as u8;
        let numbers = [
            (
                "the version of ECDH-PSI",
                self.version.into(),
                theirs.version.into(),
            ),
            (
                "the profile of ECDH-PSI",
                self.profile.into(),
                theirs.profile.into(),
            ),
            (
                "the role expected of the peer (0 receiver, 1 sender)",
                expected_role.into(),
                theirs.role.into(),
            ),
            (
                "the mode (0 reveal, 1 count)",
                self.mode.into(),
                theirs.mode.into(),
            ),
            (
                "the receiver's padded size",
                self.receiver_ids,
                theirs.receiver_ids,
            ),
            (
                "the sender's padded size",
                self.sender_ids,
                theirs.sender_ids,
            ),
            (
                "the number of points in a part",
                self.part_points,
                theirs.part_points,
            ),
        ];
        for (what, ours, theirs) in numbers {
            if ours != theirs {
                return Err(Difference::Number {
                    what,
                    ours: ours.into(),
                    theirs: theirs.into(),
                }
                .into());
            }
        }
        if self.session != theirs.session {
            return Err(Difference::Bytes {
                what: "the session id",
            }
            .into());
        }
        Ok(())
    }
}

impl Message for Agreement {
    const KIND: Kind = Kind::new(0x0101, "Agreement");

    fn encode(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(&[self.version, self.profile, self.role, self.mode]);
        for number in [self.receiver_ids, self.sender_ids, self.part_points] {
            body.extend_from_slice(&number.to_le_bytes());
        }
        body.extend_from_slice(&self.session);
    }

    /// Every value is kept as it came: one that this version does not know is a difference, which `check` names.
    fn decode(body: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            version: body.u8()?,
            profile: body.u8()?,
            role: body.u8()?,
            mode: body.u8()?,
            receiver_ids: body.u32()?,
            sender_ids: body.u32()?,
            part_points: body.u32()?,
            session: body.array()?,
        })
    }
}
