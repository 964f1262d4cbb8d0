//! The question language, held to its vectors: what is accepted and with which plan, what is refused and with which words,
//! that nothing panics, and that every party plans the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::canonical;
use entente_wire::job::Job;
use entente_wire::names::{ColumnName, DatasetName, OrgName};
use entente_wire::plan::{Operator, Plan, Side};
use entente_wire::policy::Verb;
use entente_wire::problem::{Code, Problem, Side as At};
use entente_wire::publication::Publication;
use entente_wire::sql::{self, Catalog};
use proptest::prelude::*;
use published::{Asked, JOIN, Published, read, vector};
use sqlparser::dialect::{Dialect, GenericDialect, PostgreSqlDialect};
use sqlparser::parser::Parser;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// One case of a vector file: the job, and what is expected of it.
struct Case {
    name: String,
    asked: Asked,
    expected: toml::Table,
}

impl Case {
    fn job(&self) -> Job {
        self.asked.job()
    }

    fn plan(&self, catalog: &dyn Catalog) -> Result<Plan, Vec<Problem>> {
        sql::plan(&self.job(), &self.asked.asker, catalog)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.expected.get(key).map(|value| value.as_str().unwrap())
    }
}

fn cases(file: &str) -> Vec<Case> {
    let mut table: toml::Table = read(file);
    let Some(toml::Value::Array(cases)) = table.remove("case") else {
        panic!("{file} has no cases");
    };
    cases.into_iter().map(case).collect()
}

fn case(value: toml::Value) -> Case {
    let mut table: toml::Table = value.try_into().unwrap();
    let mut expected = toml::Table::new();
    for key in [
        "plan",
        "same_as",
        "filters",
        "problems",
        "min_group_planned",
    ] {
        if let Some(value) = table.remove(key) {
            expected.insert(key.to_owned(), value);
        }
    }
    let name = table.remove("name").unwrap().as_str().unwrap().to_owned();
    let asked = table
        .try_into()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    Case {
        name,
        asked,
        expected,
    }
}

fn accepted(name: &str) -> Case {
    cases("accepted.toml")
        .into_iter()
        .find(|case| case.name == name)
        .unwrap()
}

fn planned(case: &Case, catalog: &dyn Catalog) -> Plan {
    case.plan(catalog)
        .unwrap_or_else(|problems| panic!("{}: {problems:#?}", case.name))
}

#[test]
fn accepted_questions_have_exactly_their_plans() {
    let catalog = Published::load();
    for case in cases("accepted.toml") {
        let plan = planned(&case, &catalog);
        if let Some(name) = case.text("plan") {
            golden(name, &plan);
        }
        if let Some(name) = case.text("same_as") {
            assert_eq!(plan, planned(&accepted(name), &catalog), "{}", case.name);
        }
        if let Some(filters) = case.expected.get("filters") {
            let expected: BTreeMap<OrgName, String> = filters.clone().try_into().unwrap();
            let filter = |side: &Side| Some((side.org.clone(), side.filter.clone()?.0));
            let got: BTreeMap<OrgName, String> = plan.sides.iter().filter_map(filter).collect();
            assert_eq!(got, expected, "{}", case.name);
        }
        if let Some(expected) = case.expected.get("min_group_planned") {
            let (Operator::Overlap { min_group, .. } | Operator::Table { min_group, .. }) =
                plan.operator
            else {
                panic!("{}: no threshold", case.name);
            };
            assert_eq!(
                Some(i64::try_from(min_group).unwrap()),
                expected.as_integer(),
                "{}",
                case.name
            );
        }
    }
}

/// Compares with the golden plan; with ENTENTE_BLESS set, writes it instead.
fn golden(name: &str, plan: &Plan) {
    let path = vector(&format!("plans/{name}.json"));
    let text = serde_json::to_string_pretty(plan).unwrap() + "\n";
    if std::env::var_os("ENTENTE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{name}");
}

#[test]
fn refused_questions_get_exactly_these_problems() {
    let catalog = Published::load();
    let mut wrong = Vec::new();
    for case in cases("refused.toml") {
        let problems = case.plan(&catalog).err().unwrap_or_default();
        let got: Vec<String> = problems
            .iter()
            .map(|problem| format!("{} {}", problem.code, problem.what))
            .collect();
        let expected: Vec<String> = match case.expected.get("problems") {
            Some(expected) => expected.clone().try_into().unwrap(),
            None => Vec::new(),
        };
        if got.is_empty() || got != expected {
            wrong.push((case.name, got, expected));
        }
    }
    assert!(wrong.is_empty(), "case, got, expected: {wrong:#?}");
}

