//! HAVING, ORDER BY and LIMIT: a higher threshold, and how the receiver's screen orders and cuts the answer. None of them
//! changes what is computed or released.

use super::answer::{Output, Shows};
use super::call;
use super::expression::Checker;
use super::groups::Key;
use super::measures::Aggregate;
use super::question::{Shape, at, folded};
use super::refuse::{At, Refusals, shown};
use super::scope::Scope;
use crate::names::ColumnName;
use crate::plan::{Display, OrderKey};
use sqlparser::ast::{BinaryOperator, Expr, OrderByExpr, Value};

/// `HAVING COUNT(*) >= k`: the k.
pub(super) fn having(shape: &Shape, refusals: &mut Refusals) -> Option<Option<u64>> {
    let Some(having) = &shape.having else {
        return Some(None);
    };
    let here = at(having, shape.at);
    if let Expr::BinaryOp {
        left,
        op: BinaryOperator::GtEq,
        right,
    } = having
        && is_count_all(left, here)
        && let Some(least) = whole(right)
        && least > 0
    {
        return Some(Some(least));
    }
    refusals.question(
        here,
        "HAVING is something other than a threshold",
        "write HAVING COUNT(*) >= 100; other conditions on results would tell about suppressed groups",
    )
}

fn is_count_all(expr: &Expr, here: At) -> bool {
    let Expr::Function(function) = expr else {
        return false;
    };
    let (scope, mut silent) = (Scope { tables: Vec::new() }, Refusals::silent());
    let mut checker = Checker::new(&scope, here, &mut silent);
    let arguments = call::arguments(function, &mut checker);
    matches!(arguments, Some((name, arguments)) if name == "count" && matches!(arguments.as_slice(), [None]))
}

fn whole(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, false) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// ORDER BY and LIMIT over the outputs.
pub(super) fn display<'c>(
    shape: &Shape,
    outputs: &[Output<'c>],
    keys: &[Key<'c>],
    scope: &Scope<'c>,
    refusals: &mut Refusals,
) -> Option<Display> {
    let limit = match &shape.limit {
        None => Some(None),
        Some(limit) => match whole(limit) {
            Some(limit) => Some(Some(limit)),
            None => refusals.question(
                at(limit, shape.at),
                "LIMIT is not a whole number",
                "write LIMIT 20",
            ),
        },
    };
    let mut order_by: Vec<OrderKey> = Vec::new();
    let mut clear = Some(());
    for key in &shape.order_by {
        match order_key(key, outputs, keys, scope, shape.at, refusals) {
            Some(key) if order_by.iter().any(|known| known.column == key.column) => {
                clear = refusals.question(
                    At::WHOLE,
                    format!("ORDER BY names {} twice", shown(&key.column.0)),
                    "remove one",
                );
            }
            Some(key) => order_by.push(key),
            None => clear = None,
        }
    }
    clear?;
    Some(Display {
        order_by,
        limit: limit?,
    })
}

fn order_key<'c>(
    key: &OrderByExpr,
    outputs: &[Output<'c>],
    keys: &[Key<'c>],
    scope: &Scope<'c>,
    fallback: At,
    refusals: &mut Refusals,
) -> Option<OrderKey> {
    let OrderByExpr {
        expr,
        options,
        with_fill,
    } = key;
    let here = at(expr, fallback);
    if options.nulls_first.is_some() || with_fill.is_some() {
        return refusals.question(
            here,
            "NULLS FIRST, NULLS LAST and WITH FILL are not part of the question language",
            "write ASC or DESC",
        );
    }
    let descending = options.asc == Some(false);
    let column = named(expr, outputs).or_else(|| same(expr, outputs, keys, scope, here));
    match column {
        Some(column) => Some(OrderKey { column, descending }),
        None => refusals.question(
            here,
            "ORDER BY names something that is not in the result",
            "order by an output's name, such as ORDER BY customers DESC",
        ),
    }
}

/// An output by its name.
fn named(expr: &Expr, outputs: &[Output<'_>]) -> Option<ColumnName> {
    let Expr::Identifier(name) = expr else {
        return None;
    };
    let name = folded(name);
    outputs
        .iter()
        .find_map(|output| output.name.clone().filter(|output| output.0 == name))
}

/// An output by its expression: a key, a column of the rows, or COUNT(*).
fn same<'c>(
    expr: &Expr,
    outputs: &[Output<'c>],
    keys: &[Key<'c>],
    scope: &Scope<'c>,
    here: At,
) -> Option<ColumnName> {
    let mut silent = Refusals::silent();
    if is_count_all(expr, here) {
        let count = |output: &&Output<'_>| matches!(&output.shows, Shows::Aggregate(call) if call.what == Aggregate::CountAll);
        return outputs.iter().find(count)?.name.clone();
    }
    if matches!(expr, Expr::CompoundIdentifier(_)) {
        let column = scope.column(expr, here, &mut silent)?;
        let shown = outputs.iter().find(|output| {
            matches!(&output.shows, Shows::Column(shown) if shown.side == column.side && shown.name == column.name)
        });
        if let Some(shown) = shown {
            return shown.name.clone();
        }
    }
    let checked = Checker::new(scope, here, &mut silent).check(expr)?;
    let place = keys.iter().position(|key| key.is(&checked))?;
    let output = outputs
        .iter()
        .find(|output| matches!(output.shows, Shows::Key(shown) if shown == place))?;
    output.name.clone()
}
