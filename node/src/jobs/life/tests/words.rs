//! Facts of one made-up job, each by a word.

use super::{Derivation, Life, Next, Standing};
use crate::ledger::{Entry, Fact, SessionEnd, SessionEnded, SessionOpened, SignedRecord};
use entente_wire::approval::{PersonDecision, SignedDecision, Verdict};
use entente_wire::canonical::{Digest, to_bytes};
use entente_wire::job::Job;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::report::{Report, Step};
use entente_wire::seal::{JobHash, JobNonce, PartySeal, Protocol, Seal};
use entente_wire::session::{Opening, Transcript};
use entente_wire::sign::{Kind, Signature};
use entente_wire::submission::Submission;

pub(super) const SEEN_MS: u64 = 1_000;
pub(super) const EXPIRES_S: u64 = 10_000;

pub(super) const JOB: &str = r#"entente: 1
name: overlap
purpose: size an offer
legal_basis: consent
ask: SELECT COUNT(*) AS n FROM "north-bank".c b JOIN "river-pay".u p ON b.mobile = p.mobile
protect: { epsilon: none }
results_to: [north-bank]
expires: 1970-01-01T02:46:40Z
"#;

pub(super) fn org(name: &str) -> OrgName {
    name.parse().expect("a name")
}

pub(super) fn submission() -> Submission {
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

pub(super) fn hash() -> JobHash {
    submission().hash()
}

pub(super) fn record<T: serde::Serialize>(kind: Kind, by: &str, document: &T) -> SignedRecord {
    let body = String::from_utf8(to_bytes(document)).expect("JSON is UTF-8");
    SignedRecord {
        kind,
        org: org(by),
        body,
        signature: String::new(),
    }
}

pub(super) fn problem(what: &str) -> Problem {
    Problem::here(Code::PartnerSilent, what, "wait")
}

pub(super) fn report(step: Step) -> Report {
    Report {
        job: hash(),
        attempt: 0,
        step,
        problem: Some(problem("told")),
    }
}

pub(super) fn opened(attempt: u32) -> Fact {
    let opening = Opening {
        version: 1,
        job: hash(),
        attempt,
        dataset_version: Digest([6; 32]),
        ids_rounded: 1_000,
        nonce_commitment: Digest([7; 32]),
        continues: None,
        answered_by: None,
    };
    let (dataset, peer_dataset) = ("c".parse().expect("a name"), "u".parse().expect("a name"));
    Fact::SessionOpened(SessionOpened {
        peer: org("river-pay"),
        dataset,
        peer_dataset,
        opening,
    })
}

pub(super) fn closed(attempt: u32) -> Fact {
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

pub(super) fn broken(attempt: u32) -> Fact {
    let end = SessionEnd::Broken {
        problem: problem("the line broke"),
    };
    Fact::SessionEnded(SessionEnded {
        job: hash(),
        attempt,
        end,
    })
}

pub(super) fn decided(verdict: Verdict) -> Fact {
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
pub(super) fn fact(word: &str) -> Fact {
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
pub(super) fn life(own: &str, words: &str) -> Life {
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

pub(super) fn with_reports_sent(mut life: Life) -> Life {
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

pub(super) fn standing(derivation: &Derivation) -> Standing<'_> {
    Standing {
        now_ms: SEEN_MS + 2,
        derivation,
        quorum_met: false,
        verified: false,
        granted: false,
    }
}
