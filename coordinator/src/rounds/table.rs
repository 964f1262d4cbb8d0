//! Who takes part in which round, and how much of it there may be at the same time.

use super::departure::{no_memory, too_many_rounds};
use super::seat::Joining;
use crate::limits::{ROUNDS_BYTES_MAX, ROUNDS_MAX, ROUNDS_PER_ORG_MAX};
use entente_wire::canonical::Digest;
use entente_wire::names::OrgName;
use entente_wire::problem::Problem;
use entente_wire::seal::JobHash;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// One for the whole coordinator. Cheap to clone. Tickets and rooms lock it when they are dropped: drop none while it is locked.
#[derive(Clone, Default)]
pub(super) struct Table(Arc<Mutex<Entries>>);

#[derive(Default)]
pub(super) struct Entries {
    /// The gathering of each job that has one.
    gatherings: BTreeMap<JobHash, Gathering>,
    /// A member's newest stream in each job.
    seats: BTreeMap<(OrgName, JobHash), Taken>,
    rounds: usize,
    bytes: u64,
    numbers: u64,
}

struct Gathering {
    round: RoundId,
    joins: mpsc::Sender<Joining>,
}

struct Taken {
    seat: SeatId,
    /// Dropped when a newer stream takes its place.
    _until_replaced: oneshot::Sender<()>,
}

/// A gathering and the round that comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoundId(u64);

/// One stream of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeatId(u64);

/// A member's right to a stream; given back when dropped.
pub(super) struct Ticket {
    table: Table,
    place: (OrgName, JobHash),
    pub(super) seat: SeatId,
}

/// A round's right to be; given back when dropped.
pub(super) struct Room {
    table: Table,
    job: JobHash,
    round: RoundId,
    bytes: u64,
}

impl Table {
    pub(super) fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for `org`, for which [`Entries::check`] found room; an older one in the same job ends. The receiver fails when this
    /// one is replaced.
    pub(super) fn seat(
        &self,
        entries: &mut Entries,
        org: &OrgName,
        job: JobHash,
    ) -> (Ticket, oneshot::Receiver<()>) {
        let place = (org.clone(), job);
        let seat = SeatId(entries.next_number());
        let (until_replaced, replaced) = oneshot::channel();
        let taken = Taken {
            seat,
            _until_replaced: until_replaced,
        };
        entries.seats.insert(place.clone(), taken);
        let table = self.clone();
        (Ticket { table, place, seat }, replaced)
    }

    /// Room for a gathering of `job`, where later joins come to `joins`.
    pub(super) fn room(
        &self,
        entries: &mut Entries,
        job: JobHash,
        joins: mpsc::Sender<Joining>,
    ) -> Result<Room, Problem> {
        if entries.rounds >= ROUNDS_MAX {
            return Err(too_many_rounds("the coordinator", ROUNDS_MAX));
        }
        let round = RoundId(entries.next_number());
        entries.rounds += 1;
        entries.gatherings.insert(job, Gathering { round, joins });
        Ok(Room {
            table: self.clone(),
            job,
            round,
            bytes: 0,
        })
    }
}

impl Entries {
    /// Where joins of this job go, if it has a gathering.
    pub(super) fn gathering(&self, job: JobHash) -> Option<&mpsc::Sender<Joining>> {
        self.gatherings.get(&job).map(|gathering| &gathering.joins)
    }

    /// Whether `org` may have one stream more, in this job.
    pub(super) fn check(&self, org: &OrgName, job: JobHash) -> Result<(), Problem> {
        match self.seats_of(org).filter(|of| **of != job).count() {
            others if others >= ROUNDS_PER_ORG_MAX => Err(too_many_rounds(org, ROUNDS_PER_ORG_MAX)),
            _ => Ok(()),
        }
    }

    fn seats_of<'a>(&'a self, org: &'a OrgName) -> impl Iterator<Item = &'a JobHash> {
        let first = (org.clone(), JobHash(Digest([0; 32])));
        let seats = self.seats.range(first..).map(|((of, job), _)| (of, job));
        seats
            .take_while(move |(of, _)| *of == org)
            .map(|(_, job)| job)
    }

    fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn close(&mut self, job: JobHash, round: RoundId) {
        let is_its_own = |gathering: &Gathering| gathering.round == round;
        if self.gatherings.get(&job).is_some_and(is_its_own) {
            self.gatherings.remove(&job);
        }
    }
}

impl Room {
    /// No more joins come to this gathering; those before are in its queue.
    pub(super) fn close(&self) {
        self.table.lock().close(self.job, self.round);
    }

    /// The same, unless a join is on its way. Whether it is closed.
    pub(super) fn close_if_quiet(&self, joins: &mpsc::Receiver<Joining>) -> bool {
        let mut entries = self.table.lock();
        let is_quiet = joins.is_empty();
        if is_quiet {
            entries.close(self.job, self.round);
        }
        is_quiet
    }

    /// Memory for a round, until it ends.
    pub(super) fn hold(&mut self, bytes: u64) -> Result<(), Problem> {
        let mut entries = self.table.lock();
        let held = entries.bytes.saturating_add(bytes);
        if held > ROUNDS_BYTES_MAX {
            return Err(no_memory());
        }
        entries.bytes = held;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut entries = self.table.lock();
        let newest = entries.seats.get(&self.place).map(|taken| taken.seat);
        if newest == Some(self.seat) {
            entries.seats.remove(&self.place);
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut entries = self.table.lock();
        entries.close(self.job, self.round);
        entries.rounds = entries.rounds.saturating_sub(1);
        entries.bytes = entries.bytes.saturating_sub(self.bytes);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;
    use entente_wire::problem::Code;
    use tokio::sync::oneshot::error::TryRecvError;

    fn job(number: u8) -> JobHash {
        JobHash(Digest([number; 32]))
    }

    #[test]
    fn one_organisation_sits_in_so_many_rounds_and_others_do_not_feel_it() {
        let [north, river] = ["north-bank", "river-pay"].map(|org| org.parse().unwrap());
        let table = Table::default();
        let seat = |org: &OrgName, number: usize| -> Result<_, Problem> {
            let job = job(u8::try_from(number).unwrap());
            let mut entries = table.lock();
            entries.check(org, job)?;
            Ok(table.seat(&mut entries, org, job))
        };
        let mut seats: Vec<_> = (1..=ROUNDS_PER_ORG_MAX)
            .map(|number| seat(&north, number).unwrap())
            .collect();
        let refused = seat(&north, 100).err().unwrap();
        assert_eq!(refused.code, Code::CoordinatorRefused);
        seat(&river, 100).unwrap();
        // A new stream takes the old one's place, and the old one gives nothing back when it ends.
        let (newer, mut not_replaced) = seat(&north, 1).unwrap();
        let (old, mut replaced) = seats.remove(0);
        assert_eq!(replaced.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(not_replaced.try_recv(), Err(TryRecvError::Empty));
        drop(old);
        assert!(seat(&north, 100).is_err());
        drop(newer);
        seat(&north, 100).unwrap();
    }

    #[test]
    fn rounds_and_their_memory_are_bounded_and_given_back() {
        let table = Table::default();
        let room = |number: usize| {
            let (joins, _) = mpsc::channel(1);
            table.room(&mut table.lock(), job(u8::try_from(number).unwrap()), joins)
        };
        let mut rooms: Vec<Room> = (0..ROUNDS_MAX)
            .map(|number| room(number).unwrap())
            .collect();
        assert!(room(200).is_err());
        rooms[0].hold(ROUNDS_BYTES_MAX - 1).unwrap();
        assert!(rooms[1].hold(2).is_err());
        rooms.remove(0);
        rooms[0].hold(ROUNDS_BYTES_MAX).unwrap();
        room(200).unwrap();
        assert!(table.lock().gathering(job(1)).is_some());
        drop(rooms);
        assert!(table.lock().gathering(job(1)).is_none());
        let entries = table.lock();
        assert_eq!((entries.rounds, entries.bytes), (0, 0));
    }
}
