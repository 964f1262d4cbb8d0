//! Operators: logic, comparison, lists, ranges, patterns and arithmetic, with their type rules.

use super::expression::{Checked, Checker, Form, comparable};
use super::literal;
use crate::publication::ColumnType;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

/// Most values in one IN list.
const LIST_MAX: usize = 500;

/// A value made of `parts`.
fn made<'c>(
    text: String,
    kind: ColumnType,
    parts: &[Checked<'c>],
    checker: &Checker<'_, 'c>,
) -> Checked<'c> {
    Checked::new(text, Some(kind), checker.here()).made_of(parts)
}

/// NOT and the minus sign.
pub(super) fn unary<'c>(
    op: &UnaryOperator,
    expr: &Expr,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let here = checker.here();
    match (op, expr) {
        (UnaryOperator::Minus, Expr::Value(value)) => match &value.value {
            Value::Number(digits, false) => literal::number(digits, true, here, checker.refusals),
            _ => checker.refusals.question(
                here,
                "the minus sign stands before something other than a number",
                "remove it",
            ),
        },
        (UnaryOperator::Minus, _) => {
            let inner = checker.check(expr)?;
            match inner.kind {
                Some(ColumnType::Integer) => Some(
                    Checked::wide(format!("(0 - {})", inner.wide_sql()), here).made_of(&[inner]),
                ),
                Some(ColumnType::Decimal) => Some(made(
                    format!("(0 - {})", inner.sql()),
                    ColumnType::Decimal,
                    &[inner],
                    checker,
                )),
                _ => mismatch(&inner, "a number behind the minus sign", checker),
            }
        }
        (UnaryOperator::Not, _) => {
            let inner = checker.check(expr)?;
            if inner.kind != Some(ColumnType::Boolean) {
                return mismatch(&inner, "a condition behind NOT", checker);
            }
            Some(made(
                format!("(NOT {})", inner.sql()),
                ColumnType::Boolean,
                &[inner],
                checker,
            ))
        }
        _ => checker.refusals.question(
            here,
            format!("the sign {op} is not part of the question language"),
            "use - and NOT",
        ),
    }
}

/// A chain of AND or of OR.
pub(super) fn logic<'c>(expr: &Expr, checker: &mut Checker<'_, 'c>) -> Option<Checked<'c>> {
    let op = if matches!(
        expr,
        Expr::BinaryOp {
            op: BinaryOperator::And,
            ..
        }
    ) {
        " AND "
    } else {
        " OR "
    };
    let operands = chain(expr, |other| same_logic(other, op.trim()));
    let parts = checker.check_all(operands.into_iter().map(|(_, operand)| operand))?;
    for part in &parts {
        if part.kind != Some(ColumnType::Boolean) {
            return mismatch(part, "a condition", checker);
        }
    }
    let text: Vec<String> = parts.iter().map(Checked::sql).collect();
    Some(made(
        format!("({})", text.join(op)),
        ColumnType::Boolean,
        &parts,
        checker,
    ))
}

fn same_logic(op: &BinaryOperator, word: &str) -> bool {
    matches!(
        (op, word),
        (BinaryOperator::And, "AND") | (BinaryOperator::Or, "OR")
    )
}

/// The operands of a left-leaning chain of operators that `belongs`, each with the operator before it. No recursion: chains
/// may be long.
fn chain<'e>(
    expr: &'e Expr,
    belongs: impl Fn(&BinaryOperator) -> bool,
) -> Vec<(Option<&'e BinaryOperator>, &'e Expr)> {
    let mut operands = Vec::new();
    let mut rest = expr;
    while let Expr::BinaryOp { left, op, right } = rest {
        if !belongs(op) {
            break;
        }
        operands.push((Some(op), &**right));
        rest = left;
    }
    operands.push((None, rest));
    operands.reverse();
    operands
}

