//! What somebody who wants a run without everybody's yes could hand in. Every test first holds that the honest set passes.

use super::*;
use crate::canonical::Digest;
use crate::job::Job;
use crate::names::{ColumnName, PersonName};
use crate::policy::Policy;
use crate::problem::{Code, Problem};
use crate::publication::{ColumnType, Publication, Schema};
use crate::rehearsal::{Stage, signer};
use crate::seal::{JobNonce, PartySeal, Protocol, Seal};
use crate::sign::{Kind, Record};
use crate::submission::Submission;
use std::collections::BTreeMap;

mod documents;
mod nodes;
mod people;
mod sealed;
mod vectors;

const NOW_UNIX_S: u64 = 1_790_000_000;

fn org(name: &str) -> OrgName {
    name.parse().expect("a valid name")
}
fn north() -> OrgName {
    org("north-bank")
}
fn river() -> OrgName {
    org("river-pay")
}

fn publication(org: OrgName, policy: &str) -> Publication {
    let policy = Policy::from_toml(policy).expect("a good vector");
    let kind = |name: &ColumnName| match name.0.as_str() {
        "spend_90d" => ColumnType::Decimal,
        _ => ColumnType::Text,
    };
    let columns = policy.columns.keys().map(|name| (name.clone(), kind(name)));
    let schema = Schema(columns.collect());
    Publication {
        org,
        version: 1,
        policy,
        schema,
        ids_rounded: 3_000,
    }
}

/// North asks; its policy needs one of two roles, River's two of three.
fn stage() -> Stage {
    let people = [("ada", "compliance"), ("bo", "data-owner")];
    Stage::default()
        .with_org("north-bank", &people)
        .with_org(
            "river-pay",
            &[
                ("mei", "compliance"),
                ("lin", "data-owner"),
                ("kai", "data-owner"),
                ("tao", "intern"),
            ],
        )
        .with_org("harbour-bank", &people)
        .with_publication(publication(
            north(),
            include_str!("../../../vectors/wire/policy/customers.toml"),
        ))
        .with_publication(publication(
            river(),
            include_str!("../../../vectors/wire/policy/users.toml"),
        ))
}

/// A sealed job. The plan and the statement are not looked at here, so their digests are made up.
fn submission(stage: &Stage) -> Submission {
    let job = Job::from_yaml(include_str!("../../../vectors/wire/job/overlap.yaml"))
        .expect("a good vector");
    let parties = [north(), river()].map(|org| {
        let publication = stage
            .cast(&org)
            .publications
            .values()
            .next()
            .expect("published");
        (org, PartySeal::of(publication))
    });
    let seal = Seal {
        job: job.digest(),
        nonce: JobNonce([7; 16]),
        asker: north(),
        plan_version: 1,
        plan: Digest([1; 32]),
        protocol: Protocol::Ecdh {
            profile: "ristretto255".to_owned(),
        },
        parties: BTreeMap::from(parties),
        leakage: Digest([2; 32]),
    };
    Submission { job, seal }
}

fn yes(
    stage: &Stage,
    submission: &Submission,
    org: &OrgName,
    people: &[&str],
) -> Vec<SignedDecision> {
    let hash = submission.hash();
    people
        .iter()
        .map(|person| stage.decision(org, person, hash, Verdict::Approve))
        .collect()
}

/// The honest set: Ada for North; Mei and Lin for River.
fn honest(stage: &Stage, submission: &Submission) -> Vec<Record> {
    let hash = submission.hash();
    [(north(), ["ada"].as_slice()), (river(), &["mei", "lin"])]
        .map(|(org, people)| stage.node_approval(&org, hash, yes(stage, submission, &org, people)))
        .into()
}

fn check(
    stage: &Stage,
    submission: &Submission,
    approvals: &[Record],
) -> Result<VerifiedApproval, Problem> {
    verify(submission, stage, stage, approvals, NOW_UNIX_S)
}

/// Verifies with River's decisions replaced.
fn with_river(stage: &Stage, decisions: Vec<SignedDecision>) -> Result<VerifiedApproval, Problem> {
    let submission = submission(stage);
    let mut approvals = honest(stage, &submission);
    check(stage, &submission, &approvals).expect("the honest set passes");
    approvals[1] = stage.node_approval(&river(), submission.hash(), decisions);
    check(stage, &submission, &approvals)
}

#[track_caller]
fn refused(result: Result<VerifiedApproval, Problem>, code: Code, words: &str) {
    let problem = result.expect_err("has to be refused");
    assert_eq!(problem.code, code, "{problem}");
    assert!(problem.what.contains(words), "{problem}");
    assert!(!problem.todo.is_empty());
}

fn person(name: &str) -> PersonName {
    name.parse().expect("a valid name")
}

#[test]
fn the_honest_set_is_verified_and_says_what_was_approved() {
    let stage = stage();
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    let verified = check(&stage, &submission, &approvals).expect("honest");
    assert_eq!(verified.job(), &submission.job);
    assert_eq!(verified.seal(), &submission.seal);
    assert_eq!(verified.hash(), submission.hash());
    assert_eq!(verified.asker(), &north());
    assert_eq!(
        verified.party(&river()),
        submission.seal.parties.get(&river())
    );
    assert_eq!(verified.party(&org("harbour-bank")), None);
    let digests: Vec<Digest> = approvals.iter().map(Record::digest).collect();
    assert!(verified.approvals().values().eq(&digests));
    let reversed: Vec<Record> = approvals.into_iter().rev().collect();
    assert_eq!(
        check(&stage, &submission, &reversed),
        Ok(verified),
        "order does not matter"
    );
}
