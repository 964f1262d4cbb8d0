//! What a run keeps in case its line breaks: the list as it was cut, which buckets are over, and what they found. A later session
//! of the same job goes on from there if the partner has kept the same; otherwise it is thrown away and begun anew.
//!
//! Lives in memory and in spill files that no name leads to, so a node that stops loses it and begins anew too. Ends with the job.

use crate::data::{Prepared, RowSet};
use entente_wire::canonical::Digest;
use entente_wire::session::{BucketSet, Continued, Opening};
use std::sync::{Mutex, PoisonError};

/// A list in the middle of a run. Holds digests of ids: no `Debug`.
pub(super) struct Kept {
    /// The session whose key the digests are under.
    session: Digest,
    dataset_version: Digest,
    pub(super) prepared: Prepared,
    /// Rows that the partner has too, as far as buckets are over.
    pub(super) common: RowSet,
    finished: Mutex<Vec<bool>>,
}

impl Kept {
    /// A list that was just read for `session`, in so many buckets.
    pub(super) fn new(
        session: Digest,
        dataset_version: Digest,
        prepared: Prepared,
        buckets: u64,
    ) -> Self {
        Self {
            session,
            dataset_version,
            common: prepared.row_set(),
            prepared,
            finished: Mutex::new(vec![false; buckets as usize]),
        }
    }

    /// What this node's next opening says of it, if the list would still be the same.
    pub(super) fn continued(&self, dataset_version: Digest) -> Option<Continued> {
        (self.dataset_version == dataset_version).then(|| Continued {
            session: self.session,
            finished: BucketSet::new(&self.finished()),
        })
    }

    /// The buckets still to do, if both openings go on from what is kept here. A bucket that only one side finished is run again.
    pub(super) fn left(&self, own: &Opening, partner: &Opening) -> Option<Vec<u64>> {
        let (ours, theirs) = own.continues.as_ref().zip(partner.continues.as_ref())?;
        if (ours.session, theirs.session) != (self.session, self.session) {
            return None;
        }
        let buckets = self.finished().len();
        let (ours, theirs) = (ours.finished.of(buckets)?, theirs.finished.of(buckets)?);
        let both = ours
            .iter()
            .zip(&theirs)
            .map(|(ours, theirs)| *ours && *theirs);
        let left = (0u64..).zip(both).filter(|(_, over)| !over);
        Some(left.map(|(bucket, _)| bucket).collect())
    }

    /// A bucket is over at this node.
    pub(super) fn finish(&self, bucket: u64) {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(finished) = finished.get_mut(bucket as usize) {
            *finished = true;
        }
    }

    /// Every bucket, for a run from the beginning.
    pub(super) fn all(&self) -> Vec<u64> {
        (0..self.finished().len() as u64).collect()
    }

    fn finished(&self) -> Vec<bool> {
        let finished = self.finished.lock();
        finished.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
