pub(crate) mod tamper;
mod vectors;

use super::setup::BASE;
use super::*;
use crate::channel::{Channel, memory_pair};
use crate::fault::{Fault, Misbehaviour};
use crate::field;
use crate::prg::Prg;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use proptest::prelude::*;

const SID: SessionId = SessionId::new([3; 32]);
const DELTA: Block = Block(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);

/// B, A and C.
fn run(outputs: usize, security: Security) -> [Vec<Block>; 3] {
    let setup = Setup::new(outputs, security);
    let mut a = vec![Block::ZERO; outputs];
    let (mut to_receiver, mut to_sender) = memory_pair();
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            sender::run(
                &mut to_receiver,
                &SID,
                &setup,
                &Secret::new(DELTA),
                &mut Prg::new(Block(1)),
            )
        });
        let c = receiver::run(
            &mut to_sender,
            &SID,
            &setup,
            &mut a,
            &mut Prg::new(Block(2)),
        )
        .expect("honest");
        let b = sender.join().expect("no panic").expect("honest");
        [b.expose().to_vec(), a, c.expose().to_vec()]
    })
}

/// Runs both parts of a protocol on two threads.
fn pair<A: Send, B>(
    a: impl FnOnce(&mut Channel) -> A + Send,
    b: impl FnOnce(&mut Channel) -> B,
) -> (A, B) {
    let (mut to_b, mut to_a) = memory_pair();
    std::thread::scope(|scope| {
        let a = scope.spawn(move || a(&mut to_b));
        let b = b(&mut to_a);
        (a.join().expect("no panic"), b)
    })
}

/// A receiver whose base VOLE corrections hide another value for one bit of Δ.
#[test]
fn an_inconsistent_base_correction_fails_the_base_check() {
    let (outcome, ()) = pair(
        |channel| {
            let delta = Secret::new(DELTA);
            noisy::send(
                channel,
                &SID,
                Security::Malicious,
                &delta,
                BASE,
                &mut Prg::new(Block(1)),
            )
        },
        |channel| {
            let pairs =
                crate::ot::base::send(channel, &SID, 128, &mut Prg::new(Block(2))).expect("honest");
            let a = vec![Block(5); BASE];
            let mut c = vec![Block::ZERO; BASE];
            let mut corrections = Vec::new();
            for (step, keys) in pairs.expose().iter().rev().enumerate() {
                let [zero, one] = keys.map(|key| Prg::new(key).blocks(BASE));
                let mut correction: Vec<Block> =
                    (0..BASE).map(|i| zero[i] ^ one[i] ^ a[i]).collect();
                if step == 0 || step == 127 {
                    correction[0] ^= Block(1); // Δ's bits 127 and 0; bit 0 of DELTA is one
                }
                corrections.extend(correction);
                c.iter_mut()
                    .zip(&zero)
                    .for_each(|(c, zero)| *c = field::multiply(*c, Block(2)) ^ *zero);
            }
            channel
                .send_all(noisy::CORRECTIONS, &corrections)
                .expect("sent");
            let challenge: Vec<Block> = channel
                .receive_part(noisy::CHALLENGE, 1)
                .expect("challenge");
            let weights = field::powers(challenge[0], BASE);
            let answer = [
                field::inner_product(&weights, &a),
                field::inner_product(&weights, &c),
            ];
            channel.send_part(noisy::RESPONSE, &answer).expect("sent");
        },
    );
    assert_eq!(
        outcome.err(),
        Some(
            Misbehaviour::CheckFailed {
                check: "the base VOLE"
            }
            .into()
        )
    );
}

/// Sends everything on unchanged, but for one bit of one frame of `kind`.
#[test]
fn one_flipped_bit_in_any_tree_message_is_found_or_harmless() {
    for kind in [TREE_SUMS, TREE_DIFFERENCES, CHECK_VALUE] {
        let fault = receiver_behind_flipped(kind, 3);
        // A flip in the sum that R does not take changes nothing; the run then ends well, with the right answer.
        assert!(
            matches!(
                &fault,
                None | Some(Fault::Misbehaved(Misbehaviour::CheckFailed { .. }))
            ),
            "{}: {fault:?}",
            kind.name()
        );
        if kind != TREE_SUMS {
            assert!(fault.is_some(), "{} is always read", kind.name());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A programmed difference is a base entry of S plus what R computes itself: a wrong bit of either is the same.
    #[test]
    fn one_flipped_bit_of_any_base_entry_fails_the_check_of_the_trees(bit_from_end in 0..128 * NOISE) {
        let found = Misbehaviour::CheckFailed { check: "the VOLE trees" };
        prop_assert_eq!(receiver_behind_flipped(TREE_DIFFERENCES, bit_from_end), Some(found.into()));
    }
}

/// The receiver's fault where one bit, counted from the end, of the first frame of `kind` is another.
fn receiver_behind_flipped(kind: Kind, bit_from_end: usize) -> Option<Fault> {
    use crate::channel::{MEMORY_DEADLINE, Transport, memory_transports};
    struct Flip<T> {
        line: T,
        kind: Kind,
        bit_from_end: usize,
        done: bool,
    }
    impl<T: Transport> Transport for Flip<T> {
        fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
            self.line.send(frame)
        }
        fn receive(&mut self) -> Result<Vec<u8>, Fault> {
            let mut frame = self.line.receive()?;
            if !self.done && frame.starts_with(&self.kind.number().to_le_bytes()) {
                self.done = true;
                let byte = frame.len() - 1 - self.bit_from_end / 8;
                frame[byte] ^= 0x80 >> (self.bit_from_end % 8);
            }
            Ok(frame)
        }
    }
    let setup = Setup::new(5_000, Security::Malicious);
    let (to_receiver, to_sender) = memory_transports(MEMORY_DEADLINE);
    let mut to_receiver = Channel::new(Box::new(to_receiver));
    let mut to_sender = Channel::new(Box::new(Flip {
        line: to_sender,
        kind,
        bit_from_end,
        done: false,
    }));
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            sender::run(
                &mut to_receiver,
                &SID,
                &setup,
                &Secret::new(DELTA),
                &mut Prg::new(Block(1)),
            )
        });
        let mut a = vec![Block::ZERO; 5_000];
        let rng = &mut Prg::new(Block(2));
        let outcome = receiver::run(&mut to_sender, &SID, &setup, &mut a, rng);
        drop(to_sender);
        let sent = sender.join().expect("no panic");
        if let (Ok(c), Ok(b)) = (&outcome, &sent) {
            let relation = |i| c.expose()[i] == b.expose()[i] ^ field::multiply(a[i], DELTA);
            assert!(
                (0..5_000).all(relation),
                "a run that ends well has the right answer"
            );
        }
        outcome.err()
    })
}

#[test]
fn every_output_satisfies_the_relation_in_both_modes_and_at_every_size() {
    for security in [Security::SemiHonest, Security::Malicious] {
        for outputs in [1, 1_000, 5_431, 300_000] {
            let [b, a, c] = run(outputs, security);
            assert_eq!([b.len(), a.len(), c.len()], [outputs; 3]);
            for i in 0..outputs {
                assert_eq!(
                    c[i],
                    b[i] ^ field::multiply(a[i], DELTA),
                    "{security:?} {i} of {outputs}"
                );
            }
        }
    }
}

#[test]
fn no_output_of_a_repeats() {
    let [_, a, _] = run(20_000, Security::SemiHonest);
    let mut sorted: Vec<u128> = a.iter().map(|block| block.0).collect();
    sorted.sort_unstable();
    assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]));
}
