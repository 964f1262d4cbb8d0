//! A whole job: all its buckets, several in flight, each on a channel of its own.
//!
//! Memory is bounded by the buckets in flight: a party's ids are asked for bucket by bucket, and what was found is handed on at
//! once. Every bucket has its own session id and its own randomness, also when it is run again under a later session. How buckets
//! share channels and how faults end them all: [`crate::lanes`].

use super::{Readers, Setup, receiver, sender};
use crate::buckets::Buckets;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::lanes::{self, Stop};
use crate::prg::Prg;
use crate::psi::{Id, SessionId};
use crate::security::Security;
use rand_core::CryptoRng;

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

    fn on_all<P: Party>(
        &self,
        channels: &mut [Channel],
        sid: SessionId,
        todo: &[u64],
        party: &P,
        rng: &mut impl CryptoRng,
        (role, size): (Role, u32),
    ) -> Result<(), P::Error> {
        let bucket = |channel: &mut Channel, number, rng: &mut Prg| {
            let bucket = party.load(number).map_err(Stop::Party)?;
            lanes::check_load(P::ids(&bucket).len(), size)?;
            let sid = sid.part("bucket", number);
            let common = role(channel, sid, &self.setup, P::ids(&bucket), rng)?;
            let said = lanes::said("entente/1/psi/vole/said", &sid, &channel.totals());
            let kept = party.finished(number, bucket, common, said);
            kept.map_err(Stop::Party)
        };
        lanes::run(channels, todo, rng, || party.broke_off(), bucket)
    }
}

#[cfg(test)]
mod tests;
