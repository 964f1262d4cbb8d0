//! CPU kernels: the only `unsafe` of this crate. Each kernel has a portable twin, gives identical bytes, and is chosen at run
//! time; no `target-cpu` flag is needed to be fast.
#![allow(unsafe_code)] // CPU intrinsics; every block carries its safety argument

pub(crate) mod aes;
pub(crate) mod clmul;
pub(crate) mod clmul64;
pub(crate) mod lanes;
pub(crate) mod leaves;
pub(crate) mod selected;
pub(crate) mod short_hash;
pub(crate) mod transpose;
pub(crate) mod wide;

/// Whether a kernel may use special instructions that this CPU has. Tests say no to run whole protocols on the portable twins.
#[inline(always)]
fn special_instructions() -> bool {
    #[cfg(test)]
    return !PORTABLE_ONLY.load(std::sync::atomic::Ordering::Relaxed);
    #[cfg(not(test))]
    true
}

#[cfg(test)]
static PORTABLE_ONLY: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Runs `work` on the portable twins. Tests that run meanwhile use them too; their bytes are the same.
#[cfg(test)]
pub(crate) fn without_special_instructions<R>(work: impl FnOnce() -> R) -> R {
    use std::sync::atomic::Ordering;
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    PORTABLE_ONLY.store(true, Ordering::Relaxed);
    let result = work();
    PORTABLE_ONLY.store(false, Ordering::Relaxed);
    result
}
