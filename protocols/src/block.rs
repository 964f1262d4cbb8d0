//! A 128-bit block: the unit of keys, seeds, field elements and wires.
//!
//! Read as an integer, bit `i` is the coefficient of `x^i` when the block stands for an element of GF(2^128)
//! ([`crate::field`]). On the wire a block is 16 bytes, little end first.

use rand_core::CryptoRng;
use std::ops::{BitAnd, BitXor, BitXorAssign};

/// 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
#[repr(transparent)]
pub struct Block(pub u128);

impl Block {
    /// Bits of a block.
    pub const BITS: u32 = u128::BITS;
    /// All bits zero; the zero of the field.
    pub const ZERO: Self = Self(0);
    /// The one of the field.
    pub const ONE: Self = Self(1);

    /// From 16 bytes, little end first. Every value is canonical.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// Uniformly random.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self::from_bytes(bytes)
    }

    /// As 16 bytes, little end first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// The low 64 bits.
    pub const fn low(self) -> u64 {
        self.0 as u64
    }

    /// The high 64 bits.
    pub const fn high(self) -> u64 {
        (self.0 >> 64) as u64
    }

    /// `self` where `bit` is set and zero where it is not, without a branch.
    pub const fn masked(self, bit: bool) -> Self {
        Self(self.0 & (bit as u128).wrapping_neg())
    }
}

impl BitXor for Block {
    type Output = Self;
    #[inline(always)]
    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

impl BitXorAssign for Block {
    #[inline(always)]
    fn bitxor_assign(&mut self, other: Self) {
        self.0 ^= other.0;
    }
}

impl BitAnd for Block {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl std::fmt::Debug for Block {
    /// For test failures. Secrets are wrapped in a type without `Debug`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
