//! Cuckoo hashing (protocols.md §7.1; Pagh and Rodler, J. Algorithms 2004; three functions, one id a bin): R's ids in a table of bins
//! that both parties know how to find, so that two ids can only be equal where their bins are.
//!
//! Every id has three distinct bins, from a hash of its own of digest, session and a seed drawn by both; never from the digest itself, of
//! which a bucket's first bits are constant. R places an id in an empty one of its bins; where there is none it walks at random,
//! pushing one id on after the other; and where that takes long it searches the shortest way to an empty bin, breadth first.
//! So a table fails only where no placement exists, which the number of bins makes rarer than 2^-λ₀.
//!
//! Who learns what: nobody receives anything here. R's memory is touched where its own ids say; that pattern and the time stay
//! inside its process.

use crate::block::Block;
use crate::fault::{Abort, Fault, Misuse};
use crate::hash;
use crate::place_hash::{PlaceHash, three_places};
use crate::psi::SET_IDS_MAX;
use crate::session_id::SessionId;
use std::collections::{HashMap, VecDeque};

/// Hash functions: bins an id may stand in.
pub const FUNCTIONS: usize = 3;
/// Steps of a random walk before the search for the shortest way. At the planned load one id in thousands takes as many.
const WALK_STEPS: u32 = 64;

/// Ids whose bins are read ahead: three loads each, as many as a core keeps under way.
const IDS_AHEAD: usize = 16;

/// Where ids may stand: the same at both parties.
pub struct Bins {
    hash: PlaceHash,
    count: u32,
}

impl Bins {
    /// `count` bins under a seed that both drew after their ids were fixed.
    ///
    /// # Panics
    /// If there are fewer than three: a caller's defect.
    pub fn new(sid: &SessionId, seed: Block, count: u32) -> Self {
        assert!(count as usize >= FUNCTIONS, "three distinct bins");
        let key = hash::keyed("entente/1/blind/cuckoo", sid, &[]).block(&seed.to_bytes());
        Self {
            hash: PlaceHash::new(key),
            count,
        }
    }

    /// The bins of each id, one a function.
    pub fn of(&self, ids: &[Block]) -> Vec<[u32; FUNCTIONS]> {
        let mut bins = Vec::with_capacity(ids.len());
        self.each(ids, |candidate| bins.push(candidate.bins));
        bins
    }

    #[inline]
    fn each(&self, ids: &[Block], mut take: impl FnMut(Candidate)) {
        self.hash.each(ids.iter().copied(), |hash| {
            let bits = [hash.low(), hash.low() >> 32, hash.high()].map(|bits| bits as u32);
            take(Candidate {
                bins: three_places(bits, self.count),
                tag: (hash.high() >> 32) as u32,
            });
        });
    }
}

/// Where an id may stand, and more bits of its hash: ids with other tags are other ids.
#[derive(Clone, Copy)]
struct Candidate {
    bins: [u32; FUNCTIONS],
    tag: u32,
}

/// An id in its bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Where in R's list it stands.
    pub id: u32,
    /// By which function it is in this bin.
    pub function: u8,
}

/// What is kept of a bin: its id's place, the function, and the id's tag.
#[derive(Clone, Copy, Default)]
struct Bin {
    packed: u32,
    tag: u32,
}

impl Bin {
    const EMPTY: Self = Self {
        packed: u32::MAX,
        tag: 0,
    };

    const fn new(id: u32, function: usize, tag: u32) -> Self {
        let packed = id << 2 | function as u32;
        Self { packed, tag }
    }

    const fn is_empty(self) -> bool {
        self.packed == Self::EMPTY.packed
    }

    const fn id(self) -> u32 {
        self.packed >> 2
    }

    const fn slot(self) -> Option<Slot> {
        if self.is_empty() {
            return None;
        }
        Some(Slot {
            id: self.id(),
            function: (self.packed & 3) as u8,
        })
    }
}

const _: () = assert!(SET_IDS_MAX < Bin::EMPTY.packed >> 2);

/// Why ids have no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unplaceable {
    /// An id stands twice.
    Twice,
    /// However they are placed, two ids share a bin.
    NoPlacement,
}

/// R's ids, each in one of its bins, no two in one.
pub struct Table {
    bins: Vec<Bin>,
    ids: usize,
}

impl Table {
    /// Places all `ids`, which must be distinct.
    pub fn new(bins: &Bins, ids: &[Block]) -> Result<Self, Fault> {
        if ids.len() > SET_IDS_MAX as usize {
            return Err(Misuse::TooMany {
                what: "ids",
                max: SET_IDS_MAX as usize,
                got: ids.len(),
            }
            .into());
        }
        let mut candidates = Vec::with_capacity(ids.len());
        bins.each(ids, |candidate| candidates.push(candidate));
        let are_equal = |a: u32, b: u32| ids[a as usize] == ids[b as usize];
        let placed = Self::placed(&candidates, bins.count, WALK_STEPS, are_equal);
        placed.map_err(|why| match why {
            Unplaceable::Twice => Misuse::Duplicate { what: "ids" }.into(),
            Unplaceable::NoPlacement => Abort::NoSolution {
                what: "the cuckoo table",
            }
            .into(),
        })
    }

