//! The stored table for the same plan over the same data.

use super::*;

/// Runs another job of the same question. Gives its result and what crossed.
fn again(pair: &mut Pair, yaml: &str) -> (String, Totals) {
    pair.clock.advance(1);
    let job = pair.ready(yaml);
    let session = pair.open();
    assert_eq!(session.asked.job, job);
    let (bank, pay) = memory_transports(Duration::from_secs(60));
    let totals = pair.run_over(session, vec![Box::new(bank)], vec![Box::new(pay)]);
    (text(&pair.bank, job), totals.expect("runs"))
}

#[test]
fn the_same_plan_over_the_same_data_is_answered_by_the_stored_table_at_no_cost() {
    let mut pair = pair();
    let yaml = noisy("2.0");
    let first = run(&mut pair, &yaml);
    let released = text(&pair.bank, first);
    // Twice as much as is left, and still no refusal.
    for _ in 0..2 {
        let (stored, totals) = again(&mut pair, &yaml);
        assert_eq!(stored, released);
        assert_eq!((totals.sent_bytes, totals.received_bytes), (0, 0));
    }
    assert_eq!(losses(&pair), [vec![2_000_000], vec![2_000_000]]);
    // Another plan is another question.
    let other = pair
        .bank
        .jobs()
        .check(&noisy("2.0").replace("COUNT(*) AS n", "COUNT(*) AS m"));
    assert_eq!(other.problems.len(), 1);
}

#[test]
fn data_that_changed_or_a_file_that_is_gone_is_not_answered_by_the_stored_table() {
    let mut pair = pair();
    let yaml = exact("results_to: [north-bank]");
    let first = run(&mut pair, &yaml);
    let ran = |pair: &mut Pair| again(pair, &yaml).1.sent_bytes > 0;
    assert!(!ran(&mut pair));
    // One side's data is another version.
    let more = users() + "13900000099,true,new,1,true\n";
    pair.pay
        .publish("users", &more, &policy("users", POLICY, USERS));
    pair.deliver();
    assert!(ran(&mut pair));
    assert!(!ran(&mut pair), "now that is the stored one");
    // Not the file that was released.
    let jobs = pair.bank.jobs();
    for view in jobs.list() {
        let path = jobs.result(&view.id).expect("a result").path;
        std::fs::write(path, "n\n").expect("writes");
    }
    assert!(ran(&mut pair));
    assert!(pair.bank.jobs().result(&first.short()).is_err());
}

#[test]
fn a_node_that_does_not_know_of_the_earlier_job_runs_again() {
    let mut pair = pair();
    let yaml = exact("results_to: [north-bank]");
    let first = run(&mut pair, &yaml);
    // As after a restore from a backup of before.
    let mut live = pair.pay.jobs().core.live();
    live.tracked.remove(&first);
    drop(live);
    let (_, totals) = again(&mut pair, &yaml);
    assert!(totals.sent_bytes > 0);
}

#[test]
fn a_partner_that_names_a_table_of_other_data_is_caught() {
    let mut pair = pair();
    let yaml = exact("results_to: [north-bank]");
    run(&mut pair, &yaml);
    pair.ready(&yaml);
    let mut session = pair.open();
    assert!(session.answered.answered_by.is_some());
    session.answered.dataset_version = super::super::bench::digest(7);
    let problem = pair.run(session).expect_err("caught");
    assert_eq!(problem.code, Code::PartnerMisbehaved);
}
