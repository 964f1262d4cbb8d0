//! The table of a job's life, and what no order of facts may bring about.
#![allow(clippy::panic, reason = "a panic fails the test that it stands in")]

mod words;

use super::{Derivation, Life, Next, Standing};
use crate::jobs::limits::VIEW_SETTLES_MS;
use crate::ledger::{Entry, Fact};
use entente_wire::local::JobState;
use entente_wire::report::Step;
use entente_wire::sign::Kind;
use proptest::prelude::*;
use words::*;

#[test]
fn facts_lead_to_the_states_of_the_table() {
    use JobState::{
        AwaitingApprovals, Cancelled, Done, Expired, Failed, Ready, Running, Submitted,
    };
    let table = [
        ("", Submitted),
        ("agreed", AwaitingApprovals),
        ("agreed yes", AwaitingApprovals),
        ("agreed given", AwaitingApprovals),
        ("agreed given seen", Ready),
        ("agreed given seen opened1", Running),
        ("agreed given seen they-ran opened1", Running),
        ("agreed given seen opened1 broken1", Ready),
        ("agreed given seen opened1 broken1 opened2", Running),
        ("agreed given seen opened1 closed1", Done),
        ("declined", Failed),
        ("agreed declined", Failed),
        ("agreed no", Failed),
        ("agreed given no", Failed),
        ("agreed they-declined", Failed),
        ("agreed given they-denied", Failed),
        ("agreed given seen they-failed", Failed),
        ("agreed given seen opened1 they-failed", Running),
        ("agreed given seen opened1 they-failed broken1", Failed),
        ("agreed given seen opened1 they-failed closed1", Done),
        ("agreed given seen opened1 broken1 failed", Failed),
        ("cancelled", Cancelled),
        ("agreed given seen cancelled", Cancelled),
        ("agreed given seen opened1 cancelled", Cancelled),
        ("agreed expired", Expired),
        // Only the asker's word cancels.
        ("agreed they-cancelled", AwaitingApprovals),
        // What has ended stays ended.
        ("agreed no yes given seen", Failed),
        ("cancelled agreed given seen opened1 closed1", Cancelled),
        ("agreed given seen opened1 closed1 they-failed", Done),
        ("agreed given seen opened1 closed1 cancelled", Done),
        ("agreed expired they-declined", Expired),
    ];
    for (words, expected) in table {
        let life = life("north-bank", words);
        assert_eq!(life.state(life.all_approved()), expected, "after: {words}");
    }
}

#[test]
fn a_node_owes_what_the_table_says() {
    let same = Derivation::Same;
    let waits = Derivation::Waits(problem("not here yet"));
    let differs = Derivation::Differs(problem("another H"));
    let met = |derivation| Standing {
        quorum_met: true,
        ..standing(derivation)
    };
    let verified = |derivation| Standing {
        verified: true,
        ..standing(derivation)
    };
    let later = |derivation| Standing {
        now_ms: SEEN_MS + VIEW_SETTLES_MS,
        ..standing(derivation)
    };
    let too_late = |derivation| Standing {
        now_ms: EXPIRES_S * 1_000,
        ..met(derivation)
    };
    let decline = |what| Some(Next::Decline(problem(what)));
    let table = [
        ("", standing(&same), Some(Next::Agree)),
        ("", standing(&differs), decline("another H")),
        ("", standing(&waits), None),
        ("", later(&waits), decline("not here yet")),
        ("", met(&waits), None),
        ("agreed", standing(&same), None),
        ("agreed", met(&same), Some(Next::Approve)),
        ("agreed given", met(&same), None),
        // A policy that changes after people approved voids the job.
        ("agreed given", standing(&differs), decline("another H")),
        (
            "agreed given seen",
            verified(&waits),
            decline("not here yet"),
        ),
        ("agreed given seen", standing(&same), None),
        ("agreed given seen", verified(&same), Some(Next::Dial)),
        (
            "agreed given seen",
            Standing {
                granted: true,
                ..verified(&same)
            },
            None,
        ),
        ("agreed given seen opened1", verified(&same), None),
        (
            "agreed given seen opened1 broken1",
            verified(&same),
            Some(Next::Dial),
        ),
        (
            "agreed given seen opened3 broken3",
            verified(&same),
            Some(Next::Fail(problem("the line broke"))),
        ),
        ("agreed given seen opened1 closed1", verified(&same), None),
        ("agreed", too_late(&same), Some(Next::Expire)),
        ("agreed given seen opened1", too_late(&same), None),
        ("agreed no", met(&same), None),
    ];
    for (words, standing, expected) in table {
        let life = with_reports_sent(life("north-bank", words));
        assert_eq!(
            life.next(&standing),
            expected,
            "after: {words}, seeing {standing:?}"
        );
    }
}

