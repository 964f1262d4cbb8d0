//! One person, one id: how the many ways to write a phone number, an e-mail address or a resident identity number are
//! brought to one form, so that two organisations that never see each other's lists still compare the same bytes.
//!
//! The rules are a cross-party contract with a version ([`IDS_VERSION`], part of every digest) and known answers
//! (`vectors/ids/`). They never guess: a text with two readings is refused with its reason and counted, because a wrong id
//! joins two strangers, which is worse than a missing one.
//!
//! Who learns what: nothing leaves this module but a canonical text, or its keyed digest, inside this node.

mod digest;
mod email;
mod phone;
mod plans;
mod resident;
mod text;

pub(crate) use digest::Digester;
pub use digest::digest;

#[cfg(test)]
mod tests;

use entente_wire::policy::IdKind;
use std::fmt;

/// Version of the rules in this module. It is part of every digest: two versions match nothing rather than something else.
pub const IDS_VERSION: u32 = 1;

/// Longest text that is looked at, in bytes. An e-mail address has at most 254, a hexadecimal SHA-512 has 128.
pub const ID_BYTES_MAX: usize = 256;

/// Why a text is not a usable id. [`fmt::Display`] is the reason as reports count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// Nothing, or only white space.
    Empty,
    /// Over [`ID_BYTES_MAX`], or over what this kind of id may have.
    TooLong,
    /// Holds a character that this kind of id cannot have.
    StrangeCharacter,
    /// `1.38E+10`: a spreadsheet has thrown digits away.
    SpreadsheetExponent,
    /// The country code is not assigned.
    CountryCode,
    /// Fewer digits than any number of this kind.
    TooFewDigits,
    /// More digits than any number of this kind.
    TooManyDigits,
    /// Digits that no number of the country begins with.
    NumberRange,
    /// Begins with a 0 under a country code whose trunk prefix these rules do not know.
    TrunkPrefix,
    /// Can be read as two different numbers.
    Ambiguous,
    /// Not exactly one @ with something before it.
    NotAnAddress,
    /// The part after the @ is not a domain name with a dot.
    Domain,
    /// The date of birth does not exist.
    Date,
    /// The check digit does not fit.
    CheckDigit,
    /// A 15-digit number of someone born before 1900: the century cannot be told.
    Century,
}

impl Rejection {
    /// All reasons, for reports and tests.
    pub const ALL: &[Self] = &[
        Self::Empty,
        Self::TooLong,
        Self::StrangeCharacter,
        Self::SpreadsheetExponent,
        Self::CountryCode,
        Self::TooFewDigits,
        Self::TooManyDigits,
        Self::NumberRange,
        Self::TrunkPrefix,
        Self::Ambiguous,
        Self::NotAnAddress,
        Self::Domain,
        Self::Date,
        Self::CheckDigit,
        Self::Century,
    ];
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::TooLong => "too long",
            Self::StrangeCharacter => "a character that cannot be there",
            Self::SpreadsheetExponent => "digits lost by a spreadsheet (1.38E+10)",
            Self::CountryCode => "country code not assigned",
            Self::TooFewDigits => "too few digits",
            Self::TooManyDigits => "too many digits",
            Self::NumberRange => "no number of the country begins so",
            Self::TrunkPrefix => "leading 0 without a country code",
            Self::Ambiguous => "two readings; needs + and the country code",
            Self::NotAnAddress => "not exactly one @",
            Self::Domain => "no valid domain after the @",
            Self::Date => "impossible date of birth",
            Self::CheckDigit => "wrong check digit",
            Self::Century => "15 digits and born before 1900",
        })
    }
}

/// Without white space around it. That there is none is seen by two bytes, the usual case.
fn trimmed(text: &str) -> &str {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Brings the texts of one column to their canonical form. Made once a column.
///
/// * `e164(+CC)`: `+` and 7 to 15 digits; the module `phone` lists the forms that are read.
/// * `email`: NFKC, lower case; dots and tags of providers are left alone.
/// * `cn-id`: 18 characters by GB 11643; 15-digit numbers are upgraded.
/// * `raw`: as it stands, without the white space around it.
pub struct Normaliser(Rules);

enum Rules {
    E164(phone::Rules),
    Email,
    CnId,
    Raw,
}

impl Normaliser {
    /// For columns of one kind.
    pub fn new(kind: &IdKind) -> Self {
        Self(match kind {
            IdKind::E164 { country_code } => Rules::E164(phone::Rules::new(country_code)),
            IdKind::Email => Rules::Email,
            IdKind::CnId => Rules::CnId,
            IdKind::Raw => Rules::Raw,
        })
    }

    /// Writes the canonical form of `text` to `out`, which is cleared first and stays empty where the text is refused.
    pub fn normalise(&self, text: &str, out: &mut String) -> Result<(), Rejection> {
        out.clear();
        let text = trimmed(text);
        if text.is_empty() {
            return Err(Rejection::Empty);
        }
        if text.len() > ID_BYTES_MAX {
            return Err(Rejection::TooLong);
        }
        match &self.0 {
            Rules::E164(rules) => rules.normalise(text, out),
            Rules::Email => email::normalise(text, out),
            Rules::CnId => resident::normalise(text, out),
            Rules::Raw => {
                out.push_str(text);
                Ok(())
            }
        }
    }
}
