//! The demo's own promises: right, repeatable, and nothing left behind.

use crate::world::command::{entente, entente_text};
use tempfile::TempDir;

#[test]
fn the_demo_is_right_and_says_so_to_programs() {
    let home = TempDir::new().expect("a folder");
    let report = entente(home.path(), &["demo", "--scale", "4000", "--seed", "5"]).json();
    assert_eq!(report["correct"], true);
    let names = report["questions"].as_array().map(|questions| {
        let names = questions.iter().map(|question| question["name"].clone());
        names.collect::<Vec<_>>()
    });
    let due = [
        "tier-by-segment",
        "tier-by-segment-noise",
        "shared-by-email",
    ];
    assert_eq!(names, Some(due.map(Into::into).to_vec()));
    for question in [0, 1] {
        let table = &report["questions"][question]["result"];
        let count = |name: &str| table[name].as_u64().expect("a number");
        assert!(count("row_count") >= 3, "{table}");
        assert_eq!(count("row_count") + count("suppressed_groups"), 12);
    }
    let exact = report["questions"][0]["result"].to_string();
    assert!(!exact.contains("platinum"), "too few: {exact}");
    assert!(!exact.contains("_se"), "exact: {exact}");
    let noisy = &report["questions"][1]["result"]["columns"];
    assert!(noisy.to_string().contains("average_spend_se"), "{noisy}");
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
    for said in ["两家机构", "被隐去的分组"] {
        assert!(outcome.stdout.contains(said), "{}", outcome.stdout);
    }
    for file in [
        "customers.csv",
        "users.csv",
        "tier-by-segment.yaml",
        "tier-by-segment-noise.yaml",
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
