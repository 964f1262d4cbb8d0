//! What members deal to each other: whether a dealing has the shape it must have, and who gets which box.
//!
//! Whether a box opens only its receiver finds out. That every box is there, and for the right members, is looked at on arrival, so that
//! who deals wrongly is left out alone; found later, it would end the round for all.

use super::departure::Misstep;
use super::facts::{Place, RoundFacts};
use crate::limits::DEALT_BOX_BYTES_MAX;
use entente_wire::rpc::coordinator::v1::{RoundBox, RoundDealing, RoundDelivery, RoundPicks};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who dealt and to whom; everybody is told.
pub(super) type Picks = Arc<Vec<RoundPicks>>;

/// One member's delivery but for what all are told.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Parcel {
    shares: Vec<RoundBox>,
    check_key: Vec<u8>,
}

impl Parcel {
    /// As it is sent.
    pub(super) fn delivery(self, picks: &Picks) -> RoundDelivery {
        RoundDelivery {
            picks: picks.to_vec(),
            shares: self.shares,
            check_key: self.check_key,
        }
    }
}

/// Whether `dealing` has a box for each member that `from` has to deal to.
pub(super) fn check(
    facts: &RoundFacts,
    cohort: &BTreeSet<Place>,
    from: Place,
    dealing: &RoundDealing,
) -> Result<(), Misstep> {
    let others = cohort.len().saturating_sub(1);
    let due = facts.picks.unwrap_or(others);
    check_boxes(facts, "boxes of shares", cohort, from, &dealing.shares, due)?;
    let due = if from == facts.recipient { others } else { 0 };
    check_boxes(facts, "check keys", cohort, from, &dealing.check_keys, due)
}

fn check_boxes(
    facts: &RoundFacts,
    what: &'static str,
    cohort: &BTreeSet<Place>,
    from: Place,
    boxes: &[RoundBox],
    due: usize,
) -> Result<(), Misstep> {
    let got = boxes.len();
    if got != due {
        return Err(Misstep::Boxes { what, due, got });
    }
    if !boxes.is_sorted_by(|a, b| a.member < b.member) {
        return Err(Misstep::BoxOrder);
    }
    for RoundBox { member, content } in boxes {
        let to = facts.at(*member).filter(|to| cohort.contains(to));
        if to.is_none_or(|to| to == from) {
            return Err(Misstep::BoxFor(*member));
        }
        if content.is_empty() {
            return Err(Misstep::EmptyBox(*member));
        }
        bounded("a box of its dealing", content, DEALT_BOX_BYTES_MAX)?;
    }
    Ok(())
}

/// Refuses what is longer than anything that nodes send there.
pub(super) fn bounded(what: &'static str, bytes: &[u8], most: usize) -> Result<(), Misstep> {
    let got = bytes.len();
    match got <= most {
        true => Ok(()),
        false => Err(Misstep::TooLong { what, most, got }),
    }
}

