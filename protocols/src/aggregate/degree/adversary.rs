//! The bounds on the graph, against an adversary that looks at every subset: small graphs are drawn, and how often it succeeds is counted.

use super::*;
use crate::block::Block;
use crate::prg::Prg;
use crate::shuffle::shuffle;
use libm::sqrt;

const GRAPHS: usize = 3_000;

/// A round with few members, small enough to look at all subsets of the honest ones.
struct Small {
    sizes: Sizes,
    picks: usize,
}

/// Of each member, the others that it picked, and the honest ones that picked it, as bits. The colluders come last, and nobody asks what they picked.
struct Graph {
    picks: Vec<u32>,
    picked_by: Vec<u32>,
}

impl Small {
    fn honest(&self) -> usize {
        self.sizes.members - self.sizes.colluders
    }

    fn draw(&self, rng: &mut Prg) -> Graph {
        let members = self.sizes.members;
        let one = |own: usize| {
            let mut others: Vec<usize> = (0..members).filter(|other| *other != own).collect();
            shuffle(&mut others, rng);
            let picks = &others[..self.picks];
            picks.iter().fold(0, |set, pick| set | 1 << pick)
        };
        let picks: Vec<u32> = (0..self.honest()).map(one).collect();
        let mut picked_by = vec![0; members];
        for (own, picks) in picks.iter().enumerate() {
            members_of(*picks).for_each(|pick| picked_by[pick] |= 1 << own);
        }
        Graph { picks, picked_by }
    }

    /// The share of graphs with a set of `size` honest members for which this holds.
    fn frequency(&self, size: u32, holds: impl Fn(&Graph, u32) -> bool) -> f64 {
        let rng = &mut Prg::new(Block(11));
        let sets: Vec<u32> = (0..1 << self.honest())
            .filter(|set: &u32| set.count_ones() == size)
            .collect();
        let graphs = (0..GRAPHS).filter(|_| {
            let graph = self.draw(rng);
            sets.iter().any(|set| holds(&graph, *set))
        });
        graphs.count() as f64 / GRAPHS as f64
    }

    /// Whether enough honest members survive with `set` if all others vanish that it has a mask with: both ways, or, where the coordinator
    /// could hide them, without its own picks.
    fn is_isolable(&self, graph: &Graph, set: u32, own_picks: bool) -> bool {
        let linked = members_of(set).fold(set, |linked, member| {
            let picks = if own_picks { graph.picks[member] } else { 0 };
            linked | graph.picked_by[member] | picks
        });
        let honest = (1 << self.honest()) - 1;
        let survivors = (honest & !linked).count_ones() + set.count_ones();
        survivors as usize >= self.sizes.cohort_min - self.sizes.colluders
    }

    /// Whether each of `set` has a threshold of shares at itself, the others of it, and the colluders.
    fn is_kept_inside(&self, graph: &Graph, set: u32, threshold: usize) -> bool {
        let inside = set | ((1 << self.sizes.members) - (1 << self.honest()));
        members_of(set)
            .all(|member| (graph.picks[member] & inside).count_ones() as usize + 1 >= threshold)
    }
}

fn members_of(set: u32) -> impl Iterator<Item = usize> {
    (0..u32::BITS as usize).filter(move |member| set >> member & 1 == 1)
}

#[track_caller]
fn assert_below(frequency: f64, bound: f64) {
    let bound = exp2(bound);
    let spread = sqrt(bound * (1.0 - bound).max(0.0) / GRAPHS as f64);
    assert!(frequency <= bound + 5.0 * spread, "{frequency} {bound}");
}

/// Sixteen honest members and two colluders, eleven survivors at least. If a coordinator could hide picks, as it could when nobody signed
/// them, the same adversary would pass the bound: so this test can fail.
#[test]
fn sets_are_cut_off_no_more_often_than_bounded() {
    let sizes = Sizes {
        members: 18,
        colluders: 2,
        quorum: 11,
        cohort_min: 11,
    };
    let (small, bounds) = (Small { sizes, picks: 6 }, Bounds::new(sizes));
    for size in [2, 3] {
        let bound = bounds.nothing_across(size, small.picks);
        assert!(bound < -2.0, "{bound}");
        let isolable = |own_picks| {
            small.frequency(size as u32, |graph, set| {
                small.is_isolable(graph, set, own_picks)
            })
        };
        assert_below(isolable(true), bound);
        let hidden = isolable(false);
        assert!(hidden > 2.0 * exp2(bound), "{hidden} {bound}");
    }
}

#[test]
fn sets_are_opened_from_inside_no_more_often_than_bounded() {
    let sizes = Sizes {
        members: 18,
        colluders: 2,
        quorum: 11,
        cohort_min: 18,
    };
    let (small, bounds) = (Small { sizes, picks: 6 }, Bounds::new(sizes));
    for (size, threshold) in [(2, 4), (3, 4)] {
        let kept = |graph: &Graph, set| small.is_kept_inside(graph, set, threshold);
        let frequency = small.frequency(size as u32, kept);
        assert_below(frequency, bounds.kept_inside(size, small.picks, threshold));
    }
}
