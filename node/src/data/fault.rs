//! Problems that more than one step of reading data can end in.

use entente_wire::problem::{Code, Problem};

/// Something that cannot happen did: a mistake in this program, told without any value.
pub(crate) fn defect(what: &str) -> Problem {
    Problem::here(
        Code::Defect,
        format!("a defect in this program: {what}"),
        "report it with this sentence and the version",
    )
}
