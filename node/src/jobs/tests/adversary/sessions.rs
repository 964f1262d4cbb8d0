//! Sessions that must not open, must not be repeated, and must not release anything.

use crate::jobs::tests::bench::{HOUR_MS, org};
use crate::jobs::tests::pair::{Pair, over, transcript};
use crate::jobs::tests::question::{CUSTOMERS_POLICY, OVERLAP, REVEAL, USERS_POLICY, job};
use entente_protocols::channel::{Totals, memory_transports};
use entente_wire::canonical::Digest;
use entente_wire::local::JobState;
use entente_wire::problem::{Code, Problem};
use entente_wire::session::Opening;
use entente_wire::sign::{Kind, Record};
use std::time::Duration;

fn opening(pair: &Pair, hash: entente_wire::seal::JobHash, attempt: u32) -> Opening {
    let _ = pair;
    Opening {
        version: 1,
        job: hash,
        attempt,
        dataset_version: Digest([1; 32]),
        ids_rounded: 48,
        nonce_commitment: Digest([2; 32]),
        continues: None,
        answered_by: None,
    }
}

fn refusal(pair: &Pair, by: &str, opening: &Opening) -> Code {
    let refused = pair.pay.jobs().admit_session(&org(by), opening).map(drop);
    refused.expect_err("refused").code
}

#[test]
fn only_the_askers_own_node_opens_and_only_with_every_approval() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    assert_eq!(
        refusal(&pair, "north-bank", &opening(&pair, hash, 1)),
        Code::ApprovalsMissing
    );
    pair.bank.approve_all(hash);
    pair.deliver();
    assert_eq!(
        refusal(&pair, "north-bank", &opening(&pair, hash, 1)),
        Code::ApprovalsMissing
    );
    pair.pay.approve_all(hash);
    pair.deliver();
    // Linked or not: whoever is no party is told nothing but that the job is unknown.
    assert_eq!(
        refusal(&pair, "harbour-bank", &opening(&pair, hash, 1)),
        Code::JobUnknown
    );
    assert_eq!(
        refusal(
            &pair,
            "north-bank",
            &Opening {
                version: 2,
                ..opening(&pair, hash, 1)
            }
        ),
        Code::VersionDiffers
    );
    assert_eq!(
        refusal(
            &pair,
            "north-bank",
            &Opening {
                ids_rounded: 4,
                ..opening(&pair, hash, 1)
            }
        ),
        Code::SetTooSmall
    );
    assert_eq!(
        refusal(
            &pair,
            "north-bank",
            &Opening {
                ids_rounded: 1 << 40,
                ..opening(&pair, hash, 1)
            }
        ),
        Code::NotInThisVersion
    );
    let wrong_way = pair
        .bank
        .jobs()
        .admit_session(&org("river-pay"), &opening(&pair, hash, 1))
        .map(drop);
    assert_eq!(
        wrong_way.expect_err("refused").code,
        Code::PartnerMisbehaved
    );
    assert!(
        pair.pay
            .jobs()
            .admit_session(&org("north-bank"), &opening(&pair, hash, 1))
            .is_ok()
    );
}

#[test]
fn an_attempt_is_used_up_when_it_opens_and_never_again() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let session = pair.open();
    let again = opening(&pair, hash, 1);
    assert_eq!(refusal(&pair, "north-bank", &again), Code::JobState);
    let problem = Problem::here(Code::PartnerSilent, "the line broke", "wait");
    pair.pay
        .jobs()
        .broken(&session.admitted, Some(1), problem.clone(), true)
        .expect("noted");
    pair.bank
        .jobs()
        .broken(&session.dialled, Some(1), problem, true)
        .expect("noted");
    for attempt in [0, 1] {
        assert_eq!(
            refusal(&pair, "north-bank", &opening(&pair, hash, attempt)),
            Code::JobUsed
        );
    }
    assert_eq!(
        refusal(&pair, "north-bank", &opening(&pair, hash, 4)),
        Code::JobUsed
    );
}

#[test]
fn a_job_runs_once() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let session = pair.open();
    let dialled = session.dialled.clone();
    pair.run(session).expect("runs");
    assert_eq!(
        refusal(&pair, "north-bank", &opening(&pair, hash, 2)),
        Code::JobUsed
    );
    let again = pair
        .bank
        .jobs()
        .opening(&dialled, Digest([9; 32]))
        .expect_err("done");
    assert_eq!(again.code, Code::JobUsed);
    assert!(pair.bank.dial().is_none());
}

#[test]
fn three_attempts_and_no_more() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let dialled = pair.bank.dial().expect("a run");
    for attempt in 1..=3 {
        let session = pair.open_again(dialled.clone());
        let problem = Problem::here(Code::PartnerSilent, "the line broke", "wait");
        pair.pay
            .jobs()
            .broken(&session.admitted, Some(attempt), problem.clone(), true)
            .expect("noted");
        pair.bank
            .jobs()
            .broken(&session.dialled, Some(attempt), problem, attempt < 3)
            .expect("noted");
    }
    pair.deliver();
    assert_eq!(
        (pair.bank.state(hash), pair.pay.state(hash)),
        (JobState::Failed, JobState::Failed)
    );
}

#[test]
fn a_newer_attempt_takes_the_place_of_one_whose_end_was_not_noticed() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let first = pair.open();
    let problem = Problem::here(Code::PartnerSilent, "the line broke", "wait");
    pair.bank
        .jobs()
        .broken(&first.dialled, Some(1), problem.clone(), true)
        .expect("noted");
    let second = pair.open_again(first.dialled.clone());
    // The old session's thread ends late; it must not touch the new one.
    pair.pay
        .jobs()
        .broken(&first.admitted, Some(1), problem, false)
        .expect("ignored");
    assert_eq!(pair.pay.state(hash), JobState::Running);
    pair.run(second).expect("runs");
    assert_eq!(pair.pay.state(hash), JobState::Done);
}

