//! Literals: texts, whole and decimal numbers, booleans, NULL, dates and timestamps, each in one canonical form.

use super::checked::{Checked, Form};
use super::refuse::{At, Refusals, shown};
use crate::publication::ColumnType;
use jiff::civil::{Date, DateTime};
use sqlparser::ast::{DataType, TimezoneInfo, TypedString, Value};
use std::ops::RangeInclusive;

/// Most digits of a number; what DECIMAL(38, s) holds.
const DIGITS_MAX: usize = 38;
/// Years of four digits: engines write others differently.
const DAY_YEARS: RangeInclusive<i16> = 1000..=9999;
/// Years whose moments fit 64 bits of nanoseconds, which is how the engine holds them.
const MOMENT_YEARS: RangeInclusive<i16> = 1678..=2261;

/// A text as canonical SQL writes it.
pub(super) fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A literal without a type name.
pub(super) fn value<'c>(value: &Value, at: At, refusals: &mut Refusals) -> Option<Checked<'c>> {
    match value {
        Value::SingleQuotedString(text) => {
            Some(literal(quoted_text(text), ColumnType::Text, text.clone(), at))
        }
        Value::Number(digits, false) => number(digits, false, at, refusals),
        Value::Boolean(truth) => {
            let word = if *truth { "true" } else { "false" };
            Some(literal(word.to_ascii_uppercase(), ColumnType::Boolean, word.to_owned(), at))
        }
        Value::Null => Some(Checked::new("NULL".to_owned(), None, at).with_nullable(true).with_form(Form::Literal(None))),
        other => refusals.question(
            at,
            format!("{} is not a literal of the question language", shown(&other.to_string())),
            "literals are 'text', 12, 12.5, TRUE, FALSE, NULL, DATE '2026-01-31' and TIMESTAMP '2026-01-31 08:30:00'",
        ),
    }
}

/// A number, with a minus sign before it or not.
pub(super) fn number<'c>(
    digits: &str,
    negative: bool,
    at: At,
    refusals: &mut Refusals,
) -> Option<Checked<'c>> {
    let plain = digits.replace('_', "");
    let (whole, fraction) = plain
        .split_once('.')
        .map_or((plain.as_str(), None), |(w, f)| (w, Some(f)));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let well_formed = all_digits(whole) && fraction.is_none_or(|f| !f.is_empty() && all_digits(f));
    let length = whole.len() + fraction.map_or(0, str::len);
    if !well_formed || length == 0 || length > DIGITS_MAX {
        return refusals.question(
            at,
            format!("{} is not a number of the question language", shown(digits)),
            format!("write at most {DIGITS_MAX} digits with at most one point between them, without an exponent"),
        );
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    let sign = if negative { "-" } else { "" };
    let (text, kind) = match fraction {
        Some(fraction) => (format!("{sign}{whole}.{fraction}"), ColumnType::Decimal),
        None => (format!("{sign}{whole}"), ColumnType::Integer),
    };
    if kind == ColumnType::Integer && text.parse::<i64>().is_err() {
        return refusals.question(
            at,
            format!("{} does not fit 64 bits", shown(&text)),
            "write a smaller number",
        );
    }
    let sql = if negative {
        format!("({text})")
    } else {
        text.clone()
    };
    Some(literal(sql, kind, text, at))
}

/// `DATE '…'` and `TIMESTAMP '…'`.
pub(super) fn typed<'c>(
    typed: &TypedString,
    at: At,
    refusals: &mut Refusals,
) -> Option<Checked<'c>> {
    let TypedString {
        data_type,
        value,
        uses_odbc_syntax: _,
    } = typed;
    let Value::SingleQuotedString(text) = &value.value else {
        return refusals.question(
            at,
            "the value behind a type name is not in single quotes",
            "write DATE '2026-01-31'",
        );
    };
    match data_type {
        DataType::Date => match text.parse::<Date>() {
            Ok(date) if DAY_YEARS.contains(&date.year()) && date.to_string() == *text => {
                let sql = format!("DATE '{text}'");
                Some(literal(sql, ColumnType::Date, text.clone(), at))
            }
            _ => refusals.question(
                at,
                format!("{} is not a day", shown(text)),
                "write DATE 'YYYY-MM-DD'",
            ),
        },
        DataType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            timestamp(text, at, refusals)
        }
        other => refusals.question(
            at,
            format!(
                "literals of type {} are not part of the question language",
                shown(&other.to_string())
            ),
            "write 'text', DATE '2026-01-31' or TIMESTAMP '2026-01-31 08:30:00'",
        ),
    }
}

fn timestamp<'c>(text: &str, at: At, refusals: &mut Refusals) -> Option<Checked<'c>> {
    const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
    match DateTime::strptime(FORMAT, text) {
        Ok(moment)
            if MOMENT_YEARS.contains(&moment.year())
                && moment.strftime(FORMAT).to_string() == text =>
        {
            let sql = format!("TIMESTAMP '{text}'");
            Some(literal(sql, ColumnType::Timestamp, text.to_owned(), at))
        }
        _ => refusals.question(
            at,
            format!("{} is not a moment", shown(text)),
            "write TIMESTAMP 'YYYY-MM-DD hh:mm:ss' in the years 1678 to 2261, without a time zone",
        ),
    }
}

fn literal<'c>(sql: String, kind: ColumnType, value: String, at: At) -> Checked<'c> {
    Checked::new(sql, Some(kind), at).with_form(Form::Literal(Some(value)))
}
