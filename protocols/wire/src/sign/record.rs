//! Signed documents as they travel between organisations. A record is bytes and a claim; only [`Record::open`] turns it into a
//! document.

use super::{Kind, PublicKey, SignError, Signer, signed_bytes, verify};
use crate::canonical::{self, CanonicalError, Digest};
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::names::OrgName;
use crate::people::Pins;
use crate::problem::{Code, Problem};
use crate::rpc::record::v1 as rpc;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// Length of an Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

/// A signed document on its way: not yet verified, so its body cannot be read as a type.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// What it carries.
    pub kind: Kind,
    /// Who signed.
    pub org: OrgName,
    /// Canonical JSON.
    pub body: Vec<u8>,
    /// 64 bytes, unless somebody tampered.
    pub signature: Vec<u8>,
}

impl Record {
    /// Signs `document` on behalf of `org`.
    pub fn sign<T: Serialize>(signer: &Signer, kind: Kind, org: &OrgName, document: &T) -> Self {
        let body = canonical::to_bytes(document);
        let signature = signer.sign(kind, org, &body).0.to_vec();
        Self {
            kind,
            org: org.clone(),
            body,
            signature,
        }
    }

    /// The document, once the signature verifies under `key` and the body is canonical.
    pub fn open<T: Serialize + DeserializeOwned>(
        &self,
        kind: Kind,
        key: PublicKey,
    ) -> Result<T, SignError> {
        if self.kind != kind {
            return Err(SignError::WrongKind);
        }
        verify(key, kind, &self.org, &self.body, &self.signature)?;
        Ok(canonical::from_bytes(&self.body)?)
    }

    /// As [`open`](Self::open), under the node key that the organisation's pinned registry names.
    pub fn open_pinned<T: Serialize + DeserializeOwned>(
        &self,
        kind: Kind,
        pins: &dyn Pins,
    ) -> Result<T, Problem> {
        let Some(registry) = pins.registry(&self.org) else {
            return Err(Problem::here(
                Code::PartnerUnknown,
                format!("{} is not linked with this node", self.org),
                format!("link it first: `entente invite {}`", self.org),
            ));
        };
        self.open(kind, registry.node_key)
            .map_err(|error| self.refused(error.to_string()))
    }

    /// The problem of a record that was refused.
    pub fn refused(&self, reason: impl fmt::Display) -> Problem {
        Problem::partner(
            &self.org,
            Code::RecordRefused,
            format!("a {} by {} was refused: {reason}", self.kind, self.org),
            "ask the partner whether its node was restored or its keys changed",
        )
    }

    /// The document without checking who signed it: for the coordinator, which needs addresses and states only and whose
    /// word nobody relies on.
    pub fn read_unverified<T: Serialize + DeserializeOwned>(
        &self,
        kind: Kind,
    ) -> Result<T, SignError> {
        if self.kind != kind {
            return Err(SignError::WrongKind);
        }
        Ok(canonical::from_bytes(&self.body)?)
    }

    /// Which record this is: kind, organisation and body.
    pub fn digest(&self) -> Digest {
        Digest(signed_bytes(self.kind, &self.org, &self.body))
    }
}

impl From<Record> for rpc::Record {
    fn from(record: Record) -> Self {
        let kind = match record.kind {
            Kind::Registry => rpc::Kind::Registry,
            Kind::Publication => rpc::Kind::Publication,
            Kind::Submission => rpc::Kind::Submission,
            Kind::Approval => rpc::Kind::Approval,
            Kind::Report => rpc::Kind::Report,
            Kind::Decision | Kind::Opening | Kind::Transcript | Kind::Manifest => {
                rpc::Kind::Unspecified
            }
        };
        Self {
            kind: kind.into(),
            org: record.org.into(),
            body: record.body,
            signature: record.signature,
        }
    }
}

