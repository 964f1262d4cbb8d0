//! The honest coordinator of a rehearsal: it forwards boxes and adds words.

use super::super::aggregate::messages::{
    Contribution, Dealing, Delivery, MemberSet, Opening, Sharing, Survivors, Unmasking,
};
use super::super::aggregate::{Member, TAG_WORDS, Terms};
use super::Each;

/// Of each member, what the coordinator forwards to it.
pub(super) fn deliveries(
    terms: &Terms,
    sharing: &Sharing,
    dealings: &Each<Dealing>,
) -> Vec<Option<Delivery>> {
    let empty = || Delivery {
        sharing: sharing.clone(),
        shares: vec![],
        check_key: None,
    };
    let mut deliveries: Vec<Delivery> = terms.everyone().map(|_| empty()).collect();
    for (from, dealing) in dealings {
        for (to, sealed) in &dealing.shares {
            deliveries[to.index()].shares.push((*from, *sealed));
        }
        if *from == terms.recipient() {
            for (to, sealed) in &dealing.check_keys {
                deliveries[to.index()].check_key = Some(*sealed);
            }
        }
    }
    deliveries.into_iter().map(Some).collect()
}

/// The survivor set, with the signatures of all others.
pub(super) fn named(
    survivors: &MemberSet,
    contributions: &Each<Contribution>,
    to: Member,
) -> Survivors {
    let signatures = contributions.iter().filter(|(member, _)| *member != to);
    let signatures = signatures
        .map(|(member, contribution)| (*member, contribution.signature))
        .collect();
    Survivors {
        survivors: survivors.clone(),
        signatures,
    }
}

/// All that the coordinator computes: sums modulo 2^64.
pub(super) fn opening(
    terms: &Terms,
    contributions: &Each<Contribution>,
    unmaskings: Each<Unmasking>,
) -> Opening {
    let mut words = vec![0u64; terms.cells() + TAG_WORDS];
    for (_, contribution) in contributions {
        for (sum, word) in words.iter_mut().zip(&contribution.words) {
            *sum = sum.wrapping_add(*word);
        }
    }
    let unmaskings = unmaskings
        .into_iter()
        .map(|(member, unmasking)| (member, unmasking.sealed))
        .collect();
    Opening { words, unmaskings }
}
