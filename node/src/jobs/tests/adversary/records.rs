//! Records that are not what they say.

use crate::jobs::tests::bench::{HOUR_MS, T0_MS, new_signer, org};
use crate::jobs::tests::pair::Pair;
use crate::jobs::tests::question::{self, OVERLAP, job};
use entente_wire::local::JobState;
use entente_wire::problem::{Code, Side};
use entente_wire::publication::Publication;
use entente_wire::report::{Report, Step};
use entente_wire::sign::{Kind, Record};
use entente_wire::submission::Submission;

/// The bank's submission as it leaves the bank, changed and signed again by the bank's own node.
fn changed(pair: &mut Pair, change: impl FnOnce(&mut Submission)) -> (Record, Submission) {
    pair.bank
        .jobs()
        .submit(&job(OVERLAP, ""), None)
        .expect("submits");
    let posted = pair.bank.posted();
    let record = posted
        .iter()
        .find(|record| record.kind == Kind::Submission)
        .expect("posted");
    let mut submission: Submission = record.read_unverified(Kind::Submission).expect("ours");
    change(&mut submission);
    let record = Record::sign(
        &pair.bank.key,
        Kind::Submission,
        &pair.bank.org,
        &submission,
    );
    (record, submission)
}

#[test]
fn a_job_text_changed_for_one_side_is_refused() {
    let mut pair = Pair::new();
    let (record, submission) = changed(&mut pair, |submission| {
        submission.job.purpose = "something nicer".to_owned();
    });
    pair.pay.jobs().on_record(record.clone());
    assert!(pair.pay.refused(&record));
    assert!(
        pair.pay
            .jobs()
            .view(&submission.hash().to_string())
            .is_err()
    );
}

#[test]
fn a_seal_over_another_plan_is_declined_and_the_part_is_named() {
    let mut pair = Pair::new();
    let (record, submission) = changed(&mut pair, |submission| {
        submission.seal.plan.0[0] ^= 1;
    });
    pair.pay.jobs().on_record(record);
    let view = pair.pay.view(submission.hash());
    let problem = view.problem.expect("declined");
    assert_eq!(
        (view.state, problem.code),
        (JobState::Failed, Code::JobDiffers)
    );
    assert!(problem.what.contains("the plan"), "{}", problem.what);
    let reports = pair.pay.posted();
    let report: Report = reports[0].read_unverified(Kind::Report).expect("a report");
    assert_eq!(
        (report.job, report.step),
        (submission.hash(), Step::Declined)
    );
}

#[test]
fn a_question_that_our_policy_refuses_is_declined_whatever_the_seal_says() {
    let mut pair = Pair::new();
    let (record, submission) = changed(&mut pair, |submission| {
        submission.job.ask = submission
            .job
            .ask
            .replace("p ON b.mobile = p.mobile", "p ON b.mobile = p.active");
        submission.seal.job = submission.job.digest();
    });
    pair.pay.jobs().on_record(record);
    assert_eq!(pair.pay.view(submission.hash()).state, JobState::Failed);
}

#[test]
fn the_asker_hears_who_declined_and_why() {
    let mut pair = Pair::new();
    let hash = pair
        .bank
        .jobs()
        .submit(&job(OVERLAP, ""), None)
        .expect("submits")
        .hash;
    let submission = pair.bank.posted();
    // The partner publishes anew before the job arrives: its own policy is not the one that was sealed.
    let looser = question::USERS_POLICY.replace("min_group = 3", "min_group = 2");
    pair.pay.publish("users", &question::users(), &looser);
    submission
        .into_iter()
        .for_each(|record| pair.pay.jobs().on_record(record));
    pair.deliver();
    let problem = pair.bank.view(hash).problem.expect("declined");
    assert_eq!(problem.code, Code::JobDiffers);
    assert_eq!(
        problem.side,
        Side::Partner {
            org: org("river-pay")
        }
    );
    assert!(problem.what.contains("policy"), "{}", problem.what);
}

#[test]
fn a_policy_published_after_everybody_approved_voids_the_job() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    assert_eq!(pair.bank.state(hash), JobState::Ready);
    let stricter = question::USERS_POLICY.replace("min_group = 3", "min_group = 4");
    pair.pay.publish("users", &question::users(), &stricter);
    assert_eq!(pair.pay.state(hash), JobState::Failed);
    // The bank has a grant in hand and has not heard: its session finds the door shut.
    let grant = pair.bank.dial().expect("granted before");
    let opening = pair
        .bank
        .jobs()
        .opening(&grant, entente_wire::canonical::Digest([1; 32]))
        .expect("opens");
    let refused = pair
        .pay
        .jobs()
        .admit_session(&pair.bank.org, &opening)
        .map(drop)
        .expect_err("void");
    assert_eq!(refused.code, Code::JobState);
    pair.deliver();
    pair.bank
        .jobs()
        .broken(&grant, Some(1), refused, false)
        .expect("noted");
    assert_eq!(pair.bank.state(hash), JobState::Failed);
}

