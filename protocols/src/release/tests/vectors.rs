//! Known answers under `vectors/release/`: two cells, of which one is too small, read by both and by either.

use super::*;
use crate::adversary::Scripted;
use crate::blind::correlated;
use crate::channel::HEADER_BYTES;
use crate::vectors::{self, BadCase, Change, Role, Run, each_way};
use serde_json::{Value, json};

struct TwoCells(&'static str, Readers);

/// Both read a table with noise; who reads alone a table without.
const RUNS: [TwoCells; 3] = [
    TwoCells("both_read", Readers::Both),
    TwoCells("receiver_reads", Readers::Receiver),
    TwoCells("sender_reads", Readers::Sender),
];

/// Before noise.
const TABLE: [[i128; 3]; 2] = [[60, -5_000, 7], [9, 400, -1]];

impl TwoCells {
    fn terms(&self) -> Terms {
        let noise = |numerator| match self.1 {
            Readers::Both => Scale::new(numerator, 2),
            Readers::Receiver | Readers::Sender => None,
        };
        let moment = |bits, opened, noise| Moment {
            bits,
            opened,
            noise,
        };
        let moments = vec![
            moment(12, true, noise(1)),
            moment(40, true, noise(100)),
            moment(8, false, noise(1)),
        ];
        Terms::new(2, moments, 30, self.1).expect("fits")
    }

    fn shares(&self, role: Role) -> Vec<u128> {
        let table = TABLE.map(|cell| cell.to_vec());
        let mut shares = shares(&self.terms(), &table, 9);
        std::mem::take(&mut shares[role as usize])
    }
}

/// The name of the readers in the vectors.
fn told_readers(readers: Readers) -> &'static str {
    match readers {
        Readers::Receiver => "receiver",
        Readers::Sender => "sender",
        Readers::Both => "both",
    }
}

impl Run for TwoCells {
    const FOLDER: &str = "release";

    fn name(&self) -> &'static str {
        self.0
    }

    fn inputs(&self) -> Value {
        let terms = self.terms();
        let moments = terms.moments().iter().map(|moment| {
            let noise = moment.noise.map(Scale::words);
            json!({ "bits": moment.bits, "opened": moment.opened, "noise_scale_words": noise })
        });
        let shares = [Role::Receiver, Role::Sender].map(|role| {
            let shares = self.shares(role);
            shares.iter().map(u128::to_string).collect::<Vec<_>>()
        });
        json!({
            "sid": hex::encode(SID.as_bytes()),
            "cells": terms.cells(),
            "moments": moments.collect::<Vec<_>>(),
            "min_group": terms.min_group(),
            "readers": told_readers(self.1),
            "receiver_shares": shares[0],
            "sender_shares": shares[1],
            "receiver_seed": hex::encode(Block(2).to_bytes()),
            "sender_seed": hex::encode(Block(1).to_bytes()),
        })
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        let (terms, shares) = (self.terms(), self.shares(role));
        let cells = match role {
            Role::Receiver => {
                receiver::run(channel, SID, &terms, &shares, &mut Prg::new(Block(2)))?
            }
            Role::Sender => sender::run(channel, SID, &terms, &shares, &mut Prg::new(Block(1)))?,
        };
        Ok(json!(cells))
    }
}

/// The agreement that the peer of `role` sends if it means something else.
fn other_agreement(role: Role, sid: SessionId, terms: &Terms) -> Change {
    let (rng, shares) = (&mut Prg::new(Block(1)), vec![0; 6]);
    let (transport, said) = Scripted::recorded(&[]);
    let channel = &mut Channel::new(Box::new(transport));
    let alone = match role {
        Role::Receiver => sender::run(channel, sid, terms, &shares, rng),
        Role::Sender => receiver::run(channel, sid, terms, &shares, rng),
    };
    assert!(matches!(alone, Err(Fault::Transport(_))), "nobody answers");
    let said = said.lock().expect("one thread");
    Change::Put(0, said[0][HEADER_BYTES..].to_vec())
}

/// What R refuses of an agreement.
fn agreements() -> [BadCase; 5] {
    let [own, alone, _] = &RUNS;
    let mut fewer = own.terms().moments().to_vec();
    fewer[2].opened = true;
    let fewer = Terms::new(2, fewer, 30, Readers::Both).expect("fits");
    let lower = Terms::new(2, own.terms().moments().to_vec(), 29, Readers::Both).expect("fits");
    let of = |name, sid, terms: &Terms| {
        let change = other_agreement(Role::Receiver, sid, terms);
        (name, Role::Receiver, (AGREEMENT.kind, 0), change)
    };
    let same_role = other_agreement(Role::Sender, SID, &own.terms());
    [
        of(
            "agreement_of_another_session",
            SessionId::new([1; 32]),
            &own.terms(),
        ),
        of("agreement_of_other_readers", SID, &alone.terms()),
        of("agreement_of_other_moments", SID, &fewer),
        of("agreement_of_another_smallest_group", SID, &lower),
        (
            "agreement_of_the_same_role",
            Role::Receiver,
            (AGREEMENT.kind, 0),
            same_role,
        ),
    ]
}

