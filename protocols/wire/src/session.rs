//! The control messages of one protocol run between two nodes. Everything else on the stream is protocol bytes.

use crate::canonical::Digest;
use crate::problem::Problem;
use crate::seal::JobHash;
use serde::{Deserialize, Serialize};

/// A control message. Order: both sides `Open`, both `Nonce`, protocol data, both `Closing`, the dialer first each time; `Abort`
/// at any time; `Working` between `Nonce` and `Closing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Control {
    /// Begins the session: an [`Opening`] and its signature by the node key (128 hexadecimal digits).
    Open {
        /// What is signed.
        opening: Opening,
        /// Signature.
        signature: String,
    },
    /// Opens the commitment in [`Opening`].
    Nonce {
        /// 64 hexadecimal digits.
        nonce: String,
    },
    /// Nothing to send yet, but at work: the partner waits on. Sent at fixed intervals, so it tells nothing about the data.
    Working {},
    /// The run is over at this side: a [`Transcript`] and its signature.
    Closing {
        /// What is signed.
        transcript: Transcript,
        /// Signature.
        signature: String,
    },
    /// The run ends here, for this reason.
    Abort {
        /// Why.
        problem: Problem,
    },
}

/// What each node signs before it reads a row: the job, the attempt, and the data it will use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// [`crate::limits::WIRE_VERSION`].
    pub version: u32,
    /// `H`.
    pub job: JobHash,
    /// Counts the sessions of this job; a node never opens the same one twice.
    pub attempt: u32,
    /// Digest of the signed manifest of the dataset version used.
    pub dataset_version: Digest,
    /// Ids that will be announced to the protocol, rounded up to `set_grid`.
    pub ids_rounded: u64,
    /// Commitment to the nonce: `Digest::of("entente/1/nonce", [nonce])`, made after the dataset version is fixed.
    pub nonce_commitment: Digest,
}

/// What each node signs after the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// `H`.
    pub job: JobHash,
    /// Which session.
    pub attempt: u32,
    /// Running hash of all protocol bytes sent.
    pub sent: Digest,
    /// Running hash of all protocol bytes received.
    pub received: Digest,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
}
