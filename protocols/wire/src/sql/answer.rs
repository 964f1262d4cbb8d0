//! SELECT: what the answer shows, and from that which joint operator carries it. A reveal hands the receiver its own rows, an
//! overlap is one count, a table is aggregates in groups.

use super::checked::{Checked, Form};
use super::expression::Checker;
use super::groups::{self, Key};
use super::items::{Item, Selected};
use super::measures::{self, Aggregate, Call};
use super::refuse::{At, Refusals, shown};
use super::scope::{Column, Scope};
use crate::job::Job;
use crate::names::ColumnName;
use crate::plan::{GroupKey, Measure, TableColumn, TableValue};
use sqlparser::ast::Expr;
use std::collections::BTreeSet;

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
        let name = alias.unwrap_or_else(|| ColumnName(default_name(call.what).to_owned()));
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

fn default_name(what: Aggregate) -> &'static str {
    match what {
        Aggregate::CountAll | Aggregate::Count => "count",
        Aggregate::Sum => "sum",
        Aggregate::Avg => "avg",
        Aggregate::Later => "value",
    }
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

/// The answer laid out over both sides.
pub(super) struct Layout {
    /// Each side's group keys.
    pub(super) groups: [Vec<GroupKey>; 2],
    /// Each side's measures.
    pub(super) measures: [Vec<Measure>; 2],
    /// The output columns.
    pub(super) columns: Vec<TableColumn>,
}

/// Lays out a table. `ids` is the largest number of ids that can match.
pub(super) fn table(
    outputs: &[Output<'_>],
    keys: &[Key<'_>],
    job: &Job,
    ids: u64,
    refusals: &mut Refusals,
) -> Option<Layout> {
    let mut used = BTreeSet::new();
    let mut layout = Layout {
        groups: Default::default(),
        measures: Default::default(),
        columns: Vec::new(),
    };
    let places = group_places(outputs, keys, job, &mut layout, &mut used, refusals);
    let mut clear = Some(());
    for output in outputs {
        let Some(name) = &output.name else { continue };
        let value = match &output.shows {
            Shows::Key(place) => places.get(*place).cloned().flatten(),
            Shows::Aggregate(call) => {
                aggregate(call, name, job, ids, &mut layout, &mut used, refusals)
            }
            Shows::Star(_) | Shows::Column(_) => refusals.question(
                output.at,
                "rows and aggregates stand in one answer",
                "put the column into GROUP BY, or ask two questions",
            ),
        };
        match value {
            Some(value) => layout.columns.push(TableColumn {
                name: name.clone(),
                value,
            }),
            None => clear = None,
        }
    }
    unused(job, &used, refusals);
    clear?;
    groups::bounded(layout.groups.iter().flatten(), refusals)?;
    Some(layout)
}

/// Plans each key under its output's name; a key that is not selected would leave rows nobody could tell apart.
fn group_places(
    outputs: &[Output<'_>],
    keys: &[Key<'_>],
    job: &Job,
    layout: &mut Layout,
    used: &mut BTreeSet<ColumnName>,
    refusals: &mut Refusals,
) -> Vec<Option<TableValue>> {
    let mut places = Vec::with_capacity(keys.len());
    for (place, key) in keys.iter().enumerate() {
        let output = outputs
            .iter()
            .find(|output| matches!(output.shows, Shows::Key(shown) if shown == place));
        let Some(name) = output.and_then(|output| output.name.as_ref()) else {
            places.push(refusals.question(
                key.checked.at,
                "a group key is not selected, so rows of the table could not be told apart",
                "add it to SELECT",
            ));
            continue;
        };
        let planned = groups::planned(key, name, job, used, refusals);
        places.push(planned.and_then(|planned| {
            let groups = layout.groups.get_mut(key.side)?;
            groups.push(planned);
            Some(TableValue::Group {
                side: key.side,
                place: groups.len() - 1,
            })
        }));
    }
    places
}

fn aggregate(
    call: &Call<'_>,
    name: &ColumnName,
    job: &Job,
    ids: u64,
    layout: &mut Layout,
    used: &mut BTreeSet<ColumnName>,
    refusals: &mut Refusals,
) -> Option<TableValue> {
    let (side, argument) = match call.arguments.as_slice() {
        [(side, argument)] => (*side, argument),
        _ => return Some(TableValue::CountAll),
    };
    let measure = measures::planned(call.what, argument, name, job, used, refusals)?;
    measures::cannot_wrap(&measure, ids, name, refusals)?;
    let measures = layout.measures.get_mut(side)?;
    let place = measures
        .iter()
        .position(|known| *known == measure)
        .unwrap_or_else(|| {
            measures.push(measure);
            measures.len() - 1
        });
    Some(match call.what {
        Aggregate::Count => TableValue::Count { side, place },
        Aggregate::Sum => TableValue::Sum { side, place },
        Aggregate::CountAll | Aggregate::Avg | Aggregate::Later => TableValue::Avg { side, place },
    })
}

/// A name under `domains` or `measures` that nothing uses is a slip of the pen.
pub(super) fn unused(job: &Job, used: &BTreeSet<ColumnName>, refusals: &mut Refusals) {
    let lists = [
        ("domains", job.domains.keys().collect::<Vec<_>>()),
        ("measures", job.measures.keys().collect()),
    ];
    for (list, names) in lists {
        for name in names.into_iter().filter(|name| !used.contains(name)) {
            let _: Option<()> = refusals.job(
                format!(
                    "`{list}` has an entry for {}, which no output of the question needs",
                    shown(&name.0)
                ),
                "remove it, or give the output that name with AS",
            );
        }
    }
}
