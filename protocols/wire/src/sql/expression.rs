//! Expressions: checked and written out again in one walk. What a plan carries is never the author's text but this canonical
//! one: quoted bare column names, explicit parentheses, versioned functions with one name each, types checked, so that the
//! query engine at the owner's node can read it in one way only.

use super::functions;
use super::operators;
use super::question::at;
use super::refuse::{At, Refusals, shown};
use super::scope::{Column, Scope};
use super::verbs::Need;
use super::{conditional, literal};
use crate::names::ColumnName;
use crate::policy::Verb;
use crate::publication::ColumnType;
use sqlparser::ast::{BinaryOperator, Expr};
use std::collections::BTreeSet;

/// Deepest nesting of an expression, chains of one operator not counted. Keeps the canonical text within the query engine's
/// own limit, which counts parentheses too.
const DEPTH_MAX: usize = 12;

/// An expression that was understood.
#[derive(Debug, Clone)]
pub(super) struct Checked<'c> {
    text: Text,
    /// Its type; `None` for a bare NULL.
    pub(super) kind: Option<ColumnType>,
    /// May be NULL.
    pub(super) nullable: bool,
    /// Whose columns it uses.
    pub(super) sides: BTreeSet<usize>,
    /// Which published columns it uses, and whether within the condition of a CASE.
    pub(super) uses: Vec<Use>,
    /// What it is, where that matters.
    pub(super) form: Form<'c>,
    /// Where it begins.
    pub(super) at: At,
}

/// A use of a published column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    side: usize,
    column: ColumnName,
    condition: bool,
    at: At,
}

/// What an expression is, where that matters.
#[derive(Debug, Clone)]
pub(super) enum Form<'c> {
    /// A plain column.
    Column(Column<'c>),
    /// A literal; its value as text, or `None` for NULL.
    Literal(Option<String>),
    /// A CASE all of whose branches are literals: their values in the order written, each once.
    Choice(Vec<String>),
    /// NULLIF(x, 0): NULL or not zero.
    NotZero,
    /// Anything else.
    Other,
}

/// Canonical text.
#[derive(Debug, Clone)]
enum Text {
    /// Stands anywhere as it is.
    Whole(String),
    /// Integer arithmetic carried out in DECIMAL(38,0), to be cast back: 64-bit arithmetic would wrap without a word.
    Wide(String),
}

impl<'c> Checked<'c> {
    /// A checked expression without columns of its own.
    pub(super) fn new(text: String, kind: Option<ColumnType>, at: At) -> Self {
        let (sides, uses) = (BTreeSet::new(), Vec::new());
        Self {
            text: Text::Whole(text),
            kind,
            nullable: false,
            sides,
            uses,
            form: Form::Other,
            at,
        }
    }

    /// Integer arithmetic, its text in DECIMAL(38,0).
    pub(super) fn wide(text: String, at: At) -> Self {
        Self {
            text: Text::Wide(text),
            ..Self::new(String::new(), Some(ColumnType::Integer), at)
        }
    }

    /// The same with a form of its own.
    pub(super) fn with_form(self, form: Form<'c>) -> Self {
        Self { form, ..self }
    }

    /// The same, NULL or never NULL whatever its parts are.
    pub(super) fn with_nullable(self, nullable: bool) -> Self {
        Self { nullable, ..self }
    }

    /// Takes over the columns and the nullability of the parts this is made of.
    pub(super) fn made_of(mut self, parts: &[Self]) -> Self {
        for part in parts {
            self.nullable |= part.nullable;
            self.sides.extend(&part.sides);
            self.uses.extend(part.uses.iter().cloned());
        }
        self
    }

    /// The canonical text.
    pub(super) fn sql(&self) -> String {
        match &self.text {
            Text::Whole(text) => text.clone(),
            Text::Wide(text) => format!("CAST({text} AS BIGINT)"),
        }
    }

    /// The text of an integer as DECIMAL(38,0).
    pub(super) fn wide_sql(&self) -> String {
        match &self.text {
            Text::Whole(text) => format!("CAST({text} AS DECIMAL(38,0))"),
            Text::Wide(text) => text.clone(),
        }
    }

