//! The sender: gets two keys a transfer.

use super::point::Point;
use super::{ANSWER, POINTS, TRANSFERS, key, mask};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::session_id::SessionId;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;
use rayon::prelude::*;

/// Two keys for each of `count` ≤ [`TRANSFERS`] transfers.
pub fn send(
    channel: &mut Channel,
    sid: &SessionId,
    count: usize,
    rng: &mut impl CryptoRng,
) -> Result<Vec<[Block; 2]>, Fault> {
    if count > TRANSFERS {
        return Err(Misuse::TooMany {
            what: "base OTs",
            max: TRANSFERS,
            got: count,
        }
        .into());
    }
    let points: Vec<Point> = channel.receive_all(POINTS, 2 * count)?;
    let mut uniform = [0; 64];
    rng.fill_bytes(&mut uniform);
    let secret = Scalar::from_bytes_mod_order_wide(&uniform);
    let answer = Point::new(RistrettoPoint::mul_base(&secret));
    channel.send_part(ANSWER, &[answer])?;
    let pairs = points.as_chunks::<2>().0;
    Ok(pairs
        .par_iter()
        .enumerate()
        .map(|(place, pair)| {
            [0u8, 1].map(|side| {
                let own = &pair[usize::from(side)];
                let other = &pair[usize::from(1 - side)];
                let shared = (own.point + mask(sid, place, side, other)) * secret;
                key(sid, place, pair, &answer, &shared)
            })
        })
        .collect())
}
