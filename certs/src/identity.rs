//! The names that certificates carry: `entente://ORG` in a root, `entente://ORG/NODE` in a node certificate, each the only
//! URI among the subject alternative names (RFC 5280 §4.2.1.6).

use std::fmt;

const SCHEME: &str = "entente://";

/// Why a name cannot stand in a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Not a name.
    #[error(
        "\"{given}\" is not a name: 1 to 63 of a-z, 0-9, - and _, beginning with a letter, not ending with -"
    )]
    NotAName {
        /// What was given, cut at 80 characters.
        given: String,
    },
    /// Not of the form `entente://ORG` or `entente://ORG/NODE`.
    #[error("\"{given}\" is not of the form entente://ORG or entente://ORG/NODE")]
    NotAnIdentity {
        /// What was given, cut at 80 characters.
        given: String,
    },
}

/// The name of an organisation or of a node: a DNS label in lower case, as in the wire formats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Label(String);

impl Label {
    pub(crate) fn new(text: &str) -> Result<Self, IdentityError> {
        let good = (1..=63).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && text
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_');
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdentityError::NotAName { given: cut(text) })
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom a certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// `entente://ORG`
    Organisation(Label),
    /// `entente://ORG/NODE`
    Node(Label, Label),
}

impl Identity {
    pub(crate) fn parse(uri: &str) -> Result<Self, IdentityError> {
        let path = uri
            .strip_prefix(SCHEME)
            .ok_or_else(|| IdentityError::NotAnIdentity { given: cut(uri) })?;
        match path.split_once('/') {
            None => Ok(Self::Organisation(Label::new(path)?)),
            Some((org, node)) => Ok(Self::Node(Label::new(org)?, Label::new(node)?)),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organisation(org) => write!(f, "{SCHEME}{org}"),
            Self::Node(org, node) => write!(f, "{SCHEME}{org}/{node}"),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    #[test]
    fn identities_print_as_they_parse() {
        for uri in ["entente://north-bank", "entente://north-bank/node-1"] {
            assert_eq!(Identity::parse(uri).unwrap().to_string(), uri);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for uri in [
            "",
            "north-bank",
            "https://north-bank",
            "entente://",
            "entente:///node",
            "entente://north-bank/",
            "entente://north-bank/a/b",
            "entente://North-bank/a",
            "entente://north-bank/a?x",
            "entente://north-bank:7/a",
            "ENTENTE://north-bank/a",
            "entente://north-bank/a\0",
            "entente://nörth/a",
        ] {
            assert!(Identity::parse(uri).is_err(), "{uri:?} was taken");
        }
    }
}
