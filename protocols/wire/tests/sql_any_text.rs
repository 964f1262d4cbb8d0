//! Whatever text somebody sends: a plan or problems, in bounded time and room, never a panic.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::names::ColumnName;
use entente_wire::plan::{Aggregation, Plan};
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::ColumnType;
use entente_wire::sql;
use proptest::prelude::*;
use published::aggregations::BY_TIER;
use published::cases::cases;
use published::{Asked, JOIN, Published};
use std::fmt::Debug;
use std::sync::OnceLock;

#[test]
fn the_deepest_questions_need_little_of_the_callers_stack() {
    const STACK_BYTES: usize = 256 * 1024;
    let deep = [
        "{(*15}b.active{)*15}",
        "{NOT *15}b.active",
        "{NOT *11}b.active",
        "{CASE WHEN *15}b.active{ THEN b.active END*15}",
        "{CASE WHEN *11}b.active{ THEN b.active END*11}",
        "{NOT (*7}b.active{)*7}",
        "{upper(*5}b.city{)*5} = 'x'",
        "b.active{ OR b.active*400}",
        "b.age{ + b.age*400} > 0",
        "{CAST(*5}b.age{ AS INTEGER)*5} > 0",
        "{CAST(*5}b.age{)*5} > 0",
    ];
    for condition in deep {
        let asked = Asked::question(&format!("SELECT COUNT(*) {{J}} WHERE {condition}"));
        // Of all parties, outside and inside of a subquery.
        let condition = condition.replace("b.", "a.");
        let select = "SELECT COUNT(*) AS n FROM";
        let outer = format!("{select} \"*\".accounts a WHERE {condition}");
        let inner = format!(
            "{select} (SELECT a.mobile FROM \"*\".events a WHERE {condition} GROUP BY a.mobile) AS e"
        );
        let of_all = [outer, inner].map(|ask| Asked::of_all(&ask));
        let run = move || {
            let catalog = Published::load();
            let is_ok = sql::plan(&asked.job(), &asked.asker, &catalog).is_ok();
            let [outer, inner] =
                of_all.map(|asked| sql::aggregation(&asked.job(), &asked.asker, &catalog).is_ok());
            is_ok | outer | inner
        };
        let thread = std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn(run)
            .unwrap();
        thread.join().unwrap();
    }
}

/// Words and signs that questions, and attacks on them, are made of.
const PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "JOIN",
    "ON",
    "WHERE",
    "GROUP BY",
    "HAVING",
    "ORDER BY",
    "LIMIT",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "LIKE",
    "IS NULL",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST(",
    "COUNT(*)",
    "COUNT(",
    "SUM(",
    "AVG(",
    "upper(",
    "(",
    ")",
    ",",
    ".",
    "*",
    "=",
    "<",
    "-",
    "+",
    "/",
    "::",
    ";",
    "'",
    "\"",
    "--",
    "/*",
    "*/",
    "b",
    "p",
    "b.tier",
    "p.active",
    "b.mobile",
    "p.mobile",
    "\"north-bank\".customers",
    "\"river-pay\".users",
    "\"*\"",
    "\"*\".accounts",
    "\"*\".events",
    "a.tier",
    "a.balance",
    "'x'",
    "1",
    "0.5",
    "NULL",
    "TRUE",
    "DATE '2026-01-01'",
    "INTERVAL",
    "DISTINCT",
    "UNION",
    "WITH",
    "OVER (",
    "EXTRACT(YEAR FROM",
    "SUBSTRING(",
    "TRIM(",
    "ARRAY",
    "[",
    "]",
    "{",
    "}",
    "$1",
    "é",
    "\u{202e}",
    "\u{0}",
    "EXISTS",
    "ANY(",
    "VALUES",
    "LATERAL",
    "ROLLUP(",
    "FILTER (WHERE",
    "TABLE",
    "IN (",
    "XMLTABLE(",
    "JSON_OBJECT(",
    "MAP",
    "INTERVAL '1'",
    "AT TIME ZONE",
    "COLLATE",
    "POSITION(",
    "OVERLAY(",
    "FLOOR(",
    "CEIL(",
    "CONVERT(",
    "TRY_CAST(",
    "GROUPING SETS (",
    "FETCH FIRST",
    "FOR UPDATE",
    "OFFSET",
    "MATCH_RECOGNIZE(",
    "PIVOT(",
    "TABLESAMPLE (",
    "WINDOW",
    "QUALIFY",
];

fn questions() -> Vec<String> {
    cases("accepted.toml")
        .iter()
        .chain(&cases("refused.toml"))
        .map(|case| case.job().ask)
        .chain(OF_ALL.iter().map(|ask| (*ask).to_owned()))
        .collect()
}

