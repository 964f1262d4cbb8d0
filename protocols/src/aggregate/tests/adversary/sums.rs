//! A coordinator that changes the sum.

use super::*;
use crate::aggregate::mask::{CheckKey, hide};

#[test]
fn any_changed_word_of_the_sum_is_found() {
    let stage = Stage::new();
    // Behind the cells stand the words of the authenticator.
    for place in 0..6 + aggregate::TAG_WORDS {
        for change in [1, 1 << 31, 1 << 63, u64::MAX] {
            let outcome = stage.with(|_, opening: &mut Opening| {
                opening.words[place] = opening.words[place].wrapping_add(change);
            });
            assert_fault(&outcome, 0, &SUM_CHANGED);
        }
    }
}

/// The caller's mistake, as a decoded opening has as many words as it must: refused, not a panic.
#[test]
fn a_sum_of_another_length_is_refused() {
    let stage = Stage::new();
    for words in [
        0,
        6,
        6 + aggregate::TAG_WORDS - 1,
        6 + aggregate::TAG_WORDS + 1,
    ] {
        let (terms, key) = (&stage.terms, &stage.keys[0]);
        let recorded = Mutex::new(None);
        stage.run(&|hop, bytes| {
            if hop.kind == Opening::KIND.number() {
                let opening = Opening::decode(&bytes, terms).expect("honest");
                *recorded.lock().expect("not poisoned") = Some(opening);
            }
            Some(bytes)
        });
        let mut opening = recorded
            .into_inner()
            .expect("not poisoned")
            .expect("opened");
        opening.words.resize(words, 0);
        let (state, survivors, votes) = by_hand_of(&stage, Member(0), &|_| Step::Never);
        let (agreed, record) = state.agree(&survivors).expect("honest");
        let persisted = PersistedSurvivors::written(record);
        agreed.vote(&persisted, key).expect("honest");
        let (released, _) = agreed.release(&persisted, &votes).expect("honest");
        let fault = released.open(opening).err();
        let malformed = matches!(
            fault,
            Some(RoundFault::Coordinator(Misdeed::Malformed { .. }))
        );
        assert!(malformed, "{fault:?}");
    }
}

#[test]
fn two_words_changed_by_opposite_amounts_are_found() {
    let outcome = Stage::new().with(|_, opening: &mut Opening| {
        opening.words[1] = opening.words[1].wrapping_add(9);
        opening.words[2] = opening.words[2].wrapping_sub(9);
    });
    assert_fault(&outcome, 0, &SUM_CHANGED);
}

#[test]
fn a_contribution_added_twice_or_not_at_all_is_found() {
    for sign in [1, u64::MAX] {
        let (stage, stored) = (Stage::new(), Mutex::new(vec![]));
        let outcome = stage.run(&|hop, bytes| {
            if hop
                == (Hop {
                    kind: Contribution::KIND.number(),
                    member: Member(3),
                })
            {
                let contribution = Contribution::decode(&bytes, &stage.terms).expect("honest");
                *stored.lock().expect("one thread at a time") = contribution.words;
            }
            let twice = |_, opening: &mut Opening| {
                let stored = stored.lock().expect("one thread at a time");
                for (sum, word) in opening.words.iter_mut().zip(stored.iter()) {
                    *sum = sum.wrapping_add(word.wrapping_mul(sign));
                }
            };
            Some(stage.changed(hop, bytes, twice))
        });
        assert_fault(&outcome, 0, &SUM_CHANGED);
    }
}

/// A contributor knows the check key, so it can move its word by any amount and its authenticator with it. Over signed integers, moving by 2^63 − T would
/// show whether the sum is below T, by whether it opens: it has to open always or never, on both sides of T.
#[test]
fn whether_a_shifted_sum_opens_does_not_depend_on_the_sum() {
    const CELL: usize = 1;
    let stage = Stage::new();
    let honest = stage.run(&|_, bytes| Some(bytes)).sum.expect("all stay");
    let rng = &mut rng(5, Member(0), Step::Introduce);
    let (recipient, _) = begin(&stage, Member(0), &stage.keys[0], rng);
    let check = CheckKey::new(recipient.check_key.as_ref().expect("it made the key"));
    for above in [-1 << 40, -1, 0, 1, 2, 1 << 40] {
        let shift = i64::MIN.wrapping_sub(honest.cells[CELL] + above);
        let mut values = vec![0; honest.cells.len()];
        values[CELL] = shift;
        let mut added = vec![0; values.len() + aggregate::TAG_WORDS];
        hide(&mut added, &values, &[], &check);
        let outcome = stage.with(|from, contribution: &mut Contribution| {
            if from.0 == 3 {
                let words = contribution.words.iter_mut().zip(&added);
                words.for_each(|(word, added)| *word = word.wrapping_add(*added));
            }
        });
        let sum = outcome.sum.expect("whatever the sum is");
        assert_eq!(sum.cells[CELL], honest.cells[CELL].wrapping_add(shift));
    }
}
