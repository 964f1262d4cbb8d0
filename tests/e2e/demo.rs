//! The demo's own promises: right, repeatable, and nothing left behind.

use crate::world::command::{entente, entente_text};
use tempfile::TempDir;

#[test]
fn the_demo_is_right_and_says_so_to_programs() {
    let home = TempDir::new().expect("a folder");
    let report = entente(home.path(), &["demo", "--scale", "4000", "--seed", "5"]).json();
    assert_eq!(report["correct"], true);
    assert_eq!(report["questions"].as_array().map(Vec::len), Some(2));
    let table = &report["questions"][0]["result"];
    assert_eq!(table["suppressed_groups"], 1);
    assert_eq!(table["row_count"], 3);
}

#[test]
fn the_demo_speaks_chinese_and_keeps_what_it_is_told_to() {
    let home = TempDir::new().expect("a folder");
    let keep = home.path().join("kept").display().to_string();
    let args = [
        "demo", "--scale", "4e3", "--seed", "6", "--lang", "zh", "--keep", &keep,
    ];
    let outcome = entente_text(home.path(), &args);
    assert!(outcome.succeeded(), "{outcome:?}");
    assert!(outcome.stdout.contains("两家机构"), "{}", outcome.stdout);
    for file in [
        "customers.csv",
        "users.csv",
        "north-bank/keys/root.key",
        "river-pay/journal",
    ] {
        assert!(home.path().join("kept").join(file).exists(), "{file}");
    }
    let again = entente(home.path(), &args);
    assert!(
        !again.succeeded(),
        "a folder that is not empty is not touched"
    );
}
