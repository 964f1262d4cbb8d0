//! The protocols between two organisations, as pure computation.
#![forbid(unsafe_code)]
