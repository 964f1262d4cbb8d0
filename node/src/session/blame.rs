//! How a session's problems are worded, which of them a new attempt may cure, and what of them crosses to the partner.
//!
//! A partner learns the code and whose side it is on; sentences about this side's data or machine do not cross
//! ([`Problem::for_others`]).

use entente_wire::limits::WIRE_VERSION;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use std::time::Duration;

/// The partner broke the protocol: final.
pub(crate) fn misbehaved(partner: &OrgName, what: &str) -> Problem {
    Problem::new(
        Code::PartnerMisbehaved,
        at(partner),
        format!("{partner}'s node broke the session protocol: {what}"),
        format!("ask {partner} which software its node runs; the run is not repeated by itself"),
    )
}

/// The partner sent nothing for too long.
pub(crate) fn silent(partner: &OrgName, awaited: &str, waited: Duration) -> Problem {
    let seconds = waited.as_secs();
    Problem::new(
        Code::PartnerSilent,
        at(partner),
        format!("{partner}'s node sent nothing for {seconds} s while {awaited} was awaited"),
        format!("ask {partner} to look at its node's log; `entente job watch` shows a new attempt"),
    )
}

/// The line to the partner broke.
pub(crate) fn line_broke(partner: &OrgName, during: &str) -> Problem {
    Problem::new(
        Code::PartnerSilent,
        Side::Network,
        format!("the connection to {partner}'s node broke during {during}"),
        format!(
            "if it happens again, check the network and whether {partner}'s node was restarted"
        ),
    )
}

/// This node is being stopped.
pub(crate) fn stopping() -> Problem {
    Problem::new(
        Code::NodeNotRunning,
        Side::Here,
        "the node is being stopped, so the session was ended",
        "start the node again with `entente node`",
    )
}

/// The partner's node runs another version of the cross-party contract.
pub(crate) fn other_version(partner: &OrgName, theirs: Option<u64>) -> Problem {
    let ours = WIRE_VERSION;
    let theirs = theirs.map_or_else(|| "another version".to_owned(), |v| format!("version {v}"));
    Problem::new(
        Code::VersionDiffers,
        at(partner),
        format!(
            "{partner}'s node speaks {theirs} of the session protocol, this one version {ours}"
        ),
        "upgrade the older of the two nodes",
    )
}

pub(crate) fn at(partner: &OrgName) -> Side {
    Side::Partner {
        org: partner.clone(),
    }
}

/// Whether a new attempt with fresh randomness may cure it. A partner that failed a check gets no second guess.
pub(super) fn may_retry(problem: &Problem) -> bool {
    matches!(
        problem.code,
        Code::PartnerUnreachable
            | Code::PartnerSilent
            | Code::SessionLimit
            | Code::NodeNotRunning
            // Our approval has not reached the partner yet: the coordinator is slower than the dialer.
            | Code::ApprovalsMissing
    )
}

/// A problem that `partner` told, as it looks from here: its "here" is the partner, its "partner" is this node. A partner may
/// put the blame on itself, on this node or on the network, but not on a third party or on what a person here typed.
pub(crate) fn heard(us: &OrgName, partner: &OrgName, problem: Problem) -> Problem {
    let told = problem.told_by(&at(partner), us);
    let side = match told.side {
        Side::Partner { .. } | Side::Request => at(partner),
        side @ (Side::Here | Side::Network | Side::Coordinator) => side,
    };
    let what = format!("{partner}'s node says: {}", told.what);
    Problem::new(told.code, side, what, told.todo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_wire::limits::PROBLEM_TEXT_BYTES_MAX;

    fn org(name: &str) -> OrgName {
        name.parse().expect("a valid name")
    }

    fn problem(code: Code, side: Side, what: &str) -> Problem {
        Problem {
            code,
            side,
            what: what.to_owned(),
            todo: "do".to_owned(),
        }
    }

    #[test]
    fn a_partners_here_is_the_partner_and_its_partner_is_us() {
        let (us, partner) = (org("north-bank"), org("river-pay"));
        let swap = |side| heard(&us, &partner, problem(Code::DataChanged, side, "x")).side;
        assert_eq!(swap(Side::Here), at(&partner));
        assert_eq!(swap(at(&us)), Side::Here);
        assert_eq!(swap(at(&org("harbour-bank"))), at(&partner));
        assert_eq!(swap(Side::Request), at(&partner));
        assert_eq!(swap(Side::Network), Side::Network);
    }

    #[test]
    fn a_partners_text_cannot_steer_a_terminal_or_fill_a_log() {
        let (us, partner) = (org("north-bank"), org("river-pay"));
        let what = format!("\u{1b}[2Jgone\n\u{202e}{}", "x".repeat(100_000));
        let heard = heard(&us, &partner, problem(Code::DataChanged, Side::Here, &what));
        assert!(
            !heard
                .what
                .chars()
                .any(|c| c.is_control() || c == '\u{202e}')
        );
        assert!(heard.what.len() <= PROBLEM_TEXT_BYTES_MAX);
    }

    #[test]
    fn only_lines_and_full_houses_are_tried_again() {
        let partner = org("river-pay");
        assert!(may_retry(&silent(
            &partner,
            "a nonce",
            Duration::from_secs(30)
        )));
        assert!(may_retry(&line_broke(&partner, "the run")));
        assert!(may_retry(&problem(
            Code::NodeNotRunning,
            at(&partner),
            "restart"
        )));
        assert!(!may_retry(&misbehaved(&partner, "x")));
        for code in [Code::JobUsed, Code::DataChanged, Code::VersionDiffers] {
            assert!(!may_retry(&problem(code, Side::Here, "x")));
        }
    }
}
