//! What an OKVS stores at a key: elements of a field, which its dense columns need to multiply.

use crate::block::Block;
use crate::field;
use crate::field64;
use rand_core::CryptoRng;
use std::ops::{BitXor, BitXorAssign};

/// Bytes drawn from a generator at a time: fills its pipeline and stays on the stack.
const BATCH_BYTES: usize = 4_096;

/// An element of a field of characteristic two. [`Block`] is one of GF(2^128), a `u64` one of GF(2^64).
pub trait Value:
    Copy + Default + PartialEq + Send + Sync + BitXor<Output = Self> + BitXorAssign
{
    /// The zero of the field.
    const ZERO: Self;

    /// Of a key's 128 pseudo-random bits, those that stand in its dense columns.
    fn element(bits: Block) -> Self;

    /// The product.
    fn multiply(self, other: Self) -> Self;

    /// The inverse; zero for zero.
    fn invert(self) -> Self;

    /// `sums[i] ^= Σ_k e_i^(k+1)·coefficients[k]`, where e_i is the element of `bits[i]`.
    fn add_polynomials(sums: &mut [Self], bits: &[Block], coefficients: &[Self]);

    /// Uniformly random values.
    fn fill_random(values: &mut [Self], rng: &mut impl CryptoRng);

    /// Σ a_i·b_i, over the shorter of the two.
    fn inner_product(a: &[Self], b: &[Self]) -> Self {
        let products = a.iter().zip(b).map(|(a, b)| a.multiply(*b));
        products.fold(Self::ZERO, |sum, product| sum ^ product)
    }

    /// Powers 1..=count.
    fn powers(self, count: usize) -> Vec<Self> {
        std::iter::successors(Some(self), |power| Some(power.multiply(self)))
            .take(count)
            .collect()
    }
}

impl Value for Block {
    const ZERO: Self = Self::ZERO;

    fn element(bits: Block) -> Self {
        bits
    }

    fn multiply(self, other: Self) -> Self {
        field::multiply(self, other)
    }

    fn invert(self) -> Self {
        field::invert(self)
    }

    fn add_polynomials(sums: &mut [Self], bits: &[Block], coefficients: &[Self]) {
        field::add_polynomials(sums, bits, coefficients);
    }

    fn fill_random(values: &mut [Self], rng: &mut impl CryptoRng) {
        fill(values, rng, Self::from_bytes);
    }
}

impl Value for u64 {
    const ZERO: Self = 0;

    fn element(bits: Block) -> Self {
        bits.low()
    }

    fn multiply(self, other: Self) -> Self {
        field64::multiply(self, other)
    }

    fn invert(self) -> Self {
        field64::invert(self)
    }

    fn add_polynomials(sums: &mut [Self], bits: &[Block], coefficients: &[Self]) {
        field64::add_polynomials(sums, bits, coefficients);
    }

    fn fill_random(values: &mut [Self], rng: &mut impl CryptoRng) {
        fill(values, rng, Self::from_le_bytes);
    }
}

/// Draws all bytes in their order, many at a time.
fn fill<T, const N: usize>(values: &mut [T], rng: &mut impl CryptoRng, value: fn([u8; N]) -> T) {
    let mut bytes = [0; BATCH_BYTES];
    for values in values.chunks_mut(BATCH_BYTES / N) {
        let bytes = &mut bytes[..N * values.len()];
        rng.fill_bytes(bytes);
        let (cells, _) = bytes.as_chunks::<N>();
        for (slot, cell) in values.iter_mut().zip(cells) {
            *slot = value(*cell);
        }
    }
}
