//! Canonical JSON: the one byte form of everything that is signed or hashed.
//!
//! Fields stand in the order of the Rust type, maps are sorted, there is no white space and there are no floating-point
//! numbers. Bytes that parse but do not re-encode to exactly themselves are refused, so nobody can show two people one
//! signature over two readings.

use crate::limits::DOCUMENT_BYTES_MAX;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

/// Why bytes are not a canonical document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("the document has {got} bytes; at most {DOCUMENT_BYTES_MAX} are allowed")]
    TooLong {
        /// Bytes received.
        got: usize,
    },
    /// Not JSON of the expected type.
    #[error("the document does not parse: {0}")]
    Parse(#[source] serde_json::Error),
    /// Parses, but is not the one canonical form.
    #[error("the document is not in canonical form")]
    NotCanonical,
}

/// The canonical bytes of `value`.
pub fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value)
        .expect("canonical types hold only strings, integers, lists and string-keyed maps")
}

/// Parses canonical bytes; anything that is not the canonical form is refused.
pub fn from_bytes<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(CanonicalError::TooLong { got: bytes.len() });
    }
    let value: T = serde_json::from_slice(bytes).map_err(CanonicalError::Parse)?;
    if to_bytes(&value) != bytes {
        return Err(CanonicalError::NotCanonical);
    }
    Ok(value)
}

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// SHA-256 over the parts under a domain tag; every part is preceded by its length, so parts cannot run together.
    pub fn of(tag: &str, parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in std::iter::once(tag.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let digest = context.finish();
        Self(digest.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
    }

    /// The digest of a canonical document under a domain tag.
    pub fn of_document<T: Serialize>(tag: &str, document: &T) -> Self {
        Self::of(tag, &[&to_bytes(document)])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}
impl TryFrom<String> for Digest {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = hex::decode(&text).map_err(|_| "a digest is 64 hexadecimal digits")?;
        let digest = Self(
            bytes
                .try_into()
                .map_err(|_| "a digest is 64 hexadecimal digits")?,
        );
        if digest.to_string() != text {
            return Err("a digest is written in lower case");
        }
        Ok(digest)
    }
}
