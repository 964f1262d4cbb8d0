//! SELECT: what the answer shows, and from that which joint operator carries it. A reveal hands the receiver its own rows, an
//! overlap is one count, a table is aggregates in groups.

use super::checked::{Checked, Form};
use super::expression::Checker;
use super::groups::Key;
use super::items::{Item, Selected};
use super::measures::{self, Call};
use super::refuse::{At, Refusals, shown};
use super::scope::{Column, Scope};
use crate::names::ColumnName;
use sqlparser::ast::Expr;

/// Longest output name, in characters.
const NAME_CHARS_MAX: usize = 63;

/// One column of the answer.
pub(super) struct Output<'c> {
    /// Where it was asked for.
    pub(super) at: At,
    /// Its name; none for a star.
    pub(super) name: Option<ColumnName>,
    /// What it shows.
    pub(super) shows: Shows<'c>,
}

impl Output<'_> {
    /// Whether both would stand under one name in one file. Columns of both parties' rows never do: each goes to its owner.
    fn collides_with(&self, other: &Self) -> bool {
        let two_files = match (&self.shows, &other.shows) {
            (Shows::Column(here), Shows::Column(there)) => here.side != there.side,
            _ => false,
        };
        self.name.is_some() && self.name == other.name && !two_files
    }
}

/// What an output column shows.
pub(super) enum Shows<'c> {
    /// All columns of one side.
    Star(usize),
    /// A column of the rows themselves, under its own name.
    Column(Column<'c>),
    /// The group key with this place in GROUP BY.
    Key(usize),
    /// An aggregate.
    Aggregate(Call<'c>),
}

/// The outputs, in order; `None` if one was refused.
pub(super) fn outputs<'c>(
    items: &[Option<Item>],
    keys: &[Key<'c>],
    scope: &mut Scope<'c>,
    refusals: &mut Refusals,
) -> Option<Vec<Output<'c>>> {
    let mut outputs: Vec<Output<'c>> = Vec::new();
    let mut clear = Some(());
    for item in items {
        let output = item
            .as_ref()
            .and_then(|item| output(item, keys, scope, refusals));
        let Some(output) = output else {
            clear = None;
            continue;
        };
        if outputs.iter().any(|other| other.collides_with(&output)) {
            let name = output.name.map(|name| shown(&name.0)).unwrap_or_default();
            clear = refusals.question(
                output.at,
                format!("two output columns are called {name}"),
                "rename one with AS",
            );
            continue;
        }
        outputs.push(output);
    }
    clear?;
    Some(outputs)
}

fn output<'c>(
    item: &Item,
    keys: &[Key<'c>],
    scope: &mut Scope<'c>,
    refusals: &mut Refusals,
) -> Option<Output<'c>> {
    let at = item.at;
    if let Some(alias) = &item.alias {
        readable(alias, at, refusals)?;
    }
    let alias = item.alias.clone().map(ColumnName);
    let expr = match &item.what {
        Selected::Star(qualifier) => {
            let side = scope.table(qualifier, at, refusals)?;
            return Some(Output {
                at,
                name: None,
                shows: Shows::Star(side),
            });
        }
        Selected::Expression(expr) => expr,
    };
    if let Some(call) = measures::call(expr, scope, at, refusals)? {
        let name = alias.unwrap_or_else(|| ColumnName(call.what.name().to_owned()));
        return Some(Output {
            at,
            name: Some(name),
            shows: Shows::Aggregate(call),
        });
    }
    if let Some(column) = join_id(expr, at, scope) {
        return own_row(column, alias, at, refusals);
    }
    let checked = Checker::new(scope, at, refusals).check(expr)?;
    match keys.iter().position(|key| key.is(&checked)) {
        Some(place) => {
            let name = alias.or_else(|| match &checked.form {
                Form::Column(column) => Some(column.name.clone()),
                _ => None,
            });
            let Some(name) = name else {
                return refusals.question(at, "an output column has no name", "name it with AS");
            };
            Some(Output {
                at,
                name: Some(name),
                shows: Shows::Key(place),
            })
        }
        None => ungrouped(checked, keys, alias, at, refusals),
    }
}

/// A SELECT item that is neither grouped nor aggregated: a column of the rows, where rows are shown.
fn ungrouped<'c>(
    checked: Checked<'c>,
    keys: &[Key<'c>],
    alias: Option<ColumnName>,
    at: At,
    refusals: &mut Refusals,
) -> Option<Output<'c>> {
    match checked.form {
        Form::Column(column) if keys.is_empty() => own_row(column, alias, at, refusals),
        _ => refusals.question(
            at,
            "an output column is neither in GROUP BY nor an aggregate",
            "each output is a GROUP BY expression, written the same way, or one aggregate by itself; compute ratios from the result",
        ),
    }
}

fn own_row<'c>(
    column: Column<'c>,
    alias: Option<ColumnName>,
    at: At,
    refusals: &mut Refusals,
) -> Option<Output<'c>> {
    if alias.is_some_and(|alias| alias != column.name) {
        return refusals.question(
            at,
            "a column of revealed rows is renamed",
            "select it under its own name",
        );
    }
    Some(Output {
        at,
        name: Some(column.name.clone()),
        shows: Shows::Column(column),
    })
}

/// The joined id, which may be shown with the receiver's own rows but stands in no other expression.
fn join_id<'c>(expr: &Expr, at: At, scope: &Scope<'c>) -> Option<Column<'c>> {
    if !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
        return None;
    }
    let mut silent = Refusals::silent();
    let column = scope.column(expr, at, &mut silent)?;
    scope
        .tables
        .get(column.side)?
        .is_join_id(&column)
        .then_some(column)
}

/// Output names end up in files that people open with other programs.
fn readable(name: &str, at: At, refusals: &mut Refusals) -> Option<()> {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let plain = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '%' | '(' | ')'));
    if begins && plain && name.chars().count() <= NAME_CHARS_MAX {
        return Some(());
    }
    refusals.question(
        at,
        format!("{} cannot be an output name", shown(name)),
        format!("begin with a letter; use at most {NAME_CHARS_MAX} letters, digits, blanks and _ - . % ( )"),
    )
}
