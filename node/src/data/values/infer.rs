//! Which type a column has: from all of its values, so that no later row can be a surprise.
//!
//! A type is given only where every value (an empty field is no value) fits it; everything else is text. Numbers become
//! exact decimals with as many places as the longest fraction needs.

use super::exact::{self, DIGITS_MAX, Number, Numeric};
use super::moment;
use crate::data::manifest::Storage;

/// What has been seen of one column so far.
#[derive(Debug, Clone)]
pub(crate) struct Inference {
    values: u64,
    nulls: u64,
    /// Values that are not finite numbers.
    not_numbers: u64,
    /// NaN and infinities among them.
    not_finite: u64,
    whole_digits: u32,
    fraction_digits: u32,
    could: Could,
}

/// Types that no value has spoken against yet.
#[derive(Debug, Clone, Copy)]
struct Could {
    integer: bool,
    boolean: bool,
    day: bool,
    moment: bool,
}

/// What a column turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inferred {
    pub(crate) storage: Storage,
    pub(crate) nulls: u64,
    pub(crate) not_numbers: u64,
}

impl Inference {
    pub(crate) fn new() -> Self {
        Self {
            values: 0,
            nulls: 0,
            not_numbers: 0,
            not_finite: 0,
            whole_digits: 1,
            fraction_digits: 0,
            could: Could {
                integer: true,
                boolean: true,
                day: true,
                moment: true,
            },
        }
    }

    /// Adds what was seen of other rows of the column.
    pub(crate) fn join(&mut self, other: &Self) {
        self.values += other.values;
        self.nulls += other.nulls;
        self.not_numbers += other.not_numbers;
        self.not_finite += other.not_finite;
        self.whole_digits = self.whole_digits.max(other.whole_digits);
        self.fraction_digits = self.fraction_digits.max(other.fraction_digits);
        self.could.integer &= other.could.integer;
        self.could.boolean &= other.could.boolean;
        self.could.day &= other.could.day;
        self.could.moment &= other.could.moment;
    }

    pub(crate) fn see_null(&mut self) {
        self.nulls += 1;
    }

    pub(crate) fn see_nulls(&mut self, rows: u64) {
        self.nulls += rows;
    }

    pub(crate) fn see_text(&mut self, text: &str) {
        self.values += 1;
        match exact::read(text) {
            Some(Numeric::Whole(number)) => self.see_number(number, is_integer(number)),
            Some(Numeric::Fraction(number)) => self.see_number(number, false),
            Some(Numeric::NotFinite) => self.see_not_finite(),
            None => self.see_words(text),
        }
    }

    /// `None` is NaN or an infinity.
    pub(crate) fn see_float(&mut self, number: Option<Number>) {
        self.values += 1;
        match number {
            Some(number) => self.see_number(number, false),
            None => self.see_not_finite(),
        }
    }

    fn see_number(&mut self, number: Number, integer: bool) {
        self.whole_digits = self.whole_digits.max(number.whole_digits());
        self.fraction_digits = self.fraction_digits.max(number.fraction_digits());
        self.could.integer &= integer;
        (self.could.boolean, self.could.day, self.could.moment) = (false, false, false);
    }

    fn see_not_finite(&mut self) {
        self.not_finite += 1;
        self.not_numbers += 1;
        self.could = Could {
            integer: false,
            boolean: false,
            day: false,
            moment: false,
        };
    }

    fn see_words(&mut self, text: &str) {
        self.not_numbers += 1;
        self.could.integer = false;
        self.could.boolean = self.could.boolean && boolean(text).is_some();
        self.could.day = self.could.day && moment::day(text).is_some();
        self.could.moment = self.could.moment && moment::moment(text).is_some();
    }

    pub(crate) fn finish(self) -> Inferred {
        let numbers = self.not_numbers == self.not_finite && self.values > 0;
        let digits = self.whole_digits.saturating_add(self.fraction_digits);
        let storage = match self.could {
            _ if self.values == 0 => Storage::Text,
            Could { integer: true, .. } => Storage::Integer,
            _ if numbers && self.not_finite == 0 && digits <= DIGITS_MAX => Storage::Decimal {
                precision: small(digits),
                scale: small(self.fraction_digits),
            },
            _ if numbers => Storage::Float,
            Could { boolean: true, .. } => Storage::Boolean,
            Could { day: true, .. } => Storage::Date,
            Could { moment: true, .. } => Storage::Timestamp,
            _ => Storage::Text,
        };
        Inferred {
            storage,
            nulls: self.nulls,
            not_numbers: self.not_numbers,
        }
    }
}

/// Fits 64 bits with its negation, so that no sign change can wrap.
fn is_integer(number: Number) -> bool {
    i64::try_from(number.units).is_ok_and(|value| value != i64::MIN)
}

fn small(digits: u32) -> u8 {
    u8::try_from(digits).unwrap_or(u8::MAX)
}

/// `true` and `false` in any case. 0, 1, yes and no stay numbers and text: what they mean is for the question to say.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim_ascii();
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(values: &[&str]) -> Storage {
        let mut inference = Inference::new();
        for value in values {
            match *value {
                "" => inference.see_null(),
                text => inference.see_text(text),
            }
        }
        inference.finish().storage
    }

    #[test]
    fn a_type_holds_for_every_value_or_the_column_is_text() {
        let decimal = |precision, scale| Storage::Decimal { precision, scale };
        for (values, expected) in [
            (&["1", "-5", ""][..], Storage::Integer),
            (&["1", "007"], Storage::Text),
            (&["9223372036854775807"], Storage::Integer),
            (&["-9223372036854775808"], decimal(19, 0)),
            (&["9223372036854775808", "1"], decimal(19, 0)),
            (&["1", "2.50", "-100.125"], decimal(6, 3)),
            (&["1.5e3", "0.25"], decimal(6, 2)),
            (&["1.5", "NaN"], Storage::Float),
            (&["NaN"], Storage::Float),
            (&["1e+300", "1"], Storage::Float),
            (&["1.5", "n/a"], Storage::Text),
            (&["true", "FALSE", ""], Storage::Boolean),
            (&["true", "1"], Storage::Text),
            (&["yes", "no"], Storage::Text),
            (&["1", "0"], Storage::Integer),
            (&["2026-01-05", "2026/1/6"], Storage::Date),
            (&["2026-01-05", "2026-01-05T12:00:00Z"], Storage::Timestamp),
            (&["2026-01-05", "soon"], Storage::Text),
            (&["", ""], Storage::Text),
            (&[], Storage::Text),
        ] {
            assert_eq!(storage(values), expected, "{values:?}");
        }
    }

    #[test]
    fn values_that_are_not_numbers_are_counted() {
        let mut inference = Inference::new();
        for text in ["1", "2", "n/a", "1,234", "NaN"] {
            inference.see_text(text);
        }
        inference.see_null();
        let inferred = inference.finish();
        assert_eq!((inferred.nulls, inferred.not_numbers), (1, 3));
    }
}