impl TryFrom<rpc::Record> for Record {
    type Error = SignError;
    fn try_from(record: rpc::Record) -> Result<Self, SignError> {
        let kind = match record.kind() {
            rpc::Kind::Unspecified => return Err(SignError::WrongKind),
            rpc::Kind::Registry => Kind::Registry,
            rpc::Kind::Publication => Kind::Publication,
            rpc::Kind::Submission => Kind::Submission,
            rpc::Kind::Approval => Kind::Approval,
            rpc::Kind::Report => Kind::Report,
        };
        let org = record.org.parse().map_err(|_| SignError::BadName)?;
        if record.body.len() > DOCUMENT_BYTES_MAX {
            return Err(SignError::Body(CanonicalError::TooLong {
                got: record.body.len(),
                most: DOCUMENT_BYTES_MAX,
            }));
        }
        if record.signature.len() != SIGNATURE_BYTES {
            return Err(SignError::BadSignature { org });
        }
        Ok(Self {
            kind,
            org,
            body: record.body,
            signature: record.signature,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::signer;
    use crate::report::{Report, Step};
    use crate::seal::JobHash;

    fn org(name: &str) -> OrgName {
        name.parse().expect("a valid name")
    }

    fn report() -> Report {
        Report {
            job: JobHash(Digest([1; 32])),
            attempt: 1,
            step: Step::Done,
            problem: None,
        }
    }

    fn record() -> Record {
        Record::sign(&signer("node"), Kind::Report, &org("river-pay"), &report())
    }

    #[test]
    fn a_record_survives_the_way_and_opens_under_its_key() {
        let sent = rpc::Record::from(record());
        let arrived = Record::try_from(sent).expect("a whole record");
        let key = signer("node").public_key();
        assert_eq!(
            arrived.open::<Report>(Kind::Report, key).expect("signed"),
            report()
        );
        assert_eq!(arrived.digest(), record().digest());
    }

    #[test]
    fn a_record_says_nothing_under_another_key_name_or_kind() {
        let key = signer("node").public_key();
        let opens = |record: &Record, kind, key| record.open::<Report>(kind, key).is_ok();
        assert!(!opens(
            &record(),
            Kind::Report,
            signer("other").public_key()
        ));
        assert!(!opens(&record(), Kind::Approval, key));
        let mut renamed = record();
        renamed.org = org("north-bank");
        assert!(!opens(&renamed, Kind::Report, key));
        for kind in Kind::ALL
            .iter()
            .copied()
            .filter(|kind| *kind != Kind::Report)
        {
            let mut other = record();
            other.kind = kind;
            assert!(!opens(&other, kind, key), "{kind}");
            assert_ne!(other.digest(), record().digest());
        }
    }

    #[test]
    fn what_is_not_whole_is_refused_as_it_arrives() {
        let change = |change: fn(&mut rpc::Record)| {
            let mut sent = rpc::Record::from(record());
            change(&mut sent);
            Record::try_from(sent).err().expect("refused")
        };
        assert!(matches!(change(|sent| sent.kind = 0), SignError::WrongKind));
        assert!(matches!(
            change(|sent| sent.kind = 99),
            SignError::WrongKind
        ));
        assert!(matches!(
            change(|sent| sent.org = "North".to_owned()),
            SignError::BadName
        ));
        assert!(matches!(
            change(|sent| sent.signature.truncate(63)),
            SignError::BadSignature { .. }
        ));
        let long = change(|sent| sent.body = vec![b' '; DOCUMENT_BYTES_MAX + 1]);
        assert!(matches!(
            long,
            SignError::Body(CanonicalError::TooLong { .. })
        ));
    }

    #[test]
    fn documents_that_stay_between_two_nodes_never_become_records_of_the_coordinator() {
        for kind in [
            Kind::Decision,
            Kind::Opening,
            Kind::Transcript,
            Kind::Manifest,
        ] {
            let mut private = record();
            private.kind = kind;
            assert!(
                Record::try_from(rpc::Record::from(private)).is_err(),
                "{kind}"
            );
        }
    }
}
