//! The joint operator: which of the protocols' answers this question is, for whom, and what that needs of the sender.

use super::answer::{self, Layout, Output, Shows};
use super::display;
use super::groups::Key;
use super::protection::{self, Carries};
use super::question::Shape;
use super::refuse::{At, Refusals};
use super::scope::Scope;
use super::verbs::Need;
use crate::job::Job;
use crate::names::{ColumnName, OrgName};
use crate::plan::{Operator, OwnRows};
use crate::policy::Verb;
use std::collections::{BTreeMap, BTreeSet};

/// Why nothing over the partner's columns is carried yet; the words that a reader searches for.
const BLIND: &str = "needs the blind join, not available in this version";

/// Everything about the question that has been checked so far.
pub(super) struct Understood<'q, 'c> {
    /// The job.
    pub(super) job: &'q Job,
    /// Its question.
    pub(super) shape: &'q Shape,
    /// GROUP BY.
    pub(super) keys: Vec<Key<'c>>,
    /// SELECT.
    pub(super) outputs: Vec<Output<'c>>,
    /// HAVING.
    pub(super) having: Option<u64>,
    /// The receiver's index in the scope.
    pub(super) receiver: usize,
}

/// The operator, and the layout of a table.
pub(super) fn operator<'c>(
    understood: &Understood<'_, 'c>,
    scope: &mut Scope<'c>,
    refusals: &mut Refusals,
) -> Option<(Operator, Option<Layout>)> {
    let Understood {
        job,
        shape,
        keys,
        outputs,
        having,
        receiver: _,
    } = understood;
    let rows = outputs
        .iter()
        .any(|output| matches!(output.shows, Shows::Star(_) | Shows::Column(_)));
    let aggregates = outputs
        .iter()
        .any(|output| matches!(output.shows, Shows::Aggregate(_)));
    if rows && !aggregates && keys.is_empty() {
        protection::noise(Carries::Rows, job, scope, refusals);
        answer::unused(job, &BTreeSet::new(), refusals);
        return Some((reveal(understood, scope, refusals)?, None));
    }
    if !aggregates {
        return refusals.question(
            shape.at,
            "the answer has groups but no aggregate",
            "add COUNT(*)",
        );
    }
    let min_group = protection::min_group(job, *having, scope);
    if let Some(name) = overlap(understood) {
        protection::noise(Carries::ExactTable, job, scope, refusals);
        answer::unused(job, &BTreeSet::new(), refusals);
        no_display(shape, refusals)?;
        return Some((Operator::Overlap { name, min_group }, None));
    }
    table(understood, min_group, scope, refusals)
}

/// The name of the only output, if that is COUNT(*) without groups.
fn overlap(understood: &Understood<'_, '_>) -> Option<ColumnName> {
    match understood.outputs.as_slice() {
        [
            Output {
                name,
                shows: Shows::Aggregate(call),
                at: _,
            },
        ] if understood.keys.is_empty() && call.arguments.is_empty() => name.clone(),
        _ => None,
    }
}

fn no_display(shape: &Shape, refusals: &mut Refusals) -> Option<()> {
    if shape.order_by.is_empty() && shape.limit.is_none() {
        return Some(());
    }
    refusals.question(
        shape.at,
        "one number has neither order nor limit",
        "remove ORDER BY and LIMIT",
    )
}

fn reveal(
    understood: &Understood<'_, '_>,
    scope: &mut Scope<'_>,
    refusals: &mut Refusals,
) -> Option<Operator> {
    let Understood {
        shape,
        keys,
        outputs,
        having,
        receiver,
        job: _,
    } = understood;
    if having.is_some() {
        return refusals.question(
            shape.at,
            "HAVING stands without an aggregate",
            "remove it: a reveal shows rows, not groups",
        );
    }
    let mut columns = own_columns(understood, scope, refusals)?;
    if table_is_collapsed(scope, *receiver) {
        return refusals.question(
            shape.at,
            "the revealed rows are those of a subquery",
            "name the dataset itself in FROM",
        );
    }
    let star = outputs
        .iter()
        .any(|output| matches!(output.shows, Shows::Star(_)));
    if star && outputs.len() > 1 {
        return refusals.question(
            shape.at,
            "a.* stands beside other columns",
            "select a.* alone, or list the columns",
        );
    }
    let reader = scope.tables.get(*receiver)?;
    if star {
        columns = reader.publication.schema.0.keys().cloned().collect();
    }
    let readers = BTreeMap::from([(reader.org.clone(), OwnRows { columns, star })]);
    let display = display::display(shape, outputs, keys, scope, refusals)?;
    need_reveal(
        scope,
        *receiver,
        shape.at,
        "telling which of the partner's ids are here",
    );
    Some(Operator::Reveal { readers, display })
}

