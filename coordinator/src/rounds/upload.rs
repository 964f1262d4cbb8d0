//! A member's vector on its way into the sum.
//!
//! A vector counts whole or not at all, so it is held until its last word has come. Only a few are read at a time; what the others send stays in
//! their connections, which HTTP/2 lets run full.

use super::departure::{Departure, Misstep};
use super::facts::WORD_BYTES;
use crate::limits::{RoundWaits, VECTOR_BYTES_PER_S_MIN};
use entente_wire::limits::ROUND_WORDS_BYTES;
use entente_wire::rpc::coordinator::v1::RoundUp;
use entente_wire::rpc::coordinator::v1::round_up::Step;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tonic::{Status, Streaming};

/// A vector of which all words have come, and the right to hold it.
#[derive(Debug)]
pub(super) struct Vector {
    bytes: Vec<u8>,
    /// Given back when the vector is in the sum.
    _permit: Option<OwnedSemaphorePermit>,
}

/// The words that came so far.
struct Arriving {
    bytes: Vec<u8>,
    due: usize,
}

impl Arriving {
    fn new(due: usize) -> Self {
        let bytes = Vec::with_capacity(due);
        Self { bytes, due }
    }

    fn take(&mut self, words: &[u8]) -> Result<(), Misstep> {
        let got = words.len();
        if got == 0 || got > ROUND_WORDS_BYTES || !got.is_multiple_of(WORD_BYTES) {
            return Err(Misstep::BrokenWords(got));
        }
        if got > self.due - self.bytes.len() {
            return Err(Misstep::TooManyWords(self.due / WORD_BYTES));
        }
        self.bytes.extend_from_slice(words);
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.bytes.len() == self.due
    }
}

/// Reads vectors of one length.
#[derive(Debug, Clone)]
pub(super) struct Uploads {
    /// Without permits until the round takes contributions.
    places: Arc<Semaphore>,
    bytes: usize,
    waits: RoundWaits,
}

impl Uploads {
    pub(super) fn new(bytes: usize, waits: RoundWaits) -> Self {
        let places = Arc::new(Semaphore::new(0));
        Self {
            places,
            bytes,
            waits,
        }
    }

    /// From now on so many are read at a time.
    pub(super) fn open(&self, at_once: usize) {
        self.places.add_permits(at_once);
    }

    /// One member's vector, when it is its turn. The round's deadline is over the wait for it; whoever calls this bounds it so.
    pub(super) async fn read(&self, steps: &mut Streaming<RoundUp>) -> Result<Vector, Departure> {
        let permit = self.places.clone().acquire_owned().await;
        let permit = permit.map_err(|_| Departure::Closed)?;
        let most = self.waits.idle + taken_at(self.bytes, VECTOR_BYTES_PER_S_MIN);
        let whole = timeout(most, self.read_now(steps)).await;
        let bytes = whole.map_err(|_| late())??;
        Ok(Vector {
            bytes,
            _permit: Some(permit),
        })
    }

    async fn read_now(&self, steps: &mut Streaming<RoundUp>) -> Result<Vec<u8>, Departure> {
        let mut arriving = Arriving::new(self.bytes);
        while !arriving.is_whole() {
            let next = timeout(self.waits.idle, next(steps)).await;
            match next.map_err(|_| late())?? {
                Step::Words(words) => arriving.take(&words).map_err(Departure::Broke)?,
                Step::Left(problem) => return Err(Departure::left(&problem)),
                _ => {
                    return Err(Departure::Broke(Misstep::OutOfOrder {
                        sent: "another step",
                        due: "the rest of its words",
                    }));
                }
            }
        }
        Ok(arriving.bytes)
    }
}

fn late() -> Departure {
    Departure::Late("the words of its contribution")
}

/// The next step that a member sends.
pub(super) async fn next(steps: &mut Streaming<RoundUp>) -> Result<Step, Departure> {
    match steps.message().await {
        Ok(Some(RoundUp { step: Some(step) })) => Ok(step),
        Ok(Some(RoundUp { step: None })) => Err(Departure::Broke(Misstep::OutOfOrder {
            sent: "a step that this version does not know",
            due: "another",
        })),
        Ok(None) => Err(Departure::Closed),
        Err(status) => Err(broken(&status)),
    }
}

fn broken(status: &Status) -> Departure {
    match status.code() {
        tonic::Code::OutOfRange => Departure::Broke(Misstep::Unreadable),
        _ => Departure::Closed,
    }
}

/// What so many bytes take.
pub(super) fn taken_at(bytes: usize, bytes_per_s: u64) -> Duration {
    Duration::from_millis(bytes as u64 * 1_000 / bytes_per_s)
}

/// The sum of all vectors so far, modulo 2^64.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sum(Vec<u64>);

impl Sum {
    /// Of so many words, without any vector.
    pub(super) fn new(words: usize) -> Self {
        Self(vec![0; words])
    }

    pub(super) fn words(&self) -> usize {
        self.0.len()
    }

    /// With one vector more.
    pub(super) fn add(&mut self, vector: &Vector) {
        let (words, _) = vector.bytes.as_chunks::<WORD_BYTES>();
        for (sum, word) in self.0.iter_mut().zip(words) {
            *sum = sum.wrapping_add(u64::from_le_bytes(*word));
        }
    }

    /// Some of its words as they are sent.
    pub(super) fn bytes(&self, words: Range<usize>) -> Vec<u8> {
        let words = self.0.get(words).unwrap_or_default();
        let mut bytes = vec![0; words.len() * WORD_BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<WORD_BYTES>();
        for (chunk, word) in chunks.iter_mut().zip(words) {
            *chunk = word.to_le_bytes();
        }
        bytes
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vector(words: &[u64]) -> Vector {
        let mut arriving = Arriving::new(words.len() * WORD_BYTES);
        for word in words {
            assert!(!arriving.is_whole());
            arriving.take(&word.to_le_bytes()).unwrap();
        }
        assert!(arriving.is_whole());
        Vector {
            bytes: arriving.bytes,
            _permit: None,
        }
    }

    #[test]
    fn half_words_no_words_and_too_many_words_are_refused() {
        let mut arriving = Arriving::new(24);
        for broken in [0, 1, 7, 9, ROUND_WORDS_BYTES + WORD_BYTES] {
            let refused = arriving.take(&vec![0; broken]);
            assert_eq!(refused, Err(Misstep::BrokenWords(broken)));
        }
        arriving.take(&[0; 16]).unwrap();
        assert_eq!(arriving.take(&[0; 16]), Err(Misstep::TooManyWords(3)));
        assert!(!arriving.is_whole());
        arriving.take(&[0; 8]).unwrap();
        assert!(arriving.is_whole());
    }

    proptest! {
        #[test]
        fn a_sum_is_the_plain_wrapping_sum_of_its_vectors(
            vectors in (1..20usize).prop_flat_map(|words| {
                proptest::collection::vec(proptest::collection::vec(any::<u64>(), words), 1..6)
            }),
        ) {
            let words = vectors[0].len();
            let mut sum = Sum::new(words);
            let mut plain = vec![0u64; words];
            for one in &vectors {
                sum.add(&vector(one));
                plain.iter_mut().zip(one).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
            }
            prop_assert_eq!(&sum.0, &plain);
            let bytes: Vec<u8> = plain.iter().flat_map(|word| word.to_le_bytes()).collect();
            prop_assert_eq!(sum.bytes(0..words), bytes);
        }
    }
}
