//! Aggregations: one question over `"*"` is the same local query at every party, and one table of sums.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::canonical;
use entente_wire::job::{Attendance, Measure};
use entente_wire::plan::{Aggregation, Cap, MeasureAt, MomentKind, Side, TableValue};
use entente_wire::problem::Code;
use entente_wire::sql;
use published::aggregations::{BY_TIER, column, org, outcome, planned, refused};
use published::{Asked, PARTIES, Published};
use std::collections::BTreeSet;

/// Holds a plan to what is true of all of them, and gives its first side.
fn same_everywhere(plan: &Aggregation) -> &Side {
    let names: Vec<&str> = plan.sides.iter().map(|side| side.org.as_str()).collect();
    assert_eq!(names, PARTIES);
    let [first, others @ ..] = plan.sides.as_slice() else {
        panic!("no sides");
    };
    for other in others {
        let renamed = Side {
            org: first.org.clone(),
            id: first.id.clone(),
            id_kind: first.id_kind.clone(),
            ..other.clone()
        };
        assert_eq!(&renamed, first);
    }
    let moments = &plan.table.moments;
    assert_eq!(moments.first().unwrap().what, MomentKind::Ids);
    assert!(
        moments
            .iter()
            .all(|moment| moment.opened && moment.bits == 64)
    );
    for column in &plan.table.columns {
        for what in column.value.moments() {
            assert!(plan.table.moment(&what).is_some(), "{what:?}");
        }
    }
    assert_eq!(plan.words(), plan.cells() * moments.len() as u64);
    let bytes = canonical::to_bytes(plan);
    assert_eq!(
        &serde_json::from_slice::<Aggregation>(&bytes).unwrap(),
        plan
    );
    first
}

fn kinds(plan: &Aggregation) -> Vec<MomentKind> {
    let moments = plan.table.moments.iter();
    moments.map(|moment| moment.what.clone()).collect()
}

#[test]
fn a_table_by_groups_is_the_same_query_at_every_party() {
    let plan = planned(BY_TIER);
    let side = same_everywhere(&plan);
    let x = MeasureAt { side: 0, place: 0 };
    assert_eq!(kinds(&plan), [MomentKind::Ids, x.value()]);
    // basic, silver, gold and NULL.
    assert_eq!((plan.cells(), plan.words()), (4, 8));
    assert_eq!(side.groups[0].domain, ["basic", "silver", "gold"]);
    assert_eq!(side.measures[0].clip, [0, 10_000_000]);
    assert_eq!(plan.table.moments[1].cap, Cap(10_000_000));
    assert_eq!(plan.recipient(), Some(&org("north-bank")));
    assert_eq!((plan.min_parties, plan.colluders), (3, 1));
    // The strictest of four: mill-bank's.
    assert_eq!(plan.table.min_group, 80);
    let ids: Vec<&str> = plan.sides.iter().map(|side| side.id.0.as_str()).collect();
    assert_eq!(ids, ["mobile", "email", "mobile", "mobile"]);
    let kinds: Vec<String> = plan
        .sides
        .iter()
        .map(|side| side.id_kind.to_string())
        .collect();
    assert_eq!(kinds, ["e164(+86)", "email", "e164(+86)", "e164(+852)"]);
    assert_eq!(plan.side(&org("lake-bank")), plan.sides.first());
    assert_eq!(plan.side(&org("harbour-bank")), None);
}

#[test]
fn a_count_alone_has_one_cell_and_one_sum() {
    let plan = planned("SELECT COUNT(*) AS n FROM \"*\".accounts");
    same_everywhere(&plan);
    assert_eq!((plan.cells(), plan.words()), (1, 1));
    assert_eq!(plan.groups(), []);
    assert_eq!(plan.table.columns[0].value, TableValue::CountAll);
}

