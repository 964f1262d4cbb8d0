//! One organisation's daemon: data, policy, jobs, sessions and the journal.
#![forbid(unsafe_code)]

pub mod data;
pub mod ledger;
mod session;
