//! The question language, held to its vectors: what is accepted and with which plan, what is refused and with which words,
//! that nothing panics, and that every party plans the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::canonical;
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::plan::{Operator, Plan, Side};
use entente_wire::problem::{Code, Side as At};
use entente_wire::publication::Publication;
use entente_wire::sql::Catalog;
use published::cases::{accepted, cases, planned};
use published::{Published, vector};
use sqlparser::dialect::{Dialect, GenericDialect, PostgreSqlDialect};
use sqlparser::parser::Parser;
use std::collections::BTreeMap;

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
            let min_group = match plan.operator {
                Operator::Overlap { min_group, .. } | Operator::Table { min_group, .. } => {
                    min_group
                }
                Operator::Joint(joint) => joint.min_group,
                Operator::Reveal { .. } => panic!("{}: no threshold", case.name),
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
