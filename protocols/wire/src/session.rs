//! The control messages of one protocol run between two nodes. Everything else on the stream is protocol bytes.

use crate::canonical::{self, CanonicalError, Digest};
use crate::hexadecimal::hexadecimal;
use crate::limits::{CONTROL_BYTES_MAX, WIRE_VERSION};
use crate::names::OrgName;
use crate::problem::{Code, Problem};
use crate::seal::JobHash;
use crate::sign::{self, Kind, PublicKey, SignError, Signature, Signer};
use crate::tags;
use serde::{Deserialize, Serialize};

/// A control message. Order: both sides `Open`, both `Nonce`, protocol data, both `Closing`, the dialer first each time; `Abort`
/// at any time; `Working` between `Nonce` and `Closing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Control {
    /// Begins the session: an [`Opening`] and its signature by the node key.
    Open {
        /// What is signed.
        opening: Opening,
        /// By the node key.
        signature: Signature,
    },
    /// Opens the commitment in [`Opening`].
    Nonce {
        /// What was committed to.
        nonce: SessionNonce,
    },
    /// Nothing to send yet, but at work: the partner waits on. Sent at fixed intervals, so it tells nothing about the data.
    Working {},
    /// The run is over at this side: a [`Transcript`] and its signature.
    Closing {
        /// What is signed.
        transcript: Transcript,
        /// By the node key.
        signature: Signature,
    },
    /// The run ends here, for this reason.
    Abort {
        /// Why.
        problem: Problem,
    },
}

impl Control {
    /// `Open` with its signature.
    pub fn open(signer: &Signer, org: &OrgName, opening: Opening) -> Self {
        let signature = signer.sign_document(Kind::Opening, org, &opening);
        Self::Open { opening, signature }
    }

    /// `Closing` with its signature.
    pub fn closing(signer: &Signer, org: &OrgName, transcript: Transcript) -> Self {
        let signature = signer.sign_document(Kind::Transcript, org, &transcript);
        Self::Closing {
            transcript,
            signature,
        }
    }

    /// As it stands in a frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }

    /// From a frame; at most [`CONTROL_BYTES_MAX`] bytes, canonical or refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        canonical::from_bytes_bounded(bytes, CONTROL_BYTES_MAX)
    }
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
    /// Commitment to the nonce: [`SessionNonce::commitment`], made after the dataset version is fixed.
    pub nonce_commitment: Digest,
}

impl Opening {
    /// Whether `org` signed this with `node_key`.
    pub fn verify(
        &self,
        node_key: PublicKey,
        org: &OrgName,
        signature: &Signature,
    ) -> Result<(), SignError> {
        sign::verify_document(node_key, Kind::Opening, org, self, signature)
    }

    /// Whether the partner opens the same session as we do.
    pub fn meets(&self, partner: &OrgName, theirs: &Self) -> Result<(), Problem> {
        if theirs.version != WIRE_VERSION {
            return Err(Problem::partner(
                partner,
                Code::VersionDiffers,
                format!(
                    "{partner} speaks version {} of the contract between nodes, this node version {WIRE_VERSION}",
                    theirs.version
                ),
                "upgrade the older of the two nodes",
            ));
        }
        if (theirs.job, theirs.attempt) != (self.job, self.attempt) {
            return Err(Problem::partner(
                partner,
                Code::PartnerMisbehaved,
                format!(
                    "{partner} opened attempt {} of {}, we attempt {} of {}",
                    theirs.attempt,
                    theirs.job.short(),
                    self.attempt,
                    self.job.short()
                ),
                "start the job again; if it repeats, compare both nodes' logs",
            ));
        }
        if theirs.nonce_commitment == self.nonce_commitment {
            return Err(Problem::partner(
                partner,
                Code::PartnerMisbehaved,
                format!("{partner} sent our own nonce commitment back"),
                "do not repeat the job before the partner has explained it",
            ));
        }
        Ok(())
    }

    fn digest(&self) -> Digest {
        Digest::of_document(tags::OPENING_DIGEST, self)
    }
}

hexadecimal! {
    /// 32 random bytes of one node, committed to in its [`Opening`] and opened after both openings are known.
    SessionNonce, 32
}

impl SessionNonce {
    /// What the opening holds.
    pub fn commitment(&self) -> Digest {
        Digest::of(tags::NONCE, &[&self.0])
    }

    /// Whether this nonce is the one that `partner` committed to.
    pub fn opens(&self, partner: &OrgName, opening: &Opening) -> Result<(), Problem> {
        if self.commitment() == opening.nonce_commitment {
            return Ok(());
        }
        Err(Problem::partner(
            partner,
            Code::PartnerMisbehaved,
            format!("{partner} opened another nonce than it committed to"),
            "do not repeat the job before the partner has explained it",
        ))
    }
}

/// One side's part in what both sides derive.
#[derive(Debug, Clone, Copy)]
pub struct Contribution<'a> {
    /// Its signed opening.
    pub opening: &'a Opening,
    /// Its opened nonce.
    pub nonce: &'a SessionNonce,
}

/// The session's identity, `sid` in protocols.md: every protocol hash takes it in. The same at both sides.
pub fn session_id(asker: Contribution<'_>, other: Contribution<'_>) -> Digest {
    Digest::of(
        tags::SESSION,
        &[
            &asker.opening.job.0.0,
            &asker.opening.attempt.to_be_bytes(),
            &asker.nonce.0,
            &other.nonce.0,
            &asker.opening.digest().0,
            &other.opening.digest().0,
        ],
    )
}

/// The key under which both sides digest their ids in this session (protocols.md §9); fresh with every session, so digests of
/// two sessions cannot be joined.
pub fn id_key(asker: Contribution<'_>, other: Contribution<'_>) -> [u8; 32] {
    let parts: [&[u8]; 3] = [&asker.opening.job.0.0, &asker.nonce.0, &other.nonce.0];
    Digest::of(tags::ID_KEY, &parts).0
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

impl Transcript {
    /// Whether `org` signed this with `node_key`.
    pub fn verify(
        &self,
        node_key: PublicKey,
        org: &OrgName,
        signature: &Signature,
    ) -> Result<(), SignError> {
        sign::verify_document(node_key, Kind::Transcript, org, self, signature)
    }

    /// Whether the partner saw the same bytes: what one sent is what the other received.
    pub fn mirrors(&self, partner: &OrgName, theirs: &Self) -> Result<(), Problem> {
        let mirrored = Self {
            sent: theirs.received,
            received: theirs.sent,
            sent_bytes: theirs.received_bytes,
            received_bytes: theirs.sent_bytes,
            ..theirs.clone()
        };
        if *self == mirrored {
            return Ok(());
        }
        Err(Problem::partner(
            partner,
            Code::PartnerMisbehaved,
            format!(
                "{partner} signed another transcript: {} bytes sent and {} received here, {} received and {} sent there",
                self.sent_bytes, self.received_bytes, theirs.received_bytes, theirs.sent_bytes
            ),
            "the result is not kept; do not repeat the job before the partner has explained it",
        ))
    }
}
