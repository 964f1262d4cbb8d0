//! Multiplication in GF(2^128) = GF(2)\[x\] / (x^128 + x^7 + x^2 + x + 1), by carry-less multiplication where the CPU has it.
//!
//! Both twins run in time independent of the operands.

use crate::block::Block;

/// `a·b`.
#[inline]
pub(crate) fn multiply(a: Block, b: Block) -> Block {
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: `available` has just seen PCLMULQDQ and SSE4.1 on this CPU.
        return unsafe { x86::multiply(a, b) };
    }
    portable::multiply(a, b)
}

/// `destination[i] ^= scalar·source[i]`, over the shorter of the two.
pub(crate) fn multiply_add(destination: &mut [Block], scalar: Block, source: &[Block]) {
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: both detections have just seen what the kernels need on this CPU.
        unsafe {
            match x86::wide_available() {
                true => x86::wide::multiply_add(destination, scalar, source),
                false => x86::multiply_add(destination, scalar, source),
            }
        }
        return;
    }
    for (to, from) in destination.iter_mut().zip(source) {
        *to ^= portable::multiply(scalar, *from);
    }
}

/// `sums[i] ^= Σ_k points[i]^(k+1)·coefficients[k]`, over the shorter of the two, by Horner's rule.
pub(crate) fn add_polynomials(sums: &mut [Block], points: &[Block], coefficients: &[Block]) {
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: both detections have just seen what the kernels need on this CPU.
        unsafe {
            match x86::wide_available() {
                true => x86::wide::add_polynomials(sums, points, coefficients),
                false => x86::add_polynomials(sums, points, coefficients),
            }
        }
        return;
    }
    for (sum, point) in sums.iter_mut().zip(points) {
        let step = |value, coefficient: &Block| portable::multiply(value ^ *coefficient, *point);
        *sum ^= coefficients.iter().rev().fold(Block::ZERO, step);
    }
}

/// Σ a_i·b_i, over the shorter of the two.
pub(crate) fn inner_product(a: &[Block], b: &[Block]) -> Block {
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: both detections have just seen what the kernels need on this CPU.
        return unsafe {
            match x86::wide_available() {
                true => x86::wide::inner_product(a, b),
                false => x86::inner_product(a, b),
            }
        };
    }
    let products = a.iter().zip(b).map(|(a, b)| portable::multiply(*a, *b));
    products.fold(Block::ZERO, |sum, product| sum ^ product)
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86;

/// The same without special instructions.
pub(crate) mod portable {
    use super::Block;

    /// The low 64 bits of the carry-less product, by integer products of every fourth bit: the holes between them take the
    /// carries, which are then cleared.
    const fn carryless_low(a: u64, b: u64) -> u64 {
        const EVERY_FOURTH: [u64; 4] = [
            0x1111_1111_1111_1111,
            0x2222_2222_2222_2222,
            0x4444_4444_4444_4444,
            0x8888_8888_8888_8888,
        ];
        let mut sum = 0;
        let mut residue = 0;
        while residue < 4 {
            let mut part = 0;
            let mut i = 0;
            while i < 4 {
                let j = (residue + 4 - i) % 4;
                part ^= (a & EVERY_FOURTH[i]).wrapping_mul(b & EVERY_FOURTH[j]);
                i += 1;
            }
            sum |= part & EVERY_FOURTH[residue];
            residue += 1;
        }
        sum
    }

    /// The carry-less product of two 64-bit polynomials; the high half by the product of the reversed ones.
    pub(in crate::simd) const fn carryless(a: u64, b: u64) -> u128 {
        let low = carryless_low(a, b);
        let high = carryless_low(a.reverse_bits(), b.reverse_bits()).reverse_bits() >> 1;
        (high as u128) << 64 | low as u128
    }

    /// `a·b`.
    pub(crate) const fn multiply(a: Block, b: Block) -> Block {
        let low = carryless(a.low(), b.low());
        let high = carryless(a.high(), b.high());
        let cross = carryless(a.low(), b.high()) ^ carryless(a.high(), b.low());
        let low = low ^ (cross << 64);
        let high = high ^ (cross >> 64);
        // x^128 = 0x87: fold the high half; its own overflow of at most 7 bits folds once more.
        let overflow = (high >> 127) ^ (high >> 126) ^ (high >> 121);
        let folded = high ^ (high << 1) ^ (high << 2) ^ (high << 7);
        Block(low ^ folded ^ overflow ^ (overflow << 1) ^ (overflow << 2) ^ (overflow << 7))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn kernel_and_portable_twin_agree(a: u128, b: u128) {
            prop_assert_eq!(multiply(Block(a), Block(b)), portable::multiply(Block(a), Block(b)));
        }

        #[test]
        fn slices_agree_with_single_products(scalar: u128, values in proptest::collection::vec(any::<(u128, u128)>(), 0..50)) {
            let source: Vec<Block> = values.iter().map(|v| Block(v.0)).collect();
            let before: Vec<Block> = values.iter().map(|v| Block(v.1)).collect();
            let mut added = before.clone();
            multiply_add(&mut added, Block(scalar), &source);
            let coefficients = [Block(!scalar), Block(scalar)];
            let mut polynomials = before.clone();
            add_polynomials(&mut polynomials, &source, &coefficients);
            let mut sum = Block::ZERO;
            for i in 0..source.len() {
                prop_assert_eq!(added[i], before[i] ^ portable::multiply(Block(scalar), source[i]));
                let square = portable::multiply(source[i], source[i]);
                let value = portable::multiply(square, Block(scalar)) ^ portable::multiply(source[i], Block(!scalar));
                prop_assert_eq!(polynomials[i], before[i] ^ value);
                sum ^= portable::multiply(source[i], before[i]);
            }
            prop_assert_eq!(inner_product(&source, &before), sum);
        }
    }
}
