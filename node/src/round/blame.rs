//! Why a round ended, in the words of a problem, and whether another may follow.

use crate::jobs::over_without_this_node;
use entente_wire::canonical;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use tonic::Status;

/// Why the coordinator says that the round is over.
pub(super) fn reason(problem: &[u8], own: &OrgName) -> Problem {
    if problem.is_empty() {
        return over_without_this_node();
    }
    match canonical::from_bytes::<Problem>(problem) {
        Ok(problem) => believed(problem.told_by(&Side::Coordinator, own)),
        Err(_) => Problem::new(
            Code::CoordinatorMisbehaved,
            Side::Coordinator,
            "the coordinator ended the round with a reason that is none",
            "compare versions with `entente --version` and upgrade the older one",
        ),
    }
}

/// Why the coordinator ended the call itself.
pub(super) fn refusal(status: &Status, own: &OrgName) -> Problem {
    let problem = Problem::from_peer_status(status, &Side::Coordinator, own);
    match status.details() {
        // Told by the code of the call alone.
        [] => problem,
        _ => believed(problem),
    }
}

/// What the coordinator says of others is not evidence against them, and it knows nothing of this node: it can tell what it saw on its lines,
/// and that it refuses.
fn believed(problem: Problem) -> Problem {
    let of_lines = matches!(
        problem.code,
        Code::TooFewParties
            | Code::PartnerSilent
            | Code::PartnerAborted
            | Code::CoordinatorUnreachable
            | Code::NotAdmitted
            | Code::JobUnknown
            | Code::VersionDiffers
    );
    let code = match of_lines {
        true => problem.code,
        false => Code::CoordinatorRefused,
    };
    let side = match problem.side {
        Side::Coordinator => Side::Coordinator,
        _ => Side::Network,
    };
    Problem::new(
        code,
        side,
        format!("the coordinator says: {}", problem.what),
        problem.todo,
    )
}

/// Whether another round may end otherwise: what lies at a line, a restart, or at who came. What a party, the coordinator or this node's own
/// data spoilt is for people to look at.
pub(crate) fn may_follow(problem: &Problem) -> bool {
    matches!(
        problem.code,
        Code::TooFewParties
            | Code::PartnerUnreachable
            | Code::PartnerSilent
            // Why the recipient left, its node reports under its own signature if nothing can follow.
            | Code::PartnerAborted
            | Code::SessionLimit
            | Code::NodeNotRunning
            | Code::CoordinatorUnreachable
            | Code::CoordinatorRefused
            | Code::NotAdmitted
            | Code::ApprovalsMissing
            | Code::JobUnknown
    )
}

pub(super) fn no_coordinator() -> Problem {
    Problem::here(
        Code::CoordinatorUnreachable,
        "an aggregation goes by way of a coordinator, and none is set in org.toml",
        "set the coordinator that all parties use, and start the node again",
    )
}

pub(super) fn stopping() -> Problem {
    Problem::here(
        Code::NodeNotRunning,
        "the node is being stopped",
        "start it again; another round is joined by itself",
    )
}

pub(super) fn endless() -> Problem {
    Problem::new(
        Code::CoordinatorUnreachable,
        Side::Coordinator,
        "the coordinator kept a round open longer than any round takes",
        "look at the coordinator's log; another round is joined by itself",
    )
}

pub(super) fn lost() -> Problem {
    Problem::here(
        Code::Defect,
        "a step of a round ended without an answer",
        "report this with the node's log",
    )
}
