//! The table of a job's life, and what no order of facts may bring about.

use super::{Derivation, Life, Next, Standing};
use crate::jobs::limits::VIEW_SETTLES_MS;
use crate::ledger::{Entry, Fact, SessionEnd, SessionEnded, SessionOpened, SignedRecord};
use entente_wire::approval::{PersonDecision, SignedDecision, Verdict};
use entente_wire::canonical::{Digest, to_bytes};
use entente_wire::job::Job;
use entente_wire::local::JobState;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::report::{Report, Step};
use entente_wire::seal::{JobHash, JobNonce, PartySeal, Protocol, Seal};
use entente_wire::session::{Opening, Transcript};
use entente_wire::sign::{Kind, Signature};
use entente_wire::submission::Submission;
use proptest::prelude::*;

const SEEN_MS: u64 = 1_000;
const EXPIRES_S: u64 = 10_000;

const JOB: &str = r#"entente: 1
name: overlap
purpose: size an offer
legal_basis: consent
ask: SELECT COUNT(*) AS n FROM "north-bank".c b JOIN "river-pay".u p ON b.mobile = p.mobile
protect: { epsilon: none }
results_to: [north-bank]
expires: 1970-01-01T02:46:40Z
"#;

fn org(name: &str) -> OrgName {
    name.parse().expect("a name")
}

fn submission() -> Submission {
    let job = Job::from_yaml(JOB).expect("a job");
    assert_eq!(job.expires_unix_s, EXPIRES_S);
    let party = |dataset: &str| PartySeal {
        dataset: dataset.parse().expect("a name"),
        policy: Digest([1; 32]),
        schema: Digest([2; 32]),
        ids_rounded: 1_000,
    };
    let seal = Seal {
        job: job.digest(),
        nonce: JobNonce([3; 16]),
        asker: org("north-bank"),
        plan_version: 1,
        plan: Digest([4; 32]),
        protocol: Protocol::Ecdh {
            profile: "ristretto255".to_owned(),
        },
        parties: [
            (org("north-bank"), party("c")),
            (org("river-pay"), party("u")),
        ]
        .into(),
        leakage: Digest([5; 32]),
    };
    Submission { job, seal }
}

fn hash() -> JobHash {
    submission().hash()
}

fn record<T: serde::Serialize>(kind: Kind, by: &str, document: &T) -> SignedRecord {
    let body = String::from_utf8(to_bytes(document)).expect("JSON is UTF-8");
    SignedRecord {
        kind,
        org: org(by),
        body,
        signature: String::new(),
    }
}

fn problem(what: &str) -> Problem {
    Problem::here(Code::PartnerSilent, what, "wait")
}

fn report(step: Step) -> Report {
    Report {
        job: hash(),
        attempt: 0,
        step,
        problem: Some(problem("told")),
    }
}

fn opened(attempt: u32) -> Fact {
    let opening = Opening {
        version: 1,
        job: hash(),
        attempt,
        dataset_version: Digest([6; 32]),
        ids_rounded: 1_000,
        nonce_commitment: Digest([7; 32]),
    };
    let (dataset, peer_dataset) = ("c".parse().expect("a name"), "u".parse().expect("a name"));
    Fact::SessionOpened(SessionOpened {
        peer: org("river-pay"),
        dataset,
        peer_dataset,
        opening,
    })
}

fn closed(attempt: u32) -> Fact {
    let own = Transcript {
        job: hash(),
        attempt,
        sent: Digest([0; 32]),
        received: Digest([0; 32]),
        sent_bytes: 0,
        received_bytes: 0,
    };
    let peer = record(Kind::Transcript, "river-pay", &own);
    let end = SessionEnd::Closed {
        own,
        peer,
        result: None,
        stages_ms: Vec::new(),
    };
    Fact::SessionEnded(SessionEnded {
        job: hash(),
        attempt,
        end,
    })
}

fn broken(attempt: u32) -> Fact {
    let end = SessionEnd::Broken {
        problem: problem("the line broke"),
    };
    Fact::SessionEnded(SessionEnded {
        job: hash(),
        attempt,
        end,
    })
}

fn decided(verdict: Verdict) -> Fact {
    let decision = PersonDecision {
        job: hash(),
        org: org("north-bank"),
        person: "mei".parse().expect("a name"),
        verdict,
        reason: "no consent for this".to_owned(),
    };
    let signed = SignedDecision {
        decision,
        signature: Signature([0; 64]),
    };
    Fact::Decided {
        job: hash(),
        signed,
    }
}

/// Facts by the words of the table.
fn fact(word: &str) -> Fact {
    let job = hash();
    let heard = |by, step| Fact::ReportSeen {
        job,
        record: record(Kind::Report, by, &report(step)),
    };
    match word {
        "agreed" => Fact::JobAgreed { job },
        "declined" => Fact::JobDeclined {
            job,
            problem: problem("differs"),
        },
        "given" => Fact::ApprovalGiven {
            job,
            record: record(Kind::Approval, "north-bank", &""),
        },
        "seen" => Fact::ApprovalSeen {
            job,
            record: record(Kind::Approval, "river-pay", &""),
        },
        "yes" => decided(Verdict::Approve),
        "no" => decided(Verdict::Deny),
        "opened1" => opened(1),
        "opened2" => opened(2),
        "opened3" => opened(3),
        "closed1" => closed(1),
        "broken1" => broken(1),
        "broken2" => broken(2),
        "broken3" => broken(3),
        "failed" => Fact::JobFailed {
            job,
            problem: problem("for good"),
        },
        "cancelled" => Fact::JobCancelled { job },
        "expired" => Fact::JobExpired { job },
        "they-declined" => heard("river-pay", Step::Declined),
        "they-denied" => heard("river-pay", Step::Denied),
        "they-failed" => heard("river-pay", Step::Failed),
        "they-cancelled" => heard("river-pay", Step::Cancelled),
        "they-ran" => heard("river-pay", Step::Running),
        other => panic!("no fact is called {other}"),
    }
}

/// A life at `own`, with every report that it owed sent.
fn life(own: &str, words: &str) -> Life {
    let record = record(Kind::Submission, "north-bank", &submission());
    let seen = Entry {
        at_unix_ms: SEEN_MS,
        fact: Fact::SubmissionSeen {
            job: hash(),
            record,
        },
    };
    let mut life = Life::begin(&org(own), &seen).expect("a submission");
    for word in words.split_whitespace() {
        life.apply(&Entry {
            at_unix_ms: SEEN_MS + 1,
            fact: fact(word),
        });
    }
    life
}

fn with_reports_sent(mut life: Life) -> Life {
    while let Some(Next::Report(report)) = life.next(&standing(&Derivation::Same)) {
        let record = record(Kind::Report, "north-bank", &report);
        life.apply(&Entry {
            at_unix_ms: SEEN_MS + 2,
            fact: Fact::ReportSent {
                job: hash(),
                record,
            },
        });
    }
    life
}

fn standing(derivation: &Derivation) -> Standing<'_> {
    Standing {
        now_ms: SEEN_MS + 2,
        derivation,
        quorum_met: false,
        verified: false,
        granted: false,
    }
}

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
