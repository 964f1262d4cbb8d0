//! Runs plain code compiled for wider registers where the CPU has them: the compiler writes the kernel, so portable and wide
//! twin are the same source.

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