    /// The type in words.
    pub(super) fn kind_word(&self) -> &'static str {
        self.kind.map_or("NULL", kind_word)
    }

    /// Whether the type is Integer or Decimal.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.kind, Some(ColumnType::Integer | ColumnType::Decimal))
    }

    /// Marks all columns as used in the condition of a CASE.
    pub(super) fn as_condition(mut self) -> Self {
        self.uses.iter_mut().for_each(|used| used.condition = true);
        self
    }

    /// The published columns it uses, each once, in the order of use.
    pub(super) fn columns(&self) -> Vec<ColumnName> {
        let mut columns: Vec<ColumnName> = Vec::new();
        for used in &self.uses {
            if !columns.contains(&used.column) {
                columns.push(used.column.clone());
            }
        }
        columns
    }

    /// Notes on the tables what this expression needs, standing where `verb` is needed; conditions need `filter`.
    pub(super) fn note_needs(&self, verb: Verb, scope: &mut Scope<'_>) {
        for used in &self.uses {
            let verb = if used.condition { Verb::Filter } else { verb };
            if let Some(table) = scope.tables.get_mut(used.side) {
                table
                    .needs
                    .push(Need::new(used.column.clone(), verb, used.at));
            }
        }
    }

    /// The one party whose columns this uses; anything else is refused, `what` naming the place.
    pub(super) fn one_side(&self, what: &str, refusals: &mut Refusals) -> Option<usize> {
        let mut sides = self.sides.iter();
        match (sides.next(), sides.next()) {
            (Some(side), None) => Some(*side),
            (None, _) => refusals.question(
                self.at,
                format!("{what} uses no column, so it says nothing about anybody"),
                "leave it out, or use a column of one party",
            ),
            (Some(_), Some(_)) => refusals.question(
                self.at,
                format!("{what} mixes columns of both parties"),
                "each condition, group key and measure is computed at one party; split it, or compare with a literal",
            ),
        }
    }
}

/// A type in words.
pub(super) fn kind_word(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "text",
        ColumnType::Integer => "an integer",
        ColumnType::Decimal => "a decimal number",
        ColumnType::Boolean => "a boolean",
        ColumnType::Date => "a date",
        ColumnType::Timestamp => "a timestamp",
    }
}

/// Whether two types can be compared or stand as branches of one value. NULL goes with everything.
pub(super) fn comparable(left: Option<ColumnType>, right: Option<ColumnType>) -> bool {
    use ColumnType::{Decimal, Integer};
    match (left, right) {
        (Some(left), Some(right)) => {
            left == right || matches!((left, right), (Integer, Decimal) | (Decimal, Integer))
        }
        _ => true,
    }
}

/// A name as canonical text writes it.
pub(super) fn quoted(name: &ColumnName) -> String {
    format!("\"{}\"", name.0.replace('"', "\"\""))
}

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
            Expr::IsNull(inner) => operators::is(inner, "IS NULL", self),
            Expr::IsNotNull(inner) => operators::is(inner, "IS NOT NULL", self),
            Expr::IsTrue(inner) => operators::is(inner, "IS TRUE", self),
            Expr::IsNotTrue(inner) => operators::is(inner, "IS NOT TRUE", self),
            Expr::IsFalse(inner) => operators::is(inner, "IS FALSE", self),
            Expr::IsNotFalse(inner) => operators::is(inner, "IS NOT FALSE", self),
            Expr::InList {
                expr,
                list,
                negated,
            } => operators::in_list(expr, list, *negated, self),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => operators::between([expr, low, high], *negated, self),
            Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => operators::like(expr, pattern, *negated, self),
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
            | Expr::Trim { .. } => functions::call(expr, self),
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
        let (side, at) = (column.side, self.here);
        let used = |source: &ColumnName| Use {
            side,
            column: source.clone(),
            condition: false,
            at,
        };
        Some(Checked {
            text: Text::Whole(quoted(&column.name)),
            kind: Some(column.kind),
            nullable: column.nullable,
            sides: BTreeSet::from([side]),
            uses: column.sources.iter().map(used).collect(),
            form: Form::Column(column),
            at,
        })
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
