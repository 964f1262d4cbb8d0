//! What tables cost in privacy loss, and when it is spent.

use super::*;

#[test]
fn privacy_loss_is_spent_at_both_nodes_and_exact_at_the_boundary() {
    let mut pair = pair();
    // Waiting jobs were approved when there was room.
    let third = pair.ready(&noisy("0.500001"));
    let third_grant = pair.bank.dial().expect("a run");
    let job = run(&mut pair, &noisy("2.0"));
    assert!(text(&pair.bank, job).starts_with("segment,n,n_se\n"));
    assert_eq!(losses(&pair), [vec![2_000_000], vec![2_000_000]]);
    let left: Vec<_> = pair.bank.jobs().catalog().expect("reads");
    let left: Vec<_> = left.iter().map(|entry| entry.epsilon_left_year).collect();
    assert_eq!(left, [None, Some(Epsilon(500_000))]);
    let refused = pair
        .bank
        .jobs()
        .opening(&third_grant, super::super::bench::digest(9));
    let refused = refused.expect_err("a millionth too much");
    assert_eq!(refused.code, Code::BudgetUsedUp);
    assert!(
        refused.todo.contains("2027-09-21 14:14"),
        "{}",
        refused.todo
    );
    let check = pair
        .bank
        .jobs()
        .check(&noisy("0.500001").replace("p.segment", "b.tier"));
    let codes: Vec<Code> = check.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::BudgetUsedUp]);
    run(&mut pair, &noisy("0.5"));
    assert_eq!(losses(&pair)[1], [2_000_000, 500_000]);
    // A restart forgets nothing; a year does.
    pair.bank.start();
    assert_eq!(losses(&pair)[0], [2_000_000, 500_000]);
    pair.clock.advance(YEAR_MS + 1);
    let check = pair
        .bank
        .jobs()
        .check(&noisy("2.5").replace("2026-09-28T00:00:00Z", "2028-01-01T00:00:00Z"));
    assert_eq!(check.problems, []);
    assert_ne!(pair.bank.state(third), JobState::Done);
}

#[test]
fn of_two_sessions_that_are_on_only_one_spends_what_is_left_for_one() {
    let mut pair = pair();
    let other = noisy("2.0").replace("COUNT(*) AS n", "COUNT(*) AS m");
    pair.ready(&noisy("2.0"));
    let first = pair.open();
    let second = pair.ready(&other);
    // Nothing is spent yet, so this one opens too.
    let late = pair.open();
    assert_eq!(late.asked.job, second);
    pair.run(first).expect("runs");
    let problem = pair.run(late).expect_err("nothing is left");
    assert_eq!(problem.code, Code::BudgetUsedUp);
    assert_eq!(losses(&pair), [vec![2_000_000], vec![2_000_000]]);
    assert_ne!(pair.bank.state(second), JobState::Done);
}

#[test]
fn the_loss_of_a_release_is_on_disk_before_anything_of_it_is_heard() {
    let mut pair = pair();
    let job = pair.ready(&noisy("1.0"));
    let session = pair.open();
    let (at_bank, at_pay) = lanes(1, RELEASE);
    pair.run_over(session, at_bank, at_pay).expect_err("breaks");
    for node in [&pair.bank, &pair.pay] {
        let facts = node.ledger().job(&job).expect("reads");
        let spent = facts
            .iter()
            .filter(|entry| matches!(entry.fact, Fact::EpsilonSpent(_)));
        assert_eq!(spent.count(), 1);
    }
}
