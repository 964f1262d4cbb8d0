//! Tags: short names under which a common id looks the same at both parties. S sends its own sorted by value, so that their order
//! tells nothing; R looks its own up among them.
//!
//! Branches and addresses depend on tags: S's own, which R gets in this very order, and R's own, which look random to whoever does
//! not have their ids. The pattern stays inside the process. How long a join takes does not: S sees it before the next bucket, and
//! it grows with R's real ids, with those that are common, and where an S that may cheat has crowded its tags. Times are not hidden.

use super::{Setup, TAG_BYTES_MALICIOUS, TAGS};
use crate::block::Block;
use crate::channel::{BODY_BYTES_MAX, Channel};
use crate::fault::{Fault, Misbehaviour, Misuse};
use crate::hash::CorrelationHash;
use crate::security::Security;
use crate::simd::aes;
use rayon::prelude::*;

/// Tags of one part of a sort or a join: it and what it is compared with stay in the second cache.
const PART_TAGS: usize = 1 << 12;
/// Tags that share their first bits, on average.
const GROUP_TAGS: usize = 2;
/// Tags that a look-up compares, from where the group begins, whatever its length: no branch to guess wrong. One group of honest
/// tags in two hundred is longer, and searched by halving instead.
const COMPARED_TAGS: usize = 6;

/// Turns the values u of ids into their tags.
pub(super) fn finish(
    setup: &Setup,
    hash: &CorrelationHash,
    coin: Block,
    ids: &[Block],
    values: &mut [Block],
) {
    match setup.security() {
        Security::SemiHonest => hash.hash_each(values, 0),
        Security::Malicious => {
            // AES_key(id) + id under the key u + w.
            values.iter_mut().for_each(|value| *value ^= coin);
            aes::encrypt_each_and_add(values, ids);
        }
    }
    let kept = Block(u128::MAX >> (128 - bits(setup)));
    for value in values {
        *value = *value & kept;
    }
}

fn bits(setup: &Setup) -> u32 {
    8 * setup.tag_bytes as u32
}

/// Tags of one frame.
fn frame_tags(setup: &Setup) -> usize {
    BODY_BYTES_MAX / setup.tag_bytes
}

/// Sorts S's tags, sends them and returns them sorted. Two equal ones mean that the caller gave an id twice; then nothing is sent.
pub(super) fn send(
    channel: &mut Channel,
    setup: &Setup,
    tags: &[Block],
) -> Result<Vec<u128>, Fault> {
    let tags = sorted(setup, tags);
    if !tags.is_sorted_by(|a, b| a < b) {
        return Err(Misuse::Duplicate { what: "ids" }.into());
    }
    for part in tags.chunks(frame_tags(setup)) {
        channel.send_part(TAGS, &encode(setup, part))?;
    }
    Ok(tags)
}

/// The encoding of sorted tags: `tag_bytes` each, big end first, so that the bytes are sorted too.
pub(super) fn encode(setup: &Setup, sorted: &[u128]) -> Vec<u8> {
    let width = setup.tag_bytes;
    let mut bytes = vec![0; sorted.len() * width + TAG_BYTES_MALICIOUS];
    for (tag, at) in sorted.iter().zip((0..).step_by(width)) {
        // Sixteen bytes at a time; the next tag overwrites what is too much.
        let whole = (tag << (128 - bits(setup))).to_be_bytes();
        bytes[at..at + TAG_BYTES_MALICIOUS].copy_from_slice(&whole);
    }
    bytes.truncate(sorted.len() * width);
    bytes
}

/// S's tags, as many as agreed. An honest peer's are strictly ascending, as its ids are distinct.
pub(super) fn receive(channel: &mut Channel, setup: &Setup) -> Result<Vec<u128>, Fault> {
    let count = setup.sizes().sender() as usize;
    let mut tags = Vec::with_capacity(frame_tags(setup).min(count));
    while tags.len() < count {
        let part = frame_tags(setup).min(count - tags.len());
        let bytes: Vec<u8> = channel.receive_part(TAGS, part * setup.tag_bytes)?;
        decode(setup, &bytes, &mut tags)?;
    }
    Ok(tags)
}

