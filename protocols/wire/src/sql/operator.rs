//! The joint operator: which of the protocols' answers this question is, for whom, and what that needs of the sender.

use super::answer::{Output, Shows};
use super::display;
use super::filters::Filters;
use super::groups::{self, Key};
use super::joint;
use super::layout::{self, Layout};
use super::protection::{self, Carries};
use super::question::Shape;
use super::readers::Readers;
use super::refuse::{At, Refusals, shown};
use super::reveal;
use super::scope::Scope;
use super::verbs::Need;
use crate::job::{Job, ProtocolChoice};
use crate::names::ColumnName;
use crate::plan::{Operator, TableValue};
use crate::policy::Verb;
use std::collections::BTreeSet;

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
    /// WHERE.
    pub(super) filters: &'q Filters,
    /// HAVING.
    pub(super) having: Option<u64>,
    /// Who reads.
    pub(super) readers: Readers,
}

/// The operator and what follows from it.
pub(super) struct Planned {
    /// Which.
    pub(super) operator: Operator,
    /// Of a table; empty where there is none.
    pub(super) layout: Layout,
    /// R, by its place in the question.
    pub(super) receiver: usize,
}

/// The operator: rows by a reveal, aggregates by the blind join, or where the author insists, from a reveal or by ECDH-PSI.
pub(super) fn operator<'c>(
    understood: &Understood<'_, 'c>,
    scope: &mut Scope<'c>,
    refusals: &mut Refusals,
) -> Option<Planned> {
    let Understood {
        job,
        shape,
        keys,
        outputs,
        filters: _,
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
        layout::unused(job, &BTreeSet::new(), refusals);
        return Some(Planned {
            operator: reveal::reveal(understood, scope, refusals)?,
            layout: Layout::default(),
            receiver: readers.receiver(),
        });
    }
    has_aggregate(outputs, shape.at, refusals)?;
    if overlap(understood).is_some() {
        no_display(shape, refusals)?;
    }
    let min_group = protection::min_group(job, *having, scope);
    match job.protect.protocol {
        None | Some(ProtocolChoice::Blind) => joint::joint(understood, min_group, scope, refusals),
        Some(ProtocolChoice::Ecdh | ProtocolChoice::Vole) => {
            matched(understood, min_group, scope, refusals)
        }
    }
}

fn has_aggregate(outputs: &[Output<'_>], at: At, refusals: &mut Refusals) -> Option<()> {
    let aggregates = |output: &Output<'_>| matches!(output.shows, Shows::Aggregate(_));
    match outputs.iter().any(aggregates) {
        true => Some(()),
        false => refusals.question(at, "the answer has groups but no aggregate", "add COUNT(*)"),
    }
}

/// Refuses rows: what many parties add up is a table of numbers.
pub(super) fn aggregates_only(
    outputs: &[Output<'_>],
    at: At,
    refusals: &mut Refusals,
) -> Option<()> {
    let row = |output: &&Output<'_>| matches!(output.shows, Shows::Star(_) | Shows::Column(_));
    match outputs.iter().find(row) {
        Some(output) => refusals.question(
            output.at,
            "an aggregation shows rows of a party",
            "group by the column, which needs a public domain, or aggregate it",
        ),
        None => has_aggregate(outputs, at, refusals),
    }
}

/// An aggregate by a protocol that matches: one count, or a table that its reader computes from the ids that it learns.
fn matched<'c>(
    understood: &Understood<'_, 'c>,
    min_group: u64,
    scope: &mut Scope<'c>,
    refusals: &mut Refusals,
) -> Option<Planned> {
    let Understood {
        job,
        shape,
        readers,
        ..
    } = understood;
    if let Readers::Both { .. } = readers {
        return refusals.question(
            shape.at,
            "`results_to` names both parties; under `protocol: vole` or `ecdh` a number or a table goes to exactly one",
            "leave `protocol` out: the blind join tells both; or name the one party that reads the result",
        );
    }
    let Some(name) = overlap(understood) else {
        return table(understood, min_group, scope, refusals);
    };
    protection::noise(Carries::ExactTable, job, scope, refusals);
    layout::unused(job, &BTreeSet::new(), refusals);
    Some(Planned {
        operator: Operator::Overlap { name, min_group },
        layout: Layout::default(),
        receiver: readers.receiver(),
    })
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
) -> Option<Planned> {
    let Understood {
        job,
        shape,
        keys,
        outputs,
        filters,
        having: _,
        readers,
    } = understood;
    let receiver = readers.receiver();
    let layout = layout::table(outputs, keys, job, filters, refusals);
    let display = display::display(shape, outputs, keys, scope, refusals);
    protection::noise(Carries::ExactTable, job, scope, refusals);
    let why = "without the blind join a table is computed from the matched ids; leave `protocol` out, and nobody learns these";
    need_reveal(scope, receiver, shape.at, why);
    let org = scope.tables.get(receiver)?.org.clone();
    let blind = blind(understood);
    for (at, what) in &blind {
        let _: Option<()> = refusals.question(
            *at,
            format!("{what}, which is not {org}'s to compute from the ids that it learns under `protocol: vole` or `ecdh`"),
            "leave `protocol` out: the blind join computes it, and nobody learns which ids are common",
        );
    }
    let layout = layout?;
    groups::bounded(layout.groups.iter().flatten(), refusals)?;
    cannot_wrap(&layout, scope.ids_min(), refusals)?;
    Some(Planned {
        operator: Operator::Table {
            columns: layout.columns.clone(),
            min_group,
            display: display?,
        },
        layout,
        receiver,
    })
}

/// Proves that each sum over any `ids` ids fits 64 bits with its sign.
fn cannot_wrap(layout: &Layout, ids: u64, refusals: &mut Refusals) -> Option<()> {
    let mut clear = Some(());
    for column in &layout.columns {
        let (TableValue::Sum { side, place } | TableValue::Avg { side, place }) = column.value
        else {
            continue;
        };
        let measure = layout.measure(side, place)?;
        let (cap, scale) = (measure.cap(), measure.scale);
        if u128::from(cap) * u128::from(ids) >= 1 << 63 {
            let name = shown(&column.name.0);
            clear = refusals.job(
                format!("the sum {name} could wrap: {ids} ids times a cap of {cap} (in units of 10^-{scale}) do not fit 64 bits"),
                "lower the cap or keep fewer decimals",
            );
        }
    }
    clear
}

/// What the blind join alone carries, by place: the partner's columns, squares and products.
fn blind(understood: &Understood<'_, '_>) -> Vec<(At, &'static str)> {
    let own = |side: &usize| understood.readers.contains(*side);
    let keys = understood.keys.iter();
    let mut blind: Vec<(At, &'static str)> = keys
        .filter(|key| !own(&key.side))
        .map(|key| (key.checked.at, "a group key is the partner's column"))
        .collect();
    for output in &understood.outputs {
        let Shows::Aggregate(call) = &output.shows else {
            continue;
        };
        if call.arguments.iter().any(|(side, _)| !own(side)) {
            blind.push((output.at, "an aggregate is over the partner's column"));
        } else if call.what.needs_products() {
            blind.push((output.at, "an aggregate adds up squares or products"));
        }
    }
    blind
}
