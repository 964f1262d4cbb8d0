mod vectors;

use super::*;
use crate::adversary::{Effort, Ended, Ends, assert_only_unnoticed, both, honest, record};
use crate::channel::{Channel, Totals};
use crate::fault::{Fault, Misuse};
use crate::field;
use crate::okvs::{self, Rows};
use crate::prg::Prg;
use crate::secret::Secret;
use proptest::prelude::*;

const SID: SessionId = SessionId::new([6; 32]);

fn keys(seed: u128, count: usize) -> Vec<Block> {
    Prg::new(Block(seed)).blocks(count)
}

type Outcome = (
    Result<Secret<Vec<Block>>, Fault>,
    Result<sender::Evaluator, Fault>,
);

fn run_over(setup: &Setup, sid: SessionId, keys: &[Block], ends: Ends) -> (Outcome, [Totals; 2]) {
    let (values, evaluator, totals) = both(
        ends,
        |channel| receiver::run(channel, &sid, setup, keys, &mut Prg::new(Block(2))),
        |channel| sender::run(channel, &sid, setup, &mut Prg::new(Block(1))),
    );
    ((values, evaluator), totals)
}

fn run(setup: &Setup, keys: &[Block]) -> Outcome {
    run_over(setup, SID, keys, honest()).0
}

#[test]
fn both_agree_at_the_keys_and_nowhere_else() {
    for security in [Security::SemiHonest, Security::Malicious] {
        let setup = Setup::new(5_000, 1, security);
        let (mine, others) = (keys(1, 5_000), keys(2, 5_000));
        let (values, evaluator) = run(&setup, &mine);
        let (values, evaluator) = (values.expect("honest"), evaluator.expect("honest"));
        assert!(evaluator.evaluate(&mine).expose() == values.expose());
        // What R could compute at a key that it did not encode is not the function's value there.
        let elsewhere = evaluator.evaluate(&others);
        let differ = elsewhere.expose().iter().zip(values.expose());
        assert!(differ.into_iter().all(|(a, b)| a != b));
    }
}

/// Decode(C, y) = u(y) + Δ·(Decode(P, y) + HB(y)), which vanishes only where P decodes to HB(y).
#[test]
fn a_key_that_is_not_encoded_is_off_by_a_multiple_of_delta() {
    for security in [Security::SemiHonest, Security::Malicious] {
        assert_off_by_a_multiple_of_delta(&Setup::new(4_096, 1, security));
    }
}

fn assert_off_by_a_multiple_of_delta(setup: &Setup) {
    let (mine, others) = (keys(1, 4_096), keys(2, 300));
    let receive = |channel: &mut Channel| {
        let mut rng = Prg::new(Block(2));
        let encoded = receiver::Encoded::new(&NAMES, &SID, setup, mine.iter().copied(), &mut rng)?;
        let (seed, p) = (encoded.seed, encoded.vector.clone());
        let masked = encoded.mask(channel, &SID, setup, &mut rng)?;
        let values = masked.send(channel, &NAMES, &[])?;
        Ok::<_, Fault>((seed, p, values))
    };
    let send = |channel: &mut Channel| sender::run(channel, &SID, setup, &mut Prg::new(Block(1)));
    let (received, evaluator, _) = both(honest(), receive, send);
    let (seed, p, values) = received.expect("honest");
    let evaluator = evaluator.expect("honest");
    let rows = Rows::for_decoding(
        &setup.shape,
        NAMES.row_seed(&SID, seed),
        others.iter().copied(),
    );
    let at_others = |vector: &[Block]| okvs::decode(&setup.shape, &rows, vector, |_, _| {});
    let c = at_others(values.c.expose());
    let missing = okvs::decode(&setup.shape, &rows, &p, |bin, values| {
        let mut hashed = bin.keys.to_vec();
        NAMES.value_hash(&SID).hash_each(&mut hashed, 0);
        values
            .iter_mut()
            .zip(hashed)
            .for_each(|(value, hash)| *value ^= hash);
    });
    let (_, u) = evaluator.at_rows(others.iter().copied(), |_, _| {});
    for ((c, u), missing) in c.iter().zip(u).zip(missing) {
        assert_eq!(*c ^ u, field::multiply(*evaluator.delta.expose(), missing));
        assert!(*c != u);
    }
}

