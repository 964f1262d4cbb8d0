//! Ids on disk: fixed-width records in partitions by the first bits of their digests, so that what needs all ids at once needs
//! one partition at a time. Values of the same rows lie in a second spill by the same partitions, in the same order.
//!
//! A spill begins in memory, and its partitions go to disk piece by piece as they grow. The file has no name while it is
//! used, so a crash leaves nothing behind; what is read back is checked against length and checksum. The digests are keyed
//! for one run and of no use after it, but they are as long as the people in the data: the folder is the node's own.

mod folder;
mod homes;
mod pieces;
mod record;
mod scattered;
mod store;
mod value_record;
mod values;

#[cfg(test)]
pub(crate) use folder::Room;
pub use folder::SpillFolder;
pub(crate) use record::{Layout, Record, digest_of};
pub(crate) use scattered::Scattered;
pub(crate) use store::{Spill, Spilling};
pub(crate) use value_record::ValueLayout;
pub(crate) use values::{SpilledValues, SpillingValues};

#[cfg(test)]
mod tests;
