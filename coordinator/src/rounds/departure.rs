//! Why a member is no longer in a round, and the problems that it and the others are told.

use super::facts::{Place, RoundFacts};
use entente_wire::canonical;
use entente_wire::limits::CONTROL_BYTES_MAX;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use std::fmt;

/// How a member went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Departure {
    /// Its stream ended or broke.
    Closed,
    /// It said so; why, if that can be read.
    Left(Option<Box<Problem>>),
    /// It did not answer in time: what was waited for.
    Late(&'static str),
    /// It sent what does not belong there.
    Broke(Misstep),
    /// It came again with a new stream.
    Replaced,
    /// It is no longer admitted.
    Struck(Box<Problem>),
    /// It does not read what it is sent.
    Unread,
}

/// What a member sent that no node sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Misstep {
    #[error("{sent} came where {due} was due")]
    OutOfOrder {
        sent: &'static str,
        due: &'static str,
    },
    #[error("{what} had {got} bytes; at most {most} are allowed")]
    TooLong {
        what: &'static str,
        most: usize,
        got: usize,
    },
    #[error("a signature had {0} bytes, not 64")]
    Signature(usize),
    #[error("a message was longer than any of a round")]
    Unreadable,
    #[error("a message of words had {0} bytes, which is not one to 16,384 whole words")]
    BrokenWords(usize),
    #[error("its words were more than the job's {0}")]
    TooManyWords(usize),
    #[error("its dealing had {got} {what}, not {due}")]
    Boxes {
        what: &'static str,
        due: usize,
        got: usize,
    },
    #[error("its dealing had a box for number {0}, which is itself or takes no part")]
    BoxFor(u32),
    #[error("its dealing had an empty box for number {0}")]
    EmptyBox(u32),
    #[error("the boxes of its dealing were not in ascending order")]
    BoxOrder,
}

impl Departure {
    /// From what a member says in its last message.
    pub(super) fn left(problem: &[u8]) -> Self {
        let problem = canonical::from_bytes_bounded(problem, CONTROL_BYTES_MAX);
        Self::Left(problem.ok().map(Box::new))
    }

    /// What the member itself is told.
    pub(super) fn told_to(&self, org: &OrgName) -> Problem {
        let again = "the node tries again by itself; look at its log if this goes on";
        match self {
            Self::Struck(problem) => Problem::clone(problem),
            Self::Late(_) | Self::Unread => {
                let what = format!("{org} {self}, which ends its part in the round");
                Problem::partner(org, Code::CoordinatorRefused, what, again)
            }
            Self::Broke(_) => Problem::partner(
                org,
                Code::CoordinatorRefused,
                format!("the coordinator ended {org}'s part in the round: {self}"),
                "compare the versions of node and coordinator; if they are equal, report this as a defect",
            ),
            Self::Replaced => Problem::partner(
                org,
                Code::CoordinatorRefused,
                format!("{org} {self}, which ends this stream"),
                "nothing, if the node was started anew; stop the other node of this organisation if it still runs",
            ),
            Self::Closed | Self::Left(_) => {
                let what = format!("{org} {self}, which ends its part in the round");
                Problem::partner(org, Code::PartnerAborted, what, again)
            }
        }
    }

    /// What everybody is told if it was the recipient, without whom nobody opens the sum.
    pub(super) fn of_recipient(&self, org: &OrgName) -> Problem {
        let code = match self {
            Self::Left(_) => Code::PartnerAborted,
            Self::Broke(_) => Code::PartnerMisbehaved,
            _ => Code::PartnerSilent,
        };
        let what = format!("{org}, who opens the sum, {self}");
        let todo = match self {
            Self::Left(Some(problem)) => problem.todo.clone(),
            Self::Left(None) | Self::Broke(_) => {
                format!("ask {org} for the entry in its node's log")
            }
            _ => format!("nodes try again by themselves; ask {org} whether its node is running"),
        };
        Problem::partner(org, code, what, todo)
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed its stream"),
            Self::Left(Some(problem)) => {
                write!(f, "left the round: {}: {}", problem.code, problem.what)
            }
            Self::Left(None) => f.write_str("left the round without a reason we can read"),
            Self::Late(due) => write!(f, "did not send {due} in time"),
            Self::Broke(misstep) => write!(f, "broke the protocol: {misstep}"),
            Self::Replaced => f.write_str("came again with a new stream"),
            Self::Struck(_) => f.write_str("is no longer admitted"),
            Self::Unread => f.write_str("did not read what it was sent"),
        }
    }
}

/// Not everybody came who has to.
pub(super) fn too_few_came(facts: &RoundFacts, absent: &[Place]) -> Problem {
    let (all, least) = (facts.members(), facts.members_min);
    let came = all - absent.len();
    let recipient = match absent.contains(&facts.recipient) {
        true => format!(" with {}, who opens the sum", facts.org(facts.recipient)),
        false => String::new(),
    };
    let absent = facts.names(absent.iter().copied());
    Problem::new(
        Code::PartnerSilent,
        Side::Network,
        format!(
            "{came} of {all} organisations came to the round; at least {least} have to come{recipient}. Absent: {absent}"
        ),
        "nodes try again by themselves; ask those that are absent whether their nodes are running",
    )
}

/// Too many went to finish.
pub(super) fn too_few_left(
    facts: &RoundFacts,
    what: &str,
    possible: usize,
    least: usize,
    gone: &[(Place, Departure)],
) -> Problem {
    let names = facts.names(gone.iter().map(|(place, _)| *place));
    let last = gone.last().map(|(place, departure)| {
        let org = facts.org(*place);
        format!("; {org} {departure}")
    });
    Problem::new(
        Code::PartnerSilent,
        Side::Network,
        format!(
            "the round ended before its sum was opened: only {possible} parties can still give their {what}, and {least} are needed. Gone: {names}{}",
            last.unwrap_or_default()
        ),
        "nodes try again by themselves; ask those that are gone for the entries in their nodes' logs",
    )
}

/// More sums at the same time than there is memory for.
pub(super) fn no_memory() -> Problem {
    Problem::new(
        Code::CoordinatorRefused,
        Side::Coordinator,
        "the coordinator adds up as much for other jobs as it has memory for",
        "nodes try again by themselves",
    )
}

/// More joins at the same moment than there are members: somebody comes again and again.
pub(super) fn too_many_joins() -> Problem {
    Problem::new(
        Code::CoordinatorRefused,
        Side::Coordinator,
        "more streams join this round at the same moment than it has members",
        "nodes try again by themselves; if this goes on, some node of the job begins anew all the time",
    )
}

/// Too many rounds at the same time, of one organisation or of all.
pub(super) fn too_many_rounds(whose: impl fmt::Display, most: usize) -> Problem {
    Problem::new(
        Code::CoordinatorRefused,
        Side::Coordinator,
        format!("{whose} takes part in {most} rounds already, which is the most at the same time"),
        "nodes try again by themselves once others have ended",
    )
}
