//! CPU kernels: the only `unsafe` of this crate. Each kernel has a portable twin, gives identical bytes, and is chosen at run
//! time; no `target-cpu` flag is needed to be fast.
#![allow(unsafe_code)] // CPU intrinsics; every block carries its safety argument

pub(crate) mod clmul;
pub(crate) mod lanes;
pub(crate) mod wide;
