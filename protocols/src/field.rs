//! F = GF(2^128) with x^128 + x^7 + x^2 + x + 1 (protocols.md, notation). A [`Block`]'s bit `i` is the coefficient of `x^i`.

use crate::block::Block;
use crate::simd::clmul;

/// `a·b`, in time independent of both.
#[inline]
pub fn multiply(a: Block, b: Block) -> Block {
    clmul::multiply(a, b)
}

/// `destination[i] ^= scalar·source[i]`.
///
/// # Panics
/// If the lengths differ: a caller's defect.
pub fn multiply_add(destination: &mut [Block], scalar: Block, source: &[Block]) {
    assert_eq!(
        destination.len(),
        source.len(),
        "as many products as places"
    );
    clmul::multiply_add(destination, scalar, source);
}

/// `sums[i] ^= Σ_k points[i]^(k+1)·coefficients[k]`: one polynomial without constant term at many points.
///
/// # Panics
/// If the lengths differ: a caller's defect.
pub fn add_polynomials(sums: &mut [Block], points: &[Block], coefficients: &[Block]) {
    assert_eq!(sums.len(), points.len(), "as many points as sums");
    clmul::add_polynomials(sums, points, coefficients);
}

/// `a` to the power 2^128 − 2, its inverse; zero for zero. 127 squarings and multiplications, in constant time.
pub fn invert(a: Block) -> Block {
    let mut square = a;
    let mut result = Block::ONE;
    for _ in 1..128 {
        square = multiply(square, square);
        result = multiply(result, square);
    }
    result
}

/// `base` to a power that may be secret: all of its bits take the same steps.
pub fn power(base: Block, exponent: u32) -> Block {
    let (mut square, mut result) = (base, Block::ONE);
    for bit in 0..u32::BITS {
        let is_set = (exponent >> bit) & 1 == 1;
        let factor = Block::ONE ^ (square ^ Block::ONE).masked(is_set);
        result = multiply(result, factor);
        square = multiply(square, square);
    }
    result
}

/// Powers 1..=count of a point.
pub fn powers(point: Block, count: usize) -> Vec<Block> {
    std::iter::successors(Some(point), |power| Some(multiply(*power, point)))
        .take(count)
        .collect()
}

/// Σ a_i·b_i, over the shorter of the two.
pub fn inner_product(a: &[Block], b: &[Block]) -> Block {
    clmul::inner_product(a, b)
}

/// A polynomial without constant term, Σ v_j·s^(j+1), over values that arrive piece by piece. Many sums run side by side, so that
/// no multiplication waits for the one before.
pub struct Polynomial {
    powers: Vec<Block>,
    sum: Block,
    factor: Block,
}

/// Sums that run side by side.
const POLYNOMIAL_LANES: usize = 64;

impl Polynomial {
    /// Nothing added yet, at the point s.
    pub fn new(point: Block) -> Self {
        Self {
            powers: powers(point, POLYNOMIAL_LANES),
            sum: Block::ZERO,
            factor: Block::ONE,
        }
    }

    /// Adds the next values.
    pub fn add(&mut self, values: &[Block]) {
        for values in values.chunks(POLYNOMIAL_LANES) {
            let part = inner_product(values, &self.powers);
            self.sum ^= multiply(part, self.factor);
            self.factor = multiply(self.factor, self.powers[values.len() - 1]);
        }
    }

    /// The value so far.
    pub fn value(&self) -> Block {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Schoolbook: add and double.
    fn oracle(a: Block, b: Block) -> Block {
        let (mut sum, mut shifted) = (0u128, a.0);
        for i in 0..128 {
            if (b.0 >> i) & 1 == 1 {
                sum ^= shifted;
            }
            let carry = shifted >> 127;
            shifted = (shifted << 1) ^ (carry * 0x87);
        }
        Block(sum)
    }

    #[test]
    fn x_to_the_127_times_x_is_the_reduction_polynomial() {
        assert_eq!(multiply(Block(1 << 127), Block(2)), Block(0x87));
    }

    proptest! {
        #[test]
        fn agrees_with_schoolbook(a: u128, b: u128) {
            prop_assert_eq!(multiply(Block(a), Block(b)), oracle(Block(a), Block(b)));
        }

        #[test]
        fn a_polynomial_in_pieces_is_the_whole_one(point: u128, values in proptest::collection::vec(any::<u128>(), 0..300), cut in 0usize..300) {
            let values: Vec<Block> = values.into_iter().map(Block).collect();
            let (first, second) = values.split_at(cut.min(values.len()));
            let mut polynomial = Polynomial::new(Block(point));
            polynomial.add(first);
            polynomial.add(second);
            let whole = values.iter().rev().fold(Block::ZERO, |sum, value| multiply(sum ^ *value, Block(point)));
            prop_assert_eq!(polynomial.value(), whole);
        }

        #[test]
        fn powers_of_one_element_add_their_exponents(base: u128, few in 1usize..40, a in 0..u32::MAX / 2, b in 0..u32::MAX / 2) {
            let base = Block(base);
            prop_assert_eq!(power(base, few as u32), powers(base, few)[few - 1]);
            prop_assert_eq!(power(base, a + b), multiply(power(base, a), power(base, b)));
        }

        #[test]
        fn inverse_times_element_is_one(a in 1u128..) {
            prop_assert_eq!(multiply(Block(a), invert(Block(a))), Block::ONE);
        }
    }
}
