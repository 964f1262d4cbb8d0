//! The documents point at things that exist: every test that SECURITY.md names, every folder on the README's map.

use crate::unsafety::rust_files;
use std::collections::BTreeSet;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect("the document is there")
}

/// The names of all test functions in the workspace.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in rust_files(root()) {
        let source = std::fs::read_to_string(file).expect("a source file reads");
        let mut is_test = false;
        for line in source.lines().map(str::trim) {
            if line.contains("test]") && line.starts_with("#[") {
                is_test = true;
            } else if let Some((_, rest)) = line.split_once("fn ") {
                let name = rest.split(['(', '<']).next().unwrap_or_default();
                if is_test {
                    names.insert(name.to_owned());
                }
                is_test = false;
            }
        }
    }
    names
}

/// Words between backquotes that look like the name of a test: at least two underscores, nothing but letters.
fn named_tests(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.matches('_').count() >= 2)
        .filter(|word| {
            word.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_test_that_the_security_document_names_exists() {
    let named = named_tests(&document("SECURITY.md"));
    assert!(
        named.len() >= 20,
        "the document has lost its tests: {named:?}"
    );
    let tests = tests();
    let missing: Vec<&String> = named.difference(&tests).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn a_test_that_does_not_exist_would_be_noticed() {
    let text = "proven by `this_test_was_never_written` and `every_test_that_the_security_document_names_exists`";
    let named = named_tests(text);
    let tests = tests();
    let missing: Vec<&String> = named.difference(&tests).collect();
    assert_eq!(missing, ["this_test_was_never_written"]);
}

#[test]
fn every_folder_on_the_readmes_map_exists() {
    let readme = document("README.md");
    let (_, map) = readme.split_once("## The map").expect("the map");
    let mut count = 0;
    for row in map.lines().filter(|line| line.starts_with("| `")) {
        let folder = row.split('`').nth(1).expect("a folder");
        assert!(root().join(folder).is_dir(), "{folder} is not there");
        count += 1;
    }
    assert!(count >= 8, "the map has lost its rows");
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    for name in [
        "README.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ] {
        let text = document(name);
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            let is_outside = target.contains("://") || target.is_empty();
            assert!(
                is_outside || root().join(target).exists(),
                "{name} links to {target}"
            );
        }
    }
}
