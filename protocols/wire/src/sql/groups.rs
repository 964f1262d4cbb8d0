//! GROUP BY: keys over one party's columns, each with a public domain, so that the table's shape is known before any row is
//! read and says nothing about anybody.

use super::checked::{Checked, Form};
use super::expression::Checker;
use super::items::{Item, Selected};
use super::question::{at, folded};
use super::refuse::{At, Refusals, shown};
use super::scope::Scope;
use crate::job::Job;
use crate::limits::DOMAIN_VALUES_MAX;
use crate::names::ColumnName;
use crate::plan::{GroupKey, SqlText};
use crate::policy::Verb;
use crate::publication::ColumnType;
use jiff::civil::Date;
use sqlparser::ast::Expr;
use std::collections::BTreeSet;

/// Most cells of one table: both nodes hold an accumulator for each.
const CELLS_MAX: u64 = 1_000_000;

/// A checked GROUP BY expression.
pub(super) struct Key<'c> {
    /// The expression.
    pub(super) checked: Checked<'c>,
    /// Whose.
    pub(super) side: usize,
}

impl Key<'_> {
    /// Whether a SELECT item is this key.
    pub(super) fn is(&self, other: &Checked<'_>) -> bool {
        other.sides.len() == 1
            && other.sides.contains(&self.side)
            && other.sql() == self.checked.sql()
    }
}

/// The keys of GROUP BY; `None` if one was refused.
pub(super) fn keys<'c>(
    group_by: &[Expr],
    items: &[Option<Item>],
    scope: &mut Scope<'c>,
    here: At,
    refusals: &mut Refusals,
) -> Option<Vec<Key<'c>>> {
    let mut keys: Vec<Key<'c>> = Vec::new();
    let mut clear = Some(());
    for expr in group_by {
        let here = at(expr, here);
        let key = key(expr, items, scope, here, refusals);
        match key {
            Some(key) if keys.iter().any(|known| known.is(&key.checked)) => {
                clear =
                    refusals.question(here, "a group key stands twice in GROUP BY", "remove one");
            }
            Some(key) => keys.push(key),
            None => clear = None,
        }
    }
    clear?;
    Some(keys)
}

fn key<'c>(
    expr: &Expr,
    items: &[Option<Item>],
    scope: &mut Scope<'c>,
    here: At,
    refusals: &mut Refusals,
) -> Option<Key<'c>> {
    if matches!(
        expr,
        Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_)
    ) {
        return refusals.question(
            here,
            "ROLLUP, CUBE and GROUPING SETS are not part of the question language",
            "list the keys one by one; ask a second question for totals",
        );
    }
    if matches!(expr, Expr::Value(_)) {
        return refusals.question(
            here,
            "GROUP BY names a position",
            "write the expression itself, or its output name",
        );
    }
    let expr = match expr {
        Expr::Identifier(name) => aliased(&folded(name), items, scope, here, refusals)?,
        other => Some(other),
    }
    .unwrap_or(expr);
    let checked = Checker::new(scope, here, refusals).check(expr)?;
    let side = checked.one_side("a group key", refusals)?;
    checked.note_needs(Verb::Group, scope);
    Some(Key { checked, side })
}

/// The SELECT item that a bare name in GROUP BY means. Refused where PostgreSQL would take a column of that name instead.
fn aliased<'e>(
    name: &str,
    items: &'e [Option<Item>],
    scope: &Scope<'_>,
    here: At,
    refusals: &mut Refusals,
) -> Option<Option<&'e Expr>> {
    let found = items.iter().flatten().find_map(|item| match &item.what {
        Selected::Expression(expr) if item.alias.as_deref() == Some(name) => Some(&**expr),
        _ => None,
    });
    let Some(expr) = found else {
        return Some(None);
    };
    let column = ColumnName(name.to_owned());
    let is_that_column = matches!(expr, Expr::CompoundIdentifier(parts) if parts.last().is_some_and(|last| folded(last) == name));
    let published = scope
        .tables
        .iter()
        .any(|table| table.publication.schema.0.contains_key(&column));
    if published && !is_that_column {
        return refusals.question(
            here,
            format!("{} is an output name and also a column", shown(name)),
            "write the whole expression in GROUP BY, or choose another output name",
        );
    }
    Some(Some(expr))
}

