//! Subqueries that collapse an event table to one row an id: `(SELECT mobile, SUM(amount) AS spend FROM p.orders WHERE …
//! GROUP BY mobile) AS o`. The owner's node runs them over its own rows; only their shape is in the plan.

mod aggregate;

use super::Catalog;
use super::checked::Checked;
use super::expression::Checker;
use super::items::{Item, Selected, items};
use super::join::conjuncts;
use super::question::{Shape, at, shape};
use super::refuse::{At, Refusals, shown};
use super::scope::{self, Column, Scope, Table};
use crate::names::ColumnName;
use crate::plan::{Derived, NamedExpression, SqlText};
use crate::policy::Verb;
use crate::publication::ColumnType;
use aggregate::Aggregate;
use sqlparser::ast::{Expr, Query};
use std::collections::BTreeMap;

/// The one form of a subquery.
const FORM: &str = "write (SELECT id, SUM(x) AS total, COUNT(*) AS n FROM organisation.events WHERE … GROUP BY id) AS e";

/// What a collapsed table offers to the outer question.
pub(super) struct Collapsed {
    /// The id, as the dataset names it.
    pub(super) id: ColumnName,
    /// The id, as the outer question names it.
    pub(super) id_alias: ColumnName,
    /// The plan of it.
    pub(super) derived: Derived,
    columns: BTreeMap<ColumnName, Aggregate>,
}

impl Collapsed {
    /// The column that the outer question calls `name`.
    pub(super) fn column<'c>(
        &self,
        side: usize,
        name: &ColumnName,
        table: &Table<'c>,
    ) -> Option<Column<'c>> {
        if *name == self.id_alias {
            let (kind, policy) = table.published(&self.id)?;
            return Some(Column {
                side,
                name: name.clone(),
                kind,
                nullable: false,
                sources: vec![self.id.clone()],
                policy: Some(policy),
            });
        }
        let aggregate = self.columns.get(name)?;
        Some(Column {
            side,
            name: name.clone(),
            kind: aggregate.kind,
            nullable: aggregate.nullable,
            sources: aggregate.sources.clone(),
            policy: None,
        })
    }
}

/// The table that a subquery in FROM makes.
pub(super) fn table<'c>(
    query: Query,
    alias: String,
    catalog: &'c dyn Catalog,
    fallback: At,
    refusals: &mut Refusals,
) -> Option<Table<'c>> {
    let shape = shape(query, refusals)?;
    let here = shape.at.or(fallback);
    only_clauses(&shape, here, refusals)?;
    let mut inner = Scope {
        tables: vec![source(&shape, catalog, here, refusals)?],
    };
    let id = group_id(&shape, &inner, here, refusals)?;
    inner.tables.first_mut()?.id = Some(id.clone());
    let filter = filter(&shape, &mut inner, here, refusals);
    let selected = selection(&shape, &id, &mut inner, here, refusals);
    let (filter, (id_alias, columns)) = (filter?, selected?);
    let named = |(name, aggregate): (&ColumnName, &Aggregate)| NamedExpression {
        name: name.clone(),
        sql: SqlText(aggregate.sql.clone()),
    };
    let derived = Derived {
        filter,
        columns: columns.iter().map(named).collect(),
    };
    let table = inner.tables.pop()?;
    Some(Table {
        qualifier: alias,
        collapsed: Some(Collapsed {
            id,
            id_alias,
            derived,
            columns,
        }),
        id: None,
        at: fallback,
        ..table
    })
}

fn only_clauses(shape: &Shape, here: At, refusals: &mut Refusals) -> Option<()> {
    let odd = shape.having.is_some() || !shape.order_by.is_empty() || shape.limit.is_some();
    if odd {
        return refusals.question(
            here,
            "a subquery has HAVING, ORDER BY or LIMIT",
            "put conditions on its columns into the outer WHERE",
        );
    }
    Some(())
}

fn source<'c>(
    shape: &Shape,
    catalog: &'c dyn Catalog,
    here: At,
    refusals: &mut Refusals,
) -> Option<Table<'c>> {
    let [from] = shape.from.as_slice() else {
        return refusals.question(here, "a subquery reads more than one table, or none", FORM);
    };
    if !from.joins.is_empty() {
        return refusals.question(here, "a subquery joins tables", FORM);
    }
    let table = scope::table(from.relation.clone(), catalog, here, refusals)?;
    if table.collapsed.is_some() {
        return refusals.question(table.at, "a subquery stands inside a subquery", FORM);
    }
    Some(table)
}

