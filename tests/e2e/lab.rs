//! `lab`: any question over local files, with the figures it promises.

use crate::world::command::entente;
use crate::world::files::{self, OVERLAP, SHARED, customers_policy, job, users_policy};
use entente_wire::problem::Code;
use std::path::Path;
use tempfile::TempDir;

fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("the test folder takes files");
    path.display().to_string()
}

/// The command line over the usual files, with a question.
fn lab(folder: &Path, yaml: &str) -> Vec<String> {
    let file = |name: &str, content: &str| write(folder, name, content);
    let customers = file("bank.csv", &files::customers());
    let users = file("pay.csv", &files::users());
    [
        "lab",
        "--org",
        "north-bank",
        "--data",
        &format!("lab-c={customers}"),
        "--policy",
        &file("c.toml", &customers_policy("lab-c")),
        "--org",
        "river-pay",
        "--data",
        &format!("lab-u={users}"),
        "--policy",
        &file("u.toml", &users_policy("lab-u")),
        "--ask",
        &file("job.yaml", yaml),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn run(folder: &Path, args: &[String]) -> crate::world::command::Outcome {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    entente(folder, &args)
}

#[test]
fn lab_answers_and_accounts_for_every_process() {
    let folder = TempDir::new().expect("a folder");
    let report = run(folder.path(), &lab(folder.path(), &job("lab", OVERLAP))).json();
    assert_eq!(report["result"]["columns"], serde_json::json!(["n"]));
    assert_eq!(
        report["result"]["rows"],
        serde_json::json!([[SHARED.to_string()]])
    );
    assert!(report.get("results").is_none(), "one reader: {report}");
    assert!(
        report["wall_s"].as_f64().is_some_and(|s| s > 0.0),
        "{report}"
    );
    let stages = report["stages"].as_array().expect("stages");
    assert!(
        stages.iter().all(|stage| stage["wall_s"].is_number()),
        "{report}"
    );
    assert!(!stages.is_empty(), "{report}");
    let processes = report["processes"].as_array().expect("processes");
    assert_eq!(processes.len(), 3, "{report}");
    for process in processes {
        assert!(
            process["peak_mib"].as_f64().is_some_and(|mib| mib > 1.0),
            "{process}"
        );
        assert!(process["cpu_s"].is_number(), "{process}");
    }
    let bytes = |at: usize, name: &str| processes[at][name].as_u64().expect("counted");
    assert_eq!(bytes(0, "sent_bytes"), bytes(1, "received_bytes"));
    assert_eq!(bytes(1, "sent_bytes"), bytes(0, "received_bytes"));
    assert!(bytes(0, "sent_bytes") > 32 * SHARED);
}

#[test]
fn lab_refuses_a_question_that_a_policy_refuses() {
    let folder = TempDir::new().expect("a folder");
    let yaml = job("lab", &format!("{OVERLAP} WHERE u.segment = 'vip'"));
    run(folder.path(), &lab(folder.path(), &yaml)).problem(Code::PolicyRefuses);
}

#[test]
fn lab_names_the_dataset_that_has_no_policy() {
    let folder = TempDir::new().expect("a folder");
    let mut args = lab(folder.path(), &job("lab", OVERLAP));
    args.drain(5..7);
    let problem = run(folder.path(), &args).problem(Code::Argument);
    assert!(problem.what.contains("lab-c"), "{problem:?}");
}

#[test]
fn lab_writes_the_whole_result_where_it_is_told_to() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().join("result.csv").display().to_string();
    let mut args = lab(folder.path(), &job("lab", files::REVEAL));
    args.extend([
        "--out".to_owned(),
        out.clone(),
        "--rows".to_owned(),
        "5".to_owned(),
    ]);
    let report = run(folder.path(), &args).json();
    assert_eq!(report["result"]["row_count"], SHARED);
    assert_eq!(report["result"]["rows"].as_array().map(Vec::len), Some(5));
    let csv = std::fs::read_to_string(out).expect("it was written");
    assert_eq!(csv.lines().count() as u64, SHARED + 1);
}

/// By way of real processes: the same rows whichever protocol finds them.
#[test]
fn lab_reveals_the_same_rows_by_every_protocol() {
    let folder = TempDir::new().expect("a folder");
    let mut rows = Vec::new();
    for protect in [
        "security: semi-honest",
        "security: malicious",
        "protocol: ecdh",
    ] {
        let yaml = job("lab", files::REVEAL)
            .replace("epsilon: none", &format!("epsilon: none, {protect}"));
        assert!(yaml.contains(protect), "{yaml}");
        let out = folder.path().join("result.csv").display().to_string();
        let mut args = lab(folder.path(), &yaml);
        args.extend(["--out".to_owned(), out.clone()]);
        let report = run(folder.path(), &args).json();
        assert_eq!(report["result"]["row_count"], SHARED, "{protect}");
        rows.push(std::fs::read_to_string(out).expect("it was written"));
    }
    assert!(rows.iter().all(|other| *other == rows[0]));
}

#[test]
fn lab_shows_each_reader_its_own_columns_only() {
    let folder = TempDir::new().expect("a folder");
    let ask =
        "SELECT c.mobile, c.tier, u.mobile, u.segment FROM {c} c JOIN {u} u ON c.mobile = u.mobile";
    let yaml = job("lab", ask).replace(
        "results_to: [north-bank]",
        "results_to: [north-bank, river-pay]",
    );
    let mut args = lab(folder.path(), &yaml);
    let policy = customers_policy("lab-c").replace(
        r#"may = { match = ["river-pay"] }"#,
        r#"may = { match = ["river-pay"], reveal = ["river-pay"] }"#,
    );
    write(folder.path(), "c.toml", &policy);
    let out = folder.path().join("own.parquet");
    args.extend(["--out".to_owned(), out.display().to_string()]);
    let report = run(folder.path(), &args).json();
    let columns = |org: &str| report["results"][org]["columns"].clone();
    assert_eq!(columns("north-bank"), serde_json::json!(["mobile", "tier"]));
    assert_eq!(
        columns("river-pay"),
        serde_json::json!(["mobile", "segment"])
    );
    for org in ["north-bank", "river-pay"] {
        assert_eq!(report["results"][org]["row_count"], SHARED, "{org}");
    }
    assert_eq!(report["result"], report["results"]["north-bank"]);
    let theirs = report["results"]["river-pay"]["rows"].as_array();
    let foreign = |row: &serde_json::Value| row[1] != "vip";
    assert!(
        theirs.is_some_and(|rows| !rows.iter().any(foreign)),
        "a row that the two do not share"
    );
    let parquet = std::fs::read(out).expect("it was written");
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
}
