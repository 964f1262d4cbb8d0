//! CASE, COALESCE and NULLIF: values chosen by conditions. What stands in a condition of CASE needs `filter`.

use super::checked::{Checked, Form, comparable};
use super::expression::Checker;
use super::operators::mismatch;
use crate::publication::ColumnType;
use sqlparser::ast::{CaseWhen, Expr};

/// CASE, with or without an operand.
pub(super) fn case<'c>(
    operand: Option<&Expr>,
    branches: &[CaseWhen],
    otherwise: Option<&Expr>,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let subject = operand.map(|operand| checker.check(operand));
    let conditions = checker.check_all(branches.iter().map(|branch| &branch.condition));
    let results = checker.check_all(
        branches
            .iter()
            .map(|branch| &branch.result)
            .chain(otherwise),
    );
    let subject = match subject {
        Some(subject) => Some(subject?.into_condition()),
        None => None,
    };
    let conditions: Vec<Checked<'c>> = conditions?
        .into_iter()
        .map(Checked::into_condition)
        .collect();
    let results = results?;
    for condition in &conditions {
        match &subject {
            None if condition.kind != Some(ColumnType::Boolean) => {
                return mismatch(condition, "a condition behind WHEN", checker);
            }
            Some(subject)
                if condition.kind.is_none() || !comparable(subject.kind, condition.kind) =>
            {
                return mismatch(condition, "a value of the type behind CASE", checker);
            }
            _ => {}
        }
    }
    let kind = common_kind(&results, checker)?;
    let mut text = String::from("(CASE");
    if let Some(subject) = &subject {
        text += &format!(" {}", subject.sql());
    }
    for (condition, result) in conditions.iter().zip(&results) {
        text += &format!(" WHEN {} THEN {}", condition.sql(), result.sql());
    }
    if let (Some(result), true) = (results.last(), otherwise.is_some()) {
        text += &format!(" ELSE {}", result.sql());
    }
    text += " END)";
    let nullable = otherwise.is_none() || results.iter().any(|result| result.nullable);
    let form = choice(&results, kind);
    let made = Checked::new(text, kind, checker.here())
        .made_of(&results)
        .made_of(&conditions)
        .made_of(subject.as_slice());
    Some(made.with_nullable(nullable).with_form(form))
}

/// The public domain of a CASE whose branches are all literals.
fn choice<'c>(results: &[Checked<'c>], kind: Option<ColumnType>) -> Form<'c> {
    let mut values: Vec<String> = Vec::new();
    for result in results {
        match &result.form {
            Form::Literal(None) => {}
            Form::Literal(Some(value)) if result.kind == kind => {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            _ => return Form::Other,
        }
    }
    if values.is_empty() {
        Form::Other
    } else {
        Form::Choice(values)
    }
}

/// The one type of all branches; a mixture of whole and decimal numbers is decimal.
fn common_kind(parts: &[Checked<'_>], checker: &mut Checker<'_, '_>) -> Option<Option<ColumnType>> {
    let mut common = None;
    for part in parts {
        if !comparable(common, part.kind) {
            let word = common.map_or("NULL", super::checked::kind_word);
            return mismatch(part, &format!("{word} as in the branch before"), checker);
        }
        common = match (common, part.kind) {
            (Some(ColumnType::Integer), Some(ColumnType::Decimal)) | (None, _) => part.kind,
            (known, _) => known,
        };
    }
    Some(common)
}

/// COALESCE(a, b, …).
pub(super) fn coalesce<'c>(
    arguments: &[&Expr],
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let parts = checker.check_all(arguments.iter().copied())?;
    let kind = common_kind(&parts, checker)?;
    let texts: Vec<String> = parts.iter().map(Checked::sql).collect();
    let made = Checked::new(
        format!("coalesce({})", texts.join(", ")),
        kind,
        checker.here(),
    )
    .made_of(&parts);
    Some(made.with_nullable(parts.iter().all(|part| part.nullable)))
}

/// NULLIF(a, b).
pub(super) fn nullif<'c>(
    arguments: &[&Expr],
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let parts = checker.check_all(arguments.iter().copied())?;
    common_kind(&parts, checker)?;
    let [value, other] = parts.as_slice() else {
        return None;
    };
    let text = format!("nullif({}, {})", value.sql(), other.sql());
    let made = Checked::new(text, value.kind, checker.here()).made_of(&parts);
    let form = match &other.form {
        Form::Literal(Some(zero)) if zero == "0" => Form::NotZero,
        _ => Form::Other,
    };
    Some(made.with_nullable(true).with_form(form))
}
