//! Arbitrary bytes as any message of a round of aggregation: no panic; what is read has exactly these bytes as its encoding; and a round in which they
//! take the place of one message gives the right sum or none.
//!
//! The first two bytes choose the kind, the member and whether the bytes change an honest message, by exclusive or, instead of standing for it.
#![no_main]

#[path = "../../src/aggregate/tests/rehearsal.rs"]
#[allow(dead_code, reason = "tests and the bench use more of it")]
mod rehearsal;

use entente_protocols::aggregate::messages::*;
use entente_protocols::aggregate::{self, Member, Terms};
use entente_protocols::block::Block;
use entente_protocols::prg::Prg;
use libfuzzer_sys::fuzz_target;
use rehearsal::{Hop, Rehearsal, Step, keys, proposal};
use std::sync::{Arc, OnceLock};

const MEMBERS: u16 = 3;

fn check<M: RoundMessage>(bytes: &[u8], terms: &Terms) {
    if let Ok(message) = M::decode(bytes, terms) {
        assert_eq!(message.encode(), bytes);
    }
}

fn check_all(bytes: &[u8], terms: &Terms) {
    check::<Introduction>(bytes, terms);
    check::<Introductions>(bytes, terms);
    check::<Dealing>(bytes, terms);
    check::<Delivery>(bytes, terms);
    check::<Contribution>(bytes, terms);
    check::<Survivors>(bytes, terms);
    check::<Vote>(bytes, terms);
    check::<Votes>(bytes, terms);
    check::<Unmasking>(bytes, terms);
    check::<Opening>(bytes, terms);
}

fn vector(member: Member) -> Vec<i64> {
    vec![i64::from(member.0) + 5, -7]
}

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, choice], data)) = data.split_first_chunk::<2>() else { return };
    static TERMS: OnceLock<Arc<Terms>> = OnceLock::new();
    let keys = keys(usize::from(MEMBERS));
    let terms = TERMS.get_or_init(|| Arc::new(Terms::new(proposal(&keys, 2, 0)).expect("fits")));
    check_all(data, terms);
    let tampered = Hop { kind: 0x0701 + u16::from(kind % 10), member: Member(u16::from(choice & 0x7f) % MEMBERS) };
    let line = |hop: Hop, mut bytes: Vec<u8>| {
        if hop == tampered && choice & 0x80 == 0 {
            return Some(data.to_vec());
        }
        if hop == tampered {
            bytes.iter_mut().zip(data).for_each(|(byte, change)| *byte ^= change);
        }
        Some(bytes)
    };
    let (vectors, vanishes) = (vector, |_| Step::Never);
    let round = Rehearsal { terms, keys: &keys, vectors: &vectors, vanishes: &vanishes, line: &line, seed: 1 };
    if let Some(sum) = round.run().sum {
        let of = |cell: usize| sum.survivors.iter().map(|member| vector(*member)[cell]).sum();
        assert_eq!(sum.cells, [of(0), of(1)]);
    }
});
