//! Turns the `.proto` files into Rust through protox, so that no `protoc` is needed on the machine.

use std::path::Path;

const PROTOS: [&str; 4] = [
    "record.proto",
    "coordinator.proto",
    "peer.proto",
    "local.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new("proto");
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(PROTOS, [folder])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
