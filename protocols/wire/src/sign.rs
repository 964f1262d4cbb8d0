//! Ed25519 signatures over canonical documents, and the signed records that travel between organisations.

use crate::canonical::{self, CanonicalError, Digest};
use crate::hexadecimal::hexadecimal;
use crate::names::OrgName;
use crate::people::Pins;
use crate::problem::{Code, Problem};
use crate::rpc::record::v1 as rpc;
use crate::tags;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

/// An Ed25519 public key, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(pub Digest);

impl PublicKey {
    /// From the raw 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Digest(bytes))
    }
}
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What kind of document a record carries. Its tag separates the domains of all signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// [`crate::people::Registry`], signed by the organisation's root key.
    Registry,
    /// [`crate::publication::Publication`], signed by the node key.
    Publication,
    /// [`crate::submission::Submission`], signed by the asker's node key.
    Submission,
    /// [`crate::approval::NodeApproval`], signed by the node key.
    Approval,
    /// [`crate::report::Report`], signed by the node key.
    Report,
    /// [`crate::approval::PersonDecision`], signed by a person's own key; never a record of its own.
    Decision,
    /// [`crate::session::Opening`], signed by the node key; sent to the partner only.
    Opening,
    /// [`crate::session::Transcript`], signed by the node key; sent to the partner only.
    Transcript,
    /// A dataset's manifest, signed by the node key.
    Manifest,
}

impl Kind {
    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::Registry,
        Self::Publication,
        Self::Submission,
        Self::Approval,
        Self::Report,
        Self::Decision,
        Self::Opening,
        Self::Transcript,
        Self::Manifest,
    ];

    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Registry => tags::SIGNED_REGISTRY,
            Self::Publication => tags::SIGNED_PUBLICATION,
            Self::Submission => tags::SIGNED_SUBMISSION,
            Self::Approval => tags::SIGNED_APPROVAL,
            Self::Report => tags::SIGNED_REPORT,
            Self::Decision => tags::SIGNED_DECISION,
            Self::Opening => tags::SIGNED_OPENING,
            Self::Transcript => tags::SIGNED_TRANSCRIPT,
            Self::Manifest => tags::SIGNED_MANIFEST,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registry => "registry of people",
            Self::Publication => "publication",
            Self::Submission => "submission",
            Self::Approval => "node approval",
            Self::Report => "report",
            Self::Decision => "decision",
            Self::Opening => "session opening",
            Self::Transcript => "transcript",
            Self::Manifest => "manifest",
        })
    }
}

hexadecimal! {
    /// An Ed25519 signature, written as 128 hexadecimal digits.
    Signature, 64
}

fn signed_bytes(kind: Kind, org: &OrgName, body: &[u8]) -> [u8; 32] {
    Digest::of(kind.tag(), &[org.as_str().as_bytes(), body]).0
}

/// Whoever can sign for an organisation or a person. Holds a secret: no `Debug`, no `Clone`.
pub struct Signer {
    pair: Ed25519KeyPair,
}

impl Signer {
    /// From a PKCS#8 document as this system writes it.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, SignError> {
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(document).map_err(|_| SignError::BadKey)?;
        Ok(Self { pair })
    }

    /// From a fixed seed: for rehearsals, whose keys protect nothing.
    #[cfg(any(test, feature = "rehearsal"))]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("a seed has 32 bytes");
        Self { pair }
    }

    /// The key that verifies what this signs.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes(
            self.pair
                .public_key()
                .as_ref()
                .try_into()
                .expect("an Ed25519 key has 32 bytes"),
        )
    }

    /// Signs the canonical bytes of a document of this kind on behalf of `org`.
    pub fn sign(&self, kind: Kind, org: &OrgName, body: &[u8]) -> Signature {
        let signature = self.pair.sign(&signed_bytes(kind, org, body));
        Signature(
            signature
                .as_ref()
                .try_into()
                .expect("an Ed25519 signature has 64 bytes"),
        )
    }

    /// Signs a document that travels inside another one.
    pub fn sign_document<T: Serialize>(
        &self,
        kind: Kind,
        org: &OrgName,
        document: &T,
    ) -> Signature {
        self.sign(kind, org, &canonical::to_bytes(document))
    }
}

/// Checks a signature over a document that travels inside another one.
pub fn verify_document<T: Serialize>(
    key: PublicKey,
    kind: Kind,
    org: &OrgName,
    document: &T,
    signature: &Signature,
) -> Result<(), SignError> {
    verify(key, kind, org, &canonical::to_bytes(document), &signature.0)
}

/// Checks a signature over canonical bytes.
pub fn verify(
    key: PublicKey,
    kind: Kind,
    org: &OrgName,
    body: &[u8],
    signature: &[u8],
) -> Result<(), SignError> {
    UnparsedPublicKey::new(&ED25519, key.0.0)
        .verify(&signed_bytes(kind, org, body), signature)
        .map_err(|_| SignError::BadSignature { org: org.clone() })
}

/// Why a signed document was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Not an Ed25519 private key.
    #[error("the key file is not an Ed25519 private key")]
    BadKey,
    /// The signature does not verify under the key we hold for that organisation.
    #[error("the signature is not by {org}'s key")]
    BadSignature {
        /// Whose signature was expected.
        org: OrgName,
    },
    /// The record is of another kind than expected, or of none.
    #[error("the record is of the wrong kind")]
    WrongKind,
    /// Names an organisation in a form that is not allowed.
    #[error("the record names no valid organisation")]
    BadName,
    /// The body is not canonical.
    #[error(transparent)]
    Body(#[from] CanonicalError),
}

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
        Ok(Self {
            kind,
            org,
            body: record.body,
            signature: record.signature,
        })
    }
}
