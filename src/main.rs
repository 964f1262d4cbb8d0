//! The `entente` command: starts a node or a coordinator, and is the client of both. One file a noun.
//!
//! It holds no logic that a node or the coordinator should hold. The two things it does itself are what a person must not
//! leave to a node: it signs a decision with the person's own key, over a job hash that it computed from the job's bytes.
#![forbid(unsafe_code)]

mod approve;
mod catalog;
mod cli;
mod coordinator;
mod data;
mod demo;
mod duration;
mod failure;
mod init;
mod job;
mod lab;
mod link;
mod local_node;
mod loopback;
mod node;
mod people;
mod policy;
mod progress;
mod result_table;
mod screen;
mod service;
mod status;

use std::process::ExitCode;

/// A node's runs take and leave large buffers all the time. The system's allocator hands each back to the kernel and gets fresh
/// pages for the next, which costs a fifth of a run; this one keeps them for a moment.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
