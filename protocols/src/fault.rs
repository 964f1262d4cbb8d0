//! Why a protocol run ended early, and whose doing that was.
//!
//! Every way in which a run can fail is one of five faults, told apart by who has to act: the peer sent what no correct
//! program sends ([`Fault::Misbehaved`]), the peer runs something else ([`Fault::Incompatible`]), this side's caller broke
//! the contract ([`Fault::Caller`]), a random choice with negligible probability came up ([`Fault::Unlucky`]), or the line
//! itself broke ([`Fault::Transport`]). Faults carry names, counts and lengths only: never an id, a key or a share.

use std::time::Duration;

/// A run that ended without an output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The peer sent something that no correct program of this version sends. Final for the whole job: retrying on the
    /// same randomness would give a cheating peer another guess.
    #[error("the peer misbehaved: {0}")]
    Misbehaved(#[from] Misbehaviour),
    /// The two sides did not agree on what they run. Nothing secret has been sent.
    #[error("the peer runs something else: {0}")]
    Incompatible(#[from] Difference),
    /// This side called the protocol in a way its documentation forbids: a bug here, not at the peer.
    #[error("this side called the protocol wrongly: {0}")]
    Caller(#[from] Misuse),
    /// A failure that honest parties meet with at most the probability the statistical parameter allows.
    #[error("the run met an event of negligible probability: {0}")]
    Unlucky(#[from] Abort),
    /// The line to the peer broke or stayed silent.
    #[error("the line to the peer failed: {0}")]
    Transport(#[from] Broken),
}

/// Who has to act on a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Culprit {
    /// The other organisation's program.
    Peer,
    /// The two programs disagree; either may be the newer one.
    Either,
    /// This program.
    Us,
    /// Nobody: chance.
    Chance,
    /// The network, or whoever closed the connection.
    Network,
}

impl Fault {
    /// Who has to act.
    pub fn culprit(&self) -> Culprit {
        match self {
            Self::Misbehaved(_) => Culprit::Peer,
            Self::Incompatible(_) => Culprit::Either,
            Self::Caller(_) => Culprit::Us,
            Self::Unlucky(_) => Culprit::Chance,
            Self::Transport(_) => Culprit::Network,
        }
    }

    /// What the operator of this side should do.
    pub fn what_to_do(&self) -> &'static str {
        match self {
            Self::Misbehaved(_) => {
                "do not run this job again before the partner has explained what its node runs"
            }
            Self::Incompatible(_) => {
                "compare versions and the job's agreed sizes with the partner, then run the job again"
            }
            Self::Caller(_) => "report this as a bug of this node; the partner did nothing wrong",
            Self::Unlucky(_) => "run the job again",
            Self::Transport(_) => {
                "check the connection and the partner's node, then run the job again"
            }
        }
    }

    /// Whether a new run with fresh randomness may be tried. Only a broken line and chance allow it; a peer that failed
    /// a check gets no second guess.
    pub fn may_retry(&self) -> bool {
        matches!(self, Self::Transport(_) | Self::Unlucky(_))
    }
}

/// What the peer sent that a correct program never sends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// A frame shorter than its header or longer than any frame may be.
    #[error("a frame of {got} bytes came; frames have {min} to {max}")]
    FrameLength {
        /// Shortest frame.
        min: usize,
        /// Longest frame.
        max: usize,
        /// What came.
        got: usize,
    },
    /// Another message than the one the protocol has at this place.
    #[error("message {got:#06x} came where {expected} ({number:#06x}) was due")]
    WrongMessage {
        /// Name of the message that was due.
        expected: &'static str,
        /// Its number.
        number: u16,
        /// Number of the message that came.
        got: u16,
    },
    /// A frame was dropped, doubled, replayed or overtaken by another.
    #[error("frame number {got} came where {expected} was due ({message})")]
    WrongSequence {
        /// Name of the message that was due.
        message: &'static str,
        /// Number of frames received before it.
        expected: u32,
        /// The number in the frame.
        got: u32,
    },
    /// The length a frame states is not the length it has.
    #[error("{message} states {stated} bytes and has {got}")]
    StatedLength {
        /// Name of the message.
        message: &'static str,
        /// Length in the header.
        stated: usize,
        /// Bytes after the header.
        got: usize,
    },
    /// A message of a length other than the one both sides agreed on.
    #[error("{message} has {got} bytes; {expected} were agreed")]
    Length {
        /// Name of the message.
        message: &'static str,
        /// Agreed length.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// A message longer than its agreed maximum.
    #[error("{message} has {got} bytes; at most {max} were agreed")]
    TooLong {
        /// Name of the message.
        message: &'static str,
        /// Agreed maximum.
        max: usize,
        /// What came.
        got: usize,
    },
    /// A body that is not the one encoding of any value.
    #[error("{message} is malformed: {why}")]
    Malformed {
        /// Name of the message.
        message: &'static str,
        /// What is wrong with it.
        why: Malformed,
    },
    /// A consistency check of the protocol failed: the peer deviated from it.
    #[error("the check of {check} failed")]
    CheckFailed {
        /// Name of the check, as the protocol's documentation calls it.
        check: &'static str,
    },
}

/// Why bytes are not the canonical encoding of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The body ended inside a field.
    #[error("{needed} bytes were needed and {left} were left")]
    Short {
        /// Bytes of the field.
        needed: usize,
        /// Bytes left.
        left: usize,
    },
    /// Bytes follow the last field.
    #[error("{bytes} bytes follow its end")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A count or code outside its range.
    #[error("{field} is {got}, the greatest allowed is {max}")]
    OutOfRange {
        /// Name of the field.
        field: &'static str,
        /// Greatest allowed value.
        max: u64,
        /// What came.
        got: u64,
    },
    /// Bytes that encode no value, or not in their one canonical form.
    #[error("{what} is not canonically encoded")]
    NotCanonical {
        /// What was expected there.
        what: &'static str,
    },
    /// A value with which the protocol would be unsafe, such as a group's identity.
    #[error("{what} is refused")]
    Forbidden {
        /// The refused value.
        what: &'static str,
    },
}

/// Where the two sides' agreements differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// A number both had to fix beforehand.
    #[error("{what} is {ours} here and {theirs} there")]
    Number {
        /// What the number counts.
        what: &'static str,
        /// Here.
        ours: u64,
        /// There.
        theirs: u64,
    },
    /// Bytes both had to derive alike, such as the session id; they are not shown.
    #[error("{what} is not the same on both sides")]
    Bytes {
        /// What differs.
        what: &'static str,
    },
}

