//! What will run, in plain sentences: each party's local query, the joint part, what the result shows and to whom.

use super::vole::counted;
use super::{Party, Run, release};
use crate::names::{ColumnName, OrgName};
use crate::plan::{
    Display, GroupKey, Joint, Measure, Operator, OwnRows, Side, TableColumn, TableValue,
};

/// Most values of a domain that are spelled out; the plan has them all.
const VALUES_SHOWN: usize = 12;

/// The lines of `runs`.
pub(super) fn lines(run: &Run<'_>, protocol: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for side in &run.plan.sides {
        let party = if side.org == *run.receiver.org() {
            run.receiver
        } else {
            run.sender
        };
        lines.extend(local(party));
    }
    lines.extend(joint(run, protocol));
    let times = run.job.runs;
    let until = moment(run.job.expires_unix_s);
    lines.push(format!(
        "The job runs at most {times} time{}, not after {until}.",
        if times == 1 { "" } else { "s" }
    ));
    lines
}

/// Seconds since 1970 as RFC 3339.
pub(super) fn moment(unix_s: u64) -> String {
    let seconds = i64::try_from(unix_s).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| format!("second {unix_s} since 1970"),
        |at| at.to_string(),
    )
}

/// One party's local query.
fn local(party: Party<'_>) -> Vec<String> {
    let (side, policy) = (party.side, &party.publication.policy);
    let Side {
        org,
        dataset,
        id,
        id_kind,
        ..
    } = side;
    let consent = match &policy.consent {
        Some(column) => format!("rows where {column} is true"),
        None => "all rows (its policy says that no consent is needed)".to_owned(),
    };
    let kind = String::from(id_kind.clone());
    let mut lines = vec![format!(
        "At {org}: dataset {dataset}, {consent}, one row for each usable id in {id} ({kind}), padded to {} ids.",
        party.ids()
    )];
    if let Some(derived) = &side.derived {
        let columns: Vec<String> = derived
            .columns
            .iter()
            .map(|column| format!("{} = {}", column.name, column.sql.0))
            .collect();
        lines.push(format!(
            "At {org}: its rows are collapsed to one an id, with {}.",
            list_or(&columns, "no further column")
        ));
    }
    for condition in party.conditions() {
        lines.push(format!("At {org}: only where {condition}."));
    }
    lines.extend(
        side.groups
            .iter()
            .map(|group| format!("At {org}: grouped by {}.", group_words(group))),
    );
    lines.extend(
        side.measures
            .iter()
            .map(|measure| format!("At {org}: adds up {}.", measure_words(measure))),
    );
    lines
}

pub(super) fn group_words(group: &GroupKey) -> String {
    let GroupKey {
        name,
        sql,
        domain,
        nullable,
    } = group;
    let mut values: Vec<String> = domain.iter().take(VALUES_SHOWN).cloned().collect();
    if domain.len() > VALUES_SHOWN {
        values.push(format!("{} more", domain.len() - VALUES_SHOWN));
    }
    if *nullable {
        values.push("NULL".to_owned());
    }
    format!("{name} = {}, one of: {}", sql.0, values.join(", "))
}

pub(super) fn measure_words(measure: &Measure) -> String {
    let Measure {
        sql,
        clip: [low, high],
        scale,
    } = measure;
    let bound = |units: i64| crate::decimal::render(units, *scale);
    format!(
        "{}, rounded to {scale} decimals and capped to {} … {}",
        sql.0,
        bound(*low),
        bound(*high)
    )
}

/// The joint part and the result.
fn joint(run: &Run<'_>, protocol: &str) -> Vec<String> {
    let (receiver, sender) = (run.receiver.org(), run.sender.org());
    let protocol = format!("Between the two nodes: {protocol}");
    match &run.plan.operator {
        Operator::Reveal { readers, display } => {
            let mut lines = vec![format!(
                "{protocol}; {receiver} learns which of its ids {sender} has too."
            )];
            if run.plan.is_mutual() {
                lines.push(format!(
                    "{receiver} then says of each of {sender}'s tags whether it matched, so that {sender} learns which of its ids {receiver} has too."
                ));
            }
            lines.extend(readers.iter().map(|(org, rows)| file(org, rows, display)));
            lines
        }
        Operator::Overlap { name, min_group } => vec![
            format!(
                "{protocol}, counting; {receiver} learns how many of its ids {sender} has too."
            ),
            format!(
                "The result is that one exact number, {name}, without noise; it is not shown if it is below {min_group}."
            ),
        ],
        Operator::Joint(joint) => blind(run, joint, &protocol),
        Operator::Table {
            columns,
            min_group,
            display,
        } => vec![
            format!(
                "{protocol}; {receiver} learns which of its ids {sender} has too, and computes the table itself."
            ),
            format!(
                "The result is a table of {}{}; exact, without noise; groups of fewer than {min_group} ids are not shown.",
                columns
                    .iter()
                    .map(column_words)
                    .collect::<Vec<_>>()
                    .join(", "),
                shown(display)
            ),
        ],
    }
}

