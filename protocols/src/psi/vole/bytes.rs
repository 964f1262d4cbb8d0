//! How many bytes a bucket sends, both directions, frame headers included: a function of public parameters, shown to people
//! before they approve. Tests hold it against bytes really sent.

use super::{Readers, Setup, returned};
use crate::agreement;
use crate::channel::vector_bytes;

/// A digest as a part of its own.
const DIGEST: u64 = vector_bytes(1, 32);
/// Two blocks as a part of their own.
const TWO_BLOCKS: u64 = vector_bytes(2, 16);

impl Setup {
    /// Bytes of one bucket.
    pub fn bytes(&self) -> u64 {
        let agreement = agreement::BYTES;
        let coin = match self.security().is_malicious() {
            true => DIGEST + TWO_BLOCKS,
            false => 0,
        };
        let sender = self.sizes.sender() as usize;
        let read_by_both = match self.readers {
            Readers::Both => vector_bytes(returned::bit_bytes(sender), 1) + DIGEST,
            Readers::ReceiverOnly => 0,
        };
        let oprf = self.oprf.bytes_with(1);
        let tags = vector_bytes(sender, self.tag_bytes) + DIGEST;
        agreement + coin + oprf + tags + read_by_both
    }
}
