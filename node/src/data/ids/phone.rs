//! Phone numbers: E.164 with a plus, whatever a clerk, a form or an export made of them.
//!
//! Read are, with any spaces, dashes, dots and parentheses between the digits: `+CC…`, `00CC…` (and the country's own exit
//! prefix), a national number with or without trunk prefix, and `CC…` without plus where it cannot be a national number.
//! All readings that the country's plan allows are tried; a number with two different readings is refused.

use super::Rejection;
use super::plans::{self, Numbers, Plan};
use super::text::{fold, is_dash, is_spreadsheet_exponent};
use std::borrow::Cow;

/// Most digits of an E.164 number, country code included.
const DIGITS_MAX: usize = 15;
/// Fewest: three for the country code and four for the smallest islands.
const DIGITS_MIN: usize = 7;

/// A text reduced to what counts.
struct Dialled<'a> {
    /// Began with a plus.
    plus: bool,
    /// `(0)` stands somewhere: a trunk prefix that callers from abroad leave out.
    written_trunk: bool,
    digits: Cow<'a, str>,
}

/// How one column's numbers are read.
pub(super) struct Rules {
    country_code: String,
    plan: Option<&'static Plan>,
}

impl Rules {
    pub(super) fn new(country_code: &str) -> Self {
        Self {
            country_code: country_code.to_owned(),
            plan: plans::plan_of(country_code),
        }
    }

    /// `text` is not empty.
    pub(super) fn normalise(&self, text: &str, out: &mut String) -> Result<(), Rejection> {
        let folded;
        let dialled = match text.bytes().all(|byte| byte.is_ascii_digit()) {
            // The usual case: nothing to fold and nothing to take out.
            true => Dialled {
                plus: false,
                written_trunk: false,
                digits: Cow::Borrowed(text),
            },
            false => {
                folded = fold(text);
                dial(&folded)?
            }
        };
        if dialled.plus {
            return international(&dialled, &dialled.digits, out);
        }
        let exit = self.plan.and_then(|plan| plan.exit);
        let after_exit = exit.and_then(|exit| dialled.digits.strip_prefix(exit));
        let after_zeros = dialled.digits.strip_prefix("00");
        match (after_exit.or(after_zeros), self.plan) {
            (Some(digits), _) => international(&dialled, digits, out),
            (None, Some(plan)) => national(plan, &dialled.digits, out),
            (None, None) => without_plan(&self.country_code, &dialled.digits, out),
        }
    }
}

/// Takes the separators out. `text` is in NFKC.
fn dial(text: &str) -> Result<Dialled<'_>, Rejection> {
    let text = without_float_tail(text.trim());
    let (plain, begun_with_plus) = match text.strip_prefix('+') {
        Some(plain) => (plain, true),
        None => (text, false),
    };
    // Digits alone, the usual case, are used as they stand.
    if !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Dialled {
            plus: begun_with_plus,
            written_trunk: false,
            digits: Cow::Borrowed(plain),
        });
    }
    let mut plus = false;
    let mut digits = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() && !plus => plus = true,
            ' ' | '-' | '(' | ')' | '.' => {}
            'e' | 'E' if is_spreadsheet_exponent(text) => {
                return Err(Rejection::SpreadsheetExponent);
            }
            _ if c.is_whitespace() || is_dash(c) => {}
            _ => return Err(Rejection::StrangeCharacter),
        }
    }
    if digits.is_empty() {
        return Err(Rejection::TooFewDigits);
    }
    Ok(Dialled {
        plus,
        written_trunk: digits.len() < text.len() && text.contains("(0)"),
        digits: Cow::Owned(digits),
    })
}

/// `13800138000.0` is what a table with floating-point columns writes for a number; the tail is not part of it.
fn without_float_tail(text: &str) -> &str {
    match text.strip_suffix(".0") {
        Some(whole) if whole.len() >= DIGITS_MIN && whole.bytes().all(|b| b.is_ascii_digit()) => {
            whole
        }
        _ => text,
    }
}

/// `digits` begin with a country code. A trunk prefix after it is a mistake that plans let us see and mend.
fn international(dialled: &Dialled<'_>, digits: &str, out: &mut String) -> Result<(), Rejection> {
    let code = plans::country_code(digits).ok_or(Rejection::CountryCode)?;
    let national = &digits[code.len()..];
    let Some(plan) = plans::plan_of(code) else {
        if dialled.written_trunk {
            return Err(Rejection::TrunkPrefix);
        }
        return finish(code, national, out);
    };
    let without_trunk = plan.trunk.and_then(|trunk| national.strip_prefix(trunk));
    match fits(plan, national) {
        Ok(()) => finish(code, national, out),
        Err(why) => match without_trunk.filter(|rest| fits(plan, rest).is_ok()) {
            Some(rest) => finish(code, rest, out),
            None => Err(why),
        },
    }
}

/// `digits` were written for use inside the column's country.
fn national(plan: &Plan, digits: &str, out: &mut String) -> Result<(), Rejection> {
    let as_written = fits(plan, digits);
    let readings = [
        as_written.is_ok().then_some(digits),
        plan.trunk.and_then(|trunk| digits.strip_prefix(trunk)),
        digits.strip_prefix(plan.code),
    ];
    let mut fitting = readings
        .into_iter()
        .flatten()
        .filter(|rest| fits(plan, rest).is_ok());
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => finish(plan.code, one, out),
        (Some(_), Some(_)) => Err(Rejection::Ambiguous),
        (None, _) => Err(as_written.err().unwrap_or(Rejection::NumberRange)),
    }
}

/// The column's country has no plan here: only what has one reading under any plan is accepted.
fn without_plan(code: &str, digits: &str, out: &mut String) -> Result<(), Rejection> {
    if plans::country_code(code) != Some(code) {
        return Err(Rejection::CountryCode);
    }
    if digits.starts_with('0') {
        return Err(Rejection::TrunkPrefix);
    }
    if digits.starts_with(code) && digits.len() >= DIGITS_MIN {
        return Err(Rejection::Ambiguous);
    }
    finish(code, digits, out)
}

/// Whether `national` can be a number under `plan`. Under the listed plans only Italian numbers begin with 0.
fn fits(plan: &Plan, national: &str) -> Result<(), Rejection> {
    let (min, max) = plan.digits;
    if national.len() < min {
        return Err(Rejection::TooFewDigits);
    }
    if national.len() > max {
        return Err(Rejection::TooManyDigits);
    }
    let exists = match plan.numbers {
        Numbers::China => plans::exists_in_china(national),
        Numbers::NorthAmerica => plans::exists_in_north_america(national),
        Numbers::Any => true,
        Numbers::NoZero => !national.starts_with('0'),
    };
    exists.then_some(()).ok_or(Rejection::NumberRange)
}

fn finish(code: &str, national: &str, out: &mut String) -> Result<(), Rejection> {
    let digits = code.len() + national.len();
    if digits < DIGITS_MIN {
        return Err(Rejection::TooFewDigits);
    }
    if digits > DIGITS_MAX {
        return Err(Rejection::TooManyDigits);
    }
    out.push('+');
    out.push_str(code);
    out.push_str(national);
    Ok(())
}
