//! The messages from a contribution on.

use super::super::seal::OVERHEAD_BYTES;
use super::super::shamir::BLOCKS;
use super::super::sign::Signature;
use super::super::{Member, TAG_WORDS, Terms};
use super::{MemberSet, RoundMessage, list, member, put_list, put_member};
use crate::channel::{Element, Kind, Reader};
use crate::fault::Malformed;

/// A member and its share, as they stand in a box for the recipient.
pub(in crate::aggregate) const SHARE_BYTES: usize = 2 + 16 * BLOCKS;

/// A member's masked vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// Whose.
    pub member: Member,
    /// That it was made seeing this cohort and this sharing.
    pub signature: Signature,
    /// The cells, then the authenticator: what the coordinator adds modulo 2^64.
    pub words: Vec<u64>,
}

fn put_words(body: &mut Vec<u8>, words: &[u64]) {
    body.reserve(8 * words.len());
    u64::encode_all(words, body);
}

fn words(body: &mut Reader<'_>, terms: &Terms) -> Result<Vec<u64>, Malformed> {
    let bytes = body.bytes(8 * (terms.cells() + TAG_WORDS))?;
    let (words, _) = bytes.as_chunks();
    Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

impl RoundMessage for Contribution {
    const KIND: Kind = Kind::new(0x0705, "contribution");

    fn encode_body(&self, body: &mut Vec<u8>) {
        put_member(body, self.member);
        body.extend(self.signature);
        put_words(body, &self.words);
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        Ok(Self {
            member: member(body, terms)?,
            signature: body.array()?,
            words: words(body, terms)?,
        })
    }
}

/// Whose contributions came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivors {
    /// The set.
    pub survivors: MemberSet,
    /// The contributions' signatures of all of it but this member, ascending.
    pub signatures: Vec<(Member, Signature)>,
}

impl RoundMessage for Survivors {
    const KIND: Kind = Kind::new(0x0706, "survivors");

    fn encode_body(&self, body: &mut Vec<u8>) {
        self.survivors.encode(body);
        put_list(body, &self.signatures, |body, signature| {
            body.extend(signature)
        });
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        Ok(Self {
            survivors: MemberSet::decode(body, terms)?,
            signatures: list(body, terms, |body, _| body.array())?,
        })
    }
}

/// A member's signature of the survivor set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Whose.
    pub member: Member,
    /// Of cohort, sharing and survivors.
    pub signature: Signature,
}

impl RoundMessage for Vote {
    const KIND: Kind = Kind::new(0x0707, "vote");

    fn encode_body(&self, body: &mut Vec<u8>) {
        put_member(body, self.member);
        body.extend(self.signature);
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        Ok(Self {
            member: member(body, terms)?,
            signature: body.array()?,
        })
    }
}

/// A quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Votes(pub Vec<(Member, Signature)>);

impl RoundMessage for Votes {
    const KIND: Kind = Kind::new(0x0708, "votes");

    fn encode_body(&self, body: &mut Vec<u8>) {
        put_list(body, &self.0, |body, signature| body.extend(signature));
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        Ok(Self(list(body, terms, |body, _| body.array())?))
    }
}

/// A member's unmasking shares, sealed to the recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmasking {
    /// Whose.
    pub member: Member,
    /// Of each owner its one share.
    pub sealed: Vec<u8>,
}

fn put_box(body: &mut Vec<u8>, sealed: &[u8]) {
    let length =
        u32::try_from(sealed.len()).expect("a share for each member of the roster at most");
    body.extend(length.to_le_bytes());
    body.extend(sealed);
}

/// As long as some number of shares is.
fn shares_box(body: &mut Reader<'_>, terms: &Terms) -> Result<Vec<u8>, Malformed> {
    let (length, max) = (
        body.u32()? as usize,
        OVERHEAD_BYTES + SHARE_BYTES * terms.members(),
    );
    if length > max {
        return Err(Malformed::OutOfRange {
            field: "the bytes of a box",
            max: max as u64,
            got: length as u64,
        });
    }
    let whole = length
        .checked_sub(OVERHEAD_BYTES)
        .is_some_and(|shares| shares.is_multiple_of(SHARE_BYTES));
    match whole {
        true => Ok(body.bytes(length)?.to_vec()),
        false => Err(Malformed::NotCanonical {
            what: "a box of unmasking shares",
        }),
    }
}

impl RoundMessage for Unmasking {
    const KIND: Kind = Kind::new(0x0709, "unmasking");

    fn encode_body(&self, body: &mut Vec<u8>) {
        put_member(body, self.member);
        put_box(body, &self.sealed);
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        Ok(Self {
            member: member(body, terms)?,
            sealed: shares_box(body, terms)?,
        })
    }
}

/// What the recipient needs to see the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The survivors' contributions, added modulo 2^64 word by word.
    pub words: Vec<u64>,
    /// The other survivors' boxes, ascending.
    pub unmaskings: Vec<(Member, Vec<u8>)>,
}

impl RoundMessage for Opening {
    const KIND: Kind = Kind::new(0x070a, "opening");

    fn encode_body(&self, body: &mut Vec<u8>) {
        put_words(body, &self.words);
        put_list(body, &self.unmaskings, |body, sealed| put_box(body, sealed));
    }

    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        Ok(Self {
            words: words(body, terms)?,
            unmaskings: list(body, terms, |body, _| shares_box(body, terms))?,
        })
    }
}
