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
fn the_demo_of_many_banks_is_right_and_names_whose_numbers_it_has() {
    let home = TempDir::new().expect("a folder");
    let keep = home.path().join("kept").display().to_string();
    let mut args = vec!["demo", "--parties", "5", "--scale", "4000", "--seed", "5"];
    args.extend(["--keep", &keep]);
    let report = entente(home.path(), &args).json();
    assert_eq!(report["correct"], true);
    let questions = report["questions"].as_array().expect("questions");
    let names = [
        "overdue-by-industry",
        "overdue-by-industry-lost",
        "overdue-by-industry-noise",
    ];
    assert_eq!(questions.len(), names.len());
    for (question, name) in questions.iter().zip(names) {
        assert_eq!(question["name"], name);
        let (table, parties) = (&question["result"], &question["result"]["parties"]);
        let count = |names: &serde_json::Value| names.as_array().map_or(0, Vec::len);
        let [in_sum, missing] = ["in_sum", "missing"].map(|which| count(&parties[which]));
        assert_eq!(in_sum + missing, 5, "{parties}");
        assert!(missing == 0 || name.ends_with("-lost"), "{parties}");
        let groups = ["row_count", "suppressed_groups"].map(|name| table[name].as_u64());
        assert_eq!(
            groups[0].zip(groups[1]).map(|(shown, not)| shown + not),
            Some(18)
        );
        let has_errors = table["columns"].to_string().contains("overdue_se");
        assert_eq!(has_errors, name.ends_with("-noise"), "{table}");
        assert!(
            home.path()
                .join("kept")
                .join(format!("{name}.yaml"))
                .exists()
        );
    }
    for file in ["hill-bank.csv", "accounts.toml", "forest-bank/service.log"] {
        assert!(home.path().join("kept").join(file).exists(), "{file}");
    }
}

#[test]
fn of_three_banks_the_demo_loses_none_and_says_why() {
    let home = TempDir::new().expect("a folder");
    let args = ["demo", "--parties", "3", "--scale", "4000", "--lang", "zh"];
    let outcome = entente_text(home.path(), &args);
    assert!(outcome.succeeded(), "{outcome:?}");
    for said in ["只有三家银行时一家也不能少", "3/3 家银行", "accounts_se"] {
        assert!(outcome.stdout.contains(said), "{}", outcome.stdout);
    }
    let too_many = entente_text(home.path(), &["demo", "--parties", "17"]);
    assert!(!too_many.succeeded() && too_many.stderr.contains("3 to 16 banks"));
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
