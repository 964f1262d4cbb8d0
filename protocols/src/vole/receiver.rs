//! R: gets A and C.

use super::code::Lane;
use super::sender::trees;
use super::setup::{BASE, NOISE, Setup, TREE_CHECK};
use super::tree::{self, Doubling};
use super::{
    CHECK_POINT, CHECK_VALUE, RECHOSEN, TREE_DIFFERENCES, TREE_SUMS, noisy, secret_blocks,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misbehaviour};
use crate::field::{self, Polynomial};
use crate::ot::extension;
use crate::secret::Secret;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use rayon::prelude::*;
use zeroize::Zeroize;

/// Places summed up at a time when the trees are checked: stays on the stack.
const CHECKED_PLACES: usize = 256;

/// A chunk's noise: one place a tree, and its base entries. Wiped when dropped.
struct Noise {
    places: Vec<usize>,
    a: Vec<Block>,
    c: Vec<Block>,
    check_point: Block,
}

impl Drop for Noise {
    fn drop(&mut self) {
        self.places.zeroize();
        self.a.zeroize();
        self.c.zeroize();
        self.check_point.zeroize();
    }
}

/// C, and A **added to** `onto`, which has a place for each of `setup.outputs()` outputs: A is only ever needed to mask a vector.
/// C is wiped when dropped.
///
/// # Panics
/// If `onto` has another length: a caller's defect.
pub fn run(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Setup,
    onto: &mut [Block],
    rng: &mut impl CryptoRng,
) -> Result<Secret<Box<[Block]>>, Fault> {
    assert_eq!(onto.len(), setup.outputs(), "one place an output");
    let mut noise = Noise::draw(setup, (0..BASE).map(|_| Block::random(rng)).collect(), rng);
    noise.a[TREE_CHECK] = noise.check_entry(setup);
    let base_sid = sid.part("base VOLE", 0);
    let c = noisy::receive(channel, &base_sid, setup.security(), &noise.a, rng)?;
    noise.c = c.expose().clone();
    drop(c);
    let mut transfers =
        extension::Receiver::set_up(channel, &sid.part("VOLE trees", 0), setup.security(), rng)?;
    let doubling = Doubling::new(sid.part("VOLE doubling", 0).as_bytes());
    let mut places: Secret<Box<[Lane<2>]>> =
        Secret::new(vec![[Block::ZERO; 2]; setup.places()].into_boxed_slice());
    let mut c = secret_blocks(setup.outputs());
    let mut reserved: Secret<Vec<Lane<2>>> = Secret::new(Vec::new());
    let mut done = 0;
    for chunk in 0..setup.chunks() {
        if chunk > 0 {
            let entries = &reserved.expose()[(chunk - 1) * BASE..chunk * BASE];
            noise = Noise::draw(setup, entries.iter().map(|[a, _]| *a).collect(), rng);
            noise.c = entries.iter().map(|[_, c]| *c).collect();
            if setup.security().is_malicious() {
                rechoose(channel, setup, &mut noise)?;
            }
        }
        rebuild(
            channel,
            setup,
            &doubling,
            &noise,
            &mut transfers,
            places.expose_mut(),
            rng,
        )?;
        if setup.security().is_malicious() {
            let sid = sid.part("VOLE chunk", chunk as u64);
            check(channel, &sid, &noise, places.expose())?;
        }
        setup.code().compress(places.expose_mut());
        let outputs = &places.expose()[..setup.code().outputs()];
        let kept = if chunk == 0 { setup.reserved() } else { 0 };
        if chunk == 0 {
            reserved = Secret::new(outputs[..kept].to_vec());
        }
        let room = onto[done..].iter_mut().zip(&mut c.expose_mut()[done..]);
        done += outputs.len() - kept;
        for ((onto, c), output) in room.zip(&outputs[kept..]) {
            *onto ^= output[0];
            *c = output[1];
        }
    }
    Ok(c)
}

impl Noise {
    /// Fresh places for the given values; one in each tree, uniform up to 2^-32.
    fn draw(setup: &Setup, a: Vec<Block>, rng: &mut impl CryptoRng) -> Self {
        let places = (0..NOISE)
            .map(|tree| {
                ((u64::from(rng.next_u32()) * setup.tree_places(tree) as u64) >> 32) as usize
            })
            .collect();
        Self {
            places,
            a,
            c: Vec::new(),
            check_point: Block::random(rng),
        }
    }

