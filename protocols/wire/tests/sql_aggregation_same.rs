//! Nothing that two parties publish differently is added up: each difference is shown, with what would make it none.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::job::Measure;
use entente_wire::problem::Code;
use entente_wire::publication::ColumnType;
use published::aggregations::{BY_TIER, column, outcome, planned, refused, refused_as, with};
use published::{Asked, Published};

#[test]
fn domains_that_differ_are_shown_with_their_owners() {
    let domain = |values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        with("north-bank", |accounts| {
            accounts
                .policy
                .columns
                .get_mut(&column("tier"))
                .unwrap()
                .domain = Some(values);
        })
    };
    let asked = Asked::of_all(BY_TIER);
    let told = |values: &[&str], difference: &str| {
        let alike = "north-bank and lake-bank can publish it alike; or group by CASE";
        refused_as(&asked, &domain(values), Code::Question, difference, alike);
    };
    told(
        &["basic", "gold", "platinum"],
        "lake-bank and north-bank publish different domains of tier: only lake-bank has \"silver\"; only north-bank has \"platinum\"",
    );
    told(
        &["basic", "silver", "gold", "a", "b", "c", "d", "e", "f", "g"],
        "lake-bank and north-bank publish different domains of tier: only north-bank has \"a\", \"b\", \"c\", \"d\", \"e\" and 2 more",
    );
    told(
        &["silver", "basic", "gold"],
        "lake-bank and north-bank list the values of tier in different orders",
    );
    // The advice holds: literal branches are the same everywhere.
    let mut repaired = asked.clone();
    repaired.ask = "SELECT CASE WHEN a.tier = 'gold' THEN 'gold' ELSE 'other' END AS tier_band, COUNT(*) AS n FROM \"*\".accounts a \
                    GROUP BY tier_band"
        .to_owned();
    outcome(&repaired, &domain(&["gold", "platinum"])).unwrap();
}

#[test]
fn a_key_that_can_be_null_at_one_party_only_has_cells_that_others_lack() {
    let catalog = with("river-pay", |accounts| {
        accounts
            .policy
            .columns
            .get_mut(&column("tier"))
            .unwrap()
            .nullable = false;
    });
    refused_as(
        &Asked::of_all(BY_TIER),
        &catalog,
        Code::Question,
        "tier can be NULL at lake-bank and cannot at river-pay",
        "river-pay and lake-bank can publish it alike; or group by CASE",
    );
    // NULL adds nothing to a sum, so for one that is added up it makes no difference.
    let catalog = with("river-pay", |accounts| {
        accounts
            .policy
            .columns
            .get_mut(&column("balance"))
            .unwrap()
            .nullable = false;
    });
    assert_eq!(
        outcome(&Asked::of_all(BY_TIER), &catalog).unwrap(),
        planned(BY_TIER)
    );
}

#[test]
fn caps_and_scales_that_differ_are_shown_and_can_be_given_by_the_job() {
    let changed = |clip, scale| {
        with("mill-bank", |accounts| {
            let balance = accounts.policy.columns.get_mut(&column("balance")).unwrap();
            (balance.clip, balance.scale) = (Some(clip), Some(scale));
        })
    };
    let asked = Asked::of_all(BY_TIER);
    for (clip, scale, theirs) in [
        ([0, 10_000_001], 2, "[0.00, 100000.01] with 2 decimals"),
        ([-1, 10_000_000], 2, "[-0.01, 100000.00] with 2 decimals"),
        ([0, 10_000_000], 3, "[0.000, 10000.000] with 3 decimals"),
    ] {
        let what = format!(
            "\"balance\" is capped to [0.00, 100000.00] with 2 decimals at lake-bank and to {theirs} at mill-bank"
        );
        let todo = "mill-bank and lake-bank can publish it alike; or add up an expression over it, such as x + 0";
        refused_as(&asked, &changed(clip, scale), Code::Question, &what, todo);
    }
    let mut repaired = asked.clone();
    repaired.ask = BY_TIER.replace("SUM(a.balance)", "SUM(a.balance + 0)");
    let measure = Measure {
        clip: [0, 5_000],
        scale: 0,
    };
    repaired.measures.insert(column("total"), measure);
    outcome(&repaired, &changed([0, 1], 3)).unwrap();
}

#[test]
fn one_text_over_columns_of_two_types_is_never_added_up() {
    let whole = |name: &'static str| {
        with("river-pay", move |accounts| {
            accounts.schema.0.insert(column(name), ColumnType::Integer);
            accounts
                .policy
                .columns
                .get_mut(&column(name))
                .unwrap()
                .domain = None;
        })
    };
    let problem = "balance is a decimal number at lake-bank and a whole number at river-pay";
    // Half of 3 is 1 at one party and 1.5 at the others.
    for ask in [
        "SELECT COUNT(*) AS n FROM \"*\".accounts a WHERE a.balance / 2 > 1",
        "SELECT CASE WHEN a.balance / 2 > 1 THEN 'a' ELSE 'b' END AS g, COUNT(*) AS n FROM \"*\".accounts a GROUP BY g",
        BY_TIER,
    ] {
        let todo = "river-pay and lake-bank can publish it alike; or ask without it";
        refused_as(
            &Asked::of_all(ask),
            &whole("balance"),
            Code::Question,
            problem,
            todo,
        );
    }
    let mut asked = Asked::of_all("SELECT SUM(a.balance / 2) AS half FROM \"*\".accounts a");
    let measure = Measure {
        clip: [0, 5_000],
        scale: 2,
    };
    asked.measures.insert(column("half"), measure);
    outcome(&asked, &Published::load()).unwrap();
    refused_as(
        &asked,
        &whole("balance"),
        Code::Question,
        problem,
        "ask without it",
    );
    // A column that the question does not use can be of any type.
    outcome(
        &Asked::of_all("SELECT COUNT(*) AS n FROM \"*\".accounts"),
        &whole("balance"),
    )
    .unwrap();
    // Where the type alone forbids the question, its party is named.
    let text = with("river-pay", |accounts| {
        accounts.schema.0.insert(column("active"), ColumnType::Text);
    });
    let asked = Asked::of_all("SELECT COUNT(*) AS n FROM \"*\".accounts a WHERE a.active");
    let what = "line 1, column 48: WHERE needs a condition, and this is text (at river-pay)";
    refused_as(&asked, &text, Code::Question, what, "compare it");
}

#[test]
fn ids_can_be_written_in_any_way_as_long_as_they_are_only_counted() {
    let numbers = with("mill-bank", |accounts| {
        accounts
            .schema
            .0
            .insert(column("email"), ColumnType::Integer);
    });
    outcome(&Asked::of_all(BY_TIER), &numbers).unwrap();
}

#[test]
fn a_domain_that_one_party_does_not_publish_is_asked_of_that_party() {
    let catalog = with("mill-bank", |accounts| {
        accounts
            .policy
            .columns
            .get_mut(&column("tier"))
            .unwrap()
            .domain = None;
    });
    let problem = refused(&Asked::of_all(BY_TIER), &catalog);
    assert!(
        problem
            .what
            .ends_with("would tell something (at mill-bank)"),
        "{problem:?}"
    );
    assert!(
        problem.todo.contains("CASE with literal branches"),
        "{problem:?}"
    );
}
