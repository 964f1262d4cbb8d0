//! The receiver: chooses, and gets one key a choice.

use super::point::Point;
use super::{ANSWER, POINTS, TRANSFERS, halved, key, mask};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::secret::Secret;
use crate::session_id::SessionId;
use curve25519_dalek::ristretto::RistrettoBasepointTable;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;
use rayon::prelude::*;
use subtle::Choice;
use zeroize::Zeroizing;

/// One key for each of at most [`TRANSFERS`] choices; wiped when dropped. The order of operations does not depend on the choices.
pub fn receive(
    channel: &mut Channel,
    sid: &SessionId,
    choices: &[bool],
    rng: &mut impl CryptoRng,
) -> Result<Secret<Vec<Block>>, Fault> {
    if choices.len() > TRANSFERS {
        return Err(Misuse::TooMany {
            what: "base OT choices",
            max: TRANSFERS,
            got: choices.len(),
        }
        .into());
    }
    let mut secrets = Secret::new(Vec::with_capacity(choices.len()));
    // Which of the sent points these make would tell the choices.
    let mut others = Secret::new(Vec::with_capacity(choices.len()));
    let mut uniform = Zeroizing::new([0; 64]);
    for _ in choices {
        rng.fill_bytes(uniform.as_mut_slice());
        secrets
            .expose_mut()
            .push(Scalar::from_bytes_mod_order_wide(&uniform));
        rng.fill_bytes(uniform.as_mut_slice());
        others.expose_mut().push(*uniform);
    }
    let pairs: Vec<[Point; 2]> = choices
        .par_iter()
        .zip(secrets.expose().par_iter().zip(others.expose()))
        .enumerate()
        .map(|(place, (choice, (secret, other)))| offer(sid, place, *choice, secret, other))
        .collect();
    channel.send_all(POINTS, pairs.as_flattened())?;
    let answer: Vec<Point> = channel.receive_part(ANSWER, 1)?;
    let keys = keys(sid, &pairs, &answer[0], secrets.expose());
    Ok(Secret::new(keys))
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
    let mask = mask(sid, place, u8::from(choice), &other);
    let chosen = Point::new(RistrettoPoint::mul_base(secret) - mask);
    let choice = Choice::from(u8::from(choice));
    [
        Point::select(&chosen, &other, choice),
        Point::select(&other, &chosen, choice),
    ]
}

/// KDF(a·B) of all transfers; a table makes many multiples of one point cheap.
fn keys(sid: &SessionId, pairs: &[[Point; 2]], answer: &Point, secrets: &[Scalar]) -> Vec<Block> {
    let multiples = RistrettoBasepointTable::create(&answer.point);
    let halves: Vec<RistrettoPoint> = secrets
        .par_iter()
        .map(|secret| &multiples * &halved(secret))
        .collect();
    let halves = Secret::new(halves);
    let shared = Secret::new(RistrettoPoint::double_and_compress_batch(halves.expose()));
    let transfers = pairs.iter().zip(shared.expose()).enumerate();
    transfers
        .map(|(place, (pair, shared))| key(sid, place, pair, answer, shared))
        .collect()
}
