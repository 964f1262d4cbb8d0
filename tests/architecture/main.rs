//! The walls of the workspace: which crate may depend on which, where unsafe code may stand, and what the lock file may hold.
//!
//! Everything is read from `cargo metadata`, `Cargo.lock` and the sources, so a new crate or arrow fails here until the
//! architecture text and this table say the same.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed expectation fails the test"
)]

mod arrows;
mod docs;
mod lock;
mod unsafety;
