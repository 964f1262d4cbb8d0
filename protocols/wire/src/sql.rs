//! SQL question to plan: product.md's language, planned from the text and the published policies and nothing else, never from
//! a query engine's own plan. The same bytes give the same plan at every party, or the same refusals.
//!
//! One question is `SELECT … FROM a JOIN b ON a.id = b.id [WHERE …] [GROUP BY …] [HAVING COUNT(*) >= k] [ORDER BY …]
//! [LIMIT n]` over published tables of two parties, or `SELECT … FROM "*".a …` over one published table of each of many. It is read in this order, one concept a file:
//!
//! | file | what it decides |
//! |---|---|
//! | `text` | which characters and tokens can stand in a question at all |
//! | `question`, `items` | the one shape of SELECT; every other clause is refused by name |
//! | `scope`, `collapse` | what names mean: parties, datasets, columns, subqueries that collapse event tables |
//! | `join` | the one equality of id columns |
//! | `expression`, `checked` | expressions: type, canonical text, columns used |
//! | `filters` | WHERE: conditions, each given to the party whose columns it uses |
//! | `literal`, `operators`, `comparisons`, `conditional`, `call`, `functions`, `cast` | what expressions are made of |
//! | `groups`, `measures`, `answer`, `layout`, `display` | what the answer shows, in which public shape |
//! | `readers`, `reveal` | who reads, and which of its own rows each reader gets |
//! | `protection`, `operator`, `verbs` | thresholds, the joint operator, and whether the policies grant all of it |
//! | `joint`, `wrap` | which sums the blind join computes, and the proof that none can wrap |
//! | `matching` | by which protocol the common ids are found |
//! | `aggregation` | the same question to many parties, whose answers are added up |
//! | `room` | a stack to plan on |
//! | `refuse` | why not: place, rule, what would work, who could change it |
//!
//! Nothing is approximated: what cannot be planned exactly is refused. No input makes it panic, recurse without bound or take
//! long; the limits are named constants in the files that enforce them.

mod aggregation;
mod answer;
mod call;
mod cast;
mod checked;
mod collapse;
mod comparisons;
mod conditional;
mod display;
mod engine;
mod expression;
mod filters;
mod functions;
mod groups;
mod items;
mod join;
mod joint;
mod layout;
mod literal;
mod matching;
mod measures;
mod operator;
mod operators;
mod protection;
mod question;
mod readers;
mod refuse;
mod reveal;
mod room;
mod scope;
mod text;
mod verbs;
mod wrap;

use crate::job::Job;
use crate::names::{DatasetName, OrgName};
use crate::plan::{Aggregation, PLAN_VERSION, Plan, Side, SqlText};
use crate::problem::{Code, Problem};
use crate::publication::Publication;
use filters::Filters;
use layout::Layout;
use operator::{Planned, Understood};
use readers::Readers;
use refuse::{At, Refusals};
use room::NoAnswer;
use scope::{Scope, Table};
use std::collections::BTreeSet;

/// What the planner may look at: published datasets, by organisation and name. Planning has a thread of its own, hence `Sync`.
pub trait Catalog: Sync {
    /// The current publication of a dataset.
    fn publication(&self, org: &OrgName, dataset: &DatasetName) -> Option<&Publication>;
    /// All organisations that have published anything, for error messages.
    fn orgs(&self) -> Vec<OrgName>;
}

/// Plans `job`, a join of two parties' tables, as asked by `asker`. All problems found are returned, not only the first.
pub fn plan(job: &Job, asker: &OrgName, catalog: &dyn Catalog) -> Result<Plan, Vec<Problem>> {
    with_room(asker, |refusals| planned(job, asker, catalog, refusals))
}

/// Plans `job`, one question over the same columns of many parties, as asked by `asker`. All problems found are returned.
pub fn aggregation(
    job: &Job,
    asker: &OrgName,
    catalog: &dyn Catalog,
) -> Result<Aggregation, Vec<Problem>> {
    with_room(asker, |refusals| {
        aggregation::planned(job, asker, catalog, refusals)
    })
}

fn with_room<T: Send>(
    asker: &OrgName,
    plan: impl FnOnce(&mut Refusals) -> Option<T> + Send,
) -> Result<T, Vec<Problem>> {
    let outcome = room::with_room(|| {
        let mut refusals = Refusals::new(asker.clone());
        let plan = plan(&mut refusals);
        plan.filter(|_| refusals.is_empty())
            .ok_or_else(|| refusals.into_problems())
    });
    match outcome {
        Ok(Err(problems)) if problems.is_empty() => Err(defect("was refused without a reason")),
        Ok(outcome) => outcome,
        Err(NoAnswer::Panicked) => Err(defect("stopped the planner")),
        Err(NoAnswer::NoThread) => Err(vec![Problem::here(
            Code::Home,
            "the system gave no thread to plan the question on",
            "raise the limits on threads and memory of this process, and ask again",
        )]),
    }
}

