//! A set of members, as one bit for each of the roster.

use super::super::{Member, Terms};
use crate::channel::Reader;
use crate::fault::Malformed;

/// Members of one roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberSet {
    bits: Vec<u8>,
}

impl MemberSet {
    /// Of these members of the terms' roster; those that are not in it are left out.
    pub fn new(terms: &Terms, members: impl IntoIterator<Item = Member>) -> Self {
        let mut bits = vec![0; terms.set_bytes()];
        for member in members
            .into_iter()
            .filter(|member| member.index() < terms.members())
        {
            bits[member.index() / 8] |= 1 << (member.index() % 8);
        }
        Self { bits }
    }

    /// Whether it has this member.
    pub fn contains(&self, member: Member) -> bool {
        let byte = self.bits.get(member.index() / 8);
        byte.is_some_and(|byte| (byte >> (member.index() % 8)) & 1 == 1)
    }

    /// How many it has.
    pub fn count(&self) -> usize {
        self.bits
            .iter()
            .map(|byte| byte.count_ones() as usize)
            .sum()
    }

    /// Its members, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Member> {
        (0..8 * self.bits.len() as u16)
            .map(Member)
            .filter(|member| self.contains(*member))
    }

    /// The first of its members that the other set does not have.
    pub fn beyond(&self, other: &Self) -> Option<Member> {
        self.iter().find(|member| !other.contains(*member))
    }

    /// Its bits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bits
    }

    pub(super) fn encode(&self, body: &mut Vec<u8>) {
        body.extend(&self.bits);
    }

    pub(super) fn decode(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        let set = Self {
            bits: body.bytes(terms.set_bytes())?.to_vec(),
        };
        let outside = set.iter().any(|member| member.index() >= terms.members());
        match outside {
            true => Err(Malformed::NotCanonical {
                what: "a set of members",
            }),
            false => Ok(set),
        }
    }
}
