//! Sessions against a partner that is scripted: what an honest node does, one deviation at a time.
#![expect(
    clippy::panic,
    reason = "a broken expectation of the bench itself fails the test"
)]

mod adversary;
pub(crate) mod bench;
mod both;
mod script;