fn defect(what: &str) -> Vec<Problem> {
    let todo = "report the question to the makers of this program";
    vec![Problem::here(
        Code::Defect,
        format!("the question {what}"),
        todo,
    )]
}

fn planned(
    job: &Job,
    asker: &OrgName,
    catalog: &dyn Catalog,
    refusals: &mut Refusals,
) -> Option<Plan> {
    let tokens = text::tokens(&job.ask, refusals)?;
    let mut shape = question::parse(tokens, refusals)?;
    let from = std::mem::take(&mut shape.from);
    let (mut scope, on) = join::sides(from, catalog, shape.at, refusals)?;
    parties(asker, job, &scope, refusals)?;
    let readers = Readers::of(job, &scope)?;
    let conjuncts = join::equality(&on, &mut scope, refusals)?;
    let filters = Filters::of(&shape, conjuncts, &mut scope, refusals);

    let items = items::items(&shape, refusals);
    let keys = groups::keys(&shape.group_by, &items, &mut scope, shape.at, refusals);
    let having = display::having(&shape, refusals);
    let outputs = match &keys {
        Some(keys) => answer::outputs(&items, keys, &mut scope, refusals),
        None => None,
    };
    protection::set_sizes(&scope, refusals);
    let planned = match (keys, outputs, having, &filters) {
        (Some(keys), Some(outputs), Some(having), Some(filters)) => {
            let understood = Understood {
                job,
                shape: &shape,
                keys,
                outputs,
                filters,
                having,
                readers,
            };
            operator::operator(&understood, &mut scope, refusals)
        }
        _ => None,
    };
    let told: BTreeSet<OrgName> = job.results_to.iter().chain([asker]).cloned().collect();
    verbs::check(&scope, &told, refusals);

    let Planned {
        operator,
        layout,
        receiver,
    } = planned?;
    let matching = matching::matching(&operator, &job.protect, shape.at, refusals)?;
    matching::sizes(matching, &scope, refusals);
    let receiver = scope.tables.get(receiver)?.org.clone();
    let sides = sides(scope, filters?, layout)?;
    engine::reads(&sides, refusals)?;
    Some(Plan {
        version: PLAN_VERSION,
        sides,
        operator,
        receiver,
        matching,
    })
}

/// Asker and readers have to be parties of the question.
fn parties(asker: &OrgName, job: &Job, scope: &Scope<'_>, refusals: &mut Refusals) -> Option<()> {
    let known = |org: &OrgName| scope.tables.iter().any(|table| table.org == *org);
    let mut clear = Some(());
    if !known(asker) {
        clear = refusals.question(
            At::WHOLE,
            format!("{asker} asks, but none of its tables is in the question"),
            "ask about a table of your own and one of a partner's",
        );
    }
    if job.results_to.is_empty() {
        clear = refusals.job(
            "`results_to` names nobody",
            "name the party that reads the result",
        );
    }
    for reader in job.results_to.iter().filter(|reader| !known(reader)) {
        clear = refusals.job(
            format!("`results_to` names {reader}, none of whose tables is in the question"),
            "only a party of the question can read its result",
        );
    }
    clear
}

/// The plan's two sides, from everything found about them.
fn sides(scope: Scope<'_>, filters: Filters, layout: Layout) -> Option<[Side; 2]> {
    let Layout {
        groups,
        measures,
        columns: _,
    } = layout;
    let parts = scope
        .tables
        .into_iter()
        .zip(filters.into_sql())
        .zip(groups.into_iter().zip(measures));
    let sides: Vec<Side> = parts
        .map(|((table, filter), (groups, measures))| side(table, filter, groups, measures))
        .collect::<Option<_>>()?;
    sides.try_into().ok()
}

fn side(
    table: Table<'_>,
    filter: Option<SqlText>,
    groups: Vec<crate::plan::GroupKey>,
    measures: Vec<crate::plan::Measure>,
) -> Option<Side> {
    let id = table.id.clone()?;
    let id_kind = table.published(&id)?.1.id.clone()?;
    Some(Side {
        org: table.org,
        dataset: table.dataset,
        derived: table.collapsed.map(|collapsed| collapsed.derived),
        id,
        id_kind,
        filter,
        groups,
        measures,
    })
}
