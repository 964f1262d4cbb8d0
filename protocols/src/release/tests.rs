//! Whole releases: what readers see, held against the table in the clear.

mod tamper;
mod vectors;

use super::*;
use crate::adversary::{Ends, both, honest};
use crate::block::Block;
use crate::channel::{Channel, Totals};
use crate::fault::{Fault, Misuse};
use crate::prg::Prg;
use crate::session_id::SessionId;
use proptest::prelude::*;
use rand_core::Rng;

const SID: SessionId = SessionId::new([8; 32]);

type Outcome = Result<Option<Cells>, Fault>;

fn moment(bits: u32, opened: bool) -> Moment {
    Moment {
        bits,
        opened,
        noise: None,
    }
}

/// Shares of a table, cell by cell.
fn shares(terms: &Terms, table: &[Vec<i128>], seed: u64) -> [Vec<u128>; 2] {
    let mut rng = Prg::new(Block(u128::from(seed) + 77));
    let bits = terms.moments().iter().map(|moment| moment.bits).cycle();
    table
        .iter()
        .flatten()
        .zip(bits)
        .map(|(word, bits)| {
            let all = u128::MAX >> (128 - bits);
            let share = Block::random(&mut rng).0 & all;
            (share, (*word as u128).wrapping_sub(share) & all)
        })
        .unzip()
        .into()
}

fn run_over(
    ends: Ends,
    terms: &Terms,
    [r, s]: &[Vec<u128>; 2],
    seed: u64,
) -> (Outcome, Outcome, [Totals; 2]) {
    let rng = |role: u128| Prg::new(Block(u128::from(seed) << 1 | role));
    let left = |channel: &mut Channel| receiver::run(channel, SID, terms, r, &mut rng(0));
    let right = |channel: &mut Channel| sender::run(channel, SID, terms, s, &mut rng(1));
    both(ends, left, right)
}

/// What R and what S reads.
fn release(terms: &Terms, table: &[Vec<i128>], seed: u64) -> [Option<Cells>; 2] {
    let (left, right, totals) = run_over(honest(), terms, &shares(terms, table, seed), seed);
    assert_eq!(
        totals[0].sent_bytes + totals[0].received_bytes,
        terms.bytes()
    );
    [left.expect("honest"), right.expect("honest")]
}

/// What a reader sees without noise.
fn plain(terms: &Terms, table: &[Vec<i128>]) -> Cells {
    let cell = |cell: &Vec<i128>| {
        let moments = cell.iter().zip(terms.moments());
        let words = moments.map(|(word, moment)| if moment.opened { *word } else { 0 });
        (cell[0] >= i128::from(terms.min_group())).then(|| words.collect())
    };
    table.iter().map(cell).collect()
}

#[test]
fn readers_see_large_cells_and_nobody_anything_else() {
    let table: Vec<Vec<i128>> = vec![
        vec![49, 1_000, -5],
        vec![50, -2_000, 7],
        vec![0, 0, 0],
        vec![51, i128::from(i64::MIN), 9],
        vec![1 << 22, i128::from(i64::MAX), -1],
    ];
    for readers in [Readers::Receiver, Readers::Sender, Readers::Both] {
        for (count, wide) in [(true, false), (false, true)] {
            let third = moment(if wide { 100 } else { 8 }, true);
            let moments = vec![moment(24, count), moment(64, true), third];
            let terms = Terms::new(5, moments, 50, readers).expect("fits");
            let seen = Some(plain(&terms, &table));
            let [r, s] = release(&terms, &table, 1);
            assert_eq!(r, seen.clone().filter(|_| readers != Readers::Sender));
            assert_eq!(s, seen.filter(|_| readers != Readers::Receiver));
        }
    }
}

#[test]
fn an_empty_cell_is_suppressed_even_without_a_smallest_group() {
    let terms = Terms::new(2, vec![moment(20, true)], 0, Readers::Receiver).expect("fits");
    let [seen, _] = release(&terms, &[vec![0], vec![1]], 1);
    assert_eq!(seen, Some(vec![None, Some(vec![1])]));
}

