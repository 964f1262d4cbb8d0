//! The integers that shares are made of: arithmetic modulo 2^64, or 2^128 where a sum needs more than 64 bits.

/// An integer modulo a power of two. Signed values stand as their two's complement, so that sums and products need not care.
pub trait Word:
    Copy + Default + Eq + Send + Sync + std::fmt::Debug + zeroize::Zeroize + 'static
{
    /// Nothing.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Bits of the modulus.
    const BITS: u32;

    /// `self + other`.
    #[must_use]
    fn wrapping_add(self, other: Self) -> Self;
    /// `self − other`.
    #[must_use]
    fn wrapping_sub(self, other: Self) -> Self;
    /// `self · other`.
    #[must_use]
    fn wrapping_mul(self, other: Self) -> Self;
    /// `−self`.
    #[must_use]
    fn wrapping_neg(self) -> Self {
        Self::ZERO.wrapping_sub(self)
    }
    /// The low bits of a signed number.
    fn from_i128(number: i128) -> Self;
    /// The low bits of a random block, or of any number without a sign.
    fn from_u128(number: u128) -> Self;
    /// As a number from zero up to the modulus.
    fn to_u128(self) -> u128;
    /// `self` where `bit` is set and zero where it is not, without a branch.
    #[must_use]
    fn masked(self, bit: bool) -> Self;
    /// `−self` where `bit` is set and `self` where it is not, without a branch.
    #[must_use]
    #[inline(always)]
    fn negated(self, bit: bool) -> Self {
        self.wrapping_sub(self.wrapping_add(self).masked(bit))
    }
    /// The low bytes, little end first, as many as there is room for; above the word's own come zeros.
    fn write(self, bytes: &mut [u8]);
    /// From low bytes, little end first; those above the word's own are dropped.
    fn read(bytes: &[u8]) -> Self;
}

macro_rules! words {
    ($($word:ty),*) => {$(
        impl Word for $word {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const BITS: u32 = <$word>::BITS;

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                <$word>::wrapping_add(self, other)
            }

            #[inline(always)]
            fn wrapping_sub(self, other: Self) -> Self {
                <$word>::wrapping_sub(self, other)
            }

            #[inline(always)]
            fn wrapping_mul(self, other: Self) -> Self {
                <$word>::wrapping_mul(self, other)
            }

            #[inline(always)]
            fn from_i128(number: i128) -> Self {
                number as $word
            }

            #[inline(always)]
            fn from_u128(number: u128) -> Self {
                number as $word
            }

            #[inline(always)]
            fn to_u128(self) -> u128 {
                self.into()
            }

            #[inline(always)]
            fn masked(self, bit: bool) -> Self {
                self & <$word>::from(bit).wrapping_neg()
            }

            #[inline(always)]
            fn write(self, bytes: &mut [u8]) {
                let own = self.to_le_bytes();
                let (low, above) = bytes.split_at_mut(own.len().min(bytes.len()));
                low.copy_from_slice(&own[..low.len()]);
                above.fill(0);
            }

            #[inline(always)]
            fn read(bytes: &[u8]) -> Self {
                let mut own = <$word>::default().to_le_bytes();
                let low = own.len().min(bytes.len());
                own[..low].copy_from_slice(&bytes[..low]);
                <$word>::from_le_bytes(own)
            }
        }
    )*};
}

words!(u64, u128);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What both words have in common, for a number and a width in bytes.
    fn reads_what_it_wrote<W: Word>(number: i128, width: usize) {
        let word = W::from_i128(number);
        let mut bytes = vec![7; width];
        word.write(&mut bytes);
        let kept = W::read(&bytes).to_u128();
        let modulus_bits = W::BITS.min(8 * width as u32);
        let mask = u128::MAX
            .checked_shl(modulus_bits)
            .map_or(u128::MAX, |m| !m);
        assert_eq!(kept, number as u128 & mask);
        assert_eq!(word.wrapping_add(word.wrapping_neg()), W::ZERO);
        assert_eq!([word.masked(false), word.masked(true)], [W::ZERO, word]);
        assert_eq!(
            [word.negated(false), word.negated(true)],
            [word, word.wrapping_neg()]
        );
    }

    proptest! {
        #[test]
        fn a_word_keeps_as_many_low_bytes_as_there_is_room_for(number: i128, width in 0..20_usize) {
            reads_what_it_wrote::<u64>(number, width);
            reads_what_it_wrote::<u128>(number, width);
        }
    }

    #[test]
    fn signed_numbers_multiply_as_their_complements() {
        let product = u64::from_i128(-3).wrapping_mul(Word::wrapping_neg(5));
        assert_eq!(product, 15);
        assert_eq!(u128::from_i128(-1).to_u128(), u128::MAX);
    }
}
