//! Noise of differential privacy, exact: the discrete Laplace distribution, P(x) ∝ e^(−|x|/b) over the integers (Ghosh, Roughgarden,
//! Sundararajan, STOC'09), sampled in integers alone (Canonne, Kamath, Steinke, NeurIPS'20, algorithms 1 and 2): floating point has holes
//! through which a number without its noise shows (Mironov, CCS'12). Drawing takes longer for some numbers than for others; all of a
//! table's are drawn before its first message.
//!
//! **The stated rule.** One id's row is added, removed or changed; the table then changes in at most two cells, so that the absolute changes
//! of a moment add up to at most Δ = 2·cap, where cap bounds one id's share of it. ε is split equally over the noised moments, the
//! number of ids among them: with k of them each has b = Δ·k/ε.

use super::Terms;
use crate::block::Block;
use crate::bounds::LAMBDA_0;
use crate::fault::{Abort, Fault};
use libm::{ceil, exp, expm1, log2, sqrt};
use rand_core::CryptoRng;
use std::f64::consts::LN_2;

/// Millionths of one: the unit of ε.
const MILLION: u128 = 1_000_000;

/// Largest numerator of a scale: a draw of 2^7 times as much, which none comes near, still fits a signed word.
const NUMERATOR_MAX: u128 = 1 << 119;
/// Most draws of one number: each ends with probability above 1/4, so a generator that needs more is stuck.
const DRAWS_MAX: usize = 1 << 10;

/// The scale b of a discrete Laplace distribution, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    numerator: u128,
    denominator: u64,
}

impl Scale {
    /// A fraction above zero, of a numerator below 2^120; `None` if it is none.
    pub fn new(numerator: u128, denominator: u64) -> Option<Self> {
        let fits = (1..=NUMERATOR_MAX).contains(&numerator);
        (fits && denominator > 0).then_some(Self {
            numerator,
            denominator,
        })
    }

    /// b = 2·`cap`·`moments`/ε, with ε in millionths; `None` where that is no fraction above zero that fits.
    pub fn of(cap: u128, moments: u64, epsilon_millionths: u64) -> Option<Self> {
        let numerator = cap
            .checked_mul(2 * MILLION)?
            .checked_mul(u128::from(moments))?;
        Self::new(numerator, epsilon_millionths)
    }

    /// Standard deviation of one party's noise.
    pub fn standard_error(self) -> f64 {
        let step = -1.0 / self.value();
        // 1 − e^step would lose its digits where b is large.
        sqrt(2.0 * exp(step)) / -expm1(step)
    }

    /// A magnitude that none of `instances` draws exceeds, except with probability 2^−λ₀: P(|x| ≥ a) ≤ 2·e^(−a/b) for each.
    pub fn bound(self, instances: u64) -> f64 {
        let bits = LAMBDA_0 + 1.0 + log2((instances as f64).max(1.0));
        ceil(self.value() * bits * LN_2) + 1.0
    }

    /// Numerator and denominator.
    pub(crate) fn fraction(self) -> (u128, u64) {
        (self.numerator, self.denominator)
    }

