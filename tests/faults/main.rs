//! Things that break: processes killed at any moment, stores lost, ports taken, partners that are silent or of another version.
//! Nothing hangs, nothing acknowledged is lost, and each error says on whose side.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed expectation fails the test"
)]

#[path = "../world/mod.rs"]
mod world;

mod homes;
mod orphans;
mod partners;
mod restarts;
mod rounds;