/// Appends the tags in `bytes`, which has a whole number of them.
pub(super) fn decode(setup: &Setup, bytes: &[u8], tags: &mut Vec<u128>) -> Result<(), Fault> {
    let checked = tags.len().saturating_sub(1);
    tags.extend(bytes.chunks_exact(setup.tag_bytes).map(|tag| {
        let mut whole = [0; TAG_BYTES_MALICIOUS];
        whole[TAG_BYTES_MALICIOUS - tag.len()..].copy_from_slice(tag);
        u128::from_be_bytes(whole)
    }));
    if !tags[checked..].is_sorted_by(|a, b| a < b) {
        return Err(Misbehaviour::CheckFailed {
            check: "distinct tags in ascending order",
        }
        .into());
    }
    Ok(())
}

/// Spreads items over parts by their tags' first bits: where each part ends, and the items part by part.
fn by_part<T: Copy + Default>(
    setup: &Setup,
    items: impl Iterator<Item = T> + Clone,
    count: usize,
    tag: impl Fn(&T) -> u128,
) -> (Vec<usize>, Vec<T>) {
    let part_bits = (count / PART_TAGS).max(1).ilog2();
    let shift = bits(setup) - part_bits;
    let part = |item: &T| tag(item).checked_shr(shift).unwrap_or(0) as usize;
    let mut ends = vec![0; (1 << part_bits) + 1];
    let mut total = 0;
    for item in items.clone() {
        ends[part(&item) + 1] += 1;
        total += 1;
    }
    for i in 1..ends.len() {
        ends[i] += ends[i - 1];
    }
    let mut spread = vec![T::default(); total];
    for item in items {
        let next = &mut ends[part(&item)];
        spread[*next] = item;
        *next += 1;
    }
    ends.pop();
    (ends, spread)
}

/// The parts of a list that [`by_part`] made.
fn parts<'a, T>(ends: &[usize], mut spread: &'a mut [T]) -> Vec<&'a mut [T]> {
    let mut start = 0;
    let part = |end: &usize| {
        let (part, rest) = std::mem::take(&mut spread).split_at_mut(*end - start);
        (spread, start) = (rest, *end);
        part
    };
    ends.iter().map(part).collect()
}

fn sorted(setup: &Setup, tags: &[Block]) -> Vec<u128> {
    let items = tags.iter().map(|tag| tag.0);
    let (ends, mut spread) = by_part(setup, items, tags.len(), |tag| *tag);
    let shift = bits(setup) - (spread.len() / PART_TAGS).max(1).ilog2();
    parts(&ends, &mut spread)
        .into_par_iter()
        .for_each_init(Scratch::default, |scratch, part| scratch.sort(part, shift));
    spread
}

/// Working memory for sorting one part after the other.
#[derive(Default)]
struct Scratch {
    tags: Vec<u128>,
    ends: Vec<u32>,
}

impl Scratch {
    /// Sorts tags that agree in all bits from `shift` on: spreads them over about twice as many groups by their next bits, then
    /// sorts each group, which for an honest party's tags has one or two.
    fn sort(&mut self, part: &mut [u128], shift: u32) {
        let group_bits = (2 * part.len()).max(1).ilog2().min(shift);
        let group = |tag: &u128| {
            let next = tag.checked_shr(shift - group_bits).unwrap_or(0);
            next as usize & ((1 << group_bits) - 1)
        };
        self.tags.clear();
        self.tags.extend_from_slice(part);
        self.ends.clear();
        self.ends.resize((1 << group_bits) + 1, 0);
        for tag in part.iter() {
            self.ends[group(tag) + 1] += 1;
        }
        let mut total = 0;
        for end in &mut self.ends {
            total += *end;
            *end = total;
        }
        for tag in &self.tags {
            let next = &mut self.ends[group(tag)];
            part[*next as usize] = *tag;
            *next += 1;
        }
        let mut start = 0;
        for end in &self.ends[..1 << group_bits] {
            let end = *end as usize;
            if end - start > 1 {
                part[start..end].sort_unstable();
            }
            start = end;
        }
    }
}

