mod tamper;
mod vectors;

use super::*;
use crate::adversary::{both, honest};
use crate::channel::{Channel, memory_pair};
use crate::fault::{Fault, Misbehaviour};
use crate::prg::Prg;
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::Rng;

const SID: SessionId = SessionId::new([5; 32]);

fn choices(seed: u128, count: usize) -> Vec<bool> {
    let mut rng = Prg::new(Block(seed));
    (0..count).map(|_| rng.next_u32() & 1 == 1).collect()
}

/// Runs both roles; the receiver's side of the channel passes through `tamper`.
fn run(security: Security, batches: Vec<Vec<bool>>) -> Vec<(Vec<[Block; 2]>, Vec<Block>)> {
    let (mut to_receiver, mut to_sender) = memory_pair();
    let counts: Vec<usize> = batches.iter().map(Vec::len).collect();
    let sender = std::thread::spawn(move || {
        let mut rng = Prg::new(Block(1));
        let mut sender = Sender::set_up(&mut to_receiver, &SID, security, &mut rng)?;
        counts
            .into_iter()
            .map(|count| {
                let pairs = sender.extend(&mut to_receiver, count, &mut rng)?;
                Ok(pairs.expose().clone())
            })
            .collect::<Result<Vec<_>, Fault>>()
    });
    let mut rng = Prg::new(Block(2));
    let mut receiver = Receiver::set_up(&mut to_sender, &SID, security, &mut rng).expect("honest");
    let chosen: Vec<_> = batches
        .iter()
        .map(|batch| {
            let keys = receiver.extend(&mut to_sender, batch, &mut rng);
            keys.expect("honest").expose().clone()
        })
        .collect();
    let pairs = sender.join().expect("no panic").expect("honest");
    pairs.into_iter().zip(chosen).collect()
}

/// The sender's outcome against a receiver that plays `cheat` after an honest set-up.
fn sender_against(cheat: impl FnOnce(&mut Channel, &mut Receiver) + Send + 'static) -> Fault {
    let (mut to_receiver, mut to_sender) = memory_pair();
    let cheater = std::thread::spawn(move || {
        let mut rng = Prg::new(Block(2));
        let mut receiver = Receiver::set_up(&mut to_sender, &SID, Security::Malicious, &mut rng)
            .expect("honest set-up");
        cheat(&mut to_sender, &mut receiver);
    });
    let mut rng = Prg::new(Block(1));
    let mut sender = Sender::set_up(&mut to_receiver, &SID, Security::Malicious, &mut rng)
        .expect("honest set-up");
    let fault = sender
        .extend(&mut to_receiver, 128, &mut rng)
        .err()
        .expect("the check fails");
    cheater.join().expect("no panic");
    fault
}

#[test]
fn choices_that_differ_between_instances_fail_the_check() {
    // 64 of the columns' corrections are flipped at one place: passing would take guessing 64 bits of Δ.
    let fault = sender_against(|channel, receiver| {
        let words = [Block(77), Block(u128::MAX)];
        let (columns, mut corrections) = receiver.rows.columns(&words);
        for instance in 0..16 {
            corrections[2 * instance + 1] ^= Block(1 << 9);
        }
        channel.send_part(CORRECTIONS, &corrections).expect("sent");
        let challenge: Vec<Block> = channel.receive_part(CHALLENGE, 1).expect("challenge");
        let mut hashes = subspace::Hashes::new(challenge[0]);
        hashes.add(columns.expose(), &words, 2);
        channel
            .send_part(RESPONSE, &hashes.response())
            .expect("sent");
    });
    assert_eq!(
        fault,
        Misbehaviour::CheckFailed {
            check: "the OT extension's choices"
        }
        .into()
    );
}

#[test]
fn a_response_to_other_choices_fails_the_check() {
    let fault = sender_against(|channel, receiver| {
        let words = [Block(77), Block(u128::MAX)];
        let (columns, corrections) = receiver.rows.columns(&words);
        channel.send_part(CORRECTIONS, &corrections).expect("sent");
        let challenge: Vec<Block> = channel.receive_part(CHALLENGE, 1).expect("challenge");
        let mut hashes = subspace::Hashes::new(challenge[0]);
        hashes.add(columns.expose(), &[Block(78), Block(u128::MAX)], 2);
        channel
            .send_part(RESPONSE, &hashes.response())
            .expect("sent");
    });
    assert_eq!(
        fault,
        Misbehaviour::CheckFailed {
            check: "the OT extension's choices"
        }
        .into()
    );
}

