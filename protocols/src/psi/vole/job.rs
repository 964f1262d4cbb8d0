//! A whole job: all its buckets, several in flight, each on a channel of its own.
//!
//! With c channels, channel k runs the buckets at places k, k + c, k + 2c … of an agreed list one after the other, so both parties
//! must have the same number of channels and the same list. While one bucket waits for the peer, another computes. Memory is
//! bounded by the buckets in flight: a party's ids are asked for bucket by bucket, and what was found is handed on at once.
//!
//! Every bucket has its own session id and its own randomness, also when it is run again under a later session. After the
//! first fault no channel begins another bucket.

use super::{Readers, Setup, receiver, sender};
use crate::buckets::Buckets;
use crate::channel::Channel;
use crate::fault::{Abort, Fault, Misuse};
use crate::psi::{Id, SessionId};
use crate::security::Security;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use std::sync::atomic::{AtomicBool, Ordering};

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
    fn finished(
        &self,
        number: u64,
        bucket: Self::Bucket,
        common: Vec<u32>,
    ) -> Result<(), Self::Error>;
}

/// What both parties fix once for a job.
pub struct Job {
    buckets: Buckets,
    setup: Setup,
}

/// One role's run of one bucket.
type Role = fn(&mut Channel, SessionId, &Setup, &[Id], &mut ChaCha20Rng) -> Result<Vec<u32>, Fault>;

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
        let mut generators: Vec<ChaCha20Rng> = Vec::with_capacity(stride);
        for _ in 0..stride {
            let mut seed = [0u8; 32];
            rng.fill_bytes(&mut seed);
            generators.push(ChaCha20Rng::from_seed(seed));
        }
        let failed = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            let lanes = channels.iter_mut().zip(generators).enumerate();
            let threads: Vec<_> = lanes
                .map(|(first, (channel, rng))| {
                    let mine = todo.iter().skip(first).step_by(stride).copied();
                    let lane = Lane {
                        job: self,
                        sid,
                        failed,
                        role,
                        size,
                    };
                    scope.spawn(move || lane.run(channel, mine, party, rng))
                })
                .collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().expect("a protocol thread does not panic"))
        })
    }
}

/// What one channel's thread works with.
struct Lane<'a> {
    job: &'a Job,
    sid: SessionId,
    failed: &'a AtomicBool,
    role: Role,
    /// What this side's buckets are padded to.
    size: u32,
}

