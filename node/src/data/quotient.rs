//! Exact quotients of whole numbers of any size, and their square roots: rounded once, at the end, half away from zero.

use super::values::exact::DIGITS_MAX;
use num_bigint::BigInt;

/// `over` / `under`, with `under` above zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quotient {
    over: BigInt,
    under: BigInt,
}

impl Quotient {
    /// `None` where the divisor is not above zero.
    pub(super) fn new(over: BigInt, under: BigInt) -> Option<Self> {
        (under > BigInt::ZERO).then_some(Self { over, under })
    }

    /// In units of 10^-`decimals`; `None` where that has more than 38 digits.
    pub(super) fn rounded(&self, decimals: i32) -> Option<i128> {
        let (over, under) = self.shifted(decimals);
        // Twice as much and one half more, cut off: halves go up.
        held(&self.over, (over * 2 + &under) / (under * 2))
    }

    /// The square root in units of 10^-`decimals`, with the sign of the quotient; `None` where that has more than 38 digits.
    pub(super) fn root_rounded(&self, decimals: i32) -> Option<i128> {
        let (over, under) = self.shifted(decimals.saturating_mul(2));
        // The root of four times as much is twice the root: cut off, one added and halved, halves go up.
        let twice: BigInt = over * 4 / under;
        held(&self.over, (twice.sqrt() + 1) / 2)
    }

    /// The quotient without its sign, times 10^`decimals`.
    fn shifted(&self, decimals: i32) -> (BigInt, BigInt) {
        let power = BigInt::from(10).pow(decimals.unsigned_abs());
        let (over, under) = (self.over.magnitude().clone().into(), self.under.clone());
        match decimals >= 0 {
            true => (over * power, under),
            false => (over, under * power),
        }
    }

    /// The nearest floating-point number, for bars of error.
    pub(super) fn near(&self) -> f64 {
        near(&self.over) / near(&self.under)
    }
}

/// With the sign of `signed`, if 38 digits hold it.
fn held(signed: &BigInt, magnitude: BigInt) -> Option<i128> {
    let magnitude = i128::try_from(magnitude).ok()?;
    let held = magnitude < 10_i128.pow(DIGITS_MAX);
    let negative = *signed < BigInt::ZERO;
    held.then_some(if negative { -magnitude } else { magnitude })
}

/// The nearest floating-point number; infinite where there is none.
pub(super) fn near(number: &BigInt) -> f64 {
    number.to_string().parse().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quotient(over: i64, under: i64) -> Option<Quotient> {
        Quotient::new(over.into(), under.into())
    }

    #[test]
    fn halves_go_away_from_zero_and_divisors_are_above_it() {
        for (over, under, decimals, expected) in [
            (1, 2, 0, 1),
            (-1, 2, 0, -1),
            (1, 3, 2, 33),
            (2, 3, 2, 67),
            (-2, 3, 2, -67),
            (149, 100, 0, 1),
            (1_234_567, 1, -3, 1_235),
            (0, 7, 5, 0),
        ] {
            let rounded = quotient(over, under).and_then(|quotient| quotient.rounded(decimals));
            assert_eq!(rounded, Some(expected), "{over}/{under}");
        }
        assert_eq!(quotient(1, 0), None);
        assert_eq!(quotient(1, -1), None);
    }

    #[test]
    fn roots_round_like_quotients_and_keep_the_sign() {
        for (over, under, decimals, expected) in [
            (2, 1, 8, 141_421_356),
            (2, 1, 9, 1_414_213_562),
            (9, 4, 0, 2), // 1.5
            (-9, 4, 0, -2),
            (225, 100, 1, 15),
            (0, 1, 3, 0),
            (1_000_000, 1, -2, 10),
        ] {
            let root = quotient(over, under).and_then(|quotient| quotient.root_rounded(decimals));
            assert_eq!(root, Some(expected), "{over}/{under}");
        }
    }

    #[test]
    fn more_than_38_digits_are_none() {
        let large = |exponent| Quotient::new(BigInt::from(10).pow(exponent), 1.into());
        let rounded = |exponent, decimals| large(exponent).and_then(|q| q.rounded(decimals));
        assert_eq!(rounded(37, 0), Some(10_i128.pow(37)));
        assert_eq!(rounded(38, 0), None);
        assert_eq!(rounded(200, 8), None);
        assert_eq!(
            large(200).and_then(|q| q.root_rounded(-90)),
            Some(10_i128.pow(10))
        );
    }

    proptest! {
        #[test]
        fn a_rounded_quotient_is_within_half_a_unit(over in any::<i64>(), under in 1i64.., decimals in 0i32..15) {
            let rounded = quotient(over, under).and_then(|quotient| quotient.rounded(decimals)).map(BigInt::from);
            let error = rounded.map(|rounded| rounded * under - BigInt::from(over) * BigInt::from(10).pow(decimals as u32));
            prop_assert!(error.is_some_and(|error| BigInt::from(error.magnitude().clone()) * 2 <= BigInt::from(under)));
        }

        #[test]
        fn a_rounded_root_is_the_nearest(over in 0i64.., under in 1i64..1_000_000) {
            let root = quotient(over, under).and_then(|quotient| quotient.root_rounded(0)).map(BigInt::from);
            let root = root.expect("few digits");
            // (2r − 1)² ≤ 4·over/under < (2r + 1)²
            let (four, under) = (BigInt::from(over) * 4, BigInt::from(under));
            let square = |edge: BigInt| &edge * &edge * &under;
            prop_assert!(square(&root * 2 + 1) > four);
            prop_assert!(root == BigInt::ZERO || square(&root * 2 - 1) <= four);
        }
    }
}
