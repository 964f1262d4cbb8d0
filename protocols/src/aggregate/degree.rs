//! How many neighbours a member needs, and how many shares open a secret, so that nothing fails with more than 2^−λ₀.
//!
//! Up to [`COMPLETE_MEMBERS_MAX`] members everybody is everybody's neighbour and the quorum is the threshold. Above, each member picks k
//! neighbours uniformly among the cohort, by its own generator, after the cohort is fixed: the idea of Bell, Bonawitz, Gascón, Lepoint,
//! Raykova, CCS'20 (BBGLR20, §4). A graph drawn from one public seed would have to be protected from whoever speaks last when the seed is made; here nobody but
//! an honest member has a say in its own picks, and its secrecy rests on these alone.
//!
//! With N members, c of them colluding with each other and the coordinator (fixed before the picks are made), Q signatures a quorum, cohorts of at least m members,
//! and a member's secrets shared among its k picks and itself with threshold t, these are the classes of failure, λ₀ bits each:
//!
//! * **Loss.** The vanished are chosen without looking at the picks, and Q members stay: some member has fewer than t holders left. At
//!   most N·P[H(N−1, Q−1, k) < t], where H(n, g, k) counts the g good ones among k drawn of n.
//! * **Exposure.** Some honest member's picks have t colluders, who need nobody: at most N·P[H(m−1, c, k) ≥ t]. Where nobody colludes, one stands for c here and where a part
//!   is opened: nobody is to open a secret by its own share, least of all the recipient, which gets those of others. So t is 2 or more.
//! * **Partition and isolation.** Survivors are named by a coordinator that knows the graph. All of them signed the same picks and took a box from everybody that
//!   picked them ([`super::messages::Sharing`]), so a pick between two honest survivors is a mask of both, whichever made it, and nobody can hide it. At least
//!   m survivors signed, h = m − c honest ones among them. If these fall apart into a set S of s and the rest, no pick leads from S to h − s others, or back: for each s ≤ h/2 at most
//!   C(N−c, s)·C(N−c−s, h−s)·P[H(N−1, h−s, k) = 0]^s·P[H(N−1, s, k) = 0]^(h−s). Let σ be the smallest number such that these, summed over all s above it, are
//!   below 2^−λ₀ (**isolation**). So one of the parts has h − σ honest members or more, and the others σ at most: the *isolable* ones, which can survive in name
//!   only. To open a part of s ≤ σ alone the coordinator needs answers from t holders of each of it: holders that are honest and answer are of
//!   the part, so each of it has t−1 picks among the others and the colluders: at most C(N−c, s)·P[H(m−1, s−1+c, k) ≥ t−1]^s.
//!   The smaller of both, summed over s ≤ σ, is the bound on **partition**; it does not count on the coordinator's opening the rest as well.
//!
//! Each term takes the cohort's size at its worst, so one degree holds for every cohort, and is known before the round. **All of it is for one round**: whoever runs R of
//! them has R times these probabilities, so the number of rounds belongs in a budget like that of noise.

use crate::bounds::LAMBDA_0;
use libm::{exp2, lgamma, log2};
use std::f64::consts::LN_2;

/// Most members of a complete graph: above, picks are cheaper.
pub const COMPLETE_MEMBERS_MAX: usize = 64;

/// The sizes that a degree depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Members of the roster, N.
    pub members: usize,
    /// Colluders at most, c.
    pub colluders: usize,
    /// Signatures of a quorum, Q: so many members stay to the end.
    pub quorum: usize,
    /// Fewest members of a cohort, m.
    pub cohort_min: usize,
}

/// Neighbours and threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Degree {
    /// Neighbours that each member picks; `None` where all others are.
    pub picks: Option<usize>,
    /// Shares that open a secret.
    pub threshold: usize,
    /// Honest survivors, at most, that a coordinator can cut off from the others by naming their neighbours as vanished.
    pub isolable: usize,
}

impl Degree {
    /// The fewest picks that every bound allows; the complete graph where that would not be fewer than all.
    pub fn new(sizes: Sizes) -> Self {
        let complete = Self {
            picks: None,
            threshold: sizes.quorum,
            isolable: 0,
        };
        if sizes.members <= COMPLETE_MEMBERS_MAX {
            return complete;
        }
        let bounds = Bounds::new(sizes);
        let all = sizes.cohort_min - 1;
        let fewest = (1..all).find_map(|picks| {
            let (threshold, isolable) = (bounds.threshold(picks)?, bounds.isolable(picks));
            let degree = Self {
                picks: Some(picks),
                threshold,
                isolable,
            };
            // With one honest member left, the sum of the others would tell its vector; and without the recipient's share there would be no noise.
            let enough = isolable + 2 <= bounds.honest();
            (enough && bounds.failures(picks, threshold).hold()).then_some(degree)
        });
        fewest.unwrap_or(complete)
    }
}

