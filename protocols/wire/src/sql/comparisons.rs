//! Comparison, lists, ranges, patterns and tests for NULL, with their type rules. Types are never mixed silently.

use super::checked::{Checked, Form, comparable};
use super::expression::Checker;
use super::operators::{made, mismatch};
use crate::publication::ColumnType;
use sqlparser::ast::Expr;

/// Most values in one IN list.
const LIST_MAX: usize = 500;

/// `left op right`.
pub(super) fn compare<'c>(
    left: &Expr,
    op: &str,
    right: &Expr,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let (left, right) = (checker.check(left), checker.check(right));
    let parts = [left?, right?];
    let [left, right] = &parts;
    if left.kind.is_none() || right.kind.is_none() {
        let here = checker.here();
        return checker.refusals.question(
            here,
            "nothing compares with NULL",
            "write IS NULL or IS NOT NULL",
        );
    }
    let ordered = !matches!(op, "=" | "<>");
    if !comparable(left.kind, right.kind) || (ordered && left.kind == Some(ColumnType::Boolean)) {
        return not_comparable(left, right, checker);
    }
    let text = format!("({} {op} {})", left.sql(), right.sql());
    Some(made(text, ColumnType::Boolean, &parts, checker))
}

fn not_comparable<T>(
    left: &Checked<'_>,
    right: &Checked<'_>,
    checker: &mut Checker<'_, '_>,
) -> Option<T> {
    let dated = [left, right]
        .iter()
        .any(|part| matches!(part.kind, Some(ColumnType::Date | ColumnType::Timestamp)));
    let todo = if dated {
        "write DATE '2026-01-31' or TIMESTAMP '2026-01-31 08:30:00', or CAST one side to the other's type"
    } else {
        "CAST one side to the other's type"
    };
    let what = format!(
        "{} does not compare with {}",
        left.kind_word(),
        right.kind_word()
    );
    let here = checker.here();
    checker.refusals.question(here, what, todo)
}

/// IS [NOT] NULL, TRUE, FALSE.
pub(super) fn is<'c>(
    expr: &Expr,
    test: &str,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let inner = checker.check(expr)?;
    if !test.ends_with("NULL") && inner.kind != Some(ColumnType::Boolean) {
        return mismatch(&inner, "a condition", checker);
    }
    let made = made(
        format!("({} {test})", inner.sql()),
        ColumnType::Boolean,
        &[inner],
        checker,
    );
    Some(made.with_nullable(false))
}

/// `x IN (literals)`.
pub(super) fn in_list<'c>(
    expr: &Expr,
    list: &[Expr],
    negated: bool,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let here = checker.here();
    if list.is_empty() || list.len() > LIST_MAX {
        let what = format!("IN has {} values", list.len());
        return checker.refusals.question(
            here,
            what,
            format!("write 1 to {LIST_MAX} values, or a range"),
        );
    }
    let value = checker.check(expr);
    let items = checker.check_all(list);
    let (value, items) = (value?, items?);
    for item in &items {
        if !matches!(item.form, Form::Literal(Some(_))) {
            return checker.refusals.question(
                item.at,
                "IN lists something other than a literal",
                "write OR between two comparisons",
            );
        }
        if !comparable(value.kind, item.kind) || value.kind.is_none() {
            return not_comparable(&value, item, checker);
        }
    }
    let texts: Vec<String> = items.iter().map(Checked::sql).collect();
    let not = if negated { "NOT " } else { "" };
    let text = format!("({} {not}IN ({}))", value.sql(), texts.join(", "));
    Some(made(text, ColumnType::Boolean, &[value], checker))
}

/// `x BETWEEN low AND high`.
pub(super) fn between<'c>(
    parts: [&Expr; 3],
    negated: bool,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let parts = checker.check_all(parts)?;
    let [value, low, high] = parts.as_slice() else {
        return None;
    };
    for bound in [low, high] {
        let missing = value.kind.is_none() || bound.kind.is_none();
        if missing || !comparable(value.kind, bound.kind) || value.kind == Some(ColumnType::Boolean)
        {
            return not_comparable(value, bound, checker);
        }
    }
    let not = if negated { "NOT " } else { "" };
    let text = format!(
        "({} {not}BETWEEN {} AND {})",
        value.sql(),
        low.sql(),
        high.sql()
    );
    Some(made(text, ColumnType::Boolean, &parts, checker))
}

/// `x LIKE 'pattern'`.
pub(super) fn like<'c>(
    expr: &Expr,
    pattern: &Expr,
    negated: bool,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let (value, pattern) = (checker.check(expr), checker.check(pattern));
    let (value, pattern) = (value?, pattern?);
    if value.kind != Some(ColumnType::Text) {
        return mismatch(&value, "text before LIKE", checker);
    }
    match &pattern.form {
        Form::Literal(Some(text))
            if pattern.kind == Some(ColumnType::Text) && !text.contains('\\') => {}
        _ => {
            let todo = "write LIKE 'a%'; the pattern is a literal without backslashes";
            return checker.refusals.question(
                pattern.at,
                "this pattern is not part of the question language",
                todo,
            );
        }
    }
    let not = if negated { "NOT " } else { "" };
    let text = format!("({} {not}LIKE {})", value.sql(), pattern.sql());
    Some(made(text, ColumnType::Boolean, &[value], checker))
}
