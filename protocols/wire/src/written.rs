//! Files that people write, as one tree whatever their syntax: every key and value with its line and column, numbers still as
//! text. The readers in [`fields`] are strict: an unknown field is a mistake, and every mistake has a place, a reason and a fix.

pub(crate) mod fields;
pub(crate) mod toml;
pub(crate) mod yaml;

use crate::flaw::Flaw;
use crate::limits::FILE_BYTES_MAX;
use crate::problem::{Code, Problem};
use std::fmt;

/// Deepest nesting of a file; policies need five levels.
pub(crate) const DEPTH_MAX: usize = 16;

/// Where something stands, both counted from 1; columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    /// The start of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// The place of a byte of `text`; the end of the text for offsets beyond it.
    pub(crate) fn of_byte(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |feed| feed + 1);
        Self {
            line: before.bytes().filter(|b| *b == b'\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Table(Vec<Entry>),
    List(Vec<Written>),
    Text(String),
    /// As written.
    Number(String),
    Bool(bool),
    /// A key without a value, `null` or `~`.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Written,
}

impl Value {
    /// What it is, for "found …".
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Table(_) => "a table".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Text(text) => format!("the text \"{}\"", excerpt(text)),
            Self::Number(text) => format!("the number {}", excerpt(text)),
            Self::Bool(value) => format!("{value}"),
            Self::Nothing => "nothing".to_owned(),
        }
    }
}

/// The beginning of a text, for messages.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut short: String = text.chars().take(CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl Written {
    /// Where `path` stands, or the nearest thing around it that is written.
    fn locate(&self, path: &[String]) -> Place {
        let Some((name, rest)) = path.split_first() else {
            return self.place;
        };
        match &self.value {
            Value::Table(entries) => match entries.iter().find(|entry| entry.key == *name) {
                Some(entry) if rest.is_empty() => entry.place,
                Some(entry) => entry.value.locate(rest),
                None => self.place,
            },
            Value::List(items) => {
                let place = name
                    .parse::<usize>()
                    .ok()
                    .and_then(|place| items.get(place));
                place.map_or(self.place, |item| item.locate(rest))
            }
            _ => self.place,
        }
    }

    /// A broken rule, with the place it was written at.
    pub(crate) fn mistake(&self, flaw: Flaw) -> Mistake {
        Mistake {
            place: self.locate(&flaw.path),
            what: flaw.what,
            fix: flaw.fix,
        }
    }
}

/// What is wrong in a file, where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) place: Place,
    pub(crate) what: String,
    pub(crate) fix: String,
}

impl Mistake {
    pub(crate) fn new(place: Place, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            place,
            what: what.into(),
            fix: fix.into(),
        }
    }

    /// As the person who wrote `file` reads it.
    pub(crate) fn into_problem(self, code: Code, file: &str) -> Problem {
        Problem::request(
            code,
            format!("{file}, {}: {}", self.place, self.what),
            self.fix,
        )
    }
}

/// Refuses a file that is too long before it is parsed.
fn bounded(text: &str) -> Result<(), Mistake> {
    if text.len() <= FILE_BYTES_MAX {
        return Ok(());
    }
    Err(Mistake::new(
        Place::START,
        format!(
            "the file has {} bytes; at most {FILE_BYTES_MAX} are read",
            text.len()
        ),
        "shorten it; the longest part is usually a domain",
    ))
}