#[test]
fn strangers_and_forgers_are_refused_and_noted_once() {
    let mut pair = Pair::new();
    let (genuine, _) = changed(&mut pair, |_| {});
    let forged = Record {
        org: org("harbour-bank"),
        ..genuine.clone()
    };
    let mut flipped = genuine.clone();
    flipped.signature[0] ^= 1;
    let other_key = {
        let mut submission: Submission = genuine.read_unverified(Kind::Submission).expect("ours");
        submission.seal.nonce.0[0] ^= 1;
        Record::sign(&new_signer(), Kind::Submission, &pair.bank.org, &submission)
    };
    let as_report = Record {
        kind: Kind::Report,
        ..genuine
    };
    for record in [forged, flipped, other_key, as_report] {
        let before = pair.pay.ledger().head().sequence;
        pair.pay.jobs().on_record(record.clone());
        pair.pay.jobs().on_record(record.clone());
        assert!(pair.pay.refused(&record));
        assert_eq!(pair.pay.ledger().head().sequence, before + 1, "noted once");
    }
    assert!(pair.pay.jobs().list().is_empty());
}

#[test]
fn a_flood_of_rubbish_does_not_fill_the_journal() {
    let mut pair = Pair::new();
    let (genuine, _) = changed(&mut pair, |_| {});
    let before = pair.pay.ledger().head().sequence;
    for number in 0..500_u32 {
        let mut record = genuine.clone();
        record.body.extend_from_slice(&number.to_be_bytes());
        pair.pay.jobs().on_record(record);
    }
    assert!(pair.pay.ledger().head().sequence <= before + 60);
}

#[test]
fn a_job_between_others_is_refused() {
    let mut pair = Pair::new();
    let (record, _) = changed(&mut pair, |submission| {
        let party = submission
            .seal
            .parties
            .remove(&org("river-pay"))
            .expect("a party");
        submission.seal.parties.insert(org("harbour-bank"), party);
    });
    pair.pay.jobs().on_record(record.clone());
    assert!(pair.pay.refused(&record));
}

#[test]
fn two_publications_of_one_version_are_an_equivocation() {
    let pair = Pair::new();
    let held = pair.bank.jobs().catalog().expect("reads");
    let users = held
        .iter()
        .find(|entry| entry.publication.org == pair.pay.org)
        .expect("published");
    let mut twin: Publication = users.publication.clone();
    twin.policy.min_group += 1;
    let record = Record::sign(&pair.pay.key, Kind::Publication, &pair.pay.org, &twin);
    pair.bank.jobs().on_record(record.clone());
    assert!(pair.bank.refused(&record));
}

#[test]
fn an_older_registry_or_publication_changes_nothing() {
    let pair = Pair::new();
    let users = pair.bank.jobs().catalog().expect("reads");
    pair.bank.jobs().on_record(pair.pay.registry(3));
    let after = pair.bank.ledger().head();
    pair.bank.jobs().on_record(pair.pay.registry(2));
    pair.bank.jobs().on_record(pair.pay.registry(3));
    assert_eq!(pair.bank.ledger().head(), after);
    assert_eq!(
        pair.bank.jobs().catalog().expect("reads").len(),
        users.len()
    );
}

#[test]
fn a_partner_cannot_cancel_what_it_did_not_ask() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    let report = Report {
        job: hash,
        attempt: 0,
        step: Step::Cancelled,
        problem: None,
    };
    let record = Record::sign(&pair.pay.key, Kind::Report, &pair.pay.org, &report);
    pair.bank.jobs().on_record(record.clone());
    assert!(pair.bank.refused(&record));
    assert_ne!(pair.bank.state(hash), JobState::Cancelled);
    let problem = pair
        .pay
        .jobs()
        .cancel(&hash.short())
        .expect_err("not its job");
    assert_eq!(problem.code, Code::JobState);
}

#[test]
fn reports_of_one_party_are_bounded() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    let before = pair.bank.ledger().head().sequence;
    for attempt in 0..200 {
        let report = Report {
            job: hash,
            attempt,
            step: Step::Running,
            problem: None,
        };
        pair.bank.jobs().on_record(Record::sign(
            &pair.pay.key,
            Kind::Report,
            &pair.pay.org,
            &report,
        ));
    }
    assert!(pair.bank.ledger().head().sequence <= before + 16 + 60);
}

#[test]
fn a_job_that_nobody_finished_in_time_expires_at_both() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    pair.clock.advance(8 * 24 * HOUR_MS);
    for node in [&pair.bank, &pair.pay] {
        node.jobs().tick().expect("ticks");
        assert_eq!(node.state(hash), JobState::Expired);
        let problem = node.approve(hash, "mei").expect_err("too late");
        assert_eq!(problem.code, Code::JobExpired);
    }
    assert!(pair.clock_ms() > T0_MS);
}
