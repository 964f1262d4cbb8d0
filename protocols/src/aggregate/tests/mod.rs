//! Adversaries first: what a coordinator, members and the line can do; then equality with the plain sum.

mod adversary;
mod oracle;
mod rehearsal;
mod tamper;
mod vectors;

use crate::aggregate;
use crate::block::Block;
use crate::prg::Prg;
