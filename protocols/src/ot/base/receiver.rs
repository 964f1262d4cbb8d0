//! The receiver: chooses, and gets one key a choice.

use super::point::Point;
use super::{ANSWER, POINTS, TRANSFERS, key, mask};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::session_id::SessionId;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;
use rayon::prelude::*;
use subtle::{Choice, ConditionallySelectable};

/// One key for each of at most [`TRANSFERS`] choices. The order of operations does not depend on the choices.
pub fn receive(
    channel: &mut Channel,
    sid: &SessionId,
    choices: &[bool],
    rng: &mut impl CryptoRng,
) -> Result<Vec<Block>, Fault> {
    if choices.len() > TRANSFERS {
        return Err(Misuse::TooMany {
            what: "base OT choices",
            max: TRANSFERS,
            got: choices.len(),
        }
        .into());
    }
    let draws: Vec<([u8; 64], [u8; 64])> = choices
        .iter()
        .map(|_| {
            let mut draw = ([0; 64], [0; 64]);
            rng.fill_bytes(&mut draw.0);
            rng.fill_bytes(&mut draw.1);
            draw
        })
        .collect();
    let secrets: Vec<Scalar> = draws
        .iter()
        .map(|draw| Scalar::from_bytes_mod_order_wide(&draw.0))
        .collect();
    let places: Vec<(usize, bool)> = choices.iter().copied().enumerate().collect();
    let pairs: Vec<[Point; 2]> = places
        .par_iter()
        .map(|&(place, choice)| offer(sid, place, choice, &secrets[place], &draws[place].1))
        .collect();
    channel.send_all(POINTS, pairs.as_flattened())?;
    let answer: Point = channel
        .receive_part(ANSWER, 1)?
        .pop()
        .ok_or(Misuse::Count {
            what: "base OT answers",
            expected: 1,
            got: 0,
        })?;
    Ok(pairs
        .par_iter()
        .enumerate()
        .map(|(place, pair)| key(sid, place, pair, &answer, &(answer.point * secrets[place])))
        .collect())
}

/// The two points of one transfer: the chosen one has a known logarithm once its mask is added.
fn offer(
    sid: &SessionId,
    place: usize,
    choice: bool,
    secret: &Scalar,
    uniform: &[u8; 64],
) -> [Point; 2] {
    let other = Point::new(RistrettoPoint::from_uniform_bytes(uniform));
    let chosen = RistrettoPoint::mul_base(secret) - mask(sid, place, u8::from(choice), &other);
    let choice = Choice::from(u8::from(choice));
    let zero = RistrettoPoint::conditional_select(&chosen, &other.point, choice);
    let one = RistrettoPoint::conditional_select(&other.point, &chosen, choice);
    [Point::new(zero), Point::new(one)]
}
