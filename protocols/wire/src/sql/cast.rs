//! CAST between the six types, where every engine agrees on the value.

use super::checked::{Checked, kind_word};
use super::expression::Checker;
use super::refuse::shown;
use crate::publication::ColumnType::{self, Boolean, Date, Decimal, Integer, Text, Timestamp};
use sqlparser::ast::{DataType, ExactNumberInfo, Expr, TimezoneInfo};

/// `CAST(x AS type)` and `x::type`.
pub(super) fn cast<'c>(
    expr: &Expr,
    target: &DataType,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let here = checker.here();
    let Some((kind, name)) = cast_target(target) else {
        return checker.refusals.question(
            here,
            format!(
                "CAST to {} is not part of the question language",
                shown(&target.to_string())
            ),
            "types are TEXT, INTEGER (64 bits), DECIMAL(p, s), BOOLEAN, DATE and TIMESTAMP",
        );
    };
    let inner = checker.check(expr)?;
    let allowed = match inner.kind {
        None | Some(Text) => true,
        Some(Integer) => matches!(kind, Integer | Decimal | Text),
        Some(Decimal) => kind == Decimal,
        Some(Boolean) => matches!(kind, Boolean | Integer | Text),
        Some(Date) => matches!(kind, Date | Timestamp | Text),
        Some(Timestamp) => matches!(kind, Timestamp | Date),
    };
    if !allowed {
        let what = format!(
            "CAST from {} to {} means different things in different engines",
            inner.kind_word(),
            kind_word(kind)
        );
        return checker.refusals.question(
            here,
            what,
            "sort the values into bins with CASE WHEN x < 100 THEN '0-99' … END",
        );
    }
    let text = format!("CAST({} AS {name})", inner.sql());
    Some(Checked::new(text, Some(kind), here).made_of(&[inner]))
}

/// The type a CAST names, and how canonical text names it.
fn cast_target(target: &DataType) -> Option<(ColumnType, String)> {
    let plain = |kind, name: &str| Some((kind, name.to_owned()));
    match target {
        DataType::Text | DataType::Varchar(None) | DataType::CharacterVarying(None) => {
            plain(Text, "VARCHAR")
        }
        DataType::Integer(None)
        | DataType::Int(None)
        | DataType::BigInt(None)
        | DataType::Int8(None) => plain(Integer, "BIGINT"),
        DataType::Numeric(size) | DataType::Decimal(size) | DataType::Dec(size) => {
            let (precision, scale) = match size {
                ExactNumberInfo::PrecisionAndScale(precision, scale) => {
                    (*precision, u64::try_from(*scale).ok()?)
                }
                ExactNumberInfo::Precision(precision) => (*precision, 0),
                ExactNumberInfo::None => return None,
            };
            let fits = (1..=38).contains(&precision) && scale <= precision;
            fits.then(|| (Decimal, format!("DECIMAL({precision},{scale})")))
        }
        DataType::Boolean | DataType::Bool => plain(Boolean, "BOOLEAN"),
        DataType::Date => plain(Date, "DATE"),
        DataType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            plain(Timestamp, "TIMESTAMP")
        }
        _ => None,
    }
}
