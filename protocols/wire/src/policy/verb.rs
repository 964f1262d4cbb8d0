//! The six things that a question can do with a column.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a partner's question may do with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Join on this id, and count matches (`COUNT(*)`).
    Match,
    /// Stand in GROUP BY.
    Group,
    /// Stand in COUNT(column).
    Count,
    /// Stand in any other aggregate.
    Sum,
    /// Stand in WHERE and in the conditions of CASE.
    Filter,
    /// On an id: the partner may learn which of its own ids are here.
    Reveal,
}

impl Verb {
    /// All six, in the order in which they are listed to people.
    pub const ALL: [Self; 6] = [
        Self::Match,
        Self::Group,
        Self::Count,
        Self::Sum,
        Self::Filter,
        Self::Reveal,
    ];

    /// As written in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Group => "group",
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Filter => "filter",
            Self::Reveal => "reveal",
        }
    }

    /// Whether the verb means something only on a column that holds ids.
    pub fn needs_id(self) -> bool {
        matches!(self, Self::Match | Self::Reveal)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of the six verbs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no verb `{given}`")]
pub struct NoSuchVerb {
    given: String,
}

impl FromStr for Verb {
    type Err = NoSuchVerb;
    fn from_str(text: &str) -> Result<Self, NoSuchVerb> {
        let found = Self::ALL.into_iter().find(|verb| verb.as_str() == text);
        found.ok_or_else(|| NoSuchVerb {
            given: text.chars().take(40).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_has_one_spelling_everywhere() {
        for verb in Verb::ALL {
            assert_eq!(verb.as_str().parse(), Ok(verb));
            let json = serde_json::to_string(&verb).expect("a string");
            assert_eq!(json, format!("\"{verb}\""));
        }
        assert!("Match".parse::<Verb>().is_err());
    }
}
