//! Jobs of two nodes in one process, honest and otherwise.
#![allow(clippy::panic)] // a test that cannot go on says why

mod adversary;
mod answers;
mod bench;
mod buckets;
mod joint;
mod network;
mod pair;
mod question;
mod restart;
mod sizes;
mod truth;
