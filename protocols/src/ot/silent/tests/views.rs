//! What each party receives, its simulator could have made alone: over many calls on the same choices, every bit is a fair coin and none tells anything of a
//! party's own keys.
//!
//! The test asks 10 questions: a false alarm has probability below 2^-28 (see [`crate::views`]).

use super::*;
use crate::adversary::record;
use crate::views::{Columns, are_even, bodies, received};

const RUNS: usize = 1_024;
/// Choices of a call.
const CALL: usize = 128;

/// All calls' frames after a preparation, and both parties' keys.
fn calls(choices: &[bool]) -> [Vec<Vec<u8>>; 2] {
    let setup = Arc::new(Setup::new(RUNS * CALL));
    let calls = |runs: usize| {
        let mut steps = vec![(RUNS * CALL, vec![])];
        steps.extend((0..runs).map(|_| (0, choices.to_vec())));
        let (frames, outcome) = record(|ends| {
            let (chosen, pairs, _) = both(
                ends,
                |channel| receive(channel, &SID, &setup, &steps),
                |channel| send(channel, &SID, &setup, &steps),
            );
            (chosen.expect("honest"), pairs.expect("honest"))
        });
        (frames, outcome)
    };
    let (set_up, _) = calls(0);
    let (frames, (chosen, pairs)) = calls(RUNS);
    assert_eq!(
        frames[1].len(),
        set_up[1].len(),
        "R hears nothing in a call"
    );
    let heard = received(&frames[0], set_up[0].len(), RUNS);
    let low = |keys: &[Block]| keys.iter().map(|key| key.low()).collect::<Vec<u64>>();
    // Of the first call nothing was chosen; of each other one a few keys are looked at.
    let s: Vec<_> = pairs[1..]
        .iter()
        .map(|call| low(call[..4].as_flattened()))
        .collect();
    let r: Vec<_> = chosen[1..].iter().map(|call| low(&call[..4])).collect();
    let columns = Columns::of_bytes(&heard);
    assert!(columns.are_fair() && are_even(&heard), "what S hears");
    for keys in [&s, &r] {
        let keys = Columns::of_words(keys, &[32]);
        assert!(
            keys.are_fair() && columns.are_unrelated_to(&keys),
            "what S hears and keys"
        );
    }
    [heard, vec![bodies(&set_up, 1, &[TREE_SUMS])]]
}

/// S's simulator draws the told bits; R's draws the sums, as it has what they hide under its own rows.
#[test]
fn a_choice_shows_neither_in_what_is_told_nor_in_the_sums() {
    for choices in [vec![false; CALL], vec![true; CALL]] {
        let [_, sums] = calls(&choices);
        assert!(are_even(&sums), "what R hears");
    }
}
