//! One person's word on a job, signed with that person's own key.

use crate::canonical::{self, CanonicalError};
use crate::flaw::{Flaw, checked, require};
use crate::limits::WORDS_BYTES_MAX;
use crate::names::{OrgName, PersonName};
use crate::printable::is_lines;
use crate::seal::JobHash;
use crate::sign::{self, Kind, PublicKey, SignError, Signature, Signer};
use serde::{Deserialize, Serialize};

/// One person's word on a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct PersonDecision {
    /// `H`.
    pub job: JobHash,
    /// For which organisation.
    pub org: OrgName,
    /// Who.
    pub person: PersonName,
    /// Yes or no.
    pub verdict: Verdict,
    /// In words; required for a denial, may be empty for an approval.
    pub reason: String,
}

checked!(PersonDecision);

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No; final for the job.
    Deny,
}

impl PersonDecision {
    /// Whether the reason is there where it has to be, and can be shown.
    pub fn check(&self) -> Result<(), Flaw> {
        let may_be_empty = self.verdict == Verdict::Approve && self.reason.is_empty();
        require(
            may_be_empty || is_lines(&self.reason, WORDS_BYTES_MAX),
            || {
                let what = format!(
                    "the reason is blank, longer than {WORDS_BYTES_MAX} bytes or has control characters"
                );
                Flaw::at(["reason"], what, "say in a sentence why")
            },
        )
    }
}

/// A person's decision with the person's signature over its canonical bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDecision {
    /// What was signed.
    pub decision: PersonDecision,
    /// By the person's own key.
    pub signature: Signature,
}

impl SignedDecision {
    /// Signs `decision` with the person's own key.
    pub fn sign(signer: &Signer, decision: PersonDecision) -> Self {
        let signature = signer.sign_document(Kind::Decision, &decision.org, &decision);
        Self {
            decision,
            signature,
        }
    }

    /// From the canonical bytes and the signature as a person's client sends them. Nothing is verified yet.
    pub fn from_parts(body: &[u8], signature: &[u8]) -> Result<Self, SignError> {
        let decision: PersonDecision = canonical::from_bytes(body)?;
        let signature = signature.try_into().map_err(|_| SignError::BadSignature {
            org: decision.org.clone(),
        })?;
        Ok(Self {
            decision,
            signature: Signature(signature),
        })
    }

    /// Whether the holder of `key` signed this.
    pub fn verify(&self, key: PublicKey) -> Result<(), SignError> {
        let (decision, org) = (&self.decision, &self.decision.org);
        sign::verify_document(key, Kind::Decision, org, decision, &self.signature)
    }
}

impl PersonDecision {
    /// From the canonical bytes that a person signed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        canonical::from_bytes(bytes)
    }
}