/// Sorts the boxes of all dealers by who gets them. Boxes for members that did not deal are dropped: those are gone.
pub(super) fn deliver(
    facts: &RoundFacts,
    dealings: BTreeMap<Place, RoundDealing>,
) -> (Picks, BTreeMap<Place, Parcel>) {
    let mut parcels: BTreeMap<Place, Parcel> = dealings
        .keys()
        .map(|place| (*place, Parcel::default()))
        .collect();
    let mut all = Vec::with_capacity(dealings.len());
    for (from, dealing) in dealings {
        let RoundDealing { shares, check_keys } = dealing;
        let picks = match facts.picks {
            Some(_) => shares.iter().map(|one| one.member).collect(),
            None => Vec::new(),
        };
        let member = from.number();
        all.push(RoundPicks { member, picks });
        for RoundBox {
            member: to,
            content,
        } in shares
        {
            if let Some(parcel) = facts.at(to).and_then(|to| parcels.get_mut(&to)) {
                parcel.shares.push(RoundBox { member, content });
            }
        }
        for check_key in check_keys {
            let to = facts.at(check_key.member);
            if let Some(parcel) = to.and_then(|to| parcels.get_mut(&to)) {
                parcel.check_key = check_key.content;
            }
        }
    }
    (Arc::new(all), parcels)
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::{dealing, facts, picking};
    use super::*;

    fn cohort(members: &[u32]) -> BTreeSet<Place> {
        members.iter().copied().map(Place::made_up).collect()
    }

    fn to(members: &[u32]) -> Vec<RoundBox> {
        let sealed = |member: &u32| RoundBox {
            member: *member,
            content: vec![7; 80],
        };
        members.iter().map(sealed).collect()
    }

    #[test]
    fn a_dealing_of_another_shape_is_refused() {
        let (facts, cohort) = (facts(5, 3), cohort(&[0, 1, 3, 4]));
        let one = |shares: &[u32], check_keys: &[u32]| RoundDealing {
            shares: to(shares),
            check_keys: to(check_keys),
        };
        let at = |from, dealing| check(&facts, &cohort, Place::made_up(from), &dealing);
        assert_eq!(at(1, one(&[0, 3, 4], &[])), Ok(()));
        assert_eq!(at(0, one(&[1, 3, 4], &[1, 3, 4])), Ok(()));
        let bad = [
            (1, one(&[0, 3], &[]), "one too few"),
            (1, one(&[0, 1, 3, 4], &[]), "one too many"),
            (1, one(&[1, 3, 4], &[]), "to itself"),
            (1, one(&[0, 2, 3], &[]), "to a member that is not there"),
            (1, one(&[0, 3, 5], &[]), "outside of the roster"),
            (1, one(&[0, 3, u32::MAX], &[]), "far outside"),
            (1, one(&[3, 0, 4], &[]), "in another order"),
            (1, one(&[0, 3, 3], &[]), "twice to the same"),
            (1, one(&[0, 3, 4], &[0, 3, 4]), "keys not of the recipient"),
            (0, one(&[1, 3, 4], &[]), "no keys of the recipient"),
            (0, one(&[1, 3, 4], &[0, 1, 3]), "a key for itself"),
        ];
        for (from, dealing, what) in bad {
            assert!(at(from, dealing).is_err(), "{what}");
        }
        let mut long = one(&[0, 3, 4], &[]);
        long.shares[1].content = vec![0; DEALT_BOX_BYTES_MAX + 1];
        assert!(at(1, long).is_err(), "a long box");
    }

    #[test]
    fn each_gets_the_boxes_that_are_for_it_by_who_sealed_them() {
        let facts = facts(4, 3);
        let cohort = cohort(&[0, 1, 2, 3]);
        // Number 2 introduced itself and dealt nothing.
        let dealings = [0, 1, 3].map(|from| {
            (
                Place::made_up(from),
                dealing(&facts, &cohort, Place::made_up(from)),
            )
        });
        let (picks, parcels) = deliver(&facts, dealings.into());
        let told: Vec<_> = picks
            .iter()
            .map(|one| (one.member, one.picks.len()))
            .collect();
        assert_eq!(told, [(0, 0), (1, 0), (3, 0)]);
        let got: Vec<_> = parcels.keys().map(|place| place.number()).collect();
        assert_eq!(got, [0, 1, 3]);
        let first = &parcels[&Place::made_up(0)];
        assert_eq!(first.check_key, [0; 0]);
        let sealed: Vec<_> = first
            .shares
            .iter()
            .map(|one| (one.member, &one.content[..2]))
            .collect();
        assert_eq!(sealed, [(1, &[1, 0][..]), (3, &[3, 0][..])]);
        assert_eq!(parcels[&Place::made_up(3)].check_key[..2], [0, 3]);
    }

    #[test]
    fn who_picked_whom_is_told_where_not_everybody_deals_to_everybody() {
        let facts = picking(facts(5, 4), 2);
        let one = |shares: &[u32]| RoundDealing {
            shares: to(shares),
            check_keys: Vec::new(),
        };
        assert!(
            check(
                &facts,
                &cohort(&[0, 1, 2, 3]),
                Place::made_up(1),
                &one(&[0, 2, 3])
            )
            .is_err()
        );
        let dealings = BTreeMap::from([
            (Place::made_up(1), one(&[2, 3])),
            (Place::made_up(2), one(&[0, 1])),
        ]);
        let (picks, parcels) = deliver(&facts, dealings);
        assert_eq!(picks[0].picks, [2, 3]);
        assert_eq!(picks[1].picks, [0, 1]);
        assert_eq!(parcels[&Place::made_up(1)].shares.len(), 1);
    }
}
