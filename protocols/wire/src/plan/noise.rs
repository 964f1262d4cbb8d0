//! How much one id can add to a sum, and how much noise hides that (protocols.md §8).

use crate::policy::Epsilon;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The scale b of a discrete Laplace distribution, P(k) ∝ exp(−|k|/b), as an exact fraction.
///
/// An id that comes or goes changes one cell, one that changes its group two, each by at most the cap of a moment: with ε shared
/// equally by the moments of a cell, b = 2·cap·moments/ε.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoiseScale {
    /// Above the line.
    pub numerator: u128,
    /// Below it.
    pub denominator: u64,
}

impl NoiseScale {
    /// For a moment with this cap, one of `moments` that share `epsilon`; none where it has no end or 128 bits do not hold it.
    pub fn of(cap: Cap, moments: usize, epsilon: Epsilon) -> Option<Self> {
        if epsilon.0 == 0 {
            return None;
        }
        let shared = common_factor(MILLION, epsilon.0);
        let share = u128::from(2 * (MILLION / shared)).checked_mul(moments as u128)?;
        Some(Self {
            numerator: cap.0.checked_mul(share)?,
            denominator: epsilon.0 / shared,
        })
    }
}

/// Units of [`Epsilon`] in a loss of 1.
const MILLION: u64 = 1_000_000;

/// Euclid's.
fn common_factor(left: u64, right: u64) -> u64 {
    match right {
        0 => left,
        right => common_factor(right, left % right),
    }
}

/// A largest contribution, written as decimal digits: it can have more than 64 bits, which JSON's numbers do not carry safely.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cap(pub u128);

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl fmt::Debug for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl From<Cap> for String {
    fn from(cap: Cap) -> Self {
        cap.to_string()
    }
}
impl TryFrom<String> for Cap {
    type Error = NotACap;
    fn try_from(text: String) -> Result<Self, NotACap> {
        text.parse()
    }
}
impl FromStr for Cap {
    type Err = NotACap;
    fn from_str(text: &str) -> Result<Self, NotACap> {
        let cap = text.parse().map(Self).map_err(|_| NotACap)?;
        // One text a value: no sign, no zeros in front.
        (cap.to_string() == text).then_some(cap).ok_or(NotACap)
    }
}

/// The text is not the one form of a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number below 2^128 in digits, without zeros in front")]
pub struct NotACap;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{from_bytes, to_bytes};

    #[test]
    fn a_cap_has_exactly_one_text_and_all_its_bits() {
        for cap in [0, 1, u128::from(u64::MAX) + 1, 1 << 126, u128::MAX] {
            assert_eq!(cap.to_string().parse(), Ok(Cap(cap)));
            let bytes = to_bytes(&Cap(cap));
            assert_eq!(from_bytes::<Cap>(&bytes).expect("own bytes"), Cap(cap));
        }
        for text in [
            "",
            "+1",
            "-1",
            "01",
            "1.0",
            " 1",
            "1e3",
            "340282366920938463463374607431768211456",
        ] {
            assert_eq!(text.parse::<Cap>(), Err(NotACap), "{text:?}");
        }
    }

    #[test]
    fn noise_grows_with_cap_and_moments_and_shrinks_with_epsilon() {
        let scale =
            |cap, moments, millionths| NoiseScale::of(Cap(cap), moments, Epsilon(millionths));
        let fraction = |numerator, denominator| {
            Some(NoiseScale {
                numerator,
                denominator,
            })
        };
        assert_eq!(scale(1, 1, 1_000_000), fraction(2, 1));
        assert_eq!(scale(7, 3, 500_000), fraction(84, 1));
        assert_eq!(scale(1, 1, 1_500_000), fraction(4, 3));
        assert_eq!(scale(1, 2, 999_999), fraction(4_000_000, 999_999));
        // Whoever has much to protect still has room: 2^100 in units is a square of 15 digits.
        assert_eq!(scale(1 << 100, 6, 1_000_000), fraction(12 << 100, 1));
        assert_eq!(scale(1, 1, 0), None, "no loss allows no answer");
        assert_eq!(scale(u128::MAX, 1, 1), None);
    }
}
