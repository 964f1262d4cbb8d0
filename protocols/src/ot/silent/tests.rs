mod tamper;
mod vectors;
mod views;

use super::*;
use crate::adversary::{both, honest};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Culprit, Fault};
use crate::ot::extension::{Receiver, Sender};
use crate::prg::Prg;
use crate::session_id::SessionId;
use rand_core::Rng;
use std::sync::Arc;

const SID: SessionId = SessionId::new([5; 32]);
/// Transfers of the smallest chunk.
const CHUNK: usize = 16 * NOISE;

fn choices(seed: u128, count: usize) -> Vec<bool> {
    let mut rng = Prg::new(Block(seed));
    (0..count).map(|_| rng.next_u32() & 1 == 1).collect()
}

/// What is prepared, and what is then chosen.
type Step = (usize, Vec<bool>);
/// Of every step.
type Keys<T> = Vec<Vec<T>>;
type Outcome<T> = Result<Keys<T>, Fault>;

fn receive(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Arc<Setup>,
    steps: &[Step],
) -> Outcome<Block> {
    let rng = &mut Prg::new(Block(2));
    let mut receiver = Receiver::set_up_silent(channel, sid, setup, rng)?;
    let step = |(prepared, choices): &Step| {
        receiver.prepare(channel, *prepared, rng)?;
        Ok(receiver.extend(channel, choices, rng)?.expose().clone())
    };
    steps.iter().map(step).collect()
}

fn send(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Arc<Setup>,
    steps: &[Step],
) -> Outcome<[Block; 2]> {
    let rng = &mut Prg::new(Block(1));
    let mut sender = Sender::set_up_silent(channel, sid, setup, rng)?;
    let step = |(prepared, choices): &Step| {
        sender.prepare(channel, *prepared, rng)?;
        Ok(sender.extend(channel, choices.len(), rng)?.expose().clone())
    };
    steps.iter().map(step).collect()
}

/// Both parties' keys, and the bytes.
fn run(setup: &Arc<Setup>, steps: &[Step]) -> (Keys<Block>, Keys<[Block; 2]>, u64) {
    let (chosen, pairs, totals) = both(
        honest(),
        |channel| receive(channel, &SID, setup, steps),
        |channel| send(channel, &SID, setup, steps),
    );
    let travelled = totals[0].sent_bytes + totals[0].received_bytes;
    (chosen.expect("honest"), pairs.expect("honest"), travelled)
}

#[test]
fn every_choice_gets_its_key_and_never_the_other_over_many_chunks() {
    let setup = Arc::new(Setup::new(0));
    let counts = [1, 127, 128, 129, 4_000, 9_000, 3 * CHUNK];
    let step = |count: &usize| (count.next_multiple_of(128), choices(*count as u128, *count));
    let steps: Vec<Step> = counts.iter().map(step).collect();
    let (chosen, pairs, travelled) = run(&setup, &steps);
    for ((_, choices), (chosen, pairs)) in steps.iter().zip(chosen.iter().zip(&pairs)) {
        assert_eq!([chosen.len(), pairs.len()], [choices.len(); 2]);
        for (choice, (key, pair)) in choices.iter().zip(chosen.iter().zip(pairs)) {
            assert_eq!(*key, pair[usize::from(*choice)]);
            assert_ne!(*key, pair[usize::from(!*choice)]);
        }
    }
    let mut account = Account::new(&setup);
    steps
        .iter()
        .for_each(|(prepared, _)| account.prepare_and_use(*prepared));
    let calls: u64 = counts.iter().map(|count| bytes(*count)).sum();
    assert_eq!(travelled, account.bytes() + calls);
}

#[test]
fn what_is_prepared_at_once_serves_many_calls() {
    let setup = Arc::new(Setup::new(0));
    let call = |prepared| (prepared, choices(7, 512));
    let mut steps = vec![call(3 * CHUNK)];
    steps.extend((1..3 * CHUNK / 512).map(|_| call(0)));
    let (chosen, pairs, _) = run(&setup, &steps);
    let keys = chosen.concat();
    assert_eq!(keys.len(), 3 * CHUNK);
    for (key, (choice, pair)) in keys
        .iter()
        .zip(choices(7, 512).iter().cycle().zip(pairs.concat()))
    {
        assert_eq!(*key, pair[usize::from(*choice)]);
    }
    let mut sorted: Vec<u128> = keys.iter().map(|key| key.0).collect();
    sorted.sort_unstable();
    assert!(
        sorted.windows(2).all(|pair| pair[0] != pair[1]),
        "no key repeats"
    );
}

#[test]
fn more_than_was_prepared_blames_the_caller() {
    let setup = Arc::new(Setup::new(0));
    let steps = [(CHUNK, vec![true; 4_000]), (0, vec![true; 97])];
    let (chosen, pairs, _) = both(
        honest(),
        |channel| receive(channel, &SID, &setup, &steps),
        |channel| send(channel, &SID, &setup, &steps),
    );
    for fault in [chosen.err(), pairs.err()] {
        assert_eq!(fault.map(|fault| fault.culprit()), Some(Culprit::Us));
    }
}

#[test]
fn the_rows_are_correlated_and_their_low_bits_are_the_noises() {
    // Of the rows themselves, below the hash: C = B ⊕ a·Δ with a in bit 0, which is zero in B.
    let setup = Arc::new(Setup::new(0));
    let words = vec![0; CHUNK / 128];
    let (c, (b, delta), _) = both(
        honest(),
        |channel| {
            let rng = &mut Prg::new(Block(2));
            let mut rows = ReceiverRows::set_up(channel, &SID, &setup, rng).expect("honest");
            rows.prepare(channel, CHUNK, rng).expect("honest");
            let all = crate::ot::extension::Choices::new(&words, CHUNK);
            let mut c = Vec::new();
            rows.each(channel, all, rng, |_, rows| c.extend_from_slice(rows))
                .expect("honest");
            c
        },
        |channel| {
            let rng = &mut Prg::new(Block(1));
            let mut rows = SenderRows::set_up(channel, &SID, &setup, rng).expect("honest");
            rows.prepare(channel, CHUNK, rng).expect("honest");
            let mut b = Vec::new();
            rows.each(channel, CHUNK, rng, |_, rows| b.extend_from_slice(rows))
                .expect("honest");
            (b, *rows.delta().expose())
        },
    );
    assert_eq!(delta.0 & 1, 1);
    // Every choice was zero, so what S was told are R's bits, and its rows are R's.
    assert_eq!(b, c);
    let ones = c.iter().filter(|row| row.0 & 1 == 1).count();
    // Hoeffding: outside with probability below 2^-24.
    assert!(ones.abs_diff(CHUNK / 2) < 3 * 64, "{ones} of {CHUNK}");
}

#[test]
fn chunks_follow_the_number_of_transfers() {
    for (transfers, outputs) in [
        (0, CHUNK),
        (4 * CHUNK, CHUNK),
        (4 * CHUNK + 4, 2 * CHUNK),
        (1 << 30, 1 << 18),
    ] {
        let setup = Setup::new(transfers);
        assert_eq!(setup.outputs(), outputs);
        assert!(setup.part_places().is_power_of_two() && setup.part_places() >= 32);
        assert_eq!(setup.part_places() * NOISE, 2 * outputs);
    }
}