#[test]
fn every_choice_gets_its_key_and_never_the_other() {
    for security in [Security::SemiHonest, Security::Malicious] {
        for count in [1, 127, 128, 129, 10_000] {
            let wanted = choices(count as u128, count);
            let (pairs, chosen) = run(security, vec![wanted.clone()])
                .pop()
                .expect("one batch");
            assert_eq!(chosen.len(), count);
            for i in 0..count {
                assert_eq!(
                    chosen[i],
                    pairs[i][usize::from(wanted[i])],
                    "{security:?}, {i} of {count}"
                );
                assert_ne!(chosen[i], pairs[i][usize::from(!wanted[i])]);
            }
        }
    }
}

#[test]
fn keys_of_two_batches_do_not_repeat_even_for_equal_choices() {
    let runs = run(Security::SemiHonest, vec![vec![true; 128], vec![true; 128]]);
    assert!(runs[0].1.iter().all(|key| !runs[1].1.contains(key)));
}

/// Runs two batches of as many transfers; `between` may change the receiver in between. Returns the second batch.
fn second_batch(
    security: Security,
    between: impl FnOnce(&mut Receiver),
) -> (Vec<[Block; 2]>, Vec<Block>, u128) {
    const COUNT: usize = 150;
    let receive = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(2));
        let mut receiver = Receiver::set_up(channel, &SID, security, rng)?;
        receiver.extend(channel, &choices(3, COUNT), rng)?;
        between(&mut receiver);
        receiver.extend(channel, &choices(4, COUNT), rng)
    };
    let send = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(1));
        let mut sender = Sender::set_up(channel, &SID, security, rng)?;
        sender.extend(channel, COUNT, rng)?;
        let first_tweak = sender.tweak;
        Ok::<_, Fault>((sender.extend(channel, COUNT, rng)?, first_tweak))
    };
    let (chosen, sent, _) = both(honest(), receive, send);
    let (pairs, first_tweak) = sent.expect("honest");
    let chosen = chosen.expect("honest");
    (pairs.expose().clone(), chosen.expose().clone(), first_tweak)
}

#[test]
fn a_tweak_used_again_gives_none_of_the_keys() {
    for security in [Security::SemiHonest, Security::Malicious] {
        let (pairs, chosen, first_tweak) = second_batch(security, |_| ());
        let used = if security.is_malicious() { 150 } else { 256 };
        assert_eq!(
            first_tweak, used,
            "the second batch goes on where the first ended"
        );
        assert!(
            chosen
                .iter()
                .zip(&pairs)
                .all(|(key, pair)| pair.contains(key))
        );
        let (pairs, chosen, _) = second_batch(security, |receiver| receiver.tweak = 0);
        assert!(!pairs.as_flattened().iter().any(|key| chosen.contains(key)));
    }
}

#[test]
fn the_proof_of_another_tree_is_refused() {
    let (mut to_receiver, mut to_sender) = memory_pair();
    let cheater = std::thread::spawn(move || {
        let mut rng = Prg::new(Block(2));
        let keys = base::send(&mut to_sender, &SID, 128, &mut rng).expect("honest");
        let sums: Vec<Block> = keys.expose().as_flattened().to_vec(); // all sums zero
        to_sender.send_part(TREE_SUMS, &sums).expect("sent");
        to_sender
            .send_part(TREE_PROOFS, &[[0u8; 32]; 2 * INSTANCES])
            .expect("sent");
    });
    let refused = Sender::set_up(
        &mut to_receiver,
        &SID,
        Security::Malicious,
        &mut Prg::new(Block(1)),
    )
    .err();
    cheater.join().expect("no panic");
    assert_eq!(
        refused,
        Some(
            Misbehaviour::CheckFailed {
                check: "the OT extension's trees"
            }
            .into()
        )
    );
}
