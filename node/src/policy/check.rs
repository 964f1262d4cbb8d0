//! Whether a policy can be published over a dataset. All problems are found, not only the first.

use super::columns;
use crate::data::{self, Dataset, SpillFolder};
use entente_wire::local::{DatasetReport, PolicyReport};
use entente_wire::names::ColumnName;
use entente_wire::policy::{Noise, Policy, Verb};
use entente_wire::problem::{Code, Problem};

/// Smallest `min_group` that hides a person among others; below it a note says so.
const MIN_GROUP_NOTED_BELOW: u64 = 10;

/// Checks `policy` against the dataset's columns and values. Reads the file; blocking.
///
/// What is wrong with the policy stands in the report; errors are about the file: it changed, or cannot be read.
pub fn check(
    policy: &Policy,
    dataset: &Dataset,
    spill: &SpillFolder,
) -> Result<PolicyReport, Problem> {
    let mut problems = Vec::new();
    let mut notes = Vec::new();
    named(policy, dataset, &mut problems);
    columns::structure(policy, dataset, &mut problems);
    let fits = problems.is_empty();
    let review = data::review(dataset, policy)?;
    columns::values(policy, dataset, &review, &mut problems, &mut notes);
    if fits {
        let report = data::survey(dataset, Some(policy), spill)?;
        ids(policy, &report, &mut problems, &mut notes);
    }
    grants(policy, dataset, &mut notes);
    Ok(PolicyReport {
        dataset: policy.dataset.clone(),
        problems,
        notes,
        publication: None,
    })
}

fn named(policy: &Policy, dataset: &Dataset, problems: &mut Vec<Problem>) {
    let found = &dataset.manifest.dataset;
    if policy.dataset != *found {
        problems.push(Problem::request(
            Code::PolicyFile,
            format!(
                "the policy speaks of {}, and the dataset is {found}",
                policy.dataset
            ),
            format!(
                "write name = \"{found}\", or check it against {}",
                policy.dataset
            ),
        ));
    }
}

/// What the policy leaves of the ids.
fn ids(
    policy: &Policy,
    report: &DatasetReport,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) {
    let published = report
        .enterable_ids(policy)
        .next_multiple_of(policy.set_grid.max(1));
    for id in &report.ids {
        if !policy.columns.contains_key(&id.column) {
            notes.push(format!(
                "the id column {} is registered and not published: nobody can match on it",
                id.column
            ));
            continue;
        }
        let eligible = id.eligible_ids.unwrap_or(0);
        let enterable = id.enterable_ids().unwrap_or(0);
        notes.push(format!(
            "{}: {} different ids, {} without consent on all their rows, {} conflicting; {eligible} can enter a job, published as {published}",
            id.column,
            id.distinct_ids,
            id.non_consenting_ids.unwrap_or(0),
            id.conflicting_ids.unwrap_or(0),
        ));
        if enterable < policy.min_set {
            problems.push(Problem::here(
                Code::SetTooSmall,
                format!(
                    "{enterable} ids of {} can enter a job, and min_set is {}: every job would be refused",
                    id.column, policy.min_set
                ),
                "register more data, obtain consent, set `latest` where rows conflict, or lower min_set",
            ));
        }
    }
}

/// What the policy gives away, in words.
fn grants(policy: &Policy, dataset: &Dataset, notes: &mut Vec<String>) {
    if policy.consent.is_none() {
        notes.push("consent = \"not-needed\": every row may enter a job".to_owned());
    }
    if policy.noise == Noise::Optional {
        notes.push("noise = \"optional\": jobs may release exact numbers".to_owned());
    }
    if policy.min_group < MIN_GROUP_NOTED_BELOW {
        notes.push(format!(
            "min_group = {}: groups of so few people are shown",
            policy.min_group
        ));
    }
    for (name, column) in &policy.columns {
        for org in column.may.get(&Verb::Reveal).into_iter().flatten() {
            notes.push(format!(
                "{name}: {org} may learn which of its own ids are here, that is, who is in this dataset"
            ));
        }
        if column.may.contains_key(&Verb::Group) && column.domain.is_none() {
            notes.push(format!(
                "{name}: `group` without `domain`: each job has to list the values itself"
            ));
        }
    }
    let hidden: Vec<&ColumnName> = dataset
        .columns
        .iter()
        .map(|column| &column.name)
        .filter(|name| !policy.columns.contains_key(*name))
        .collect();
    if !hidden.is_empty() {
        notes.push(format!("not published: {}", data::list(hidden.into_iter())));
    }
}
