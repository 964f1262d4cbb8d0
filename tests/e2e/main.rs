//! The whole system through the command line, as people use it: answers held against the plaintext, bad input against its
//! message.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed expectation fails the test"
)]

#[path = "../world/mod.rs"]
mod world;

mod answers;
mod banks;
mod commands;
mod demo;
mod input;
mod joint;
mod joint_input;
mod lab;
mod network;
mod network_refusals;
mod questions;
mod readme;
mod shops;