/// Comparison and arithmetic.
pub(super) fn binary<'c>(
    whole: &Expr,
    left: &Expr,
    op: &BinaryOperator,
    right: &Expr,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    use BinaryOperator::{Divide, Eq, Gt, GtEq, Lt, LtEq, Minus, Modulo, Multiply, NotEq, Plus};
    match op {
        Eq => compare(left, "=", right, checker),
        NotEq => compare(left, "<>", right, checker),
        Lt => compare(left, "<", right, checker),
        LtEq => compare(left, "<=", right, checker),
        Gt => compare(left, ">", right, checker),
        GtEq => compare(left, ">=", right, checker),
        Plus | Minus => arithmetic(chain(whole, |op| matches!(op, Plus | Minus)), checker),
        Multiply => arithmetic(chain(whole, |op| matches!(op, Multiply)), checker),
        Divide => divide(left, "/", right, checker),
        Modulo => divide(left, "%", right, checker),
        other => {
            let here = checker.here();
            let text = format!("the operator {other} is not part of the question language");
            checker.refusals.question(
                here,
                text,
                "operators are + - * / % = <> < <= > >= AND OR NOT",
            )
        }
    }
}

fn compare<'c>(
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

/// A chain of + and −, or of ×. Whole numbers are carried wide as long as only they take part.
fn arithmetic<'c>(
    operands: Vec<(Option<&BinaryOperator>, &Expr)>,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let signs: Vec<Option<&BinaryOperator>> = operands.iter().map(|(op, _)| *op).collect();
    let parts = checker.check_all(operands.iter().map(|(_, operand)| *operand))?;
    if let Some(part) = parts.iter().find(|part| !part.is_number()) {
        return mismatch(part, "a number", checker);
    }
    let whole = parts
        .iter()
        .take_while(|part| part.kind == Some(ColumnType::Integer))
        .count();
    let mut text = String::new();
    for (place, (sign, part)) in signs.iter().zip(&parts).enumerate() {
        if place == whole && place > 1 {
            text = format!("CAST(({text}) AS BIGINT)");
        } else if place == whole && place == 1 {
            text = parts.first().map(Checked::sql).unwrap_or_default();
        }
        let operand = if place < whole {
            part.wide_sql()
        } else {
            part.sql()
        };
        match sign {
            Some(sign) => text = format!("{text} {sign} {operand}"),
            None => text = operand,
        }
    }
    let text = format!("({text})");
    if whole == parts.len() {
        return Some(Checked::wide(text, checker.here()).made_of(&parts));
    }
    Some(made(text, ColumnType::Decimal, &parts, checker))
}

/// Division and remainder. Of two whole numbers both are whole, as in PostgreSQL. The divisor cannot be zero: some engines end
/// there with an error and some go on with infinity.
fn divide<'c>(
    left: &Expr,
    op: &str,
    right: &Expr,
    checker: &mut Checker<'_, 'c>,
) -> Option<Checked<'c>> {
    let (left, right) = (checker.check(left), checker.check(right));
    let parts = [left?, right?];
    let [left, right] = &parts;
    if let Some(part) = parts.iter().find(|part| !part.is_number()) {
        return mismatch(part, "a number", checker);
    }
    let safe = match &right.form {
        Form::Literal(Some(value)) => value.contains(|c: char| matches!(c, '1'..='9')),
        Form::NotZero => true,
        _ => false,
    };
    if !safe {
        return checker.refusals.question(
            right.at,
            "the divisor could be zero",
            "divide by a literal other than zero, or by NULLIF(x, 0)",
        );
    }
    let whole = parts
        .iter()
        .all(|part| part.kind == Some(ColumnType::Integer));
    let kind = if whole {
        ColumnType::Integer
    } else {
        ColumnType::Decimal
    };
    let text = format!("({} {op} {})", left.sql(), right.sql());
    Some(made(text, kind, &parts, checker))
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

/// Refuses a part of the wrong type.
pub(super) fn mismatch<T>(
    part: &Checked<'_>,
    expected: &str,
    checker: &mut Checker<'_, '_>,
) -> Option<T> {
    let what = format!("{expected} is expected, and this is {}", part.kind_word());
    checker
        .refusals
        .question(part.at, what, "compare it, or CAST it")
}
