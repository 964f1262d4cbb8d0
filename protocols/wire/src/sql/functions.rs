//! The scalar functions a question may use: version 1 of the list. All are pure: none looks at a clock, a session, a locale or
//! another row, so the same data give the same value at every run. A change to the list or to a meaning raises
//! [`crate::plan::PLAN_VERSION`].

use super::checked::{Checked, Form, kind_word};
use super::expression::Checker;
use super::refuse::shown;
use crate::publication::ColumnType::{self, Date, Integer, Text, Timestamp};
use sqlparser::ast::{DateTimeField, Expr, Value};

/// One function of the list.
struct Scalar {
    /// As questions call it, in lower case.
    names: &'static [&'static str],
    /// As canonical text calls it.
    canonical: &'static str,
    /// What it takes, in order.
    takes: &'static [Takes],
    /// How many of these, from the end, may be left out.
    optional: usize,
    /// What it gives.
    gives: ColumnType,
}

/// What an argument can be.
enum Takes {
    /// A value of one of these types.
    Value(&'static [ColumnType]),
    /// A literal whole number, at least this.
    Count(i64),
    /// One of these words, as a text literal.
    Word(&'static [&'static str]),
}

/// The list. COALESCE and NULLIF (in `conditional`) and CAST (in `cast`) have rules of their own.
const SCALARS: &[Scalar] = &[
    Scalar {
        names: &["upper"],
        canonical: "upper",
        takes: &[Takes::Value(&[Text])],
        optional: 0,
        gives: Text,
    },
    Scalar {
        names: &["lower"],
        canonical: "lower",
        takes: &[Takes::Value(&[Text])],
        optional: 0,
        gives: Text,
    },
    Scalar {
        names: &["btrim", "trim"],
        canonical: "btrim",
        takes: &[Takes::Value(&[Text])],
        optional: 0,
        gives: Text,
    },
    Scalar {
        names: &["substr", "substring"],
        canonical: "substr",
        takes: &[Takes::Value(&[Text]), Takes::Count(1), Takes::Count(0)],
        optional: 1,
        gives: Text,
    },
    Scalar {
        names: &["char_length", "character_length", "length"],
        canonical: "character_length",
        takes: &[Takes::Value(&[Text])],
        optional: 0,
        gives: Integer,
    },
    Scalar {
        names: &["date_trunc"],
        canonical: "date_trunc",
        takes: &[Takes::Word(TRUNCATIONS), Takes::Value(&[Date, Timestamp])],
        optional: 0,
        gives: Timestamp,
    },
    Scalar {
        names: &["date_part"],
        canonical: "date_part",
        takes: &[Takes::Word(PARTS), Takes::Value(&[Date, Timestamp])],
        optional: 0,
        gives: Integer,
    },
];

/// Units of date_trunc.
const TRUNCATIONS: &[&str] = &[
    "year", "quarter", "month", "week", "day", "hour", "minute", "second",
];
/// Parts of date_part and EXTRACT: those that are whole numbers.
const PARTS: &[&str] = &[
    "year", "quarter", "month", "week", "day", "dow", "doy", "hour", "minute", "second",
];

/// Functions people reach for whose value would differ at every run or place.
pub(super) const VOLATILE: &[&str] = &[
    "clock_timestamp",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "gen_random_uuid",
    "localtime",
    "localtimestamp",
    "nextval",
    "now",
    "pg_sleep",
    "random",
    "session_user",
    "statement_timestamp",
    "today",
    "transaction_timestamp",
    "user",
    "uuid",
    "version",
];

/// Aggregates, wherever they are looked for.
pub(super) const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "var_samp",
    "variance",
    "stddev_samp",
    "stddev",
    "corr",
    "regr_slope",
    "regr_intercept",
];

/// A call of a function of the list.
pub(super) fn scalar<'c>(
    name: &str,
    arguments: &[&Expr],
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let here = checker.here();
    let Some(function) = SCALARS
        .iter()
        .find(|function| function.names.contains(&name))
    else {
        let known: Vec<&str> = SCALARS
            .iter()
            .flat_map(|function| function.names.iter().copied())
            .collect();
        let (name, known) = (shown(name), known.join(", "));
        return checker.refusals.question(
            here,
            format!("{name} is not a function of the question language"),
            format!(
                "functions are {known}, coalesce, nullif, EXTRACT and CAST; aggregates are COUNT, SUM, AVG, VAR_SAMP, STDDEV_SAMP, \
                 CORR, REGR_SLOPE and REGR_INTERCEPT"
            ),
        );
    };
    let most = function.takes.len();
    if !(most - function.optional..=most).contains(&arguments.len()) {
        let (got, least) = (arguments.len(), most - function.optional);
        let what = format!("{name} has {got} arguments; it takes {least} to {most}");
        return checker
            .refusals
            .question(here, what, "correct the arguments");
    }
    let parts = checker.check_all(arguments.iter().copied())?;
    let mut texts = Vec::with_capacity(parts.len());
    for (takes, part) in function.takes.iter().zip(&parts) {
        texts.push(argument(name, takes, part, checker)?);
    }
    let text = format!("{}({})", function.canonical, texts.join(", "));
    Some(Checked::new(text, Some(function.gives), here).made_of(&parts))
}

fn argument(
    name: &str,
    takes: &Takes,
    part: &Checked<'_>,
    checker: &mut Checker<'_, '_>,
) -> Option<String> {
    let expected = match (takes, &part.form) {
        (Takes::Value(kinds), _) if part.kind.is_some_and(|kind| kinds.contains(&kind)) => {
            return Some(part.sql());
        }
        (Takes::Count(least), Form::Literal(Some(value)))
            if part.kind == Some(Integer)
                && value.parse::<i64>().is_ok_and(|value| value >= *least) =>
        {
            return Some(part.sql());
        }
        (Takes::Word(words), Form::Literal(Some(value)))
            if part.kind == Some(Text) && words.contains(&value.to_ascii_lowercase().as_str()) =>
        {
            return Some(format!("'{}'", value.to_ascii_lowercase()));
        }
        (Takes::Value(kinds), _) => kinds
            .iter()
            .map(|kind| kind_word(*kind))
            .collect::<Vec<_>>()
            .join(" or "),
        (Takes::Count(least), _) => format!("a literal whole number from {least}"),
        (Takes::Word(words), _) => format!("one of '{}'", words.join("', '")),
    };
    let what = format!(
        "{name} takes {expected} here, and this is {}",
        part.kind_word()
    );
    checker
        .refusals
        .question(part.at, what, "correct the argument")
}

/// `EXTRACT(YEAR FROM x)` is `date_part('year', x)`.
pub(super) fn extract<'c>(
    field: &DateTimeField,
    expr: &Expr,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let word = match field {
        DateTimeField::Week(None) => "week".to_owned(),
        other => other.to_string().to_ascii_lowercase(),
    };
    let here = checker.here();
    if !PARTS.contains(&word.as_str()) {
        let what = format!(
            "EXTRACT of {} is not part of the question language",
            shown(&word)
        );
        return checker
            .refusals
            .question(here, what, format!("parts are {}", PARTS.join(", ")));
    }
    let word = Expr::value(Value::SingleQuotedString(word));
    scalar("date_part", &[&word, expr], checker)
}
