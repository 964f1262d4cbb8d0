//! Known answers, under `vectors/aggregate`: whole rounds with all their messages, and messages that must be refused.

use super::aggregate::{Column, Member, RoundFault, Terms};
use super::oracle::vector;
use super::rehearsal::{Hop, Rehearsal, Step, keys, proposal};
use crate::release::Scale;
use crate::vectors::{bad_names, bytes, number, read, text, write};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const FOLDER: &str = "aggregate";
/// Messages up to here stand in a vector byte for byte.
const BYTES_SHOWN: usize = 800;
const SEED: u128 = 5;

struct Run {
    name: &'static str,
    members: usize,
    colluders: u16,
    columns: Vec<Column>,
    vanishes: fn(Member) -> Step,
}

fn runs() -> Vec<Run> {
    let plain = || {
        vec![Column {
            cells: 5,
            magnitude_max: 1 << 40,
            noise: None,
        }]
    };
    let noised = Column {
        cells: 4,
        magnitude_max: 1 << 45,
        noise: Scale::new(40, 3),
    };
    let at = |name, members, colluders, columns, vanishes| Run {
        name,
        members,
        colluders,
        columns,
        vanishes,
    };
    vec![
        at("all_stay", 3, 0, plain(), |_| Step::Never),
        at("some_vanish", 6, 1, plain(), |member| match member.0 {
            1 => Step::Contribute,
            4 => Step::Release,
            _ => Step::Never,
        }),
        at(
            "noise",
            4,
            1,
            plain().into_iter().chain([noised]).collect(),
            |_| Step::Never,
        ),
        at("few_neighbours", 130, 2, plain(), |member| {
            match member.0 % 4 {
                1 => Step::Contribute,
                _ => Step::Never,
            }
        }),
    ]
}

type Messages = BTreeMap<Hop, Vec<u8>>;
type Ended = (Value, Vec<(Member, RoundFault)>);

impl Run {
    fn terms(&self) -> Arc<Terms> {
        let mut proposal = proposal(&keys(self.members), 1, self.colluders);
        proposal.columns = self.columns.clone();
        Arc::new(Terms::new(proposal).expect("fits"))
    }

    fn ended(
        &self,
        change: &(dyn Fn(Hop, Vec<u8>) -> Option<Vec<u8>> + Sync),
    ) -> (Messages, Ended) {
        let (terms, keys, heard) = (
            self.terms(),
            keys(self.members),
            Mutex::<Messages>::default(),
        );
        let line = |hop: Hop, bytes: Vec<u8>| {
            heard
                .lock()
                .expect("not poisoned")
                .insert(hop, bytes.clone());
            change(hop, bytes)
        };
        let vectors = |member: Member| vector(&terms, member);
        let outcome = Rehearsal {
            terms: &terms,
            keys: &keys,
            vectors: &vectors,
            vanishes: &self.vanishes,
            line: &line,
            seed: SEED,
        }
        .run();
        let sum = outcome.sum.map(|sum| {
            let survivors: Vec<u16> = sum.survivors.iter().map(|member| member.0).collect();
            json!({ "cells": sum.cells, "survivors": survivors })
        });
        (
            heard.into_inner().expect("not poisoned"),
            (json!(sum), outcome.faults),
        )
    }

    fn good(&self) -> Value {
        let (terms, (messages, (sum, faults))) =
            (self.terms(), self.ended(&|_, bytes| Some(bytes)));
        assert_eq!(faults, []);
        let mut told: BTreeMap<String, (blake3::Hasher, usize, Vec<Value>)> = BTreeMap::new();
        for (hop, bytes) in &messages {
            let (hasher, count, shown) = told.entry(format!("{:#06x}", hop.kind)).or_default();
            hasher.update(bytes);
            *count += 1;
            if bytes.len() <= BYTES_SHOWN && self.members <= 8 {
                shown.push(json!({ "member": hop.member.0, "bytes": hex::encode(bytes) }));
            }
        }
        let told: BTreeMap<String, Value> = told
            .into_iter()
            .map(|(kind, (hasher, count, shown))| {
                let hash = hasher.finalize().to_hex();
                (
                    kind,
                    json!({ "messages": count, "blake3_of_all": hash.as_str(), "shown": shown }),
                )
            })
            .collect();
        let inputs: Vec<Vec<i64>> = terms
            .everyone()
            .take(8)
            .map(|member| vector(&terms, member))
            .collect();
        let degree = terms.degree();
        json!({
            "members": self.members, "colluders": self.colluders, "seed": SEED as u64,
            "round": hex::encode(terms.sid().as_bytes()), "quorum": terms.quorum(),
            "picks": degree.picks, "threshold": degree.threshold,
            "first_vectors": inputs, "messages": told, "sum": sum,
        })
    }
}

/// Name, kind and member of the message, the place of its bytes that are put, those bytes, and at whom it shows. Bytes past the end are appended; none cuts there.
type BadCase = (&'static str, (u16, u16), (usize, &'static [u8]), u16);

