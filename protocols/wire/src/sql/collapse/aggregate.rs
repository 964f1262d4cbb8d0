//! The aggregates of a subquery that collapses an event table.
//!
//! SUM is exact: whole numbers are added in DECIMAL(38,0), others after rounding to nine decimals, because adding
//! floating-point numbers gives another answer in another order and 64-bit sums wrap.

use crate::names::ColumnName;
use crate::policy::Verb;
use crate::publication::ColumnType;
use crate::sql::call;
use crate::sql::checked::Checked;
use crate::sql::expression::Checker;
use crate::sql::refuse::{At, Refusals, shown};
use crate::sql::scope::Scope;
use crate::sql::verbs::Need;
use sqlparser::ast::Function;

/// Decimals that SUM keeps of numbers that are not whole.
const SUM_SCALE: u8 = 9;

/// One aggregate, over all rows of an id.
pub(super) struct Aggregate {
    /// Its canonical text.
    pub(super) sql: String,
    /// Its type.
    pub(super) kind: ColumnType,
    /// May be NULL.
    pub(super) nullable: bool,
    /// The published columns it is taken over.
    pub(super) sources: Vec<ColumnName>,
}

/// The aggregate that `function` is.
pub(super) fn of(
    function: &Function,
    here: At,
    id: &ColumnName,
    scope: &mut Scope<'_>,
    refusals: &mut Refusals,
) -> Option<Aggregate> {
    let mut checker = Checker::new(scope, here, refusals);
    let (name, arguments) = call::arguments(function, &mut checker)?;
    let argument = match (name.as_str(), arguments.as_slice()) {
        ("count", [None]) => {
            let table = scope.tables.first_mut()?;
            table.needs.push(Need::new(id.clone(), Verb::Match, here));
            let (sql, kind, sources) =
                ("COUNT(*)".to_owned(), ColumnType::Integer, vec![id.clone()]);
            return Some(Aggregate {
                sql,
                kind,
                nullable: false,
                sources,
            });
        }
        ("count" | "sum" | "min" | "max", [Some(argument)]) => checker.check(argument)?,
        _ => {
            return refusals.question(
                here,
                format!("{}(…) cannot stand in a subquery", shown(&name)),
                "aggregates of a subquery are COUNT(*), COUNT(x), SUM(x), MIN(x) and MAX(x)",
            );
        }
    };
    argument.one_side("an aggregate", refusals)?;
    argument.note_needs(
        if name == "count" {
            Verb::Count
        } else {
            Verb::Sum
        },
        scope,
    );
    let (sql, kind) = match name.as_str() {
        "count" => (format!("COUNT({})", argument.sql()), ColumnType::Integer),
        "sum" => sum(&argument, refusals)?,
        _ => (
            format!("{}({})", name.to_ascii_uppercase(), argument.sql()),
            ordered(&argument, refusals)?,
        ),
    };
    let nullable = name != "count" && argument.nullable;
    Some(Aggregate {
        sql,
        kind,
        nullable,
        sources: argument.columns(),
    })
}

fn sum(argument: &Checked<'_>, refusals: &mut Refusals) -> Option<(String, ColumnType)> {
    let text = match argument.kind {
        Some(ColumnType::Integer) => format!("SUM({})", argument.wide_sql()),
        Some(ColumnType::Decimal) => {
            format!("SUM(CAST({} AS DECIMAL(38,{SUM_SCALE})))", argument.sql())
        }
        _ => {
            let what = format!("SUM needs a number, and this is {}", argument.kind_word());
            return refusals.question(argument.at, what, "CAST it, or use COUNT");
        }
    };
    Some((text, ColumnType::Decimal))
}

fn ordered(argument: &Checked<'_>, refusals: &mut Refusals) -> Option<ColumnType> {
    match argument.kind {
        Some(ColumnType::Boolean) | None => {
            let what = format!("MIN and MAX have no meaning over {}", argument.kind_word());
            refusals.question(
                argument.at,
                what,
                "write MAX(CASE WHEN c THEN 1 ELSE 0 END)",
            )
        }
        kind => kind,
    }
}
