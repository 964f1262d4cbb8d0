//! Verbs by position: what the question does with a column, and whether its owner's policy grants that to everyone who asks
//! or reads. Nobody needs a grant for a column of its own.

use super::refuse::{At, Refusals};
use super::scope::{Scope, Table};
use crate::names::{ColumnName, OrgName};
use crate::policy::Verb;
use std::collections::BTreeSet;

/// A verb that the question needs on a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// Which column.
    pub(super) column: ColumnName,
    /// Which verb.
    pub(super) verb: Verb,
    /// Where in the question.
    pub(super) at: At,
    /// Why, where the verb's own meaning does not say it.
    pub(super) why: &'static str,
}

impl Need {
    /// `verb` on `column`, because of what stands at `at`.
    pub(super) fn new(column: ColumnName, verb: Verb, at: At) -> Self {
        Self {
            column,
            verb,
            at,
            why: meaning(verb),
        }
    }
}

/// Checks every need of every table. `readers` are the asker and the receiver; the join's `match` is needed by the other
/// party too, whoever asks, because both enter their ids into it.
pub(super) fn check(scope: &Scope<'_>, readers: &BTreeSet<OrgName>, refusals: &mut Refusals) {
    let parties: BTreeSet<OrgName> = scope.tables.iter().map(|table| table.org.clone()).collect();
    for table in &scope.tables {
        let mut seen: Vec<(&ColumnName, Verb)> = Vec::new();
        for need in &table.needs {
            if seen.contains(&(&need.column, need.verb)) {
                continue;
            }
            seen.push((&need.column, need.verb));
            let partners = if need.verb == Verb::Match {
                &parties
            } else {
                readers
            };
            for partner in partners.iter().filter(|partner| **partner != table.org) {
                check_one(table, need, partner, refusals);
            }
        }
    }
}

fn check_one(table: &Table<'_>, need: &Need, partner: &OrgName, refusals: &mut Refusals) {
    let Need {
        column,
        verb,
        at,
        why,
    } = need;
    if table.publication.policy.allows(column, *verb, partner) {
        return;
    }
    let (org, dataset, verb) = (&table.org, &table.dataset, verb.as_str());
    let _: Option<()> = refusals.policy(
        *at,
        org,
        format!("{org}'s policy for column {column} of {dataset} does not grant `{verb}` to {partner} ({why})"),
        format!(
            "{org}'s data owner can add {partner} to `{verb}` in the `may` of [columns.{column}] and publish the policy of \
             {dataset} again; or ask without it"
        ),
    );
}

/// What is refused, for those who do not know the verbs by heart.
fn meaning(verb: Verb) -> &'static str {
    match verb {
        Verb::Match => "joining on it",
        Verb::Group => "grouping by it",
        Verb::Count => "counting its values",
        Verb::Sum => "sums and averages over it",
        Verb::Filter => "conditions on it",
        Verb::Reveal => "telling which of the partner's ids are here",
    }
}
