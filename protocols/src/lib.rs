//! The protocols between organisations, as pure computation: no tokio, tonic, file system, clock or ambient randomness.
//!
//! A protocol is straight-line code over a [`channel`], one role a file, and reads like its paper. The node gives it a
//! line to its peer, the inputs and a random generator, and gets the output or a [`fault`] that names the culprit. Only [`aggregate`] is among more than two: a step of it is a function of what a
//! member knows and what it received.
#![deny(unsafe_code)] // only `simd` overrides it, block by block

#[cfg(test)]
mod adversary;
pub mod aggregate;
mod agreement;
pub mod blind;
pub mod block;
pub mod bounds;
pub mod buckets;
pub mod channel;
pub mod fault;
pub mod field;
pub mod field64;
pub mod hash;
mod lanes;
pub mod okvs;
pub mod oprf;
pub mod ot;
mod place_hash;
pub mod prg;
pub mod psi;
pub mod release;
pub mod secret;
pub mod security;
pub mod session_id;
mod shuffle;
mod simd;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod views;
pub mod vole;
