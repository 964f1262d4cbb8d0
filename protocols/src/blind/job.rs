//! A whole job: all its buckets, several in flight, each on a channel of its own ([`crate::lanes`]).
//!
//! Memory is bounded by the buckets in flight: a party's rows are asked for bucket by bucket, and a bucket leaves nothing but an
//! additive share of its table. A bucket that is run again, after a broken line, gives new shares: they replace the old ones at
//! both parties, which is why shares are handed on bucket by bucket and added up by the caller.

use super::table::{Bucket, Table};
use super::{Setup, Transfers, receiver, sender};
use crate::buckets::Buckets;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::lanes::{self, Stop};
use crate::prg::Prg;
use crate::psi::SessionId;
use rand_core::CryptoRng;

/// A party's rows, cut as [`Job::buckets`] says, and what becomes of them. Asked from as many threads as there are channels, each
/// bucket by one of them.
pub trait Party: Sync {
    /// Why a bucket could not be had or its share not be kept.
    type Error: From<Fault> + Send;

    /// One bucket, from where the party keeps it.
    fn load(&self, bucket: u64) -> Result<Bucket, Self::Error>;

    /// The bucket is over. `shares` are this party's words of its table, cell by cell, each modulo 2^bits of its moment; to be kept
    /// secret from everyone until the release. `said` is a digest of everything said on the bucket's channel so far, the same at
    /// both parties.
    fn finished(&self, number: u64, shares: Vec<u128>, said: [u8; 32]) -> Result<(), Self::Error>;

    /// A channel has met a fault: nothing more may be sent on any other, and whoever waits on one is to be woken.
    fn broke_off(&self);
}

/// What both parties fix once for a job.
pub struct Job {
    buckets: Buckets,
    setup: Setup,
}

/// One role's run of one bucket.
type Role = fn(&mut Channel, SessionId, &Setup, &Bucket, &mut Prg) -> Result<Vec<u128>, Fault>;

impl Job {
    /// For sets of the agreed sizes; every statistical bound is for the whole job.
    pub fn new(receiver_ids: u64, sender_ids: u64, table: Table) -> Result<Self, Fault> {
        let buckets = Buckets::new(receiver_ids, sender_ids)?;
        let setup = Setup::new(buckets.sizes(), buckets.count(), table)?;
        Ok(Self { buckets, setup })
    }

    /// With transfers made so in every bucket: see [`Setup::with_transfers`].
    #[must_use]
    pub fn with_transfers(mut self, transfers: Transfers) -> Self {
        self.setup = self.setup.with_transfers(transfers);
        self
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
        self.on_all(channels, sid, todo, party, rng, (receiver::run, size))
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
        self.on_all(channels, sid, todo, party, rng, (sender::run, size))
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
            lanes::check_load(bucket.ids.len(), size)?;
            let sid = sid.part("bucket", number);
            let shares = role(channel, sid, &self.setup, &bucket, rng)?;
            let said = lanes::said("entente/1/blind/said", &sid, &channel.totals());
            let kept = party.finished(number, shares, said);
            kept.map_err(Stop::Party)
        };
        lanes::run(channels, todo, rng, || party.broke_off(), bucket)
    }
}
