//! Rules that a document of the right shape can still break, and where it breaks them.
//!
//! A rule is written once, on the canonical type, and holds on both ways in: a file that a person wrote gets the line and column
//! of the flaw, a document that a partner sent is refused as it is parsed.

use std::fmt;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where: field names from the outside in, as they stand in the file.
    pub path: Vec<String>,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub fix: String,
}

impl Flaw {
    pub(crate) fn at<const N: usize>(
        path: [&str; N],
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            path: path.iter().map(|&name| name.to_owned()).collect(),
            what: what.into(),
            fix: fix.into(),
        }
    }

    /// The flaw as seen from outside the field it lies in.
    pub(crate) fn within<const N: usize>(mut self, path: [&str; N]) -> Self {
        self.path
            .splice(0..0, path.iter().map(|&name| name.to_owned()));
        self
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.path.join("."), self.what, self.fix)
    }
}

/// `Err` unless the rule holds.
pub(crate) fn require(holds: bool, flaw: impl FnOnce() -> Flaw) -> Result<(), Flaw> {
    if holds { Ok(()) } else { Err(flaw()) }
}

/// Makes parsing a document include its rules: for types with `#[serde(remote = "Self")]` and a method `check`.
macro_rules! checked {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let document = Self::deserialize(deserializer)?;
                document.check().map_err(serde::de::Error::custom)?;
                Ok(document)
            }
        }
    };
}
pub(crate) use checked;
