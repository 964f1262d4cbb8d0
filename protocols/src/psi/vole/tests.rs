mod oracle;
mod tamper;
mod vectors;

use super::*;
use crate::channel::memory_pair;
use crate::fault::Difference;
use crate::fault::Misbehaviour;
use crate::prg::Prg;
use proptest::prelude::*;

const SID: SessionId = SessionId::new([6; 32]);

fn ids(range: std::ops::Range<u64>) -> Vec<Id> {
    range
        .map(|number| {
            let digest = blake3::hash(&number.to_le_bytes());
            let (first, _) = digest.as_bytes().split_first_chunk().expect("32 bytes");
            Id::new(*first)
        })
        .collect()
}

fn run(
    setup: &Setup,
    receiver_ids: &[Id],
    sender_ids: &[Id],
) -> (Result<Vec<u32>, Fault>, Result<(), Fault>) {
    run_under(setup, SID, receiver_ids, sender_ids)
}

fn run_under(
    setup: &Setup,
    receiver_sid: SessionId,
    receiver_ids: &[Id],
    sender_ids: &[Id],
) -> (Result<Vec<u32>, Fault>, Result<(), Fault>) {
    let (mut to_receiver, mut to_sender) = memory_pair();
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            sender::reveal(
                &mut to_receiver,
                SID,
                setup,
                sender_ids,
                &mut Prg::new(Block(1)),
            )
        });
        let common = receiver::reveal(
            &mut to_sender,
            receiver_sid,
            setup,
            receiver_ids,
            &mut Prg::new(Block(2)),
        );
        drop(to_sender);
        let sent = sender.join().expect("no panic");
        (common, sent.map(|learned| assert!(learned.is_empty())))
    })
}

fn setup(receiver: u32, sender: u32, security: Security) -> Setup {
    Setup::new(
        PaddedSizes::new(receiver, sender).expect("in range"),
        1,
        security,
    )
    .expect("in range")
}

#[test]
fn an_id_that_stands_twice_blames_the_caller_on_either_side() {
    for security in [Security::SemiHonest, Security::Malicious] {
        let setup = setup(100, 100, security);
        let (mut twice, once) = (ids(0..50), ids(0..50));
        twice.push(twice[3]);
        let duplicate: Fault = Misuse::Duplicate { what: "ids" }.into();
        assert_eq!(run(&setup, &twice, &once).0, Err(duplicate.clone()));
        assert_eq!(run(&setup, &once, &twice).1, Err(duplicate));
    }
}

#[test]
fn another_session_is_seen_before_anything_is_sent() {
    let setup = setup(100, 100, Security::SemiHonest);
    let (common, _) = run_under(&setup, SessionId::new([0; 32]), &ids(0..5), &ids(0..5));
    assert!(matches!(
        common,
        Err(Fault::Incompatible(Difference::Bytes { .. }))
    ));
}

#[test]
fn tags_that_do_not_ascend_are_refused() {
    let setup = setup(100, 100, Security::SemiHonest);
    let out_of_order: Fault = Misbehaviour::CheckFailed {
        check: "distinct tags in ascending order",
    }
    .into();
    for bad in [[3, 3], [4, 3]] {
        let bytes = tags::encode(&setup, &bad);
        let refused = tags::decode(&setup, &bytes, &mut Vec::new());
        assert_eq!(refused, Err(out_of_order.clone()), "in one frame");
        let refused = tags::decode(&setup, &bytes[bytes.len() / 2..], &mut vec![bad[0]]);
        assert_eq!(
            refused,
            Err(out_of_order.clone()),
            "from one frame to the next"
        );
    }
}

#[test]
fn sizes_far_apart_work_both_ways() {
    for security in [Security::SemiHonest, Security::Malicious] {
        let (few, many) = (ids(9_000..9_010), ids(0..40_000));
        let (common, sent) = run(&setup(10, 40_000, security), &few, &many);
        assert_eq!((common, sent), (Ok((0..10).collect()), Ok(())));
        let (common, sent) = run(&setup(40_000, 10, security), &many, &few);
        assert_eq!((common, sent), (Ok((9_000..9_010).collect()), Ok(())));
    }
}

#[test]
fn bytes_an_id_pair_stay_under_the_bound_the_job_states() {
    let setup = setup(1 << 16, 1 << 16, Security::SemiHonest);
    let (mine, theirs) = (ids(0..1 << 16), ids(1 << 15..(1 << 15) + (1 << 16)));
    let (mut to_receiver, mut to_sender) = memory_pair();
    let common = std::thread::scope(|scope| {
        scope.spawn(|| {
            sender::reveal(
                &mut to_receiver,
                SID,
                &setup,
                &theirs,
                &mut Prg::new(Block(1)),
            )
        });
        receiver::reveal(&mut to_sender, SID, &setup, &mine, &mut Prg::new(Block(2)))
    });
    assert_eq!(common.map(|common| common.len()), Ok(1 << 15));
    let totals = to_sender.totals();
    let bytes = (totals.sent_bytes + totals.received_bytes) / (1 << 16);
    assert!(
        bytes <= 48,
        "{bytes} bytes an id pair at 2^16, where the fixed part still shows"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn equals_the_plain_intersection(
        mine in prop::collection::btree_set(0u64..400, 0..300),
        theirs in prop::collection::btree_set(0u64..400, 0..300),
        malicious: bool,
    ) {
        let security = if malicious { Security::Malicious } else { Security::SemiHonest };
        let list = |set: &std::collections::BTreeSet<u64>| -> Vec<Id> { set.iter().flat_map(|n| ids(*n..*n + 1)).collect() };
        let expected: Vec<u32> = (0..).zip(&mine).filter(|(_, n)| theirs.contains(n)).map(|(place, _)| place).collect();
        let (common, sent) = run(&setup(300, 300, security), &list(&mine), &list(&theirs));
        prop_assert_eq!(sent, Ok(()));
        prop_assert_eq!(common, Ok(expected));
    }
}
