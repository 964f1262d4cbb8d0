//! What of a problem crosses to partners and the coordinator: sentences about this side's data, machine or program do not,
//! because file names, row numbers and counts are nobody else's. Their code's general meaning does.

use entente_wire::problem::Problem;

/// The form in which a problem is told.
pub(crate) fn to_partners(problem: &Problem) -> Problem {
    // Areas 4 (data), 8 (this node) and 9 (a defect), as the codes' documentation has them.
    let area = problem.code.as_str().as_bytes().get(1).copied();
    if !matches!(area, Some(b'4' | b'8' | b'9')) {
        return problem.clone();
    }
    let todo = "the details are shown at the node on whose side it is";
    Problem::new(
        problem.code,
        problem.side.clone(),
        problem.code.meaning(),
        todo,
    )
}
