//! `SELECT a.*`, or `SELECT a.*, b.*` where both read: every column goes to its own owner only, because rows never leave their
//! owner. Each reader gets a file of its own rows for the ids that both have.

use super::answer::{Output, Shows};
use super::display;
use super::operator::{Understood, need_reveal};
use super::question::at;
use super::readers::Readers;
use super::refuse::{At, Refusals};
use super::scope::Scope;
use crate::names::OrgName;
use crate::plan::{Operator, OwnRows};
use std::collections::BTreeMap;

/// The operator of a question that shows rows.
pub(super) fn reveal(
    understood: &Understood<'_, '_>,
    scope: &mut Scope<'_>,
    refusals: &mut Refusals,
) -> Option<Operator> {
    let Understood {
        shape,
        keys,
        outputs,
        having,
        readers: reading,
        filters: _,
        job: _,
    } = understood;
    if having.is_some() {
        return refusals.question(
            shape.at,
            "HAVING stands without an aggregate",
            "remove it: a reveal shows rows, not groups",
        );
    }
    every_column_to_its_owner(understood, scope, refusals)?;
    let sides: Vec<usize> = (0..scope.tables.len())
        .filter(|side| reading.contains(*side))
        .collect();
    let mut readers = BTreeMap::new();
    for side in &sides {
        let (org, rows) = own_rows(*side, understood, scope, refusals)?;
        readers.insert(org, rows);
    }
    if let (Readers::Both { .. }, Some(key)) = (reading, shape.order_by.first()) {
        return refusals.question(
            at(&key.expr, shape.at),
            "ORDER BY stands where both parties read, each a file of its own",
            "remove it and order the files, or ask twice, once for each reader",
        );
    }
    let display = display::display(shape, outputs, keys, scope, refusals)?;
    let why = "telling which of the partner's ids are here";
    for side in sides {
        need_reveal(scope, side, shape.at, why);
    }
    Some(Operator::Reveal { readers, display })
}

/// Whose rows an output shows.
fn owner(output: &Output<'_>) -> Option<usize> {
    match &output.shows {
        Shows::Star(side) => Some(*side),
        Shows::Column(column) => Some(column.side),
        Shows::Key(_) | Shows::Aggregate(_) => None,
    }
}

/// Refuses rows of a party that does not read.
fn every_column_to_its_owner(
    understood: &Understood<'_, '_>,
    scope: &Scope<'_>,
    refusals: &mut Refusals,
) -> Option<()> {
    let reader = &scope.tables.get(understood.readers.receiver())?.org;
    let mut clear = Some(());
    for output in &understood.outputs {
        let Some(side) = owner(output) else { continue };
        if !understood.readers.contains(side) {
            clear = foreign_rows(output.at, reader, scope, refusals);
        }
    }
    clear
}

fn foreign_rows<T>(
    at: At,
    reader: &OrgName,
    scope: &Scope<'_>,
    refusals: &mut Refusals,
) -> Option<T> {
    let partner = scope
        .tables
        .iter()
        .find(|table| table.org != *reader)
        .map(|table| table.org.to_string());
    let partner = partner.unwrap_or_default();
    refusals.question(
        at,
        format!("rows of {partner} would go to {reader}; rows never leave their owner"),
        format!(
            "select {reader}'s own columns, or add {partner} to `results_to`, who then reads its own rows"
        ),
    )
}

/// The rows of one reader.
fn own_rows(
    side: usize,
    understood: &Understood<'_, '_>,
    scope: &Scope<'_>,
    refusals: &mut Refusals,
) -> Option<(OrgName, OwnRows)> {
    let (table, here) = (scope.tables.get(side)?, understood.shape.at);
    let org = &table.org;
    let own: Vec<&Shows<'_>> = understood
        .outputs
        .iter()
        .filter(|output| owner(output) == Some(side))
        .map(|output| &output.shows)
        .collect();
    if own.is_empty() {
        return refusals.question(
            here,
            format!("`results_to` names {org}, but none of its columns is selected"),
            format!("select {org}'s own columns too, or remove it from `results_to`"),
        );
    }
    if table.collapsed.is_some() {
        return refusals.question(
            here,
            "the revealed rows are those of a subquery",
            "name the dataset itself in FROM",
        );
    }
    let star = own.iter().any(|shows| matches!(shows, Shows::Star(_)));
    if star && own.len() > 1 {
        return refusals.question(
            here,
            "a.* stands beside other columns",
            "select a.* alone, or list the columns",
        );
    }
    let listed = own.iter().filter_map(|shows| match shows {
        Shows::Column(column) => Some(column.name.clone()),
        Shows::Star(_) | Shows::Key(_) | Shows::Aggregate(_) => None,
    });
    let columns = match star {
        true => table.publication.schema.0.keys().cloned().collect(),
        false => listed.collect(),
    };
    Some((org.clone(), OwnRows { columns, star }))
}
