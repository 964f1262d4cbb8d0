//! The arrows between our crates, by kind.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// An arrow between two of our crates: from, to, kind.
type Arrow = (String, String, String);

/// Every arrow that is allowed. Nothing else may depend on anything else of ours, in any way.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("entente", "entente-node", "normal"),
    ("entente", "entente-coordinator", "normal"),
    ("entente", "entente-wire", "normal"),
    ("entente", "entente-certs", "normal"),
    ("entente", "entente-protocols", "dev"),
    ("entente", "entente-wire", "dev"),
    ("entente", "entente-certs", "dev"),
    ("entente-node", "entente-protocols", "normal"),
    ("entente-node", "entente-wire", "normal"),
    ("entente-node", "entente-certs", "normal"),
    // The same pair again, for wire's made-up organisations in the node's own tests.
    ("entente-node", "entente-wire", "dev"),
    ("entente-coordinator", "entente-wire", "normal"),
    ("entente-coordinator", "entente-certs", "normal"),
];

/// The crates there are, and nothing more.
const CRATES: &[&str] = &[
    "entente",
    "entente-certs",
    "entente-coordinator",
    "entente-node",
    "entente-protocols",
    "entente-wire",
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version=1",
            "--offline",
            "--locked",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// All arrows between workspace members, as `cargo metadata` tells them.
fn arrows(metadata: &Value) -> BTreeSet<Arrow> {
    let ours: BTreeSet<String> = list(&metadata["packages"])
        .iter()
        .map(|package| text(&package["name"]))
        .collect();
    let mut arrows = BTreeSet::new();
    for package in list(&metadata["packages"]) {
        for dependency in list(&package["dependencies"]) {
            if ours.contains(&text(&dependency["name"])) {
                let kind = dependency["kind"].as_str().unwrap_or("normal");
                arrows.insert((
                    text(&package["name"]),
                    text(&dependency["name"]),
                    kind.to_owned(),
                ));
            }
        }
    }
    arrows
}

/// The arrows that the table does not have.
fn forbidden(arrows: &BTreeSet<Arrow>) -> Vec<&Arrow> {
    let allowed = |arrow: &&Arrow| {
        ALLOWED
            .iter()
            .any(|(from, to, kind)| *from == arrow.0 && *to == arrow.1 && *kind == arrow.2)
    };
    arrows.iter().filter(|arrow| !allowed(arrow)).collect()
}

/// Everything of ours that `from` is built with, in any kind.
fn reaches(arrows: &BTreeSet<Arrow>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(at) = open.pop() {
        for (_, to, _) in arrows.iter().filter(|(tail, _, _)| *tail == at) {
            if seen.insert(to.clone()) {
                open.push(to.clone());
            }
        }
    }
    seen
}

#[test]
fn no_arrow_between_crates_beyond_the_table() {
    let arrows = arrows(&metadata());
    let forbidden = forbidden(&arrows);
    assert!(forbidden.is_empty(), "not in the table: {forbidden:?}");
}

#[test]
fn the_arrow_check_notices_each_kind_of_forbidden_arrow() {
    for (from, to, kind) in [
        ("entente-coordinator", "entente-protocols", "normal"),
        ("entente-coordinator", "entente-protocols", "dev"),
        ("entente-coordinator", "entente-protocols", "build"),
        ("entente-wire", "entente-certs", "normal"),
        ("entente", "entente-protocols", "normal"),
        ("entente", "entente-node", "dev"),
    ] {
        let mut arrows = arrows(&metadata());
        let planted = (from.to_owned(), to.to_owned(), kind.to_owned());
        arrows.insert(planted.clone());
        assert_eq!(forbidden(&arrows), [&planted]);
    }
}

#[test]
fn the_coordinator_does_not_reach_the_protocols() {
    let reached = reaches(&arrows(&metadata()), "entente-coordinator");
    assert_eq!(
        reached,
        BTreeSet::from(["entente-certs".to_owned(), "entente-wire".to_owned()])
    );
}

#[test]
fn the_workspace_has_exactly_the_crates_of_the_architecture() {
    let metadata = metadata();
    let names: BTreeMap<String, ()> = list(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["name"]), ()))
        .collect();
    assert!(
        names.keys().map(String::as_str).eq(CRATES.iter().copied()),
        "{names:?}"
    );
}

#[test]
fn integration_tests_do_not_link_the_node_or_the_coordinator() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for file in crate::unsafety::rust_files(&root) {
        let source = std::fs::read_to_string(&file).expect("a source file reads");
        for name in ["entente_node", "entente_coordinator"] {
            let linked = [format!("use {name}"), format!("{name}::")];
            // This file names them in words only.
            let found = linked.iter().any(|text| source.contains(text.as_str()));
            assert!(!found, "{} links {name}", file.display());
        }
    }
}
