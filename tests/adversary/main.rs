//! Everybody who could cheat, cheating: a coordinator in an adversary's hands, people without the right, strangers and impostors
//! at the port. Each promise of the trust model has its test here or in the crate that keeps it; SECURITY.md names them all.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed expectation fails the test"
)]

#[path = "../world/mod.rs"]
mod world;

mod coordinator;
mod impostor;
mod leaks;
mod people;
