//! The protocols between two organisations, as pure computation: no tokio, tonic, file system, clock or ambient randomness.
//!
//! A protocol is straight-line code over a channel, one role a file, and reads like its paper.
#![deny(unsafe_code)] // only `simd` overrides it, block by block

pub mod block;
pub mod bounds;
pub mod field;
pub mod okvs;
mod simd;