#[test]
fn every_refusal_says_what_to_do_and_who_can_change_it() {
    let catalog = Published::load();
    for case in cases("refused.toml") {
        for problem in case.plan(&catalog).unwrap_err() {
            assert_ne!(problem.code, Code::Defect, "{}", case.name);
            assert!(problem.todo.len() > 8, "{}: {problem:?}", case.name);
            if problem.code == Code::PolicyRefuses {
                let owner = match &problem.side {
                    At::Here => case.asked.asker.to_string(),
                    At::Partner { org } => org.to_string(),
                    side => panic!("{}: a policy refuses {side}", case.name),
                };
                assert!(
                    problem.what.contains(&format!("{owner}'s policy")),
                    "{problem:?}"
                );
                assert!(
                    problem.todo.contains(&format!("{owner}'s data owner can")),
                    "{problem:?}"
                );
            }
        }
    }
}

/// The same publications in another order, and nothing else of the world.
struct Narrow<'p>(Vec<&'p Publication>);

impl Catalog for Narrow<'_> {
    fn publication(&self, org: &OrgName, dataset: &DatasetName) -> Option<&Publication> {
        self.0
            .iter()
            .find(|known| known.org == *org && known.policy.dataset == *dataset)
            .copied()
    }
    fn orgs(&self) -> Vec<OrgName> {
        self.0.iter().map(|known| known.org.clone()).collect()
    }
}

#[test]
fn every_party_derives_the_same_plan_bytes() {
    let catalog = Published::load();
    for case in cases("accepted.toml") {
        let plan = planned(&case, &catalog);
        let mut used: Vec<&Publication> = plan
            .sides
            .iter()
            .map(|side| catalog.publication(&side.org, &side.dataset).unwrap())
            .collect();
        used.reverse();
        let elsewhere = planned(&case, &Narrow(used));
        assert_eq!(
            canonical::to_bytes(&plan),
            canonical::to_bytes(&elsewhere),
            "{}",
            case.name
        );
        let again: Plan = canonical::from_bytes(&canonical::to_bytes(&plan)).unwrap();
        assert_eq!(plan, again, "{}", case.name);
    }
}

#[test]
fn removing_any_needed_grant_refuses_and_any_other_changes_nothing() {
    let case = accepted("table over own columns");
    let plan = planned(&case, &Published::load());
    let needed = [
        (
            "north-bank",
            "customers",
            "mobile",
            Verb::Match,
            "river-pay",
        ),
        ("river-pay", "users", "mobile", Verb::Match, "north-bank"),
        ("river-pay", "users", "mobile", Verb::Reveal, "north-bank"),
        ("river-pay", "users", "active", Verb::Filter, "north-bank"),
        ("river-pay", "users", "age", Verb::Filter, "north-bank"),
    ];
    let mut refused = 0;
    for (org, dataset) in [("north-bank", "customers"), ("river-pay", "users")] {
        let columns: Vec<ColumnName> = Published::load()
            .get(org, dataset)
            .policy
            .columns
            .keys()
            .cloned()
            .collect();
        for column in columns {
            for verb in Verb::ALL {
                for partner in ["north-bank", "river-pay", "harbour-bank"] {
                    let mut catalog = Published::load();
                    let policy = catalog
                        .get_mut(org, dataset)
                        .policy
                        .columns
                        .get_mut(&column)
                        .unwrap();
                    if let Some(orgs) = policy.may.get_mut(&verb) {
                        orgs.remove(&partner.parse().unwrap());
                    }
                    let outcome = case.plan(&catalog);
                    if needed.contains(&(org, dataset, &column.0, verb, partner)) {
                        refused += 1;
                        let [problem] = <[Problem; 1]>::try_from(outcome.unwrap_err()).unwrap();
                        assert_eq!(problem.code, Code::PolicyRefuses);
                        for word in [org, &column.0, verb.as_str(), partner] {
                            assert!(problem.what.contains(word), "{word} in {problem:?}");
                        }
                    } else {
                        assert_eq!(outcome.as_ref(), Ok(&plan));
                    }
                }
            }
        }
    }
    assert_eq!(refused, needed.len());
}

#[test]
fn an_unpublished_column_cannot_be_used_by_anyone() {
    for (org, dataset, column) in [
        ("river-pay", "users", "active"),
        ("north-bank", "customers", "opened_on"),
    ] {
        let mut catalog = Published::load();
        catalog
            .get_mut(org, dataset)
            .schema
            .0
            .remove(&ColumnName(column.to_owned()));
        let problems = accepted("table over own columns")
            .plan(&catalog)
            .unwrap_err();
        assert!(
            problems
                .iter()
                .any(|problem| problem.what.contains("publishes no column")),
            "{problems:?}"
        );
    }
}

