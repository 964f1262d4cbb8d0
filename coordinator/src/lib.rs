//! The blind orchestrator: membership, catalogue, job states and rendezvous.
#![forbid(unsafe_code)]