/// The selected columns, all of which have to be the receiver's.
fn own_columns(
    understood: &Understood<'_, '_>,
    scope: &Scope<'_>,
    refusals: &mut Refusals,
) -> Option<Vec<ColumnName>> {
    let receiver = understood.receiver;
    let org = &scope.tables.get(receiver)?.org;
    let mut columns = Vec::new();
    let mut clear = Some(());
    for output in &understood.outputs {
        let side = match &output.shows {
            Shows::Star(side) => *side,
            Shows::Column(column) => {
                columns.push(column.name.clone());
                column.side
            }
            Shows::Key(_) | Shows::Aggregate(_) => continue,
        };
        if side != receiver {
            clear = foreign_rows(output.at, org, scope, refusals);
        }
    }
    clear?;
    Some(columns)
}

fn table_is_collapsed(scope: &Scope<'_>, side: usize) -> bool {
    scope
        .tables
        .get(side)
        .is_some_and(|table| table.collapsed.is_some())
}

fn foreign_rows<T>(
    at: At,
    receiver: &OrgName,
    scope: &Scope<'_>,
    refusals: &mut Refusals,
) -> Option<T> {
    let partner = scope
        .tables
        .iter()
        .find(|table| table.org != *receiver)
        .map(|table| table.org.to_string());
    let partner = partner.unwrap_or_default();
    refusals.question(
        at,
        format!("rows of {partner} would go to {receiver}; rows never leave their owner"),
        format!("select {receiver}'s own columns, or write `results_to: [{partner}]`"),
    )
}

/// Notes that the sender has to let the receiver know which of its ids are there.
fn need_reveal(scope: &mut Scope<'_>, receiver: usize, at: At, why: &'static str) {
    let sender = scope
        .tables
        .iter_mut()
        .enumerate()
        .find(|(side, _)| *side != receiver);
    if let Some((_, table)) = sender
        && let Some(column) = table.id.clone()
    {
        table.needs.push(Need {
            column,
            verb: Verb::Reveal,
            at,
            why,
        });
    }
}

fn table<'c>(
    understood: &Understood<'_, 'c>,
    min_group: u64,
    scope: &mut Scope<'c>,
    refusals: &mut Refusals,
) -> Option<(Operator, Option<Layout>)> {
    let Understood {
        job,
        shape,
        keys,
        outputs,
        having: _,
        receiver,
    } = understood;
    let ids = scope
        .tables
        .iter()
        .map(|table| table.publication.ids_rounded)
        .min()
        .unwrap_or(0);
    let layout = answer::table(outputs, keys, job, ids, refusals);
    let display = display::display(shape, outputs, keys, scope, refusals);
    let blind = blind(understood);
    let carries = if blind.is_empty() {
        Carries::ExactTable
    } else {
        Carries::BlindTable
    };
    protection::noise(carries, job, scope, refusals);
    if blind.is_empty() {
        need_reveal(
            scope,
            *receiver,
            shape.at,
            "this version computes a table from the matched ids; without the grant the question needs the blind join, not available \
             in this version",
        );
    }
    let org = scope.tables.get(*receiver)?.org.clone();
    for (at, what) in &blind {
        let _: Option<()> = refusals.version(
            *at,
            format!("{what} over a column that is not {org}'s own {BLIND}"),
            format!("use only columns of {org}, who reads the result, in GROUP BY and aggregates"),
        );
    }
    let layout = layout?;
    let columns = layout.columns.clone();
    Some((
        Operator::Table {
            columns,
            min_group,
            display: display?,
        },
        Some(layout),
    ))
}

/// What the answer needs of the sender's columns, by place.
fn blind(understood: &Understood<'_, '_>) -> Vec<(At, &'static str)> {
    let keys = understood
        .keys
        .iter()
        .map(|key| (key.side, key.checked.at, "a group key"));
    let aggregates = understood.outputs.iter().flat_map(|output| {
        let arguments: &[_] = match &output.shows {
            Shows::Aggregate(call) => &call.arguments,
            Shows::Star(_) | Shows::Column(_) | Shows::Key(_) => &[],
        };
        arguments
            .iter()
            .map(|(side, _)| (*side, output.at, "an aggregate"))
    });
    let foreign = |(side, at, what)| (side != understood.receiver).then_some((at, what));
    keys.chain(aggregates).filter_map(foreign).collect()
}
