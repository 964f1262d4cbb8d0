//! Values that must not leave this process: keys, seeds, scalars, shares.
//!
//! A [`Secret`] has no `Debug`, no `Clone` and no encoding, is compared in constant time and is wiped when dropped. So it
//! cannot end up in a log, an error or a message by accident; whoever needs the value writes `expose`, which is easy to
//! search for in a review.

use crate::block::Block;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{DefaultIsZeroes, Zeroize};

/// A secret value. **Must not be sent.**
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes over a value. The caller keeps no copy.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for a computation. Copies made of it are not wiped.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, to be filled or changed in place.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize + ConstantTimeEq> ConstantTimeEq for Secret<T> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// In constant time.
impl<T: Zeroize + ConstantTimeEq> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl<T: Zeroize + ConstantTimeEq> Eq for Secret<T> {}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl DefaultIsZeroes for Block {}

impl ConstantTimeEq for Block {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.low().ct_eq(&other.low()) & self.high().ct_eq(&other.high())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Witness(Arc<AtomicBool>);

    impl Zeroize for Witness {
        fn zeroize(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_dropped_secret_is_wiped() {
        let wiped = Arc::new(AtomicBool::new(false));
        drop(Secret::new(Witness(Arc::clone(&wiped))));
        assert!(wiped.load(Ordering::Relaxed));
    }

    #[test]
    fn wiping_a_block_leaves_zero() {
        let mut block = Block(u128::MAX);
        block.zeroize();
        assert_eq!(block, Block::ZERO);
    }

    #[test]
    fn every_differing_bit_makes_secrets_unequal() {
        for bit in 0..128 {
            assert!(Secret::new(Block(7)) != Secret::new(Block(7 ^ (1 << bit))));
        }
        assert!(Secret::new(Block(7)) == Secret::new(Block(7)));
    }
}
