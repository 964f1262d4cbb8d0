//! The group of this profile: ristretto255 (RFC 9496), hashed into as RFC 9380 says, and the two things a party does with
//! its secret exponent: mask ids, and raise the other party's points.
//!
//! A point travels as its one canonical 32-byte encoding. Decoding refuses every other string, and the identity, whose
//! powers would tell nothing and hide nothing.

use crate::channel::Element;
use crate::fault::{Abort, Fault, Malformed};
use crate::psi::{Id, SessionId};
use crate::secret::Secret;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use rand_core::CryptoRng;
use rayon::prelude::*;
use sha2::{Digest, Sha512};

/// Domain tag of the hash to the group (RFC 9380 §3.1: unique to this protocol and its version).
const ID_TO_POINT_DST: &[u8] = b"ENTENTE-V1-PSI-ECDH-ristretto255_XMD:SHA-512_R255MAP_RO_";
/// Input block of SHA-512, the length of RFC 9380's zero padding.
const SHA512_BLOCK_BYTES: usize = 128;
/// Points of one task: enough to share one inversion among them, few enough to keep all cores busy.
const TASK_POINTS: usize = 128;

/// A point's encoding as it travels. Not yet known to be canonical.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Encoded(pub(super) [u8; 32]);

impl Element for Encoded {
    const BYTES: usize = 32;

    fn encode(&self, body: &mut Vec<u8>) {
        self.0.encode(body);
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        <[u8; 32]>::decode(bytes).map(Self)
    }
}

/// Decodes all points; one that is not canonical, or the identity, spoils them all.
pub(super) fn decode(points: &[Encoded]) -> Result<Vec<RistrettoPoint>, Malformed> {
    points
        .par_iter()
        .with_min_len(TASK_POINTS)
        .map(decode_one)
        .collect()
}

fn decode_one(point: &Encoded) -> Result<RistrettoPoint, Malformed> {
    let decoded = CompressedRistretto(point.0).decompress();
    let point = decoded.ok_or(Malformed::NotCanonical {
        what: "a ristretto255 point",
    })?;
    if point.is_identity() {
        return Err(Malformed::Forbidden {
            what: "the identity of ristretto255",
        });
    }
    Ok(point)
}

/// A party's secret exponent for one run.
pub(super) struct Exponent {
    /// Half of it modulo the group's order: results are doubled while they are encoded, which lets a whole task share one
    /// inversion (`double_and_compress_batch`).
    half: Secret<Scalar>,
}

impl Exponent {
    /// A uniform exponent other than 0.
    pub(super) fn draw(rng: &mut impl CryptoRng) -> Result<Self, Fault> {
        let exponent = Secret::new(Scalar::random(rng));
        if *exponent.expose() == Scalar::ZERO {
            return Err(Abort::BadDraw {
                what: "the secret exponent",
            }
            .into());
        }
        Ok(Self::of(&exponent))
    }

    pub(super) fn of(exponent: &Secret<Scalar>) -> Self {
        Self {
            half: Secret::new(exponent.expose().div_by_2()),
        }
    }

    /// `H(id)^exponent` of all ids.
    pub(super) fn mask(&self, hash: &HashToGroup, ids: &[Id]) -> Vec<Encoded> {
        self.powers(ids, |id| hash.point(id.as_bytes()))
    }

    /// All points raised to the exponent.
    pub(super) fn raise(&self, points: &[Encoded]) -> Result<Vec<Encoded>, Malformed> {
        Ok(self.powers(&decode(points)?, |point| *point))
    }

    fn powers<T: Sync>(
        &self,
        of: &[T],
        base: impl Fn(&T) -> RistrettoPoint + Sync,
    ) -> Vec<Encoded> {
        let task = |of: &[T]| {
            let halves: Vec<RistrettoPoint> =
                of.iter().map(|of| base(of) * self.half.expose()).collect();
            RistrettoPoint::double_and_compress_batch(&halves)
        };
        of.par_chunks(TASK_POINTS)
            .flat_map_iter(task)
            .map(|point| Encoded(point.0))
            .collect()
    }
}

/// RFC 9380's `hash_to_ristretto255` under this protocol's domain tag, of the session id followed by the message.
pub(super) struct HashToGroup {
    /// SHA-512 after the zero padding and the session id, which all messages share.
    prefix: Sha512,
    dst_prime: Vec<u8>,
}

impl HashToGroup {
    /// The hash of one session.
    pub(super) fn new(sid: &SessionId) -> Self {
        Self::with(ID_TO_POINT_DST, sid.as_bytes())
    }

    /// Under any tag and prefix.
    pub(super) fn with(dst: &[u8], prefix: &[u8]) -> Self {
        let length = u8::try_from(dst.len()).expect("a domain tag has at most 255 bytes");
        let prefix = Sha512::new()
            .chain_update([0; SHA512_BLOCK_BYTES])
            .chain_update(prefix);
        Self {
            prefix,
            dst_prime: [dst, &[length]].concat(),
        }
    }

    /// The message's point.
    pub(super) fn point(&self, message: &[u8]) -> RistrettoPoint {
        let mut uniform = [0; 64];
        self.expand(message, &mut uniform);
        RistrettoPoint::from_uniform_bytes(&uniform)
    }

    /// `expand_message_xmd` (RFC 9380 §5.3.1) with SHA-512, to as many bytes as `uniform` has, at most 255 · 64.
    pub(super) fn expand(&self, message: &[u8], uniform: &mut [u8]) {
        let length = u16::try_from(uniform.len())
            .expect("at most 255 hashes are asked for")
            .to_be_bytes();
        let first = self
            .prefix
            .clone()
            .chain_update(message)
            .chain_update(length)
            .chain_update([0]);
        let first: [u8; 64] = first.chain_update(&self.dst_prime).finalize().into();
        let mut previous = [0; 64];
        for (number, out) in (1..=u8::MAX).zip(uniform.chunks_mut(64)) {
            previous
                .iter_mut()
                .zip(first)
                .for_each(|(byte, other)| *byte ^= other);
            let next = Sha512::new().chain_update(previous).chain_update([number]);
            previous = next.chain_update(&self.dst_prime).finalize().into();
            out.iter_mut()
                .zip(previous)
                .for_each(|(slot, byte)| *slot = byte);
        }
    }
}