/// Places whose tag is also among the peer's ascending ones, ascending. `candidates` come with places below `real`.
pub(super) fn join<'a>(
    setup: &Setup,
    candidates: impl Iterator<Item = (&'a Block, u32)> + Clone,
    real: u32,
    theirs: &[u128],
) -> Vec<u32> {
    let items = candidates.map(|(tag, place)| (tag.0, place));
    let (ends, mut spread) = by_part(setup, items, real as usize, |(tag, _)| *tag);
    let index = Index::new(setup, theirs);
    let mut common = vec![false; real as usize];
    let found: Vec<Vec<u32>> = parts(&ends, &mut spread)
        .into_par_iter()
        .map(|part| {
            // Every place is written and only common ones are kept: half of all guesses would be wrong.
            let mut found = vec![0; part.len() + 1];
            let mut count = 0;
            for (tag, place) in part.iter() {
                found[count] = *place;
                count += usize::from(index.holds(*tag));
            }
            found.truncate(count);
            found
        })
        .collect();
    for place in found.into_iter().flatten() {
        common[place as usize] = true;
    }
    let places = (0..).zip(common).filter(|(_, common)| *common);
    places.map(|(place, _)| place).collect()
}

/// Ascending tags, and where each group of equal first bits begins.
struct Index<'a> {
    tags: &'a [u128],
    starts: Vec<u32>,
    shift: u32,
}

impl<'a> Index<'a> {
    fn new(setup: &Setup, tags: &'a [u128]) -> Self {
        let group_bits = (tags.len() / GROUP_TAGS).max(1).ilog2();
        let shift = bits(setup) - group_bits;
        let mut starts = vec![0u32; (1 << group_bits) + 1];
        for tag in tags {
            starts[tag.checked_shr(shift).unwrap_or(0) as usize + 1] += 1;
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        Self {
            tags,
            starts,
            shift,
        }
    }

    fn holds(&self, tag: u128) -> bool {
        let group = tag.checked_shr(self.shift).unwrap_or(0) as usize;
        let (start, end) = (self.starts[group] as usize, self.starts[group + 1] as usize);
        match self.tags[start..].first_chunk::<COMPARED_TAGS>() {
            // Tags behind the group are another group's and equal to none of this one.
            Some(compared) if end - start <= COMPARED_TAGS => compared
                .iter()
                .fold(false, |found, other| found | (*other == tag)),
            _ => self.tags[start..end].binary_search(&tag).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psi::PaddedSizes;
    use proptest::prelude::*;

    fn setup(security: Security) -> Setup {
        let sizes = PaddedSizes::new(10, 10).expect("in range");
        Setup::new(sizes, 1, security).expect("in range")
    }

    proptest! {
        #[test]
        fn sorted_tags_are_sorted_and_travel_unchanged(tags in prop::collection::vec(any::<u128>(), 0..9_000), crowded: bool, malicious: bool) {
            let setup = setup(if malicious { Security::Malicious } else { Security::SemiHonest });
            let kept = u128::MAX >> (128 - bits(&setup));
            // Crowded ones share all their first bits, so that neither parts nor groups take them apart.
            let kept = if crowded { 0xffff_ffff } else { kept };
            let mut expected: Vec<u128> = tags.iter().map(|tag| tag & kept).collect();
            if crowded {
                expected.sort_unstable();
                expected.dedup();
                expected.reverse();
            }
            let unsorted: Vec<Block> = expected.iter().copied().map(Block).collect();
            let sorted = sorted(&setup, &unsorted);
            expected.sort_unstable();
            prop_assert_eq!(&sorted, &expected);
            let mut decoded = Vec::new();
            decode(&setup, &encode(&setup, &sorted), &mut decoded).expect("they ascend");
            prop_assert_eq!(&decoded, &sorted);
        }

        /// Also where all tags share their first bits, as a cheating sender's may.
        #[test]
        fn a_join_finds_what_both_have(own in prop::collection::vec(0u128..3_000, 0..500), theirs in prop::collection::btree_set(0u128..3_000, 0..500), spread: bool) {
            let setup = setup(Security::Malicious);
            let tag = |number: &u128| if spread { number << 116 | number } else { *number };
            let own: Vec<Block> = own.iter().map(|number| Block(tag(number))).collect();
            let theirs: Vec<u128> = theirs.iter().map(tag).collect();
            let expected: Vec<u32> = (0..).zip(&own).filter(|(_, tag)| theirs.contains(&tag.0)).map(|(place, _)| place).collect();
            let common = join(&setup, own.iter().zip(0..), own.len() as u32, &theirs);
            prop_assert_eq!(common, expected);
        }
    }
}
