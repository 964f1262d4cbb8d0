//! What no party's table can be asked for, and what a policy refuses: each with its reason, its side and what to do.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::policy::Verb;
use entente_wire::problem::{Code, Problem, Side as At};
use entente_wire::publication::ColumnType;
use entente_wire::sql;
use published::aggregations::{BY_TIER, column, org, outcome, refused, refused_as, with};
use published::{Asked, PARTIES, Published};
use std::collections::BTreeSet;

#[test]
fn a_party_that_has_published_nothing_is_named() {
    let mut asked = Asked::of_all(BY_TIER);
    asked.parties.insert(org("moon-bank"));
    let problem = refused(&asked, &Published::load());
    assert_eq!(
        (problem.code, problem.side),
        (Code::PartnerUnknown, At::Request)
    );
    assert!(
        problem
            .what
            .contains("no organisation \"moon-bank\" has published anything here")
    );
    let mut asked = Asked::of_all("SELECT COUNT(*) AS n FROM \"*\".events");
    asked.ask =
        "SELECT COUNT(*) AS n FROM (SELECT v.mobile FROM \"*\".events v GROUP BY v.mobile) AS e"
            .to_owned();
    outcome(&asked, &Published::load()).unwrap();
    asked.parties.insert(org("harbour-bank"));
    let problem = refused(&asked, &Published::load());
    assert_eq!(problem.code, Code::DatasetUnknown);
    assert_eq!(
        problem.side,
        At::Partner {
            org: org("harbour-bank")
        }
    );
    assert!(
        problem
            .what
            .contains("harbour-bank has published no dataset \"events\""),
        "{problem:?}"
    );
    // Its accounts are of another kind.
    let mut asked =
        Asked::of_all("SELECT a.tier, COUNT(*) AS n FROM \"*\".accounts a GROUP BY a.tier");
    asked.parties.insert(org("harbour-bank"));
    asked.epsilon = Some(1_000_000);
    let problems = outcome(&asked, &Published::load()).unwrap_err();
    assert!(
        problems
            .iter()
            .all(|problem| problem.what.contains("harbour-bank")),
        "{problems:?}"
    );
    assert!(
        problems[0]
            .what
            .contains("harbour-bank publishes no column \"tier\""),
        "{problems:?}"
    );
}

#[test]
fn whose_rows_are_counted_has_to_be_clear() {
    refused_as(
        &Asked::of_all("SELECT COUNT(*) AS n FROM \"*\".events"),
        &Published::load(),
        Code::Question,
        "line 1, column 27: events has 2 id columns (customer, mobile), so it is not clear whose rows are counted",
        "FROM \"*\".events GROUP BY id",
    );
    let second = with("mill-bank", |accounts| {
        let id = accounts
            .policy
            .columns
            .get(&column("email"))
            .unwrap()
            .clone();
        accounts.policy.columns.insert(column("region"), id);
    });
    refused_as(
        &Asked::of_all("SELECT COUNT(*) AS n FROM \"*\".accounts"),
        &second,
        Code::Question,
        "line 1, column 27: accounts has 2 id columns (email, region), so it is not clear whose rows are counted (at mill-bank)",
        "collapsing",
    );
}

#[test]
fn from_names_one_table_of_all_parties() {
    let all = |ask: &str| Asked::of_all(ask);
    let catalog = Published::load();
    let form = "write FROM \"*\".accounts";
    refused_as(
        &all("SELECT COUNT(*) AS n FROM \"north-bank\".accounts"),
        &catalog,
        Code::Question,
        "line 1, column 27: FROM names a table of \"north-bank\" alone, and `parties` asks for the same table of all",
        form,
    );
    refused_as(
        &all(
            "SELECT COUNT(*) AS n FROM (SELECT v.mobile FROM \"river-pay\".events v GROUP BY v.mobile) AS e",
        ),
        &catalog,
        Code::Question,
        "line 1, column 49: FROM names a table of \"river-pay\" alone, and `parties` asks for the same table of all",
        form,
    );
    refused_as(
        &all(
            "SELECT COUNT(*) AS n FROM \"*\".accounts a JOIN \"*\".events v ON a.mobile = v.mobile",
        ),
        &catalog,
        Code::Question,
        "line 1, column 1: an aggregation joins tables; each party's numbers are added up as they are",
        "take `parties` out",
    );
    refused_as(
        &all("SELECT COUNT(*) AS n FROM \"*\".accounts a, \"*\".events v"),
        &catalog,
        Code::Question,
        "line 1, column 1: FROM does not hold exactly one table",
        form,
    );
}

