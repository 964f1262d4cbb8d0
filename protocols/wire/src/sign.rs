//! Ed25519 signatures over canonical documents, and the signed records that travel between organisations.

mod kind;
mod record;

pub use kind::Kind;
pub use record::Record;

use crate::canonical::{self, CanonicalError, Digest};
use crate::hexadecimal::hexadecimal;
use crate::names::OrgName;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
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

    /// The raw 32 bytes.
    pub fn as_bytes(&self) -> [u8; 32] {
        self.0.0
    }

    /// Whether the key is a point of small order. Under such a key a signature of zeros verifies for one document in eight or
    /// more, so anybody could sign for its holder; no honest key is one.
    pub fn is_weak(&self) -> bool {
        let Digest(mut bytes) = self.0;
        // The top bit is the sign of x; a point and its negative have the same order.
        bytes[31] &= 0x7f;
        SMALL_ORDER.contains(&bytes)
    }
}

/// The y-coordinates, little-endian, of all points of Ed25519's curve whose order divides 8, and those that are not reduced
/// modulo p = 2^255 - 19 and still decode to one.
const SMALL_ORDER: [[u8; 32]; 7] = [
    padded([0x00, 0x00], 0x00),
    padded([0x01, 0x00], 0x00),
    // p - 1, p and p + 1.
    padded([0xec, 0x7f], 0xff),
    padded([0xed, 0x7f], 0xff),
    padded([0xee, 0x7f], 0xff),
    // Order 8.
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// First and last byte around 30 equal ones.
const fn padded([first, last]: [u8; 2], between: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
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

hexadecimal! {
    /// An Ed25519 signature, written as 128 hexadecimal digits.
    Signature, 64
}

/// Bytes of what is signed for a document.
pub const DIGEST_BYTES: usize = 32;

fn signed_bytes(kind: Kind, org: &OrgName, body: &[u8]) -> [u8; DIGEST_BYTES] {
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

    /// Signs a message of a protocol, as it is. What organisations sign otherwise has [`DIGEST_BYTES`] bytes, so a longer message never
    /// reads as a document; a shorter or equal one is not signed.
    pub fn sign_protocol_message(&self, message: &[u8]) -> Option<Signature> {
        if message.len() <= DIGEST_BYTES {
            return None;
        }
        let signature = self.pair.sign(message);
        signature.as_ref().try_into().ok().map(Signature)
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
    if key.is_weak() {
        return Err(SignError::BadSignature { org: org.clone() });
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::signer;

    fn org() -> OrgName {
        "river-pay".parse().expect("a valid name")
    }

    #[test]
    fn every_part_of_what_is_signed_counts() {
        let key = signer("node");
        let signature = key.sign(Kind::Report, &org(), b"body");
        let check = |kind, org: &OrgName, body: &[u8], signature: &[u8]| {
            verify(key.public_key(), kind, org, body, signature).is_ok()
        };
        assert!(check(Kind::Report, &org(), b"body", &signature.0));
        let other = "river-pa".parse().expect("a valid name");
        assert!(!check(Kind::Manifest, &org(), b"body", &signature.0));
        assert!(
            !check(Kind::Report, &other, b"ybody", &signature.0),
            "parts run together"
        );
        assert!(!check(Kind::Report, &org(), b"bodY", &signature.0));
        for bit in 0..512 {
            let mut flipped = signature.0;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!check(Kind::Report, &org(), b"body", &flipped), "bit {bit}");
        }
    }

    #[test]
    fn points_of_small_order_are_weak_and_honest_keys_are_not() {
        for point in curve25519_dalek::constants::EIGHT_TORSION {
            let key = PublicKey::from_bytes(point.compress().to_bytes());
            assert!(key.is_weak(), "{key}");
        }
        for mut bytes in SMALL_ORDER {
            for sign in [0, 0x80] {
                bytes[31] |= sign;
                let point = curve25519_dalek::edwards::CompressedEdwardsY(bytes).decompress();
                assert!(
                    point.is_none_or(|point| point.is_small_order()),
                    "{bytes:?}"
                );
                assert!(PublicKey::from_bytes(bytes).is_weak());
            }
        }
        assert!((0..100).all(|n| !signer(&n.to_string()).public_key().is_weak()));
    }

    #[test]
    fn a_key_that_anybody_could_sign_under_verifies_nothing() {
        let signature = signer("node").sign(Kind::Report, &org(), b"body");
        for bytes in SMALL_ORDER.into_iter().chain([[255; 32], [1; 32]]) {
            let key = PublicKey::from_bytes(bytes);
            assert!(verify(key, Kind::Report, &org(), b"body", &signature.0).is_err());
            for body in 0..64 {
                assert!(verify(key, Kind::Report, &org(), &[body], &[0; 64]).is_err());
            }
        }
    }

    #[test]
    fn a_key_file_that_is_none_is_refused() {
        for document in [&b""[..], b"not a key", &[0x30; 48]] {
            assert!(matches!(
                Signer::from_pkcs8(document),
                Err(SignError::BadKey)
            ));
        }
    }
}
