//! Packing against one bit at a time.

use super::*;

/// Target, code and numbers of a row.
type Plain = (u128, u32, Vec<u128>);

fn unpacked(format: &Format, packed: &[u64], row: usize, numbers: usize) -> Plain {
    let one = format.some_rows(packed, row..row + 1);
    let unpacked: Vec<u128> = format.numbers(one);
    assert_eq!(unpacked.len(), numbers);
    let (targets, codes) = (format.targets(one), format.codes(one));
    (targets[0], codes[0], unpacked)
}

fn modulus(bits: u32) -> u128 {
    u128::MAX
        .checked_shl(bits)
        .map_or(u128::MAX, |above| !above)
}

/// A row's bits from `start` on, one at a time.
fn bits_at(row: &[u64], start: usize, bits: u32) -> u128 {
    let bit = |at: usize| u128::from((row[at / 64] >> (at % 64)) & 1);
    (0..bits as usize).fold(0, |sum, i| sum | bit(start + i) << i)
}

#[test]
fn a_hint_takes_as_few_words_as_its_bits() {
    for (target, code, bits, words) in [
        (64, 0, vec![], 1),
        (64, 1, vec![], 2),
        (60, 4, vec![], 1),
        (64, 0, vec![64], 2),
        (64, 3, vec![61], 2),
        (64, 3, vec![62], 3),
        (72, 8, vec![127, 127], 6),
    ] {
        assert_eq!(Format::new(target, code, &bits).words(), words);
    }
}

proptest! {
    #[test]
    fn fields_stand_one_after_the_other_and_differ_each_by_itself(
        target in 0u32..=128, code in 0u32..=32, bits in prop::collection::vec(1u32..=128, 0..6),
        seed: u128, rows in 1usize..4,
    ) {
        prop_assume!(target + code + bits.iter().sum::<u32>() > 0);
        let format = Format::new(target, code, &bits);
        let words = format.words();
        let mut rng = Prg::new(Block(seed));
        let codes: Vec<u32> = (0..rows).map(|_| rng.next_u32() & format.code_max()).collect();
        let numbers: Vec<u128> = (0..rows * bits.len()).map(|_| Block::random(&mut rng).0).collect();
        let mut packed = format.room(rows);
        format.pack(&codes, &numbers, &mut packed);
        let mut masks = format.room(rows);
        masks.iter_mut().for_each(|word| *word = rng.next_u64());
        let mut differences = format.room(rows);
        for row in 0..rows {
            let mut borrow = false;
            for plane in 0..words.div_ceil(2) {
                let (own, mask) = (format.pair(&packed, row, plane), format.pair(&masks, row, plane));
                let difference = format.subtract(plane, own, mask, &mut borrow);
                format.set_pair(&mut differences, row, plane, difference);
            }
            prop_assert!(!borrow, "nothing is borrowed over the end");
        }
        for row in 0..rows {
            let own = &packed[row * words..];
            let (zero, packed_code, packed_numbers) = unpacked(&format, &packed, row, bits.len());
            prop_assert_eq!((zero, packed_code), (0, codes[row]));
            let mut start = target as usize;
            prop_assert_eq!(bits_at(own, 0, target), 0);
            prop_assert_eq!(bits_at(own, start, code), u128::from(codes[row]));
            start += code as usize;
            let (mask_target, mask_code, mask_numbers) = unpacked(&format, &masks, row, bits.len());
            prop_assert_eq!(mask_target, bits_at(&masks[row * words..], 0, target));
            let (target, code, difference) = unpacked(&format, &differences, row, bits.len());
            prop_assert_eq!((target, code), (mask_target, codes[row] ^ mask_code));
            for (i, bits) in bits.iter().enumerate() {
                let number = numbers[row * packed_numbers.len() + i] & modulus(*bits);
                prop_assert_eq!(packed_numbers[i], number);
                prop_assert_eq!(bits_at(own, start, *bits), number);
                let expected = number.wrapping_sub(mask_numbers[i]) & modulus(*bits);
                prop_assert_eq!(difference[i], expected);
                start += *bits as usize;
            }
            // What belongs to no field is the mask's: random where the mask is.
            let rest = 64 * words - start;
            if rest > 0 {
                let [mine, mask] = [&differences, &masks].map(|rows| bits_at(&rows[row * words..], start, rest as u32));
                prop_assert_eq!(mine, mask);
            }
        }
    }
}
