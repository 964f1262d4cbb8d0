//! How a command ends when it does not end well: what is shown, and the exit code.

use entente_wire::problem::{Code, Problem};
use std::process::ExitCode;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Problems that a person can act on, the decisive one first.
    Problems(Vec<Problem>),
    /// The demo's answer is not the truth.
    WrongAnswer(String),
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

/// Exit code of a wrong answer.
const WRONG_ANSWER: u8 = 1;
/// As shells have it: 128 + SIGINT.
const INTERRUPTED: u8 = 130;
/// Added to the area of a problem's code. Keeps clear of clap's 2 and of a shell's own codes.
const PROBLEM_BASE: u8 = 10;

impl Failure {
    /// The documented exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit_number())
    }

    fn exit_number(&self) -> u8 {
        match self {
            Self::Problems(problems) => {
                PROBLEM_BASE + problems.first().map_or(9, |problem| area(problem.code))
            }
            Self::WrongAnswer(_) => WRONG_ANSWER,
            Self::Interrupted => INTERRUPTED,
        }
    }
}

/// The first digit of a code: `E2103` is in area 2.
fn area(code: Code) -> u8 {
    let digit = code.as_str().as_bytes().get(1).copied().unwrap_or(b'9');
    digit.saturating_sub(b'0')
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}

/// A file that the person named cannot be read or written.
pub(crate) fn file_problem(
    path: &std::path::Path,
    action: &str,
    fault: &std::io::Error,
) -> Problem {
    Problem::request(
        Code::FileUnreadable,
        format!("{} cannot be {action}: {fault}", path.display()),
        "check the path and its permissions",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_exit_code_of_its_area() {
        for code in Code::ALL {
            let problem = Problem::request(*code, "what", "todo");
            let number = Failure::from(problem).exit_number();
            let digit = &code.as_str()[1..2];
            assert_eq!(number.to_string(), format!("1{digit}"));
        }
    }
}
