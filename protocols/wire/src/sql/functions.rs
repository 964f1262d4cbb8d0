//! The scalar functions a question may use: version 1 of the list. All are pure: none looks at a clock, a session, a locale or
//! another row, so the same data give the same value at every run. A change to the list or to a meaning raises
//! [`crate::plan::PLAN_VERSION`].

use super::conditional;
use super::expression::{Checked, Checker, Form, kind_word};
use super::refuse::shown;
use crate::publication::ColumnType::{self, Boolean, Date, Decimal, Integer, Text, Timestamp};
use sqlparser::ast::{
    CastKind, DataType, DateTimeField, ExactNumberInfo, Expr, ExtractSyntax, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, TimezoneInfo, Value,
};

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

/// The list. `coalesce`, `nullif` and CAST have rules of their own below.
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
const VOLATILE: &[&str] = &[
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
    "stddev_samp",
    "corr",
    "regr_slope",
    "regr_intercept",
];

/// A function call in any of the parser's forms, or a CAST.
pub(super) fn call<'c>(expr: &Expr, checker: &mut Checker<'_, 'c>) -> Option<Checked<'c>> {
    match expr {
        Expr::Function(function) => named(function, checker),
        Expr::Cast {
            kind: CastKind::Cast | CastKind::DoubleColon,
            expr,
            data_type,
            array: false,
            format: None,
        } => cast(expr, data_type, checker),
        Expr::Substring {
            expr,
            substring_from: Some(from),
            substring_for,
            special: _,
            shorthand: _,
        } => {
            let mut arguments: Vec<&Expr> = vec![expr, from];
            arguments.extend(substring_for.as_deref());
            scalar("substr", &arguments, checker)
        }
        Expr::Trim {
            trim_where: None,
            trim_what: None,
            expr,
            trim_characters: None,
        } => scalar("trim", &[expr], checker),
        Expr::Extract {
            field,
            syntax: ExtractSyntax::From,
            expr,
        } => extract(field, expr, checker),
        _ => {
            let here = checker.here();
            checker.refusals.question(
                here,
                "this form of CAST, SUBSTRING, TRIM or EXTRACT is not part of the question language",
                "write CAST(x AS type), substr(x, 1, 3), trim(x) or EXTRACT(YEAR FROM x)",
            )
        }
    }
}

/// The plain arguments of a call: no FILTER, OVER, DISTINCT, names or clauses. `None` for each `*`.
pub(super) fn arguments<'e>(
    function: &'e Function,
    checker: &mut Checker<'_, '_>,
) -> Option<(String, Vec<Option<&'e Expr>>)> {
    let Function {
        name,
        uses_odbc_syntax,
        parameters,
        args,
        filter,
        null_treatment,
        over,
        within_group,
    } = function;
    let here = checker.here();
    let name = match name.0.as_slice() {
        [part] => part
            .as_ident()
            .filter(|ident| ident.quote_style.is_none())
            .map(|ident| ident.value.to_ascii_lowercase()),
        _ => None,
    };
    let Some(name) = name else {
        return checker.refusals.question(
            here,
            "a function's name is quoted or has a schema",
            "write upper(x)",
        );
    };
    if over.is_some() {
        return checker.refusals.question(
            here,
            "window functions are not part of the question language",
            "group instead",
        );
    }
    if filter.is_some() {
        return checker.refusals.question(
            here,
            "FILTER is not part of the question language",
            "write the condition as CASE inside the aggregate: SUM(CASE WHEN c THEN x END)",
        );
    }
    let list = match args {
        FunctionArguments::List(list) => list.args.as_slice(),
        FunctionArguments::None => &[],
        FunctionArguments::Subquery(_) => {
            return checker.refusals.question(
                here,
                "a subquery stands in a function",
                "subqueries stand in FROM only",
            );
        }
    };
    let plain = match args {
        FunctionArguments::None => true,
        FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment,
            args: _,
            clauses,
        }) => duplicate_treatment.is_none() && clauses.is_empty(),
        FunctionArguments::Subquery(_) => false,
    };
    let odd = *uses_odbc_syntax
        || null_treatment.is_some()
        || !within_group.is_empty()
        || !matches!(parameters, FunctionArguments::None)
        || !plain;
    if odd {
        return checker.refusals.question(
            here,
            format!("DISTINCT, ORDER BY and other additions inside {name}(…) are not part of the question language"),
            "every id counts once already; write the plain call",
        );
    }
    let mut plain = Vec::with_capacity(list.len());
    for argument in list {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => plain.push(Some(expr)),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => plain.push(None),
            _ => {
                return checker.refusals.question(
                    here,
                    format!("{name}(…) has a named argument"),
                    "write only values",
                );
            }
        }
    }
    Some((name, plain))
}

fn named<'c>(function: &Function, checker: &mut Checker<'_, 'c>) -> Option<Checked<'c>> {
    let here = checker.here();
    let (name, arguments) = arguments(function, checker)?;
    if AGGREGATES.contains(&name.as_str()) {
        return checker.refusals.question(
            here,
            format!("the aggregate {name} stands where a value of one row is expected"),
            "aggregates stand alone in SELECT: SELECT tier, COUNT(*) AS n, SUM(x) AS total",
        );
    }
    if VOLATILE.contains(&name.as_str()) {
        return checker.refusals.question(
            here,
            format!("{name} gives another value at every run"),
            "write the value itself, such as DATE '2026-01-31'",
        );
    }
    let Some(arguments) = arguments.into_iter().collect::<Option<Vec<&Expr>>>() else {
        return checker.refusals.question(
            here,
            format!("{name}(*) has no meaning"),
            "COUNT(*) is the only place for *",
        );
    };
    match (name.as_str(), arguments.len()) {
        ("coalesce", 2..) => conditional::coalesce(&arguments, checker),
        ("nullif", 2) => conditional::nullif(&arguments, checker),
        ("coalesce" | "nullif", count) => checker.refusals.question(
            here,
            format!("{name} has {count} arguments; coalesce takes two or more, nullif two"),
            "correct the arguments",
        ),
        _ => scalar(&name, &arguments, checker),
    }
}

fn scalar<'c>(
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
            format!("functions are {known}, coalesce, nullif, EXTRACT and CAST"),
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
fn extract<'c>(
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

/// CAST between the six types, where every engine agrees on the value.
fn cast<'c>(expr: &Expr, target: &DataType, checker: &mut Checker<'_, 'c>) -> Option<Checked<'c>> {
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