#[test]
fn the_budget_is_spent_before_a_session_opens_and_names_the_day_it_frees_up() {
    let tight = USERS_POLICY.replace("jobs_per_30d = 20", "jobs_per_30d = 1");
    let mut pair = Pair::with(CUSTOMERS_POLICY, &tight);
    let (first, second) = (pair.ready(&job(OVERLAP, "")), pair.ready(&job(OVERLAP, "")));
    let session = pair.open();
    assert_eq!(session.asked.job, first);
    // Broken off at once: spent all the same, at both sides.
    let problem = Problem::here(Code::PartnerSilent, "the line broke", "wait");
    pair.pay
        .jobs()
        .broken(&session.admitted, Some(1), problem, true)
        .expect("noted");
    let refused = pair
        .pay
        .jobs()
        .admit_session(&org("north-bank"), &opening(&pair, second, 1))
        .map(drop);
    let refused = refused.expect_err("spent");
    assert_eq!(refused.code, Code::BudgetUsedUp);
    assert!(refused.todo.contains("2026-10-21"), "{}", refused.todo);
    let grant = pair.bank.dial().expect("a run");
    let own = pair
        .bank
        .jobs()
        .opening(&grant, Digest([1; 32]))
        .expect_err("spent here too");
    assert_eq!(own.code, Code::BudgetUsedUp);
    let check = pair.bank.jobs().check(&job(OVERLAP, ""));
    assert_eq!(
        check.problems.first().map(|problem| problem.code),
        Some(Code::BudgetUsedUp)
    );
    let left: Vec<Option<u64>> = pair
        .bank
        .jobs()
        .catalog()
        .expect("reads")
        .iter()
        .map(|entry| entry.jobs_left_30d)
        .collect();
    assert_eq!(left, [None, Some(0)]);
}

#[test]
fn an_expired_job_opens_no_session() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let grant = pair.bank.dial().expect("a run");
    pair.clock.advance(8 * 24 * HOUR_MS);
    assert_eq!(
        pair.bank
            .jobs()
            .opening(&grant, Digest([1; 32]))
            .expect_err("too late")
            .code,
        Code::JobExpired
    );
    assert_eq!(
        refusal(&pair, "north-bank", &opening(&pair, hash, 1)),
        Code::JobExpired
    );
}

#[test]
fn transcripts_that_do_not_mirror_release_nothing() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(REVEAL, ""));
    let session = pair.open();
    let (to_pay, to_bank) = memory_transports(Duration::from_secs(60));
    let terms = |own: &Opening, partner: &Opening| crate::jobs::RunTerms {
        sid: session.sid,
        id_key: session.key,
        own: own.clone(),
        partner: partner.clone(),
    };
    let (asking, answering) = (
        terms(&session.asked, &session.answered),
        terms(&session.answered, &session.asked),
    );
    let (bank, pay) = (pair.bank.jobs().clone(), pair.pay.jobs().clone());
    let admitted = session.admitted.clone();
    let other = std::thread::spawn(move || {
        pay.run(&admitted, &answering, over(vec![Box::new(to_bank)]))
            .map(drop)
    });
    let (outcome, totals) = bank
        .run(&session.dialled, &asking, over(vec![Box::new(to_pay)]))
        .expect("runs");
    other.join().expect("no panic").expect("runs");
    let own = transcript(&session.asked, &totals);
    let lie = transcript(
        &session.answered,
        &Totals {
            sent_bytes: 1,
            ..totals
        },
    );
    let record = Record::sign(&pair.pay.key, Kind::Transcript, &pair.pay.org, &lie);
    let problem = bank
        .closed(&session.dialled, outcome, own, &record)
        .expect_err("not mirrored");
    assert_eq!(problem.code, Code::PartnerMisbehaved);
    assert!(pair.bank.jobs().result(&hash.short()).is_err());
    let folder = pair.bank.home.path().join("results").join(hash.short());
    assert_eq!(
        std::fs::read_dir(folder).expect("lists").count(),
        0,
        "no draft is left behind"
    );
}

#[test]
fn a_run_whose_job_was_cancelled_meanwhile_ends_and_releases_nothing() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(REVEAL, ""));
    let session = pair.open();
    pair.bank.jobs().cancel(&hash.short()).expect("cancels");
    let problem = pair.run(session).expect_err("cancelled");
    assert!(problem.what.contains("cancelled"), "{}", problem.what);
    assert_eq!(pair.bank.state(hash), JobState::Cancelled);
    pair.deliver();
    assert_eq!(pair.pay.state(hash), JobState::Cancelled);
}

#[test]
fn data_that_changed_after_registration_is_not_read() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let session = pair.open();
    let path = pair.pay.home.path().join("users.csv");
    let mut text = std::fs::read_to_string(&path).expect("reads");
    text.push_str("13900000099,true,true\n");
    std::fs::write(&path, text).expect("writes");
    let problem = pair.run(session).expect_err("the other side ends");
    assert_ne!(problem.code, Code::Defect);
    assert_ne!(pair.bank.state(hash), JobState::Done);
}

#[test]
fn a_list_smaller_than_a_policy_matches_is_refused_at_submission() {
    let large = USERS_POLICY.replace("min_set = 5", "min_set = 41");
    let pair = Pair::with(CUSTOMERS_POLICY, &large);
    let check = pair.bank.jobs().check(&job(OVERLAP, ""));
    assert_eq!(
        check.problems.first().map(|problem| problem.code),
        Some(Code::SetTooSmall)
    );
}
