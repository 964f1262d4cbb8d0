//! Canonical JSON: the one byte form of everything that is signed or hashed.
//!
//! Fields stand in the order of the Rust type, maps are sorted, there is no white space and there are no floating-point
//! numbers. Bytes that parse but do not re-encode to exactly themselves are refused, so nobody can show two people one
//! signature over two readings.

use crate::hexadecimal::hexadecimal;
use crate::limits::DOCUMENT_BYTES_MAX;
use ring::digest::{Context, SHA256};
use serde::{Serialize, de::DeserializeOwned};

/// Why bytes are not a canonical document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// Longer than allowed.
    #[error("the document has {got} bytes; at most {most} are allowed")]
    TooLong {
        /// Bytes received.
        got: usize,
        /// Bytes allowed.
        most: usize,
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

/// Parses canonical bytes, at most [`DOCUMENT_BYTES_MAX`]; anything that is not the canonical form is refused.
pub fn from_bytes<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    from_bytes_bounded(bytes, DOCUMENT_BYTES_MAX)
}

/// As [`from_bytes`], for documents that have a smaller limit of their own.
pub fn from_bytes_bounded<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    bytes_max: usize,
) -> Result<T, CanonicalError> {
    if bytes.len() > bytes_max {
        return Err(CanonicalError::TooLong {
            got: bytes.len(),
            most: bytes_max,
        });
    }
    let value: T = serde_json::from_slice(bytes).map_err(CanonicalError::Parse)?;
    if to_bytes(&value) != bytes {
        return Err(CanonicalError::NotCanonical);
    }
    Ok(value)
}

hexadecimal! {
    /// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
    Digest, 32
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_to_the_byte_for_documents_that_are_otherwise_good() {
        let fits = "x".repeat(DOCUMENT_BYTES_MAX - 2);
        assert_eq!(from_bytes::<String>(&to_bytes(&fits)).expect("fits"), fits);
        let error = from_bytes::<String>(&to_bytes(&format!("{fits}x"))).expect_err("too long");
        assert!(matches!(error, CanonicalError::TooLong { got, most } if got == most + 1));
        assert!(from_bytes_bounded::<String>(b"\"abc\"", 5).is_ok());
        assert!(from_bytes_bounded::<String>(b"\"abc\"", 4).is_err());
    }

    #[test]
    fn parts_of_a_digest_cannot_run_together_or_change_their_tag() {
        let digests = [
            Digest::of("t", &[b"ab", b"c"]),
            Digest::of("t", &[b"a", b"bc"]),
            Digest::of("t", &[b"abc"]),
            Digest::of("t", &[b"abc", b""]),
            Digest::of("ta", &[b"bc"]),
            Digest::of("", &[b"t", b"abc"]),
        ];
        for (place, digest) in digests.iter().enumerate() {
            assert!(!digests[..place].contains(digest), "{place}");
        }
    }

    #[test]
    fn a_digest_is_what_other_tools_compute() {
        // printf '\0\0\0\0\0\0\0\1t\0\0\0\0\0\0\0\3abc' | sha256sum
        let expected = "52df35d5dca54e656625837b451b2416e3fd05909c255b7403e2f471b53e6e1f";
        assert_eq!(Digest::of("t", &[b"abc"]).to_string(), expected);
    }
}
