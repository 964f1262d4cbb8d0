//! How ids are written in a column.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How an id column is written, and so how it is normalised before it is compared (node: `data/ids`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum IdKind {
    /// A phone number; the country code is the one that numbers without one are taken to have. Written `e164(+86)`.
    E164 {
        /// Digits without the plus.
        country_code: String,
    },
    /// An e-mail address. Written `email`.
    Email,
    /// A Chinese resident identity number with its check digit. Written `cn-id`.
    CnId,
    /// Compared as it stands, after trimming white space. Written `raw`.
    Raw,
}

impl IdKind {
    /// Two id columns can be joined when their families are equal: `e164(+86)` and `e164(+852)` both give E.164 numbers.
    pub fn family(&self) -> &'static str {
        match self {
            Self::E164 { .. } => "e164",
            Self::Email => "email",
            Self::CnId => "cn-id",
            Self::Raw => "raw",
        }
    }
}

impl From<IdKind> for String {
    fn from(kind: IdKind) -> String {
        match kind {
            IdKind::E164 { country_code } => format!("e164(+{country_code})"),
            other => other.family().to_owned(),
        }
    }
}

impl TryFrom<String> for IdKind {
    type Error = NoSuchIdKind;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Not an id kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id kind is one of e164(+CC), email, cn-id, raw")]
pub struct NoSuchIdKind;

impl fmt::Display for IdKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(self.clone()))
    }
}

impl FromStr for IdKind {
    type Err = NoSuchIdKind;
    fn from_str(text: &str) -> Result<Self, NoSuchIdKind> {
        let country_code = text
            .strip_prefix("e164(+")
            .and_then(|rest| rest.strip_suffix(')'));
        match (text, country_code) {
            ("email", _) => Ok(Self::Email),
            ("cn-id", _) => Ok(Self::CnId),
            ("raw", _) => Ok(Self::Raw),
            (_, Some(code))
                if (1..=3).contains(&code.len())
                    && code.bytes().all(|b| b.is_ascii_digit())
                    && !code.starts_with('0') =>
            {
                Ok(Self::E164 {
                    country_code: code.to_owned(),
                })
            }
            _ => Err(NoSuchIdKind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_kind_is_written_in_one_way() {
        for text in [
            "e164(+86)",
            "e164(+852)",
            "e164(+1)",
            "email",
            "cn-id",
            "raw",
        ] {
            let kind: IdKind = text.parse().expect(text);
            assert_eq!(kind.to_string(), text);
        }
        for text in [
            "e164",
            "e164(86)",
            "e164(+086)",
            "e164(+)",
            "e164(+8600)",
            "E164(+86)",
            "Email",
            "",
            "e164(+8６)",
        ] {
            assert!(text.parse::<IdKind>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_of_two_countries_join_and_other_kinds_do_not() {
        let family = |text: &str| text.parse::<IdKind>().expect("a kind").family();
        assert_eq!(family("e164(+86)"), family("e164(+852)"));
        assert_ne!(family("email"), family("raw"));
    }
}
