//! Nothing but public sizes shows on the wire.

use super::*;
use crate::adversary::{both, record};

/// Lengths of all frames, R's first.
fn lengths(setup: &Setup, receiver: &Bucket, sender: &Bucket, seed: u64) -> [Vec<usize>; 2] {
    let (frames, _) = record(|ends| {
        let rng = |role: u64| Prg::new(Block(u128::from(2 * seed + role)));
        let left =
            |channel: &mut Channel| receiver::run(channel, SID, setup, receiver, &mut rng(0));
        let right = |channel: &mut Channel| sender::run(channel, SID, setup, sender, &mut rng(1));
        let (received, sent, _) = both(ends, left, right);
        received.and(sent).expect("both roles are honest")
    });
    frames.map(|side| side.iter().map(Vec::len).collect())
}

fn ids(range: std::ops::Range<u64>) -> Vec<Id> {
    range.map(id).collect()
}

#[test]
fn lists_of_one_padded_size_look_alike_whatever_is_in_them() {
    let moments = vec![
        moment(What::Ids, 24),
        moment(What::Sender(0), 46),
        moment(What::Receiver(0), 40),
        moment(
            What::Both {
                receiver: 0,
                sender: 0,
                receiver_bits: 10,
            },
            60,
        ),
    ];
    let table = Table::new(3, 4, moments).expect("fits");
    all_look_alike(&setup(table.clone()));
    all_look_alike(&silent(table));
}

fn all_look_alike(setup: &Setup) {
    let of = |ids: &[Id], groups, seed| rows(ids, groups, 1, 500, seed);
    let first = lengths(setup, &of(&[], 3, 1), &of(&[], 4, 2), 1);
    let all = ids(0..4_096);
    for (receiver, sender, seed) in [
        (&all[..], &all[..], 2),
        (&all[..], &all[..1], 3),
        (&all[..2_000], &all[2_000..], 4),
        (&all[..1], &all[..1], 5),
    ] {
        let there = lengths(setup, &of(receiver, 3, seed), &of(sender, 4, seed), seed);
        assert_eq!(there, first);
    }
}

#[test]
fn the_bytes_told_beforehand_are_those_sent() {
    for (groups, moments) in [
        ([1, 1], vec![moment(What::Ids, 24)]),
        (
            [8, 8],
            vec![moment(What::Ids, 24), moment(What::Sender(0), 46)],
        ),
        (
            [1, 4],
            vec![moment(What::Ids, 24), moment(What::Receiver(0), 70)],
        ),
        ([5, 1], vec![moment(What::Ids, 13)]),
    ] {
        let table = Table::new(groups[0], groups[1], moments).expect("fits");
        let receiver = rows(&ids(0..10), groups[0], 1, 5, 1);
        let sender = rows(&ids(5..15), groups[1], 1, 5, 2);
        for setup in [setup(table.clone()), silent(table)] {
            let Run { totals, .. } = run(&setup, &receiver, &sender, 1);
            assert_eq!(totals.sent_bytes + totals.received_bytes, setup.bytes());
        }
    }
}
