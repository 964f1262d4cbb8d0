//! How a session ends: what each node signs after the run, and whether both saw the same bytes.

use crate::canonical::Digest;
use crate::names::OrgName;
use crate::problem::{Code, Problem};
use crate::seal::JobHash;
use crate::sign::{self, Kind, PublicKey, SignError, Signature};
use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::signer;

    fn org(name: &str) -> OrgName {
        name.parse().expect("a valid name")
    }

    #[test]
    fn a_signature_over_an_opening_is_none_over_a_transcript() {
        let key = signer("river");
        let transcript = Transcript {
            job: JobHash(Digest([1; 32])),
            attempt: 1,
            sent: Digest([4; 32]),
            received: Digest([5; 32]),
            sent_bytes: 1,
            received_bytes: 2,
        };
        let river = org("river-pay");
        let right = key.sign_document(Kind::Transcript, &river, &transcript);
        let wrong = key.sign_document(Kind::Opening, &river, &transcript);
        assert!(transcript.verify(key.public_key(), &river, &right).is_ok());
        assert!(transcript.verify(key.public_key(), &river, &wrong).is_err());
    }

    #[test]
    fn transcripts_that_do_not_mirror_each_other_blame_the_partner() {
        let ours = Transcript {
            job: JobHash(Digest([1; 32])),
            attempt: 1,
            sent: Digest([4; 32]),
            received: Digest([5; 32]),
            sent_bytes: 10,
            received_bytes: 20,
        };
        let theirs = Transcript {
            sent: ours.received,
            received: ours.sent,
            sent_bytes: 20,
            received_bytes: 10,
            ..ours.clone()
        };
        let river = org("river-pay");
        assert!(ours.mirrors(&river, &theirs).is_ok());
        assert!(ours.mirrors(&river, &ours).is_err(), "reflected");
        for change in [
            |transcript: &mut Transcript| transcript.sent.0[0] ^= 1,
            |transcript: &mut Transcript| transcript.received.0[31] ^= 1,
            |transcript: &mut Transcript| transcript.sent_bytes += 1,
            |transcript: &mut Transcript| transcript.received_bytes += 1,
            |transcript: &mut Transcript| transcript.attempt += 1,
            |transcript: &mut Transcript| transcript.job.0.0[0] ^= 1,
        ] {
            let mut changed = theirs.clone();
            change(&mut changed);
            let problem = ours
                .mirrors(&river, &changed)
                .expect_err("another transcript");
            assert_eq!(
                problem.side,
                crate::problem::Side::Partner { org: river.clone() }
            );
        }
    }
}
