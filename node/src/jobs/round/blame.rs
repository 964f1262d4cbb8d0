//! Whose doing a broken round was, in the words of a problem.

use entente_protocols::aggregate::{Member, Refusal, RoundFault};
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};

const EXPLAIN: &str = "do not repeat the job before they have explained it";

/// The problem that a fault is at this node. Codes that name misbehaviour end the job.
pub(super) fn blame(fault: &RoundFault, roster: &[OrgName]) -> Problem {
    let name = |member: &Member| roster.get(member.index());
    match fault {
        RoundFault::Member { member, what } => match name(member) {
            Some(org) => Problem::partner(
                org,
                Code::PartnerMisbehaved,
                format!("{org}'s node broke the round: {what}"),
                EXPLAIN,
            ),
            None => spoilt(format!("a member that is none broke the round: {what}")),
        },
        RoundFault::Coordinator(what) => Problem::new(
            Code::CoordinatorMisbehaved,
            Side::Coordinator,
            format!("the coordinator broke the round: {what}"),
            "ask whoever runs the coordinator; do not repeat the job before they have explained it",
        ),
        RoundFault::MemberOrCoordinator { member, what } => {
            let org = name(member).map_or("a member", |org| org.as_str());
            spoilt(format!(
                "{org}'s node or the coordinator broke the round: {what}"
            ))
        }
        RoundFault::ContributorOrCoordinator(what) => spoilt(format!(
            "a party of the sum or the coordinator broke the round: {what}"
        )),
        RoundFault::OneOf { members, what } => {
            let names: Vec<&str> = members
                .iter()
                .filter_map(name)
                .map(OrgName::as_str)
                .collect();
            spoilt(format!(
                "one of {} broke the round: {what}",
                names.join(", ")
            ))
        }
        RoundFault::TooFew { what, needed, got } => Problem::new(
            Code::TooFewParties,
            Side::Network,
            format!(
                "{got} {what} are there and {needed} are needed, because parties vanished from the round"
            ),
            "nothing, if attempts are left: another round is begun by itself",
        ),
        RoundFault::Unlucky { what } => Problem::here(
            Code::SessionLimit,
            format!("chance was against this round: {what}"),
            "nothing; another round is begun",
        ),
        RoundFault::Refused(refusal) => refused(refusal),
        fault => Problem::here(
            Code::Defect,
            format!("the round ended for a reason that this version does not know: {fault}"),
            "report this with the node's log",
        ),
    }
}

fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        // The place in the table says nothing about anybody's number; the number is not told.
        Refusal::CellOutOfRange { cell } => Problem::here(
            Code::ValueOutside,
            format!(
                "number {cell} of this organisation's table is larger than its published size and caps allow"
            ),
            "publish the dataset's policy again, then submit the job again",
        ),
        refusal => Problem::here(
            Code::Defect,
            format!("the round was called wrongly: {refusal}"),
            "report this with the node's log",
        ),
    }
}

fn spoilt(what: String) -> Problem {
    Problem::new(Code::RoundSpoilt, Side::Network, what, EXPLAIN)
}