#[test]
fn a_publication_filed_under_a_foreign_name_is_not_used() {
    struct Swapped(Published);
    impl Catalog for Swapped {
        fn publication(&self, _: &OrgName, dataset: &DatasetName) -> Option<&Publication> {
            self.0.publication(&"river-pay".parse().unwrap(), dataset)
        }
        fn orgs(&self) -> Vec<OrgName> {
            self.0.orgs()
        }
    }
    let asked = Asked::question(
        "SELECT COUNT(*) FROM \"north-bank\".orders b JOIN \"river-pay\".users p ON b.mobile = p.mobile",
    );
    let problems = sql::plan(&asked.job(), &asked.asker, &Swapped(Published::load())).unwrap_err();
    assert_eq!(problems.first().unwrap().code, Code::DatasetUnknown);
}

#[test]
fn noise_required_by_either_party_refuses_a_table_but_not_a_reveal() {
    for (org, dataset) in [("north-bank", "customers"), ("river-pay", "users")] {
        let mut catalog = Published::load();
        catalog.get_mut(org, dataset).policy.noise = entente_wire::policy::Noise::Required;
        for name in ["overlap size", "table over own columns"] {
            let problems = accepted(name).plan(&catalog).unwrap_err();
            assert_eq!(problems.len(), 1);
            assert!(
                problems.iter().all(
                    |problem| problem.code == Code::PolicyRefuses && problem.what.contains(org)
                )
            );
        }
        planned(&accepted("reveal own rows"), &catalog);
    }
}

#[test]
fn the_stricter_party_sets_the_smallest_list_for_both() {
    for (org, dataset) in [("north-bank", "customers"), ("river-pay", "users")] {
        let mut catalog = Published::load();
        catalog.get_mut(org, dataset).policy.min_set = 30_001;
        let problems = accepted("overlap size").plan(&catalog).unwrap_err();
        let [problem] = <[Problem; 1]>::try_from(problems).unwrap();
        assert_eq!(problem.code, Code::SetTooSmall);
        assert!(
            problem.what.contains("30000 ids") && problem.what.contains(org),
            "{problem:?}"
        );
    }
}

#[test]
fn sets_that_need_buckets_are_not_in_this_version() {
    let mut catalog = Published::load();
    catalog.get_mut("river-pay", "users").ids_rounded = (1 << 24) + 1;
    let problems = accepted("overlap size").plan(&catalog).unwrap_err();
    let [problem] = <[Problem; 1]>::try_from(problems).unwrap();
    assert_eq!(problem.code, Code::NotInThisVersion);
    assert!(
        problem.what.contains("at most 16777216 a side"),
        "{problem:?}"
    );
}

#[test]
fn canonical_texts_read_alike_in_both_dialects() {
    let catalog = Published::load();
    let parsed = |dialect: &dyn Dialect, text: &str| {
        Parser::new(dialect)
            .try_with_sql(text)
            .unwrap()
            .parse_expr()
            .unwrap()
    };
    let mut texts = 0;
    for case in cases("accepted.toml") {
        for side in planned(&case, &catalog).sides {
            let derived = side.derived.into_iter().flat_map(|derived| {
                derived
                    .filter
                    .into_iter()
                    .chain(derived.columns.into_iter().map(|column| column.sql))
            });
            let groups = side.groups.into_iter().map(|group| group.sql);
            let measures = side.measures.into_iter().map(|measure| measure.sql);
            for text in derived.chain(side.filter).chain(groups).chain(measures) {
                let engine = parsed(&GenericDialect {}, &text.0);
                assert_eq!(engine, parsed(&PostgreSqlDialect {}, &text.0), "{}", text.0);
                assert!(
                    engine.to_string().eq_ignore_ascii_case(&text.0),
                    "{}: {engine}",
                    case.name
                );
                texts += 1;
            }
        }
    }
    assert!(texts > 20, "only {texts} texts were compared");
}

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
        let run = move || sql::plan(&asked.job(), &asked.asker, &Published::load()).is_ok();
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
        .collect()
}

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

/// Whatever the text: a plan, or problems that are not this program's own.
fn plan_or_problems(ask: &str) -> Result<(), TestCaseError> {
    match outcome(ask) {
        Ok(plan) => prop_assert_eq!(outcome(ask), Ok(plan)),
        Err(problems) => {
            prop_assert!(!problems.is_empty());
            prop_assert!(
                problems.iter().all(|problem| problem.code != Code::Defect),
                "{:?}",
                problems
            );
            prop_assert_eq!(outcome(ask), Err(problems));
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
        publication.schema.0.insert(column, entente_wire::publication::ColumnType::Text);
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let mut job = Asked::question("x").job();
        job.ask = format!("SELECT COUNT(*) {JOIN} WHERE b.{quoted} = 'x'");
        if let Ok(plan) = sql::plan(&job, &"north-bank".parse().unwrap(), &catalog) {
            let filter = plan.sides[0].filter.clone().unwrap().0;
            prop_assert_eq!(filter, format!("({quoted} = 'x')"));
        }
    }
}
