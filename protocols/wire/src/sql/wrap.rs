//! The proof that nothing wraps: how many bits a sum over the common ids needs, its noise included.
//!
//! A moment's sum over one cell lies within ±cap·n, where n is the smaller of both published sizes: no id stands in a table twice,
//! and dummies match nothing. To it come two draws of noise at most, one of each party. A draw X of the discrete Laplace
//! distribution of scale b, P(X = k) = (1 − p)/(1 + p)·p^|k| with p = e^(−1/b), has
//!
//! P(|X| ≥ t) = 2·p^t/(1 + p) ≤ 2·e^(−t/b) for t ≥ 1,
//!
//! so that with t = ⌈b·ln 2·(λ₀ + 1 + ⌈log₂ draws⌉)⌉ none of all draws of a run (cells × moments × 2 parties) reaches t, except with
//! probability 2^−λ₀, λ₀ = 43 (protocols.md, preamble). The number of ids is compared with `min_group` by a subtraction, which has
//! to stay in range as well. A moment has the fewest bits w for which
//!
//! cap·n + 2·t (+ min_group, for the number of ids) < 2^(w−1).
//!
//! Everything is whole numbers, rounded up, so that each party finds the same w on every machine.

use crate::limits::MOMENT_BITS_MAX;
use crate::plan::{Cap, NoiseScale};
use crate::policy::Epsilon;

/// Bits of statistical security of one class of failure over a whole job (protocols.md, preamble).
const LAMBDA_0: u32 = 43;
/// ln 2 in millionths, rounded up.
const LN_2_MILLIONTHS: u128 = 693_148;
const MILLION: u128 = 1_000_000;
/// Parties that may add noise to one word.
const PARTIES: u64 = 2;

/// What all sums of a table have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    /// Most ids in one cell: the smaller of both published sizes.
    pub(super) ids: u64,
    /// Moments of a cell, which share ε.
    pub(super) moments: usize,
    /// Cells, padding included.
    pub(super) cells: u64,
    /// Privacy loss; none where there is no noise.
    pub(super) epsilon: Option<Epsilon>,
}

impl Sums {
    /// The bits of a sum to which one id gives at most `cap`, and from which `threshold` is subtracted; none if they are more than
    /// [`MOMENT_BITS_MAX`].
    pub(super) fn bits(self, cap: u128, threshold: u64) -> Option<u8> {
        let noise = match self.epsilon {
            Some(epsilon) => self.noise(NoiseScale::of(Cap(cap), self.moments, epsilon)?)?,
            None => 0,
        };
        let largest = cap
            .checked_mul(self.ids.into())?
            .checked_add(noise.checked_mul(PARTIES.into())?)?
            .checked_add(threshold.into())?;
        // 2^(w−1) is the first power of two above the largest.
        let bits = u128::BITS - largest.leading_zeros() + 1;
        u8::try_from(bits)
            .ok()
            .filter(|bits| *bits <= MOMENT_BITS_MAX)
    }

    /// The t of the text above.
    fn noise(self, scale: NoiseScale) -> Option<u128> {
        let draws = self
            .cells
            .saturating_mul(self.moments as u64)
            .saturating_mul(PARTIES);
        let bits = LAMBDA_0 + 1 + ceil_log2(draws);
        let factor = u128::from(bits) * LN_2_MILLIONTHS;
        let below = u128::from(scale.denominator) * MILLION;
        // The fraction is split, so that no product is larger than its result: the rest has below 50 bits, the factor below 27.
        let (whole, rest) = (scale.numerator / below, scale.numerator % below);
        whole
            .checked_mul(factor)?
            .checked_add((rest * factor).div_ceil(below))
    }

    /// The largest cap that fits.
    pub(super) fn cap_max(self) -> u128 {
        let place = (0..u128::BITS).rev();
        place.fold(0, |cap, place| {
            let more = cap | 1 << place;
            match self.bits(more, 0) {
                Some(_) => more,
                None => cap,
            }
        })
    }
}

fn ceil_log2(number: u64) -> u32 {
    match number {
        0 | 1 => 0,
        number => u64::BITS - (number - 1).leading_zeros(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXACT: Sums = Sums {
        ids: 1_000,
        moments: 3,
        cells: 8,
        epsilon: None,
    };

    #[test]
    fn exact_sums_have_the_fewest_bits_that_hold_both_ends() {
        // ±1,000 needs 11 bits, ±1,023 as well, ±1,024 one more.
        assert_eq!(EXACT.bits(1, 0), Some(11));
        assert_eq!(EXACT.bits(1, 23), Some(11));
        assert_eq!(EXACT.bits(1, 24), Some(12));
        let one = Sums { ids: 1, ..EXACT };
        assert_eq!(one.bits((1 << 126) - 1, 0), Some(127));
        assert_eq!(one.bits(1 << 126, 0), None);
        assert_eq!(one.bits(u128::MAX, 0), None);
    }

    #[test]
    fn noise_needs_the_room_that_its_tail_needs() {
        let epsilon = Some(Epsilon(1_000_000));
        let noisy = Sums { epsilon, ..EXACT };
        // b = 2·1·3/1 = 6; draws = 8·3·2 = 48, so 43 + 1 + 6 bits; t = ⌈6·50·0.693148⌉ = 208.
        let scale = NoiseScale::of(Cap(1), 3, Epsilon(1_000_000)).expect("small");
        assert_eq!(noisy.noise(scale), Some(208));
        // 1,000 + 2·208 = 1,416.
        assert_eq!(noisy.bits(1, 0), Some(12));
        // The tail, by the formula of the text in floating point: 2·e^(−t/b) over all draws.
        let missed = 48.0 * 2.0 * (-208.0_f64 / 6.0).exp();
        assert!(missed <= (-43.0_f64).exp2(), "{missed}");
        let missed = 48.0 * 2.0 * (-206.0_f64 / 6.0).exp();
        assert!(missed > (-44.0_f64).exp2(), "far more room than is needed");
    }

    #[test]
    fn logarithms_are_rounded_up() {
        for (number, log) in [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (4, 2),
            (5, 3),
            (1 << 40, 40),
            (u64::MAX, 64),
        ] {
            assert_eq!(ceil_log2(number), log, "{number}");
        }
    }

    proptest! {
        #[test]
        fn bits_grow_with_everything_and_the_largest_cap_is_the_largest(
            ids in 1..=1_u64 << 31,
            moments in 1..64_usize,
            cells in 1..=4_096_u64,
            millionths in proptest::option::of(1..=1_000_000_000_u64),
            cap in 0..=1_u128 << 64,
        ) {
            let sums = Sums { ids, moments, cells, epsilon: millionths.map(Epsilon) };
            let exact = Sums { epsilon: None, ..sums };
            prop_assert!(exact.bits(cap, 0) <= sums.bits(cap, 0) || sums.bits(cap, 0).is_none());
            prop_assert!(sums.bits(cap, 0) <= sums.bits(cap + 1, 0) || sums.bits(cap + 1, 0).is_none());
            let most = sums.cap_max();
            prop_assert!(sums.bits(most, 0).is_some());
            prop_assert!(sums.bits(most + 1, 0).is_none());
        }
    }
}
