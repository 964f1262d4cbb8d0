mod formats;
mod privacy;
mod tamper;
mod vectors;
mod views;

use super::super::cuckoo::Slot;
use super::sender::Inputs;
use super::*;
use crate::adversary::{Ends, both, honest};
use crate::blind::cuckoo::Table;
use crate::blind::word::Word;
use crate::channel::Totals;
use crate::prg::Prg;
use proptest::prelude::*;
use rand_core::Rng;
use std::collections::HashMap;

const SID: SessionId = SessionId::new([4; 32]);

fn ids(range: Range<u64>) -> Vec<Id> {
    range
        .map(|number| {
            let digest = blake3::hash(&number.to_le_bytes());
            let (first, _) = digest.as_bytes().split_first_chunk().expect("32 bytes");
            Id::new(*first)
        })
        .collect()
}

/// Codes and words that differ from row to row.
struct Columns<W> {
    codes: Vec<u32>,
    words: Vec<W>,
}

fn columns<W: Word>(rows: usize, code_bits: u32, layout: &Layout) -> Columns<W> {
    let mut rng = Prg::new(Block(77));
    let code = |rng: &mut Prg| (u64::from(rng.next_u32()) & ((1 << code_bits) - 1)) as u32;
    Columns {
        codes: (0..rows).map(|_| code(&mut rng)).collect(),
        words: (0..rows * layout.words())
            .map(|_| W::from_u128(Block::random(&mut rng).0))
            .collect(),
    }
}

type Outcome = (Result<(Table, BinValues), Fault>, Result<BinValues, Fault>);

fn run_over<W: Word>(
    sid: SessionId,
    setup: &Setup,
    mine: &[Id],
    inputs: Inputs<'_, W>,
    ends: Ends,
) -> (Outcome, [Totals; 2]) {
    let receive =
        |channel: &mut Channel| receiver::run(channel, &sid, setup, mine, &mut Prg::new(Block(2)));
    let send =
        |channel: &mut Channel| sender::run(channel, &sid, setup, inputs, &mut Prg::new(Block(1)));
    let (received, sent, totals) = both(ends, receive, send);
    ((received, sent), totals)
}

fn setup(receiver: u32, sender: u32, code_bits: u32, layout: &Layout) -> Setup {
    let sizes = PaddedSizes::new(receiver, sender).expect("in range");
    Setup::new(sizes, 1, code_bits, layout).expect("in range")
}

/// How many bins have a common id, if what both have got is right in every bin.
fn common_if_right<W: Word>(
    layout: &Layout,
    mine: &[Id],
    inputs: Inputs<'_, W>,
    (table, received): &(Table, BinValues),
    sent: &BinValues,
) -> Option<usize> {
    let bins = 0..table.slots().count();
    assert_eq!([received.bins(), sent.bins()], [bins.len(); 2]);
    let targets = [received, sent].map(|values| values.targets(bins.clone()));
    let codes = [received, sent].map(|values| values.codes(bins.clone()));
    let shares = [received, sent].map(|values| values.shares::<W>(bins.clone()));
    let full = |lengths: [usize; 2], a_bin| lengths == [a_bin * bins.len(); 2];
    assert!(full(targets.each_ref().map(Vec::len), 1) && full(codes.each_ref().map(Vec::len), 1));
    assert!(full(shares.each_ref().map(Vec::len), layout.words()));
    let place_of: HashMap<&Id, usize> = inputs.ids.iter().zip(0..).collect();
    let width = layout.words();
    let mut common = 0;
    for (bin, slot) in table.slots().enumerate() {
        let id = slot.and_then(|Slot { id, .. }| mine.get(id as usize));
        let row = id.and_then(|id| place_of.get(id)).copied();
        // Also where the bin has a dummy, or no id.
        if row.is_some() != (targets[0][bin] == targets[1][bin]) {
            return None;
        }
        let Some(row) = row else { continue };
        common += 1;
        if codes[0][bin] ^ codes[1][bin] != inputs.codes[row] {
            return None;
        }
        for (word, bits) in layout.bits().iter().enumerate() {
            let [mine, theirs] = shares.each_ref().map(|shares| shares[bin * width + word]);
            let sum = mine.wrapping_add(theirs);
            let difference = sum.wrapping_sub(inputs.words[row * width + word]);
            let modulus = u128::MAX
                .checked_shl(*bits)
                .map_or(u128::MAX, |above| !above);
            if difference.to_u128() & modulus != 0 {
                return None;
            }
        }
    }
    Some(common)
}

/// The first `common` ids are on both sides; then come each side's own.
fn check<W: Word>(common: u64, receivers_own: u64, senders_own: u64, code_bits: u32, bits: &[u32]) {
    let layout = Layout::new(bits.to_vec());
    let mine = ids(0..common + receivers_own);
    let mut theirs = ids(1_000_000..1_000_000 + senders_own);
    theirs.extend(ids(0..common).into_iter().rev());
    let columns = columns::<W>(theirs.len(), code_bits, &layout);
    let inputs = Inputs {
        ids: &theirs,
        codes: &columns.codes,
        words: &columns.words,
    };
    let setup = setup(mine.len() as u32, theirs.len() as u32, code_bits, &layout);
    let ((received, sent), totals) = run_over(SID, &setup, &mine, inputs, honest());
    let (received, sent) = (received.expect("honest"), sent.expect("honest"));
    assert_eq!(received.0.slots().count(), setup.bins() as usize);
    let found = common_if_right(&layout, &mine, inputs, &received, &sent);
    assert_eq!(found, Some(common as usize), "{bits:?}");
    let bytes = totals[0].sent_bytes + totals[0].received_bytes;
    assert_eq!(bytes, setup.bytes(), "{bits:?}");
}

