//! What one partner may do with one column, and which line of the policy says so.

use entente_wire::local::ColumnExplanation;
use entente_wire::names::{ColumnName, OrgName};
use entente_wire::policy::{ColumnPolicy, Policy, Verb};

/// Explains all six verbs.
pub fn explain(policy: &Policy, column: &ColumnName, to: &OrgName) -> ColumnExplanation {
    let rules = policy.columns.get(column);
    let explained = |verb: Verb| match rules {
        None => (
            false,
            format!(
                "the policy does not list {column}, so it is not published: nobody may do anything with it"
            ),
        ),
        Some(rules) => one(policy, column, rules, verb, to),
    };
    ColumnExplanation {
        dataset: policy.dataset.clone(),
        column: column.clone(),
        to: to.clone(),
        verbs: Verb::ALL
            .into_iter()
            .map(|verb| (verb, explained(verb)))
            .collect(),
    }
}

fn one(
    policy: &Policy,
    column: &ColumnName,
    rules: &ColumnPolicy,
    verb: Verb,
    to: &OrgName,
) -> (bool, String) {
    let granted = policy.allows(column, verb, to);
    let orgs: Vec<String> = rules
        .may
        .get(&verb)
        .into_iter()
        .flatten()
        .map(|org| format!("\"{org}\""))
        .collect();
    let why = match (granted, orgs.is_empty()) {
        (true, _) => format!(
            "[columns.{column}] says may.{verb} = [{}]: {}",
            orgs.join(", "),
            meaning(rules, verb)
        ),
        (false, false) => format!(
            "[columns.{column}] grants `{verb}` to others ({}), not to {to}",
            orgs.join(", ")
        ),
        (false, true) if verb.needs_id() && rules.id.is_none() => {
            format!("`{verb}` needs a column of ids, and {column} is none")
        }
        (false, true) => format!("[columns.{column}] does not grant `{verb}` to anybody"),
    };
    (granted, why)
}

/// What a grant allows in this policy's own terms.
fn meaning(rules: &ColumnPolicy, verb: Verb) -> String {
    match verb {
        Verb::Match => "it may join on this id and learn how many match".to_owned(),
        Verb::Group => match &rules.domain {
            Some(domain) => format!(
                "it may group by this column, over {} public values{}",
                domain.len(),
                if rules.nullable { " and NULL" } else { "" }
            ),
            None => {
                "it may group by expressions over this column whose values its job lists".to_owned()
            }
        },
        Verb::Count => "it may count rows with a value".to_owned(),
        Verb::Sum => match (rules.clip, rules.scale) {
            (Some([low, high]), Some(scale)) => format!(
                "it may add up this column, each value capped to [{low}, {high}] in units of 10^-{scale}"
            ),
            _ => "it may add up this column, with cap and scale given in its job".to_owned(),
        },
        Verb::Filter => "it may use this column in conditions".to_owned(),
        Verb::Reveal => "it may learn which of its own ids are in this dataset".to_owned(),
    }
}
