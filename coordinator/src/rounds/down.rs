//! What a member is sent. It is put into messages when its stream takes it, so that what is the same for a thousand members is in memory
//! once.

use super::dealing::{Parcel, Picks};
use super::facts::{Place, WORD_BYTES};
use super::upload::Sum;
use crate::limits::UNMASKINGS_MESSAGE_BYTES;
use entente_wire::canonical;
use entente_wire::limits::ROUND_WORDS_BYTES;
use entente_wire::problem::Problem;
use entente_wire::rpc::coordinator::v1::round_down::Step;
use entente_wire::rpc::coordinator::v1::{RoundBox, RoundBoxes, RoundDown, RoundEnd};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// One step to a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Down {
    Begin(u64),
    Introductions(Arc<RoundBoxes>),
    Delivery(Picks, Parcel),
    Survivors(Arc<RoundBoxes>),
    Votes(Arc<RoundBoxes>),
    Unmaskings(RoundBoxes),
    /// Some of the sum's words.
    Words(Arc<Sum>, Range<usize>),
    /// With a problem if there is no table.
    End(Option<Problem>),
    Heartbeat,
}

impl Down {
    /// As it is sent.
    pub(super) fn message(self) -> RoundDown {
        let step = match self {
            Self::Begin(number) => Step::Begin(number),
            Self::Introductions(boxes) => Step::Introductions(RoundBoxes::clone(&boxes)),
            Self::Delivery(picks, parcel) => Step::Delivery(parcel.delivery(&picks)),
            Self::Survivors(boxes) => Step::Survivors(RoundBoxes::clone(&boxes)),
            Self::Votes(boxes) => Step::Votes(RoundBoxes::clone(&boxes)),
            Self::Unmaskings(boxes) => Step::Unmaskings(boxes),
            Self::Words(sum, words) => Step::Words(sum.bytes(words)),
            Self::End(problem) => Step::End(RoundEnd {
                problem: problem
                    .as_ref()
                    .map(canonical::to_bytes)
                    .unwrap_or_default(),
            }),
            Self::Heartbeat => Step::Heartbeat(true),
        };
        RoundDown { step: Some(step) }
    }
}

/// A box for each place, ascending.
pub(super) fn boxes(contents: impl IntoIterator<Item = (Place, Vec<u8>)>) -> RoundBoxes {
    let one = |(place, content): (Place, _)| RoundBox {
        member: place.number(),
        content,
    };
    RoundBoxes {
        boxes: contents.into_iter().map(one).collect(),
    }
}

/// All that the recipient opens the sum with, in the order in which it is sent.
pub(super) fn opening(
    unmaskings: BTreeMap<Place, Vec<u8>>,
    sum: Arc<Sum>,
) -> impl Iterator<Item = Down> {
    let words = sum.words();
    let step = ROUND_WORDS_BYTES / WORD_BYTES;
    let chunk = move |from| Down::Words(sum.clone(), from..words.min(from + step));
    let chunks = (0..words).step_by(step).map(chunk);
    messages_of(unmaskings)
        .into_iter()
        .map(Down::Unmaskings)
        .chain(chunks)
}

fn messages_of(unmaskings: BTreeMap<Place, Vec<u8>>) -> Vec<RoundBoxes> {
    let mut messages = Vec::new();
    let (mut message, mut bytes) = (Vec::new(), 0);
    for (place, content) in unmaskings {
        bytes += content.len();
        message.push((place, content));
        if bytes >= UNMASKINGS_MESSAGE_BYTES {
            messages.push(boxes(std::mem::take(&mut message)));
            bytes = 0;
        }
    }
    if !message.is_empty() {
        messages.push(boxes(message));
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::UNMASKING_BYTES_MAX;
    use prost::Message;

    #[test]
    fn an_opening_comes_whole_and_in_messages_that_every_node_takes() {
        let unmaskings: BTreeMap<Place, Vec<u8>> = (1..50)
            .map(|place| (Place::made_up(place), vec![1; UNMASKING_BYTES_MAX]))
            .collect();
        let words = 40_000;
        let all = opening(unmaskings, Arc::new(Sum::new(words)));
        let (mut members, mut bytes) = (Vec::new(), 0);
        for down in all {
            let message = down.message();
            assert!(message.encoded_len() < 1024 * 1024);
            match message.step {
                Some(Step::Unmaskings(boxes)) => {
                    assert_eq!(bytes, 0, "boxes come before words");
                    members.extend(boxes.boxes.into_iter().map(|one| one.member));
                }
                Some(Step::Words(words)) => {
                    assert!(words.len() <= ROUND_WORDS_BYTES);
                    bytes += words.len();
                }
                other => assert!(other.is_none(), "{other:?}"),
            }
        }
        assert!(members.into_iter().eq(1..50));
        assert_eq!(bytes, words * WORD_BYTES);
    }
}
