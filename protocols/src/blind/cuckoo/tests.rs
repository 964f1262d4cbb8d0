use super::*;
use crate::bounds;
use crate::fault::Culprit;
use crate::prg::Prg;
use proptest::prelude::*;

const SID: SessionId = SessionId::new([5; 32]);

fn ids(seed: u128, count: usize) -> Vec<Block> {
    Prg::new(Block(seed)).blocks(count)
}

fn bins_for(ids: usize) -> u32 {
    (bounds::cuckoo_bins(ids as u64) as u32).max(FUNCTIONS as u32)
}

/// Candidates with tags of their own.
fn tagged(bins: &[[u32; FUNCTIONS]]) -> Vec<Candidate> {
    let candidates = bins.iter().zip(0..);
    candidates
        .map(|(bins, tag)| Candidate { bins: *bins, tag })
        .collect()
}

/// A placement of ids that are all distinct.
fn placed(bins: &[[u32; FUNCTIONS]], count: u32, walk_steps: u32) -> Result<Table, Unplaceable> {
    Table::placed(&tagged(bins), count, walk_steps, |_, _| false)
}

/// Every id stands in the bin of its function, once.
fn assert_placed(table: &Table, candidates: &[[u32; FUNCTIONS]]) {
    let mut seen = vec![false; candidates.len()];
    for (bin, slot) in (0..).zip(table.slots()) {
        let Some(Slot { id, function }) = slot else {
            continue;
        };
        assert_eq!(candidates[id as usize][usize::from(function)], bin);
        assert!(!std::mem::replace(&mut seen[id as usize], true), "once");
    }
    assert!(seen.iter().all(|seen| *seen), "every id has a bin");
    for (id, (bin, function)) in table.by_id().into_iter().enumerate() {
        assert_eq!(candidates[id][usize::from(function)], bin);
    }
}

/// Whether a placement exists, by augmenting paths searched depth first.
fn exists(candidates: &[[u32; FUNCTIONS]], bins: u32) -> bool {
    fn place(
        id: usize,
        all: &[[u32; FUNCTIONS]],
        of: &mut [Option<usize>],
        seen: &mut [bool],
    ) -> bool {
        all[id].into_iter().any(|bin| {
            let bin = bin as usize;
            if std::mem::replace(&mut seen[bin], true) {
                return false;
            }
            let free = of[bin].is_none_or(|other| place(other, all, of, seen));
            if free {
                of[bin] = Some(id);
            }
            free
        })
    }
    let mut of = vec![None; bins as usize];
    (0..candidates.len()).all(|id| place(id, candidates, &mut of, &mut vec![false; bins as usize]))
}

#[test]
fn every_id_gets_a_bin_of_its_own_at_every_size() {
    for count in [0, 1, 2, 3, 4_096, 1 << 14, 1 << 16] {
        let bins = Bins::new(&SID, Block(1), bins_for(count.max(4)));
        let ids = ids(7, count);
        let table = Table::new(&bins, &ids).expect("placed");
        assert_placed(&table, &bins.of(&ids));
    }
}

#[test]
fn both_parties_find_the_same_three_distinct_bins() {
    let count = bins_for(4_096);
    let ids = ids(7, 4_096);
    let bins = Bins::new(&SID, Block(1), count).of(&ids);
    assert!(bins == Bins::new(&SID, Block(1), count).of(&ids));
    for [a, b, c] in &bins {
        assert!(a != b && b != c && a != c && *a.max(b).max(c) < count);
    }
    // Another session, another seed and another id have other bins.
    assert!(bins != Bins::new(&SessionId::new([6; 32]), Block(1), count).of(&ids));
    assert!(bins != Bins::new(&SID, Block(2), count).of(&ids));
    assert!(bins.windows(2).all(|pair| pair[0] != pair[1]));
}

/// Ids of one bucket agree in their first bits; their bins do not.
#[test]
fn ids_with_equal_first_or_last_bytes_spread_evenly() {
    let count = 100;
    for shift in [0, 64, 112] {
        let ids: Vec<Block> = (0..10_000u128)
            .map(|number| Block(number << shift))
            .collect();
        let mut loads = vec![0u32; count as usize];
        for bin in Bins::new(&SID, Block(1), count).of(&ids).as_flattened() {
            loads[*bin as usize] += 1;
        }
        // 300 each, standard deviation 17: six of them in either direction.
        assert!(loads.iter().all(|load| (198..402).contains(load)));
    }
}

#[test]
fn the_shortest_way_rescues_a_capped_walk() {
    // 94 % of the bins the bound plans for a set this large: crowded, and still placeable.
    let (count, bins) = (1 << 14, (1 << 14) * 122 / 100);
    let candidates = Bins::new(&SID, Block(1), bins).of(&ids(7, count));
    let mut placing = Placing {
        candidates: &tagged(&candidates),
        bins: vec![Bin::EMPTY; bins as usize],
        dice: 1,
    };
    let homeless = (0..count as u32).filter(|id| placing.walk(*id, 0).is_some());
    assert!(
        homeless.count() > 100,
        "a walk of no steps leaves many over"
    );
    for walk_steps in [0, 1, 2, WALK_STEPS] {
        let table = placed(&candidates, bins, walk_steps).expect("a placement exists");
        assert_placed(&table, &candidates);
    }
}

#[test]
fn a_table_without_placement_is_nobodys_fault() {
    // Four ids have the same three bins.
    let four = [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]];
    assert_eq!(
        placed(&four, 9, WALK_STEPS).err(),
        Some(Unplaceable::NoPlacement)
    );
    let bins = Bins::new(&SID, Block(1), 3);
    let fault = Table::new(&bins, &ids(7, 4)).err().expect("four in three");
    let no_solution = Abort::NoSolution {
        what: "the cuckoo table",
    };
    assert_eq!(fault, no_solution.into());
    assert_eq!(fault.culprit(), Culprit::Chance);
}

#[test]
fn an_id_that_stands_twice_blames_the_caller_however_it_is_placed() {
    for (times, bins) in [
        (2, bins_for(4_096)),
        (3, bins_for(4_096)),
        (4, bins_for(4_096)),
    ] {
        let mut ids = ids(7, 4_096);
        for time in 1..times {
            ids[1_000 * time] = ids[17];
        }
        let fault = Table::new(&Bins::new(&SID, Block(1), bins), &ids).err();
        assert_eq!(fault, Some(Misuse::Duplicate { what: "ids" }.into()));
    }
}

/// A tag alone makes no duplicate.
#[test]
fn different_ids_with_equal_tags_are_placed() {
    let candidate = |bins| Candidate { bins, tag: 7 };
    let alike = [[0, 1, 2], [2, 1, 0], [1, 0, 2]].map(candidate);
    assert!(Table::placed(&alike, 9, WALK_STEPS, |_, _| false).is_ok());
    let equal = Table::placed(&alike, 9, WALK_STEPS, |a, b| (a, b) == (1, 2));
    assert_eq!(equal.err(), Some(Unplaceable::Twice));
}

proptest! {
    #[test]
    fn a_placement_is_found_exactly_where_one_exists(seed: u128, count in 0usize..30, spare in 0u32..10, walk_steps in 0u32..5) {
        let bins = (count as u32 + spare).max(3);
        let candidates = Bins::new(&SID, Block(seed), bins).of(&ids(seed, count));
        let table = placed(&candidates, bins, walk_steps);
        prop_assert_eq!(table.is_ok(), exists(&candidates, bins));
        if let Ok(table) = table {
            assert_placed(&table, &candidates);
        }
    }
}
