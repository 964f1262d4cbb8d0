//! Who reads: one party or both, by their places in the question, and which of them is R of the protocol.

use super::scope::{Scope, Table};
use crate::job::Job;

/// The sides that read the result; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// One side.
    One(usize),
    /// Both; R has the smaller set, because R's part of the protocol is the dearer one.
    Both {
        /// R.
        receiver: usize,
    },
}

impl Readers {
    /// The readers of `job`, all of whom are parties of the question; `None` if there is none.
    pub(super) fn of(job: &Job, scope: &Scope<'_>) -> Option<Self> {
        let sides = scope.tables.iter().enumerate();
        let mut readers = sides.filter(|(_, table)| job.results_to.contains(&table.org));
        let (first, of_first) = readers.next()?;
        let Some((second, of_second)) = readers.next() else {
            return Some(Self::One(first));
        };
        let ids = |table: &Table<'_>| table.publication.ids_rounded;
        // Equal sizes: the first in FROM, so that the text alone decides.
        let receiver = match ids(of_second) < ids(of_first) {
            true => second,
            false => first,
        };
        Some(Self::Both { receiver })
    }

    /// R of the protocol.
    pub(super) fn receiver(self) -> usize {
        match self {
            Self::One(receiver) | Self::Both { receiver } => receiver,
        }
    }

    /// Whether `side` reads.
    pub(super) fn contains(self, side: usize) -> bool {
        match self {
            Self::One(reader) => reader == side,
            Self::Both { .. } => true,
        }
    }
}