/// Every message of the release in every way, and openings that were not committed to. The transfers have vectors of their own.
fn cases_where_both_read() -> Vec<BadCase> {
    use Role::{Receiver, Sender};
    let each = [
        each_way!("agreement", Receiver, (AGREEMENT.kind, 0)),
        each_way!("agreement_at_sender", Sender, (AGREEMENT.kind, 0)),
        each_way!("correlated_words", Receiver, (correlated::WORDS, 0)),
        each_way!("correlated_words_at_sender", Sender, (correlated::WORDS, 0)),
        each_way!("closing", Receiver, (BEFORE_OPENING.kind, 0)),
        each_way!("closing_at_sender", Sender, (BEFORE_OPENING.kind, 0)),
        each_way!("commitment", Receiver, (COMMITMENT, 0)),
        each_way!("commitment_at_sender", Sender, (COMMITMENT, 0)),
        each_way!("shares", Receiver, (SHARES, 0)),
        each_way!("shares_at_sender", Sender, (SHARES, 0)),
    ];
    let flipped =
        |name, role, message, place| (name, role, (message, 0), Change::Flip(place, vec![1]));
    let mut cases: Vec<BadCase> = each.into_iter().flatten().collect();
    cases.extend(agreements());
    cases.extend([
        flipped("correlated_word_flipped", Receiver, correlated::WORDS, 0),
        flipped("closing_flipped", Receiver, BEFORE_OPENING.kind, 0),
        flipped("closing_flipped_at_sender", Sender, BEFORE_OPENING.kind, 31),
        flipped("commitment_flipped", Receiver, COMMITMENT, 0),
        flipped("commitment_flipped_at_sender", Sender, COMMITMENT, 0),
        flipped("nonce_not_committed_to", Receiver, SHARES, 0),
        flipped("share_not_committed_to", Receiver, SHARES, 33),
        flipped("share_not_committed_to_at_sender", Sender, SHARES, 33),
    ]);
    cases
}

/// Without a commitment only what can be no cell is refused: one that is neither shown nor suppressed, or suppressed and not zero.
fn cases_where_one_reads() -> Vec<BadCase> {
    // Behind the nonce: of each cell a byte that tells whether it is shown, two of the count and five of the sum.
    let (shown, suppressed_word) = (32, 32 + 8 + 1);
    let flip = |name, place| {
        (
            name,
            Role::Receiver,
            (SHARES, 0),
            Change::Flip(place, vec![2]),
        )
    };
    vec![
        flip("cell_neither_shown_nor_suppressed", shown),
        flip("suppressed_cell_with_a_word", suppressed_word),
    ]
}

fn all_bad_cases() -> [Vec<BadCase>; 2] {
    [cases_where_both_read(), cases_where_one_reads()]
}

#[test]
fn both_roles_repeat_the_recorded_releases() {
    vectors::assert_good(&RUNS);
}

#[test]
fn bad_messages_end_in_their_fault() {
    vectors::assert_bad(&RUNS, &all_bad_cases());
}

#[test]
fn recorded_tables_show_the_large_cell_to_their_readers_alone() {
    for run in &RUNS {
        let vector = vectors::read("release", run.0);
        for (output, reads) in [
            ("receiver_output", run.1 != Readers::Sender),
            ("sender_output", run.1 != Readers::Receiver),
        ] {
            let cells = &vector[output];
            assert_eq!(cells.is_array(), reads, "{}", run.0);
            if reads {
                let exact = json!([[60, -5_000, 0], null]);
                assert!(cells[1].is_null() && cells[0].is_array());
                assert_eq!(
                    *cells == exact,
                    run.1 != Readers::Both,
                    "noise, where both read"
                );
            }
        }
    }
}

/// Run by hand after a deliberate change of the protocol; the difference is then reviewed like code.
#[test]
#[ignore = "writes the vectors instead of testing them"]
fn rewrite_the_vectors() {
    let [both, one] = all_bad_cases();
    vectors::rewrite(&RUNS, &[both, one, vec![]]);
}
