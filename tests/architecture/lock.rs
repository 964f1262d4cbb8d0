//! What `Cargo.lock` may hold: floors for known vulnerabilities, no OpenSSL, one DataFusion.

use std::collections::BTreeMap;
use std::path::Path;

/// Lowest version of each crate without a known vulnerability that matters here.
const FLOORS: &[(&str, [u64; 3])] = &[
    ("h2", [0, 4, 18]),
    ("rustls-webpki", [0, 103, 13]),
    ("rustls", [0, 23, 18]),
    ("curve25519-dalek", [4, 1, 3]),
];

/// Crates that would bring OpenSSL.
const NO_OPENSSL: &[&str] = &["openssl", "openssl-sys", "openssl-src", "native-tls"];

/// Large or type-defining crates of which there must be one version.
const ONCE: &[&str] = &[
    "datafusion",
    "arrow",
    "arrow-array",
    "parquet",
    "sqlparser",
    "tonic",
    "rustls",
    "tokio",
];

/// Package name to its versions in the lock file.
fn locked() -> BTreeMap<String, Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let text = std::fs::read_to_string(path).expect("Cargo.lock is committed");
    let lock: toml::Table = text.parse().expect("Cargo.lock is TOML");
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in lock["package"].as_array().expect("a list of packages") {
        let field = |name: &str| package[name].as_str().expect("text").to_owned();
        versions
            .entry(field("name"))
            .or_default()
            .push(field("version"));
    }
    versions
}

fn numbers(version: &str) -> Vec<u64> {
    version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse().ok())
        .collect()
}

#[test]
fn versions_are_above_the_known_vulnerabilities() {
    let locked = locked();
    for (name, floor) in FLOORS {
        for version in locked.get(*name).into_iter().flatten() {
            assert!(
                numbers(version) >= floor.to_vec(),
                "{name} {version} is below {floor:?}"
            );
        }
    }
}

#[test]
fn version_numbers_compare_as_numbers() {
    assert!(numbers("0.103.9") < [0, 103, 13].to_vec());
    assert!(numbers("5.0.0-rc.1") > [4, 1, 3].to_vec());
    assert!(numbers("0.4.18") >= [0, 4, 18].to_vec());
}

#[test]
fn no_openssl_in_the_tree() {
    let locked = locked();
    for name in NO_OPENSSL {
        assert!(!locked.contains_key(*name), "{name} is in the lock file");
    }
}

#[test]
fn datafusion_and_its_types_are_there_once() {
    let locked = locked();
    for name in ONCE {
        let versions = locked.get(*name).map(Vec::as_slice).unwrap_or_default();
        assert!(versions.len() == 1, "{name}: {versions:?}");
    }
}
