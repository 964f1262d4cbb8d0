//! What organisations must agree on byte for byte: jobs, policies, plans, leakage statements, approvals, and the RPC definitions.
//!
//! Every format here is parsed once, at the edge, into types that cannot be wrong. What is signed is canonical JSON
//! ([`canonical`]): bytes that do not re-encode to themselves are refused. The same job bytes give the same plan, the same
//! leakage statement and the same job hash `H` ([`seal`]) at every party.
#![forbid(unsafe_code)]

pub mod approval;
pub mod canonical;
pub mod decimal;
pub mod flaw;
mod hexadecimal;
pub mod job;
pub mod leakage;
pub mod limits;
pub mod link_speed;
pub mod local;
pub mod names;
pub mod people;
pub mod plan;
pub mod policy;
mod printable;
pub mod problem;
pub mod publication;
#[cfg(any(test, feature = "rehearsal"))]
pub mod rehearsal;
pub mod report;
pub mod rpc;
pub mod seal;
pub mod session;
pub mod sign;
pub mod sql;
pub mod submission;
pub mod tags;
mod written;
