//! R: gets A and C.

use super::code::Lane;
use super::sender::trees;
use super::setup::{BASE, NOISE, Setup, TREE_CHECK};
use super::tree::{self, Doubling};
use super::{CHECK_POINT, CHECK_VALUE, RECHOSEN, TREE_DIFFERENCES, TREE_SUMS, noisy};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misbehaviour};
use crate::field::{self, Polynomial};
use crate::ot::extension;
use crate::secret::Secret;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use rayon::prelude::*;

/// What R ends with. **Must not be sent.**
pub struct Vectors {
    /// A.
    pub a: Vec<Block>,
    /// C = B + A·Δ.
    pub c: Vec<Block>,
}

/// A chunk's noise: one place a tree, and its base entries.
struct Noise {
    places: Vec<usize>,
    a: Vec<Block>,
    c: Vec<Block>,
    check_point: Block,
}

/// A and C of `setup.outputs()` outputs.
pub fn run(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Setup,
    rng: &mut impl CryptoRng,
) -> Result<Vectors, Fault> {
    let mut noise = Noise::draw(setup, (0..BASE).map(|_| random_block(rng)).collect(), rng);
    noise.a[TREE_CHECK] = noise.check_entry(setup);
    let base_sid = sid.part("base VOLE", 0);
    noise.c = noisy::receive(channel, &base_sid, setup.security(), &noise.a, rng)?;
    let mut transfers =
        extension::Receiver::set_up(channel, &sid.part("VOLE trees", 0), setup.security(), rng)?;
    let doubling = Doubling::new(sid.part("VOLE doubling", 0).as_bytes());
    let mut places: Vec<Lane<4>> = vec![[0; 4]; setup.places()];
    let capacity = setup.reserved() + setup.outputs();
    let mut vectors = Vectors {
        a: Vec::with_capacity(capacity),
        c: Vec::with_capacity(capacity),
    };
    let mut reserved = (Vec::new(), Vec::new());
    for chunk in 0..setup.chunks() {
        if chunk > 0 {
            let entries = (chunk - 1) * BASE..chunk * BASE;
            noise = Noise::draw(setup, reserved.0[entries.clone()].to_vec(), rng);
            noise.c = reserved.1[entries].to_vec();
            if setup.security().is_malicious() {
                rechoose(channel, setup, &mut noise)?;
            }
        }
        let choices: Vec<bool> = (0..NOISE)
            .flat_map(|i| {
                tree::choices(
                    noise.places[i],
                    setup.tree_start(i + 1) - setup.tree_start(i),
                )
            })
            .collect();
        let keys = transfers.extend(channel, &choices, rng)?;
        rebuild(
            channel,
            setup,
            &doubling,
            &noise,
            &choices,
            &keys,
            &mut places,
        )?;
        if setup.security().is_malicious() {
            check(channel, &noise, &places)?;
        }
        setup.code().compress(&mut places);
        for place in &places[..setup.code().outputs()] {
            vectors.a.push(super::code::block([place[0], place[1]]));
            vectors.c.push(super::code::block([place[2], place[3]]));
        }
        if chunk == 0 {
            reserved = (
                vectors.a.drain(..setup.reserved()).collect(),
                vectors.c.drain(..setup.reserved()).collect(),
            );
        }
    }
    vectors.a.truncate(setup.outputs());
    vectors.c.truncate(setup.outputs());
    Ok(vectors)
}

fn random_block(rng: &mut impl CryptoRng) -> Block {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    Block::from_bytes(bytes)
}

impl Noise {
    /// Fresh places for the given values; one in each tree, uniform up to 2^-32.
    fn draw(setup: &Setup, a: Vec<Block>, rng: &mut impl CryptoRng) -> Self {
        let places = (0..NOISE)
            .map(|tree| {
                let leaves = (setup.tree_start(tree + 1) - setup.tree_start(tree)) as u64;
                (u64::from(rng.next_u32()) * leaves >> 32) as usize
            })
            .collect();
        Self {
            places,
            a,
            c: Vec::new(),
            check_point: random_block(rng),
        }
    }

