//! FROM and ON: two tables of two parties, joined by one equality of id columns of the same family.

use super::Catalog;
use super::question::at;
use super::refuse::{At, Refusals, shown};
use super::scope::{self, Column, Scope};
use super::verbs::Need;
use crate::names::ColumnName;
use crate::policy::{IdKind, Verb};
use sqlparser::ast::{
    BinaryOperator, Expr, Join, JoinConstraint, JoinOperator, TableFactor, TableWithJoins,
};

/// The one form of FROM.
const FORM: &str = "write FROM organisation.dataset AS a JOIN partner.dataset AS b ON a.id = b.id";

/// FROM taken apart: both tables and the condition between them.
pub(super) fn sides<'c>(
    from: Vec<TableWithJoins>,
    catalog: &'c dyn Catalog,
    fallback: At,
    refusals: &mut Refusals,
) -> Option<(Scope<'c>, Expr)> {
    let (left, right, on) = two_tables(from, fallback, refusals)?;
    let left = scope::table(left, catalog, fallback, refusals);
    let right = scope::table(right, catalog, fallback, refusals);
    let (left, right) = (left?, right?);
    if left.org == right.org {
        let org = left.org;
        return refusals.question(
            right.at,
            format!("both tables are {org}'s"),
            "A question joins tables of two parties; what lies at one party needs no Entente",
        );
    }
    if left.qualifier == right.qualifier {
        return refusals.question(
            right.at,
            format!("both tables are called {}", shown(&left.qualifier)),
            "give each its own alias with AS",
        );
    }
    Some((
        Scope {
            tables: vec![left, right],
        },
        on,
    ))
}

fn two_tables(
    from: Vec<TableWithJoins>,
    fallback: At,
    refusals: &mut Refusals,
) -> Option<(TableFactor, TableFactor, Expr)> {
    let mut from = from.into_iter();
    let (Some(TableWithJoins { relation, joins }), None) = (from.next(), from.next()) else {
        return refusals.question(fallback, "FROM does not hold one join of two tables", FORM);
    };
    let here = at(&relation, fallback);
    let mut joins = joins.into_iter();
    let join = match (joins.next(), joins.next()) {
        (Some(join), None) => join,
        (None, _) => return refusals.question(here, "FROM names one table only", FORM),
        (Some(_), Some(third)) => {
            return refusals.question(
                at(&third, here),
                "more than two tables are joined",
                "ask one question for each partner",
            );
        }
    };
    let here = at(&join, here);
    let Join {
        relation: right,
        global,
        join_operator,
    } = join;
    match join_operator {
        JoinOperator::Join(JoinConstraint::On(on)) | JoinOperator::Inner(JoinConstraint::On(on)) if !global => {
            Some((relation, right, on))
        }
        JoinOperator::Join(JoinConstraint::Using(_)) | JoinOperator::Inner(JoinConstraint::Using(_)) => {
            refusals.question(here, "USING is not part of the question language", FORM)
        }
        _ => refusals.question(
            here,
            "only an inner join with ON is part of the question language: others would show rows of one party alone",
            FORM,
        ),
    }
}

/// Finds the id equality among the conjuncts of ON, notes the join's `match` on both sides, and gives the other conjuncts
/// back: they are WHERE.
pub(super) fn equality<'e>(
    on: &'e Expr,
    scope: &mut Scope<'_>,
    refusals: &mut Refusals,
) -> Option<Vec<&'e Expr>> {
    let here = At::of(on);
    let mut others = Vec::new();
    let mut pairs = Vec::new();
    for conjunct in conjuncts(on) {
        match id_pair(conjunct, scope) {
            Some(pair) => pairs.push((pair, at(conjunct, here))),
            None => others.push(conjunct),
        }
    }
    let [((left, right), here)] = pairs.as_slice() else {
        return match pairs.get(1) {
            None => no_equality(&others, scope, here, refusals),
            Some((_, second)) => refusals.question(
                *second,
                "ON has more than one equality between the tables",
                "join on one id",
            ),
        };
    };
    let kinds = [
        id_kind(left, scope, *here, refusals),
        id_kind(right, scope, *here, refusals),
    ];
    let [Some((left_id, left_kind)), Some((right_id, right_kind))] = kinds else {
        return None;
    };
    if left_kind.family() != right_kind.family() {
        return refusals.question(
            *here,
            format!(
                "{left_id} is written {} and {right_id} {}",
                left_kind.family(),
                right_kind.family()
            ),
            "join id columns of the same kind",
        );
    }
    for (column, id) in [(left, left_id), (right, right_id)] {
        let table = scope.tables.get_mut(column.side)?;
        table.needs.push(Need::new(id.clone(), Verb::Match, *here));
        table.id = Some(id);
    }
    Some(others)
}

/// Says why none of the conjuncts is the join: an unknown name, or really none.
fn no_equality<T>(
    others: &[&Expr],
    scope: &Scope<'_>,
    here: At,
    refusals: &mut Refusals,
) -> Option<T> {
    for conjunct in others {
        if let Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } = conjunct
        {
            for side in [bare(left), bare(right)] {
                if matches!(side, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
                    scope.column(side, at(side, here), refusals)?;
                }
            }
        }
    }
    refusals.question(
        here,
        "ON has no equality of one column of each table",
        "join on plain id columns, such as ON a.mobile = b.mobile; ids are normalised by their kind, so no function is needed",
    )
}

/// The operands of a chain of AND, from left to right; parentheses around an AND are opened.
pub(super) fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    let mut open = vec![expr];
    let mut found = Vec::new();
    while let Some(expr) = open.pop() {
        match expr {
            Expr::BinaryOp {
                left,
                op: BinaryOperator::And,
                right,
            } => open.extend([&**right, &**left]),
            Expr::Nested(inner) => open.push(inner),
            other => found.push(other),
        }
    }
    found
}

/// Two columns of different sides under `=`; anything else, also with unknown names, is not an id equality.
fn id_pair<'c>(expr: &Expr, scope: &Scope<'c>) -> Option<(Column<'c>, Column<'c>)> {
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::Eq,
        right,
    } = expr
    else {
        return None;
    };
    let mut silent = Refusals::silent();
    let left = scope.column(bare(left), At::WHOLE, &mut silent)?;
    let right = scope.column(bare(right), At::WHOLE, &mut silent)?;
    (left.side != right.side).then_some((left, right))
}

fn bare(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// The id column behind one side of the equality, and how it is written.
fn id_kind(
    column: &Column<'_>,
    scope: &Scope<'_>,
    at: At,
    refusals: &mut Refusals,
) -> Option<(ColumnName, IdKind)> {
    let table = scope.tables.get(column.side)?;
    let source = match &table.collapsed {
        Some(collapsed) if collapsed.id_alias == column.name => collapsed.id.clone(),
        Some(_) => {
            return refusals.question(
                at,
                format!(
                    "{} of the subquery {} is not an id",
                    shown(&column.name.0),
                    shown(&table.qualifier)
                ),
                "join on the id that the subquery groups by",
            );
        }
        None => column.name.clone(),
    };
    let kind = table
        .published(&source)
        .and_then(|(_, policy)| policy.id.clone());
    let Some(kind) = kind else {
        let (org, dataset) = (&table.org, &table.dataset);
        return refusals.question(
            at,
            format!("{source} of {org}'s {dataset} is not an id column"),
            format!("join on an id column; {org}'s data owner can make it one with `id = …` under [columns.{source}]"),
        );
    };
    Some((source, kind))
}
