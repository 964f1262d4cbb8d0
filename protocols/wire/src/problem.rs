//! Errors as people see them: what happened, on whose side, what to do, and a code that never changes meaning.
//!
//! A problem crosses organisations (in reports, aborts and gRPC statuses) and ends on somebody's screen, so its sentences are
//! bounded and free of control characters: [`Problem::new`] cleans what is said here, and what a peer says is refused
//! unless it is clean already.

mod code;
mod status;

pub use code::Code;

use crate::limits::PROBLEM_TEXT_BYTES_MAX;
use crate::names::OrgName;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A problem that a person can act on. Holds counts, names and job ids; never identifiers, rows or keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Stable.
    pub code: Code,
    /// On whose side.
    pub side: Side,
    /// What happened, one sentence.
    #[serde(serialize_with = "write_sentence", deserialize_with = "read_sentence")]
    pub what: String,
    /// What to do, one sentence.
    #[serde(serialize_with = "write_sentence", deserialize_with = "read_sentence")]
    pub todo: String,
}

impl Problem {
    /// A problem on any side. Both sentences are cleaned: control characters become spaces and what is longer than
    /// [`PROBLEM_TEXT_BYTES_MAX`] is cut.
    pub fn new(code: Code, side: Side, what: impl AsRef<str>, todo: impl AsRef<str>) -> Self {
        Self {
            code,
            side,
            what: sentence(what.as_ref()),
            todo: sentence(todo.as_ref()),
        }
    }

    /// A problem in what the person typed or wrote.
    pub fn request(code: Code, what: impl AsRef<str>, todo: impl AsRef<str>) -> Self {
        Self::new(code, Side::Request, what, todo)
    }

    /// A problem of this organisation's own node or data.
    pub fn here(code: Code, what: impl AsRef<str>, todo: impl AsRef<str>) -> Self {
        Self::new(code, Side::Here, what, todo)
    }

    /// A problem at a partner.
    pub fn partner(
        org: &OrgName,
        code: Code,
        what: impl AsRef<str>,
        todo: impl AsRef<str>,
    ) -> Self {
        Self::new(code, Side::Partner { org: org.clone() }, what, todo)
    }

    /// The form in which it is told to other organisations: sentences about this side's data, machine or program stay here,
    /// because file names, row numbers and counts are nobody else's; only their code's general meaning crosses.
    #[must_use]
    pub fn for_others(&self) -> Self {
        if !matches!(self.code.area(), "data" | "this node" | "a defect") {
            return self.clone();
        }
        let todo = "the details are shown at the node on whose side it is";
        Self::new(self.code, self.side.clone(), self.code.meaning(), todo)
    }

    /// The same problem, told by `teller` and now read by `me`: what the teller calls its own side is the teller's, and
    /// what it calls ours is ours.
    #[must_use]
    pub fn told_by(mut self, teller: &Side, me: &OrgName) -> Self {
        self.side = match self.side {
            Side::Here => teller.clone(),
            Side::Partner { org } if org == *me => Side::Here,
            side => side,
        };
        self
    }
}

/// `text` with control characters as spaces, cut to [`PROBLEM_TEXT_BYTES_MAX`] between characters.
fn sentence(text: &str) -> String {
    let clean = text
        .chars()
        .map(|c| if is_unprintable(c) { ' ' } else { c });
    let mut out = String::with_capacity(text.len().min(PROBLEM_TEXT_BYTES_MAX));
    for c in clean {
        if out.len() + c.len_utf8() > PROBLEM_TEXT_BYTES_MAX {
            break;
        }
        out.push(c);
    }
    out
}

/// Control characters, and those that reorder the text around them on a screen.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Keeps what is sent readable at the other side even where a field was filled without [`Problem::new`].
fn write_sentence<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&sentence(text))
}

fn read_sentence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text != sentence(&text) {
        return Err(de::Error::custom(
            "a problem's sentence is too long or has control characters",
        ));
    }
    Ok(text)
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.code, self.what, self.side)
    }
}

/// On whose side something went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Side {
    /// What the person typed or wrote.
    Request,
    /// This organisation's own node or data.
    Here,
    /// A partner.
    Partner {
        /// Which.
        org: OrgName,
    },
    /// The coordinator.
    Coordinator,
    /// The way between.
    Network,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => f.write_str("in the request"),
            Self::Here => f.write_str("on this side"),
            Self::Partner { org } => write!(f, "on {org}'s side"),
            Self::Coordinator => f.write_str("at the coordinator"),
            Self::Network => f.write_str("on the network"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical;

    fn org(name: &str) -> OrgName {
        name.parse().expect("a valid name")
    }

    #[test]
    fn a_sentence_cannot_move_the_cursor_or_flood_the_screen() {
        let long = "诶".repeat(PROBLEM_TEXT_BYTES_MAX);
        let problem = Problem::here(Code::Defect, "a\u{1b}[2J\nb\u{202e}c", &long);
        assert_eq!(problem.what, "a [2J b c");
        assert!(problem.todo.len() <= PROBLEM_TEXT_BYTES_MAX);
        assert!(long.starts_with(&problem.todo));
    }

    #[test]
    fn a_peers_unclean_sentence_is_refused_and_ours_is_cleaned_on_the_way_out() {
        let raw = br#"{"code":"E9001","side":{"at":"here"},"what":"a\nb","todo":""}"#;
        assert!(canonical::from_bytes::<Problem>(raw).is_err());
        let literal = Problem {
            code: Code::Defect,
            side: Side::Here,
            what: "a\nb".to_owned(),
            todo: String::new(),
        };
        let sent: Problem = canonical::from_bytes(&canonical::to_bytes(&literal)).expect("clean");
        assert_eq!(sent.what, "a b");
    }

    #[test]
    fn what_concerns_one_sides_data_or_machine_crosses_as_its_codes_meaning_only() {
        for code in Code::ALL {
            let private = matches!(code.as_str().as_bytes()[1], b'4' | b'8' | b'9');
            let problem = Problem::here(*code, "row 17 of /data/customers.csv", "y");
            let told = problem.for_others();
            assert_eq!((told.code, told.side), (*code, Side::Here));
            assert_eq!(told.what.contains("customers"), !private, "{code}");
        }
    }

    #[test]
    fn whose_side_it_is_turns_with_the_reader() {
        let (north, river) = (org("north-bank"), org("river-pay"));
        let teller = Side::Partner { org: river.clone() };
        let theirs = Problem::here(Code::DataChanged, "x", "y").told_by(&teller, &north);
        assert_eq!(theirs.side, teller);
        let ours = Problem::partner(&north, Code::PartnerSilent, "x", "y").told_by(&teller, &north);
        assert_eq!(ours.side, Side::Here);
        let third = Problem::partner(&org("harbour-bank"), Code::PartnerSilent, "x", "y");
        assert_eq!(third.clone().told_by(&teller, &north), third);
    }
}
