//! The set-up: 32 puncturable PRFs with 16 leaves each, from 128 base OTs.

use super::{FIELD_BITS, INSTANCES, LEAVES, TREE_PROOFS, TREE_SUMS};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misbehaviour};
use crate::hash;
use crate::ot::base;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use crate::simd::aes::Aes;
use crate::simd::leaves::{self, Sums};
use crate::vole::tree::{self, Doubling};
use rand_core::CryptoRng;

/// The streams of one instance's leaves, all read up to the same place.
pub(super) struct Streams {
    leaves: [Aes; LEAVES],
    next: u64,
}

impl Streams {
    fn new(sid: &SessionId, leaves: &[Block; LEAVES]) -> Self {
        let keyed = hash::keyed("entente/1/ot-extension/stream", sid, &[]);
        // A leaf's stream is keyed apart from its check value.
        let key = |leaf: usize| Aes::new(keyed.block(&leaves[leaf].to_bytes()));
        Self {
            leaves: std::array::from_fn(key),
            next: 0,
        }
    }

    /// Sums of the next `words` blocks of each stream.
    pub(super) fn sum(&mut self, words: usize, sums: Sums<'_>) {
        leaves::sum(&self.leaves, self.next, words, sums);
        self.next += words as u64;
    }
}

/// Deals the trees: the extension's receiver, which knows every leaf.
pub(super) fn deal(
    channel: &mut Channel,
    sid: &SessionId,
    security: Security,
    rng: &mut impl CryptoRng,
) -> Result<Vec<Streams>, Fault> {
    let keys = base::send(channel, sid, base::TRANSFERS, rng)?;
    let doubling = Doubling::new(sid.part("OT extension trees", 0).as_bytes());
    let mut sums = Vec::with_capacity(2 * base::TRANSFERS);
    let mut proofs = Vec::new();
    let mut instances = Vec::with_capacity(INSTANCES);
    for (instance, keys) in keys.expose().chunks_exact(FIELD_BITS).enumerate() {
        let mut leaves = [Block::ZERO; LEAVES];
        let mut levels = [[Block::ZERO; 2]; FIELD_BITS];
        tree::deal(&doubling, Block::random(rng), &mut leaves, &mut levels);
        for (sum, key) in levels.iter().zip(keys) {
            sums.extend([sum[0] ^ key[0], sum[1] ^ key[1]]);
        }
        if security.is_malicious() {
            proofs.extend(prove(sid, instance, &leaves));
        }
        instances.push(Streams::new(sid, &leaves));
    }
    channel.send_part(TREE_SUMS, &sums)?;
    if security.is_malicious() {
        channel.send_part(TREE_PROOFS, &proofs)?;
    }
    Ok(instances)
}

/// Holds the trees: the extension's sender, which misses the leaf of each that its part of Δ names. Its streams come in the order
/// of y ⊕ Δ_i, so that nothing later depends on Δ by address; the first one is the missing one and yields nothing of use: it is in
/// no sum but that of all.
pub(super) fn hold(
    channel: &mut Channel,
    sid: &SessionId,
    security: Security,
    delta: Block,
    rng: &mut impl CryptoRng,
) -> Result<Vec<Streams>, Fault> {
    let missing = |instance: usize| (delta.0 >> (FIELD_BITS * instance)) as usize % LEAVES;
    // With room for all from the beginning: a list that grows would leave copies behind.
    let mut choices = Secret::new(Vec::with_capacity(base::TRANSFERS));
    for instance in 0..INSTANCES {
        let of_instance = tree::choices(missing(instance), LEAVES);
        choices.expose_mut().extend(of_instance);
    }
    let keys = base::receive(channel, sid, choices.expose(), rng)?;
    let sums: Vec<Block> = channel.receive_part(TREE_SUMS, 2 * base::TRANSFERS)?;
    let proofs: Vec<[u8; 32]> = if security.is_malicious() {
        channel.receive_part(TREE_PROOFS, 2 * INSTANCES)?
    } else {
        Vec::new()
    };
    let doubling = Doubling::new(sid.part("OT extension trees", 0).as_bytes());
    let mut instances = Vec::with_capacity(INSTANCES);
    for instance in 0..INSTANCES {
        let index = missing(instance);
        let levels = instance * FIELD_BITS..(instance + 1) * FIELD_BITS;
        let chosen: Vec<Block> = levels
            .map(|level| {
                let side = choices.expose()[level];
                // Both are read, so that the address does not show the choice.
                sums[2 * level].masked(!side)
                    ^ sums[2 * level + 1].masked(side)
                    ^ keys.expose()[level]
            })
            .collect();
        let mut leaves = [Block::ZERO; LEAVES];
        tree::rebuild(&doubling, index, &chosen, &mut leaves);
        if let Some(proof) = proofs.get(2 * instance..2 * instance + 2) {
            verify(sid, instance, &leaves, index, proof)?;
        }
        let shifted: [Block; LEAVES] = std::array::from_fn(|y| leaves[y ^ index]);
        instances.push(Streams::new(sid, &shifted));
    }
    Ok(instances)
}

fn check_value(sid: &SessionId, leaf: Block) -> [u8; 32] {
    hash::digest(
        "entente/1/ot-extension/leaf-check",
        sid,
        &[&leaf.to_bytes()],
    )
}

/// The exclusive or of all leaves' check values, and their hash: together they fix every leaf.
fn prove(sid: &SessionId, instance: usize, leaves: &[Block; LEAVES]) -> [[u8; 32]; 2] {
    let values = leaves.map(|leaf| check_value(sid, leaf));
    [exclusive_or(&values), hash_of(sid, instance, &values)]
}

fn verify(
    sid: &SessionId,
    instance: usize,
    leaves: &[Block; LEAVES],
    missing: usize,
    proof: &[[u8; 32]],
) -> Result<(), Fault> {
    let mut values = leaves.map(|leaf| check_value(sid, leaf));
    values[missing] = [0; 32];
    values[missing] = exclusive_or(&[exclusive_or(&values), proof[0]]);
    if hash_of(sid, instance, &values) != proof[1] {
        return Err(Misbehaviour::CheckFailed {
            check: "the OT extension's trees",
        }
        .into());
    }
    Ok(())
}

fn exclusive_or(values: &[[u8; 32]]) -> [u8; 32] {
    std::array::from_fn(|byte| values.iter().fold(0, |sum, value| sum ^ value[byte]))
}

fn hash_of(sid: &SessionId, instance: usize, values: &[[u8; 32]]) -> [u8; 32] {
    let instance = (instance as u64).to_le_bytes();
    hash::digest(
        "entente/1/ot-extension/tree-hash",
        sid,
        &[&instance, values.as_flattened()],
    )
}