#[test]
fn terms_that_cannot_be_meant_are_refused() {
    let terms = |cells, bits, min_group| {
        Terms::new(cells, vec![moment(bits, true)], min_group, Readers::Both).err()
    };
    assert!(matches!(
        terms(1 << 15, 20, 1),
        Some(Fault::Caller(Misuse::TooMany { .. }))
    ));
    assert!(terms(1, 128, 1).is_some());
    assert!(terms(1, 1, 1).is_some());
    assert!(terms(1, 5, 16).is_some());
    assert!(terms(1, 5, 15).is_none());
    assert!(terms(1, 0, 1).is_some());
    assert!(Terms::new(1, vec![], 1, Readers::Both).is_err());
    for bits in [0, 1, 128] {
        let later = vec![moment(20, true), moment(bits, true)];
        assert!(Terms::new(1, later, 1, Readers::Both).is_err(), "{bits}");
    }
    let noisy = Moment {
        noise: Scale::new(1, 1),
        ..moment(20, true)
    };
    for half in [vec![noisy, moment(20, true)], vec![moment(20, true), noisy]] {
        assert!(Terms::new(1, half, 1, Readers::Both).is_err());
    }
    let terms = Terms::new(2, vec![moment(5, true)], 1, Readers::Both).expect("fits");
    let (left, ..) = run_over(honest(), &terms, &[vec![1], vec![1]], 1);
    assert!(matches!(left, Err(Fault::Caller(Misuse::Count { .. }))));
}

/// Noise of b = 40 on counts of 10,000: sums of squares of what is opened less the truth. With σ² = 2b², 4,096 cells and an excess
/// kurtosis of 3, six standard deviations of the mean of squares are 6·σ²·√(5/4096) = 0.21·σ²; a false alarm has probability below 2^-27.
#[test]
fn every_noise_that_is_due_is_there_and_no_other() {
    let noisy = Moment {
        bits: 40,
        opened: true,
        noise: Scale::new(40, 1),
    };
    let table = vec![vec![10_000]; 4_096];
    let variance = 2.0 * 40.0 * 40.0;
    for (readers, parties) in [
        (Readers::Receiver, 1.0),
        (Readers::Sender, 1.0),
        (Readers::Both, 2.0),
    ] {
        let terms = Terms::new(4_096, vec![noisy], 1, readers).expect("fits");
        let [r, s] = release(&terms, &table, 5);
        let cells = r.or(s).expect("somebody reads");
        let noise = cells.iter().flatten().map(|cell| (cell[0] - 10_000) as f64);
        let squares = noise.map(|noise| noise * noise).sum::<f64>() / 4_096.0;
        let ratio = squares / (parties * variance);
        assert!((0.79..1.21).contains(&ratio), "{readers:?}: {ratio}");
    }
}

/// Of a suppressed cell nothing is in what is opened: both openings' words add up to zeros there.
#[test]
fn a_suppressed_cell_opens_to_zeros() {
    let moments = vec![moment(20, true), moment(60, true)];
    let terms = Terms::new(1, moments, 50, Readers::Both).expect("fits");
    for secret in [1, 1 << 50, -7] {
        let [r, s] = release(&terms, &[vec![49, secret]], 3);
        // `cell_of` faults on a suppressed cell with any other word.
        assert_eq!([r, s], [Some(vec![None]), Some(vec![None])]);
    }
}