#[test]
fn means_and_spreads_need_the_sums_that_they_are_computed_from() {
    let x = MeasureAt { side: 0, place: 0 };
    for (select, expected) in [
        ("SUM(a.balance) AS s", vec![x.value()]),
        ("COUNT(a.balance) AS c", vec![x.value()]),
        ("AVG(a.balance) AS m", vec![x.present(), x.value()]),
        (
            "VAR_SAMP(a.balance) AS v",
            vec![x.present(), x.value(), x.square()],
        ),
        (
            "STDDEV_SAMP(a.balance) AS d",
            vec![x.present(), x.value(), x.square()],
        ),
        (
            "COUNT(*) AS n, AVG(a.balance) AS m, STDDEV_SAMP(a.balance) AS d, SUM(a.balance) AS s",
            vec![x.present(), x.value(), x.square()],
        ),
    ] {
        let plan = planned(&format!("SELECT {select} FROM \"*\".accounts a"));
        same_everywhere(&plan);
        let mut wanted = vec![MomentKind::Ids];
        // A count of values alone adds up ones.
        wanted.extend(
            expected
                .iter()
                .map(|kind| match select.starts_with("COUNT(a") {
                    true => x.present(),
                    false => kind.clone(),
                }),
        );
        assert_eq!(kinds(&plan), wanted, "{select}");
        assert_eq!(plan.words(), wanted.len() as u64);
    }
    let plan = planned("SELECT VAR_SAMP(a.balance) AS v FROM \"*\".accounts a");
    let caps: Vec<u128> = plan
        .table
        .moments
        .iter()
        .map(|moment| moment.cap.0)
        .collect();
    assert_eq!(caps, [1, 1, 10_000_000, 100_000_000_000_000]);
}

#[test]
fn pairs_of_one_partys_own_numbers_are_added_up_too() {
    let ask = "SELECT CORR(a.balance, a.age) AS r, REGR_SLOPE(a.balance, a.age) AS k FROM \"*\".accounts a \
               WHERE a.balance IS NOT NULL AND a.age IS NOT NULL";
    let plan = planned(ask);
    same_everywhere(&plan);
    let [y, x] = [0, 1].map(|place| MeasureAt { side: 0, place });
    let expected = [
        MomentKind::Ids,
        y.value(),
        x.value(),
        y.product(x),
        y.square(),
        x.square(),
    ];
    assert_eq!(kinds(&plan), expected);
}

#[test]
fn a_histogram_has_the_branches_of_its_case_as_domain() {
    let plan = planned(
        "SELECT CASE WHEN a.age < 30 THEN 'young' WHEN a.age < 60 THEN 'middle' ELSE 'old' END AS band, COUNT(*) AS n \
         FROM \"*\".accounts a GROUP BY band ORDER BY n DESC LIMIT 2",
    );
    let side = same_everywhere(&plan);
    assert_eq!(side.groups[0].domain, ["young", "middle", "old"]);
    assert_eq!((plan.cells(), plan.table.display.limit), (3, Some(2)));
    assert_eq!(plan.table.display.order_by[0].column, column("n"));
}

#[test]
fn a_subquery_collapses_each_partys_events_to_one_row_an_id() {
    let mut asked = Asked::of_all(
        "SELECT AVG(e.total) AS mean, COUNT(*) AS n FROM (SELECT v.mobile, SUM(v.amount) AS total FROM \"*\".events v \
         WHERE v.kind = 'card' GROUP BY v.mobile) AS e",
    );
    let catalog = Published::load();
    let problem = refused(&asked, &catalog);
    assert!(
        problem
            .what
            .ends_with("nobody could say what one person contributes at most"),
        "{problem:?}"
    );
    let measure = Measure {
        clip: [0, 10_000],
        scale: 2,
    };
    asked.measures.insert(column("mean"), measure);
    let plan = outcome(&asked, &catalog).unwrap();
    let side = same_everywhere(&plan);
    let derived = side.derived.as_ref().unwrap();
    assert_eq!(derived.filter.as_ref().unwrap().0, "(\"kind\" = 'card')");
    assert_eq!(derived.columns[0].name, column("total"));
    assert_eq!(side.id, column("mobile"));
    assert_eq!(side.dataset.as_str(), "events");
}

