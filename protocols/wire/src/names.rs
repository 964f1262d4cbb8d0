//! The names people give to things, each its own type, so that none can stand where another belongs.

use crate::flaw::{Flaw, require};
use crate::limits::COLUMN_NAME_BYTES_MAX;
use crate::printable::is_line;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} \"{given}\" is not valid: {rule}")]
pub struct NameError {
    what: &'static str,
    given: String,
    rule: &'static str,
}

/// Names are DNS labels in lower case, so that they can stand in certificates, SQL schemas and file names unchanged.
const LABEL_RULE: &str = "1 to 63 of a-z, 0-9, - and _, beginning with a letter, not ending with -";

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                if is_label(text) {
                    return Ok(Self(text.to_owned()));
                }
                let given = text.chars().take(80).collect();
                Err(NameError { what: $what, given, rule: LABEL_RULE })
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

label! {
    /// An organisation: `north-bank`. Also its SQL schema and the name in its certificates.
    OrgName, "organisation"
}
label! {
    /// A dataset of one organisation: `customers`.
    DatasetName, "dataset"
}
label! {
    /// A person registered by an organisation: `mei`.
    PersonName, "person"
}
label! {
    /// What a person may approve as: `compliance`, `data-owner`, `security`.
    Role, "role"
}
label! {
    /// A job's name as its author gave it: `tier-by-segment`.
    JobName, "job name"
}

/// A column as it stands in the file's header, compared exactly. In SQL, unquoted names fold to lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ColumnName(pub String);

impl ColumnName {
    /// Columns that are published or asked for have names that can be shown: one line, not blank, not overlong.
    pub fn check(&self) -> Result<(), Flaw> {
        require(is_line(&self.0, COLUMN_NAME_BYTES_MAX), || {
            let what = format!(
                "the column name is blank, longer than {COLUMN_NAME_BYTES_MAX} bytes or has control characters"
            );
            Flaw::at([], what, "rename the column in the file")
        })
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_in_a_certificate_a_schema_and_a_path_unchanged() {
        let longest = "a".repeat(63);
        for name in ["a", "north-bank", "a1", "a-1_b", &longest] {
            assert_eq!(name.parse::<OrgName>().expect(name).as_str(), name);
        }
        let overlong = "a".repeat(64);
        for name in [
            "", "-a", "a-", "1a", "_a", "A", "a b", "a.b", "a/b", "..", "a\0", "ａ", "北", "a\n",
            &overlong,
        ] {
            assert!(name.parse::<OrgName>().is_err(), "{name:?}");
            let json = serde_json::to_string(name).expect("a string");
            assert!(
                serde_json::from_str::<DatasetName>(&json).is_err(),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_refused_name_is_not_repeated_at_length() {
        let error = "x".repeat(10_000).parse::<Role>().expect_err("too long");
        assert!(error.to_string().len() < 300);
    }

    #[test]
    fn a_column_name_can_be_shown() {
        for name in ["mobile", "Amount (EUR)", "手机", "a\"b"] {
            assert!(ColumnName(name.to_owned()).check().is_ok(), "{name}");
        }
        for name in [
            "",
            " ",
            "a\nb",
            "\u{feff}mobile",
            "a\u{202e}b",
            &"x".repeat(257),
        ] {
            assert!(ColumnName(name.to_owned()).check().is_err(), "{name:?}");
        }
    }
}