#[test]
fn keys_in_batches_have_the_values_of_all_at_once() {
    let setup = Setup::new(4_096, 1, Security::SemiHonest);
    let evaluator = run(&setup, &keys(1, 4_096)).1.expect("honest");
    let others = keys(9, 70_000);
    let at_once = evaluator.evaluate(&others);
    for size in [1, 1_000, 65_536] {
        for (keys, values) in others
            .chunks(size)
            .zip(at_once.expose().chunks(size))
            .take(3)
        {
            assert!(evaluator.evaluate(keys).expose() == values);
        }
    }
    assert!(evaluator.evaluate(&[]).expose().is_empty());
}

#[test]
fn another_session_has_another_function() {
    let setup = Setup::new(4_096, 1, Security::SemiHonest);
    let mine = keys(1, 4_096);
    let [one, two] = [SID, SessionId::new([7; 32])]
        .map(|sid| run_over(&setup, sid, &mine, honest()).0.0.expect("honest"));
    assert!(one.expose().iter().zip(two.expose()).all(|(a, b)| a != b));
}

#[test]
fn keys_that_stand_twice_or_are_too_few_blame_the_caller() {
    let setup = Setup::new(4_096, 1, Security::SemiHonest);
    let mut twice = keys(1, 4_096);
    twice[4_000] = twice[7];
    let duplicate = Misuse::Duplicate { what: "keys" };
    assert_eq!(run(&setup, &twice).0.err(), Some(duplicate.into()));
    let few = Misuse::Count {
        what: "OKVS keys",
        expected: 4_096,
        got: 4_095,
    };
    assert_eq!(run(&setup, &twice[1..]).0.err(), Some(few.into()));
}

#[test]
fn a_run_has_the_bytes_it_states() {
    for (count, security) in [
        (4_096, Security::SemiHonest),
        (4_096, Security::Malicious),
        (300_000, Security::SemiHonest),
    ] {
        let setup = Setup::new(count, 1, security);
        let (outcome, totals) = run_over(&setup, SID, &keys(1, count as usize), honest());
        assert!(outcome.0.is_ok() && outcome.1.is_ok());
        assert_eq!(
            totals[0].sent_bytes + totals[0].received_bytes,
            setup.bytes()
        );
    }
}

/// Wrong is where both have an answer and do not agree at R's keys.
fn ended(setup: &Setup, sid: SessionId, mine: &[Block], ends: Ends) -> Ended {
    let ((values, evaluator), totals) = run_over(setup, sid, mine, ends);
    let is_wrong = match (&values, &evaluator) {
        (Ok(values), Ok(evaluator)) => values.expose() != evaluator.evaluate(mine).expose(),
        _ => false,
    };
    Ended {
        faults: [values.err(), evaluator.err()],
        totals,
        is_wrong,
    }
}

/// Nothing binds S's function to what R sent: a protocol that must know compares what both have said.
pub(crate) const UNBOUND: [(Kind, &str); 2] = [
    (SEED, "another seed gives other rows"),
    (MASKED, "another vector gives another function"),
];

fn swept(security: Security, unnoticeable: &[(Kind, &str)]) {
    let (setup, mine) = (Setup::new(4_096, 1, security), keys(1, 4_096));
    let session = |ends: Ends| ended(&setup, SID, &mine, ends);
    let (genuine, untouched) = record(session);
    assert!(untouched.faults == [None, None] && !untouched.is_wrong);
    let (other, _) = record(|ends| ended(&setup, SessionId::new([8; 32]), &mine, ends));
    let effort = Effort::Sampled { body_bits: 2 };
    assert_only_unnoticed(effort, [&genuine, &other], session, unnoticeable);
}

#[test]
fn tampering_with_the_semi_honest_mode_parts_the_two_only_where_it_is_listed() {
    let listed = [&UNBOUND[..], &vole::UNNOTICEABLE].concat();
    swept(Security::SemiHonest, &listed);
}

#[test]
fn tampering_with_the_malicious_mode_parts_the_two_only_after_the_vole() {
    swept(Security::Malicious, &UNBOUND);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn values_are_the_same_whatever_the_order_of_keys(seed: u128, turn in 0usize..4_096) {
        let setup = Setup::new(4_096, 1, Security::SemiHonest);
        let mut mine = keys(seed, 4_096);
        mine.rotate_left(turn);
        let (values, evaluator) = run(&setup, &mine);
        let evaluator = evaluator.expect("honest");
        prop_assert!(evaluator.evaluate(&mine).expose() == values.expect("honest").expose());
    }
}
