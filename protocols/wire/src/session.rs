//! The control messages of one protocol run between two nodes. Everything else on the stream is protocol bytes.

mod continued;
mod opening;
mod transcript;

pub use continued::{BUCKETS_MAX, BucketSet, Continued};
pub use opening::{Contribution, Opening, SessionNonce, id_key, session_id};
pub use transcript::Transcript;

use crate::canonical::{self, CanonicalError};
use crate::limits::CONTROL_BYTES_MAX;
use crate::names::OrgName;
use crate::problem::Problem;
use crate::sign::{Kind, Signature, Signer};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn the_largest_abort_fits_a_control_message() {
        let worst = "\"".repeat(10_000);
        let abort = Control::Abort {
            problem: Problem::here(Code::Defect, &worst, &worst),
        };
        assert!(abort.to_bytes().len() <= CONTROL_BYTES_MAX);
        assert!(Control::from_bytes(&abort.to_bytes()).is_ok());
    }
}