/// The plan of a key under its output name.
pub(super) fn planned(
    key: &Key<'_>,
    name: &ColumnName,
    job: &Job,
    used: &mut BTreeSet<ColumnName>,
    refusals: &mut Refusals,
) -> Option<GroupKey> {
    let checked = &key.checked;
    let sql = match checked.kind {
        Some(ColumnType::Text) => own_text(checked.sql()),
        Some(ColumnType::Integer | ColumnType::Boolean | ColumnType::Date) => {
            format!("CAST({} AS VARCHAR)", checked.sql())
        }
        _ => {
            return refusals.question(
                checked.at,
                format!("a group key is {}, whose text is not the same in all engines", checked.kind_word()),
                "group by text, integers, booleans or dates: CASE WHEN x < 100 THEN '0-99' … END, or CAST(… AS DATE)",
            );
        }
    };
    let domain = domain(checked, name, job, used, refusals)?;
    well_formed(&domain, checked, name, refusals)?;
    Some(GroupKey {
        name: name.clone(),
        sql: SqlText(sql),
        domain,
        nullable: checked.nullable,
    })
}

/// The text of a key that is text itself. A CAST in front is the planner's own, by which results know values that are ordered as numbers:
/// an author's CAST to text stands in parentheses, and is ordered as text.
fn own_text(sql: String) -> String {
    match sql.starts_with("CAST(") {
        true => format!("({sql})"),
        false => sql,
    }
}

/// The public values, from exactly one of the three places they can come from.
fn domain(
    checked: &Checked<'_>,
    name: &ColumnName,
    job: &Job,
    used: &mut BTreeSet<ColumnName>,
    refusals: &mut Refusals,
) -> Option<Vec<String>> {
    let own = match &checked.form {
        Form::Column(column) => column.policy.and_then(|policy| policy.domain.clone()),
        Form::Choice(values) => Some(values.clone()),
        Form::Literal(_) | Form::NotZero | Form::Other => None,
    };
    let given = job.domains.get(name);
    used.extend(given.map(|_| name.clone()));
    match (own, given) {
        (Some(_), Some(_)) => refusals.job(
            format!("`domains` lists values for {name}, which has a public domain already"),
            format!("remove {name} from `domains`"),
        ),
        (Some(domain), None) => Some(domain),
        (None, Some(domain)) => Some(domain.clone()),
        (None, None) => refusals.question(
            checked.at,
            format!("the values of {name} are not public, so the table's shape would tell something"),
            format!(
                "list them in the job under `domains: {{ {name}: [...] }}`, or use CASE with literal branches; a column's owner can \
                 publish `domain = [...]`"
            ),
        ),
    }
}

fn well_formed(
    domain: &[String],
    checked: &Checked<'_>,
    name: &ColumnName,
    refusals: &mut Refusals,
) -> Option<()> {
    let distinct: BTreeSet<&String> = domain.iter().collect();
    if domain.is_empty() || domain.len() > DOMAIN_VALUES_MAX || distinct.len() != domain.len() {
        let count = domain.len();
        return refusals.job(
            format!(
                "the domain of {name} has {count} values, {} of them different",
                distinct.len()
            ),
            format!("list 1 to {DOMAIN_VALUES_MAX} different values"),
        );
    }
    let misfit = domain.iter().find(|value| !fits(checked.kind, value));
    match misfit {
        Some(value) => refusals.job(
            format!(
                "{} in the domain of {name} is not {}",
                shown(value),
                checked.kind_word()
            ),
            "write integers in digits, booleans as true and false, dates as YYYY-MM-DD",
        ),
        None => Some(()),
    }
}

/// Whether `value` is the one text of some value of that type.
fn fits(kind: Option<ColumnType>, value: &str) -> bool {
    match kind {
        Some(ColumnType::Integer) => value
            .parse::<i64>()
            .is_ok_and(|number| number.to_string() == value),
        Some(ColumnType::Boolean) => matches!(value, "true" | "false"),
        Some(ColumnType::Date) => value
            .parse::<Date>()
            .is_ok_and(|date| date.to_string() == value),
        _ => true,
    }
}

/// Refuses tables with too many cells.
pub(super) fn bounded<'k>(
    keys: impl Iterator<Item = &'k GroupKey>,
    refusals: &mut Refusals,
) -> Option<()> {
    let cells = keys.fold(1_u64, |cells, key| {
        let codes = key.domain.len() as u64 + u64::from(key.nullable);
        cells.saturating_mul(codes)
    });
    if cells > CELLS_MAX {
        return refusals.question(
            At::WHOLE,
            format!("the table would have {cells} cells; at most {CELLS_MAX} are allowed"),
            "group by fewer keys, or by keys with fewer values",
        );
    }
    Some(())
}
