//! Who can take part in a round together.

use super::fault::{Refusal, RoundFault};
use super::terms::{MEMBERS_MAX, MEMBERS_MIN, Member, NAME_BYTES_MAX, Organisation, range};
use curve25519_dalek::edwards::CompressedEdwardsY;

/// Distinct names in ascending order, with distinct keys: a party twice would be two votes and two shares in one hand.
pub(super) fn check(roster: &[Organisation]) -> Result<(), RoundFault> {
    range(
        "the number of members",
        MEMBERS_MIN,
        MEMBERS_MAX,
        roster.len(),
    )?;
    for organisation in roster {
        range(
            "the bytes of a name",
            1,
            NAME_BYTES_MAX,
            organisation.name.len(),
        )?;
    }
    let mut keys: Vec<_> = roster
        .iter()
        .map(|organisation| organisation.identity)
        .collect();
    keys.sort_unstable();
    let distinct = keys.is_sorted_by(|a, b| a < b);
    let ascending = roster.is_sorted_by(|a, b| a.name < b.name);
    if !(distinct && ascending) {
        return Err(Refusal::Roster.into());
    }
    let mut identities = roster.iter().map(|organisation| organisation.identity);
    let unusable = identities.position(|identity| !is_usable(identity));
    match unusable {
        None => Ok(()),
        Some(place) => Err(Refusal::Identity(Member(place as u16)).into()),
    }
}

/// Whether these bytes are the one encoding of a point that is not of low order.
fn is_usable(identity: [u8; 32]) -> bool {
    let point = CompressedEdwardsY(identity).decompress();
    point.is_some_and(|point| !point.is_small_order() && point.compress().0 == identity)
}
