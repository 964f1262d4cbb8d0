//! What steps say, counted from public sizes alone: the bytes of their messages, and how many transfers they take in either direction.
//!
//! A step tells a tally its calls in the order in which it makes them, and nothing else is known of how much it says: the bytes that a plan states,
//! the transfers that are prepared, and the tests that compare both with what was sent come from the same lines.

use crate::channel::vector_bytes;
use crate::ot::Transfers;

/// Who chooses in a call for transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chooser {
    /// R, with S offering.
    Receiver = 0,
    /// S, with R offering.
    Sender = 1,
}

/// Bytes and transfers so far.
#[derive(Clone, Debug)]
pub struct Tally {
    transfers: Transfers,
    /// By who chooses.
    taken: [usize; 2],
    bytes: u64,
}

impl Tally {
    /// Of nothing, where transfers are made so.
    pub fn new(transfers: Transfers) -> Self {
        Self {
            transfers,
            taken: [0; 2],
            bytes: 0,
        }
    }

    /// How transfers are made.
    pub fn transfers(&self) -> Transfers {
        self.transfers
    }

    /// One call for so many transfers.
    pub fn call(&mut self, chooser: Chooser, transfers: usize) {
        self.taken[chooser as usize] += self.transfers.used(transfers);
        self.bytes += self.transfers.bytes(transfers);
    }

    /// A vector of so many elements, each of so many bytes.
    pub fn message(&mut self, elements: usize, element_bytes: usize) {
        self.bytes += vector_bytes(elements, element_bytes);
    }

    /// Transfers to be prepared, by who chooses.
    pub fn taken(&self) -> [usize; 2] {
        self.taken
    }

    /// Bytes of calls and messages, both directions.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}
