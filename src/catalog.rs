//! `entente catalog`: what partners have published, and what we may do with each column.

use crate::cli::Context;
use crate::failure::Failure;
use crate::local_node::{LocalNode, block_on};
use crate::screen::table;
use entente_wire::local::CatalogEntry;
use entente_wire::names::ColumnName;
use entente_wire::policy::Verb;

/// Shows the catalogue.
pub(crate) fn show(context: &Context) -> Result<(), Failure> {
    block_on(async {
        let mut node = LocalNode::connect(&context.home).await?;
        let catalog = node.catalog().await?;
        context.screen.show(&catalog, |catalog| text(catalog));
        Ok(())
    })
}

fn text(catalog: &[CatalogEntry]) -> String {
    if catalog.is_empty() {
        return "nothing is published yet: a partner publishes with `entente policy publish`"
            .to_owned();
    }
    let texts: Vec<String> = catalog.iter().map(entry_text).collect();
    texts.join("\n\n")
}

/// One published dataset, named as a question names it.
fn entry_text(entry: &CatalogEntry) -> String {
    let publication = &entry.publication;
    let policy = &publication.policy;
    let left = match (entry.jobs_left_30d, entry.epsilon_left_year) {
        (Some(jobs), Some(epsilon)) => {
            format!("; {jobs} job runs left in 30 days, a privacy loss of {epsilon} in 365")
        }
        (Some(jobs), None) => format!("; {jobs} job runs left in 30 days"),
        (None, _) => String::new(),
    };
    let rows = policy
        .columns
        .keys()
        .map(|column| column_row(entry, column))
        .collect();
    format!(
        "\"{}\".{}: about {} ids; groups below {} and lists below {} are refused or suppressed{left}\n{}",
        publication.org,
        policy.dataset,
        publication.ids_rounded,
        policy.min_group,
        policy.min_set,
        table(&["column", "type", "id", "we may", "domain"], &[], rows)
    )
}

fn column_row(entry: &CatalogEntry, column: &ColumnName) -> Vec<String> {
    let publication = &entry.publication;
    let policy = publication.policy.columns.get(column);
    let kind = publication.schema.0.get(column);
    let id = policy.and_then(|policy| policy.id.clone());
    let domain = policy.and_then(|policy| policy.domain.clone());
    vec![
        column.to_string(),
        kind.map_or_else(String::new, |kind| format!("{kind:?}").to_lowercase()),
        id.map_or_else(String::new, String::from),
        entry
            .for_us
            .get(column)
            .map_or_else(String::new, |verbs| verbs_text(verbs)),
        domain.map_or_else(String::new, |values| values.join(", ")),
    ]
}

/// Verbs as a policy writes them.
fn verbs_text(verbs: &[Verb]) -> String {
    let names: Vec<String> = verbs
        .iter()
        .map(|verb| format!("{verb:?}").to_lowercase())
        .collect();
    names.join(", ")
}
