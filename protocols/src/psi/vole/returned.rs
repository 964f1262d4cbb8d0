//! Where both parties read: R tells S which of S's tags are R's too, by one bit for each tag in the order in which S sent them, so
//! that the message has one length whatever the answer. S takes R's word for it; a lying R is not prevented.

use super::{RETURNED, RETURNED_CLOSING, closing};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Malformed, Misbehaviour};
use crate::psi::SessionId;

/// Bytes of the bits for `tags` tags.
pub(super) const fn bit_bytes(tags: usize) -> usize {
    tags.div_ceil(8)
}

/// R: `common` are the places of those `candidates` whose tag stands among `theirs`, which ascend.
pub(super) fn send<'a>(
    channel: &mut Channel,
    sid: &SessionId,
    candidates: impl Iterator<Item = (&'a Block, u32)>,
    common: &[u32],
    theirs: &[u128],
) -> Result<(), Fault> {
    let mut bits = vec![0u8; bit_bytes(theirs.len())];
    for (tag, _) in candidates.filter(|(_, place)| common.binary_search(place).is_ok()) {
        if let Ok(place) = theirs.binary_search(&tag.0) {
            bits[place / 8] |= 1 << (place % 8);
        }
    }
    channel.send_all(RETURNED, &bits)?;
    let totals = channel.totals();
    let closing = closing(sid, &totals.sent_hash, &totals.received_hash);
    channel.send_part(RETURNED_CLOSING, &[closing])
}

/// S: those of its `sorted` tags that R says are common, ascending.
pub(super) fn receive(
    channel: &mut Channel,
    sid: &SessionId,
    sorted: &[u128],
) -> Result<Vec<u128>, Fault> {
    let bits: Vec<u8> = channel.receive_all(RETURNED, bit_bytes(sorted.len()))?;
    let is_set = |place: usize| (bits[place / 8] >> (place % 8)) & 1 == 1;
    if (sorted.len()..8 * bits.len()).any(is_set) {
        return Err(Misbehaviour::Malformed {
            message: RETURNED.name(),
            why: Malformed::NotCanonical {
                what: "bits after the last tag",
            },
        }
        .into());
    }
    let totals = channel.totals();
    let expected = closing(sid, &totals.received_hash, &totals.sent_hash);
    let theirs: Vec<[u8; 32]> = channel.receive_part(RETURNED_CLOSING, 1)?;
    if theirs != [expected] {
        return Err(Misbehaviour::CheckFailed {
            check: "the conversation at its closing",
        }
        .into());
    }
    let common = sorted
        .iter()
        .enumerate()
        .filter(|(place, _)| is_set(*place));
    Ok(common.map(|(_, tag)| *tag).collect())
}
