//! S: knows Δ, gets B.

use super::code::{Lane, block, lane};
use super::setup::{BASE, NOISE, Setup, TREE_CHECK};
use super::tree::{self, Doubling};
use super::{CHECK_POINT, CHECK_VALUE, RECHOSEN, TREE_DIFFERENCES, TREE_SUMS, noisy};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::field::{self, Polynomial};
use crate::ot::extension;
use crate::secret::Secret;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use rayon::prelude::*;

/// B for a Δ that is fresh for this run. **B must not be sent.**
pub fn run(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Setup,
    delta: &Secret<Block>,
    rng: &mut impl CryptoRng,
) -> Result<Vec<Block>, Fault> {
    let base_sid = sid.part("base VOLE", 0);
    let mut base = noisy::send(channel, &base_sid, setup.security(), delta, BASE, rng)?;
    let mut transfers =
        extension::Sender::set_up(channel, &sid.part("VOLE trees", 0), setup.security(), rng)?;
    let doubling = Doubling::new(sid.part("VOLE doubling", 0).as_bytes());
    let mut places: Vec<Lane<2>> = vec![[0; 2]; setup.places()];
    let mut b = Vec::with_capacity(setup.reserved() + setup.outputs());
    let mut reserved = Vec::new();
    for chunk in 0..setup.chunks() {
        if chunk > 0 {
            base = reserved[(chunk - 1) * BASE..chunk * BASE].to_vec();
            if setup.security().is_malicious() {
                rechoose(channel, delta, &mut base)?;
            }
        }
        let keys = transfers.extend(channel, setup.transfers(), rng)?;
        deal(channel, setup, &doubling, &base, &keys, &mut places, rng)?;
        if setup.security().is_malicious() {
            prove(channel, &base, &places)?;
        }
        setup.code().compress(&mut places);
        b.extend(places[..setup.code().outputs()].iter().copied().map(block));
        if chunk == 0 {
            reserved = b.drain(..setup.reserved()).collect();
        }
    }
    b.truncate(setup.outputs());
    Ok(b)
}

/// Deals the trees: leaves into `places`, masked sums and the programmed differences to R.
fn deal(
    channel: &mut Channel,
    setup: &Setup,
    doubling: &Doubling,
    base: &[Block],
    keys: &[[Block; 2]],
    places: &mut [Lane<2>],
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let roots: Vec<Block> = (0..NOISE)
        .map(|_| {
            let mut bytes = [0; 16];
            rng.fill_bytes(&mut bytes);
            Block::from_bytes(bytes)
        })
        .collect();
    let dealt: Vec<(Vec<[Block; 2]>, Block)> = trees(setup, places)
        .into_par_iter()
        .zip(&roots)
        .zip(&base[..NOISE])
        .map(|((places, root), base)| {
            let mut leaves = vec![Block::ZERO; places.len()];
            let mut sums = vec![[Block::ZERO; 2]; tree::depth(leaves.len())];
            tree::deal(doubling, *root, &mut leaves, &mut sums);
            let total = leaves.iter().fold(*base, |sum, leaf| sum ^ *leaf);
            places
                .iter_mut()
                .zip(&leaves)
                .for_each(|(place, leaf)| *place = lane(*leaf));
            (sums, total)
        })
        .collect();
    let sums = dealt.iter().flat_map(|(sums, _)| sums).zip(keys);
    let masked: Vec<Block> = sums
        .flat_map(|(sums, keys)| [sums[0] ^ keys[0], sums[1] ^ keys[1]])
        .collect();
    let differences: Vec<Block> = dealt.iter().map(|(_, total)| *total).collect();
    channel.send_all(TREE_SUMS, &masked)?;
    channel.send_all(TREE_DIFFERENCES, &differences)
}

/// The places of each tree.
pub(super) fn trees<'a, T>(setup: &Setup, mut places: &'a mut [T]) -> Vec<&'a mut [T]> {
    let mut parts = Vec::with_capacity(NOISE);
    for tree in 0..NOISE {
        let (part, rest) = places.split_at_mut(setup.tree_start(tree + 1) - setup.tree_start(tree));
        parts.push(part);
        places = rest;
    }
    parts
}

/// R chose the value of the entry for the check of the trees: c = b + (a' + d)·Δ = (b + d·Δ) + a'·Δ.
fn rechoose(channel: &mut Channel, delta: &Secret<Block>, base: &mut [Block]) -> Result<(), Fault> {
    let difference: Vec<Block> = channel.receive_part(RECHOSEN, 1)?;
    base[TREE_CHECK] ^= field::multiply(difference[0], *delta.expose());
    Ok(())
}

/// Shows R that all trees are trees: R named a point after all of them were sent, and compares the value there.
fn prove(channel: &mut Channel, base: &[Block], places: &[Lane<2>]) -> Result<(), Fault> {
    let point: Vec<Block> = channel.receive_part(CHECK_POINT, 1)?;
    let mut polynomial = Polynomial::new(point[0]);
    for places in places.chunks(1 << 10) {
        let values: Vec<Block> = places.iter().copied().map(block).collect();
        polynomial.add(&values);
    }
    let value = polynomial.value() ^ base[TREE_CHECK];
    channel.send_part(CHECK_VALUE, &[super::check_digest(value)])
}