#[test]
fn rows_are_not_added_up() {
    let catalog = Published::load();
    for ask in [
        "SELECT a.* FROM \"*\".accounts a",
        "SELECT * FROM \"*\".accounts a",
        "SELECT a.tier FROM \"*\".accounts a",
        "SELECT a.mobile FROM \"*\".accounts a WHERE a.active",
        "SELECT a.tier FROM \"*\".accounts a GROUP BY a.tier",
        "SELECT MAX(a.balance) AS m FROM \"*\".accounts a",
        "SELECT a.tier, COUNT(*) AS n FROM \"*\".accounts a",
    ] {
        let problems = outcome(&Asked::of_all(ask), &catalog).unwrap_err();
        for problem in &problems {
            let code = problem.code;
            assert!(
                matches!(code, Code::Question | Code::PolicyRefuses),
                "{ask}: {problem:?}"
            );
        }
        assert!(
            problems
                .iter()
                .any(|problem| problem.code == Code::Question),
            "{ask}: {problems:?}"
        );
    }
    let problem = refused(
        &Asked::of_all("SELECT a.tier FROM \"*\".accounts a GROUP BY a.tier"),
        &catalog,
    );
    assert!(
        problem
            .what
            .ends_with("the answer has groups but no aggregate")
    );
}

#[test]
fn the_asker_is_one_of_the_parties_that_the_job_names() {
    let catalog = Published::load();
    let mut asked = Asked::of_all(BY_TIER);
    asked.asker = org("harbour-bank");
    refused_as(
        &asked,
        &catalog,
        Code::JobFile,
        "harbour-bank asks and is not among `parties`",
        "add your own organisation",
    );
    // Without parties it is a question of two, which do not exist.
    let asked = Asked::question(BY_TIER);
    let problems = sql::plan(&asked.job(), &asked.asker, &catalog).unwrap_err();
    assert!(
        problems.iter().all(|problem| problem.code != Code::Defect),
        "{problems:?}"
    );
}

#[test]
fn a_table_of_too_many_words_is_refused() {
    let mut asked = Asked::of_all(
        "SELECT CAST(a.age AS VARCHAR) AS x, CAST(a.age + 0 AS VARCHAR) AS y, COUNT(*) AS n FROM \"*\".accounts a \
         GROUP BY CAST(a.age AS VARCHAR), CAST(a.age + 0 AS VARCHAR)",
    );
    let grants = |catalog: &mut Published| {
        for party in PARTIES {
            let accounts = catalog.get_mut(party, "accounts");
            let age = accounts.policy.columns.get_mut(&column("age")).unwrap();
            age.may
                .insert(Verb::Group, BTreeSet::from([org("north-bank")]));
        }
    };
    let mut catalog = Published::load();
    grants(&mut catalog);
    let many = |count: usize| {
        (0..count)
            .map(|value| value.to_string())
            .collect::<Vec<_>>()
    };
    asked.domains.insert(column("x"), many(1_000));
    asked.domains.insert(column("y"), many(9_999));
    let plan = outcome(&asked, &catalog).unwrap();
    assert_eq!(plan.words(), 9_999_000);
    asked.domains.insert(column("x"), many(1_001));
    refused_as(
        &asked,
        &catalog,
        Code::Question,
        "the table would have 10008999 cells and 10008999 sums; an aggregation adds up at most 10000000",
        "group by fewer keys",
    );
}

#[test]
fn many_mistakes_at_many_parties_are_told_once_each() {
    let ask = "SELECT a.tier, MEDIAN(a.balance) AS m, COUNT(*) AS n FROM \"*\".accounts a WHERE a.secret = 1 GROUP BY a.tier";
    let problems = outcome(&Asked::of_all(ask), &Published::load()).unwrap_err();
    let language: Vec<&Problem> = problems
        .iter()
        .filter(|problem| !problem.what.contains("publishes no column"))
        .collect();
    assert_eq!(language.len(), 1, "{problems:#?}");
    let columns = problems
        .iter()
        .filter(|problem| problem.what.contains("publishes no column \"secret\""));
    assert_eq!(columns.count(), PARTIES.len(), "{problems:#?}");
    // A mistake that some parties' publications make of the same question names those.
    let mut catalog = Published::load();
    for party in ["lake-bank", "river-pay"] {
        catalog
            .get_mut(party, "accounts")
            .schema
            .0
            .insert(column("active"), ColumnType::Text);
    }
    let asked = Asked::of_all("SELECT COUNT(*) AS n FROM \"*\".accounts a WHERE a.active");
    let problem = refused(&asked, &catalog);
    assert!(
        problem
            .what
            .ends_with("this is text (at lake-bank, river-pay)"),
        "{problem:?}"
    );
}

#[test]
fn pairs_need_both_numbers_and_the_job_nothing_that_is_not_asked() {
    let ask = "SELECT CORR(a.balance, a.age) AS r FROM \"*\".accounts a WHERE a.age IS NOT NULL";
    refused_as(
        &Asked::of_all(ask),
        &Published::load(),
        Code::Question,
        "line 1, column 13: corr is over pairs of values, and WHERE does not say that this one is never NULL",
        "add `a.balance IS NOT NULL` to WHERE",
    );
    // An entry of the job that nothing needs is a slip of the pen, once and not once a party.
    let mut asked = Asked::of_all("SELECT COUNT(*) AS n FROM \"*\".accounts");
    asked.domains.insert(column("teir"), vec!["a".to_owned()]);
    let what = "`domains` has an entry for \"teir\", which no output of the question needs";
    refused_as(&asked, &Published::load(), Code::JobFile, what, "remove it");
}
