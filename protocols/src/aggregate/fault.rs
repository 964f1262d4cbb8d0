//! Why a round ended early at one party, and whose doing that was.
//!
//! The faults of two parties over one line ([`crate::fault`]) know one peer. Here a party hears of all others through the coordinator, which
//! can change what is not signed or sealed: so a fault names a member only where that member's signature or key speaks against it, and
//! otherwise the coordinator, or both where either can have done it.

use super::Member;
use crate::fault::Malformed;

/// A round that ended, at this party, without what it should give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoundFault {
    /// A member signed or sealed what no correct program signs or seals. The round is over; another one needs other people's consent.
    #[error("member {member} misbehaved: {what}")]
    Member {
        /// Its place in the roster.
        member: Member,
        /// What it did.
        what: Misdeed,
    },
    /// The coordinator delivered what it must not deliver, whatever members sent: out of order, to the wrong place, changed, or left out.
    #[error("the coordinator misbehaved: {0}")]
    Coordinator(Misdeed),
    /// What came from a member is wrong, and both that member and the coordinator can have made it so.
    #[error("member {member} or the coordinator misbehaved: {what}")]
    MemberOrCoordinator {
        /// The member's place in the roster.
        member: Member,
        /// What is wrong.
        what: Misdeed,
    },
    /// What was added up is wrong: a contributor, any of them, or the coordinator made it so; who, cannot be told.
    #[error("a contributor or the coordinator misbehaved: {0}")]
    ContributorOrCoordinator(Misdeed),
    /// One of these members, at least, lied; who, cannot be told.
    #[error("one of the members {} misbehaved: {what}", list(members))]
    OneOf {
        /// Their places in the roster.
        members: Vec<Member>,
        /// What is wrong.
        what: Misdeed,
    },
    /// Not enough members are left. Nobody's fault as far as this party can see; a new round may be tried.
    #[error("{got} {what} are there and {needed} are needed")]
    TooFew {
        /// What was counted.
        what: &'static str,
        /// Least number.
        needed: usize,
        /// What is there.
        got: usize,
    },
    /// This party's caller gave something that is refused. Nothing was sent.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// An event of at most the probability that the statistical parameter allows.
    #[error("an event of negligible probability: {what}")]
    Unlucky {
        /// The event.
        what: &'static str,
    },
}

/// What a member or the coordinator did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misdeed {
    /// Bytes that are not the one encoding of a message of this round.
    #[error("{message} is malformed: {why}")]
    Malformed {
        /// Name of the message.
        message: &'static str,
        /// What is wrong with it.
        why: Malformed,
    },
    /// A signature that is not the named member's over what it should be: forged, or made in another round, or for other terms.
    #[error("the signature on {what} is not valid in this round")]
    BadSignature {
        /// What should be signed.
        what: &'static str,
    },
    /// A message from, about or to somebody who has no place there.
    #[error("{what} of member {member} has no place here")]
    OutOfPlace {
        /// What it is.
        what: &'static str,
        /// Whose.
        member: Member,
    },
    /// Something that comes once came twice, or out of order.
    #[error("{what} is not in ascending order without doubles")]
    NotAscending {
        /// What it is.
        what: &'static str,
    },
    /// What this party sent was left out or changed.
    #[error("{what} of this party is missing or changed")]
    OwnMissing {
        /// What it is.
        what: &'static str,
    },
    /// Something that must be there is not.
    #[error("{what} of member {member} is missing")]
    Missing {
        /// What it is.
        what: &'static str,
        /// Whose.
        member: Member,
    },
    /// A sealed box that does not open: not sealed to this party, in this round, over this cohort, or changed.
    #[error("{what} does not open")]
    DoesNotOpen {
        /// What is in the box.
        what: &'static str,
    },
    /// Boxes for more or fewer members than are due.
    #[error("{got} members were dealt to; {expected} are due")]
    Neighbours {
        /// The degree.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// Shares that give another secret than the one its owner committed to: a holder or the owner lied.
    #[error("the shares of the {what} do not give what was committed to")]
    SharesDisagree {
        /// Which secret.
        what: &'static str,
    },
    /// The recipient sealed another key of the authenticator than the one it committed to: the sum's authenticator would tell it about one vector.
    #[error("the check key is not the one that was committed to")]
    OtherCheckKey,
    /// The sum does not bear its authenticator: a word of it, or of the authenticator, was changed, a contribution is missing or doubled, or its own authenticator is wrong.
    #[error("the sum is not that of the signed survivors' contributions")]
    SumChanged,
}

/// What this party's caller may not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A number outside of its range.
    #[error("{what} is {got}; {min} to {max} are allowed")]
    OutOfRange {
        /// What it is.
        what: &'static str,
        /// Least allowed value.
        min: u64,
        /// Greatest allowed value.
        max: u64,
        /// What was given.
        got: u64,
    },
    /// The sum of as many vectors as the roster has members could leave a 64-bit word.
    #[error("the sums of column {column} can take {bits} bits; 63 fit a signed word")]
    Overflow {
        /// Place of the column.
        column: usize,
        /// Bits that its sum can take.
        bits: u32,
    },
    /// A party stands in the roster twice, by name or by key, or out of order.
    #[error("the roster is not in ascending order of distinct names with distinct keys")]
    Roster,
    /// An identity that is not the canonical encoding of a point, or is of low order: with such a key, others can make signatures that are valid.
    #[error("the identity key of member {0} cannot be used")]
    Identity(Member),
    /// What was written to disk as begun is another round.
    #[error("the persisted round is not the one that begins")]
    OtherRound,
    /// A cell above its column's limit. It is not clipped: whoever made it has to find out why.
    #[error("cell {cell} is outside of its column's range")]
    CellOutOfRange {
        /// Its place in the vector.
        cell: usize,
    },
    /// A vector of another length than agreed.
    #[error("{got} cells were given; {expected} are agreed")]
    Cells {
        /// Agreed number.
        expected: usize,
        /// What was given.
        got: usize,
    },
    /// What was written to disk belongs to another round or another set.
    #[error("the persisted survivor set is not the one that was agreed to")]
    OtherSurvivors,
    /// This party is not the one that opens the sum.
    #[error("only the recipient opens the sum")]
    NotRecipient,
}

fn list(members: &[Member]) -> String {
    let names: Vec<String> = members.iter().map(Member::to_string).collect();
    names.join(", ")
}

/// A message that its sender cannot have encoded.
pub(super) fn malformed(message: &'static str) -> impl Fn(Malformed) -> RoundFault {
    move |why| RoundFault::Coordinator(Misdeed::Malformed { message, why })
}
