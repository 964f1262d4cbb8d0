//! Every step after the hints against its ideal functionality: outputs add up to what the step is for, and what a party receives, its simulator
//! could have made alone. For each party it is looked at with two different secrets of the other.
//!
//! A test asks 48 questions, of four for each of two parties, three pairs of inputs and two ways of making transfers: a false alarm has
//! probability below 2^-27.
//!
//! Runs are many calls after one set-up: each takes new transfers. The set-up's messages are points, which oblivious transfer's own
//! simulator makes.

use super::steps::{Equality, Grouped, Multiplied, Selected, Step};
use super::*;
use crate::adversary::{Frames, both, record};
use crate::blind::ots::{BOTH, prepared_at_receiver, prepared_at_sender};
use crate::blind::products::Widths;
use crate::blind::tally::Tally;
use crate::views::{Columns, are_even, received};

const RUNS: usize = 1_024;

/// All frames of `runs` runs after one set-up for [`RUNS`] of them, and both parties' outputs of each.
fn repeated(transfers: Transfers, step: &impl Step, runs: usize) -> (Frames, [Vec<Vec<u64>>; 2]) {
    let mut tally = Tally::new(transfers);
    (0..RUNS).for_each(|_| step.count(&mut tally));
    let all = &tally;
    let (frames, outputs) = record(|ends| {
        let receive = |channel: &mut Channel| {
            let rng = &mut Prg::new(Block(2));
            let mut ots = prepared_at_receiver(all, channel, &SID, rng)?;
            (0..runs)
                .map(|_| step.receive(channel, &mut ots, rng))
                .collect()
        };
        let send = |channel: &mut Channel| {
            let rng = &mut Prg::new(Block(1));
            let mut ots = prepared_at_sender(all, channel, &SID, rng)?;
            (0..runs)
                .map(|_| step.send(channel, &mut ots, rng))
                .collect()
        };
        let (received, sent, _) = both(ends, receive, send);
        let all = |outputs: Result<Vec<Vec<u64>>, Fault>| outputs.expect("both roles are honest");
        [all(received), all(sent)]
    });
    (frames, outputs)
}

/// Simulators of all steps are alike. R's and S's: every byte received is uniform; the output is uniform too, and no bit of what is received
/// tells anything of it, as one's own keys are between them.
fn check(name: &str, step: &impl Step) {
    BOTH.iter()
        .for_each(|transfers| check_by(*transfers, name, step));
}

fn check_by(transfers: Transfers, name: &str, step: &impl Step) {
    let (set_up, _) = repeated(transfers, step, 0);
    let (frames, outputs) = repeated(transfers, step, RUNS);
    let ideal = step.ideal();
    for (ours, theirs) in outputs[0].iter().zip(&outputs[1]) {
        assert_eq!(step.opened([ours, theirs]), ideal, "{name}");
    }
    for (party, outputs) in ["R", "S"].into_iter().zip(&outputs) {
        let peer = usize::from(party == "R");
        let received = received(&frames[peer], set_up[peer].len(), RUNS);
        assert!(
            !received[0].is_empty(),
            "{name}: {party} receives something"
        );
        let outputs = Columns::of_words(outputs, &step.widths());
        assert!(outputs.are_fair(), "{name}: {party}'s output");
        assert!(are_even(&received), "{name}: bytes that {party} receives");
        let received = Columns::of_bytes(&received);
        assert!(received.are_fair(), "{name}: bits that {party} receives");
        let unrelated = received.are_unrelated_to(&outputs);
        assert!(unrelated, "{name}: what {party} receives and its output");
    }
}

/// R's simulator draws the differences and the tables, S's the corrections of the transfers; each draws its share of every pair as a coin.
#[test]
fn equality_shows_neither_party_whether_strings_are_equal() {
    // Three differences of 56 bits fill their last byte: no bit that travels is always zero.
    const BITS: u32 = 56;
    let (ours, others) = (vec![5, 1 << 55, 77], vec![6, 0, (1 << 56) - 1 - 77]);
    for (name, strings) in [
        ("all equal", [ours.clone(), ours.clone()]),
        ("none equal, S another", [ours.clone(), others.clone()]),
        ("none equal, R another", [others, ours]),
    ] {
        // As a bucket has them, one in either way.
        for (transfers, by_tables) in BOTH.into_iter().zip([false, true]) {
            let step = Equality {
                by_tables,
                bits: BITS,
                strings: strings.clone(),
            };
            check_by(transfers, name, &step);
        }
    }
}

/// Each party's simulator draws the corrections of the transfers it offers and the words of those it chooses, and its shares.
#[test]
fn selection_shows_neither_party_what_is_selected() {
    let (set, clear) = (vec![true, false, true], vec![false; 3]);
    let (many, zeros) = (vec![0xff_ffff, 5, 1], vec![0; 3]);
    let own = vec![0xffff, 0, 9];
    for (name, equal, hinted, own) in [
        ("S all", [&set, &set], [&many, &many], &own),
        ("S nothing", [&set, &clear], [&many, &zeros], &own),
        ("R nothing", [&clear, &set], [&zeros, &many], &zeros),
    ] {
        let step = Selected {
            equal: equal.map(Vec::clone),
            hinted: hinted.map(Vec::clone),
            own: own.clone(),
        };
        check(name, &step);
    }
}

/// R's simulator draws S's words, S's the corrections of the transfers; each draws its shares.
#[test]
fn products_show_neither_party_the_others_numbers() {
    let widths = Widths {
        factor_bits: 6,
        moment_bits: 24,
    };
    for (name, factors, words) in [
        (
            "S large",
            vec![-32, 31],
            [vec![1, 2], vec![0xff_ffff, 0x80_0000]],
        ),
        ("S zero", vec![-32, 31], [vec![1, 2], vec![0, 0]]),
        (
            "R zero",
            vec![0, 0],
            [vec![0, 0], vec![0xff_ffff, 0x80_0000]],
        ),
    ] {
        // Of a bit that weighs 2^i only 24 − i bits travel, in whole bytes.
        let step = Multiplied {
            widths,
            factors,
            words,
        };
        check(name, &step);
    }
}

/// R's simulator draws what S deals and the corrections, S's what R deals and the corrections; each draws its share of every cell.
#[test]
fn grouping_shows_neither_party_codes_or_words() {
    let some = [vec![1; 8], vec![0xff_ffff; 8]];
    let none = [vec![0; 8], vec![0; 8]];
    let codes = [vec![0, 1, 1, 0], vec![3, 0, 2, 1]];
    for (name, codes, masked_codes, masks, words) in [
        ("S's masks", &codes[0], &codes[1], &codes[1], &some),
        (
            "other masks, S no words",
            &codes[0],
            &codes[1],
            &codes[0],
            &none,
        ),
        (
            "other codes, R no words",
            &codes[1].iter().map(|c| c / 2).collect(),
            &codes[0],
            &codes[1],
            &none,
        ),
    ] {
        let step = Grouped {
            codes: codes.clone(),
            masked_codes: masked_codes.clone(),
            masks: masks.clone(),
            words: words.clone(),
        };
        check(name, &step);
    }
}
