//! What is read at the end is the truth, and only those who may read it can.

use crate::world::files::{self, BY_TIER, GOLD, OVERLAP, REVEAL, SHARED, job};
use crate::world::{BANK, PAY, World};
use entente_wire::problem::Code;
use std::collections::BTreeSet;

#[test]
fn an_overlap_is_the_number_of_people_in_both_files() {
    let world = World::shared();
    world.datasets("overlap");
    let (id, end) = world.run(&job("overlap", OVERLAP));
    assert_eq!(end["state"], "done", "{end}");
    assert_eq!(world.result(BANK, &id), format!("n\n{SHARED}\n"));
}

#[test]
fn a_table_has_exact_cells_and_hides_small_groups() {
    let world = World::shared();
    world.datasets("tier");
    let (id, end) = world.run(&job("tier", BY_TIER));
    assert_eq!(end["state"], "done", "{end}");
    assert_eq!(end["suppressed_groups"], 1, "gold has {GOLD} people");
    let mut due: Vec<String> = Vec::new();
    for (tier, is_in) in [
        ("basic", (|n| n % 3 != 0) as fn(u64) -> bool),
        ("silver", |n| n % 3 == 0),
    ] {
        let people: Vec<u64> = (GOLD..SHARED).filter(|n| is_in(*n)).collect();
        let hundredths: u64 = people.iter().map(|n| n * 100 + 25).sum();
        let total = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        due.push(format!("{tier},{},{total}", people.len()));
    }
    let csv = world.result(BANK, &id);
    let rows: BTreeSet<&str> = csv.lines().skip(1).collect();
    assert_eq!(rows, due.iter().map(String::as_str).collect(), "{csv}");
    assert!(!csv.contains("gold"), "{csv}");
}

#[test]
fn a_revealed_list_holds_the_askers_own_rows_of_shared_people() {
    let world = World::shared();
    world.datasets("reveal");
    let (id, end) = world.run(&job("reveal", REVEAL));
    assert_eq!(end["state"], "done", "{end}");
    assert_eq!(end["result_rows"], SHARED);
    let csv = world.result(BANK, &id);
    let got: BTreeSet<&str> = csv
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap_or(""))
        .collect();
    let due: BTreeSet<String> = (0..SHARED).map(files::mobile).collect();
    assert_eq!(got, due.iter().map(String::as_str).collect());
}

#[test]
fn a_file_named_parquet_holds_the_result_in_the_types_of_the_dataset() {
    let world = World::shared();
    world.datasets("typed");
    let (id, end) = world.run(&job("typed", REVEAL));
    assert_eq!(end["state"], "done", "{end}");
    let file = |name: &str| world.folder.path().join(name).display().to_string();
    let (parquet, csv) = (file("typed.parquet"), file("typed.out"));
    for out in [&parquet, &csv] {
        world.at(BANK, &["job", "result", &id, "--out", out]).json();
    }
    let read = std::fs::read_to_string(&csv).expect("any other name is CSV");
    assert_eq!(read, world.result(BANK, &id));
    let add = [
        "data",
        "add",
        "typed-again",
        "--from",
        &parquet,
        "--id",
        "mobile=e164(+86)",
    ];
    let report = world.at(BANK, &add).json();
    assert_eq!(report["rows"], SHARED);
    let types = serde_json::json!([
        ["mobile", "text"],
        ["tier", "text"],
        ["balance", "decimal"],
        ["opened_on", "date"]
    ]);
    assert_eq!(report["columns"], types);
    world
        .at(PAY, &["job", "result", &id, "--out", &parquet])
        .problem(Code::ResultNotYours);
}

#[test]
fn a_filter_of_the_partner_narrows_the_answer() {
    let world = World::shared();
    world.datasets("filter");
    let ask = format!("{OVERLAP} WHERE u.active");
    let (id, end) = world.run(&job("filter", &ask));
    assert_eq!(end["state"], "done", "{end}");
    assert_eq!(world.result(BANK, &id), format!("n\n{}\n", SHARED / 2));
}

#[test]
fn a_result_can_be_read_only_by_whom_the_job_names() {
    let world = World::shared();
    world.datasets("reader");
    let (id, _) = world.run(&job("reader", OVERLAP));
    world.at(PAY, &["job", "result", &id, "--csv"]).problems();
    world
        .at(PAY, &["job", "result", &id])
        .problem(Code::ResultNotYours);
    let results = world.home(PAY).join("results");
    let left = std::fs::read_dir(results).map(|entries| entries.count());
    assert_eq!(left.unwrap_or(0), 0, "no result file at the partner");
}

#[test]
fn a_job_runs_as_often_as_it_says_and_never_again() {
    let world = World::shared();
    world.datasets("once");
    let (id, end) = world.run(&job("once", OVERLAP));
    assert_eq!(end["state"], "done", "{end}");
    // Approving again cannot start it again.
    let again = world.approve(BANK, &id, "security");
    assert!(!again.succeeded(), "{again:?}");
    let jobs = world.at(BANK, &["job", "list"]).json();
    let job = jobs
        .as_array()
        .and_then(|jobs| jobs.iter().find(|job| job["id"] == *id))
        .cloned();
    assert_eq!(job.map(|job| job["state"].clone()), Some("done".into()));
}
