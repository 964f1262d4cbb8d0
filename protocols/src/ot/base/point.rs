//! A group element on the wire: 32 canonical bytes, never the identity.

use crate::channel::Element;
use crate::fault::Malformed;
use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::IsIdentity;
use subtle::{Choice, ConditionallySelectable};

/// A point with its encoding, so that neither is computed twice.
#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) point: RistrettoPoint,
    bytes: CompressedRistretto,
}

impl Point {
    pub(super) fn new(point: RistrettoPoint) -> Self {
        Self {
            point,
            bytes: point.compress(),
        }
    }

    /// `zero` or, if the choice is one, `one`; in constant time.
    pub(super) fn select(zero: &Self, one: &Self, choice: Choice) -> Self {
        let mut bytes = zero.bytes.0;
        for (byte, other) in bytes.iter_mut().zip(&one.bytes.0) {
            byte.conditional_assign(other, choice);
        }
        Self {
            point: RistrettoPoint::conditional_select(&zero.point, &one.point, choice),
            bytes: CompressedRistretto(bytes),
        }
    }

    pub(super) fn to_bytes(self) -> [u8; 32] {
        self.bytes.to_bytes()
    }
}

impl Element for Point {
    const BYTES: usize = 32;

    fn encode(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(self.bytes.as_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let short = Malformed::Short {
            needed: Self::BYTES,
            left: bytes.len(),
        };
        let bytes = CompressedRistretto::from_slice(bytes).map_err(|_| short)?;
        let point = bytes.decompress().ok_or(Malformed::NotCanonical {
            what: "a ristretto255 point",
        })?;
        if point.is_identity() {
            return Err(Malformed::Forbidden {
                what: "the identity point",
            });
        }
        Ok(Self { point, bytes })
    }
}
