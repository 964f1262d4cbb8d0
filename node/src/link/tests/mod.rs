//! Linking, dialling and the coordinator over real TLS on loopback.
#![expect(
    clippy::panic,
    reason = "a broken expectation of the bench itself fails the test"
)]

mod bench;
mod coordinator;
mod dialling;
mod joining;
mod measuring;
mod strangers;
