//! GF(2^64) with x^64 + x^4 + x^3 + x + 1: the field of values of one word (protocols.md §4). Bit `i` of a word is the coefficient of
//! `x^i`.

use crate::block::Block;
use crate::simd::clmul64;

/// `a·b`, in time independent of both.
#[inline]
pub fn multiply(a: u64, b: u64) -> u64 {
    clmul64::multiply(a, b)
}

/// `sums[i] ^= Σ_k points[i]^(k+1)·coefficients[k]`: one polynomial without constant term at many points, each the low half of its
/// block.
///
/// # Panics
/// If the lengths differ: a caller's defect.
pub fn add_polynomials(sums: &mut [u64], points: &[Block], coefficients: &[u64]) {
    assert_eq!(sums.len(), points.len(), "as many points as sums");
    clmul64::add_polynomials(sums, points, coefficients);
}

/// `a` to the power 2^64 − 2, its inverse; zero for zero. 63 squarings and multiplications, in constant time.
pub fn invert(a: u64) -> u64 {
    let mut square = a;
    let mut result = 1;
    for _ in 1..64 {
        square = multiply(square, square);
        result = multiply(result, square);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Schoolbook: add and double.
    fn oracle(a: u64, b: u64) -> u64 {
        let (mut sum, mut shifted) = (0, a);
        for i in 0..64 {
            if (b >> i) & 1 == 1 {
                sum ^= shifted;
            }
            let carry = shifted >> 63;
            shifted = (shifted << 1) ^ (carry * 0x1b);
        }
        sum
    }

    #[test]
    fn x_to_the_63_times_x_is_the_reduction_polynomial() {
        assert_eq!(multiply(1 << 63, 2), 0x1b);
    }

    /// x^(2^64) = x and x^(2^32) ≠ x: the polynomial is irreducible (Rabin's test, 64 having the one prime factor 2).
    #[test]
    fn the_reduction_polynomial_is_irreducible() {
        let squared = |times: u32| (0..times).fold(2, |x, _| multiply(x, x));
        assert_eq!(squared(64), 2);
        // gcd(x^(2^32) − x, f) = 1: the difference is not zero and has an inverse.
        let difference = squared(32) ^ 2;
        assert_eq!(multiply(difference, invert(difference)), 1);
    }

    proptest! {
        #[test]
        fn agrees_with_schoolbook(a: u64, b: u64) {
            prop_assert_eq!(multiply(a, b), oracle(a, b));
        }

        #[test]
        fn inverse_times_element_is_one(a in 1u64..) {
            prop_assert_eq!(multiply(a, invert(a)), 1);
        }

        #[test]
        fn polynomials_follow_the_definition(items in prop::collection::vec(any::<(u64, u128)>(), 0..70), coefficients in prop::collection::vec(any::<u64>(), 0..5)) {
            let (mut sums, points): (Vec<u64>, Vec<Block>) = items.iter().map(|(sum, point)| (*sum, Block(*point))).unzip();
            add_polynomials(&mut sums, &points, &coefficients);
            for ((before, point), sum) in items.iter().zip(sums) {
                let (mut expected, mut power) = (*before, *point as u64);
                for coefficient in &coefficients {
                    expected ^= oracle(power, *coefficient);
                    power = oracle(power, *point as u64);
                }
                prop_assert_eq!(sum, expected);
            }
        }
    }
}
