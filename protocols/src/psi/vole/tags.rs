//! Tags: short names under which a common id looks the same at both parties. Sorted by value on both sides and joined in one pass.

use super::{Setup, TAG_BYTES_MALICIOUS};
use crate::block::Block;
use crate::fault::{Fault, Misbehaviour, Misuse};
use crate::hash::CorrelationHash;
use crate::security::Security;
use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use rayon::prelude::*;

/// Tags computed by one task.
const TASK_TAGS: usize = 1 << 13;

/// The tags of ids whose values u are given, as whole blocks cut to the agreed width.
pub(super) fn tags(
    setup: &Setup,
    hash: &CorrelationHash,
    coin: Block,
    ids: &[Block],
    values: Vec<Block>,
) -> Vec<u128> {
    let mut tags = values;
    let kept = u128::MAX >> (128 - 8 * setup.tag_bytes);
    tags.par_chunks_mut(TASK_TAGS)
        .zip(ids.par_chunks(TASK_TAGS))
        .for_each(|(tags, ids)| match setup.security() {
            Security::SemiHonest => hash.hash_each(tags, 0),
            Security::Malicious => {
                for (tag, id) in tags.iter_mut().zip(ids) {
                    *tag = keyed(*tag ^ coin, *id);
                }
            }
        });
    tags.into_iter().map(|tag| tag.0 & kept).collect()
}

/// AES_key(id) + id.
fn keyed(key: Block, id: Block) -> Block {
    let mut cell = id.to_bytes().into();
    Aes128Enc::new(&key.to_bytes().into()).encrypt_block(&mut cell);
    Block::from_bytes(cell.into()) ^ id
}

/// The encoding of sorted tags: `tag_bytes` each, big end first, so that the bytes are sorted too.
pub(super) fn encode(setup: &Setup, sorted: &[u128]) -> Vec<u8> {
    let width = setup.tag_bytes;
    let mut bytes = Vec::with_capacity(sorted.len() * width);
    for tag in sorted {
        bytes.extend_from_slice(&tag.to_be_bytes()[TAG_BYTES_MALICIOUS - width..]);
    }
    bytes
}

/// The tags in `bytes`, which has a whole number of them. An honest peer's are strictly ascending: its ids are distinct.
pub(super) fn decode(setup: &Setup, bytes: &[u8]) -> Result<Vec<u128>, Fault> {
    let width = setup.tag_bytes;
    let tags: Vec<u128> = bytes
        .chunks_exact(width)
        .map(|chunk| {
            let mut padded = [0u8; TAG_BYTES_MALICIOUS];
            padded[TAG_BYTES_MALICIOUS - width..].copy_from_slice(chunk);
            u128::from_be_bytes(padded)
        })
        .collect();
    if !tags.is_sorted_by(|a, b| a < b) {
        return Err(Misbehaviour::CheckFailed {
            check: "distinct tags in ascending order",
        }
        .into());
    }
    Ok(tags)
}

/// Sorts S's own tags; two equal ones mean that the caller gave an id twice.
pub(super) fn sorted(setup: &Setup, tags: Vec<u128>) -> Result<Vec<u128>, Fault> {
    let tags = sort_by_key(setup, tags, |tag| *tag);
    if !tags.is_sorted_by(|a, b| a < b) {
        return Err(Misuse::Duplicate { what: "ids" }.into());
    }
    Ok(tags)
}

/// Places in `own` whose tag is also among the peer's sorted tags, ascending; only the first `real` are not dummies.
pub(super) fn join(setup: &Setup, own: &[u128], real: usize, theirs: &[u128]) -> Vec<u32> {
    let numbered: Vec<(u128, u32)> = own[..real].iter().copied().zip(0..).collect();
    let numbered = sort_by_key(setup, numbered, |(tag, _)| *tag);
    let mut common = Vec::new();
    let mut theirs = theirs.iter().peekable();
    for (tag, place) in numbered {
        while theirs.next_if(|their| **their < tag).is_some() {}
        if theirs.peek() == Some(&&tag) {
            common.push(place);
        }
    }
    common.par_sort_unstable();
    common
}

/// Sorts by a uniform key: a counting sort by its top bits into groups of about eight, then each group by itself.
fn sort_by_key<T: Copy + Send + Sync>(
    setup: &Setup,
    items: Vec<T>,
    key: impl Fn(&T) -> u128 + Sync,
) -> Vec<T> {
    let bits = (items.len() / 8).max(1).ilog2().min(20);
    let shift = 8 * setup.tag_bytes as u32 - bits;
    let group = |item: &T| (key(item).checked_shr(shift).unwrap_or(0)) as usize;
    let Some(first) = items.first().copied() else {
        return items;
    };
    let mut ends = vec![0u32; (1 << bits) + 1];
    items.iter().for_each(|item| ends[group(item) + 1] += 1);
    for i in 1..ends.len() {
        ends[i] += ends[i - 1];
    }
    let mut sorted = vec![first; items.len()];
    for item in &items {
        let next = &mut ends[group(item)];
        sorted[*next as usize] = *item;
        *next += 1;
    }
    let mut rest = sorted.as_mut_slice();
    let mut groups = Vec::with_capacity(1 << bits);
    let mut start = 0;
    for end in &ends[..1 << bits] {
        let (part, later) = rest.split_at_mut((*end - start) as usize);
        groups.push(part);
        rest = later;
        start = *end;
    }
    groups
        .into_par_iter()
        .with_min_len(1 << 10)
        .for_each(|group| group.sort_unstable_by_key(&key));
    sorted
}
