//! Every message of a round dropped, swapped, cut, extended, flipped and replayed: a fault, or fewer survivors, or the right answer; never a panic
//! or a wrong sum. A message that comes twice is the transport's matter: a step takes one value of each kind and is gone.

use super::aggregate::{Member, RoundFault, Terms};
use super::oracle::vector;
use super::rehearsal::{Hop, Outcome, Rehearsal, Step, keys, proposal};
use crate::block::Block;
use crate::prg::Prg;
use rand_core::Rng;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Bits flipped in each message, besides its first and last.
const FLIPS: usize = 6;
const MEMBERS: u16 = 5;

type Messages = BTreeMap<Hop, Vec<u8>>;

/// Five members of whom three are enough; the last vanishes before it contributes, so that either kind of share is asked for.
fn run(terms: &Arc<Terms>, line: &(dyn Fn(Hop, Vec<u8>) -> Option<Vec<u8>> + Sync)) -> Outcome {
    let keys = keys(usize::from(MEMBERS));
    let vectors = |member: Member| vector(terms, member);
    let vanishes = |member: Member| {
        if member.0 == MEMBERS - 1 {
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

fn terms(round: u64) -> Arc<Terms> {
    let mut proposal = proposal(&keys(usize::from(MEMBERS)), 4, 0);
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

#[test]
fn no_tampering_gives_a_wrong_sum_or_a_panic() {
    let (terms, other) = (terms(1), terms(2));
    let (all, other_round) = (recorded(&terms), recorded(&other));
    let (mut opened, mut refused) = (0, 0);
    for (hop, bytes) in &all {
        for tampered in tamperings(hop, bytes, &all, &other_round) {
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
    // Both happen: one member less is no reason to stop, and the recipient's messages are.
    assert!(opened > 100 && refused > 100, "{opened} {refused}");
}
