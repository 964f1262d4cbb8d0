//! The tamper sweep of a whole bucket: whatever is done to a frame, a party that ends without a fault has the share of the untampered run,
//! as the closing binds it to the whole conversation. Nothing goes unnoticed.

use super::*;
use crate::adversary::{Effort, Ended, Ends, assert_only_unnoticed, both, record};

/// Few ids, so that a run takes little more than its base transfers; of all steps there are some.
fn small() -> (Setup, Bucket, Bucket) {
    let product = What::Both {
        receiver: 0,
        sender: 0,
        receiver_bits: 4,
    };
    let moments = vec![
        moment(What::Ids, 12),
        moment(What::Sender(0), 20),
        moment(What::Receiver(0), 16),
        moment(product, 24),
    ];
    let sizes = PaddedSizes::new(64, 64).expect("in range");
    let setup = Setup::unpadded(sizes, Table::new(2, 2, moments).expect("fits"));
    let ids = |range: std::ops::Range<u64>| range.map(id).collect::<Vec<_>>();
    let (receiver, sender) = (ids(0..40), ids(20..70));
    let receiver = rows(&receiver, 2, 1, 7, 1);
    (setup, receiver, rows(&sender, 2, 1, 500, 2))
}

#[test]
fn tampering_ends_in_a_fault_or_in_the_right_share() {
    let (setup, receiver, sender) = small();
    assert_nothing_unnoticed(&setup, &receiver, &sender);
}

#[test]
fn tampering_with_silent_transfers_ends_so_too() {
    let (setup, receiver, sender) = small();
    let setup = setup.with_transfers(Transfers::Silent);
    assert_nothing_unnoticed(&setup, &receiver, &sender);
}

fn assert_nothing_unnoticed(setup: &Setup, receiver: &Bucket, sender: &Bucket) {
    let run_over = |sid: SessionId, ends: Ends| {
        let rng = |role: u128| Prg::new(Block(role));
        let left =
            |channel: &mut Channel| receiver::run(channel, sid, setup, receiver, &mut rng(2));
        let right = |channel: &mut Channel| sender::run(channel, sid, setup, sender, &mut rng(1));
        both(ends, left, right)
    };
    let (genuine, (received, sent, _)) = record(|ends| run_over(SID, ends));
    let right = [received, sent].map(|share| share.expect("both roles are honest"));
    let table = opened(setup.table(), [&right[0], &right[1]]);
    assert_eq!(table, plain(setup.table(), receiver, sender));
    let (other, _) = record(|ends| run_over(SessionId::new([8; 32]), ends));
    let session = |ends: Ends| {
        let (received, sent, totals) = run_over(SID, ends);
        let shares = [received, sent];
        let wrong = |(share, right): (&Result<Vec<u128>, Fault>, &Vec<u128>)| {
            share.as_ref().is_ok_and(|share| share != right)
        };
        Ended {
            is_wrong: shares.iter().zip(&right).any(wrong),
            faults: shares.map(Result::err),
            totals,
        }
    };
    let effort = Effort::Sampled { body_bits: 1 };
    assert_only_unnoticed(effort, [&genuine, &other], session, &[]);
}
