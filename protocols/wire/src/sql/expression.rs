//! Expressions: checked and written out again in one walk. What a plan carries is never the author's text but this canonical
//! one: quoted bare column names, explicit parentheses, versioned functions with one name each, types checked, so that the
//! query engine at the owner's node can read it in one way only.

use super::checked::Checked;
use super::question::at;
use super::refuse::{At, Refusals, shown};
use super::scope::Scope;
use super::{call, comparisons, conditional, literal, operators};
use sqlparser::ast::{BinaryOperator, Expr};

/// Deepest nesting of an expression, chains of one operator not counted. Keeps the canonical text within the query engine's
/// own limit, which counts parentheses too.
const DEPTH_MAX: usize = 12;

/// Checks expressions against the names in scope.
pub(super) struct Checker<'a, 'c> {
    scope: &'a Scope<'c>,
    /// Where problems go.
    pub(super) refusals: &'a mut Refusals,
    depth: usize,
    here: At,
}

impl<'a, 'c> Checker<'a, 'c> {
    /// A checker; `here` is reported where the parser tells no place.
    pub(super) fn new(scope: &'a Scope<'c>, here: At, refusals: &'a mut Refusals) -> Self {
        Self {
            scope,
            refusals,
            depth: 0,
            here,
        }
    }

    /// Checks one expression. `None` means it was refused.
    pub(super) fn check(&mut self, expr: &Expr) -> Option<Checked<'c>> {
        let outer = self.here;
        self.here = at(expr, outer);
        self.depth += 1;
        let checked = if self.depth > DEPTH_MAX {
            self.refusals.question(
                self.here,
                format!("an expression is nested deeper than {DEPTH_MAX}"),
                "write lists with IN, and many alternatives as one CASE",
            )
        } else {
            self.dispatch(expr)
        };
        self.depth -= 1;
        self.here = outer;
        checked
    }

    /// Checks all, so that every problem is found, then gives all or none.
    pub(super) fn check_all<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
    ) -> Option<Vec<Checked<'c>>> {
        let checked: Vec<Option<Checked<'c>>> =
            exprs.into_iter().map(|expr| self.check(expr)).collect();
        checked.into_iter().collect()
    }

    /// Where the expression being checked begins.
    pub(super) fn here(&self) -> At {
        self.here
    }

    fn dispatch(&mut self, expr: &Expr) -> Option<Checked<'c>> {
        match expr {
            Expr::Nested(inner) => self.check(inner),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.column(expr),
            Expr::Value(value) => literal::value(&value.value, self.here, self.refusals),
            Expr::TypedString(typed) => literal::typed(typed, self.here, self.refusals),
            Expr::UnaryOp { op, expr } => operators::unary(op, expr, self),
            Expr::BinaryOp {
                op: BinaryOperator::And | BinaryOperator::Or,
                ..
            } => operators::logic(expr, self),
            Expr::BinaryOp { left, op, right } => operators::binary(expr, left, op, right, self),
            Expr::IsNull(inner) => comparisons::is(inner, "IS NULL", self),
            Expr::IsNotNull(inner) => comparisons::is(inner, "IS NOT NULL", self),
            Expr::IsTrue(inner) => comparisons::is(inner, "IS TRUE", self),
            Expr::IsNotTrue(inner) => comparisons::is(inner, "IS NOT TRUE", self),
            Expr::IsFalse(inner) => comparisons::is(inner, "IS FALSE", self),
            Expr::IsNotFalse(inner) => comparisons::is(inner, "IS NOT FALSE", self),
            Expr::InList {
                expr,
                list,
                negated,
            } => comparisons::in_list(expr, list, *negated, self),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => comparisons::between([expr, low, high], *negated, self),
            Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => comparisons::like(expr, pattern, *negated, self),
            Expr::Case {
                case_token: _,
                end_token: _,
                operand,
                conditions,
                else_result,
            } => conditional::case(operand.as_deref(), conditions, else_result.as_deref(), self),
            Expr::Cast { .. }
            | Expr::Function(_)
            | Expr::Extract { .. }
            | Expr::Substring { .. }
            | Expr::Trim { .. } => call::call(expr, self),
            other => self.refused(other),
        }
    }

    fn column(&mut self, expr: &Expr) -> Option<Checked<'c>> {
        let column = self.scope.column(expr, self.here, self.refusals)?;
        let table = self.scope.tables.get(column.side)?;
        if table.is_join_id(&column) {
            let name = shown(&column.name.0);
            return self.refusals.question(
                self.here,
                format!("{name} is the id joined on; its text is written in many ways, so it stands in ON only"),
                "COUNT(*) counts ids, and ids that cannot be used never match; leave this out",
            );
        }
        Some(Checked::column(column, self.here))
    }

    fn refused(&mut self, expr: &Expr) -> Option<Checked<'c>> {
        let (what, todo) = match expr {
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => (
                "a subquery stands in an expression",
                "subqueries stand in FROM only, to collapse an event table to one row an id",
            ),
            Expr::Interval(_) => (
                "INTERVAL is not part of the question language",
                "write the date itself, such as DATE '2026-01-01': an interval from today would change its meaning every day",
            ),
            Expr::ILike { .. }
            | Expr::Like { .. }
            | Expr::SimilarTo { .. }
            | Expr::RLike { .. } => (
                "of patterns only LIKE without ESCAPE is part of the question language",
                "write lower(x) LIKE 'pattern%'",
            ),
            Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_) => (
                "this test is not part of the question language",
                "write = or <> together with IS NULL",
            ),
            Expr::Tuple(_) => (
                "a list in parentheses is no value",
                "compare each value by itself",
            ),
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                ("* is no value", "COUNT(*) is the only place for *")
            }
            Expr::Ceil { .. } | Expr::Floor { .. } => (
                "CEIL and FLOOR are not part of the question language",
                "sort values into bins with CASE WHEN x < 100 THEN '0-99' … END",
            ),
            _ => (
                "this expression is not part of the question language",
                "expressions are columns, literals, + - * / %, comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL, CASE, CAST \
                 and the listed functions",
            ),
        };
        self.refusals.question(self.here, what, todo)
    }
}
