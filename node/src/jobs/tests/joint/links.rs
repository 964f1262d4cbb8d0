//! What the link that the asker measured changes: how transfers are made, and nothing about the table.

use super::*;
use crate::jobs::protocol::Sizes;
use crate::jobs::transfers;
use entente_wire::link_speed::LinkSpeed;
use entente_wire::plan::Plan;
use entente_wire::seal::{BlindTerms, Transfers};
use entente_wire::submission::Submission;

fn link(megabits_per_s: u32) -> Option<LinkSpeed> {
    Some(LinkSpeed {
        megabits_per_s,
        round_trip_ms: 20,
    })
}

fn terms(pair: &Pair, job: JobHash) -> BlindTerms {
    match sealed(pair, job) {
        Protocol::Blind(terms) => terms,
        other => panic!("a table runs by the blind join, not by {other:?}"),
    }
}

#[test]
fn a_slow_link_gets_silent_transfers_and_the_same_table() {
    for (measured, expected_transfers) in [
        (None, Transfers::Fast),
        (link(10_000), Transfers::Fast),
        (link(1), Transfers::Silent),
        // What a partner's node wrote is no number of ours.
        (link(0), Transfers::Silent),
    ] {
        let mut pair = two_buckets();
        let job = pair.ready_over(&exact("results_to: [north-bank]"), measured);
        let terms = terms(&pair, job);
        assert_eq!(
            (terms.link, terms.transfers),
            (measured, expected_transfers)
        );
        let session = pair.open();
        let (at_bank, at_pay) = lanes(2, u16::MAX);
        let totals = pair.run_over(session, at_bank, at_pay).expect("runs");
        assert_eq!(text(&pair.bank, job), expected());
        let bytes = preview(&pair, measured).cost.bytes;
        assert_eq!(totals.sent_bytes + totals.received_bytes, bytes);
    }
}

fn preview(pair: &Pair, link: Option<LinkSpeed>) -> entente_wire::leakage::Statement {
    let yaml = exact("results_to: [north-bank]");
    pair.bank.jobs().preview(&yaml, link).expect("plans")
}

#[test]
fn the_page_says_for_which_link_its_cost_is() {
    let pair = two_buckets();
    let (unknown, slow) = (preview(&pair, None), preview(&pair, link(5)));
    assert_eq!((unknown.cost.link, slow.cost.link), (None, link(5)));
    assert!(slow.cost.bytes < unknown.cost.bytes && slow.cost.seconds > unknown.cost.seconds);
    let page = slow.page();
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "as it was measured: 5 Mbit/s, 20 ms there and back",
        "with silent oblivious transfers",
        "the choices of silent transfers rest on that",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

/// The partner takes the speed from the asker, and nothing that does not follow from it.
#[test]
fn transfers_that_do_not_fit_the_link_are_another_job() {
    let mut pair = pair();
    let job = pair.submitted_over(&exact("results_to: [north-bank]"), link(1));
    let live = pair.bank.jobs().core.live();
    let honest = live.get(&job).expect("tracked").life.submission().clone();
    drop(live);
    let mut seal = honest.seal.clone();
    let Protocol::Blind(terms) = &mut seal.protocol else {
        panic!("a table runs by the blind join");
    };
    terms.transfers = Transfers::Fast;
    let forged = Submission { seal, ..honest };
    let live = pair.pay.jobs().core.live();
    let (derivation, _) = crate::jobs::derive::compare(&forged, &pair.pay.org, &live.view);
    let shown = format!("{derivation:?}");
    assert!(shown.starts_with("Differs"), "{shown}");
}

#[test]
fn the_choice_follows_bytes_and_speed() {
    let pair = two_buckets();
    let plan: Plan = {
        let yaml = exact("results_to: [north-bank]");
        let job = entente_wire::job::Job::from_yaml(&yaml).expect("a job");
        let live = pair.bank.jobs().core.live();
        entente_wire::sql::plan(&job, &pair.bank.org, &live.view).expect("plans")
    };
    let sizes = Sizes {
        receiver: 1_000_000,
        sender: 1_000_000,
    };
    let chosen = |link| transfers::chosen(&plan, sizes, link).expect("plans").0;
    assert_eq!(chosen(None), Transfers::Fast);
    assert_eq!(chosen(link(100)), Transfers::Silent);
    assert_eq!(chosen(link(10_000)), Transfers::Fast);
}