/// A table of the blind join: what is computed, what is released to whom, and what it spends.
fn blind(run: &Run<'_>, joint: &Joint, protocol: &str) -> Vec<String> {
    let Joint {
        columns,
        moments,
        min_group,
        epsilon,
        readers,
        display,
    } = joint;
    let sums: Vec<String> = moments
        .iter()
        .map(|moment| {
            format!(
                "{} ({} bits)",
                release::words(run.plan, &moment.what),
                moment.bits
            )
        })
        .collect();
    let readers: Vec<&str> = readers.iter().map(OrgName::as_str).collect();
    let columns: Vec<String> = columns.iter().map(column_words).collect();
    let mut lines = vec![
        format!(
            "{protocol}; neither node learns which ids are common, and all sums stay split between the two nodes until they are released."
        ),
        format!(
            "{} these sums are computed exactly, each proven not to wrap: {}.",
            match groups(run) {
                1 => "Without groups,".to_owned(),
                groups => format!("For each of {groups} groups"),
            },
            sums.join("; ")
        ),
        format!(
            "The result is a table of {}{}, for {}. Groups of fewer than {min_group} ids are left out by a comparison inside the \
             computation: nobody learns their numbers.",
            columns.join(", "),
            shown(display),
            readers.join(" and ")
        ),
    ];
    lines.push(match epsilon {
        None => "The sums are released exactly, without noise.".to_owned(),
        Some(epsilon) => {
            let partner = match readers.len() {
                1 => "the node that does not read",
                _ => "each node",
            };
            let budget = |party: Party<'_>| {
                let year = party.publication.policy.budget.epsilon_per_year;
                format!("{} {year}", party.org())
            };
            format!(
                "Before anything is compared or released, {partner} adds discrete Laplace noise to every sum of every group. A run \
                 spends a privacy loss of {epsilon}, shared equally by the {} of a group; allowed in a year are at most: {}, {}.",
                counted(moments.len() as u64, "sum"),
                budget(run.receiver),
                budget(run.sender)
            )
        }
    });
    lines
}

/// Combinations of all public values that a row of the table can stand for.
fn groups(run: &Run<'_>) -> u64 {
    let keys = run.plan.sides.iter().flat_map(|side| &side.groups);
    keys.map(|key| key.domain.len() as u64 + u64::from(key.nullable))
        .fold(1, u64::saturating_mul)
}

/// One reader's file.
fn file(org: &OrgName, rows: &OwnRows, display: &Display) -> String {
    let OwnRows { columns, star } = rows;
    let what = if *star {
        "all its published columns".to_owned()
    } else {
        names(columns)
    };
    format!(
        "The result is a file of {org}'s own rows for these ids ({what}){}. No smallest group applies to it.",
        shown(display)
    )
}

pub(super) fn column_words(column: &TableColumn) -> String {
    let TableColumn { name, value } = column;
    match value {
        TableValue::Group { .. } => name.to_string(),
        TableValue::CountAll => format!("{name} (number of ids)"),
        TableValue::Count { .. } => format!("{name} (number of ids with a value)"),
        TableValue::Sum { .. } => format!("{name} (sum)"),
        TableValue::Avg { .. } => format!("{name} (mean)"),
        TableValue::VarSamp { .. } => format!("{name} (sample variance)"),
        TableValue::StddevSamp { .. } => format!("{name} (sample standard deviation)"),
        TableValue::Corr { .. } => format!("{name} (correlation)"),
        TableValue::RegrSlope { .. } => format!("{name} (slope of a regression line)"),
        TableValue::RegrIntercept { .. } => format!("{name} (intercept of a regression line)"),
    }
}

/// What ORDER BY and LIMIT do to the display.
pub(super) fn shown(display: &Display) -> String {
    let mut words = Vec::new();
    if !display.order_by.is_empty() {
        let keys: Vec<&ColumnName> = display.order_by.iter().map(|key| &key.column).collect();
        words.push(format!(
            "ordered by {}",
            keys.iter()
                .map(|key| key.0.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ));
    }
    if let Some(limit) = display.limit {
        words.push(format!("the first {limit} rows of it on display"));
    }
    if words.is_empty() {
        String::new()
    } else {
        format!(", {}", words.join(", "))
    }
}

fn names(columns: &[ColumnName]) -> String {
    columns
        .iter()
        .map(|column| column.0.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn list_or(items: &[String], none: &str) -> String {
    if items.is_empty() {
        none.to_owned()
    } else {
        items.join(", ")
    }
}
