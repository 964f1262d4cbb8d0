//! A coordinator that delays, repeats, reorders and loses records: it costs time, never more.

use crate::jobs::tests::bench::{HOUR_MS, T0_MS};
use crate::jobs::tests::pair::Pair;
use crate::jobs::tests::question::{self, OVERLAP, REVEAL, job};
use entente_wire::local::JobState;
use entente_wire::problem::Code;
use entente_wire::sign::Record;
use proptest::prelude::*;

/// Everything both nodes have to say about a job that both have approved on their own, before either has heard the other.
fn unheard(pair: &mut Pair) -> (Vec<Record>, entente_wire::seal::JobHash) {
    let hash = pair
        .bank
        .jobs()
        .submit(&job(OVERLAP, ""), None)
        .expect("submits")
        .hash;
    let submission = pair.bank.posted();
    submission
        .iter()
        .cloned()
        .for_each(|record| pair.pay.jobs().on_record(record));
    pair.bank.approve_all(hash);
    pair.pay.approve_all(hash);
    (pair.bank.jobs().own_records().expect("reads"), hash)
}

#[test]
fn records_delivered_many_times_change_nothing_more() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let heads = (pair.bank.ledger().head(), pair.pay.ledger().head());
    for _ in 0..3 {
        let (from_bank, from_pay) = (
            pair.bank.jobs().own_records(),
            pair.pay.jobs().own_records(),
        );
        from_bank
            .expect("reads")
            .into_iter()
            .for_each(|record| pair.pay.jobs().on_record(record));
        from_pay
            .expect("reads")
            .into_iter()
            .for_each(|record| pair.bank.jobs().on_record(record));
    }
    assert_eq!((pair.bank.ledger().head(), pair.pay.ledger().head()), heads);
    assert_eq!(pair.bank.state(hash), JobState::Ready);
}

#[test]
fn a_nodes_own_records_that_come_back_do_nothing() {
    let mut pair = Pair::new();
    pair.ready(&job(OVERLAP, ""));
    let head = pair.bank.ledger().head();
    let own = pair.bank.jobs().own_records().expect("reads");
    assert!(
        own.len() >= 4,
        "registry, publication, submission, approval"
    );
    own.into_iter()
        .for_each(|record| pair.bank.jobs().on_record(record));
    assert_eq!(pair.bank.ledger().head(), head);
}

#[test]
fn a_publication_that_never_comes_ends_in_a_decline_that_says_so() {
    let mut pair = Pair::new();
    let newer = question::CUSTOMERS_POLICY.replace("min_group = 3", "min_group = 4");
    pair.bank
        .publish("customers", &question::customers(), &newer);
    pair.bank.posted();
    let hash = pair
        .bank
        .jobs()
        .submit(&job(REVEAL, ""), None)
        .expect("submits")
        .hash;
    pair.deliver();
    let view = pair.pay.view(hash);
    assert_eq!(view.state, JobState::Submitted);
    assert_eq!(
        view.problem.expect("says what it waits for").code,
        Code::JobDiffers
    );
    assert!(
        pair.pay.approve(hash, "mei").is_err(),
        "nobody is asked before the node agrees"
    );
    pair.clock.advance(119_000);
    pair.pay.jobs().tick().expect("ticks");
    assert_eq!(pair.pay.state(hash), JobState::Submitted);
    pair.clock.advance(1_000);
    pair.pay.jobs().tick().expect("ticks");
    assert_eq!(pair.pay.state(hash), JobState::Failed);
    pair.deliver();
    assert_eq!(pair.bank.state(hash), JobState::Failed);
    assert!(pair.clock_ms() < T0_MS + HOUR_MS);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn both_reach_ready_in_any_order_of_delivery(order in prop::collection::vec((any::<prop::sample::Index>(), 1_usize..3), 24)) {
        let mut pair = Pair::new();
        // The bank publishes anew and submits; its partner has heard nothing of either.
        let newer = question::CUSTOMERS_POLICY.replace("min_group = 3", "min_group = 4");
        pair.bank.publish("customers", &question::customers(), &newer);
        let hash = pair.bank.jobs().submit(&job(OVERLAP, ""), None).expect("submits").hash;
        pair.bank.approve_all(hash);
        pair.bank.posted();
        let mut to_pay = pair.bank.jobs().own_records().expect("reads");
        for (place, times) in &order {
            if to_pay.is_empty() {
                break;
            }
            let record = to_pay.remove(place.index(to_pay.len()));
            for _ in 0..*times {
                pair.pay.jobs().on_record(record.clone());
            }
        }
        prop_assert!(to_pay.is_empty());
        pair.pay.approve_all(hash);
        pair.deliver();
        prop_assert_eq!((pair.bank.state(hash), pair.pay.state(hash)), (JobState::Ready, JobState::Ready));
        let session = pair.open();
        prop_assert!(pair.run(session).is_ok());
    }
}

#[test]
fn approvals_that_crossed_each_other_make_both_ready() {
    let mut pair = Pair::new();
    let (from_bank, hash) = unheard(&mut pair);
    from_bank
        .into_iter()
        .for_each(|record| pair.pay.jobs().on_record(record));
    assert_eq!(pair.pay.state(hash), JobState::Ready);
    assert_eq!(pair.bank.state(hash), JobState::AwaitingApprovals);
    pair.deliver();
    assert_eq!(pair.bank.state(hash), JobState::Ready);
}
