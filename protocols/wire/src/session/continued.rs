//! Going on after a line broke: the later session of a job does only the buckets that the earlier ones did not finish.
//!
//! Both nodes say in their openings which earlier session they have kept work of, and which buckets they finished. Where both
//! name the same one, ids keep that session's digests, so that buckets stay what they were; every bucket that is run has the new
//! session's identity and fresh randomness, and a bucket that both finished is never run again. Where they do not, everything
//! begins anew. What a node finished is public to its partner: it took part.

use crate::canonical::Digest;
use crate::problem::{Code, Problem};
use serde::{Deserialize, Serialize};

/// What a node has kept of earlier sessions of the same job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Continued {
    /// The first of these sessions: the one whose id digests are used.
    pub session: Digest,
    /// The buckets that this node finished.
    pub finished: BucketSet,
}

/// Most buckets that a set can name: those of the largest job that is planned.
pub const BUCKETS_MAX: usize = 1 << 11;

/// Which of a job's buckets: one bit each, lowest first, as lower-case hexadecimal digits of the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketSet(Vec<u8>);

impl BucketSet {
    /// The buckets that are true.
    ///
    /// # Panics
    /// If there are more than [`BUCKETS_MAX`]: a caller's defect.
    pub fn new(buckets: &[bool]) -> Self {
        assert!(buckets.len() <= BUCKETS_MAX, "buckets in range");
        let byte = |bits: &[bool]| {
            bits.iter()
                .rev()
                .fold(0, |byte, bit| byte << 1 | u8::from(*bit))
        };
        Self(buckets.chunks(8).map(byte).collect())
    }

    /// One answer for each of the job's `buckets`; nothing if the set is not one of so many.
    pub fn of(&self, buckets: usize) -> Option<Vec<bool>> {
        let is_set = |bucket: usize| (self.0[bucket / 8] >> (bucket % 8)) & 1 == 1;
        let fits = self.0.len() == buckets.div_ceil(8);
        let clean = fits && !(buckets..8 * self.0.len()).any(is_set);
        clean.then(|| (0..buckets).map(is_set).collect())
    }
}

impl From<BucketSet> for String {
    fn from(set: BucketSet) -> Self {
        hex::encode(set.0)
    }
}

impl TryFrom<String> for BucketSet {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let short = text.len() <= 2 * BUCKETS_MAX / 8;
        let bytes = hex::decode(&text).ok().filter(|_| lower && short);
        bytes.map(Self).ok_or_else(|| {
            let what = "a set of buckets is not written in lower-case hexadecimal digits";
            Problem::request(Code::Argument, what, "upgrade the older of the two nodes")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_one_text_and_comes_back() {
        for count in [1, 2, 7, 8, 9, 16, 100, BUCKETS_MAX] {
            let buckets: Vec<bool> = (0..count).map(|bucket| bucket % 3 == 0).collect();
            let text = String::from(BucketSet::new(&buckets));
            let read = BucketSet::try_from(text).expect("own text");
            assert_eq!(read.of(count), Some(buckets));
        }
        assert_eq!(String::from(BucketSet::new(&[true, false, true])), "05");
    }

    #[test]
    fn sets_of_other_sizes_and_stray_bits_are_none() {
        let set = BucketSet::new(&[true; 9]);
        assert!(set.of(9).is_some());
        for other in [0, 8, 17, 100] {
            assert_eq!(set.of(other), None, "{other}");
        }
        let stray = BucketSet::try_from("ff".to_owned()).expect("digits");
        assert_eq!(stray.of(7), None);
    }

    #[test]
    fn other_texts_are_refused() {
        let long = "00".repeat(BUCKETS_MAX / 8 + 1);
        for text in ["0", "0G", "AB", " 0", long.as_str()] {
            assert!(BucketSet::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
