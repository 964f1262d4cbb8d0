//! Resident identity numbers of China: GB 11643-1999, 17 digits and a check digit by ISO 7064 MOD 11-2.
//!
//! The 15-digit numbers of GB 11643-1989 hold a year of two digits and no check digit. All were issued to people born in
//! 19YY, except that the order codes 996 to 999 marked people born before 1900; those are refused, all others are upgraded.

use super::Rejection;
use super::text::{fold, is_dash, is_spreadsheet_exponent};

/// Order codes that the old standard set aside for people born before 1900.
const BORN_BEFORE_1900: [&str; 4] = ["996", "997", "998", "999"];
/// ISO 7064 MOD 11-2, as GB 11643-1999 table A.1 gives it.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Check characters by remainder.
const CHECK: &[u8; 11] = b"10X98765432";

pub(super) fn normalise(text: &str, out: &mut String) -> Result<(), Rejection> {
    let folded = fold(text);
    if is_spreadsheet_exponent(folded.trim()) {
        return Err(Rejection::SpreadsheetExponent);
    }
    let number = compact(&folded)?;
    let (body, check) = match number.len() {
        15 => (upgraded(&number)?, None),
        18 => (number[..17].to_owned(), number.chars().last()),
        0..18 => return Err(Rejection::TooFewDigits),
        _ => return Err(Rejection::TooManyDigits),
    };
    if body.contains('X') {
        return Err(Rejection::StrangeCharacter);
    }
    if body.starts_with('0') {
        return Err(Rejection::NumberRange);
    }
    if !is_date(&body[6..14]) {
        return Err(Rejection::Date);
    }
    let expected = check_character(&body);
    if check.is_some_and(|given| given != expected) {
        return Err(Rejection::CheckDigit);
    }
    out.push_str(&body);
    out.push(expected);
    Ok(())
}

/// Digits and a final X, without spaces and dashes.
fn compact(text: &str) -> Result<String, Rejection> {
    let mut number = String::with_capacity(18);
    for c in text.chars() {
        match c {
            '0'..='9' => number.push(c),
            'x' | 'X' if number.len() == 17 => number.push('X'),
            _ if c.is_whitespace() || is_dash(c) => {}
            _ => return Err(Rejection::StrangeCharacter),
        }
    }
    Ok(number)
}

/// The 17 digits of the number that replaced a 15-digit one.
fn upgraded(old: &str) -> Result<String, Rejection> {
    if BORN_BEFORE_1900.iter().any(|order| old.ends_with(order)) {
        return Err(Rejection::Century);
    }
    Ok(format!("{}19{}", &old[..6], &old[6..]))
}

/// Whether eight digits are a day of the calendar in the years that numbers are given for.
fn is_date(yyyymmdd: &str) -> bool {
    let (Ok(year), Ok(month), Ok(day)) = (
        yyyymmdd[..4].parse::<i16>(),
        yyyymmdd[4..6].parse::<i8>(),
        yyyymmdd[6..].parse::<i8>(),
    ) else {
        return false;
    };
    (1800..=2199).contains(&year) && jiff::civil::Date::new(year, month, day).is_ok()
}

fn check_character(body: &str) -> char {
    let sum: u32 = body
        .bytes()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    char::from(CHECK[(sum % 11) as usize])
}
