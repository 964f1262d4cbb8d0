//! A policy's columns against a dataset's: first what names and types tell, then what the values tell.

use crate::data::{self, ColumnReview, Dataset, Review, Storage};
use entente_wire::names::ColumnName;
use entente_wire::policy::{ColumnPolicy, IdKind, Policy};
use entente_wire::problem::{Code, Problem};

/// What names and types tell.
pub(super) fn structure(policy: &Policy, dataset: &Dataset, problems: &mut Vec<Problem>) {
    let named = policy.columns.keys();
    for name in named.chain(&policy.consent).chain(&policy.latest) {
        if let Err(problem) = data::usable(dataset, name)
            && !problems.contains(&problem)
        {
            problems.push(problem);
        }
    }
    if let Some(latest) = policy
        .latest
        .as_ref()
        .filter(|name| dataset.column(name).is_some())
        && let Err(problem) = data::orderable(dataset, latest)
    {
        problems.push(problem);
    }
    for (name, rules) in &policy.columns {
        let Some(column) = dataset.column(name) else {
            continue;
        };
        if let Some(kind) = &rules.id {
            problems.extend(id(dataset, name, kind));
        }
        if rules.clip.is_some() && !dataset.is_empty(name) {
            problems.extend(clip(name, &column.storage, column.not_numbers, dataset));
        }
        problems.extend(domain(name, rules, &column.storage));
    }
}

fn id(dataset: &Dataset, name: &ColumnName, kind: &IdKind) -> Option<Problem> {
    let found = match dataset.id(name) {
        Some(registered) if registered.kind == *kind => return None,
        Some(registered) => format!("it is registered as {}", registered.kind),
        None => "it is not registered as an id column".to_owned(),
    };
    Some(Problem::request(
        Code::PolicyFile,
        format!("the policy publishes {name} as an id of kind {kind}, and {found}"),
        format!("register the file with --id {name}={kind}, or correct the policy"),
    ))
}

fn clip(
    name: &ColumnName,
    storage: &Storage,
    not_numbers: u64,
    dataset: &Dataset,
) -> Option<Problem> {
    let found = match storage {
        Storage::Integer | Storage::Decimal { .. } | Storage::Float | Storage::Unusable { .. } => {
            return None;
        }
        Storage::Text => format!(
            "{not_numbers} of {} rows hold a value that is no number",
            dataset.manifest.rows
        ),
        Storage::Boolean => "its values are true and false".to_owned(),
        Storage::Date => "its values are dates".to_owned(),
        Storage::Timestamp => "its values are moments".to_owned(),
    };
    Some(Problem::here(
        Code::ValueOutside,
        format!("`clip` stands on {name}, and {found}"),
        "write numbers as 1234.50, without thousands separators and units, and nothing where there is none; or take `clip` away",
    ))
}

/// A domain needs a type whose text is the same everywhere, and values written in that text.
fn domain(name: &ColumnName, rules: &ColumnPolicy, storage: &Storage) -> Option<Problem> {
    let values = rules.domain.as_ref()?;
    let one_form: fn(&str) -> bool = match storage {
        Storage::Text | Storage::Unusable { .. } => |_| true,
        Storage::Integer => |value| {
            value
                .parse::<i64>()
                .is_ok_and(|number| number.to_string() == value)
        },
        Storage::Boolean => |value| matches!(value, "true" | "false"),
        Storage::Date => |value| {
            value
                .parse::<jiff::civil::Date>()
                .is_ok_and(|day| day.to_string() == value)
        },
        Storage::Decimal { .. } | Storage::Float | Storage::Timestamp => {
            return Some(Problem::request(
                Code::PolicyFile,
                format!("`domain` stands on {name}, whose values are decimals or moments"),
                "leave it out: jobs group such columns into bins with CASE",
            ));
        }
    };
    let misfits = values.iter().filter(|value| !one_form(value)).count();
    (misfits > 0).then(|| {
        Problem::request(
            Code::PolicyFile,
            format!("{misfits} values in the domain of {name} are not of the column's type"),
            "write integers in digits, booleans as true and false, days as 2026-01-05",
        )
    })
}

/// What the values tell.
pub(super) fn values(
    policy: &Policy,
    dataset: &Dataset,
    review: &Review,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) {
    if review.unclear_consents > 0 {
        let column = policy.consent.as_ref().map_or("", |name| &name.0);
        problems.push(Problem::here(
            Code::ValueOutside,
            format!(
                "{} of {} rows say neither yes nor no in the consent column {column}",
                review.unclear_consents, dataset.manifest.rows
            ),
            "write true or false, yes or no, 1 or 0; nothing counts as no",
        ));
    }
    for (name, rules) in &policy.columns {
        let Some(found) = review.columns.get(name) else {
            continue;
        };
        let typed = dataset.column(name).map(|column| &column.storage);
        if typed.is_some_and(|storage| domain(name, rules, storage).is_none()) {
            problems.extend(outside(name, rules, found));
        }
        if found.not_finite > 0 {
            problems.push(Problem::here(
                Code::ValueOutside,
                format!(
                    "{} rows have NaN or an infinity in {name}",
                    found.not_finite
                ),
                "replace such values by nothing",
            ));
        }
        if dataset.is_empty(name) {
            notes.push(format!(
                "{name} has no value in any row, so its type is taken to be text"
            ));
            continue;
        }
        if found.clipped > 0 {
            notes.push(format!(
                "{name}: {} values are capped by `clip`",
                found.clipped
            ));
        }
        if found.unused > 0 {
            notes.push(format!(
                "{name}: {} values of the domain stand in no row",
                found.unused
            ));
        }
        if found.nulls > 0 && !rules.nullable && rules.domain.is_none() && rules.id.is_none() {
            notes.push(format!(
                "{name}: {} rows have no value, and `nullable` is not set: a job that groups by it will end",
                found.nulls
            ));
        }
    }
}

fn outside(name: &ColumnName, rules: &ColumnPolicy, found: &ColumnReview) -> Option<Problem> {
    rules.domain.as_ref()?;
    let nulls = if rules.nullable { 0 } else { found.nulls };
    let ColumnReview {
        outside, padded, ..
    } = found;
    let what = match (outside, nulls) {
        (0, 0) => return None,
        (0, nulls) => format!("{nulls} rows have no value in {name}, which is not nullable"),
        (outside, 0) => {
            format!("{outside} rows have a value of {name} that its domain does not list")
        }
        (outside, nulls) => format!(
            "{outside} rows have a value of {name} that its domain does not list, and {nulls} have none although it is not nullable"
        ),
    };
    let todo = match (padded, nulls) {
        (0, 0) => "add the values to the domain, or repair the data".to_owned(),
        (0, _) => {
            "set nullable = true, add the values to the domain, or repair the data".to_owned()
        }
        _ => format!(
            "remove the white space around the value in {padded} rows; add the other values to the domain"
        ),
    };
    Some(Problem::here(Code::ValueOutside, what, todo))
}
