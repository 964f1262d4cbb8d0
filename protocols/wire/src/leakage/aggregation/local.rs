//! Each party's local query: what they publish it under each in its own way, and the rest, which is the same at all.

use super::{Round, cut};
use crate::leakage::runs::{group_words, list_or, measure_words};
use crate::plan::Side;
use crate::publication::Publication;

impl Round<'_> {
    pub(super) fn local(&self) -> Vec<String> {
        let mut lines = self.kinds_of_rows();
        let Some(side) = self.plan.sides.first() else {
            return lines;
        };
        let inside = side
            .derived
            .as_ref()
            .and_then(|derived| derived.filter.as_ref());
        lines
            .extend(inside.map(|condition| format!("At each: only events where {}.", condition.0)));
        lines.extend(side.derived.as_ref().map(|derived| {
            let columns: Vec<String> = derived
                .columns
                .iter()
                .map(|column| format!("{} = {}", column.name, column.sql.0))
                .collect();
            format!(
                "At each: its events are collapsed to one row an id, with {}.",
                list_or(&columns, "no further column")
            )
        }));
        let filter = side.filter.iter();
        lines.extend(filter.map(|condition| format!("At each: only where {}.", condition.0)));
        let groups = side.groups.iter();
        lines.extend(groups.map(|group| format!("At each: grouped by {}.", group_words(group))));
        let measures = side.measures.iter();
        lines.extend(
            measures.map(|measure| format!("At each: adds up {}.", measure_words(measure))),
        );
        lines
    }

    /// Whose rows of what with which consent: parties that say the same stand together.
    fn kinds_of_rows(&self) -> Vec<String> {
        let mut kinds: Vec<(String, Vec<String>)> = Vec::new();
        for (side, publication) in self.plan.sides.iter().zip(self.publications) {
            let (rows, org) = (rows(side, publication), side.org.to_string());
            match kinds.iter_mut().find(|(known, _)| *known == rows) {
                Some((_, orgs)) => orgs.push(org),
                None => kinds.push((rows, vec![org])),
            }
        }
        let rest = kinds.split_off(kinds.len().min(super::SHOWN));
        let told = kinds
            .into_iter()
            .map(|(rows, orgs)| format!("At {}: {rows}.", cut(orgs).join(", ")));
        let mut lines: Vec<String> = told.collect();
        let others: usize = rest.iter().map(|(_, orgs)| orgs.len()).sum();
        lines.extend((others > 0).then(|| {
            format!("At {others} more: in further ways, which the seal holds and each of them has published.")
        }));
        lines
    }
}

fn rows(side: &Side, publication: &Publication) -> String {
    let consent = match &publication.policy.consent {
        Some(column) => format!("rows where {column} is true"),
        None => "all rows (the policy says that no consent is needed)".to_owned(),
    };
    let kind = String::from(side.id_kind.clone());
    let Side { dataset, id, .. } = side;
    format!("dataset {dataset}, {consent}, one row for each usable id in {id} ({kind})")
}