    /// Σ s^(p_i + 1)·a_i over the noise: what the entry for the check of the trees must hold, so that c there is b there plus
    /// what the trees of S and of R differ by.
    fn check_entry(&self, setup: &Setup) -> Block {
        let mut sum = Block::ZERO;
        for (tree, (place, a)) in self.places.iter().zip(&self.a).enumerate() {
            let exponent = (setup.tree_start(tree) + place + 1) as u64;
            sum ^= field::multiply(field::power(self.check_point, exponent), *a);
        }
        sum
    }
}

/// Chooses the value of the entry for the check of the trees; the difference is hidden behind the random value it had.
fn rechoose(channel: &mut Channel, setup: &Setup, noise: &mut Noise) -> Result<(), Fault> {
    let wanted = noise.check_entry(setup);
    channel.send_part(RECHOSEN, &[noise.a[TREE_CHECK] ^ wanted])?;
    noise.a[TREE_CHECK] = wanted;
    Ok(())
}

/// Rebuilds the trees into `places`: words 2 and 3 get S's leaves, but the noise's share at its place; words 0 and 1 get the noise.
fn rebuild(
    channel: &mut Channel,
    setup: &Setup,
    doubling: &Doubling,
    noise: &Noise,
    choices: &[bool],
    keys: &[Block],
    places: &mut [Lane<4>],
) -> Result<(), Fault> {
    let masked: Vec<Block> = channel.receive_all(TREE_SUMS, 2 * keys.len())?;
    let differences: Vec<Block> = channel.receive_all(TREE_DIFFERENCES, NOISE)?;
    // Both sums are read, so that the address does not show the choice.
    let chosen: Vec<Block> = masked
        .chunks_exact(2)
        .zip(choices.iter().zip(keys))
        .map(|(pair, (right, key))| pair[0].masked(!right) ^ pair[1].masked(*right) ^ *key)
        .collect();
    let mut levels = chosen.as_slice();
    let chosen: Vec<&[Block]> = (0..NOISE)
        .map(|tree| {
            let depth = tree::depth(setup.tree_start(tree + 1) - setup.tree_start(tree));
            let (mine, rest) = levels.split_at(depth);
            levels = rest;
            mine
        })
        .collect();
    trees(setup, places)
        .into_par_iter()
        .enumerate()
        .for_each(|(tree, places)| {
            let mut leaves = vec![Block::ZERO; places.len()];
            let index = noise.places[tree];
            tree::rebuild(doubling, index, chosen[tree], &mut leaves);
            // The difference is Σ leaves + b; with all other leaves and c = b + a·Δ, what remains is the leaf + a·Δ.
            let known = leaves
                .iter()
                .fold(differences[tree] ^ noise.c[tree], |sum, leaf| sum ^ *leaf);
            leaves[index] = known;
            for (place, leaf) in places.iter_mut().zip(&leaves) {
                *place = [0, 0, leaf.low(), leaf.high()];
            }
            places[index][0] = noise.a[tree].low();
            places[index][1] = noise.a[tree].high();
        });
    Ok(())
}

/// Names the point, and compares S's value with what R's own places and base entry give.
fn check(channel: &mut Channel, noise: &Noise, places: &[Lane<4>]) -> Result<(), Fault> {
    channel.send_part(CHECK_POINT, &[noise.check_point])?;
    let mut polynomial = Polynomial::new(noise.check_point);
    for places in places.chunks(1 << 10) {
        let values: Vec<Block> = places
            .iter()
            .map(|place| super::code::block([place[2], place[3]]))
            .collect();
        polynomial.add(&values);
    }
    let value = polynomial.value() ^ noise.c[TREE_CHECK];
    let theirs: Vec<Block> = channel.receive_part(CHECK_VALUE, 1)?;
    if Secret::new(theirs[0]) != Secret::new(super::check_digest(value)) {
        return Err(Misbehaviour::CheckFailed {
            check: "the VOLE trees",
        }
        .into());
    }
    Ok(())
}
