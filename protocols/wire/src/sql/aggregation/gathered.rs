//! What is refused at several parties, said once: a mistake in the question is everybody's, and what is a mistake at some only names them.

use super::One;
use crate::names::OrgName;
use crate::problem::{Problem, Side};
use crate::sql::refuse::{PROBLEMS_MAX, Refusals};

/// Parties that are named behind one problem; more would bury it.
const PARTIES_NAMED_MAX: usize = 5;

/// What each party's table is, if nothing was refused at any.
pub(super) fn each<'o>(
    asked: impl Iterator<Item = (&'o OrgName, Option<One>, Refusals)>,
    refusals: &mut Refusals,
) -> Option<Vec<One>> {
    let mut planned = Vec::new();
    let mut found: Vec<(Problem, Vec<&OrgName>)> = Vec::new();
    let mut parties = 0;
    for (org, one, own) in asked {
        parties += 1;
        planned.push(one);
        for problem in own.into_problems() {
            let is_full = found.len() >= PROBLEMS_MAX;
            match found.iter_mut().find(|(known, _)| *known == problem) {
                Some((_, orgs)) => orgs.push(org),
                None if is_full => {}
                None => found.push((problem, vec![org])),
            }
        }
    }
    let is_clear = found.is_empty();
    for (problem, orgs) in found {
        refusals.again(told(problem, &orgs, parties));
    }
    // Each party that was refused something said what.
    is_clear.then(|| planned.into_iter().collect()).flatten()
}

/// A problem of the request, with the parties at which it is one.
fn told(problem: Problem, orgs: &[&OrgName], parties: usize) -> Problem {
    let is_named = |org: &&OrgName| problem.what.contains(org.as_str());
    let is_whose = problem.side != Side::Request || orgs.iter().all(is_named);
    if orgs.len() == parties || is_whose {
        return problem;
    }
    let named = orgs.iter().take(PARTIES_NAMED_MAX);
    let mut names: Vec<String> = named.map(|org| org.to_string()).collect();
    let more = orgs.len().saturating_sub(PARTIES_NAMED_MAX);
    names.extend((more > 0).then(|| format!("{more} more")));
    let what = format!("{} (at {})", problem.what, names.join(", "));
    Problem::new(problem.code, problem.side, what, problem.todo)
}
