//! Runs plain code compiled for wider registers where the CPU has them: the compiler writes the kernel, so portable and wide
//! twin are the same source. It does so for 64-bit integers, not for those of 128 bits: hence blocks as halves.

use crate::block::Block;

/// Blocks as their halves, in the machine's order: for work that treats both alike.
pub(crate) const fn halves(blocks: &[Block]) -> &[[u64; 2]] {
    // SAFETY: a block is 16 bytes without padding, aligned at least as two words, and all words are valid; the lifetime is the same.
    unsafe { std::slice::from_raw_parts(blocks.as_ptr().cast(), blocks.len()) }
}

/// [`halves`] to be changed.
pub(crate) const fn halves_mut(blocks: &mut [Block]) -> &mut [[u64; 2]] {
    // SAFETY: as for `halves`, and every two words are a block.
    unsafe { std::slice::from_raw_parts_mut(blocks.as_mut_ptr().cast(), blocks.len()) }
}

/// Runs `work`, which should consist of `#[inline(always)]` code, compiled for AVX2 if this CPU has it.
#[inline(always)]
pub(crate) fn run<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if super::special_instructions() && is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        // SAFETY: the detection above has just seen AVX2 on this CPU.
        return unsafe { with_avx2(work) };
    }
    work()
}

/// Work too long for the compiler to inline a closure of it, which would leave it compiled for narrow registers.
pub(crate) trait Work {
    /// To be marked `#[inline(always)]`.
    fn work(self);
}

/// Runs `work`, compiled for AVX2 if this CPU has it.
#[inline(always)]
pub(crate) fn run_long(work: impl Work) {
    #[cfg(target_arch = "x86_64")]
    if super::special_instructions() && is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn with_avx2(work: impl Work) {
            work.work();
        }
        // SAFETY: the detection above has just seen AVX2 on this CPU.
        return unsafe { with_avx2(work) };
    }
    work.work();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_blocks_own() {
        let mut blocks = [Block(1), Block(2 << 64), Block(u128::MAX)];
        let expected = blocks.map(|block| block ^ Block(7 << 64 | 7));
        assert_eq!(
            halves(&blocks)
                .as_flattened()
                .iter()
                .fold(0, |or, word| or | word),
            u64::MAX
        );
        let words = halves_mut(&mut blocks).as_flattened_mut();
        words.iter_mut().for_each(|word| *word ^= 7);
        assert_eq!(blocks, expected);
    }
}