/// Of the round in which all stay: a message of each kind, its fields one after the other.
const BAD: [BadCase; 18] = [
    ("bad_kind", (0x0702, 1), (0, &[9]), 1),
    (
        "bad_member_outside_of_the_roster",
        (0x0702, 1),
        (4, &[3, 0]),
        1,
    ),
    (
        "bad_introductions_out_of_order",
        (0x0702, 1),
        (4, &[1, 0]),
        1,
    ),
    ("bad_mask_key_not_signed", (0x0702, 1), (6, &[0; 32]), 1),
    ("bad_sealing_key_not_signed", (0x0702, 1), (38, &[1]), 1),
    ("bad_introductions_cut", (0x0702, 1), (400, &[]), 1),
    ("bad_check_key_commitment", (0x0702, 1), (102, &[0]), 1),
    ("bad_introductions_too_long", (0x0702, 1), (522, &[0]), 1),
    (
        "bad_sharers_outside_of_the_roster",
        (0x0704, 1),
        (2, &[0x0f]),
        1,
    ),
    (
        "bad_sharers_without_this_member",
        (0x0704, 1),
        (2, &[0x05]),
        1,
    ),
    ("bad_box_of_shares", (0x0704, 1), (7, &[0]), 1),
    ("bad_check_key_missing", (0x0704, 1), (169, &[0]), 1),
    ("bad_check_key_box", (0x0704, 1), (170, &[0]), 1),
    (
        "bad_survivors_without_the_recipient",
        (0x0706, 1),
        (2, &[0x06]),
        1,
    ),
    ("bad_contribution_signature", (0x0706, 1), (9, &[0]), 1),
    ("bad_vote", (0x0708, 1), (9, &[0]), 1),
    ("bad_word_of_the_sum", (0x070a, 0), (2, &[0, 0, 0, 0]), 0),
    ("bad_box_of_unmasking_shares", (0x070a, 0), (570, &[0]), 0),
];

/// Of the round with few neighbours, whose members are shown who dealt to whom: a byte for eight members, seventeen a row, behind the sharers.
const BAD_GRAPH: [BadCase; 3] = [
    (
        "bad_picks_of_this_member",
        (0x0704, 2),
        (19 + 17 * 2, &[0; 17]),
        2,
    ),
    ("bad_picks_of_another", (0x0704, 2), (19, &[0; 17]), 2),
    (
        "bad_picks_outside_of_the_roster",
        (0x0704, 2),
        (19 + 16, &[0xff]),
        2,
    ),
];

fn bad() -> impl Iterator<Item = (&'static str, BadCase)> {
    let with = |run| move |case| (run, case);
    let of_graph = BAD_GRAPH.into_iter().map(with("few_neighbours"));
    BAD.into_iter().map(with("all_stay")).chain(of_graph)
}

fn apply(bad: &Value, bytes_of: &mut Vec<u8>) {
    let (at, put) = (number(&bad["at"]), bytes(&bad["put"]));
    if put.is_empty() {
        bytes_of.truncate(at);
    }
    for (place, byte) in (at..).zip(put) {
        match bytes_of.get_mut(place) {
            Some(slot) => *slot = byte,
            None => bytes_of.push(byte),
        }
    }
}

fn fault_of(bad: &Value, name: &str) -> RoundFault {
    let runs = runs();
    let run = runs
        .iter()
        .find(|run| run.name == text(&bad["run"]))
        .expect("a good vector");
    let hop = Hop {
        kind: number(&bad["kind"]) as u16,
        member: Member(number(&bad["member"]) as u16),
    };
    let at = Member(number(&bad["shows_at"]) as u16);
    let (_, (_, faults)) = run.ended(&|passing, mut bytes| {
        if passing == hop {
            apply(bad, &mut bytes);
        }
        Some(bytes)
    });
    let fault = faults.into_iter().find(|(member, _)| *member == at);
    fault
        .unwrap_or_else(|| unreachable!("{name} is not refused"))
        .1
}

#[test]
fn rounds_are_those_of_the_vectors() {
    for run in runs() {
        let expected = read(FOLDER, run.name);
        assert_eq!(run.good(), expected, "{}", run.name);
        let portable = crate::simd::without_special_instructions(|| run.good());
        assert_eq!(portable, expected, "{}, portable", run.name);
    }
}

#[test]
fn bad_messages_end_in_their_faults() {
    let names = bad_names(FOLDER);
    assert_eq!(names.len(), bad().count(), "as many vectors as cases");
    for name in &names {
        let bad = read(FOLDER, name);
        assert_eq!(
            fault_of(&bad, name).to_string(),
            text(&bad["fault"]),
            "{name}"
        );
    }
}

#[test]
#[ignore = "writes the vectors anew"]
fn rewrite_the_vectors() {
    for run in runs() {
        write(FOLDER, run.name, &run.good());
    }
    for (run, (name, (kind, member), (at, put), shows_at)) in bad() {
        let mut bad = json!({
            "run": run, "kind": kind, "member": member, "at": at, "put": hex::encode(put), "shows_at": shows_at,
        });
        let fault = fault_of(&bad, name).to_string();
        bad["fault"] = json!(fault);
        write(FOLDER, name, &bad);
    }
}
