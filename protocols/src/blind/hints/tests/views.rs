//! The hints against their ideal functionality, which gives both parties random values for each bin that belong together where R's id there is
//! S's: what a party receives, its simulator could have made alone.

use super::*;
use crate::adversary::{Frames, record};
use crate::oprf;
use crate::views::{Columns, are_even, bodies};

/// Few ids: a run takes little more than its base transfers.
const IDS: u64 = 64;
/// A few more than it takes for a bit that stands still to show among all that travel.
const RUNS: u128 = 80;

/// One run under seeds of its own: frames, and R's row of every bin.
fn run(seed: u128, mine: &[Id], inputs: Inputs<'_, u64>) -> (Frames, Vec<u64>) {
    let sizes = PaddedSizes::new(IDS as u32, IDS as u32).expect("in range");
    let layout = Layout::new(vec![40]);
    let setup = Setup::unpadded(sizes, 1, 2, &layout);
    let (frames, (received, sent)) = record(|ends| {
        let rng = |role| Prg::new(Block(2 * seed + role));
        let receive =
            |channel: &mut Channel| receiver::run(channel, &SID, &setup, mine, &mut rng(0));
        let send = |channel: &mut Channel| sender::run(channel, &SID, &setup, inputs, &mut rng(1));
        let (received, sent, _) = both(ends, receive, send);
        (received.expect("honest"), sent.expect("honest"))
    });
    let place_of = |id: &Id| inputs.ids.contains(id);
    let common = mine.iter().filter(|id| place_of(id)).count();
    let found = common_if_right(&layout, mine, inputs, &received, &sent);
    assert_eq!(found, Some(common), "run {seed}");
    let rows = setup.bins() as usize * setup.words();
    (frames, received.1.rows()[..rows].to_vec())
}

/// What is received in blocks of 16 bytes, and run by run.
fn check(name: &str, runs: &[Vec<u8>]) {
    assert!(are_even(runs), "{name}: bytes");
    assert!(Columns::of_bytes(runs).are_fair(), "{name}: run by run");
    let blocks: Vec<Vec<u8>> = runs
        .iter()
        .flat_map(|run| run.as_chunks::<16>().0)
        .map(|block| block.to_vec())
        .collect();
    assert!(
        Columns::of_bytes(&blocks).are_fair(),
        "{name}: block by block"
    );
}

/// R's simulator draws S's seeds and the whole OKVS, and by them, at R's keys, R's values of all bins, which are uniform, match or not. S's draws
/// R's seeds and the masked vector. The VOLE below has a simulator of its own.
/// Of each of the three views nine questions are asked: a false alarm has probability below 2^-28.
#[test]
fn hints_show_r_no_match_and_s_no_id() {
    let (few, all, others) = (ids(0..20), ids(0..IDS), ids(500..500 + IDS));
    let (zeros, ones) = (vec![0; IDS as usize], vec![(1 << 40) - 1; IDS as usize]);
    let codes = vec![3; IDS as usize];
    for (name, mine, theirs, words) in [
        ("all of R's common", &all, &all, &ones),
        ("none common", &all, &others, &zeros),
        ("few of R's", &few, &all, &ones),
    ] {
        let inputs = Inputs {
            ids: theirs,
            codes: &codes,
            words,
        };
        let (mut at_r, mut at_s, mut rows) = (vec![], vec![], vec![]);
        for seed in 0..RUNS {
            let (frames, values) = run(1_000 + seed, mine, inputs);
            at_r.push(bodies(&frames, 1, &[BIN_SEED, HINT_SEED, HINTS]));
            at_s.push(bodies(&frames, 0, &[BIN_SEED, oprf::SEED, oprf::MASKED]));
            rows.push(values.iter().flat_map(|word| word.to_le_bytes()).collect());
        }
        check(&format!("{name}: what R receives"), &at_r);
        check(&format!("{name}: R's values"), &rows);
        check(&format!("{name}: what S receives"), &at_s);
    }
}
