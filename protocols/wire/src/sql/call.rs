//! Calls as the parser gives them, in five different forms, brought to one: a name and plain arguments.

use super::cast::cast;
use super::checked::Checked;
use super::conditional;
use super::expression::Checker;
use super::functions::{AGGREGATES, VOLATILE, extract, scalar};
use sqlparser::ast::{
    CastKind, Expr, ExtractSyntax, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments,
};

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
    let here = checker.here();
    let name = match function.name.0.as_slice() {
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
    if let Some((what, todo)) = addition(function, &name) {
        return checker.refusals.question(here, what, todo);
    }
    let list = match &function.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => &[],
    };
    let plain = list.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(Some(expr)),
        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Some(None),
        _ => None,
    });
    match plain.collect::<Option<Vec<Option<&Expr>>>>() {
        Some(plain) => Some((name, plain)),
        None => checker.refusals.question(
            here,
            format!("{name}(…) has a named argument"),
            "write only values",
        ),
    }
}

/// What a call has besides its arguments, and what to write instead.
fn addition(function: &Function, name: &str) -> Option<(String, &'static str)> {
    let Function {
        name: _,
        uses_odbc_syntax,
        parameters,
        args,
        filter,
        null_treatment,
        over,
        within_group,
    } = function;
    if over.is_some() {
        let what = "window functions are not part of the question language";
        return Some((what.to_owned(), "group instead"));
    }
    if filter.is_some() {
        return Some((
            "FILTER is not part of the question language".to_owned(),
            "write the condition as CASE inside the aggregate: SUM(CASE WHEN c THEN x END)",
        ));
    }
    let plain = match args {
        FunctionArguments::None => true,
        FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment,
            args: _,
            clauses,
        }) => duplicate_treatment.is_none() && clauses.is_empty(),
        FunctionArguments::Subquery(_) => {
            let what = "a subquery stands in a function";
            return Some((what.to_owned(), "subqueries stand in FROM only"));
        }
    };
    let odd = *uses_odbc_syntax
        || null_treatment.is_some()
        || !within_group.is_empty()
        || !matches!(parameters, FunctionArguments::None)
        || !plain;
    odd.then(|| {
        let what = "DISTINCT, ORDER BY and other additions inside";
        (
            format!("{what} {name}(…) are not part of the question language"),
            "every id counts once already; write the plain call",
        )
    })
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