/// What this side's caller did against the documentation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// More items than the agreed, padded number.
    #[error("{got} {what} were given; at most {max} are allowed")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// Greatest allowed count.
        max: usize,
        /// What was given.
        got: usize,
    },
    /// Another number of items than the agreed one.
    #[error("{got} {what} were given; {expected} are needed")]
    Count {
        /// What was counted.
        what: &'static str,
        /// Needed count.
        expected: usize,
        /// What was given.
        got: usize,
    },
    /// Items that must be distinct are not.
    #[error("{what} must be distinct; at least one comes twice")]
    Duplicate {
        /// What was doubled.
        what: &'static str,
    },
    /// A message of this side is longer than a frame may be.
    #[error("{message} would have {got} bytes; a frame carries {max}")]
    MessageTooLong {
        /// Name of the message.
        message: &'static str,
        /// Most bytes in a frame.
        max: usize,
        /// Bytes of the message.
        got: usize,
    },
    /// One channel was used for more frames than its numbering allows.
    #[error("the channel has carried as many frames as it can number")]
    ChannelWornOut,
}

/// An event that honest parties meet with negligible probability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Abort {
    /// A randomised construction found no solution.
    #[error("{what} found no solution")]
    NoSolution {
        /// The construction.
        what: &'static str,
    },
    /// A randomly chosen value was one of the few that must not be used.
    #[error("{what} came out as a value that must not be used")]
    BadDraw {
        /// The value.
        what: &'static str,
    },
}

/// How the line to the peer failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The peer, or something between, closed the connection.
    #[error("the connection was closed before the run had ended")]
    Closed,
    /// Nothing could be sent or was received for too long.
    #[error("nothing moved for {} s", after.as_secs())]
    TimedOut {
        /// The deadline that passed.
        after: Duration,
    },
    /// Both sides wait for each other: a protocol fault, seen only by lines that see both ends.
    #[error("both sides wait for each other")]
    Stalled,
    /// One of the two sides ended the session on purpose; the reason travels outside of the protocol.
    #[error("the session was ended while the protocol ran")]
    Aborted,
}
