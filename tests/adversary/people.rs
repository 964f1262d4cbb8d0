//! People without the right: the wrong key, the wrong role, too few, twice the same, somebody else's name, another job's hash.

use crate::world::command::Outcome;
use crate::world::files::{OVERLAP, job};
use crate::world::{BANK, PAY, World};
use entente_certs::PrivateKey;
use entente_wire::approval::{PersonDecision, SignedDecision, Verdict};
use entente_wire::canonical;
use entente_wire::local::InboxItem;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::local::v1 as rpc;
use entente_wire::sign::Signer;
use hyper_util::rt::TokioIo;
use rpc::local_client::LocalClient;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A job that waits for approvals at both organisations.
fn waiting(world: &World, name: &str) -> String {
    world.datasets(name);
    let id = world.submit(BANK, &job(name, OVERLAP));
    world.await_inbox(BANK, &id);
    world.await_inbox(PAY, &id);
    id
}

fn job_at(world: &World, org: &str, id: &str) -> Value {
    let jobs = world.at(org, &["job", "list"]).json();
    let jobs = jobs.as_array().cloned().unwrap_or_default();
    let job = jobs.into_iter().find(|job| job["id"] == id);
    job.expect("the job is listed")
}

/// Exactly so many approvals are missing at an organisation.
#[track_caller]
fn still_missing(world: &World, org: &str, id: &str, need: u64) {
    let view = job_at(world, org, id);
    let waiting = view["waiting_for"].as_array().cloned().unwrap_or_default();
    let missing = waiting.into_iter().find(|waiting| waiting["org"] == org);
    let missing = missing.map_or(0, |waiting| waiting["need"].as_u64().unwrap_or(0));
    assert_eq!(missing, need, "{view}");
}

fn decide(world: &World, org: &str, id: &str, person: &str, key: &str) -> Outcome {
    let args = ["approve", id, "--as", person, "--key", key, "--yes"];
    world.at(org, &args)
}

fn chmod(mode: &str, file: &str) {
    let status = Command::new("chmod").args([mode, file]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

#[test]
fn nobody_approves_with_anothers_key() {
    let world = World::shared();
    let id = waiting(&world, "key");
    for key in [world.key(PAY, "security"), world.key(BANK, "compliance")] {
        decide(&world, PAY, &id, "compliance", &key).problem(Code::ApprovalRefused);
    }
    still_missing(&world, PAY, &id, 2);
}

#[test]
fn a_person_who_is_not_registered_cannot_approve() {
    let world = World::shared();
    let id = waiting(&world, "stranger");
    let key = world
        .folder
        .path()
        .join("stranger.key")
        .display()
        .to_string();
    world.at(PAY, &["people", "keygen", "--out", &key]).json();
    decide(&world, PAY, &id, "stranger", &key).problem(Code::PersonUnknown);
    still_missing(&world, PAY, &id, 2);
}

#[test]
fn one_person_counts_once() {
    let world = World::shared();
    let id = waiting(&world, "once");
    world.approve(PAY, &id, "compliance").json();
    let again = world.approve(PAY, &id, "compliance");
    if !again.succeeded() {
        again.problem(Code::ApprovalRefused);
    }
    still_missing(&world, PAY, &id, 1);
}

#[test]
fn two_people_of_one_role_count_once() {
    let world = World::linked();
    let key = world.folder.path().join("second.key").display().to_string();
    world.at(PAY, &["people", "keygen", "--out", &key]).json();
    let public = format!("{key}.pub");
    let add = [
        "people",
        "add",
        "second",
        "--role",
        "compliance",
        "--key",
        &public,
    ];
    world.at(PAY, &add).json();
    let id = waiting(&world, "role");
    world.approve(PAY, &id, "compliance").json();
    let second = decide(&world, PAY, &id, "second", &key);
    if !second.succeeded() {
        second.problem(Code::ApprovalRefused);
    }
    still_missing(&world, PAY, &id, 1);
}

#[test]
fn too_few_approvals_run_nothing_and_one_denial_ends_the_job() {
    let world = World::shared();
    let id = waiting(&world, "few");
    world.approve(BANK, &id, "data-owner").json();
    world.approve(BANK, &id, "compliance").json();
    world.approve(PAY, &id, "compliance").json();
    still_missing(&world, PAY, &id, 1);
    assert!(!world.at(BANK, &["job", "result", &id]).succeeded());
    assert_eq!(job_at(&world, PAY, &id)["state"], "awaiting-approvals");
    let key = world.key(PAY, "security");
    let deny = [
        "deny", &id, "--as", "security", "--key", &key, "--yes", "--reason", "no",
    ];
    world.at(PAY, &deny).json();
    assert_eq!(world.end(BANK, &id)["state"], "failed");
}

#[test]
fn a_missing_bad_or_open_key_file_is_named() {
    let world = World::shared();
    let id = waiting(&world, "file");
    let absent = decide(&world, PAY, &id, "compliance", "/nowhere/mei.key").problem(Code::KeyFile);
    assert!(absent.what.contains("/nowhere/mei.key"), "{absent:?}");
    let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let bad = world.file("bad.key", pem);
    chmod("600", &bad);
    decide(&world, PAY, &id, "compliance", &bad).problem(Code::KeyFile);
    let copy = std::fs::read(world.key(PAY, "compliance")).expect("a key");
    let open = world.file("open.key", copy);
    chmod("644", &open);
    let problem = decide(&world, PAY, &id, "compliance", &open).problem(Code::KeyFile);
    assert!(problem.what.contains("others"), "{problem:?}");
    still_missing(&world, PAY, &id, 2);
}

/// Hands a signed decision to the node itself, past the command.
fn hand_in(world: &World, org: &str, decision: &SignedDecision) -> Result<(), Problem> {
    let socket = world.home(org).join("node.sock");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let connector = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move {
                tokio::net::UnixStream::connect(socket)
                    .await
                    .map(TokioIo::new)
            }
        });
        let endpoint = tonic::transport::Endpoint::from_static("http://node.sock");
        let channel = endpoint.connect_with_connector(connector).await;
        let mut client = LocalClient::new(channel.expect("the node runs"));
        let body = canonical::to_bytes(&decision.decision);
        let signature = decision.signature.0.to_vec();
        let answer = client.decide(rpc::Decision { body, signature }).await;
        answer
            .map(|_| ())
            .map_err(|status| Problem::from_status(&status))
    })
}

