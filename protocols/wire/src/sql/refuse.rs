//! Refusals: every reason why a question cannot be planned, each with its place in the text, the rule that refuses and who
//! could change it. All of them are collected, so that a data team repairs a question in one round.

use crate::names::OrgName;
use crate::problem::{Code, Problem, Side};
use sqlparser::ast::Spanned;
use sqlparser::tokenizer::{Location, Span};
use std::fmt;

/// Most problems reported for one question; the rest would only bury the first ones.
pub(super) const PROBLEMS_MAX: usize = 64;

/// A place in the question's text. Lines and columns count from 1, in characters; line 0 is "nowhere in particular".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    line: u64,
    column: u64,
}

impl At {
    /// The question as a whole.
    pub(super) const WHOLE: Self = Self { line: 0, column: 0 };

    /// Where `syntax` begins, as far as the parser tells.
    pub(super) fn of(syntax: &impl Spanned) -> Self {
        Self::from(syntax.span())
    }

    /// This place, or `other` where the parser did not tell.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::WHOLE { other } else { self }
    }

    /// A place by its numbers.
    pub(super) fn new(line: u64, column: u64) -> Self {
        Self { line, column }
    }
}

impl From<Span> for At {
    fn from(span: Span) -> Self {
        Self::from(span.start)
    }
}
impl From<Location> for At {
    fn from(location: Location) -> Self {
        Self::new(location.line, location.column)
    }
}

/// As a message begins: `line 2, column 14: `, or nothing.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::WHOLE {
            return Ok(());
        }
        write!(f, "line {}, column {}: ", self.line, self.column)
    }
}

/// Collects problems. Its methods give `None`, so that a check can end with `return refusals.question(…)`.
pub(super) struct Refusals {
    asker: Option<OrgName>,
    problems: Vec<Problem>,
}

impl Refusals {
    /// An empty collection for a question by `asker`.
    pub(super) fn new(asker: OrgName) -> Self {
        Self {
            asker: Some(asker),
            problems: Vec::new(),
        }
    }

    /// A collection nobody will read: for asking whether something would be refused.
    pub(super) fn silent() -> Self {
        Self {
            asker: None,
            problems: Vec::new(),
        }
    }

    /// Whether nothing was refused so far.
    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// What was refused, in the order found.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The text is outside the language.
    pub(super) fn question<T>(
        &mut self,
        at: At,
        what: impl fmt::Display,
        todo: impl Into<String>,
    ) -> Option<T> {
        self.add(
            Code::Question,
            Side::Request,
            format!("{at}{what}"),
            todo.into(),
        )
    }

    /// A part of the job file other than its question is not valid for it.
    pub(super) fn job<T>(&mut self, what: impl Into<String>, todo: impl Into<String>) -> Option<T> {
        self.add(Code::JobFile, Side::Request, what.into(), todo.into())
    }

    /// `owner`'s policy refuses.
    pub(super) fn policy<T>(
        &mut self,
        at: At,
        owner: &OrgName,
        what: impl fmt::Display,
        todo: impl Into<String>,
    ) -> Option<T> {
        let side = self.side(owner);
        self.add(
            Code::PolicyRefuses,
            side,
            format!("{at}{what}"),
            todo.into(),
        )
    }

    /// A published set is too small.
    pub(super) fn set<T>(
        &mut self,
        owner: &OrgName,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) -> Option<T> {
        let side = self.side(owner);
        self.add(Code::SetTooSmall, side, what.into(), todo.into())
    }

    /// No such published dataset at `owner`.
    pub(super) fn dataset<T>(
        &mut self,
        at: At,
        owner: &OrgName,
        what: impl fmt::Display,
        todo: impl Into<String>,
    ) -> Option<T> {
        let side = self.side(owner);
        self.add(
            Code::DatasetUnknown,
            side,
            format!("{at}{what}"),
            todo.into(),
        )
    }

    /// `org` is not a partner.
    pub(super) fn partner<T>(
        &mut self,
        at: At,
        what: impl fmt::Display,
        todo: impl Into<String>,
    ) -> Option<T> {
        self.add(
            Code::PartnerUnknown,
            Side::Request,
            format!("{at}{what}"),
            todo.into(),
        )
    }

    /// The question is in the language, but this version does not carry it.
    pub(super) fn version<T>(
        &mut self,
        at: At,
        what: impl fmt::Display,
        todo: impl Into<String>,
    ) -> Option<T> {
        self.add(
            Code::NotInThisVersion,
            Side::Request,
            format!("{at}{what}"),
            todo.into(),
        )
    }

    fn side(&self, owner: &OrgName) -> Side {
        if Some(owner) == self.asker.as_ref() {
            Side::Here
        } else {
            Side::Partner { org: owner.clone() }
        }
    }

    fn add<T>(&mut self, code: Code, side: Side, what: String, todo: String) -> Option<T> {
        self.again(Problem::new(code, side, what, todo));
        None
    }

    /// What was refused elsewhere already.
    pub(super) fn again(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS_MAX && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// A name from the question as a message shows it: cut to a bearable length, with the code points of letters outside ASCII,
/// because some look exactly like ASCII letters.
pub(super) fn shown(name: &str) -> String {
    const CHARS_MAX: usize = 60;
    const FOREIGN_MAX: usize = 3;
    let mut cut: String = name.chars().take(CHARS_MAX).collect();
    if name.chars().count() > CHARS_MAX {
        cut.push('…');
    }
    let foreign: Vec<String> = name
        .chars()
        .filter(|c| !c.is_ascii())
        .take(FOREIGN_MAX)
        .map(|c| format!("U+{:04X}", u32::from(c)))
        .collect();
    if foreign.is_empty() {
        return format!("\"{cut}\"");
    }
    format!("\"{cut}\" (with {}, not ASCII)", foreign.join(", "))
}