    fn value(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// For a digest of terms.
    pub(crate) fn words(self) -> [u64; 3] {
        let numerator = self.numerator;
        [numerator as u64, (numerator >> 64) as u64, self.denominator]
    }

    /// One draw. A geometric number of parameter 1 − e^(−1/numerator), in parts of numerator, cut by the denominator; then a sign, of
    /// which minus zero is drawn again.
    fn draw(self, rng: &mut impl CryptoRng) -> Result<i128, Fault> {
        for _ in 0..DRAWS_MAX {
            let part = below(self.numerator, rng)?;
            if !with_probability_exp(part, self.numerator, rng)? {
                continue;
            }
            let mut parts = 0u128;
            while parts < DRAWS_MAX as u128 && with_probability_exp(1, 1, rng)? {
                parts += 1;
            }
            let whole = self.numerator.checked_mul(parts);
            let magnitude = whole.and_then(|whole| whole.checked_add(part));
            let magnitude = magnitude.map(|number| number / u128::from(self.denominator));
            // Beyond 127 bits only with a scale that no plan lets through.
            let magnitude = magnitude.and_then(|number| i128::try_from(number).ok());
            let magnitude = magnitude.ok_or(STUCK)?;
            match (rng.next_u32() & 1 == 1, magnitude) {
                (true, 0) => {}
                (true, magnitude) => return Ok(-magnitude),
                (false, magnitude) => return Ok(magnitude),
            }
        }
        Err(STUCK.into())
    }
}

/// No number came out.
pub(crate) const STUCK: Abort = Abort::BadDraw {
    what: "the noise of a release",
};

/// True with probability e^(−part/whole), for a part of at most the whole: the number of successes in a row with probabilities
/// part/(whole·1), part/(whole·2) … is even.
pub(crate) fn with_probability_exp(
    part: u128,
    whole: u128,
    rng: &mut impl CryptoRng,
) -> Result<bool, Fault> {
    for place in 1..DRAWS_MAX as u128 {
        // Two independent draws, so that whole·place need not fit a word.
        if below(whole, rng)? >= part || below(place, rng)? != 0 {
            return Ok(place % 2 == 1);
        }
    }
    Err(STUCK.into())
}

/// Uniform below `bound`, which is not zero: random bits, drawn again where they reach it.
pub(crate) fn below(bound: u128, rng: &mut impl CryptoRng) -> Result<u128, Fault> {
    if bound == 1 {
        return Ok(0);
    }
    let unused = (bound - 1).leading_zeros();
    let mut numbers = (0..DRAWS_MAX).map(|_| Block::random(rng).0 >> unused);
    let number = numbers.find(|number| *number < bound);
    number.ok_or_else(|| STUCK.into())
}

/// Adds fresh noise to every word of `shares`, each modulo 2^bits of its moment.
pub(super) fn add(
    terms: &Terms,
    shares: &mut [u128],
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let moments = terms.moments();
    for (place, moment) in moments.iter().enumerate() {
        let Some(scale) = moment.noise else {
            continue;
        };
        for word in shares.iter_mut().skip(place).step_by(moments.len()) {
            *word = word.wrapping_add(scale.draw(rng)? as u128);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;

    fn scale(numerator: u128, denominator: u64) -> Scale {
        Scale::new(numerator, denominator).expect("above zero")
    }

    /// Mean, and mean of squares, of draws in 6 standard deviations of their own (the fourth moment of a Laplace distribution is 24b⁴):
    /// a false alarm has probability below 2^-27 for each of the six.
    #[test]
    fn draws_have_the_distributions_mean_and_spread() {
        const DRAWS: usize = 40_000;
        for scale in [scale(1, 3), scale(4, 1), scale(123_456_789, 1_000)] {
            let rng = &mut Prg::new(Block(scale.numerator));
            let draws: Vec<f64> = (0..DRAWS)
                .map(|_| scale.draw(rng).expect("small") as f64)
                .collect();
            let (n, error) = (DRAWS as f64, scale.standard_error());
            let mean = draws.iter().sum::<f64>() / n;
            assert!(mean.abs() < 6.0 * error / sqrt(n), "{mean}");
            let squares = draws.iter().map(|x| x * x).sum::<f64>() / n;
            // The excess kurtosis of a discrete Laplace distribution is at most 3 + 1/σ².
            let spread = error * error * sqrt((5.0 + 1.0 / (error * error)) / n);
            assert!((squares - error * error).abs() < 6.0 * spread, "{squares}");
        }
    }

    /// Frequencies of the five likeliest numbers for b = 4/3, in 6 standard deviations each.
    #[test]
    fn single_numbers_are_as_likely_as_they_should_be() {
        const DRAWS: usize = 60_000;
        let (scale, rng) = (scale(4, 3), &mut Prg::new(Block(9)));
        let draws: Vec<i128> = (0..DRAWS)
            .map(|_| scale.draw(rng).expect("small"))
            .collect();
        let decay = exp(-0.75);
        for number in -2i128..=2 {
            let due = (1.0 - decay) / (1.0 + decay) * exp(-0.75 * number.abs() as f64);
            let seen = draws.iter().filter(|draw| **draw == number).count() as f64;
            let spread = sqrt(DRAWS as f64 * due * (1.0 - due));
            assert!((seen - DRAWS as f64 * due).abs() < 6.0 * spread, "{number}");
        }
    }

    #[test]
    fn epsilon_is_split_equally_over_all_moments() {
        // ε = 0.5, cap 3, 4 moments: b = 2·3·4/0.5.
        assert_eq!(Scale::of(3, 4, 500_000), Some(scale(24_000_000, 500_000)));
        assert_eq!(Scale::of(3, 4, 0), None);
        assert_eq!(Scale::of(0, 4, 1), None);
        assert_eq!(Scale::of(u128::MAX, 4, 1), None);
    }

    /// The bound, turned back into the probability that some draw exceeds it.
    #[test]
    fn no_draw_exceeds_the_bound() {
        for instances in [1, 8_192, 1 << 20] {
            let scale = scale(4_000_000, 1_000_000);
            let bound = scale.bound(instances);
            let bits = -log2(2.0 * instances as f64 * exp(-(bound - 1.0) / scale.value()));
            assert!(bits >= LAMBDA_0, "{bits}");
            assert!(bound < 1.1 * scale.value() * 70.0 * LN_2);
        }
    }

    #[test]
    fn a_standard_error_is_that_of_the_continuous_one_for_large_scales() {
        let error = scale(1_000_000, 1).standard_error();
        assert!((error / (sqrt(2.0) * 1e6) - 1.0).abs() < 1e-6);
        // The scale of a sum of squares: 16 digits more than a floating-point 1 holds behind its point.
        let error = scale(1 << 100, 3).standard_error();
        assert!((error * 3.0 / (sqrt(2.0) * 2_f64.powi(100)) - 1.0).abs() < 1e-9);
        assert!(scale(1, 100).standard_error() < 1e-20);
    }
}