#[test]
fn targets_codes_and_shares_are_right_at_every_extreme() {
    check::<u64>(0, 0, 0, 3, &[40]); // dummies only
    check::<u64>(0, 0, 9, 3, &[40]); // one side empty
    check::<u64>(0, 9, 0, 3, &[40]);
    check::<u64>(1, 0, 0, 3, &[40]); // one id
    check::<u64>(0, 1, 1, 3, &[40]); // one id each, and not the same
    check::<u64>(0, 20, 20, 3, &[40]); // none common
    check::<u64>(1, 0, 6_000, 3, &[40]); // skewed
    check::<u64>(1, 6_000, 0, 3, &[40]);
    check::<u64>(4_096, 0, 0, 3, &[40]); // no dummies: all common
    check::<u64>(0, 4_096, 4_096, 3, &[40]); // and none
    check::<u64>(2_000, 3_000, 2_096, 3, &[40]); // more than the smallest set on one side
}

#[test]
fn hints_of_any_number_of_words_are_right() {
    check::<u64>(50, 50, 50, 0, &[]); // one word: a target alone
    check::<u64>(50, 50, 50, 8, &[]); // 56 + 8 bits: one word without a rest
    check::<u64>(50, 50, 50, 32, &[64]); // three words
    check::<u64>(50, 50, 50, 1, &[1, 63, 64]); // a word that ends with its field
    check::<u128>(50, 50, 50, 5, &[127, 64, 128, 7]); // fields over three words
    check::<u128>(50, 50, 50, 0, &[100; 5]);
}

#[test]
fn several_bins_of_both_okvs_are_right() {
    check::<u64>(30_000, 25_000, 40_000, 3, &[50]);
}

#[test]
fn values_of_some_bins_are_those_of_all() {
    let layout = Layout::new(vec![40, 64, 3]);
    let setup = setup(4_096, 4_096, 2, &layout);
    let list = ids(0..4_096);
    let columns = columns::<u64>(list.len(), 2, &layout);
    let inputs = Inputs {
        ids: &list,
        codes: &columns.codes,
        words: &columns.words,
    };
    let ((received, sent), _) = run_over(SID, &setup, &list, inputs, honest());
    for values in [&received.expect("honest").1, &sent.expect("honest")] {
        let all = 0..values.bins();
        let targets = values.targets(all.clone());
        let codes = values.codes(all.clone());
        let shares: Vec<u64> = values.shares(all.clone());
        for part in [0..0, 0..1, 63..65, 1_000..5_000, all.end - 1..all.end, all] {
            assert_eq!(values.targets(part.clone()), targets[part.clone()]);
            assert_eq!(values.codes(part.clone()), codes[part.clone()]);
            assert_eq!(
                values.shares::<u64>(part.clone()),
                shares[3 * part.start..3 * part.end]
            );
        }
        // No bin's values are another's.
        let mut distinct = targets.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), targets.len());
    }
}

/// What went wrong at R and at S.
fn faults(setup: &Setup, mine: &[Id], inputs: Inputs<'_, u64>) -> [Option<Fault>; 2] {
    let ((received, sent), _) = run_over(SID, setup, mine, inputs, honest());
    [received.err(), sent.err()]
}

#[test]
fn wrong_inputs_blame_the_caller() {
    let layout = Layout::new(vec![40]);
    let setup = setup(4_096, 4_096, 2, &layout);
    let (list, none) = (ids(0..10), &[]);
    let good = Inputs {
        ids: &list,
        codes: &[1; 10],
        words: &[5; 10],
    };
    let at_s = |inputs| faults(&setup, none, inputs)[1].clone();
    let count = |what, expected, got| {
        Some(
            Misuse::Count {
                what,
                expected,
                got,
            }
            .into(),
        )
    };
    let many = |what, max, got| Some(Misuse::TooMany { what, max, got }.into());
    assert_eq!(
        at_s(Inputs {
            codes: &[1; 9],
            ..good
        }),
        count("group codes", 10, 9)
    );
    assert_eq!(
        at_s(Inputs {
            words: &[5; 11],
            ..good
        }),
        count("words", 10, 11)
    );
    assert_eq!(
        at_s(Inputs {
            codes: &[4; 10],
            ..good
        }),
        many("groups", 3, 4)
    );
    let long = ids(0..4_097);
    let too_long = Inputs {
        ids: &long,
        codes: &[0; 4_097],
        words: &[0; 4_097],
    };
    assert_eq!(at_s(too_long), many("ids", 4_096, 4_097));
    assert_eq!(faults(&setup, &long, good)[0], many("ids", 4_096, 4_097));
    let mut twice = list.clone();
    twice[9] = twice[0];
    let duplicate = Some(Misuse::Duplicate { what: "ids" }.into());
    assert_eq!(
        at_s(Inputs {
            ids: &twice,
            ..good
        }),
        duplicate
    );
    assert_eq!(faults(&setup, &twice, good)[0], duplicate);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn shares_are_right_for_any_widths(
        common in 0u64..40, own in 0u64..40, theirs in 0u64..40,
        code_bits in 0u32..=32, bits in prop::collection::vec(1u32..=128, 0..5),
    ) {
        check::<u128>(common, own, theirs, code_bits, &bits);
    }
}