    /// Σ s^(p_i + 1)·a_i over the noise: what the entry for the check of the trees must hold, so that c there is b there plus
    /// what the trees of S and of R differ by.
    fn check_entry(&self, setup: &Setup) -> Block {
        let mut sum = Block::ZERO;
        for (tree, (place, a)) in self.places.iter().zip(&self.a).enumerate() {
            let exponent = (setup.tree_start(tree) + place + 1) as u32;
            sum ^= field::multiply(field::power(self.check_point, exponent), *a);
        }
        sum
    }

    /// The side of each level of each tree that the path to the noise does not take.
    fn choices(&self, setup: &Setup) -> Vec<bool> {
        let trees = self.places.iter().enumerate();
        trees
            .flat_map(|(tree, place)| tree::choices(*place, setup.tree_places(tree)))
            .collect()
    }
}

/// Chooses the value of the entry for the check of the trees; the difference is hidden behind the random value it had.
fn rechoose(channel: &mut Channel, setup: &Setup, noise: &mut Noise) -> Result<(), Fault> {
    let wanted = noise.check_entry(setup);
    channel.send_part(RECHOSEN, &[noise.a[TREE_CHECK] ^ wanted])?;
    noise.a[TREE_CHECK] = wanted;
    Ok(())
}

/// Rebuilds the trees into `places`: the second block gets S's leaf, but the noise's share at its place; the first the noise.
fn rebuild(
    channel: &mut Channel,
    setup: &Setup,
    doubling: &Doubling,
    noise: &Noise,
    transfers: &mut extension::Receiver,
    places: &mut [Lane<2>],
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let choices = Secret::new(noise.choices(setup));
    let keys = transfers.extend(channel, choices.expose(), rng)?;
    let masked: Vec<Block> = channel.receive_all(TREE_SUMS, 2 * keys.expose().len())?;
    let differences: Vec<Block> = channel.receive_all(TREE_DIFFERENCES, NOISE)?;
    // Both sums are read, so that the address does not show the choice.
    let chosen = masked
        .chunks_exact(2)
        .zip(choices.expose().iter().zip(keys.expose()))
        .map(|(pair, (right, key))| pair[0].masked(!right) ^ pair[1].masked(*right) ^ *key);
    let chosen: Secret<Vec<Block>> = Secret::new(chosen.collect());
    let mut levels = chosen.expose().as_slice();
    let chosen: Vec<&[Block]> = (0..NOISE)
        .map(|tree| {
            let (mine, rest) = levels.split_at(tree::depth(setup.tree_places(tree)));
            levels = rest;
            mine
        })
        .collect();
    trees(setup, places)
        .into_par_iter()
        .enumerate()
        .for_each(|(tree, places)| {
            let mut leaves = secret_blocks(places.len());
            let leaves = leaves.expose_mut();
            let index = noise.places[tree];
            let others = tree::rebuild(doubling, index, chosen[tree], leaves);
            // The difference is Σ leaves + b; with all other leaves and c = b + a·Δ, what remains is the leaf + a·Δ.
            leaves[index] = differences[tree] ^ noise.c[tree] ^ others;
            for (place, leaf) in places.iter_mut().zip(leaves.iter()) {
                *place = [Block::ZERO, *leaf];
            }
            places[index][0] = noise.a[tree];
        });
    Ok(())
}

/// Names the point, and compares S's value with what R's own places and base entry give.
fn check(
    channel: &mut Channel,
    sid: &SessionId,
    noise: &Noise,
    places: &[Lane<2>],
) -> Result<(), Fault> {
    channel.send_part(CHECK_POINT, &[noise.check_point])?;
    let mut polynomial = Polynomial::new(noise.check_point);
    for places in places.chunks(CHECKED_PLACES) {
        let mut shares = [Block::ZERO; CHECKED_PLACES];
        for (share, place) in shares.iter_mut().zip(places) {
            *share = place[1];
        }
        polynomial.add(&shares[..places.len()]);
    }
    let value = polynomial.value() ^ noise.c[TREE_CHECK];
    let theirs: Vec<Block> = channel.receive_part(CHECK_VALUE, 1)?;
    if Secret::new(theirs[0]) != Secret::new(super::check_digest(sid, value)) {
        return Err(Misbehaviour::CheckFailed {
            check: "the VOLE trees",
        }
        .into());
    }
    Ok(())
}