#[test]
fn only_the_asker_dials() {
    let verified = Standing {
        verified: true,
        ..standing(&Derivation::Same)
    };
    let facts = "agreed given seen";
    assert_eq!(life("river-pay", facts).next(&verified), None);
}

#[test]
fn what_partners_have_to_know_is_owed_until_it_is_sent() {
    let table = [
        ("declined", vec![(0, Step::Declined)]),
        ("agreed no", vec![(0, Step::Denied)]),
        ("cancelled", vec![(0, Step::Cancelled)]),
        (
            "agreed given seen opened1 closed1",
            vec![(1, Step::Running), (1, Step::Done)],
        ),
        (
            "agreed given seen opened1 broken1 failed",
            vec![(1, Step::Running), (1, Step::Failed)],
        ),
        ("agreed they-denied", vec![]),
        ("agreed expired", vec![]),
    ];
    for (words, expected) in table {
        let mut life = life("north-bank", words);
        let mut owed = Vec::new();
        while let Some(Next::Report(report)) = life.next(&standing(&Derivation::Same)) {
            owed.push((report.attempt, report.step));
            let record = record(Kind::Report, "north-bank", &report);
            life.apply(&Entry {
                at_unix_ms: SEEN_MS + 2,
                fact: Fact::ReportSent {
                    job: hash(),
                    record,
                },
            });
        }
        assert_eq!(owed, expected, "after: {words}");
    }
}

#[test]
fn a_partners_reason_is_told_as_the_partners() {
    let life = life("north-bank", "agreed they-denied");
    let Some(super::End::Failed(problem)) = life.end() else {
        panic!("it failed")
    };
    assert_eq!(
        problem.side,
        entente_wire::problem::Side::Partner {
            org: org("river-pay")
        }
    );
}

const WORDS: [&str; 20] = [
    "agreed",
    "declined",
    "given",
    "seen",
    "yes",
    "no",
    "opened1",
    "opened2",
    "opened3",
    "closed1",
    "broken1",
    "broken2",
    "broken3",
    "failed",
    "cancelled",
    "expired",
    "they-declined",
    "they-denied",
    "they-failed",
    "they-cancelled",
];

proptest! {
    #[test]
    fn no_fact_moves_a_job_out_of_a_final_state(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..24)) {
        let mut ended = None;
        for count in 0..=words.len() {
            let life = life("north-bank", &words[..count].join(" "));
            let state = life.state(life.all_approved());
            if let Some(ended) = ended {
                prop_assert_eq!(state, ended);
            }
            ended = ended.or(state.is_final().then_some(state));
        }
    }

    #[test]
    fn a_run_is_dialled_only_with_all_approvals_and_before_the_end(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..24)) {
        let life = with_reports_sent(life("north-bank", &words.join(" ")));
        let standing = Standing { verified: true, quorum_met: true, ..standing(&Derivation::Same) };
        if life.next(&standing) == Some(Next::Dial) {
            prop_assert!(life.is_agreed() && life.all_approved() && life.end().is_none() && life.session_on().is_none());
        }
    }
}
