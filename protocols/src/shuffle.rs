//! Uniformly random permutations.

use rand_core::CryptoRng;

/// Puts `items` in a uniformly random order (Fisher and Yates). The order depends on the generator alone, so equal seeds
/// give equal orders on every machine.
pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut impl CryptoRng) {
    for end in (1..items.len()).rev() {
        let other = below(end as u64 + 1, rng);
        items.swap(end, usize::try_from(other).expect("it is at most an index"));
    }
}

/// A uniform number below `bound`, which is not 0: the high word of a product, drawn again in the few cases that would
/// make some results likelier than others (Lemire, "Fast random integer generation in an interval", 2019).
fn below(bound: u64, rng: &mut impl CryptoRng) -> u64 {
    let uneven = bound.wrapping_neg() % bound;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        if product as u64 >= uneven {
            return (product >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::prg::Prg;
    use std::collections::HashMap;

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..1000).collect();
        shuffle(&mut items, &mut Prg::new(Block(1)));
        assert_ne!(items, (0..1000).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn all_orders_of_four_items_are_equally_likely() {
        let mut rng = Prg::new(Block(2));
        let mut orders: HashMap<[u8; 4], u32> = HashMap::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            shuffle(&mut items, &mut rng);
            *orders.entry(items).or_default() += 1;
        }
        assert_eq!(orders.len(), 24);
        // 1000 each, standard deviation 31: six of them in either direction.
        assert!(orders.values().all(|&count| (814..1186).contains(&count)));
    }

    #[test]
    fn nothing_and_one_item_need_no_randomness() {
        let mut rng = Prg::new(Block(3));
        shuffle::<u8>(&mut [], &mut rng);
        shuffle(&mut [1], &mut rng);
    }
}
