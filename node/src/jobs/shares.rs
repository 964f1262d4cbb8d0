//! This node's additive shares of a blind join's table, bucket by bucket, until they are released.
//!
//! A bucket that is run again gives new shares at both nodes: they replace the old ones, of which nothing may be added to the new.
//! A share alone says nothing about the table; with the partner's it says everything. It is wiped when it goes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Shares by bucket. Must not be sent or written: no `Debug`.
#[derive(Default)]
pub(super) struct Shares {
    buckets: Mutex<BTreeMap<u64, Zeroizing<Vec<u128>>>>,
}

impl Shares {
    /// A bucket is over at this node. Words lie by cell, and in a cell by moment.
    pub(super) fn keep(&self, bucket: u64, words: Vec<u128>) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.insert(bucket, Zeroizing::new(words));
    }

    /// This node's share of the whole table: the sum over all `buckets`, each word modulo 2^`bits` of its moment. `None` where a
    /// bucket is missing, or does not have `words` words.
    pub(super) fn sum(
        &self,
        buckets: u64,
        words: usize,
        bits: &[u32],
    ) -> Option<Zeroizing<Vec<u128>>> {
        let kept = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = Zeroizing::new(vec![0_u128; words]);
        for bucket in 0..buckets {
            let share = kept.get(&bucket).filter(|share| share.len() == words)?;
            for (sum, word) in sum.iter_mut().zip(share.iter()) {
                *sum = sum.wrapping_add(*word);
            }
        }
        for (word, bits) in sum.iter_mut().zip(bits.iter().cycle()) {
            *word &= 1_u128.checked_shl(*bits).unwrap_or(0).wrapping_sub(1);
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_modulo_each_moments_range_and_a_second_run_replaces_the_first() {
        let shares = Shares::default();
        let sum = |words| shares.sum(2, words, &[8, 128]).map(|sum| sum.to_vec());
        shares.keep(0, vec![200, u128::MAX, 1, 2]);
        assert_eq!(sum(4), None, "a bucket is missing");
        shares.keep(1, vec![1; 4]);
        shares.keep(1, vec![100, 3, 255, 5]);
        assert_eq!(sum(4), Some(vec![44, 2, 0, 7]));
        assert_eq!(sum(3), None);
    }
}
