//! WHERE and the further conjuncts of ON: conditions, each over one party's columns and given to that party.

use super::collapse;
use super::expression::Checker;
use super::join;
use super::question::{Shape, at};
use super::refuse::Refusals;
use super::scope::Scope;
use crate::plan::SqlText;
use crate::policy::Verb;
use sqlparser::ast::Expr;

/// Each side's conditions, as canonical texts.
#[derive(Default)]
pub(super) struct Filters {
    texts: [Vec<String>; 2],
}

impl Filters {
    /// The conditions of `shape`, and `further` ones of ON; `None` if one was refused.
    pub(super) fn of(
        shape: &Shape,
        further: Vec<&Expr>,
        scope: &mut Scope<'_>,
        refusals: &mut Refusals,
    ) -> Option<Self> {
        let mut filters = Self::default();
        let mut clear = Some(());
        let conjuncts = further
            .into_iter()
            .chain(shape.filter.iter().flat_map(join::conjuncts));
        for conjunct in conjuncts {
            let checked = Checker::new(scope, at(conjunct, shape.at), refusals).check(conjunct);
            let checked =
                checked.and_then(|checked| collapse::condition_of_one_side(checked, refusals));
            let Some(checked) = checked else {
                clear = None;
                continue;
            };
            checked.note_needs(Verb::Filter, scope);
            for (side, texts) in filters.texts.iter_mut().enumerate() {
                if checked.sides.contains(&side) {
                    texts.push(checked.sql());
                }
            }
        }
        clear?;
        Some(filters)
    }

    /// Whether no row that passes them has NULL in the expression `sql`, because one of them says so.
    pub(super) fn exclude_null(&self, side: usize, sql: &str) -> bool {
        let has_value = format!("({sql} IS NOT NULL)");
        self.texts
            .get(side)
            .is_some_and(|texts| texts.contains(&has_value))
    }

    /// One expression a side.
    pub(super) fn into_sql(self) -> [Option<SqlText>; 2] {
        self.texts
            .map(|texts| (!texts.is_empty()).then(|| collapse::all_of(&texts)))
    }
}
