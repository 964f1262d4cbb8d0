//! Files that people write: `protocols/vectors/wire/{policy,job}`. A good one has its canonical form beside it; a `bad_` one
//! says in its first line how it is refused. With ENTENTE_WRITE_VECTORS set, the expectations are written anew, to be read
//! through before they are committed.
#![allow(clippy::panic)] // a test's way to fail

use entente_wire::canonical;
use entente_wire::job::Job;
use entente_wire::policy::Policy;
use entente_wire::problem::{Code, Problem, Side};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

const EXPECTATION: &str = "# refused:";

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors/wire")
        .join(folder);
    let entries = fs::read_dir(folder).expect("the vectors are here");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut found: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    found.sort();
    found
}

fn is_bad(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("bad_"))
}

fn writing() -> bool {
    std::env::var_os("ENTENTE_WRITE_VECTORS").is_some()
}

fn hold<T>(folder: &str, extension: &str, code: Code, read: fn(&str) -> Result<T, Problem>)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let (mut good, mut bad) = (0, 0);
    for path in files(folder, extension) {
        let text = fs::read_to_string(&path).expect("readable");
        if is_bad(&path) {
            refused(&path, &text, code, read);
            bad += 1;
        } else {
            accepted(&path, &text, read);
            good += 1;
        }
    }
    assert!(
        good >= 2 && bad >= 50,
        "{good} good and {bad} bad vectors are too few"
    );
}

fn accepted<T>(path: &Path, text: &str, read: fn(&str) -> Result<T, Problem>)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let document = read(text).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
    let bytes = canonical::to_bytes(&document);
    let beside = path.with_extension("json");
    if writing() {
        fs::write(&beside, &bytes).expect("writable");
    }
    let expected = fs::read(&beside).expect("a good vector has its canonical form beside it");
    assert_eq!(
        String::from_utf8_lossy(&bytes),
        String::from_utf8_lossy(&expected),
        "{}",
        path.display()
    );
    assert_eq!(
        canonical::from_bytes::<T>(&bytes).expect("own bytes"),
        document
    );
}

fn refused<T: Debug>(path: &Path, text: &str, code: Code, read: fn(&str) -> Result<T, Problem>) {
    let problem = read(text).expect_err(&path.display().to_string());
    assert_eq!(
        (problem.code, &problem.side),
        (code, &Side::Request),
        "{}",
        path.display()
    );
    let line = format!("{EXPECTATION} {} => {}", problem.what, problem.todo);
    let (first, rest) = text
        .split_once('\n')
        .expect("a bad vector begins with its expectation");
    if writing() {
        fs::write(path, format!("{line}\n{rest}")).expect("writable");
        return;
    }
    assert_eq!(first, line, "{}", path.display());
}

#[test]
fn policies_are_read_exactly_or_refused_with_place_reason_and_fix() {
    hold("policy", "toml", Code::PolicyFile, Policy::from_toml);
}

#[test]
fn jobs_are_read_exactly_or_refused_with_place_reason_and_fix() {
    hold("job", "yaml", Code::JobFile, Job::from_yaml);
}

#[test]
fn a_file_that_is_too_long_is_not_parsed() {
    let long = "#".repeat(300 * 1024);
    for problem in [
        Job::from_yaml(&long).expect_err("long"),
        Policy::from_toml(&long).expect_err("long"),
    ] {
        assert!(problem.what.contains("307200 bytes"), "{problem}");
    }
}
