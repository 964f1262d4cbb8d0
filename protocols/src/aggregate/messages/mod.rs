//! What travels between a member and the coordinator, each message one value with one encoding.
//!
//! A message starts with its kind; lengths follow from the terms or stand before what they count, and are checked before anything is allocated.
//! Nothing may follow. What speaks for a member is signed or sealed and binds the round; the rest is the coordinator's word, which it can change at
//! will, and each step says what happens then.
//!
//! | kind | from | to | carries |
//! |---|---|---|---|
//! | `0x0701` introduction | member | everyone | public keys of the round and commitments, signed |
//! | `0x0702` introductions | coordinator | member | all of them: the cohort |
//! | `0x0703` dealing | member | coordinator | boxes for its neighbours |
//! | `0x0704` delivery | coordinator | member | who dealt to whom, and the boxes for this member |
//! | `0x0705` contribution | member | coordinator | masked words and authenticator, signed cohort and who dealt to whom |
//! | `0x0706` survivors | coordinator | member | whose contributions came, and their signatures |
//! | `0x0707` vote | member | coordinator | the survivor set's signature |
//! | `0x0708` votes | coordinator | member | a quorum of them |
//! | `0x0709` unmasking | member | coordinator | a box for the recipient |
//! | `0x070a` opening | coordinator | recipient | the sum of masked words, and the boxes |

mod early;
mod late;
mod set;
mod sharing;

pub use early::{CheckBox, SharesBox};
pub use early::{Dealing, Delivery, Introduction, Introductions};
pub(super) use late::SHARE_BYTES;
pub use late::{Contribution, Opening, Survivors, Unmasking, Vote, Votes};
pub use set::MemberSet;
pub use sharing::Sharing;

use super::fault::{RoundFault, malformed};
use super::{Member, Terms};
use crate::channel::{Kind, Reader};
use crate::fault::Malformed;

/// A message of a round: the terms fix how long it may be.
pub trait RoundMessage: Sized {
    /// Number and name.
    const KIND: Kind;
    /// Appends all after the kind.
    fn encode_body(&self, body: &mut Vec<u8>);
    /// Reads all after the kind.
    fn decode_body(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed>;

    /// The message's one encoding.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Self::KIND.number().to_le_bytes().to_vec();
        self.encode_body(&mut bytes);
        bytes
    }

    /// Takes exactly what [`encode`](Self::encode) gives, for values that these terms allow.
    fn decode(bytes: &[u8], terms: &Terms) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != Self::KIND.number() {
            return Err(Malformed::NotCanonical {
                what: "the kind of message",
            });
        }
        let message = Self::decode_body(&mut reader, terms)?;
        reader.end()?;
        Ok(message)
    }

    /// The same for what the coordinator delivers: its own messages nobody else can have spoilt.
    fn delivered(bytes: &[u8], terms: &Terms) -> Result<Self, RoundFault> {
        Self::decode(bytes, terms).map_err(malformed(Self::KIND.name()))
    }
}

fn put_member(body: &mut Vec<u8>, member: Member) {
    body.extend(member.0.to_le_bytes());
}

fn member(body: &mut Reader<'_>, terms: &Terms) -> Result<Member, Malformed> {
    let number = body.u16()?;
    let max = terms.members() as u64 - 1;
    if u64::from(number) > max {
        return Err(Malformed::OutOfRange {
            field: "a member",
            max,
            got: u64::from(number),
        });
    }
    Ok(Member(number))
}

fn put_count(body: &mut Vec<u8>, count: usize) {
    let count = u16::try_from(count).expect("no list is longer than the roster");
    body.extend(count.to_le_bytes());
}

/// A list of what belongs to members, in ascending order of them, no member twice.
fn put_list<T>(body: &mut Vec<u8>, list: &[(Member, T)], put: impl Fn(&mut Vec<u8>, &T)) {
    put_count(body, list.len());
    for (member, item) in list {
        put_member(body, *member);
        put(body, item);
    }
}

fn list<T>(
    body: &mut Reader<'_>,
    terms: &Terms,
    item: impl Fn(&mut Reader<'_>, Member) -> Result<T, Malformed>,
) -> Result<Vec<(Member, T)>, Malformed> {
    let (count, max) = (body.u16()?, terms.members() as u64);
    if u64::from(count) > max {
        return Err(Malformed::OutOfRange {
            field: "a count of members",
            max,
            got: u64::from(count),
        });
    }
    let mut list = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let member = member(body, terms)?;
        list.push((member, item(body, member)?));
    }
    match list.is_sorted_by(|(a, _), (b, _)| a < b) {
        true => Ok(list),
        false => Err(Malformed::NotCanonical {
            what: "a list of members",
        }),
    }
}
