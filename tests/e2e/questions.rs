//! Questions that may not be asked: refused with the rule and who could change it, before anybody is asked to approve.

use crate::world::files::{OVERLAP, SHARED, job, job_with, users_policy};
use crate::world::{BANK, PAY, World};
use entente_wire::problem::{Code, Problem};

/// The problems that checking a job over the datasets of test `name` gives; submitting it gives the first of them too.
#[track_caller]
fn refused(name: &str, ask: &str, code: Code) -> Problem {
    let world = World::shared();
    world.datasets(name);
    let yaml = job(name, ask);
    let path = world.file(&format!("{name}-check.yaml"), &yaml);
    let problem = world.at(BANK, &["job", "check", &path]).problem(code);
    world.try_submit(BANK, &yaml).problem(code);
    problem
}

#[test]
fn a_column_used_without_its_verb_is_refused_and_says_who_could_grant_it() {
    let ask = format!("{OVERLAP} WHERE u.segment = 'vip'");
    let problem = refused("verb", &ask, Code::PolicyRefuses);
    let text = format!("{} {}", problem.what, problem.todo);
    assert!(text.contains("filter") && text.contains(PAY), "{problem:?}");
}

#[test]
fn a_column_that_is_not_published_is_refused() {
    let ask = format!("{OVERLAP} WHERE u.salary > 1");
    refused("unpublished", &ask, Code::Question);
}

#[test]
fn an_aggregate_over_the_partners_column_is_refused_to_protocols_that_reveal() {
    let ask = "SELECT u.segment, COUNT(*) AS n FROM {c} c JOIN {u} u ON c.mobile = u.mobile GROUP BY u.segment";
    let world = World::shared();
    let name = "blind";
    world.datasets(name);
    let granted = users_policy("blind-u").replace(
        "[columns.segment]",
        "[columns.segment]\nmay = { group = [\"north-bank\"] }",
    );
    world.publish(PAY, "blind-u", &granted).json();
    world.await_catalog(BANK, PAY, "blind-u", 2);
    let blind = job(name, ask);
    let vole = blind.replace("epsilon: none", "epsilon: none, protocol: vole");
    assert_ne!(blind, vole);
    let problem = world.try_submit(BANK, &vole).problem(Code::Question);
    assert!(problem.todo.contains("blind join"), "{problem:?}");
    let (id, end) = world.run(&blind);
    assert_eq!(end["state"], "done", "{end}");
    assert_eq!(end["suppressed_groups"], 1, "nobody is new: {end}");
    let due = format!("segment,n\nvip,{SHARED}\n");
    assert_eq!(world.result(BANK, &id), due);
}

#[test]
fn what_is_not_in_the_language_is_refused_with_its_position() {
    let ask = "SELECT DISTINCT c.tier FROM {c} c JOIN {u} u ON c.mobile = u.mobile";
    refused("distinct", ask, Code::Question);
}

#[test]
fn a_job_that_has_expired_is_refused() {
    let world = World::shared();
    world.datasets("expired");
    let yaml = job_with("expired", OVERLAP, "2020-01-01T00:00:00Z", 1);
    world.try_submit(BANK, &yaml).problem(Code::JobExpired);
}

#[test]
fn a_job_file_with_a_mistake_says_in_which_line() {
    let world = World::shared();
    let yaml = job("line", OVERLAP).replace("purpose:", "purpos:");
    let problem = world.try_submit(BANK, &yaml).problem(Code::JobFile);
    assert!(problem.what.contains("line 3"), "{problem:?}");
}

#[test]
fn a_partner_that_is_not_linked_is_named() {
    let world = World::shared();
    world.datasets("stranger");
    let ask =
        "SELECT COUNT(*) AS n FROM {c} c JOIN \"harbour-bank\".users u ON c.mobile = u.mobile";
    let outcome = world.try_submit(BANK, &job("stranger", ask));
    let problem = outcome.problems().remove(0);
    assert!(problem.what.contains("harbour-bank"), "{problem:?}");
}

#[test]
fn a_denied_job_ends_at_both_sides_with_the_reason() {
    let world = World::shared();
    world.datasets("denied");
    let id = world.submit(BANK, &job("denied", OVERLAP));
    world.await_inbox(PAY, &id);
    let key = world.key(PAY, "compliance");
    let deny = ["deny", &id, "--as", "compliance", "--key", &key, "--yes"];
    world.at(PAY, &deny).problem(Code::Argument);
    let reason = [&deny[..], &["--reason", "not this quarter"]].concat();
    world.at(PAY, &reason).json();
    let end = world.end(BANK, &id);
    assert_eq!(end["state"], "failed", "{end}");
    let what = end["problem"]["what"].as_str().unwrap_or_default();
    assert!(
        what.contains("not this quarter") || what.contains("denied"),
        "{end}"
    );
}

#[test]
fn a_cancelled_job_ends_at_both_sides() {
    let world = World::shared();
    world.datasets("cancelled");
    let id = world.submit(BANK, &job("cancelled", OVERLAP));
    world.await_inbox(PAY, &id);
    world.at(BANK, &["job", "cancel", &id]).json();
    assert_eq!(world.end(BANK, &id)["state"], "cancelled");
    assert_eq!(world.end(PAY, &id)["state"], "cancelled");
}

#[test]
fn the_preview_names_every_observer_and_reads_no_data() {
    let world = World::shared();
    world.datasets("preview");
    let path = world.file("preview.yaml", job("preview", OVERLAP));
    let page = world.at(BANK, &["job", "preview", &path]).json();
    let observers = page["observers"].as_array().map(Vec::len);
    assert_eq!(
        observers,
        Some(4),
        "both parties, the coordinator, an eavesdropper: {page}"
    );
    let text = crate::world::command::entente_text(&world.home(BANK), &["job", "preview", &path]);
    for who in [BANK, PAY, "coordinator"] {
        assert!(text.stdout.contains(who), "{}", text.stdout);
    }
}
