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

/// `destination[i] = destination[i]·factors[i] ^ addend`: Horner's rule for many points at once.
///
/// # Panics
/// If the lengths differ: a caller's defect.
pub fn horner_step(destination: &mut [Block], factors: &[Block], addend: Block) {
    assert_eq!(
        destination.len(),
        factors.len(),
        "as many factors as values"
    );
    clmul::horner_step(destination, factors, addend);
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Schoolbook: add and double.
    fn oracle(a: Block, b: Block) -> Block {
        let (mut sum, mut shifted) = (0u128, a.0);
        for i in 0..128 {
            if b.0 >> i & 1 == 1 {
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
        fn inverse_times_element_is_one(a in 1u128..) {
            prop_assert_eq!(multiply(Block(a), invert(Block(a))), Block::ONE);
        }
    }
}
