//! A whole job: all its buckets, several in flight, each on a channel of its own.
//!
//! Channel c runs the buckets c, c + channels, c + 2·channels … one after the other; both parties must have the same number of
//! channels. While one bucket waits for the peer, another computes. Every bucket has its own session id and its own randomness.

use super::{Setup, receiver, sender};
use crate::buckets::Buckets;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::psi::{Id, SessionId};
use crate::security::Security;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs one bucket of a session on a channel.
type OneBucket<'a> =
    dyn Fn(&mut Channel, SessionId, usize, &mut ChaCha20Rng) -> Result<Vec<u32>, Fault> + Sync + 'a;

/// What both parties fix once for a job.
pub struct Job {
    buckets: Buckets,
    setup: Setup,
}

impl Job {
    /// For sets of the agreed sizes; every statistical bound is for the whole job.
    pub fn new(receiver_ids: u64, sender_ids: u64, security: Security) -> Result<Self, Fault> {
        let buckets = Buckets::new(receiver_ids, sender_ids)?;
        let setup = Setup::new(buckets.sizes(), buckets.count(), security)?;
        Ok(Self { buckets, setup })
    }

    /// How the sets are cut.
    pub fn buckets(&self) -> Buckets {
        self.buckets
    }

    /// Which of `ids` the sender has too: their places, ascending. `done` is told of each finished bucket.
    pub fn receive(
        &self,
        channels: &mut [Channel],
        sid: SessionId,
        ids: &[Id],
        rng: &mut impl CryptoRng,
        done: &(dyn Fn() + Sync),
    ) -> Result<Vec<u32>, Fault> {
        let split = self.buckets.split(ids, self.setup.sizes().receiver())?;
        let found = self.on_all(channels, sid, rng, &|channel, sid, bucket, rng| {
            let (ids, places) = split.bucket(bucket);
            let common = receiver::reveal(channel, sid, &self.setup, ids, rng)?;
            done();
            Ok(common
                .into_iter()
                .map(|place| places[place as usize])
                .collect())
        })?;
        let mut common: Vec<u32> = found.into_iter().flatten().collect();
        common.par_sort_unstable();
        Ok(common)
    }

    /// The sender's part of [`Self::receive`].
    pub fn send(
        &self,
        channels: &mut [Channel],
        sid: SessionId,
        ids: &[Id],
        rng: &mut impl CryptoRng,
        done: &(dyn Fn() + Sync),
    ) -> Result<(), Fault> {
        let split = self.buckets.split(ids, self.setup.sizes().sender())?;
        self.on_all(channels, sid, rng, &|channel, sid, bucket, rng| {
            sender::reveal(channel, sid, &self.setup, split.bucket(bucket).0, rng)?;
            done();
            Ok(Vec::new())
        })?;
        Ok(())
    }

    /// Runs all buckets, each channel's on a thread of its own. After the first fault no channel begins another bucket.
    fn on_all(
        &self,
        channels: &mut [Channel],
        sid: SessionId,
        rng: &mut impl CryptoRng,
        run: &OneBucket<'_>,
    ) -> Result<Vec<Vec<u32>>, Fault> {
        if channels.is_empty() {
            return Err(Misuse::Count {
                what: "channels",
                expected: 1,
                got: 0,
            }
            .into());
        }
        let stride = channels.len();
        let count = self.buckets.count() as usize;
        let mut seeds = Vec::with_capacity(stride);
        for _ in 0..stride {
            let mut seed = [0u8; 32];
            rng.fill_bytes(&mut seed);
            seeds.push(seed);
        }
        let failed = &AtomicBool::new(false);
        let outcomes: Vec<Result<Vec<u32>, Fault>> = std::thread::scope(|scope| {
            let threads: Vec<_> = channels
                .iter_mut()
                .zip(seeds)
                .enumerate()
                .map(|(first, (channel, seed))| {
                    scope.spawn(move || {
                        let mut rng = ChaCha20Rng::from_seed(seed);
                        let mut all = Vec::new();
                        for bucket in (first..count).step_by(stride) {
                            if failed.load(Ordering::Relaxed) {
                                break;
                            }
                            let ran =
                                run(channel, sid.part("bucket", bucket as u64), bucket, &mut rng);
                            failed.fetch_or(ran.is_err(), Ordering::Relaxed);
                            all.extend(ran?);
                        }
                        Ok(all)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("a protocol thread does not panic"))
                .collect()
        });
        outcomes.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::channel::memory_pair;
    use crate::prg::Prg;

    const SID: SessionId = SessionId::new([6; 32]);

    fn ids(range: std::ops::Range<u64>) -> Vec<Id> {
        range
            .map(|n| Id::new(Prg::new(Block(n.into())).blocks(1)[0].to_bytes()))
            .collect()
    }

    /// Few real ids in sets that count as large enough for several buckets: the rest are dummies.
    #[test]
    fn several_buckets_on_several_channels_give_the_plain_intersection() {
        let job = Job::new((1 << 20) + 1, 5_000, Security::SemiHonest).expect("in range");
        assert_eq!(job.buckets().count(), 2);
        let (mine, theirs) = (ids(0..3_000), ids(2_500..4_000));
        let (mut at_receiver, mut at_sender): (Vec<_>, Vec<_>) =
            (0..2).map(|_| memory_pair()).unzip();
        let finished = std::sync::atomic::AtomicUsize::new(0);
        let count = || {
            finished.fetch_add(1, Ordering::Relaxed);
        };
        let (common, sent) = std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                job.send(
                    &mut at_sender,
                    SID,
                    &theirs,
                    &mut Prg::new(Block(1)),
                    &count,
                )
            });
            let common = job.receive(
                &mut at_receiver,
                SID,
                &mine,
                &mut Prg::new(Block(2)),
                &count,
            );
            (common, sender.join().expect("no panic"))
        });
        assert_eq!((common, sent), (Ok((2_500..3_000).collect()), Ok(())));
        assert_eq!(finished.into_inner(), 4);
    }

    #[test]
    fn no_channel_is_the_callers_fault() {
        let job = Job::new(10, 10, Security::SemiHonest).expect("in range");
        let refused = job.receive(&mut [], SID, &[], &mut Prg::new(Block(1)), &|| ());
        assert!(matches!(refused, Err(Fault::Caller(_))));
    }
}
