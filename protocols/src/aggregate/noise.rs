//! Each member's share of the noise: shares of as many members as are surely honest and present add up to the discrete Laplace distribution of
//! [`crate::release::noise`]; those of more members only add to it.
//!
//! A discrete Laplace variable is the difference of two geometric ones, and a geometric one is the sum of M independent Pólya (negative
//! binomial) ones of shape 1/M. Distribution of noise by infinite divisibility: Goryczka and Xiong, TDSC 2017; Bagdasaryan et al.,
//! "Sparse federated analytics", PoPETs 2022.
//!
//! **Sampling, exactly.** With q = e^(−1/b), a Pólya variable of shape r is the sum of the points of a Poisson process with the rate
//! r·q^k/k at each k ≥ 1: its generating function is exp(r·Σ_k (z^k − 1)·q^k/k) = ((1 − q)/(1 − qz))^r. So candidates come at the rate r/2^l at each
//! of the 2^l numbers k from 2^l on, for every level l, and one is kept with probability (2^l/k)·q^k. Rates are fractions, so everything is decided in integers, whatever b is.
//! Levels end where 2^l passes 256·b: a candidate from there on is kept with probability below 2^−369.
//!
//! Shares are counted of honest members without the recipient, which knows its own ([`Terms::noise_parties`]).
//!
//! Drawing takes longer for some numbers than for others. So all is drawn before the introduction leaves, and how long later answers take tells nothing about it. How long the
//! introduction takes is not hidden here: where there are few cells, it can tell a coordinator nearby, which knows when this member began, a little about this
//! member's own share. A node that minds sends the introduction a fixed time after it began.

use super::fault::RoundFault;
use super::{TAG_WORDS, Terms};
use crate::fault::Fault;
use crate::release::Scale;
use crate::release::noise::{below, with_probability_exp};
use crate::secret::Secret;
use rand_core::CryptoRng;

/// Denominators up to here keep every product of a draw inside 128 bits.
pub(super) const DENOMINATOR_MAX: u64 = 1 << 48;
/// Numbers of points of a piece end here: more come with probability below 2^−360.
const POINTS_MAX: u128 = 64;
/// Multiples of b at which levels end.
const LEVELS_END: u128 = 256;

/// How the shares of one column are drawn.
struct Share {
    scale: Scale,
    /// Levels of candidates.
    levels: u128,
    /// Independent pieces that all candidates, of both signs, come in, each with a rate of at most 1/2.
    pieces: u128,
    /// Rate of a piece, as numerator and denominator.
    rate: [u128; 2],
}

impl Share {
    /// For noise of this scale from `parties` members.
    fn new(scale: Scale, parties: usize) -> Self {
        let ((numerator, denominator), parties) = (scale.fraction(), parties as u128);
        let end = numerator / u128::from(denominator) + 1;
        let levels = u128::from((LEVELS_END * end).next_power_of_two().ilog2());
        let pieces = (4 * levels).div_ceil(parties);
        Self {
            scale,
            levels,
            pieces,
            rate: [2 * levels, parties * pieces],
        }
    }

    fn draw(&self, rng: &mut impl CryptoRng) -> Result<i128, Fault> {
        let mut sum = 0;
        for _ in 0..self.pieces {
            for _ in 0..poisson(self.rate, rng)? {
                sum += self.point(rng)?;
            }
        }
        Ok(sum)
    }

    /// What one candidate adds: nothing, or a signed number.
    fn point(&self, rng: &mut impl CryptoRng) -> Result<i128, Fault> {
        let is_negative = below(2, rng)? == 1;
        let first = 1 << below(self.levels, rng)?;
        let number = first + below(first, rng)?;
        if below(number, rng)? >= first || !self.survives(number, rng)? {
            return Ok(0);
        }
        let number = number as i128;
        Ok(if is_negative { -number } else { number })
    }

    /// True with probability q^number.
    fn survives(&self, number: u128, rng: &mut impl CryptoRng) -> Result<bool, Fault> {
        let (numerator, denominator) = self.scale.fraction();
        let exponent = number * u128::from(denominator);
        for _ in 0..exponent / numerator {
            if !with_probability_exp(1, 1, rng)? {
                return Ok(false);
            }
        }
        with_probability_exp(exponent % numerator, numerator, rng)
    }
}

/// A Poisson variable of a rate of at most 1/2. Going on with probability rate/1, rate/2, … stops at n with probability
/// (rate^n/n!)·(1 − rate/(n+1)); taking that with (1 − rate)/(1 − rate/(n+1)) leaves the Poisson's proportions.
fn poisson([rate, whole]: [u128; 2], rng: &mut impl CryptoRng) -> Result<u128, Fault> {
    loop {
        let mut count = 0;
        while count < POINTS_MAX && below(whole * (count + 1), rng)? < rate {
            count += 1;
        }
        let (taken, of) = ((count + 1) * (whole - rate), (count + 1) * whole - rate);
        if below(of, rng)? < taken {
            return Ok(count);
        }
    }
}

