//! What a person sees on standard output and error, or a program with `--json`.

use crate::failure::Failure;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use entente_wire::problem::Problem;
use serde::Serialize;
use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Where output goes. A closed pipe ends the output, not the command.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    json: bool,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether a person watches and progress may redraw itself.
    pub(crate) fn is_interactive(self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    /// A line for people; programs do not get it.
    pub(crate) fn line(self, text: impl Display) {
        if !self.json {
            write_out(&format!("{text}\n"));
        }
    }

    /// A document, for programs as JSON on one line, for people in `human`'s words.
    pub(crate) fn show<T: Serialize>(self, document: &T, human: impl FnOnce(&T) -> String) {
        if self.json {
            self.json_line(document);
        } else {
            self.line(human(document).trim_end());
        }
    }

    /// A document whose point is one value: for people the value alone stands on standard output, so that a shell can
    /// take it, and the words around it on standard error.
    pub(crate) fn value<T: Serialize>(
        self,
        document: &T,
        value: impl Display,
        words: impl Display,
    ) {
        if self.json {
            self.json_line(document);
        } else {
            write_out(&format!("{value}\n"));
            write_error(&format!("{words}\n"));
        }
    }

    /// One JSON document on a line, in either mode.
    pub(crate) fn json_line<T: Serialize>(self, document: &T) {
        let text = serde_json::to_string(document)
            .expect("documents hold only strings, numbers, lists and string-keyed maps");
        write_out(&format!("{text}\n"));
    }

    /// Bytes as they are: a result file.
    pub(crate) fn bytes(self, bytes: &[u8]) {
        let _ = std::io::stdout().lock().write_all(bytes);
    }

    /// A notice on standard error, so that it never mixes with a document.
    pub(crate) fn notice(self, text: impl Display) {
        write_error(&format!("{text}\n"));
    }

    /// Why the command stopped.
    pub(crate) fn failure(self, failure: &Failure) {
        match failure {
            Failure::Problems(problems) => {
                for problem in problems {
                    self.problem(problem);
                }
            }
            Failure::WrongAnswer(what) if self.json => {
                write_error(&format!(
                    "{}\n",
                    serde_json::json!({ "wrong_answer": what })
                ));
            }
            Failure::WrongAnswer(what) => write_error(&format!("WRONG ANSWER: {what}\n")),
            Failure::Interrupted => write_error("interrupted\n"),
        }
    }

    /// One problem: what happened, on whose side, what to do, and its code.
    pub(crate) fn problem(self, problem: &Problem) {
        if self.json {
            let line = serde_json::json!({ "problem": problem });
            write_error(&format!("{line}\n"));
        } else {
            write_error(&problem_text(problem));
        }
    }
}

/// A problem in three lines.
pub(crate) fn problem_text(problem: &Problem) -> String {
    format!(
        "error {}: {}\n  side:  {}\n  to do: {}\n",
        problem.code, problem.what, problem.side, problem.todo
    )
}

/// A table with a header; columns in `right` are numbers.
pub(crate) fn table(header: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for at in right {
        if let Some(column) = table.column_mut(*at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn write_out(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: that is the reader's choice, not a failure.
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

fn write_error(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
