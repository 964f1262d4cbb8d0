//! A whole job: all its buckets, several in flight, each on a channel of its own.
//!
//! With c channels, channel k runs the buckets at places k, k + c, k + 2c … of an agreed list one after the other, so both parties
//! must have the same number of channels and the same list. While one bucket waits for the peer, another computes. Memory is
//! bounded by the buckets in flight: a party's ids are asked for bucket by bucket, and what was found is handed on at once.
//!
//! Every bucket has its own session id and its own randomness, also when it is run again under a later session. A fault on one
//! channel ends them all: the party is told at once, so that it can hang up where others wait, and of several faults the one in
//! which the peer was caught counts.

use super::{Readers, Setup, receiver, sender};
use crate::block::Block;
use crate::buckets::Buckets;
use crate::channel::{Channel, Totals};
use crate::fault::{Abort, Fault, Misuse};
use crate::hash;
use crate::prg::Prg;
use crate::psi::{Id, SessionId};
use crate::security::Security;
use rand_core::CryptoRng;
use std::sync::{Mutex, PoisonError};

/// A party's list, cut as [`Job::buckets`] says, and what becomes of it. Asked from as many threads as there are channels,
/// each bucket by one of them.
pub trait Party: Sync {
    /// The ids of one bucket and whatever the party wants to know of them later.
    type Bucket;
    /// Why a bucket could not be had or its answer not be kept.
    type Error: From<Fault> + Send;

    /// One bucket, from where the party keeps it.
    fn load(&self, bucket: u64) -> Result<Self::Bucket, Self::Error>;

    /// Its ids: distinct, at most as many as the bucket is padded to.
    fn ids(bucket: &Self::Bucket) -> &[Id];

    /// The bucket is over. `common` are the places in its ids that the peer has too; nothing at a party that does not read.
    /// `said` is a digest of everything said on the bucket's channel so far, the same at both parties.
    fn finished(
        &self,
        number: u64,
        bucket: Self::Bucket,
        common: Vec<u32>,
        said: [u8; 32],
    ) -> Result<(), Self::Error>;

    /// A channel has met a fault: nothing more may be sent on any other, and whoever waits on one is to be woken.
    fn broke_off(&self);
}

/// Why a channel's thread ended.
enum Stop<E> {
    Fault(Fault),
    Party(E),
}

impl<E: From<Fault>> Stop<E> {
    /// The peer was caught cheating: of several ends this is the one that counts.
    fn caught(&self) -> bool {
        matches!(self, Self::Fault(Fault::Misbehaved(_)))
    }

    fn into_error(self) -> E {
        match self {
            Self::Fault(fault) => fault.into(),
            Self::Party(error) => error,
        }
    }
}

/// What both parties fix once for a job.
pub struct Job {
    buckets: Buckets,
    setup: Setup,
}

/// One role's run of one bucket.
type Role = fn(&mut Channel, SessionId, &Setup, &[Id], &mut Prg) -> Result<Vec<u32>, Fault>;

impl Job {
    /// For sets of the agreed sizes; every statistical bound is for the whole job.
    pub fn new(
        receiver_ids: u64,
        sender_ids: u64,
        security: Security,
        readers: Readers,
    ) -> Result<Self, Fault> {
        let buckets = Buckets::new(receiver_ids, sender_ids)?;
        let setup = Setup::new(buckets.sizes(), buckets.count(), security)?.read_by(readers);
        Ok(Self { buckets, setup })
    }

    /// How the sets are cut.
    pub fn buckets(&self) -> Buckets {
        self.buckets
    }

    /// What each bucket is run with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Bytes of the whole job, both directions, frame headers included.
    pub fn bytes(&self) -> u64 {
        self.buckets.count().saturating_mul(self.setup.bytes())
    }

    /// R's part, over the buckets in `todo`.
    pub fn receive<P: Party>(
        &self,
        channels: &mut [Channel],
        sid: SessionId,
        todo: &[u64],
        party: &P,
        rng: &mut impl CryptoRng,
    ) -> Result<(), P::Error> {
        let size = self.setup.sizes().receiver();
        self.on_all(channels, sid, todo, party, rng, (receiver::reveal, size))
    }

