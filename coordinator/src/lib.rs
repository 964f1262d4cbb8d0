//! The blind orchestrator: membership, catalogue, job states and rendezvous.
//!
//! Nodes hand in signed records (registries, publications, submissions, approvals, reports); the coordinator files each for
//! its recipients, hands it out, and says in which state a job is. It links no protocol code, holds no key that
//! anybody's record is verified with, and nobody believes it: every node verifies every record against keys that it
//! pinned itself. So it can lose and delay things, and never change or forge them.
//!
//! Who learns what: whoever runs or takes over the coordinator learns who published which schema, who asked what and
//! when, who approved, and how each run ended. Never a row, an id, a share or a result.
//!
//! What it stores is a cache: nodes hand in all their records again whenever they connect.
#![forbid(unsafe_code)]

mod board;
mod feed;
mod files;
mod home;
mod limits;
mod members;
mod records;
mod rounds;
mod run;
mod service;
mod states;
mod store;

#[cfg(test)]
mod adversary;

pub use home::{COORDINATOR, Summary, init};
pub use members::admit;
pub use run::run;
