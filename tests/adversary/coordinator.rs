//! A coordinator in an adversary's hands can delay and lose. It cannot change, invent, or bring back.

use crate::world::files::{self, BY_TIER, OVERLAP, SHARED, job};
use crate::world::taken::Alter;
use crate::world::{BANK, PAY, World, until};
use entente_certs::PrivateKey;
use entente_wire::people::Registry;
use entente_wire::rpc::record::v1::{Kind, Record};
use entente_wire::sign::{self, PublicKey, Signer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Hands everything out as it came.
fn honest() -> Arc<Alter> {
    Arc::new(|record, _| vec![record.clone()])
}

/// The body of a record with one text put in the place of another.
fn rewritten(record: &Record, from: &str, to: &str) -> Record {
    let body = String::from_utf8(record.body.clone()).expect("records are JSON");
    assert!(body.contains(from), "{body}");
    Record {
        body: body.replace(from, to).into_bytes(),
        ..record.clone()
    }
}

fn job_at(world: &World, org: &str, id: &str) -> Option<Value> {
    let jobs = world.at(org, &["job", "list"]).json();
    let jobs = jobs.as_array().cloned().unwrap_or_default();
    jobs.into_iter().find(|job| job["id"] == id)
}

fn state(world: &World, org: &str, id: &str) -> String {
    let job = job_at(world, org, id).unwrap_or_default();
    job["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_job_changed_on_its_way_to_one_side_reaches_nobodys_inbox() {
    let world = World::linked();
    // For the partner the question narrows to fewer people; for the asker it stays as it was.
    let taken = world.take_over(Arc::new(|record, org| {
        if record.kind() == Kind::Submission && org == PAY {
            return vec![rewritten(
                record,
                "u.mobile\\n",
                "u.mobile WHERE u.active\\n",
            )];
        }
        vec![record.clone()]
    }));
    world.datasets("changed");
    let first = world.submit(BANK, &job("changed", OVERLAP));
    until("the submission at the coordinator", || {
        (!taken.records_of(Kind::Submission, BANK).is_empty()).then_some(())
    });
    // What is published after it arrives after it, so the changed job had its chance.
    world
        .add(
            BANK,
            "changed-late",
            files::customers(),
            &["mobile=e164(+86)"],
        )
        .json();
    let policy = files::customers_policy("changed-late");
    world.publish(BANK, "changed-late", &policy).json();
    world.await_catalog(PAY, BANK, "changed-late", 1);
    let inbox = world.at(PAY, &["inbox"]).json();
    assert_eq!(inbox, serde_json::json!([]));
    // Under an honest coordinator the true one arrives.
    drop(taken);
    world.start_coordinator();
    world.await_inbox(PAY, &first);
    let inbox = world.at(PAY, &["inbox"]).json().to_string();
    assert!(!inbox.contains("WHERE u.active"), "{inbox}");
}

#[test]
fn approvals_of_one_job_do_not_count_for_another() {
    let world = World::linked();
    let taken = world.take_over(honest());
    world.datasets("replay");
    let (first, end) = world.run(&job("replay", OVERLAP));
    assert_eq!(end["state"], "done", "{end}");
    let given = taken.records_of(Kind::Approval, PAY);
    assert!(!given.is_empty());
    let second = world.submit(BANK, &job("replay", OVERLAP));
    assert_ne!(first, second, "two submissions of one text are two jobs");
    world.await_inbox(BANK, &second);
    world.approve(BANK, &second, "data-owner").json();
    world.approve(BANK, &second, "compliance").json();
    let hash = |id: &str| {
        let job = job_at(&world, BANK, id).expect("the job");
        job["hash"].as_str().expect("a hash").to_owned()
    };
    for approval in given {
        // As it was given, and with the other job's hash in it.
        taken.inject(approval.clone());
        taken.inject(rewritten(&approval, &hash(&first), &hash(&second)));
    }
    // What comes after them arrives, so they had their chance.
    world
        .add(PAY, "replay-late", files::users(), &["mobile=e164(+86)"])
        .json();
    world
        .publish(PAY, "replay-late", &files::users_policy("replay-late"))
        .json();
    world.await_catalog(BANK, PAY, "replay-late", 1);
    assert_eq!(state(&world, BANK, &second), "awaiting-approvals");
    assert!(!world.at(BANK, &["job", "result", &second]).succeeded());
}

#[test]
fn a_policy_changed_on_its_way_is_not_believed() {
    let world = World::linked();
    let taken = world.take_over(Arc::new(|record, org| {
        if record.kind() == Kind::Publication && record.org == PAY && org == BANK {
            return vec![rewritten(record, "\"min_set\":500", "\"min_set\":1")];
        }
        vec![record.clone()]
    }));
    let users = "policy-u";
    world
        .add(PAY, users, files::users(), &["mobile=e164(+86)"])
        .json();
    world
        .publish(PAY, users, &files::users_policy(users))
        .json();
    until("the publication at the coordinator", || {
        (!taken.records_of(Kind::Publication, PAY).is_empty()).then_some(())
    });
    drop(taken);
    world.start_coordinator();
    world.await_catalog(BANK, PAY, users, 1);
    let catalog = world.at(BANK, &["catalog"]).json();
    let entries = catalog.as_array().cloned().unwrap_or_default();
    let min_sets = entries
        .iter()
        .map(|entry| &entry["publication"]["policy"]["min_set"]);
    assert!(min_sets.clone().all(|min_set| *min_set == 500), "{catalog}");
}

#[test]
fn people_that_a_coordinator_invents_cannot_approve() {
    let world = World::linked();
    let taken = world.take_over(honest());
    world.datasets("invented");
    // A registry of the partner with the adversary's own node key, signed by a root of the adversary's own.
    let root = PrivateKey::generate();
    let signer = Signer::from_pkcs8(root.pkcs8()).expect("a key");
    let invented = Registry {
        org: PAY.parse().expect("a name"),
        version: 1_000,
        node_key: PublicKey::from_bytes(PrivateKey::generate().public_key()),
        people: BTreeMap::new(),
    };
    let org = invented.org.clone();
    let record = sign::Record::sign(&signer, sign::Kind::Registry, &org, &invented);
    taken.inject(record.into());
    let (id, end) = world.run(&job("invented", OVERLAP));
    assert_eq!(end["state"], "done", "the true registry still holds: {end}");
    assert_eq!(world.result(BANK, &id), format!("n\n{SHARED}\n"));
    let partners = world.at(BANK, &["partners"]).json();
    assert_ne!(partners[0]["registry_version"], 1_000, "{partners}");
}

#[test]
fn records_that_come_twice_change_nothing() {
    let world = World::linked();
    let _taken = world.take_over(Arc::new(|record, _| vec![record.clone(), record.clone()]));
    world.datasets("twice");
    let (id, end) = world.run(&job("twice", BY_TIER));
    assert_eq!(end["state"], "done", "{end}");
    assert_eq!(world.result(BANK, &id).lines().count(), 3);
}

#[test]
fn rubbish_from_the_coordinator_stops_no_node() {
    let world = World::linked();
    let taken = world.take_over(honest());
    for kind in [
        Kind::Unspecified,
        Kind::Registry,
        Kind::Publication,
        Kind::Submission,
        Kind::Approval,
        Kind::Report,
    ] {
        for org in [BANK, PAY, "harbour-bank", "", "NOT A NAME"] {
            for body in [&b""[..], b"{}", &[0xff; 100], &[b'['; 200_000]] {
                taken.inject(Record {
                    kind: kind.into(),
                    org: org.to_owned(),
                    body: body.to_vec(),
                    signature: vec![7; 64],
                });
            }
        }
    }
    world.datasets("rubbish");
    let (_, end) = world.run(&job("rubbish", OVERLAP));
    assert_eq!(end["state"], "done", "{end}");
}

#[test]
fn a_job_that_the_coordinator_loses_does_not_run_and_can_be_cancelled() {
    let world = World::linked();
    let _taken = world.take_over(Arc::new(|record, org| {
        let lost = record.kind() == Kind::Submission && org == PAY;
        if lost {
            Vec::new()
        } else {
            vec![record.clone()]
        }
    }));
    world.datasets("lost");
    let id = world.submit(BANK, &job("lost", OVERLAP));
    world.await_inbox(BANK, &id);
    world.approve(BANK, &id, "data-owner").json();
    world.approve(BANK, &id, "compliance").json();
    assert_eq!(job_at(&world, PAY, &id), None);
    assert_ne!(state(&world, BANK, &id), "done");
    let cancelled = world.at(BANK, &["job", "cancel", &id]).json();
    assert_eq!(cancelled["state"], "cancelled");
}
