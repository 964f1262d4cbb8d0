//! Whole jobs in memory.

use super::*;
use crate::block::Block;
use crate::buckets::Split;
use crate::channel::{Transport, memory_pair};
use crate::fault::{Broken, Misuse};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    /// Faults met by any channel.
    broke_off: AtomicUsize,
    /// What was said in each finished bucket.
    said: Mutex<BTreeMap<u64, [u8; 32]>>,
}

impl InMemory {
    fn new(job: &Job, ids: &[Id], size: u32) -> Self {
        Self {
            split: job.buckets().split(ids, size).expect("within the padding"),
            common: Mutex::default(),
            finished: Mutex::default(),
            lost: None,
            broke_off: AtomicUsize::new(0),
            said: Mutex::default(),
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
        said: [u8; 32],
    ) -> Result<(), Fault> {
        let common = common.iter().map(|place| bucket.1[*place as usize]);
        self.common.lock().expect("not poisoned").extend(common);
        self.finished.lock().expect("not poisoned").push(number);
        self.said.lock().expect("not poisoned").insert(number, said);
        Ok(())
    }

    fn broke_off(&self) {
        self.broke_off.fetch_add(1, Ordering::Relaxed);
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
    let (mut at_receiver, mut at_sender): (Vec<_>, Vec<_>) = (0..2).map(|_| memory_pair()).unzip();
    std::thread::scope(|scope| {
        let sent = scope
            .spawn(move || job.send(&mut at_sender, SID, todo, sender, &mut Prg::new(Block(1))));
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
    let said = |party: &InMemory| party.said.lock().expect("not poisoned").clone();
    assert_eq!(said(&receiver), said(&sender));
    assert_ne!(said(&receiver)[&0], said(&receiver)[&1]);
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
    assert!(receiver.broke_off.into_inner() > 0);
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

/// A line whose first frame waits until the other lane has met its fault, and then breaks.
struct BreaksAfter<'a>(&'a AtomicUsize);

impl Transport for BreaksAfter<'_> {
    fn send(&mut self, _: Vec<u8>) -> Result<(), Fault> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(Broken::Closed.into())
    }
    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        Err(Broken::Closed.into())
    }
}

/// A peer whose first frame is nonsense, told after the other lane broke.
struct Nonsense<'a>(&'a AtomicUsize);

impl Transport for Nonsense<'_> {
    fn send(&mut self, _: Vec<u8>) -> Result<(), Fault> {
        while self.0.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        Ok(())
    }
    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        Ok(vec![0xff; 64])
    }
}

#[test]
fn a_peer_caught_on_one_lane_counts_even_if_another_broke_first() {
    static BROKEN: AtomicUsize = AtomicUsize::new(0);
    let (job, receiver, _) = two_buckets(Readers::ReceiverOnly, Security::SemiHonest);
    let mut channels = [
        Channel::new(Box::new(BreaksAfter(&BROKEN))),
        Channel::new(Box::new(Nonsense(&BROKEN))),
    ];
    let rng = &mut Prg::new(Block(1));
    let ended = job.receive(&mut channels, SID, &[0, 1], &receiver, rng);
    assert!(matches!(ended, Err(Fault::Misbehaved(_))), "{ended:?}");
}
