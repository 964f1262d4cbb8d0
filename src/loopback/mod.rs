//! A whole collaboration on this machine, for `demo` and `lab`: one coordinator and any number of nodes, each a process of this
//! same binary, on ephemeral loopback ports, with real certificates and mTLS. Nothing of it outlives the command.

mod process;
mod run;
mod usage;
mod world;

pub(crate) use run::{Finished, Timer, await_end};
pub(crate) use usage::{Usage, usage_of};
pub(crate) use world::{Folder, World};
