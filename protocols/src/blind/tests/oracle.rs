//! Shares add up to the plain table, whatever the sizes, groups and numbers.

use super::*;
use proptest::prelude::*;

/// Ids `0..receiver` against `receiver - common ..`.
fn lists(receiver: u64, sender: u64, common: u64) -> [Vec<Id>; 2] {
    let start = receiver - common;
    [
        (0..receiver).map(id).collect(),
        (start..start + sender).map(id).collect(),
    ]
}

fn both(receiver: usize, sender: usize) -> What {
    What::Both {
        receiver,
        sender,
        receiver_bits: 12,
    }
}

/// Moments of every sort over two columns a side.
fn every_sort(wide: bool) -> Vec<Moment> {
    let bits = if wide { 100 } else { 46 };
    vec![
        moment(What::Ids, 24),
        moment(What::Sender(0), 46),
        moment(What::Receiver(1), 40),
        moment(both(0, 1), bits),
        moment(What::Sender(1), 30),
        moment(both(1, 0), 50),
    ]
}

fn check(groups: [u32; 2], moments: Vec<Moment>, [r, s]: [Vec<Id>; 2], seed: u64) {
    let table_shape = Table::new(groups[0], groups[1], moments).expect("fits");
    let receiver = rows(&r, groups[0], 2, 1_000, seed);
    let sender = rows(&s, groups[1], 2, 1_000, seed + 1);
    let expected = plain(&table_shape, &receiver, &sender);
    for setup in [setup(table_shape.clone()), silent(table_shape)] {
        let got = table(&setup, &receiver, &sender, seed);
        assert_eq!(got, expected, "{:?}", setup.transfers());
    }
}

/// Every larger bucket has several tiles; transfers that one leaves over go on into the next.
#[test]
fn tiles_add_up_and_say_what_was_told_beforehand() {
    let moments = every_sort(false);
    let table_shape = Table::new(4, 4, moments).expect("fits");
    let [r, s] = lists(4_000, 3_500, 3_000);
    let receiver = rows(&r, 4, 2, 1_000, 8);
    let sender = rows(&s, 4, 2, 1_000, 9);
    let expected = plain(&table_shape, &receiver, &sender);
    for setup in [setup(table_shape.clone()), silent(table_shape)] {
        let setup = setup.in_tiles_of(640);
        assert_eq!(setup.tiles().count(), 9);
        let Run { shares, totals } = run(&setup, &receiver, &sender, 10);
        let [received, sent] = shares.map(|shares| shares.expect("both roles are honest"));
        assert_eq!(opened(setup.table(), [&received, &sent]), expected);
        assert_eq!(totals.sent_bytes + totals.received_bytes, setup.bytes());
    }
}

#[test]
fn none_some_and_all_common() {
    for (r, s, common) in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 1), (1, 1, 0)] {
        check([2, 2], every_sort(false), lists(r, s, common), 3);
    }
    for (r, s, common) in [
        (900, 700, 0),
        (700, 700, 700),
        (4_096, 4_096, 4_096),
        (3, 4_096, 2),
    ] {
        check([3, 5], every_sort(false), lists(r, s, common), 4);
    }
}

#[test]
fn every_way_of_grouping() {
    for groups in [[1, 1], [7, 1], [1, 8], [2, 2], [16, 4], [1, 2], [2, 1]] {
        check(groups, every_sort(false), lists(500, 600, 250), 5);
        check(groups, every_sort(true), lists(500, 600, 250), 6);
    }
}

#[test]
fn sides_swapped_give_the_transposed_table() {
    let [r, s] = lists(300, 400, 150);
    let (bank, shop) = (rows(&r, 4, 0, 1, 1), rows(&s, 2, 0, 1, 2));
    let ids = || vec![moment(What::Ids, 20)];
    let there = Table::new(4, 2, ids()).expect("fits");
    let back = Table::new(2, 4, ids()).expect("fits");
    let there = table(&setup(there), &bank, &shop, 1);
    let back = table(&setup(back), &shop, &bank, 1);
    for (place, word) in there.iter().enumerate() {
        assert_eq!(*word, back[place % 2 * 4 + place / 2]);
    }
}

#[test]
fn a_sum_as_large_as_its_bits_hold_is_right() {
    for bits in [64, 65, 127] {
        let largest = (1i128 << (bits - 1)) - 1;
        for number in [largest, -largest - 1] {
            let shape = vec![moment(What::Ids, 2), moment(What::Sender(0), bits)];
            let shape = Table::new(1, 1, shape).expect("fits");
            let one = |columns| Bucket {
                ids: vec![id(1)],
                codes: vec![0],
                columns,
            };
            let setup = setup(shape);
            let opened = table(&setup, &one(vec![]), &one(vec![vec![number]]), 8);
            assert_eq!(opened, [1, number]);
        }
    }
}

#[test]
fn one_share_alone_is_another_in_every_run_though_the_table_is_the_same() {
    let [r, s] = lists(100, 100, 50);
    let shape = Table::new(2, 2, vec![moment(What::Ids, 64)]).expect("fits");
    let (receiver, sender) = (rows(&r, 2, 0, 1, 1), rows(&s, 2, 0, 1, 2));
    let setup = setup(shape);
    let shares: Vec<Vec<u128>> = (0..4)
        .map(|seed| {
            let [received, _] = run(&setup, &receiver, &sender, seed).shares;
            received.expect("both roles are honest")
        })
        .collect();
    for (first, share) in shares.iter().enumerate() {
        for other in &shares[..first] {
            // 24 pairs of 64-bit words: equal by chance with probability below 2^-59.
            assert!(share.iter().zip(other).all(|(a, b)| a != b));
        }
    }
}

#[test]
fn wrong_rows_blame_the_caller_and_send_nothing() {
    let shape = Table::new(
        2,
        2,
        vec![moment(What::Ids, 20), moment(What::Sender(0), 20)],
    );
    let setup = setup(shape.expect("fits"));
    let good = rows(&[id(1), id(2)], 2, 1, 1, 1);
    let change = |change: fn(&mut Bucket)| {
        let mut bucket = rows(&[id(1), id(2)], 2, 1, 1, 1);
        change(&mut bucket);
        bucket
    };
    for bad in [
        change(|bucket| bucket.codes[0] = 2),
        change(|bucket| bucket.codes.truncate(1)),
        change(|bucket| bucket.columns[0].truncate(1)),
        change(|bucket| bucket.columns.clear()),
        change(|bucket| bucket.ids[1] = bucket.ids[0]),
    ] {
        let Run { shares, .. } = run(&setup, &good, &bad, 1);
        assert!(matches!(shares[1], Err(Fault::Caller(_))));
        assert!(shares[0].is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_lists_give_the_plain_table(
        receiver in 0u64..2_000,
        sender in 0u64..2_000,
        share in 0u64..=100,
        groups in [1u32..5, 1u32..9],
        seed: u32,
        wide: bool,
    ) {
        let common = receiver.min(sender) * share / 100;
        check(groups, every_sort(wide), lists(receiver, sender, common), seed.into());
    }
}