/// Questions to all parties together, to be mutated.
const OF_ALL: [&str; 3] = [
    BY_TIER,
    "SELECT CASE WHEN a.age < 30 THEN 'young' ELSE 'old' END AS band, STDDEV_SAMP(a.balance) AS d FROM \"*\".accounts a \
     WHERE a.active GROUP BY band HAVING COUNT(*) >= 200 ORDER BY d DESC LIMIT 3",
    "SELECT COUNT(*) AS n, COUNT(e.total) AS c FROM (SELECT v.mobile, SUM(v.amount) AS total FROM \"*\".events v \
     WHERE v.kind = 'card' GROUP BY v.mobile) AS e WHERE e.total > 0",
];

fn outcome(ask: &str) -> Result<Plan, Vec<Problem>> {
    let mut job = Asked::question("x").job();
    job.ask = ask.to_owned();
    static CATALOG: OnceLock<Published> = OnceLock::new();
    sql::plan(
        &job,
        &"north-bank".parse().unwrap(),
        CATALOG.get_or_init(Published::load),
    )
}

/// The same text, asked of all parties together.
fn outcome_of_all(ask: &str) -> Result<Aggregation, Vec<Problem>> {
    let mut job = Asked::of_all("x").job();
    job.ask = ask.to_owned();
    static CATALOG: OnceLock<Published> = OnceLock::new();
    let catalog = CATALOG.get_or_init(Published::load);
    sql::aggregation(&job, &"north-bank".parse().unwrap(), catalog)
}

/// Whatever the text, and however many are asked: a plan, or problems that are not this program's own.
fn plan_or_problems(ask: &str) -> Result<(), TestCaseError> {
    held(|| outcome(ask))?;
    held(|| outcome_of_all(ask))
}

fn held<P: PartialEq + Debug>(
    outcome: impl Fn() -> Result<P, Vec<Problem>>,
) -> Result<(), TestCaseError> {
    match outcome() {
        Ok(plan) => prop_assert_eq!(outcome(), Ok(plan)),
        Err(problems) => {
            prop_assert!(!problems.is_empty());
            prop_assert!(
                problems.iter().all(|problem| problem.code != Code::Defect),
                "{:?}",
                problems
            );
            prop_assert_eq!(outcome(), Err(problems));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_characters_give_a_plan_or_problems(ask in "\\PC{0,200}") {
        plan_or_problems(&ask)?;
    }

    #[test]
    fn any_words_give_a_plan_or_problems(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        plan_or_problems(&pieces.join(" "))?;
        plan_or_problems(&format!("SELECT COUNT(*) {JOIN} WHERE {}", pieces.join(" ")))?;
        plan_or_problems(&format!("SELECT {} {JOIN}", pieces.join(" ")))?;
        plan_or_problems(&format!("SELECT {} FROM \"*\".accounts AS a", pieces.join(" ")))?;
        plan_or_problems(&format!("SELECT COUNT(*) FROM \"*\".accounts AS a WHERE {}", pieces.join(" ")))?;
    }

    #[test]
    fn mutated_questions_give_a_plan_or_problems(
        ask in prop::sample::select(questions()),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::sample::select(PIECES), 0_u8..4), 1..5),
    ) {
        let mut words: Vec<String> = ask.split_inclusive(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
        for (here, there, piece, how) in cuts {
            if words.is_empty() {
                break;
            }
            let (here, there) = (here.index(words.len()), there.index(words.len()));
            match how {
                0 => { words.remove(here); }
                1 => words.insert(here, format!(" {piece} ")),
                2 => words.swap(here, there),
                _ => words[here] = format!(" {piece} "),
            }
        }
        plan_or_problems(&words.concat())?;
    }

    #[test]
    fn a_quoted_name_never_leaves_its_quotes(name in "\\PC{1,30}") {
        let mut catalog = Published::load();
        let column = ColumnName(name.clone());
        let publication = catalog.get_mut("north-bank", "customers");
        let policy = publication.policy.columns.get(&ColumnName("city".to_owned())).unwrap().clone();
        publication.policy.columns.insert(column.clone(), policy);
        publication.schema.0.insert(column, ColumnType::Text);
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let mut job = Asked::question("x").job();
        job.ask = format!("SELECT COUNT(*) {JOIN} WHERE b.{quoted} = 'x'");
        if let Ok(plan) = sql::plan(&job, &"north-bank".parse().unwrap(), &catalog) {
            let filter = plan.sides[0].filter.clone().unwrap().0;
            prop_assert_eq!(filter, format!("({quoted} = 'x')"));
        }
    }
}
