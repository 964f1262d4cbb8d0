//! Every message of a round dropped, swapped, cut, extended, flipped and replayed: a fault, or fewer survivors, or the right answer; never a panic
//! or a wrong sum. A message that comes twice is the transport's matter: a step takes one value of each kind and is gone.

use super::aggregate::{COMPLETE_MEMBERS_MAX, Member, RoundFault, Terms};
use super::oracle::vector;
use super::rehearsal::{Hop, Outcome, Rehearsal, Step, keys, proposal};
use crate::block::Block;
use crate::prg::Prg;
use rand_core::Rng;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Bits flipped in each message, besides its first and last.
const FLIPS: usize = 6;

type Messages = BTreeMap<Hop, Vec<u8>>;

/// The last member vanishes before it contributes, so that either kind of share is asked for.
fn run(terms: &Arc<Terms>, line: &(dyn Fn(Hop, Vec<u8>) -> Option<Vec<u8>> + Sync)) -> Outcome {
    let keys = keys(terms.members());
    let vectors = |member: Member| vector(terms, member);
    let vanishes = |member: Member| {
        if member.index() == terms.members() - 1 {
            Step::Contribute
        } else {
            Step::Never
        }
    };
    Rehearsal {
        terms,
        keys: &keys,
        vectors: &vectors,
        vanishes: &vanishes,
        line,
        seed: 1,
    }
    .run()
}

fn terms(members: usize, round: u64) -> Arc<Terms> {
    let colluders = u16::from(members > COMPLETE_MEMBERS_MAX);
    let mut proposal = proposal(&keys(members), 4, colluders);
    proposal.round = round;
    Arc::new(Terms::new(proposal).expect("fits"))
}

fn recorded(terms: &Arc<Terms>) -> Messages {
    let messages: Mutex<Messages> = Mutex::default();
    run(terms, &|hop, bytes| {
        messages
            .lock()
            .expect("not poisoned")
            .insert(hop, bytes.clone());
        Some(bytes)
    });
    messages.into_inner().expect("not poisoned")
}

/// What can become of one message.
fn tamperings(
    hop: &Hop,
    bytes: &[u8],
    all: &Messages,
    other_round: &Messages,
) -> Vec<Option<Vec<u8>>> {
    let flip = |bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Some(bytes)
    };
    let mut rng = Prg::new(Block(u128::from(hop.kind) << 16 | u128::from(hop.member.0)));
    let bits = (0..FLIPS).map(|_| rng.next_u64() as usize % (8 * bytes.len()));
    let flips: Vec<_> = bits.chain([0, 16, 8 * bytes.len() - 1]).map(flip).collect();
    // The same kind's message from or to another, and every kind's to the same.
    let is_near =
        |other: &Hop| other != hop && (other.kind == hop.kind || other.member == hop.member);
    let swapped = all
        .iter()
        .filter(|(other, _)| is_near(other))
        .map(|(_, bytes)| Some(bytes.clone()));
    let cut = bytes[..bytes.len() - 1].to_vec();
    let half = bytes[..bytes.len() / 2].to_vec();
    let extended = [bytes, &[0]].concat();
    let replayed = other_round.get(hop).cloned();
    let whole = [
        None,
        Some(cut),
        Some(half),
        Some(extended),
        Some(vec![]),
        replayed,
    ];
    flips.into_iter().chain(swapped).chain(whole).collect()
}

/// Five members of whom three are enough.
#[test]
fn no_tampering_gives_a_wrong_sum_or_a_panic() {
    let (opened, refused) = sweep(5, |_| true, usize::MAX);
    // Both happen: one member less is no reason to stop, and the recipient's messages are.
    assert!(opened > 100 && refused > 100, "{opened} {refused}");
}

/// In a graph of few neighbours, messages that tell of the graph or depend on it, and some of what can become of each.
#[test]
fn no_tampering_in_a_graph_of_few_neighbours_gives_a_wrong_sum_or_a_panic() {
    const MEMBERS: usize = 80;
    // A dealing, a delivery, a box of unmasking shares, the opening.
    let is_chosen = |hop: &Hop| match hop.kind {
        0x0703 | 0x0704 | 0x0709 => hop.member.0 == 1,
        kind => kind == 0x070a,
    };
    let (opened, refused) = sweep(MEMBERS, is_chosen, 4);
    assert!(terms(MEMBERS, 1).degree().picks.is_some());
    assert!(opened > 3 && refused > 3, "{opened} {refused}");
}

/// How many of the rounds with one message changed, each in `ways` ways at most, gave the right sum, and how many none.
fn sweep(members: usize, chosen: impl Fn(&Hop) -> bool, ways: usize) -> (usize, usize) {
    let (terms, other) = (terms(members, 1), terms(members, 2));
    let (all, other_round) = (recorded(&terms), recorded(&other));
    let (mut opened, mut refused) = (0, 0);
    for (hop, bytes) in all.iter().filter(|(hop, _)| chosen(hop)) {
        let tamperings = tamperings(hop, bytes, &all, &other_round);
        let step = tamperings.len().div_ceil(ways);
        for tampered in tamperings.into_iter().step_by(step) {
            let outcome = run(&terms, &|at, bytes| {
                if at == *hop {
                    tampered.clone()
                } else {
                    Some(bytes)
                }
            });
            for (_, fault) in &outcome.faults {
                let blames_us =
                    matches!(fault, RoundFault::Refused(_) | RoundFault::Unlucky { .. });
                assert!(!blames_us, "{hop:?}: {fault}");
            }
            match outcome.sum {
                None => refused += 1,
                Some(sum) => {
                    let mut right = vec![0; terms.cells()];
                    for member in &sum.survivors {
                        right
                            .iter_mut()
                            .zip(vector(&terms, *member))
                            .for_each(|(sum, value)| *sum += value);
                    }
                    assert!(sum.survivors.len() >= terms.survivors_min());
                    assert_eq!(sum.cells, right, "{hop:?}");
                    opened += 1;
                }
            }
        }
    }
    (opened, refused)
}
