//! What was acknowledged survives a power cut at any node or the coordinator, and the loss of every cache.

use crate::world::files::{OVERLAP, SHARED, job};
use crate::world::{BANK, PAY, World, until};
use entente_wire::problem::Code;
use serde_json::Value;

fn job_at(world: &World, org: &str, id: &str) -> Option<Value> {
    let jobs = world.at(org, &["job", "list"]).json();
    let jobs = jobs.as_array().cloned().unwrap_or_default();
    jobs.into_iter().find(|job| job["id"] == id)
}

#[test]
fn approvals_survive_a_power_cut_at_every_party_and_the_loss_of_every_cache() {
    let world = World::linked();
    world.datasets("cut");
    let id = world.submit(BANK, &job("cut", OVERLAP));
    for org in [BANK, PAY] {
        world.await_inbox(org, &id);
        world.approve(org, &id, "data-owner").json();
    }
    world.kill_coordinator();
    for org in [BANK, PAY] {
        world.stop(org, true);
        // What can be rebuilt from the journal is rebuilt.
        std::fs::remove_dir_all(world.home(org).join("state")).expect("there is a cache");
    }
    std::fs::remove_dir_all(world.folder.path().join("coordinator/state")).expect("a cache");
    world.start_coordinator();
    for org in [BANK, PAY] {
        world.start(org);
        let view = job_at(&world, org, &id).expect("the job is still known");
        assert_eq!(view["state"], "awaiting-approvals", "{view}");
        world.approve(org, &id, "compliance").json();
    }
    let end = world.end(BANK, &id);
    assert_eq!(end["state"], "done", "{end}");
    assert_eq!(world.result(BANK, &id), format!("n\n{SHARED}\n"));
}

#[test]
fn a_result_and_a_used_up_run_survive_a_power_cut() {
    let world = World::linked();
    world.datasets("used");
    let (id, end) = world.run(&job("used", OVERLAP));
    assert_eq!(end["state"], "done", "{end}");
    for org in [BANK, PAY] {
        world.stop(org, true);
        world.start(org);
    }
    assert_eq!(world.result(BANK, &id), format!("n\n{SHARED}\n"));
    for org in [BANK, PAY] {
        let view = job_at(&world, org, &id).expect("the job is still known");
        assert_eq!(view["state"], "done", "{view}");
    }
    assert!(!world.approve(BANK, &id, "security").succeeded());
}

#[test]
fn a_partner_killed_in_the_run_never_leaves_the_other_waiting() {
    let world = World::linked();
    world.datasets("midway");
    let id = world.submit(BANK, &job("midway", OVERLAP));
    world.approve_all(&id);
    // Somewhere between the last approval and the result.
    world.stop(PAY, true);
    world.start(PAY);
    let end = world.end(BANK, &id);
    match end["state"].as_str() {
        Some("done") => assert_eq!(world.result(BANK, &id), format!("n\n{SHARED}\n")),
        Some("failed") => assert_eq!(end["problem"]["side"]["org"], PAY, "{end}"),
        _ => panic!("{end}"),
    }
}

#[test]
fn an_asker_killed_in_the_run_takes_it_up_again() {
    let world = World::linked();
    world.datasets("asker");
    let id = world.submit(BANK, &job("asker", OVERLAP));
    world.approve_all(&id);
    world.stop(BANK, true);
    world.start(BANK);
    let end = world.end(BANK, &id);
    assert_eq!(end["state"], "done", "{end}");
    assert_eq!(world.result(BANK, &id), format!("n\n{SHARED}\n"));
}

#[test]
fn a_coordinator_away_stops_no_run_that_is_approved_and_no_local_command() {
    let world = World::linked();
    world.datasets("away");
    let id = world.submit(BANK, &job("away", OVERLAP));
    world.approve_all(&id);
    world.kill_coordinator();
    let end = until("the end of the job", || {
        let view = job_at(&world, BANK, &id)?;
        let state = view["state"].as_str()?.to_owned();
        // The last approval may not have reached the asker before the coordinator went.
        if state == "awaiting-approvals" {
            world.start_coordinator_once();
        }
        matches!(state.as_str(), "done" | "failed").then_some(view)
    });
    assert_eq!(end["state"], "done", "{end}");
    assert!(world.at(BANK, &["catalog"]).succeeded());
    assert!(world.at(BANK, &["data", "list"]).succeeded());
}

#[test]
fn a_damaged_journal_is_refused_and_says_so() {
    let world = World::linked();
    world.datasets("journal");
    world.stop(BANK, false);
    let folder = world.home(BANK).join("journal");
    let mut damaged = 0;
    for entry in std::fs::read_dir(&folder).expect("a journal").flatten() {
        let mut bytes = std::fs::read(entry.path()).expect("it reads");
        if bytes.len() > 2_000 {
            // In the middle: a torn end is what a power cut leaves, and is no damage.
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(entry.path(), bytes).expect("it can be written");
            damaged += 1;
        }
    }
    assert!(damaged > 0, "{}", folder.display());
    let _ = std::fs::remove_dir_all(world.home(BANK).join("state"));
    let problem = world.at(BANK, &["node"]).problem(Code::JournalDamaged);
    assert!(
        problem.todo.contains("backup") || problem.todo.contains("restore"),
        "{problem:?}"
    );
}
