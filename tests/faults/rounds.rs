//! Rounds of an aggregation whose nodes and coordinator are killed: the table is the sum over those that it names, and nobody waits for ever.

use crate::world::{World, until};
use serde_json::Value;
use std::time::Duration;

const ORGS: [&str; 4] = ["alder-bank", "birch-bank", "cedar-bank", "elm-bank"];
const READER: &str = ORGS[0];

const POLICY: &str = r#"[dataset]
name      = "accounts"
consent   = "not-needed"
min_group = 1
min_set   = 5
set_grid  = 10
noise     = "optional"
budget    = { epsilon_per_year = 8.0, jobs_per_30d = 200 }
approvers = { need = 2, of = ["data-owner", "compliance", "security"] }
[columns.mobile]
id  = "e164(+86)"
may = { count = ["alder-bank"] }
[columns.owed]
clip  = [0, 1000]
scale = 0
may   = { sum = ["alder-bank"] }
"#;

const JOB: &str = r#"entente: 1
name: owed
purpose: a test
legal_basis: made-up people
ask: SELECT COUNT(*) AS n, SUM(owed) AS owed FROM "*".accounts
parties: [alder-bank, birch-bank, cedar-bank, elm-bank]
aggregate: { min_parties: 3, dropouts: 1/3 }
protect: { epsilon: none, min_group: 1 }
results_to: [alder-bank]
expires: 2036-01-01T00:00:00Z
"#;

/// The place of an organisation: it has ten accounts more than the one before, each of which owes ten times as much.
fn owed(place: usize) -> (u64, u64) {
    let accounts = 10 * (place as u64 + 1);
    (accounts, accounts * 10_u64.pow(place as u32))
}

fn csv(place: usize) -> String {
    let (accounts, _) = owed(place);
    let line = |n: u64| format!("1380000{n:04},{}\n", 10_u64.pow(place as u32));
    std::iter::once("mobile,owed\n".to_owned())
        .chain((0..accounts).map(line))
        .collect()
}

fn network() -> World {
    let world = World::network(&ORGS);
    for (place, org) in ORGS.iter().enumerate() {
        world
            .add(org, "accounts", csv(place), &["mobile=e164(+86)"])
            .json();
        world.publish(org, "accounts", POLICY).json();
    }
    for at in ORGS {
        for of in ORGS.iter().filter(|of| **of != at) {
            world.await_catalog(at, of, "accounts", 1);
        }
    }
    world
}

/// Submits, and has everybody approve but the last person of the reader, whose approval begins the round.
fn all_but_one(world: &World) -> String {
    let job = world.submit(READER, JOB);
    for org in ORGS {
        world.await_inbox(org, &job);
        world.approve(org, &job, "data-owner").json();
        if org != READER {
            world.approve(org, &job, "compliance").json();
        }
    }
    until("all but one approval", || {
        let jobs = world.at(READER, &["job", "list"]).json();
        let view = jobs
            .as_array()?
            .iter()
            .find(|view| view["id"] == *job)?
            .clone();
        let waiting = view["waiting_for"].as_array()?.clone();
        (waiting.len() == 1 && waiting[0]["org"] == READER).then_some(())
    });
    job
}

fn last_approval(world: &World, job: &str) {
    world.approve(READER, job, "compliance").json();
}

/// The table is the plain sum over exactly the parties that the job names.
#[track_caller]
fn check(world: &World, job: &str, end: &Value) -> Vec<String> {
    assert_eq!(end["state"], "done", "{end}");
    let named = end["summed_parties"]
        .as_array()
        .expect("parties of the sum");
    let named: Vec<String> = named
        .iter()
        .map(|org| org.as_str().expect("a name").to_owned())
        .collect();
    let places = ORGS
        .iter()
        .enumerate()
        .filter(|(_, org)| named.iter().any(|name| name == *org));
    let sums = places.map(|(place, _)| owed(place));
    let (n, sum) = sums.fold((0, 0), |(n, sum), (accounts, owed)| {
        (n + accounts, sum + owed)
    });
    assert_eq!(world.result(READER, job), format!("n,owed\n{n},{sum}\n"));
    named
}

#[test]
fn a_node_that_is_gone_before_the_round_is_waited_for_and_hears_of_the_end_when_it_is_back() {
    let world = network();
    let job = all_but_one(&world);
    world.stop("elm-bank", true);
    last_approval(&world, &job);
    let end = world.end(READER, &job);
    assert_eq!(check(&world, &job, &end), ORGS[..3]);
    world.start("elm-bank");
    let late = world.end("elm-bank", &job);
    assert_eq!(late["state"], "done", "{late}");
    let elsewhere = world.end("birch-bank", &job);
    assert_eq!(elsewhere["state"], "done", "{elsewhere}");
    assert!(elsewhere["result_rows"].is_null(), "{elsewhere}");
}

#[test]
fn a_coordinator_that_is_killed_before_the_round_only_delays_it() {
    let world = network();
    let job = all_but_one(&world);
    world.kill_coordinator();
    last_approval(&world, &job);
    world.start_coordinator();
    let end = world.end(READER, &job);
    assert_eq!(check(&world, &job, &end), ORGS);
}

#[test]
fn a_node_killed_at_any_moment_of_a_round_leaves_a_right_table_or_another_round() {
    let world = network();
    for (moment_ms, victim) in [(0, 1), (15, 2), (40, 3), (80, 1)] {
        let job = all_but_one(&world);
        last_approval(&world, &job);
        // The moment is what is tried out: before, in or after the round.
        std::thread::sleep(Duration::from_millis(moment_ms));
        world.stop(ORGS[victim], true);
        let end = world.end(READER, &job);
        let named = check(&world, &job, &end);
        assert!(named.len() >= 3, "{moment_ms} ms: {named:?}");
        world.start(ORGS[victim]);
        let back = world.end(ORGS[victim], &job);
        assert_eq!(back["state"], "done", "{moment_ms} ms: {back}");
    }
}

#[test]
fn a_reader_killed_at_any_moment_of_a_round_gets_its_table_from_this_round_or_another() {
    let world = network();
    for moment_ms in [0, 30, 80] {
        let job = all_but_one(&world);
        last_approval(&world, &job);
        // The moment is what is tried out: before, in or after the round.
        std::thread::sleep(Duration::from_millis(moment_ms));
        world.stop(READER, true);
        world.start(READER);
        let end = world.end(READER, &job);
        check(&world, &job, &end);
        for org in &ORGS[1..] {
            let end = world.end(org, &job);
            assert_eq!(end["state"], "done", "{moment_ms} ms, {org}: {end}");
        }
    }
}
