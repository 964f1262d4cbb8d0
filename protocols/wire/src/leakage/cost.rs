//! What a run costs, from the protocol's own formula (protocols.md §6) and figures measured on one core of a small cloud
//! machine. Bytes are exact: the framing below is that of the protocol, and a test compares them with bytes sent.

use super::Cost;

/// A point of ristretto255.
const POINT_BYTES: u64 = 32;
/// Before every frame.
const FRAME_HEADER_BYTES: u64 = 10;
/// Points in one frame.
const FRAME_POINTS: u64 = 4_096;
/// What each side says it is about to run.
const AGREEMENT_BYTES: u64 = 48;
/// One exponentiation with hashing or decoding, and encoding, on one core.
const POINT_NANOSECONDS: u64 = 70_000;
/// Cores that a node is taken to have.
const CORES: u64 = 2;
/// Each id as the receiver's node holds it: digest, row, and the names of its point and of the partner's.
const ID_MEMORY_BYTES: u64 = 96;
/// What the protocol needs however small the sets are.
const BASE_MEMORY_MIB: u64 = 16;

impl Cost {
    /// What ECDH-PSI costs between lists of these padded sizes.
    pub fn of_ecdh(receiver_ids: u64, sender_ids: u64) -> Self {
        let frames = |ids: u64| {
            let headers = ids
                .div_ceil(FRAME_POINTS)
                .saturating_mul(FRAME_HEADER_BYTES);
            ids.saturating_mul(POINT_BYTES).saturating_add(headers)
        };
        let agreements = 2 * (FRAME_HEADER_BYTES + AGREEMENT_BYTES);
        let ids = receiver_ids.saturating_add(sender_ids);
        let nanoseconds = ids.saturating_mul(POINT_NANOSECONDS) / CORES;
        let memory_bytes = ids.saturating_mul(ID_MEMORY_BYTES);
        Self {
            bytes: frames(receiver_ids)
                .saturating_mul(2)
                .saturating_add(frames(sender_ids))
                .saturating_add(agreements),
            seconds: nanoseconds.div_ceil(1_000_000_000),
            memory_mib: BASE_MEMORY_MIB + memory_bytes.div_ceil(1 << 20),
            link: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_two_points_a_receiver_id_and_one_a_sender_id_and_framing() {
        let cost = Cost::of_ecdh(5_000, 3_000);
        assert_eq!(
            cost.bytes,
            32 * (2 * 5_000 + 3_000) + 10 * (2 * 2 + 1) + 2 * 58
        );
        assert_eq!(Cost::of_ecdh(0, 0).bytes, 2 * 58);
    }

    #[test]
    fn absurd_sizes_saturate() {
        assert_eq!(Cost::of_ecdh(u64::MAX, u64::MAX).bytes, u64::MAX);
    }
}
