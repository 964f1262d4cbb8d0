//! Endemic OT (Masny and Rindal, CCS'19, with Diffie and Hellman's key agreement) over ristretto255.
//!
//! For choice c the receiver draws a random point r_{1−c} and sets r_c = a·G − H(c, r_{1−c}); the sender sees two points of the
//! same distribution. With A_i = r_i + H(i, r_{1−i}) and one point B = y·G, the keys are KDF(y·A_0) and KDF(y·A_1), and the
//! receiver knows KDF(a·B) for its choice only. One B serves all transfers of a call, as the KDF takes the place. A malicious receiver would need a discrete logarithm for a second key; a
//! malicious sender influences keys, which every use here allows. Points that are not canonical, and the identity, are refused.

mod point;
mod receiver;
mod sender;

pub use receiver::receive;
pub use sender::send;

use crate::block::Block;
use crate::channel::{Kind, vector_bytes};
use crate::hash;
use crate::session_id::SessionId;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::{RistrettoPoint, Scalar};
use point::Point;

/// Transfers that one set-up of the extension needs, and the most that one call makes.
pub const TRANSFERS: usize = 128;

pub(crate) const POINTS: Kind = Kind::new(0x0201, "base OT points");
pub(crate) const ANSWER: Kind = Kind::new(0x0202, "base OT answer");

/// Bytes of `transfers` transfers, both directions.
pub const fn bytes(transfers: usize) -> u64 {
    vector_bytes(2 * transfers, 32) + vector_bytes(1, 32)
}

/// H: from a place, a side and a point to a point.
fn mask(sid: &SessionId, place: usize, side: u8, other: &Point) -> RistrettoPoint {
    let mut uniform = [0u8; 64];
    let place = (place as u64).to_le_bytes();
    hash::expand(
        "entente/1/base-ot/mask",
        sid,
        &[&place, &[side], &other.to_bytes()],
        &mut uniform,
    );
    RistrettoPoint::from_uniform_bytes(&uniform)
}

/// One half. Twice a point is cheaper to encode than the point itself, many at a time; so the secret scalars are halved and the
/// halves' products doubled.
fn halved(secret: &Scalar) -> Scalar {
    secret * Scalar::from(2_u8).invert()
}

/// KDF: binds the key to its place and to everything both sides sent for it.
fn key(
    sid: &SessionId,
    place: usize,
    pair: &[Point; 2],
    answer: &Point,
    shared: &CompressedRistretto,
) -> Block {
    let place = (place as u64).to_le_bytes();
    let parts: [&[u8]; 5] = [
        &place,
        &pair[0].to_bytes(),
        &pair[1].to_bytes(),
        &answer.to_bytes(),
        shared.as_bytes(),
    ];
    let digest = hash::digest("entente/1/base-ot/key", sid, &parts);
    let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
    Block::from_bytes(*first)
}

#[cfg(test)]
mod tests;