/// log2 of the bounds on the classes of failure.
#[derive(Clone, Copy, Debug)]
struct Failures {
    loss: f64,
    exposure: f64,
    partition: f64,
}

impl Failures {
    fn hold(self) -> bool {
        [self.loss, self.exposure, self.partition]
            .iter()
            .all(|bound| *bound <= -LAMBDA_0)
    }
}

struct Bounds {
    sizes: Sizes,
    /// log2 of n!.
    factorials: Vec<f64>,
}

impl Bounds {
    fn new(sizes: Sizes) -> Self {
        let factorials = (0..=sizes.members)
            .map(|n| lgamma(n as f64 + 1.0) / LN_2)
            .collect();
        Self { sizes, factorials }
    }

    /// log2 of C(n, k); none where there is no way.
    fn choose(&self, n: usize, k: usize) -> f64 {
        match k <= n {
            true => self.factorials[n] - self.factorials[k] - self.factorials[n - k],
            false => f64::NEG_INFINITY,
        }
    }

    /// log2 of P[H(n, good, drawn) in `counts`].
    fn hypergeometric(
        &self,
        [n, good, drawn]: [usize; 3],
        counts: std::ops::RangeInclusive<usize>,
    ) -> f64 {
        let one = |count: usize| match count <= drawn {
            true => self.choose(good, count) + self.choose(n - good, drawn - count),
            false => f64::NEG_INFINITY,
        };
        let sum: f64 = counts
            .map(|count| exp2(one(count) - self.choose(n, drawn)))
            .sum();
        // A tail in floating point can come out above one by a rounding.
        log2(sum.min(1.0))
    }

    fn loss(&self, picks: usize, threshold: usize) -> f64 {
        let Sizes {
            members, quorum, ..
        } = self.sizes;
        let too_few = self.hypergeometric([members - 1, quorum - 1, picks], 0..=threshold - 1);
        log2(members as f64) + too_few
    }

    /// The greatest threshold that loses no secret: all else only gets better with it.
    fn threshold(&self, picks: usize) -> Option<usize> {
        (1..=picks)
            .take_while(|threshold| self.loss(picks, *threshold) <= -LAMBDA_0)
            .last()
    }

    /// How many put their shares together: one at least.
    fn together(&self) -> usize {
        self.sizes.colluders.max(1)
    }

    fn exposure(&self, picks: usize, threshold: usize) -> f64 {
        let Sizes {
            members,
            cohort_min,
            ..
        } = self.sizes;
        let draw = [cohort_min - 1, self.together(), picks];
        log2(members as f64) + self.hypergeometric(draw, threshold..=picks)
    }

    fn failures(&self, picks: usize, threshold: usize) -> Failures {
        let loss = self.loss(picks, threshold);
        let exposure = self.exposure(picks, threshold);
        // The longest sum last, and only if it matters.
        let matters = loss.max(exposure) <= -LAMBDA_0;
        let partition = if matters {
            self.partition(picks, threshold)
        } else {
            0.0
        };
        Failures {
            loss,
            exposure,
            partition,
        }
    }

    /// h: honest survivors, at least.
    fn honest(&self) -> usize {
        self.sizes.cohort_min - self.sizes.colluders
    }

    /// σ: the smallest number such that more honest survivors are not cut off from the others.
    fn isolable(&self, picks: usize) -> usize {
        let mut sum = 0.0;
        for small in (1..=self.honest() / 2).rev() {
            sum += exp2(self.nothing_across(small, picks));
            if log2(sum) > -LAMBDA_0 {
                return small;
            }
        }
        0
    }

    fn partition(&self, picks: usize, threshold: usize) -> f64 {
        let parts = (1..=self.isolable(picks)).map(|small| {
            let kept = self.kept_inside(small, picks, threshold);
            exp2(kept.min(self.nothing_across(small, picks)))
        });
        log2(parts.sum())
    }

    /// log2 of the bound that each of a set of `small` has its answering holders in it.
    fn kept_inside(&self, small: usize, picks: usize, threshold: usize) -> f64 {
        let Sizes {
            members,
            colluders,
            cohort_min,
            ..
        } = self.sizes;
        let inside = (small - 1 + self.together()).min(cohort_min - 1);
        let each = self.hypergeometric([cohort_min - 1, inside, picks], threshold - 1..=picks);
        self.choose(members - colluders, small) + small as f64 * each
    }

    /// log2 of the bound that no pick leads from a set of `small` to as many others as make up the honest survivors with it, or back.
    fn nothing_across(&self, small: usize, picks: usize) -> f64 {
        let Sizes {
            members, colluders, ..
        } = self.sizes;
        let (honest, rest) = (members - colluders, self.honest() - small);
        let avoided = |others| self.hypergeometric([members - 1, others, picks], 0..=0);
        let sets = self.choose(honest, small) + self.choose(honest - small, rest);
        sets + small as f64 * avoided(rest) + rest as f64 * avoided(small)
    }
}

#[cfg(test)]
mod adversary;

#[cfg(test)]
mod tests;