    /// S's part of [`Self::receive`].
    pub fn send<P: Party>(
        &self,
        channels: &mut [Channel],
        sid: SessionId,
        todo: &[u64],
        party: &P,
        rng: &mut impl CryptoRng,
    ) -> Result<(), P::Error> {
        let size = self.setup.sizes().sender();
        self.on_all(channels, sid, todo, party, rng, (sender::reveal, size))
    }

    /// Runs all buckets, each channel's on a thread of its own.
    fn on_all<P: Party>(
        &self,
        channels: &mut [Channel],
        sid: SessionId,
        todo: &[u64],
        party: &P,
        rng: &mut impl CryptoRng,
        (role, size): (Role, u32),
    ) -> Result<(), P::Error> {
        let stride = channels.len();
        if stride == 0 {
            let (what, expected) = ("channels", 1);
            return Err(Fault::from(Misuse::Count {
                what,
                expected,
                got: 0,
            })
            .into());
        }
        // Wiped with their lane: whoever had one later could draw every bucket's secrets again.
        let generators: Vec<Prg> = (0..stride).map(|_| Prg::new(Block::random(rng))).collect();
        let first: &Mutex<Option<Stop<P::Error>>> = &Mutex::new(None);
        std::thread::scope(|scope| {
            for (place, (channel, rng)) in channels.iter_mut().zip(generators).enumerate() {
                let mine = todo.iter().skip(place).step_by(stride).copied();
                let lane = Lane {
                    job: self,
                    sid,
                    role,
                    size,
                };
                scope.spawn(move || lane.run(channel, mine, party, rng, first));
            }
        });
        let ended = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        ended.map_or(Ok(()), |stop| Err(stop.into_error()))
    }
}

/// What one channel's thread works with.
struct Lane<'a> {
    job: &'a Job,
    sid: SessionId,
    role: Role,
    /// What this side's buckets are padded to.
    size: u32,
}

impl Lane<'_> {
    /// Runs bucket after bucket until one lane has stopped.
    fn run<P: Party>(
        &self,
        channel: &mut Channel,
        buckets: impl Iterator<Item = u64>,
        party: &P,
        mut rng: Prg,
        first: &Mutex<Option<Stop<P::Error>>>,
    ) {
        let lock = || first.lock().unwrap_or_else(PoisonError::into_inner);
        for number in buckets {
            if lock().is_some() {
                return;
            }
            if let Err(stop) = self.bucket(channel, number, party, &mut rng) {
                let mut first = lock();
                if first.is_none() || stop.caught() {
                    *first = Some(stop);
                }
                drop(first);
                party.broke_off();
                return;
            }
        }
    }

    fn bucket<P: Party>(
        &self,
        channel: &mut Channel,
        number: u64,
        party: &P,
        rng: &mut Prg,
    ) -> Result<(), Stop<P::Error>> {
        let bucket = party.load(number).map_err(Stop::Party)?;
        if P::ids(&bucket).len() > self.size as usize {
            // The caller has no more ids than agreed, so their digests have crowded by chance.
            let what = "spreading ids over the job's buckets";
            return Err(Stop::Fault(Abort::NoSolution { what }.into()));
        }
        let sid = self.sid.part("bucket", number);
        let common = (self.role)(channel, sid, &self.job.setup, P::ids(&bucket), rng);
        let common = common.map_err(Stop::Fault)?;
        let said = said(&sid, &channel.totals());
        let kept = party.finished(number, bucket, common, said);
        kept.map_err(Stop::Party)
    }
}

/// Both directions in an order that both parties have.
fn said(sid: &SessionId, totals: &Totals) -> [u8; 32] {
    let mut directions = [totals.sent_hash, totals.received_hash];
    directions.sort_unstable();
    hash::digest("entente/1/psi/vole/said", sid, &[directions.as_flattened()])
}

#[cfg(test)]
mod tests;
