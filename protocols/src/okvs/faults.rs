//! Whose doing it is that keys cannot be encoded.

use super::{EncodeError, RowsError};
use crate::block::Block;
use crate::fault::{Abort, Fault, Misuse};
use std::collections::HashSet;

/// Keys that a party could not encode, and the words in which a fault speaks of them.
pub(crate) struct Unencodable<K> {
    /// What a caller calls the keys, or what they were made of.
    pub(crate) items: &'static str,
    /// The keys.
    pub(crate) keys: K,
}

impl<K: Iterator<Item = Block>> Unencodable<K> {
    /// They could not be laid out.
    pub(crate) fn rows(self, error: RowsError) -> Fault {
        match error {
            RowsError::WrongCount { got, expected } => Misuse::Count {
                what: "OKVS keys",
                expected: expected as usize,
                got: got as usize,
            }
            .into(),
            RowsError::BinOverflow { .. } => {
                self.by_chance_or_twice("spreading keys over the OKVS's bins")
            }
        }
    }

    /// They were laid out and have no solution.
    pub(crate) fn solution(self, error: EncodeError) -> Fault {
        match error {
            EncodeError::DuplicateKey => Misuse::Duplicate { what: self.items }.into(),
            EncodeError::Dependent { .. } => self.by_chance_or_twice("the OKVS"),
        }
    }

    fn by_chance_or_twice(mut self, what: &'static str) -> Fault {
        let mut seen = HashSet::new();
        match self.keys.all(|key| seen.insert(key)) {
            true => Abort::NoSolution { what }.into(),
            false => Misuse::Duplicate { what: self.items }.into(),
        }
    }
}