    /// What is in each bin.
    pub fn slots(&self) -> impl Iterator<Item = Option<Slot>> + '_ {
        self.bins.iter().map(|bin| bin.slot())
    }

    /// The bin of each id and the function that led to it.
    pub fn by_id(&self) -> Vec<(u32, u8)> {
        let mut bins = vec![(0, 0); self.ids];
        for (bin, slot) in (0..).zip(self.slots()) {
            if let Some(Slot { id, function }) = slot {
                bins[id as usize] = (bin, function);
            }
        }
        bins
    }

    /// A placement of ids that may stand in these bins, if there is one and no two are equal.
    fn placed(
        candidates: &[Candidate],
        bins: u32,
        walk_steps: u32,
        are_equal: impl Fn(u32, u32) -> bool,
    ) -> Result<Self, Unplaceable> {
        let mut placing = Placing {
            candidates,
            bins: vec![Bin::EMPTY; bins as usize],
            dice: 1,
        };
        let mut id = 0;
        for candidates in candidates.chunks(IDS_AHEAD) {
            placing.touch(candidates);
            for _ in candidates {
                if placing.has_twin(id, &are_equal) {
                    return Err(Unplaceable::Twice);
                }
                if let Some(homeless) = placing.walk(id, walk_steps) {
                    placing.augment(homeless).ok_or(Unplaceable::NoPlacement)?;
                }
                id += 1;
            }
        }
        Ok(Self {
            bins: placing.bins,
            ids: candidates.len(),
        })
    }
}

/// A table while it is filled.
struct Placing<'a> {
    candidates: &'a [Candidate],
    bins: Vec<Bin>,
    /// State of the walk's choices. They need to differ, not to be secret.
    dice: u64,
}

impl Placing<'_> {
    /// Whether an equal id is already placed: it would have the same bins, so it stands in one of them.
    fn has_twin(&self, id: u32, are_equal: impl Fn(u32, u32) -> bool) -> bool {
        let Candidate { bins, tag } = self.candidates[id as usize];
        let [a, b, c] = bins.map(|bin| self.bins[bin as usize]);
        let is_alike = |bin: Bin| (bin.tag == tag) & !bin.is_empty();
        (is_alike(a) | is_alike(b) | is_alike(c))
            && [a, b, c]
                .iter()
                .any(|bin| is_alike(*bin) && are_equal(bin.id(), id))
    }

    /// Reads bins that are about to be needed: many loads at a time, where placing waits for each.
    fn touch(&self, candidates: &[Candidate]) {
        let bins = candidates.iter().flat_map(|candidate| candidate.bins);
        let all = bins.fold(0, |all, bin| all | self.bins[bin as usize].packed);
        std::hint::black_box(all);
    }

    /// Places an id, pushing others on for at most so many steps; the one that is left over, if any.
    fn walk(&mut self, mut id: u32, steps: u32) -> Option<u32> {
        if self.settle(id) {
            return None;
        }
        let mut left = u32::MAX;
        for _ in 0..steps {
            // Not back to where it has just been pushed out of.
            let bins = self.candidates[id as usize].bins;
            let mut function = self.throw();
            if bins[function] == left {
                function = (function + 1) % FUNCTIONS;
            }
            left = bins[function];
            id = self.put(id, function).id();
            if self.settle(id) {
                return None;
            }
        }
        Some(id)
    }

    /// Places an id in an empty one of its bins, if there is one.
    fn settle(&mut self, id: u32) -> bool {
        let bins = self.candidates[id as usize].bins;
        let [a, b, c] = bins.map(|bin| self.bins[bin as usize].is_empty());
        let is_placed = a | b | c;
        if is_placed {
            // The first of them, without a branch that nobody can guess.
            let function = usize::from(!a) + usize::from(!a & !b);
            self.put(id, function);
        }
        is_placed
    }

    /// Puts an id into the bin of one of its functions; what was there before.
    fn put(&mut self, id: u32, function: usize) -> Bin {
        let Candidate { bins, tag } = self.candidates[id as usize];
        let bin = &mut self.bins[bins[function] as usize];
        std::mem::replace(bin, Bin::new(id, function, tag))
    }

    /// One of the functions: steps of a multiplicative congruential generator (L'Ecuyer, Math. Comp. 1999).
    fn throw(&mut self) -> usize {
        self.dice = self
            .dice
            .wrapping_mul(0xd134_2543_de82_ef95)
            .wrapping_add(1);
        (((self.dice >> 32) * FUNCTIONS as u64) >> 32) as usize
    }

    /// Places an id by moving as few others as possible, each into another of its bins; nothing if no placement exists.
    fn augment(&mut self, id: u32) -> Option<()> {
        let mut open: VecDeque<u32> = self.candidates[id as usize].bins.into();
        // From which bin the search came to each; the first three come from the id itself.
        let mut came_from: HashMap<u32, Option<u32>> =
            open.iter().map(|bin| (*bin, None)).collect();
        while let Some(bin) = open.pop_front() {
            let there = self.bins[bin as usize];
            if there.is_empty() {
                self.shift(id, bin, &came_from);
                return Some(());
            }
            for next in self.candidates[there.id() as usize].bins {
                came_from.entry(next).or_insert_with(|| {
                    open.push_back(next);
                    Some(bin)
                });
            }
        }
        None
    }

    /// Moves every id on the way to an empty bin one bin on, and `id` into the first.
    fn shift(&mut self, id: u32, mut empty: u32, came_from: &HashMap<u32, Option<u32>>) {
        loop {
            let before = came_from[&empty];
            let moved = before.map_or(id, |bin| self.bins[bin as usize].id());
            let bins = self.candidates[moved as usize].bins;
            let function = bins.iter().position(|bin| *bin == empty);
            self.put(moved, function.expect("the search came by one of its bins"));
            match before {
                Some(bin) => empty = bin,
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;
