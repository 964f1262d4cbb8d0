//! S: knows Δ, gets B.

use super::code::Lane;
use super::setup::{BASE, NOISE, Setup, TREE_CHECK};
use super::tree::{self, Doubling};
use super::{
    CHECK_POINT, CHECK_VALUE, RECHOSEN, TREE_DIFFERENCES, TREE_SUMS, noisy, secret_blocks,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::field::{self, Polynomial};
use crate::ot::extension;
use crate::secret::Secret;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use rayon::prelude::*;

/// B for a Δ that is fresh for this run; wiped when dropped.
pub fn run(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Setup,
    delta: &Secret<Block>,
    rng: &mut impl CryptoRng,
) -> Result<Secret<Box<[Block]>>, Fault> {
    let base_sid = sid.part("base VOLE", 0);
    let mut base = noisy::send(channel, &base_sid, setup.security(), delta, BASE, rng)?;
    let mut transfers =
        extension::Sender::set_up(channel, &sid.part("VOLE trees", 0), setup.security(), rng)?;
    let doubling = Doubling::new(sid.part("VOLE doubling", 0).as_bytes());
    let mut places: Secret<Box<[Lane<1>]>> =
        Secret::new(vec![[Block::ZERO]; setup.places()].into_boxed_slice());
    let mut b = secret_blocks(setup.outputs());
    let mut reserved = secret_blocks(setup.reserved());
    let mut done = 0;
    for chunk in 0..setup.chunks() {
        if chunk > 0 {
            let entries = (chunk - 1) * BASE..chunk * BASE;
            base.expose_mut()
                .copy_from_slice(&reserved.expose()[entries]);
            if setup.security().is_malicious() {
                rechoose(channel, delta, base.expose_mut())?;
            }
        }
        let keys = transfers.extend(channel, setup.transfers(), rng)?;
        let blocks = places.expose_mut().as_flattened_mut();
        deal(
            channel,
            setup,
            &doubling,
            base.expose(),
            keys.expose(),
            blocks,
            rng,
        )?;
        if setup.security().is_malicious() {
            prove(
                channel,
                &sid.part("VOLE chunk", chunk as u64),
                base.expose(),
                blocks,
            )?;
        }
        setup.code().compress(places.expose_mut());
        let outputs = &places.expose().as_flattened()[..setup.code().outputs()];
        let kept = if chunk == 0 { setup.reserved() } else { 0 };
        if chunk == 0 {
            reserved.expose_mut().copy_from_slice(&outputs[..kept]);
        }
        let room = &mut b.expose_mut()[done..];
        done += outputs.len() - kept;
        room.iter_mut()
            .zip(&outputs[kept..])
            .for_each(|(b, output)| *b = *output);
    }
    Ok(b)
}

/// Deals the trees: leaves into `places`, masked sums and the programmed differences to R.
fn deal(
    channel: &mut Channel,
    setup: &Setup,
    doubling: &Doubling,
    base: &[Block],
    keys: &[[Block; 2]],
    places: &mut [Block],
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let mut roots = secret_blocks(NOISE);
    for root in roots.expose_mut().iter_mut() {
        *root = Block::random(rng);
    }
    let dealt: Vec<(Secret<Vec<[Block; 2]>>, Block)> = trees(setup, places)
        .into_par_iter()
        .zip(roots.expose().par_iter())
        .zip(&base[..NOISE])
        .map(|((leaves, root), base)| {
            let mut sums = Secret::new(vec![[Block::ZERO; 2]; tree::depth(leaves.len())]);
            tree::deal(doubling, *root, leaves, sums.expose_mut());
            let [left, right] = sums.expose().last().copied().unwrap_or_default();
            (sums, *base ^ left ^ right)
        })
        .collect();
    let sums = dealt.iter().flat_map(|(sums, _)| sums.expose()).zip(keys);
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
        let (part, rest) = places.split_at_mut(setup.tree_places(tree));
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
fn prove(
    channel: &mut Channel,
    sid: &SessionId,
    base: &[Block],
    places: &[Block],
) -> Result<(), Fault> {
    let point: Vec<Block> = channel.receive_part(CHECK_POINT, 1)?;
    let mut polynomial = Polynomial::new(point[0]);
    polynomial.add(places);
    let value = polynomial.value() ^ base[TREE_CHECK];
    channel.send_part(CHECK_VALUE, &[super::check_digest(sid, value)])
}
