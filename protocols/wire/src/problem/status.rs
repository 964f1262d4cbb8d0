//! A problem as a gRPC status and back. The details carry the problem as canonical JSON; a status without them comes from
//! the transport, or from a program of another version, and is put into words here.

use super::{Code, Problem, Side};
use crate::canonical;
use crate::names::OrgName;
use tonic::{Code as Rpc, Status};

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        let message = problem.to_string();
        let details = canonical::to_bytes(&problem);
        Self::with_details(rpc_code(problem.code), message, details.into())
    }
}

impl Problem {
    /// What our own node, or any service of ours, answered.
    pub fn from_status(status: &Status) -> Self {
        canonical::from_bytes(status.details()).unwrap_or_else(|_| unexplained(status, &Side::Here))
    }

    /// What `peer` (a partner or the coordinator) answered, read by `me`.
    pub fn from_peer_status(status: &Status, peer: &Side, me: &OrgName) -> Self {
        match canonical::from_bytes::<Self>(status.details()) {
            Ok(problem) => problem.told_by(peer, me),
            Err(_) => unexplained(status, peer),
        }
    }
}

/// The gRPC code that says the same to a program that knows only gRPC.
fn rpc_code(code: Code) -> Rpc {
    match code {
        Code::JobFile | Code::Question | Code::Argument | Code::PolicyFile => Rpc::InvalidArgument,
        Code::PolicyRefuses
        | Code::ResultNotYours
        | Code::ApprovalRefused
        | Code::RegistryRefused
        | Code::RecordRefused
        | Code::NotAdmitted => Rpc::PermissionDenied,
        Code::InviteRefused | Code::PersonUnknown | Code::PartnerNotProven => Rpc::Unauthenticated,
        Code::BudgetUsedUp | Code::SessionLimit | Code::Disk => Rpc::ResourceExhausted,
        Code::JobUnknown | Code::DatasetUnknown | Code::PartnerUnknown => Rpc::NotFound,
        Code::NotInThisVersion | Code::VersionDiffers => Rpc::Unimplemented,
        Code::PartnerUnreachable | Code::CoordinatorUnreachable | Code::NodeNotRunning => {
            Rpc::Unavailable
        }
        Code::PartnerSilent => Rpc::DeadlineExceeded,
        Code::PartnerMisbehaved | Code::PartnerAborted => Rpc::Aborted,
        Code::JournalDamaged => Rpc::DataLoss,
        Code::Defect => Rpc::Internal,
        _ => Rpc::FailedPrecondition,
    }
}

/// A status that says nothing we can read: told by its gRPC code and by who should have answered.
fn unexplained(status: &Status, peer: &Side) -> Problem {
    let said = format!("{:?} \"{}\"", status.code(), status.message());
    let silent = matches!(
        status.code(),
        Rpc::Unavailable | Rpc::Unknown | Rpc::Cancelled | Rpc::DeadlineExceeded
    );
    let another_version = status.code() == Rpc::Unimplemented;
    let (code, what, todo) = match peer {
        _ if another_version => (
            Code::VersionDiffers,
            "the program called does not know this call",
            "compare versions with `entente --version` and upgrade the older one",
        ),
        Side::Partner { .. } if status.code() == Rpc::DeadlineExceeded => (
            Code::PartnerSilent,
            "the partner's node did not answer in time",
            "ask the partner whether its node is running, then try again",
        ),
        Side::Partner { .. } | Side::Network if silent => (
            Code::PartnerUnreachable,
            "the connection to the partner's node failed",
            "check its address and that its port is open, then try again",
        ),
        Side::Partner { .. } | Side::Network => (
            Code::PartnerMisbehaved,
            "the partner's node refused without a reason we can read",
            "ask the partner for the entry in its node's log",
        ),
        Side::Coordinator if silent => (
            Code::CoordinatorUnreachable,
            "the connection to the coordinator failed",
            "check its address and that it is running; jobs wait until it is back",
        ),
        Side::Coordinator => (
            Code::CoordinatorRefused,
            "the coordinator refused without a reason we can read",
            "ask whoever hosts the coordinator for the entry in its log",
        ),
        Side::Here | Side::Request if silent => (
            Code::NodeNotRunning,
            "this organisation's node does not answer",
            "start it with `entente node`",
        ),
        Side::Here | Side::Request => (
            Code::Defect,
            "this organisation's node refused without a reason we can read",
            "look at the node's log and report it",
        ),
    };
    Problem::new(code, peer.clone(), format!("{what}: {said}"), todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(name: &str) -> OrgName {
        name.parse().expect("a valid name")
    }

    #[test]
    fn every_code_survives_the_way_through_a_status() {
        for code in Code::ALL {
            let problem = Problem::partner(&org("river-pay"), *code, "what \"x\" 诶", "todo");
            let status = Status::from(problem.clone());
            assert_ne!(status.code(), Rpc::Ok);
            assert_eq!(Problem::from_status(&status), problem);
        }
    }

    #[test]
    fn the_longest_problem_fits_a_grpc_trailer() {
        let long = "诶".repeat(10_000);
        let status = Status::from(Problem::here(Code::Defect, &long, &long));
        let percent_encoded = status.message().len() * 3;
        let base64 = status.details().len() * 4 / 3;
        assert!(percent_encoded + base64 < 15 * 1024);
    }

    #[test]
    fn what_a_partner_calls_here_is_the_partners_side() {
        let status = Status::from(Problem::here(Code::Disk, "full", "free some"));
        let peer = Side::Partner {
            org: org("river-pay"),
        };
        let problem = Problem::from_peer_status(&status, &peer, &org("north-bank"));
        assert_eq!((problem.code, problem.side), (Code::Disk, peer));
    }

    #[test]
    fn details_that_are_not_canonical_are_not_believed() {
        let problem = Problem::here(Code::Disk, "full", "free some");
        let mut details = canonical::to_bytes(&problem);
        details.push(b' ');
        let status = Status::with_details(Rpc::Internal, "x", details.into());
        assert_eq!(Problem::from_status(&status).code, Code::Defect);
    }

    #[test]
    fn a_bare_status_is_told_by_who_should_have_answered() {
        let peers = [
            (Side::Here, Rpc::Unavailable, Code::NodeNotRunning),
            (Side::Here, Rpc::Internal, Code::Defect),
            (
                Side::Coordinator,
                Rpc::Unavailable,
                Code::CoordinatorUnreachable,
            ),
            (
                Side::Coordinator,
                Rpc::PermissionDenied,
                Code::CoordinatorRefused,
            ),
            (Side::Coordinator, Rpc::Unimplemented, Code::VersionDiffers),
            (Side::Network, Rpc::Unknown, Code::PartnerUnreachable),
        ];
        for (peer, rpc, code) in peers {
            let problem = Problem::from_peer_status(&Status::new(rpc, "gone"), &peer, &org("me"));
            assert_eq!((problem.code, problem.side), (code, peer));
        }
        let river = Side::Partner {
            org: org("river-pay"),
        };
        let late = Status::deadline_exceeded("late");
        assert_eq!(
            Problem::from_peer_status(&late, &river, &org("me")).code,
            Code::PartnerSilent
        );
    }
}
