//! What both sides of a session sign at its end: how much was said, and a hash of every byte of it.

/// What a channel has carried: counts and running hashes over all frames, headers included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of all frames sent.
    pub sent_bytes: u64,
    /// Bytes of all frames received.
    pub received_bytes: u64,
    /// BLAKE3 of all frames sent, one after the other.
    pub sent_hash: [u8; 32],
    /// BLAKE3 of all frames received, one after the other.
    pub received_hash: [u8; 32],
}

impl Totals {
    /// The totals of several channels of one session, in their order, as one: sums, and hashes of the hashes. One channel's are
    /// its own.
    pub fn joined(lanes: &[Self]) -> Self {
        if let [only] = lanes {
            return *only;
        }
        let hash = |side: fn(&Self) -> &[u8; 32]| {
            let mut hasher = blake3::Hasher::new_derive_key("entente/1/lanes");
            for lane in lanes {
                hasher.update(side(lane));
            }
            *hasher.finalize().as_bytes()
        };
        Self {
            sent_bytes: lanes.iter().map(|lane| lane.sent_bytes).sum(),
            received_bytes: lanes.iter().map(|lane| lane.received_bytes).sum(),
            sent_hash: hash(|lane| &lane.sent_hash),
            received_hash: hash(|lane| &lane.received_hash),
        }
    }

    /// The same totals, whose hashes also stand for something that both sides know besides these channels.
    #[must_use]
    pub fn bound_to(self, known: &[u8; 32]) -> Self {
        let bound = |hash: &[u8; 32]| {
            let mut hasher = blake3::Hasher::new_derive_key("entente/1/totals-bound");
            hasher.update(hash);
            hasher.update(known);
            *hasher.finalize().as_bytes()
        };
        Self {
            sent_hash: bound(&self.sent_hash),
            received_hash: bound(&self.received_hash),
            ..self
        }
    }

    /// Whether two sides' totals tell of the same conversation: what one sent is what the other received.
    pub fn mirror(&self, peer: &Self) -> bool {
        self.sent_bytes == peer.received_bytes
            && self.received_bytes == peer.sent_bytes
            && self.sent_hash == peer.received_hash
            && self.received_hash == peer.sent_hash
    }
}
