//! What a run keeps in case its line breaks: the list as it was cut, which buckets are over, and what they found. A later session
//! of the same job goes on from there if the partner has kept the same; otherwise it is thrown away and begun anew.
//!
//! Lives in memory and in spill files that no name leads to, so a node that stops loses it and begins anew too. Ends with the job,
//! or when no session has followed for a while.

use super::shares::Shares;
use crate::data::{Prepared, RowSet};
use entente_wire::canonical::Digest;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::session::{BucketSet, Continued, Opening};
use std::sync::{Mutex, PoisonError};

/// Domain of the digest of all buckets' conversations.
const SAID_TAG: &str = "entente/1/buckets-said";

/// A list in the middle of a run. Holds digests of ids: no `Debug`.
pub(super) struct Kept {
    pub(super) prepared: Prepared,
    /// Rows that the partner has too, as far as buckets are over; none in a blind join, where nobody learns them.
    pub(super) common: RowSet,
    /// What a blind join leaves instead.
    pub(super) shares: Shares,
    pub(super) course: Course,
}

/// How far a run has come.
pub(super) struct Course {
    /// The session whose key the digests are under.
    session: Digest,
    /// Our dataset version and the partner's, as both signed them.
    versions: [Digest; 2],
    /// What was said in each bucket that is over, as a digest that both nodes have.
    finished: Mutex<Vec<Option<[u8; 32]>>>,
}

impl Kept {
    /// A list that was just read.
    pub(super) fn new(prepared: Prepared, course: Course) -> Self {
        let common = prepared.row_set();
        Self {
            prepared,
            common,
            shares: Shares::default(),
            course,
        }
    }
}

impl Course {
    /// The beginning of a run in so many buckets, under this session.
    pub(super) fn new(session: Digest, versions: [Digest; 2], buckets: u64) -> Self {
        Self {
            session,
            versions,
            finished: Mutex::new(vec![None; buckets as usize]),
        }
    }

    /// What this node's next opening says of it, if the list would still be the same.
    pub(super) fn continued(&self, dataset_version: Digest) -> Option<Continued> {
        (self.versions[0] == dataset_version).then(|| Continued {
            session: self.session,
            finished: BucketSet::new(&self.finished()),
        })
    }

    /// The session whose list this is.
    pub(super) fn session(&self) -> Digest {
        self.session
    }

    /// The buckets still to do where both openings go on from this list. A bucket that only one side finished is run again.
    pub(super) fn left(
        &self,
        peer: &OrgName,
        own: &Opening,
        partner: &Opening,
    ) -> Result<Vec<u64>, Problem> {
        if partner.dataset_version != self.versions[1] {
            let what = "it would go on with another dataset version than it began with";
            return Err(misbehaved(peer, what));
        }
        let buckets = self.finished().len();
        let set = |opening: &Opening| opening.continues.as_ref()?.finished.of(buckets);
        let (Some(ours), Some(theirs)) = (set(own), set(partner)) else {
            return Err(misbehaved(peer, "it names other buckets than the job has"));
        };
        let both = ours
            .iter()
            .zip(&theirs)
            .map(|(ours, theirs)| *ours && *theirs);
        let left = (0u64..).zip(both).filter(|(_, over)| !over);
        Ok(left.map(|(bucket, _)| bucket).collect())
    }

    /// These buckets are run again: until they are over once more they are not, at either node. Else a line that breaks again in
    /// the middle could leave one node with the first run's outcome and the other with the second's, both held to be over.
    pub(super) fn reopen(&self, buckets: &[u64]) {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        for bucket in buckets {
            if let Some(finished) = finished.get_mut(*bucket as usize) {
                *finished = None;
            }
        }
    }

    /// A bucket is over at this node. `said` is a digest of its conversation.
    pub(super) fn finish(&self, bucket: u64, said: [u8; 32]) {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(finished) = finished.get_mut(bucket as usize) {
            *finished = Some(said);
        }
    }

    /// Everything said in all buckets, whichever session they ran in; for signing once all are over. A protocol without buckets
    /// has said everything in the session's own channel.
    pub(super) fn said(&self) -> Result<[u8; 32], Problem> {
        let finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = finished.iter().filter(|said| said.is_none()).count();
        if missing > 0 && finished.len() > 1 {
            let what = format!("{missing} of {} buckets were not run", finished.len());
            return Err(Problem::here(
                Code::Defect,
                what,
                "report this with the node's log",
            ));
        }
        let all: Vec<u8> = finished.iter().flatten().flatten().copied().collect();
        Ok(Digest::of(SAID_TAG, &[&all]).0)
    }

    /// Every bucket, for a run from the beginning.
    pub(super) fn all(&self) -> Vec<u64> {
        (0..self.finished().len() as u64).collect()
    }

    fn finished(&self) -> Vec<bool> {
        let finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        finished.iter().map(Option::is_some).collect()
    }
}

/// The session that both openings go on from, if they name the same one.
pub(super) fn agreed(own: &Opening, partner: &Opening) -> Option<Digest> {
    let (ours, theirs) = own.continues.as_ref().zip(partner.continues.as_ref())?;
    (ours.session == theirs.session).then_some(ours.session)
}

fn misbehaved(peer: &OrgName, what: &str) -> Problem {
    let side = Side::Partner { org: peer.clone() };
    let what = format!("{peer}'s node cannot go on from an earlier session: {what}");
    let todo = "do not repeat the job before the partner has explained it";
    Problem::new(Code::PartnerMisbehaved, side, what, todo)
}

#[cfg(test)]
mod tests;
