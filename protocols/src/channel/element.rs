//! Elements of vectors: values whose encoding has one fixed width, so that a count alone fixes every length.

use super::{BODY_BYTES_MAX, HEADER_BYTES};
use crate::block::Block;
use crate::fault::Malformed;

/// A value of fixed width that travels in vectors.
///
/// `encode` and `decode` must be inverse and canonical as for [`Message`](super::Message). The three methods over slices
/// have plain defaults; a type whose memory is its encoding may override them to copy in bulk.
pub trait Element: Sized {
    /// Width of the encoding, from 1 to [`BODY_BYTES_MAX`].
    const BYTES: usize;

    /// Appends exactly [`Self::BYTES`] bytes.
    fn encode(&self, body: &mut Vec<u8>);

    /// Reads exactly [`Self::BYTES`] bytes; a shorter or longer slice is malformed.
    fn decode(bytes: &[u8]) -> Result<Self, Malformed>;

    /// Appends all `elements`.
    fn encode_all(elements: &[Self], body: &mut Vec<u8>) {
        elements.iter().for_each(|element| element.encode(body));
    }

    /// Appends all elements in `body`, whose length is a multiple of the width.
    fn decode_onto(body: &[u8], onto: &mut Vec<Self>) -> Result<(), Malformed> {
        body.chunks(Self::BYTES).try_for_each(|bytes| {
            onto.push(Self::decode(bytes)?);
            Ok(())
        })
    }

    /// Replaces `elements` by those in `body`, which has exactly their length.
    fn decode_into(body: &[u8], elements: &mut [Self]) -> Result<(), Malformed> {
        elements
            .iter_mut()
            .zip(body.chunks(Self::BYTES))
            .try_for_each(|(element, bytes)| {
                *element = Self::decode(bytes)?;
                Ok(())
            })
    }
}

/// How many elements one full part of a vector has: as many as fit a frame.
pub const fn part_elements<E: Element>() -> usize {
    const {
        assert!(
            E::BYTES >= 1 && E::BYTES <= BODY_BYTES_MAX,
            "an element must fit a frame"
        )
    };
    BODY_BYTES_MAX / E::BYTES
}

/// Bytes that a vector of `count` elements of `width` bytes travels in, cut into parts, headers included. Elements wider than a
/// byte are cut at whole elements; so are bytes of `width` that travel as bytes if their sender cuts them there.
pub const fn vector_bytes(count: usize, width: usize) -> u64 {
    let parts = count.div_ceil(BODY_BYTES_MAX / width);
    (count * width + parts * HEADER_BYTES) as u64
}

/// `bytes` as an array of the width that `N` says.
pub(crate) fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Malformed::Short {
        needed: N,
        left: bytes.len(),
    })
}

impl Element for u8 {
    const BYTES: usize = 1;

    fn encode(&self, body: &mut Vec<u8>) {
        body.push(*self);
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        exactly(bytes).map(Self::from_le_bytes)
    }

    fn encode_all(elements: &[Self], body: &mut Vec<u8>) {
        body.extend_from_slice(elements);
    }

    fn decode_onto(body: &[u8], onto: &mut Vec<Self>) -> Result<(), Malformed> {
        onto.extend_from_slice(body);
        Ok(())
    }

    fn decode_into(body: &[u8], elements: &mut [Self]) -> Result<(), Malformed> {
        if body.len() != elements.len() {
            return Err(Malformed::Short {
                needed: elements.len(),
                left: body.len(),
            });
        }
        elements.copy_from_slice(body);
        Ok(())
    }
}

/// Words travel little endian.
macro_rules! words {
    ($($word:ty),*) => {$(
        impl Element for $word {
            const BYTES: usize = size_of::<$word>();

            fn encode(&self, body: &mut Vec<u8>) {
                body.extend_from_slice(&self.to_le_bytes());
            }

            fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
                exactly(bytes).map(Self::from_le_bytes)
            }
        }
    )*};
}

words!(u16, u32, u64, u128);

impl Element for Block {
    const BYTES: usize = 16;

    fn encode(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.to_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        exactly(bytes).map(Self::from_bytes)
    }

    fn encode_all(elements: &[Self], body: &mut Vec<u8>) {
        let start = body.len();
        body.resize(start + Self::BYTES * elements.len(), 0);
        let (cells, _) = body[start..].as_chunks_mut();
        for (cell, element) in cells.iter_mut().zip(elements) {
            *cell = element.to_bytes();
        }
    }

    fn decode_onto(body: &[u8], onto: &mut Vec<Self>) -> Result<(), Malformed> {
        let (cells, rest) = body.as_chunks();
        if !rest.is_empty() {
            return Err(short::<Self>(rest));
        }
        onto.extend(cells.iter().map(|cell| Self::from_bytes(*cell)));
        Ok(())
    }

    fn decode_into(body: &[u8], elements: &mut [Self]) -> Result<(), Malformed> {
        let (cells, rest) = body.as_chunks();
        if !rest.is_empty() || cells.len() != elements.len() {
            return Err(short::<Self>(rest));
        }
        for (element, cell) in elements.iter_mut().zip(cells) {
            *element = Self::from_bytes(*cell);
        }
        Ok(())
    }
}

/// An element is cut off.
fn short<E: Element>(rest: &[u8]) -> Malformed {
    Malformed::Short {
        needed: E::BYTES,
        left: rest.len(),
    }
}

impl<const N: usize> Element for [u8; N] {
    const BYTES: usize = N;

    fn encode(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(self);
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        exactly(bytes)
    }

    fn encode_all(elements: &[Self], body: &mut Vec<u8>) {
        body.extend_from_slice(elements.as_flattened());
    }
}
