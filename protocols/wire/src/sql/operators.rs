//! Logic and arithmetic, with their type rules. Whole numbers never wrap: their arithmetic is carried out in DECIMAL(38,0) and
//! cast back, which fails where 64 bits do not hold the value.

use super::checked::{Checked, Form};
use super::comparisons::compare;
use super::expression::Checker;
use super::literal;
use crate::publication::ColumnType;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

/// A value made of `parts`, where the checker stands.
pub(super) fn made<'c>(
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
fn chain(
    expr: &Expr,
    belongs: impl Fn(&BinaryOperator) -> bool,
) -> Vec<(Option<&BinaryOperator>, &Expr)> {
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