/// GROUP BY has to be one id column, nothing else.
fn group_id(
    shape: &Shape,
    scope: &Scope<'_>,
    here: At,
    refusals: &mut Refusals,
) -> Option<ColumnName> {
    let [key] = shape.group_by.as_slice() else {
        return refusals.question(here, "a subquery does not group by exactly its id", FORM);
    };
    let here = at(key, here);
    let column = scope.column(key, here, refusals)?;
    if column.policy.is_none_or(|policy| policy.id.is_none()) {
        let name = shown(&column.name.0);
        return refusals.question(
            here,
            format!("{name}, which the subquery groups by, is not an id column"),
            FORM,
        );
    }
    Some(column.name)
}

fn filter(
    shape: &Shape,
    scope: &mut Scope<'_>,
    here: At,
    refusals: &mut Refusals,
) -> Option<Option<SqlText>> {
    let Some(condition) = &shape.filter else {
        return Some(None);
    };
    let mut texts = Vec::new();
    let mut clear = Some(());
    for conjunct in conjuncts(condition) {
        let checked = Checker::new(scope, at(conjunct, here), refusals).check(conjunct);
        match checked.and_then(|checked| condition_of_one_side(checked, refusals)) {
            Some(checked) => {
                checked.note_needs(Verb::Filter, scope);
                texts.push(checked.sql());
            }
            None => clear = None,
        }
    }
    clear?;
    Some(Some(all_of(&texts)))
}

/// A WHERE conjunct: a condition over the columns of one table.
pub(super) fn condition_of_one_side<'c>(
    checked: Checked<'c>,
    refusals: &mut Refusals,
) -> Option<Checked<'c>> {
    if checked.kind != Some(ColumnType::Boolean) {
        let what = format!(
            "WHERE needs a condition, and this is {}",
            checked.kind_word()
        );
        return refusals.question(checked.at, what, "compare it with something");
    }
    checked.one_side("a condition", refusals)?;
    Some(checked)
}

/// Conjuncts as one condition.
pub(super) fn all_of(texts: &[String]) -> SqlText {
    match texts {
        [one] => SqlText(one.clone()),
        many => SqlText(format!("({})", many.join(" AND "))),
    }
}

type Columns = (ColumnName, BTreeMap<ColumnName, Aggregate>);

fn selection(
    shape: &Shape,
    id: &ColumnName,
    scope: &mut Scope<'_>,
    here: At,
    refusals: &mut Refusals,
) -> Option<Columns> {
    let mut id_alias = None;
    let mut columns = BTreeMap::new();
    let mut clear = Some(());
    for item in items(shape, refusals) {
        let Some(item) = item else {
            clear = None;
            continue;
        };
        let (name, aggregate) = match one(&item, id, scope, refusals) {
            Some((name, None)) if id_alias.is_none() => {
                id_alias = Some(name);
                continue;
            }
            Some((name, Some(aggregate))) => (name, aggregate),
            Some((_, None)) => {
                clear = refusals.question(item.at, "the subquery selects its id twice", FORM);
                continue;
            }
            None => {
                clear = None;
                continue;
            }
        };
        if columns.insert(name.clone(), aggregate).is_some() {
            clear = refusals.question(
                item.at,
                format!("the subquery has two columns called {}", shown(&name.0)),
                "rename one with AS",
            );
        }
    }
    clear?;
    let Some(id_alias) = id_alias else {
        return refusals.question(here, "the subquery does not select its id", FORM);
    };
    if columns.contains_key(&id_alias) {
        return refusals.question(
            here,
            format!("the subquery has two columns called {}", shown(&id_alias.0)),
            "rename one with AS",
        );
    }
    Some((id_alias, columns))
}

/// One selected item: the id (no aggregate), or an aggregate with a name.
fn one(
    item: &Item,
    id: &ColumnName,
    scope: &mut Scope<'_>,
    refusals: &mut Refusals,
) -> Option<(ColumnName, Option<Aggregate>)> {
    let form = |refusals: &mut Refusals| {
        refusals.question(
            item.at,
            "a subquery selects its id and aggregates with a name, nothing else",
            FORM,
        )
    };
    let Selected::Expression(expr) = &item.what else {
        return form(refusals);
    };
    match &**expr {
        expr @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => {
            let column = scope.column(expr, item.at, refusals)?;
            if column.name != *id {
                return form(refusals);
            }
            Some((item.alias.clone().map_or(column.name, ColumnName), None))
        }
        Expr::Function(function) => {
            let aggregate = aggregate::of(function, item.at, id, scope, refusals)?;
            match &item.alias {
                Some(alias) => Some((ColumnName(alias.clone()), Some(aggregate))),
                None => refusals.question(
                    item.at,
                    "an aggregate of a subquery has no name",
                    "name it with AS",
                ),
            }
        }
        _ => form(refusals),
    }
}
