//! What nobody sees: in values, in how many keys are evaluated, and on the line.

use super::*;
use crate::adversary::record;

/// The OPRF is run at one key an occupied bin, so at exactly as many as R's padded size, however many bins there are.
#[test]
fn one_key_is_evaluated_in_every_bin_with_an_id_and_none_elsewhere() {
    let layout = Layout::new(vec![40]);
    let setup = setup(5_000, 100, 0, &layout);
    assert_eq!(setup.oprf.keys(), 5_000);
    let inputs = Inputs::<u64> {
        ids: &[],
        codes: &[],
        words: &[],
    };
    let ((received, _), _) = run_over(SID, &setup, &ids(0..4_000), inputs, honest());
    let (table, _) = received.expect("honest");
    assert_eq!(table.slots().flatten().count(), 5_000);
    assert_eq!(table.slots().count(), setup.bins() as usize);
    let mut seen = vec![false; 5_000];
    for Slot { id, .. } in table.slots().flatten() {
        assert!(!std::mem::replace(&mut seen[id as usize], true));
    }
}

/// Everything R has is as uniform where there is a match as where there is none, the rest of the last word too.
#[test]
fn no_bit_of_a_hint_shows_a_match() {
    let layout = Layout::new(vec![3]);
    let setup = setup(4_096, 4_096, 2, &layout);
    assert!(64 * setup.format.words() > 56 + 2 + 3, "there is a rest");
    let mine = ids(0..4_096);
    let inputs = Inputs::<u64> {
        ids: &mine,
        codes: &[0; 4_096],
        words: &[0; 4_096],
    };
    let ((received, _), _) = run_over(SID, &setup, &mine, inputs, honest());
    let (_, values) = received.expect("honest");
    let packed = values.rows();
    let rows = packed.chunks_exact(setup.format.words());
    let count = setup.bins() as usize;
    for bit in 0..64 {
        let ones = rows
            .clone()
            .take(count)
            .filter(|row| (row[0] >> bit) & 1 == 1);
        // Half of 5,448, standard deviation 37: six of them in either direction.
        let ones = ones.count() as i64;
        assert!((ones - 2_724).abs() < 222, "bit {bit}: {ones}");
    }
}

#[test]
fn lengths_and_kinds_depend_on_public_sizes_only() {
    let layout = Layout::new(vec![40]);
    let setup = setup(5_000, 6_000, 2, &layout);
    let shapes = [
        (0, 0, 0),
        (5_000, 0, 6_000),
        (5_000, 5_000, 6_000),
        (1, 1, 2),
    ]
    .map(|(receivers, common, senders): (u64, u64, u64)| {
        let mine = ids(0..receivers);
        let mut theirs = ids(0..common);
        theirs.extend(ids(1_000_000..1_000_000 + senders - common));
        let columns = columns::<u64>(theirs.len(), 2, &layout);
        let inputs = Inputs {
            ids: &theirs,
            codes: &columns.codes,
            words: &columns.words,
        };
        let (frames, _) = record(|ends| run_over(SID, &setup, &mine, inputs, ends));
        frames.map(|side| {
            let shape = |frame: &Vec<u8>| (frame[..2].to_vec(), frame.len());
            side.iter().map(shape).collect::<Vec<_>>()
        })
    });
    assert!(shapes.windows(2).all(|pair| pair[0] == pair[1]));
}
