//! How people and files name an organisation's root: SHA-256 over the root key's SubjectPublicKeyInfo (RFC 7469's pin, in
//! hexadecimal). It outlives the root certificate, which may be issued again for the same key.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What stands before the 32 key bytes in an Ed25519 SubjectPublicKeyInfo (RFC 8410 §4).
pub(crate) const ED25519_SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Fingerprint of an organisation's root key. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RootFingerprint([u8; 32]);

/// Text that is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a root fingerprint is 64 lower-case hexadecimal digits")]
pub struct FingerprintError;

impl RootFingerprint {
    /// The fingerprint of an Ed25519 public key.
    pub fn of_root_key(key: &[u8; 32]) -> Self {
        let mut spki = [0; 44];
        spki[..12].copy_from_slice(&ED25519_SPKI_PREFIX);
        spki[12..].copy_from_slice(key);
        let hash = digest(&SHA256, &spki);
        Self(hash.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
    }

    /// From its bytes, as stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for storing.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for RootFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
impl fmt::Debug for RootFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for RootFingerprint {
    type Err = FingerprintError;
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| FingerprintError)?;
        if text.bytes().any(|c| c.is_ascii_uppercase()) {
            return Err(FingerprintError);
        }
        Ok(Self(bytes))
    }
}
impl TryFrom<String> for RootFingerprint {
    type Error = FingerprintError;
    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}
impl From<RootFingerprint> for String {
    fn from(fingerprint: RootFingerprint) -> String {
        fingerprint.to_string()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_read_back_and_nothing_else_is() {
        let fingerprint = RootFingerprint::of_root_key(&[7; 32]);
        let text = fingerprint.to_string();
        assert_eq!(text.parse::<RootFingerprint>().unwrap(), fingerprint);
        for bad in [&text[1..], &text.to_uppercase(), "", &format!("{text}0")] {
            assert!(bad.parse::<RootFingerprint>().is_err(), "{bad:?}");
        }
    }
}
