//! Splits an id space into equal, padded buckets (protocols.md §9), so that memory is bounded by the buckets in flight and not by the
//! size of the sets, and every bucket is one protocol run with fresh randomness.
//!
//! **The bucket rule, version 1, is a contract between the parties**: an id's bucket is the number in the top log2(β) bits of its
//! 16-byte digest, first byte first; β is the power of two that gets the larger side to at most 2^20 ids a bucket, and every
//! bucket of a side is padded to the same size, which only the side's agreed total decides ([`crate::bounds`]).
//!
//! Who learns what: the partner sees β equal buckets of each side, whatever is in them.

use crate::bounds;
use crate::fault::{Abort, Fault, Misuse};
use crate::psi::{Id, PaddedSizes};

/// How a job's two sets are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    count: u64,
    sizes: PaddedSizes,
}

impl Buckets {
    /// The cut for the two agreed totals, each at most [`bounds::JOB_IDS_MAX`].
    pub fn new(receiver_ids: u64, sender_ids: u64) -> Result<Self, Fault> {
        let larger = receiver_ids.max(sender_ids);
        if larger > bounds::JOB_IDS_MAX {
            let max = bounds::JOB_IDS_MAX as usize;
            return Err(Misuse::TooMany {
                what: "padded ids",
                max,
                got: larger as usize,
            }
            .into());
        }
        let count = bounds::buckets(larger);
        let size = |ids| bounds::bucket_ids(ids, count) as u32;
        Ok(Self {
            count,
            sizes: PaddedSizes::new(size(receiver_ids), size(sender_ids))?,
        })
    }

    /// β.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What each bucket of each side is padded to.
    pub fn sizes(&self) -> PaddedSizes {
        self.sizes
    }

    /// An id's bucket.
    pub fn of(&self, id: &Id) -> usize {
        let (top, _) = id
            .as_bytes()
            .split_first_chunk::<8>()
            .expect("an id has 16 bytes");
        let top = u64::from_be_bytes(*top);
        // β = 1 shifts everything out, which `>>` alone would refuse.
        top.checked_shr(64 - self.count.trailing_zeros())
            .unwrap_or(0) as usize
    }

    /// The ids grouped by bucket. `size` is what each bucket of this side is padded to; a bucket with more ids is a statistical
    /// accident, bounded by λ₀, if the ids are keyed digests and at most as many as agreed.
    pub fn split(&self, ids: &[Id], size: u32) -> Result<Split, Fault> {
        let mut ends = vec![0u32; self.count as usize + 1];
        for id in ids {
            ends[self.of(id) + 1] += 1;
        }
        if ends.iter().any(|load| *load > size) {
            return Err(Abort::NoSolution {
                what: "spreading ids over the job's buckets",
            }
            .into());
        }
        for bucket in 1..ends.len() {
            ends[bucket] += ends[bucket - 1];
        }
        let mut split = Split {
            ids: vec![Id::new([0; 16]); ids.len()],
            places: vec![0; ids.len()],
            ends: Vec::new(),
        };
        for (place, id) in (0u32..).zip(ids) {
            let next = &mut ends[self.of(id)];
            split.ids[*next as usize] = *id;
            split.places[*next as usize] = place;
            *next += 1;
        }
        ends.pop();
        split.ends = ends;
        Ok(split)
    }
}

/// A party's ids, grouped by bucket.
pub struct Split {
    ids: Vec<Id>,
    places: Vec<u32>,
    ends: Vec<u32>,
}

impl Split {
    /// The ids of one bucket, and where each stood in the whole list.
    ///
    /// # Panics
    /// If there is no such bucket: a caller's defect.
    pub fn bucket(&self, bucket: usize) -> (&[Id], &[u32]) {
        let start = if bucket == 0 {
            0
        } else {
            self.ends[bucket - 1] as usize
        };
        let range = start..self.ends[bucket] as usize;
        (&self.ids[range.clone()], &self.places[range])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::prg::Prg;
    use proptest::prelude::*;

    fn ids(seed: u128, count: usize) -> Vec<Id> {
        Prg::new(Block(seed))
            .blocks(count)
            .into_iter()
            .map(|block| Id::new(block.to_bytes()))
            .collect()
    }

    #[test]
    fn an_overfull_bucket_is_a_fault() {
        let buckets = Buckets::new(10_000_000, 10_000_000).expect("in range");
        let all_in_one = vec![Id::new([7; 16]); 10];
        assert!(matches!(
            buckets.split(&all_in_one, 9),
            Err(Fault::Unlucky(_))
        ));
    }

    #[test]
    fn more_ids_than_any_job_has_are_refused() {
        assert!(Buckets::new(bounds::JOB_IDS_MAX + 1, 1).is_err());
    }

    /// Version 1 of the rule, as the partner's program has it: (ids of the larger side, first two bytes, bucket).
    #[test]
    fn the_bucket_rule_is_version_one() {
        let vectors = [
            (1u64 << 20, [0xff, 0xff], 0),
            ((1 << 20) + 1, [0x7f, 0xff], 0),
            ((1 << 20) + 1, [0x80, 0x00], 1),
            (10_000_000, [0x12, 0x34], 1),
            (10_000_000, [0xf0, 0x00], 15),
            (1_200_000_000, [0x12, 0x34], 0x091),
            (1_200_000_000, [0xff, 0xff], 2_047),
        ];
        for (larger, first, expected) in vectors {
            let mut digest = [0u8; 16];
            digest[..2].copy_from_slice(&first);
            let buckets = Buckets::new(larger, 1).expect("in range");
            assert_eq!(
                buckets.of(&Id::new(digest)),
                expected,
                "{larger} ids, {first:02x?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_id_stands_once_in_its_bucket(seed: u128, count in 0usize..2_000, log_buckets in 0u32..6) {
            let buckets = Buckets::new(1 << (20 + log_buckets), 1).expect("in range");
            let ids = ids(seed, count);
            let split = buckets.split(&ids, 2_000).expect("no bucket is overfull");
            let mut seen = vec![false; count];
            for bucket in 0..buckets.count() as usize {
                let (members, places) = split.bucket(bucket);
                for (id, place) in members.iter().zip(places) {
                    prop_assert!(*id == ids[*place as usize] && buckets.of(id) == bucket);
                    prop_assert!(!std::mem::replace(&mut seen[*place as usize], true));
                }
            }
            prop_assert!(seen.into_iter().all(|seen| seen));
        }
    }
}
