//! One organisation's daemon: data, policy, jobs, sessions and the journal.
#![forbid(unsafe_code)]

mod api;
pub mod app;
mod config;
pub mod data;
pub mod home;
pub mod jobs;
pub mod ledger;
mod link;
pub mod policy;
mod round;
mod session;
