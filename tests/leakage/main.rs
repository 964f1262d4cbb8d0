//! The leakage statement's figures, held against what the protocols really send.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it has to be"
)]

use entente_protocols::block::Block;
use entente_protocols::channel::memory_pair;
use entente_protocols::prg::Prg;
use entente_protocols::psi::{Id, PaddedSizes, SessionId, ecdh};
use entente_wire::leakage::Cost;
use std::thread;

/// Protocol bytes of one run in both directions.
fn sent(receiver_ids: u32, sender_ids: u32, reveal: bool) -> u64 {
    let sizes = PaddedSizes::new(receiver_ids, sender_ids).unwrap();
    let sid = SessionId::new([7; 32]);
    let ids: Vec<Id> = (0..3_u8).map(|id| Id::new([id; 16])).collect();
    let (mut to_sender, mut to_receiver) = memory_pair();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut rng = Prg::new(Block(1));
            if reveal {
                ecdh::sender::reveal(&mut to_receiver, sid, &ids, sizes, &mut rng).unwrap();
            } else {
                ecdh::sender::count(&mut to_receiver, sid, &ids, sizes, &mut rng).unwrap();
            }
        });
        let mut rng = Prg::new(Block(2));
        if reveal {
            ecdh::receiver::reveal(&mut to_sender, sid, &ids, sizes, &mut rng).unwrap();
        } else {
            ecdh::receiver::count(&mut to_sender, sid, &ids, sizes, &mut rng).unwrap();
        }
    });
    let totals = to_sender.totals();
    totals.sent_bytes + totals.received_bytes
}

#[test]
fn a_run_sends_exactly_the_bytes_that_approvers_were_told() {
    for (receiver_ids, sender_ids) in [(3, 3), (100, 7), (4_096, 4_097)] {
        let told = Cost::of_ecdh(receiver_ids.into(), sender_ids.into()).bytes;
        for reveal in [true, false] {
            assert_eq!(
                told,
                sent(receiver_ids, sender_ids, reveal),
                "{receiver_ids}, {sender_ids}, {reveal}"
            );
        }
    }
}
