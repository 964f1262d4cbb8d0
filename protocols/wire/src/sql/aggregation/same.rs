//! Whether all parties' tables have one shape, and if not, what is different at whom.

use super::One;
use crate::decimal;
use crate::names::{ColumnName, OrgName};
use crate::plan::{GroupKey, Measure};
use crate::publication::ColumnType;
use crate::sql::refuse::{At, Refusals, shown};
use std::collections::BTreeSet;

/// Most values of a difference that are listed.
const VALUES_SHOWN_MAX: usize = 5;
/// Parties whose difference is told one by one; more would bury the first.
const PARTIES_TOLD_MAX: usize = 8;

/// Refuses tables of several shapes: each that differs from the first is told.
pub(super) fn check(each: &[One], refusals: &mut Refusals) -> Option<()> {
    let (first, others) = each.split_first()?;
    let differing = others
        .iter()
        .filter_map(|other| difference(first, other).map(|what| (&other.side.org, what)));
    let mut clear = Some(());
    for (org, (what, todo)) in differing.take(PARTIES_TOLD_MAX) {
        let alike = format!("{org} and {} can publish it alike", first.side.org);
        clear = refusals.question(At::WHOLE, what, alike + todo);
    }
    clear
}

/// What is different, and what the question or the job can do about it.
type Difference = (String, &'static str);

fn difference(first: &One, other: &One) -> Option<Difference> {
    let (ours, theirs) = (&first.side, &other.side);
    let types = first.types.iter().zip(&other.types);
    let groups = ours.groups.iter().zip(&theirs.groups);
    let measures = ours.measures.iter().zip(&theirs.measures);
    let orgs = [&ours.org, &theirs.org];
    let mut found = types
        .filter_map(|(one, another)| type_difference(orgs, one, another))
        .chain(groups.filter_map(|(one, another)| group_difference(orgs, one, another)))
        .chain(measures.filter_map(|(one, another)| measure_difference(orgs, one, another)));
    found.next().or_else(|| rest(first, other))
}

/// Nothing is known to come here; a difference that did would be a sum of two things.
fn rest(first: &One, other: &One) -> Option<Difference> {
    let (ours, theirs) = (&first.side, &other.side);
    let is_same = first.types == other.types
        && ours.groups == theirs.groups
        && ours.measures == theirs.measures
        && ours.derived == theirs.derived
        && ours.filter == theirs.filter
        && first.columns == other.columns
        && first.moments == other.moments
        && first.display == other.display;
    let what = || {
        let (org, other) = (&ours.org, &theirs.org);
        (
            format!("{org} and {other} would compute this question differently"),
            "",
        )
    };
    (!is_same).then(what)
}

fn type_difference(
    [org, other]: [&OrgName; 2],
    (name, kind): &(ColumnName, ColumnType),
    (_, another): &(ColumnName, ColumnType),
) -> Option<Difference> {
    let what = || {
        (
            format!("{name} is {kind} at {org} and {another} at {other}"),
            "; or ask without it",
        )
    };
    (kind != another).then(what)
}

fn group_difference(orgs: [&OrgName; 2], one: &GroupKey, another: &GroupKey) -> Option<Difference> {
    let what = if one.domain != another.domain {
        domains(orgs, one, another)
    } else if one.nullable != another.nullable {
        let [org, other] = orgs;
        let (with, without) = if one.nullable {
            (org, other)
        } else {
            (other, org)
        };
        let name = &one.name;
        format!("{name} can be NULL at {with} and cannot at {without}")
    } else {
        return None;
    };
    let todo = "; or group by CASE WHEN … THEN 'a' … ELSE 'other' END, which has the same values everywhere";
    Some((what, todo))
}

/// Which values the one has and the other does not.
fn domains([org, other]: [&OrgName; 2], one: &GroupKey, another: &GroupKey) -> String {
    let [ours, theirs] = [one, another].map(|key| key.domain.iter().collect::<BTreeSet<_>>());
    let name = &one.name;
    let mut parts = Vec::new();
    for (who, only) in [(org, &ours - &theirs), (other, &theirs - &ours)] {
        if only.is_empty() {
            continue;
        }
        let listed: Vec<String> = only
            .iter()
            .take(VALUES_SHOWN_MAX)
            .map(|value| shown(value))
            .collect();
        let more = match only.len().checked_sub(VALUES_SHOWN_MAX) {
            None | Some(0) => String::new(),
            Some(more) => format!(" and {more} more"),
        };
        parts.push(format!("only {who} has {}{more}", listed.join(", ")));
    }
    match parts.is_empty() {
        true => format!("{org} and {other} list the values of {name} in different orders"),
        false => format!(
            "{org} and {other} publish different domains of {name}: {}",
            parts.join("; ")
        ),
    }
}

fn measure_difference(
    [org, other]: [&OrgName; 2],
    one: &Measure,
    another: &Measure,
) -> Option<Difference> {
    let range = |measure: &Measure| {
        let [low, high] = measure
            .clip
            .map(|bound| decimal::render(bound, measure.scale));
        format!("[{low}, {high}] with {} decimals", measure.scale)
    };
    let what = || {
        let (sql, ours, theirs) = (&one.sql.0, range(one), range(another));
        (
            format!("{sql} is capped to {ours} at {org} and to {theirs} at {other}"),
            "; or add up an expression over it, such as x + 0, and give its cap and scale in the job's `measures`",
        )
    };
    (one != another).then(what)
}