#[test]
fn other_terms_on_the_two_sides_are_noticed_before_anything_is_sent() {
    let terms = |min_group, readers| {
        Terms::new(1, vec![moment(9, true)], min_group, readers).expect("fits")
    };
    let left = terms(5, Readers::Receiver);
    for right in [terms(6, Readers::Receiver), terms(5, Readers::Both)] {
        let (at_left, at_right, totals) = both(
            honest(),
            |channel| receiver::run(channel, SID, &left, &[1], &mut Prg::new(Block(1))),
            |channel| sender::run(channel, SID, &right, &[1], &mut Prg::new(Block(2))),
        );
        assert!(matches!(at_left, Err(Fault::Incompatible(_))));
        assert!(matches!(at_right, Err(Fault::Incompatible(_))));
        assert_eq!(totals[0].sent_bytes, 42);
    }
}

#[test]
fn a_partner_that_leaves_before_its_opening_leaves_no_table() {
    let terms = Terms::new(1, vec![moment(9, true)], 1, Readers::Both).expect("fits");
    let [r, s] = shares(&terms, &[vec![5]], 1);
    let gone = |_: &mut Channel| ();
    let (at_left, (), _) = both(
        honest(),
        |channel| receiver::run(channel, SID, &terms, &r, &mut Prg::new(Block(1))),
        gone,
    );
    assert!(matches!(at_left, Err(Fault::Transport(_))));
    let ((), at_right, _) = both(honest(), gone, |channel| {
        sender::run(channel, SID, &terms, &s, &mut Prg::new(Block(1)))
    });
    assert!(matches!(at_right, Err(Fault::Transport(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_table_opens_as_it_is(
        cells in 1usize..40,
        min_group in 0u64..100,
        widths in prop::collection::vec((2u32..=127, any::<bool>()), 0..4),
        seed: u64,
        readers in prop::sample::select(vec![Readers::Receiver, Readers::Sender, Readers::Both]),
    ) {
        let others = widths.iter().map(|(bits, opened)| moment(*bits, *opened));
        let moments: Vec<Moment> = std::iter::once(moment(16, seed % 2 == 0)).chain(others).collect();
        let terms = Terms::new(cells, moments, min_group, readers).expect("fits");
        let mut rng = Prg::new(Block(seed.into()));
        let table: Vec<Vec<i128>> = (0..cells).map(|_| {
            let count = i128::from(rng.next_u64() % 200) - 50;
            let words = terms.moments()[1..].iter().map(|moment| {
                let unused = 128 - moment.bits;
                ((Block::random(&mut rng).0 << unused) as i128) >> unused
            });
            std::iter::once(count).chain(words).collect()
        }).collect();
        let [r, s] = release(&terms, &table, seed >> 8);
        let seen = plain(&terms, &table);
        prop_assert!([r, s].iter().flatten().all(|cells| *cells == seen));
    }
}

/// S that says something else than it committed to is caught before R has said anything of its own.
#[test]
fn a_sender_that_opens_other_shares_sees_none() {
    let terms = Terms::new(1, vec![moment(9, true)], 1, Readers::Both).expect("fits");
    let shares = shares(&terms, &[vec![5]], 1);
    let (genuine, _) = crate::adversary::record(|ends| run_over(ends, &terms, &shares, 1));
    let opening = |side: &[Vec<u8>]| {
        let kind = |frame: &Vec<u8>| u16::from_le_bytes([frame[0], frame[1]]);
        side.iter().position(|frame| kind(frame) == SHARES.number())
    };
    let case = crate::adversary::Case {
        side: 1,
        frame: opening(&genuine[1]).expect("S opens"),
        kind: SHARES.number(),
        tampering: crate::adversary::Tampering::Flip { bit: 8 * 20 },
        deft: false,
    };
    let ends = crate::adversary::tampered(&case, &genuine);
    let (left, right, totals) = run_over(ends, &terms, &shares, 1);
    assert!(matches!(left, Err(Fault::Misbehaved(_))));
    assert!(right.is_err());
    let all: u64 = genuine[0].iter().map(|frame| frame.len() as u64).sum();
    let own = genuine[0][opening(&genuine[0]).expect("R opens")].len() as u64;
    assert_eq!(totals[0].sent_bytes, all - own);
}