/// This member's share of the noise, one word for each cell and room for the authenticator behind them; nothing where no column has noise.
pub(super) fn draw(
    terms: &Terms,
    rng: &mut impl CryptoRng,
) -> Result<Secret<Vec<u64>>, RoundFault> {
    if terms.columns().iter().all(|column| column.noise.is_none()) {
        return Ok(Secret::new(vec![]));
    }
    let mut words = Secret::new(Vec::with_capacity(terms.cells() + TAG_WORDS));
    words.expose_mut().resize(terms.cells(), 0);
    let mut rest = &mut words.expose_mut()[..];
    for column in terms.columns() {
        let (cells, next) = rest.split_at_mut(column.cells as usize);
        rest = next;
        let Some(scale) = column.noise else {
            continue;
        };
        let share = Share::new(scale, terms.noise_parties());
        let most = terms.noise_share_max(scale);
        for word in cells {
            let unlucky = RoundFault::Unlucky {
                what: "a share of the noise that no bound allows",
            };
            let noise = share.draw(rng).map_err(|_| unlucky.clone())?;
            if noise.unsigned_abs() as f64 > most {
                return Err(unlucky);
            }
            *word = noise as u64;
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::prg::Prg;
    use libm::{exp, sqrt};

    fn sums(scale: Scale, parties: usize, draws: usize) -> Vec<i128> {
        let (share, rng) = (
            Share::new(scale, parties),
            &mut Prg::new(Block(parties as u128)),
        );
        let mut sum = || {
            (0..parties)
                .map(|_| share.draw(rng).expect("not stuck"))
                .sum()
        };
        (0..draws).map(|_| sum()).collect()
    }

    fn scale(numerator: u128, denominator: u64) -> Scale {
        Scale::new(numerator, denominator).expect("above zero")
    }

    /// Frequencies of the likeliest numbers in 6 standard deviations each, one member alone, a few, and many.
    #[test]
    fn shares_add_up_to_discrete_laplace_noise() {
        const DRAWS: usize = 40_000;
        let decay = exp(-0.75);
        for parties in [1, 2, 7, 40] {
            let sums = sums(scale(4, 3), parties, DRAWS);
            for number in -3i128..=3 {
                let due = (1.0 - decay) / (1.0 + decay) * exp(-0.75 * number.abs() as f64);
                let seen = sums.iter().filter(|sum| **sum == number).count() as f64;
                let spread = sqrt(DRAWS as f64 * due * (1.0 - due));
                assert!(
                    (seen - DRAWS as f64 * due).abs() < 6.0 * spread,
                    "{parties}, {number}: {seen}"
                );
            }
        }
    }

    /// Mean and mean of squares, as for the noise of one party.
    #[test]
    fn wide_shares_have_the_right_spread() {
        const DRAWS: usize = 10_000;
        for (scale, parties) in [
            (scale(50, 1), 3),
            (scale(123_456_789, 10), 8),
            (scale(1 << 50, 3), 2),
        ] {
            let error = scale.standard_error();
            let (n, sums) = (DRAWS as f64, sums(scale, parties, DRAWS));
            let mean = sums.iter().map(|sum| *sum as f64).sum::<f64>() / n;
            assert!(mean.abs() < 6.0 * error / sqrt(n), "{mean}");
            let squares = sums
                .iter()
                .map(|sum| (*sum as f64) * (*sum as f64))
                .sum::<f64>()
                / n;
            let spread = error * error * sqrt((5.0 + 1.0 / (error * error)) / n);
            assert!((squares - error * error).abs() < 6.0 * spread, "{squares}");
        }
    }

    #[test]
    fn a_piece_is_poisson() {
        const DRAWS: usize = 60_000;
        let (rate, rng) = (0.4, &mut Prg::new(Block(3)));
        let mut counts = [0; 4];
        for _ in 0..DRAWS {
            let count = poisson([2, 5], rng).expect("not stuck") as usize;
            counts[count.min(3)] += 1;
        }
        let due = [1.0, rate, rate * rate / 2.0].map(|factor: f64| factor * exp(-rate));
        for (count, due) in counts.iter().zip(due) {
            let spread = sqrt(DRAWS as f64 * due * (1.0 - due));
            assert!(
                (f64::from(*count) - DRAWS as f64 * due).abs() < 6.0 * spread,
                "{counts:?}"
            );
        }
    }
}
