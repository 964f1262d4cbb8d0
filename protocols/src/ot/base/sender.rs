//! The sender: gets two keys a transfer.

use super::point::Point;
use super::{ANSWER, POINTS, TRANSFERS, halved, key, mask};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::secret::Secret;
use crate::session_id::SessionId;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;
use rayon::prelude::*;
use zeroize::Zeroizing;

/// Two keys for each of `count` ≤ [`TRANSFERS`] transfers; wiped when dropped.
pub fn send(
    channel: &mut Channel,
    sid: &SessionId,
    count: usize,
    rng: &mut impl CryptoRng,
) -> Result<Secret<Vec<[Block; 2]>>, Fault> {
    if count > TRANSFERS {
        return Err(Misuse::TooMany {
            what: "base OTs",
            max: TRANSFERS,
            got: count,
        }
        .into());
    }
    let points: Vec<Point> = channel.receive_all(POINTS, 2 * count)?;
    let mut uniform = Zeroizing::new([0; 64]);
    rng.fill_bytes(uniform.as_mut_slice());
    let secret = Secret::new(Scalar::from_bytes_mod_order_wide(&uniform));
    let answer = Point::new(RistrettoPoint::mul_base(secret.expose()));
    channel.send_part(ANSWER, &[answer])?;
    let half = Secret::new(halved(secret.expose()));
    let pairs = points.as_chunks::<2>().0;
    let halves: Vec<[RistrettoPoint; 2]> = pairs
        .par_iter()
        .enumerate()
        .map(|(place, [zero, one])| {
            [(0, zero, one), (1, one, zero)].map(|(side, own, other)| {
                (own.point + mask(sid, place, side, other)) * half.expose()
            })
        })
        .collect();
    let halves = Secret::new(halves);
    let halves = halves.expose().as_flattened();
    let shared = Secret::new(RistrettoPoint::double_and_compress_batch(halves));
    let transfers = pairs.iter().zip(shared.expose().as_chunks::<2>().0);
    let transfers = transfers.enumerate();
    let keys = transfers.map(|(place, (pair, shared))| {
        [0, 1].map(|side| key(sid, place, pair, &answer, &shared[side]))
    });
    Ok(Secret::new(keys.collect()))
}
