//! An expression that was understood: its canonical text, its type, and every column it uses.

use super::refuse::{At, Refusals};
use super::scope::{Column, Scope};
use super::verbs::Need;
use crate::names::ColumnName;
use crate::policy::Verb;
use crate::publication::ColumnType;
use std::collections::BTreeSet;

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

    /// A plain column, at its place.
    pub(super) fn column(column: Column<'c>, at: At) -> Self {
        let side = column.side;
        let used = |source: &ColumnName| Use {
            side,
            column: source.clone(),
            condition: false,
            at,
        };
        Self {
            text: Text::Whole(quoted(&column.name)),
            kind: Some(column.kind),
            nullable: column.nullable,
            sides: BTreeSet::from([side]),
            uses: column.sources.iter().map(used).collect(),
            form: Form::Column(column),
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
    pub(super) fn into_condition(mut self) -> Self {
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