impl Lane<'_> {
    fn run<P: Party>(
        &self,
        channel: &mut Channel,
        buckets: impl Iterator<Item = u64>,
        party: &P,
        mut rng: ChaCha20Rng,
    ) -> Result<(), P::Error> {
        for number in buckets {
            if self.failed.load(Ordering::Relaxed) {
                break;
            }
            let ran = self.bucket(channel, number, party, &mut rng);
            self.failed.fetch_or(ran.is_err(), Ordering::Relaxed);
            ran?;
        }
        Ok(())
    }

    fn bucket<P: Party>(
        &self,
        channel: &mut Channel,
        number: u64,
        party: &P,
        rng: &mut ChaCha20Rng,
    ) -> Result<(), P::Error> {
        let bucket = party.load(number)?;
        if P::ids(&bucket).len() > self.size as usize {
            // The caller has no more ids than agreed, so their digests have crowded by chance.
            let what = "spreading ids over the job's buckets";
            return Err(Fault::from(Abort::NoSolution { what }).into());
        }
        let sid = self.sid.part("bucket", number);
        let common = (self.role)(channel, sid, &self.job.setup, P::ids(&bucket), rng)?;
        party.finished(number, bucket, common)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::buckets::Split;
    use crate::channel::memory_pair;
    use crate::prg::Prg;
    use std::sync::Mutex;

    const SID: SessionId = SessionId::new([6; 32]);

    fn ids(range: std::ops::Range<u64>) -> Vec<Id> {
        range
            .map(|n| Id::new(Prg::new(Block(n.into())).blocks(1)[0].to_bytes()))
            .collect()
    }

    /// A whole list in memory.
    struct InMemory {
        split: Split,
        common: Mutex<Vec<u32>>,
        finished: Mutex<Vec<u64>>,
        /// A bucket that cannot be loaded.
        lost: Option<u64>,
    }

    impl InMemory {
        fn new(job: &Job, ids: &[Id], size: u32) -> Self {
            Self {
                split: job.buckets().split(ids, size).expect("within the padding"),
                common: Mutex::default(),
                finished: Mutex::default(),
                lost: None,
            }
        }
    }

    impl Party for InMemory {
        type Bucket = (Vec<Id>, Vec<u32>);
        type Error = Fault;

        fn load(&self, bucket: u64) -> Result<Self::Bucket, Fault> {
            if self.lost == Some(bucket) {
                return Err(Misuse::Duplicate { what: "lost" }.into());
            }
            let (ids, places) = self.split.bucket(bucket as usize);
            Ok((ids.to_vec(), places.to_vec()))
        }

        fn ids(bucket: &Self::Bucket) -> &[Id] {
            &bucket.0
        }

        fn finished(
            &self,
            number: u64,
            bucket: Self::Bucket,
            common: Vec<u32>,
        ) -> Result<(), Fault> {
            let common = common.iter().map(|place| bucket.1[*place as usize]);
            self.common.lock().expect("not poisoned").extend(common);
            self.finished.lock().expect("not poisoned").push(number);
            Ok(())
        }
    }

    fn sorted<T: Ord + Clone>(list: &Mutex<Vec<T>>) -> Vec<T> {
        let mut list = list.lock().expect("not poisoned").clone();
        list.sort_unstable();
        list
    }

    fn run(
        job: &Job,
        receiver: &InMemory,
        sender: &InMemory,
        todo: &[u64],
    ) -> (Result<(), Fault>, Result<(), Fault>, u64) {
        let (mut at_receiver, mut at_sender): (Vec<_>, Vec<_>) =
            (0..2).map(|_| memory_pair()).unzip();
        std::thread::scope(|scope| {
            let sent = scope.spawn(move || {
                job.send(&mut at_sender, SID, todo, sender, &mut Prg::new(Block(1)))
            });
            let rng = &mut Prg::new(Block(2));
            let received = job.receive(&mut at_receiver, SID, todo, receiver, rng);
            let totals = at_receiver.iter().map(Channel::totals);
            let bytes = totals
                .map(|totals| totals.sent_bytes + totals.received_bytes)
                .sum();
            drop(at_receiver);
            (received, sent.join().expect("no panic"), bytes)
        })
    }

    fn two_buckets(readers: Readers, security: Security) -> (Job, InMemory, InMemory) {
        // Few real ids in sets that count as large enough for several buckets: the rest are dummies.
        let job = Job::new((1 << 20) + 1, 5_000, security, readers).expect("in range");
        assert_eq!(job.buckets().count(), 2);
        let sizes = job.setup().sizes();
        let receiver = InMemory::new(&job, &ids(0..3_000), sizes.receiver());
        let sender = InMemory::new(&job, &ids(2_500..4_000), sizes.sender());
        (job, receiver, sender)
    }

    #[test]
    fn several_buckets_on_several_channels_give_the_plain_intersection() {
        let (job, receiver, sender) = two_buckets(Readers::ReceiverOnly, Security::SemiHonest);
        let (received, sent, bytes) = run(&job, &receiver, &sender, &[0, 1]);
        assert_eq!((received, sent), (Ok(()), Ok(())));
        assert_eq!(sorted(&receiver.common), (2_500..3_000).collect::<Vec<_>>());
        assert!(sorted(&sender.common).is_empty());
        assert_eq!(sorted(&sender.finished), [0, 1]);
        assert_eq!(bytes, job.bytes());
    }

    #[test]
    fn both_parties_read_where_both_shall() {
        let (job, receiver, sender) = two_buckets(Readers::Both, Security::Malicious);
        let (received, sent, bytes) = run(&job, &receiver, &sender, &[0, 1]);
        assert_eq!((received, sent), (Ok(()), Ok(())));
        assert_eq!(sorted(&receiver.common), (2_500..3_000).collect::<Vec<_>>());
        assert_eq!(sorted(&sender.common), (0..500).collect::<Vec<_>>());
        assert_eq!(bytes, job.bytes());
    }

    /// What one run finished and the other has to do add up to the whole answer.
    #[test]
    fn a_later_run_does_only_the_buckets_that_are_left() {
        let (job, receiver, sender) = two_buckets(Readers::ReceiverOnly, Security::SemiHonest);
        for todo in [[1], [0]] {
            let (received, sent, _) = run(&job, &receiver, &sender, &todo);
            assert_eq!((received, sent), (Ok(()), Ok(())));
        }
        assert_eq!(sorted(&receiver.finished), [0, 1]);
        assert_eq!(sorted(&receiver.common), (2_500..3_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_bucket_that_cannot_be_loaded_ends_both_sides() {
        let (job, mut receiver, sender) = two_buckets(Readers::ReceiverOnly, Security::SemiHonest);
        receiver.lost = Some(1);
        let (received, sent, _) = run(&job, &receiver, &sender, &[0, 1]);
        assert_eq!(received, Err(Misuse::Duplicate { what: "lost" }.into()));
        assert!(matches!(sent, Err(Fault::Transport(_))));
    }

    #[test]
    fn a_bucket_with_more_ids_than_its_padding_is_bad_luck() {
        let (job, _, _) = two_buckets(Readers::ReceiverOnly, Security::SemiHonest);
        let size = job.setup().sizes().sender();
        let crowded = |n: u128| Id::new((n << 64 | 1).to_le_bytes());
        let ids: Vec<Id> = (0..=u128::from(size)).map(crowded).collect();
        let receiver = InMemory::new(&job, &ids, size + 1);
        let sent = {
            let (mut channel, _peer) = memory_pair();
            let channels = std::slice::from_mut(&mut channel);
            let mut rng = Prg::new(Block(1));
            job.send(channels, SID, &[0], &receiver, &mut rng)
        };
        assert!(matches!(sent, Err(Fault::Unlucky(_))));
    }

    #[test]
    fn no_channel_is_the_callers_fault() {
        let (job, receiver, _) = two_buckets(Readers::ReceiverOnly, Security::SemiHonest);
        let refused = job.receive(&mut [], SID, &[], &receiver, &mut Prg::new(Block(1)));
        assert!(matches!(refused, Err(Fault::Caller(_))));
    }
}
