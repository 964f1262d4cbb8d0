//! The joint operator: which of the protocols' answers this question is, for whom, and what that needs of the sender.

use super::answer::{self, Layout, Output, Shows};
use super::display;
use super::groups::Key;
use super::protection::{self, Carries};
use super::question::Shape;
use super::readers::Readers;
use super::refuse::{At, Refusals};
use super::reveal;
use super::scope::Scope;
use super::verbs::Need;
use crate::job::Job;
use crate::names::ColumnName;
use crate::plan::Operator;
use crate::policy::Verb;
use std::collections::BTreeSet;

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
    /// Who reads.
    pub(super) readers: Readers,
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
        readers,
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
        return Some((reveal::reveal(understood, scope, refusals)?, None));
    }
    if !aggregates {
        return refusals.question(
            shape.at,
            "the answer has groups but no aggregate",
            "add COUNT(*)",
        );
    }
    if let Readers::Both { .. } = readers {
        return refusals.version(
            shape.at,
            "`results_to` names both parties; a number or a table goes to exactly one of them in this version",
            "name the one party that reads the result, or ask twice",
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

/// Notes that the party that is not `reader` has to let it know which of its ids are there.
pub(super) fn need_reveal(scope: &mut Scope<'_>, reader: usize, at: At, why: &'static str) {
    let partner = scope
        .tables
        .iter_mut()
        .enumerate()
        .find(|(side, _)| *side != reader);
    if let Some((_, table)) = partner
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
        readers,
    } = understood;
    let receiver = readers.receiver();
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
            receiver,
            shape.at,
            "this version computes a table from the matched ids; without the grant the question needs the blind join, not available \
             in this version",
        );
    }
    let org = scope.tables.get(receiver)?.org.clone();
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
    let foreign = |(side, at, what)| (!understood.readers.contains(side)).then_some((at, what));
    keys.chain(aggregates).filter_map(foreign).collect()
}
