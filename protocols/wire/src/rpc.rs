//! The gRPC definitions in `proto/`, as Rust. Everything that arrives through them is parsed into this crate's types at the edge.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::too_many_lines,
    unused_qualifications
)] // generated code

/// Signed statements.
pub mod record {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("entente.record.v1");
    }
}
/// What nodes ask of the coordinator.
pub mod coordinator {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("entente.coordinator.v1");
    }
}
/// What nodes ask of each other.
pub mod peer {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("entente.peer.v1");
    }
}
/// What people ask of their own node.
pub mod local {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("entente.local.v1");
    }
}
