//! The messages before a contribution: introductions and shares.

use super::super::keys::PUBLIC_BYTES;
use super::super::seal::OVERHEAD_BYTES;
use super::super::sign::Signature;
use super::super::{Member, Terms};
use super::{MemberSet, RoundMessage, Sharing, list, member, put_list, put_member};
use crate::channel::{Kind, Reader};
use crate::fault::Malformed;

/// A share of the self-mask's seed and one of the mask key's, sealed.
const SHARES_BOX_BYTES: usize = 64 + OVERHEAD_BYTES;
/// The authenticator's key, sealed.
const CHECK_BOX_BYTES: usize = 16 + OVERHEAD_BYTES;

/// A sealed box of shares.
pub type SharesBox = [u8; SHARES_BOX_BYTES];
/// A sealed box of the authenticator's key.
pub type CheckBox = [u8; CHECK_BOX_BYTES];

/// A member's keys of the round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// Whose.
    pub member: Member,
    /// Pairs up to masks. Looked at after the signature: a key that must not be used is its member's doing, not the coordinator's.
    pub mask_key: [u8; PUBLIC_BYTES],
    /// Pairs up to sealed boxes.
    pub sealing_key: [u8; PUBLIC_BYTES],
    /// To the self-mask's seed.
    pub commitment: [u8; 32],
    /// To the authenticator's key: in the recipient's introduction, and in no other.
    pub check_commitment: Option<[u8; 32]>,
    /// Of all of it.
    pub signature: Signature,
}

impl Introduction {
    /// What is signed besides round and member.
    pub(in crate::aggregate) fn signed(&self) -> [&[u8]; 4] {
        let check_commitment = self.check_commitment.as_ref();
        [
            &self.mask_key,
            &self.sealing_key,
            &self.commitment,
            check_commitment.map_or(&[], |commitment| commitment),
        ]
    }

    fn encode_keys(&self, body: &mut Vec<u8>) {
        self.signed().into_iter().for_each(|part| body.extend(part));
        body.extend(self.signature);
    }

    fn decode_keys(
        member: Member,
        body: &mut Reader<'_>,
        terms: &Terms,
    ) -> Result<Self, Malformed> {
        let reads = member == terms.recipient();
        Ok(Self {
            member,
            mask_key: body.array()?,
            sealing_key: body.array()?,
            commitment: body.array()?,
            check_commitment: reads.then(|| body.array()).transpose()?,
            signature: body.array()?,
        })
    }
}

impl RoundMessage for Introduction {
    const KIND: Kind = Kind::new(0x0701, "introduction");

    fn encode_body(&self, body: &mut Vec<u8>) {
        put_member(body, self.member);
        self.encode_keys(body);
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        Self::decode_keys(member(body, terms)?, body, terms)
    }
}

/// Everybody's introductions, ascending: the cohort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introductions(pub Vec<Introduction>);

impl RoundMessage for Introductions {
    const KIND: Kind = Kind::new(0x0702, "introductions");

    fn encode_body(&self, body: &mut Vec<u8>) {
        let list: Vec<(Member, &Introduction)> =
            self.0.iter().map(|one| (one.member, one)).collect();
        put_list(body, &list, |body, one| one.encode_keys(body));
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        let list = list(body, terms, |body, member| {
            Introduction::decode_keys(member, body, terms)
        })?;
        Ok(Self(list.into_iter().map(|(_, one)| one).collect()))
    }
}

/// A member's boxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealing {
    /// Who dealt.
    pub member: Member,
    /// To each of its neighbours, ascending.
    pub shares: Vec<(Member, SharesBox)>,
    /// From the recipient: to everybody else, ascending.
    pub check_keys: Vec<(Member, CheckBox)>,
}

impl Dealing {
    /// To whom it dealt.
    pub fn picks(&self, terms: &Terms) -> MemberSet {
        MemberSet::new(terms, self.shares.iter().map(|(to, _)| *to))
    }
}

impl RoundMessage for Dealing {
    const KIND: Kind = Kind::new(0x0703, "dealing");

    fn encode_body(&self, body: &mut Vec<u8>) {
        put_member(body, self.member);
        put_list(body, &self.shares, |body, sealed| body.extend(sealed));
        put_list(body, &self.check_keys, |body, sealed| body.extend(sealed));
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        Ok(Self {
            member: member(body, terms)?,
            shares: list(body, terms, |body, _| body.array())?,
            check_keys: list(body, terms, |body, _| body.array())?,
        })
    }
}

/// What others sealed to one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Whose dealings came, and to whom they went.
    pub sharing: Sharing,
    /// By sealer, ascending.
    pub shares: Vec<(Member, SharesBox)>,
    /// The recipient's; none for the recipient itself.
    pub check_key: Option<CheckBox>,
}

impl RoundMessage for Delivery {
    const KIND: Kind = Kind::new(0x0704, "delivery");

    fn encode_body(&self, body: &mut Vec<u8>) {
        self.sharing.encode(body);
        put_list(body, &self.shares, |body, sealed| body.extend(sealed));
        body.push(u8::from(self.check_key.is_some()));
        body.extend(self.check_key.iter().flatten());
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        let sharing = Sharing::decode(body, terms)?;
        let shares = list(body, terms, |body, _| body.array())?;
        let check_key = match body.u8()? {
            0 => None,
            1 => Some(body.array()?),
            got => {
                return Err(Malformed::OutOfRange {
                    field: "the check key's presence",
                    max: 1,
                    got: got.into(),
                });
            }
        };
        Ok(Self {
            sharing,
            shares,
            check_key,
        })
    }
}