#[test]
fn a_decision_signed_over_something_else_does_not_count() {
    let world = World::shared();
    let (first, second) = (waiting(&world, "first"), waiting(&world, "second"));
    let key = PrivateKey::load(Path::new(&world.key(PAY, "compliance"))).expect("a key");
    let signer = Signer::from_pkcs8(key.pkcs8()).expect("a key");
    let hash = |id: &str| {
        let inbox = world.at(PAY, &["inbox"]).json();
        let inbox: Vec<InboxItem> = serde_json::from_value(inbox).expect("an inbox");
        let item = inbox.into_iter().find(|item| item.job.id == id);
        item.expect("the job waits").submission.hash()
    };
    let decision = |id: &str, org: &str| PersonDecision {
        job: hash(id),
        org: org.parse().expect("a name"),
        person: "compliance".parse().expect("a name"),
        verdict: Verdict::Approve,
        reason: String::new(),
    };
    // In the name of another organisation, at both.
    let elsewhere = SignedDecision::sign(&signer, decision(&first, BANK));
    hand_in(&world, PAY, &elsewhere).expect_err("it speaks for another organisation");
    hand_in(&world, BANK, &elsewhere).expect_err("the key is not one of theirs");
    // The first job's signature under the second job's decision.
    let mut moved = SignedDecision::sign(&signer, decision(&first, PAY));
    moved.decision.job = hash(&second);
    hand_in(&world, PAY, &moved).expect_err("the signature is over the first job");
    // A denial turned into an approval.
    let denial = PersonDecision {
        verdict: Verdict::Deny,
        reason: "no".to_owned(),
        ..decision(&first, PAY)
    };
    let mut turned = SignedDecision::sign(&signer, denial);
    turned.decision.verdict = Verdict::Approve;
    hand_in(&world, PAY, &turned).expect_err("the signature is over a denial");
    still_missing(&world, PAY, &first, 2);
    still_missing(&world, PAY, &second, 2);
}