#[test]
fn where_having_and_the_job_narrow_the_table_everywhere() {
    let mut asked = Asked::of_all(
        "SELECT a.region, upper(a.tier) AS tier, SUM(a.balance / 12) AS monthly FROM \"*\".accounts a \
         WHERE a.active AND a.age BETWEEN 18 AND 99 GROUP BY a.region, upper(a.tier) HAVING COUNT(*) >= 200",
    );
    let domain = ["BASIC", "GOLD"].map(str::to_owned).to_vec();
    asked.domains.insert(column("tier"), domain);
    asked.measures.insert(
        column("monthly"),
        Measure {
            clip: [0, 900_000],
            scale: 2,
        },
    );
    let plan = outcome(&asked, &Published::load()).unwrap();
    let side = same_everywhere(&plan);
    let filter = &side.filter.as_ref().unwrap().0;
    assert!(
        filter.contains("\"active\"") && filter.contains("BETWEEN 18 AND 99"),
        "{filter}"
    );
    assert_eq!(plan.table.min_group, 200);
    // Two regions; two tiers and NULL.
    assert_eq!((plan.cells(), plan.words()), (6, 12));
    assert_eq!(plan.table.moments[1].cap, Cap(900_000));
}

#[test]
fn the_star_stands_for_parties_in_from_and_nowhere_else() {
    // A value is a value.
    let plan = planned("SELECT COUNT(*) AS n FROM \"*\".accounts a WHERE a.tier = '*'");
    assert_eq!(
        same_everywhere(&plan).filter.as_ref().unwrap().0,
        "(\"tier\" = '*')"
    );
    // As an output's name it is refused as it is in any question, in one voice.
    let asked = Asked::of_all("SELECT COUNT(*) AS \"*\" FROM \"*\".accounts");
    let problem = refused(&asked, &Published::load());
    assert_eq!(
        problem.what,
        "line 1, column 8: \"*\" cannot be an output name"
    );
    let problems = |ask: &str| outcome(&Asked::of_all(ask), &Published::load()).unwrap_err();
    for ask in [
        "SELECT COUNT(*) AS n FROM \"*\"",
        "SELECT COUNT(*) AS n FROM accounts",
        "SELECT COUNT(*) AS n FROM \"*\".\"*\"",
        "SELECT COUNT(*) AS n FROM \"*\".\"*\".accounts",
        "SELECT \"*\".tier, COUNT(*) AS n FROM \"*\".accounts a GROUP BY \"*\".tier",
        "SELECT a.\"*\", COUNT(*) AS n FROM \"*\".accounts a GROUP BY a.\"*\"",
    ] {
        for problem in problems(ask) {
            assert!(
                matches!(problem.code, Code::Question | Code::DatasetUnknown),
                "{problem:?}"
            );
        }
    }
}

#[test]
fn every_party_derives_the_same_bytes_from_its_own_view() {
    let plan = planned(BY_TIER);
    let asked = Asked::of_all(BY_TIER);
    let view = Published::load().only("accounts");
    assert_eq!(
        canonical::to_bytes(&outcome(&asked, &view).unwrap()),
        canonical::to_bytes(&plan)
    );
}

#[test]
fn attendance_gives_the_colluders_that_the_plan_withstands() {
    let asked = |min_parties, dropouts: &str| {
        let mut job = Asked::of_all(BY_TIER).job();
        let dropouts = dropouts.parse().unwrap();
        job.aggregate = Some(Attendance {
            min_parties,
            dropouts,
            colluders: None,
        });
        let plan = sql::aggregation(&job, &org("north-bank"), &Published::load()).unwrap();
        (plan.min_parties, plan.colluders)
    };
    assert_eq!(asked(3, "1/3"), (3, 1));
    assert_eq!(asked(4, "1/3"), (4, 2));
    assert_eq!(asked(3, "0"), (3, 2));
}

#[test]
fn a_thousand_parties_are_planned_alike() {
    let catalog = Published::load();
    let (many, parties) = catalog.copied("lake-bank", "accounts", 1_000);
    let mut asked = Asked::of_all(BY_TIER);
    asked.asker = parties.first().unwrap().clone();
    asked.results_to = BTreeSet::from([asked.asker.clone()]);
    asked.parties = parties.into_iter().collect();
    let plan = outcome(&asked, &many).unwrap();
    assert_eq!(plan.sides.len(), 1_000);
    // A third may vanish, and of the others so many may collude that two lists of survivors still share an honest signer.
    assert_eq!(plan.colluders, 333);
}
