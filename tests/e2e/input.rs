//! Bad files and bad policies: each gets its own message that says on whose side and what to do, and changes nothing.

use crate::world::files::{self, customers_policy, users_policy};
use crate::world::{BANK, PAY, World};
use entente_wire::problem::{Code, Problem, Side};

/// The problem that registering a file gives; nothing is registered by it.
#[track_caller]
fn refused(name: &str, csv: impl AsRef<[u8]>, code: Code) -> Problem {
    let world = World::shared();
    let outcome = world.add(BANK, name, csv, &["mobile=e164(+86)"]);
    let problem = outcome.problem(code);
    let list = world.at(BANK, &["data", "list"]).json();
    let kept = list
        .as_array()
        .is_some_and(|list| list.iter().any(|each| each["dataset"] == name));
    assert!(!kept, "{name} is registered although it was refused");
    problem
}

#[test]
fn a_missing_id_column_is_named() {
    let problem = refused("no-id", "phone,tier\n13800000000,a\n", Code::ColumnMissing);
    assert!(problem.what.contains("mobile"), "{problem:?}");
}

#[test]
fn a_column_that_stands_twice_is_named() {
    let csv = "mobile,mobile\n13800000000,13800000001\n";
    let problem = refused("twice", csv, Code::FileMalformed);
    assert!(problem.what.contains("mobile"), "{problem:?}");
}

#[test]
fn an_empty_file_is_refused() {
    refused("empty", "", Code::FileMalformed);
}

#[test]
fn a_file_with_a_header_alone_has_no_usable_ids() {
    refused("header", "mobile,tier\n", Code::NoUsableIds);
}

#[test]
fn a_ragged_file_is_refused_with_its_line() {
    let csv = "mobile,tier\n13800000000,a\n13800000001,b,c\n13800000002,d\n";
    let problem = refused("ragged", csv, Code::FileMalformed);
    assert!(problem.what.contains('3'), "the line: {problem:?}");
}

#[test]
fn a_file_in_another_encoding_is_refused() {
    let csv = b"mobile,name\n13800000000,\xcd\xf5\xce\xb0\n".to_vec();
    let problem = refused("gbk", csv, Code::FileMalformed);
    assert!(
        problem.what.contains("UTF-8") || problem.todo.contains("UTF-8"),
        "{problem:?}"
    );
}

#[test]
fn a_file_without_a_usable_id_is_refused() {
    refused(
        "unusable",
        "mobile,tier\nunknown,a\n12,b\n,c\n",
        Code::NoUsableIds,
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let world = World::shared();
    let args = [
        "data",
        "add",
        "absent",
        "--from",
        "/nowhere/x.csv",
        "--id",
        "mobile=raw",
    ];
    let problem = world.at(BANK, &args).problem(Code::FileUnreadable);
    assert!(problem.what.contains("/nowhere/x.csv"), "{problem:?}");
}

#[test]
fn an_id_kind_that_does_not_exist_is_refused_with_those_that_do() {
    let world = World::shared();
    let outcome = world.add(BANK, "kind", "mobile\n13800000000\n", &["mobile=phone"]);
    let problem = outcome.problem(Code::Argument);
    assert!(
        format!("{}{}", problem.what, problem.todo).contains("e164"),
        "{problem:?}"
    );
}

#[test]
fn a_policy_that_names_an_unknown_column_is_not_published() {
    let world = World::shared();
    world
        .add(BANK, "columns", files::customers(), &["mobile=e164(+86)"])
        .json();
    let toml = format!("{}\n[columns.shoe_size]\n", customers_policy("columns"));
    let problem = world.publish(BANK, "columns", &toml).problems().remove(0);
    assert!(problem.what.contains("shoe_size"), "{problem:?}");
    let list = world.at(BANK, &["data", "list"]).json();
    let each = list
        .as_array()
        .and_then(|list| list.iter().find(|each| each["dataset"] == "columns"))
        .cloned();
    assert_eq!(
        each.map(|each| each["published_version"].clone()),
        Some(serde_json::Value::Null)
    );
}

#[test]
fn a_policy_with_a_misspelt_field_says_where() {
    let world = World::shared();
    world
        .add(BANK, "misspelt", files::customers(), &["mobile=e164(+86)"])
        .json();
    let toml = customers_policy("misspelt").replace("min_group", "min_grupo");
    let problem = world
        .publish(BANK, "misspelt", &toml)
        .problem(Code::PolicyFile);
    assert!(problem.what.contains("min_grup"), "{problem:?}");
}

#[test]
fn a_value_outside_its_domain_ends_the_job_before_any_protocol_message() {
    let world = World::shared();
    world.datasets("domain");
    // The file changes what its policy promised: a tier that the domain does not have.
    let csv = files::customers().replacen("silver", "bronze", 1);
    world
        .add(BANK, "domain-c", csv, &["mobile=e164(+86)"])
        .json();
    let published = world.publish(BANK, "domain-c", &customers_policy("domain-c"));
    if published.succeeded() {
        let (_, end) = world.run(&files::job("domain", files::BY_TIER));
        assert_eq!(end["state"], "failed", "{end}");
        assert_eq!(end["problem"]["code"], Code::ValueOutside.as_str(), "{end}");
        assert_eq!(
            end["progress"]["sent_bytes"].as_u64().unwrap_or(0),
            0,
            "{end}"
        );
    } else {
        published.problem(Code::ValueOutside);
    }
}

#[test]
fn a_file_that_changed_after_it_was_registered_is_not_used() {
    let world = World::shared();
    world.datasets("changed");
    let path = world.folder.path().join(format!("{BANK}-changed-c.csv"));
    let mut csv = std::fs::read_to_string(&path).expect("the file is there");
    csv.push_str("13900000000,basic,1.00,2020-01-01\n");
    std::fs::write(&path, csv).expect("the file can be changed");
    let (_, end) = world.run(&files::job("changed", files::OVERLAP));
    assert_eq!(end["state"], "failed", "{end}");
    assert_eq!(end["problem"]["code"], Code::DataChanged.as_str(), "{end}");
}

#[test]
fn a_set_below_the_partners_minimum_is_refused() {
    let world = World::shared();
    let few: String = files::customers()
        .lines()
        .take(300)
        .map(|line| format!("{line}\n"))
        .collect();
    world.add(BANK, "few-c", few, &["mobile=e164(+86)"]).json();
    world
        .add(PAY, "few-u", files::users(), &["mobile=e164(+86)"])
        .json();
    let small = customers_policy("few-c").replace("min_set   = 500", "min_set   = 100");
    world.publish(BANK, "few-c", &small).json();
    world.publish(PAY, "few-u", &users_policy("few-u")).json();
    world.await_catalog(BANK, PAY, "few-u", 1);
    let problem = world
        .try_submit(BANK, &files::job("few", files::OVERLAP))
        .problem(Code::SetTooSmall);
    assert_eq!(problem.side, Side::Here, "{problem:?}");
}
