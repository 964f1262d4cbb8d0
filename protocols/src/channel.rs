//! The one way in which protocol code talks to its peer: typed messages in a fixed encoding over a [`Transport`].
//!
//! Specification §1. A protocol is straight-line code over a [`Channel`]; it knows no sockets. What travels is a sequence
//! of **frames**, at most [`FRAME_BYTES_MAX`] long:
//!
//! ```text
//! kind     u16, little endian   which message this is (the high byte names the protocol folder)
//! sequence u32                  number of frames sent before this one in this direction
//! length   u32                  bytes of the body
//! body     length bytes         the message's one canonical encoding
//! ```
//!
//! A message is one frame; a large vector is several frames ("parts") of the same kind, cut at the same places on both
//! sides, because its element count is agreed beforehand. So no length that a peer states ever decides an allocation. The
//! sequence number makes a dropped, doubled, replayed or overtaken frame a fault at the frame itself.
//!
//! The channel counts the bytes and keeps a running BLAKE3 hash of each direction; both sides sign these
//! [`Totals`] when a session closes, so a byte that changed on the way is noticed by the two transcripts differing even
//! where a semi-honest protocol cannot notice it. Who learns what: an observer of the transport learns kinds and
//! lengths, which are functions of public parameters.

mod element;
mod memory;
mod message;
mod totals;

pub use element::{Element, part_elements, vector_bytes};
pub use memory::{
    MEMORY_DEADLINE, MEMORY_FRAMES_MAX, MemoryTransport, memory_pair, memory_transports,
};
pub use message::{Kind, Message, Reader};
pub use totals::Totals;

use crate::fault::{Fault, Malformed, Misbehaviour, Misuse};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes before the body of every frame.
pub const HEADER_BYTES: usize = 10;
/// Most bytes in one frame's body: large enough that per-frame work vanishes, small enough that the other side starts to
/// compute while we still send, and that a node's bounded queues stay small.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Most bytes in one frame. A transport may refuse anything longer before reading it.
pub const FRAME_BYTES_MAX: usize = HEADER_BYTES + BODY_BYTES_MAX;

/// Moves whole frames between the two parties, in order. Implemented by the node over a network stream, and in memory by
/// [`MemoryTransport`]. Both calls block, and both must end with a [`Fault::Transport`] when a deadline passes or the
/// peer is gone.
pub trait Transport {
    /// Hands one frame to the peer; may wait while earlier ones are still queued.
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault>;
    /// Waits for the peer's next frame.
    fn receive(&mut self) -> Result<Vec<u8>, Fault>;
}

/// Byte counters of one or several channels, readable from another thread while a protocol runs: its progress.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
}

impl Meter {
    /// Bytes of all frames sent so far.
    pub fn sent_bytes(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes of all frames received so far.
    pub fn received_bytes(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// A typed, counted and hashed conversation with one peer.
pub struct Channel {
    transport: Box<dyn Transport + Send>,
    sent: Direction,
    received: Direction,
    meter: Meter,
}

#[derive(Default)]
struct Direction {
    frames: u32,
    bytes: u64,
    hash: blake3::Hasher,
}

impl Channel {
    /// A channel at its beginning.
    pub fn new(transport: Box<dyn Transport + Send>) -> Self {
        Self::counted_by(transport, Meter::default())
    }

    /// A channel at its beginning whose bytes are counted together with others'.
    pub fn counted_by(transport: Box<dyn Transport + Send>, meter: Meter) -> Self {
        Self {
            transport,
            sent: Direction::default(),
            received: Direction::default(),
            meter,
        }
    }

    /// Sends one message. Fails as [`Fault::Caller`] if its encoding is longer than [`BODY_BYTES_MAX`].
    pub fn send<M: Message>(&mut self, message: &M) -> Result<(), Fault> {
        let mut frame = open_frame(64);
        message.encode(&mut frame);
        self.close_frame(M::KIND, frame)
    }

    /// Receives one message whose body has at most `bytes_max` bytes; the bound is checked before anything is decoded.
    pub fn receive<M: Message>(&mut self, bytes_max: usize) -> Result<M, Fault> {
        let frame = self.receive_frame(M::KIND)?;
        let body = body(&frame);
        let message = M::KIND.name();
        if body.len() > bytes_max {
            return Err(Misbehaviour::TooLong {
                message,
                max: bytes_max,
                got: body.len(),
            }
            .into());
        }
        let mut reader = Reader::new(body);
        let decoded = M::decode(&mut reader).and_then(|value| reader.end().map(|()| value));
        decoded.map_err(|why| Misbehaviour::Malformed { message, why }.into())
    }

    /// Sends one part: elements that fit one frame (see [`part_elements`]).
    pub fn send_part<E: Element>(&mut self, kind: Kind, elements: &[E]) -> Result<(), Fault> {
        let mut frame = open_frame(elements.len().saturating_mul(E::BYTES).min(BODY_BYTES_MAX));
        E::encode_all(elements, &mut frame);
        self.close_frame(kind, frame)
    }

    /// Receives one part of exactly `count` elements.
    pub fn receive_part<E: Element>(&mut self, kind: Kind, count: usize) -> Result<Vec<E>, Fault> {
        let mut elements = Vec::new();
        self.receive_part_onto(kind, count, &mut elements)?;
        Ok(elements)
    }

    /// Sends a vector of any length in parts of at most [`BODY_BYTES_MAX`]. An empty vector is no frame at all.
    pub fn send_all<E: Element>(&mut self, kind: Kind, elements: &[E]) -> Result<(), Fault> {
        elements
            .chunks(part_elements::<E>())
            .try_for_each(|part| self.send_part(kind, part))
    }

    /// Receives a vector of exactly `count` elements, sent with [`send_all`](Self::send_all). `count` must be agreed
    /// beforehand; memory grows with what has arrived.
    pub fn receive_all<E: Element>(&mut self, kind: Kind, count: usize) -> Result<Vec<E>, Fault> {
        let mut elements = Vec::new();
        while elements.len() < count {
            let part = part_elements::<E>().min(count - elements.len());
            self.receive_part_onto(kind, part, &mut elements)?;
        }
        Ok(elements)
    }

    /// Receives a vector sent with [`send_all`](Self::send_all) into a buffer of the agreed length that the caller reuses.
    pub fn receive_into<E: Element>(
        &mut self,
        kind: Kind,
        elements: &mut [E],
    ) -> Result<(), Fault> {
        for part in elements.chunks_mut(part_elements::<E>()) {
            let frame = self.receive_elements::<E>(kind, part.len())?;
            E::decode_into(body(&frame), part).map_err(|why| malformed(kind, why))?;
        }
        Ok(())
    }

    /// Counts and hashes up to now.
    pub fn totals(&self) -> Totals {
        Totals {
            sent_bytes: self.sent.bytes,
            received_bytes: self.received.bytes,
            sent_hash: *self.sent.hash.finalize().as_bytes(),
            received_hash: *self.received.hash.finalize().as_bytes(),
        }
    }

    /// A handle on the byte counters for another thread to watch.
    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }

    fn receive_part_onto<E: Element>(
        &mut self,
        kind: Kind,
        count: usize,
        onto: &mut Vec<E>,
    ) -> Result<(), Fault> {
        let frame = self.receive_elements::<E>(kind, count)?;
        onto.reserve(count);
        E::decode_onto(body(&frame), onto).map_err(|why| malformed(kind, why))
    }

    fn receive_elements<E: Element>(&mut self, kind: Kind, count: usize) -> Result<Vec<u8>, Fault> {
        let frame = self.receive_frame(kind)?;
        let (expected, got) = (count.saturating_mul(E::BYTES), body(&frame).len());
        if got != expected {
            return Err(Misbehaviour::Length {
                message: kind.name(),
                expected,
                got,
            }
            .into());
        }
        Ok(frame)
    }

    fn close_frame(&mut self, kind: Kind, mut frame: Vec<u8>) -> Result<(), Fault> {
        let got = frame.len().saturating_sub(HEADER_BYTES);
        if got > BODY_BYTES_MAX {
            return Err(Misuse::MessageTooLong {
                message: kind.name(),
                max: BODY_BYTES_MAX,
                got,
            }
            .into());
        }
        let header = encode_header(kind, self.sent.frames, got);
        frame
            .iter_mut()
            .zip(header)
            .for_each(|(slot, byte)| *slot = byte);
        self.sent.add(&frame)?;
        self.meter
            .sent
            .fetch_add(frame.len() as u64, Ordering::Relaxed);
        self.transport.send(frame)
    }

    fn receive_frame(&mut self, kind: Kind) -> Result<Vec<u8>, Fault> {
        let frame = self.transport.receive()?;
        if frame.len() < HEADER_BYTES || frame.len() > FRAME_BYTES_MAX {
            let got = frame.len();
            return Err(Misbehaviour::FrameLength {
                min: HEADER_BYTES,
                max: FRAME_BYTES_MAX,
                got,
            }
            .into());
        }
        self.meter
            .received
            .fetch_add(frame.len() as u64, Ordering::Relaxed);
        check_header(kind, self.received.frames, &frame)?;
        self.received.add(&frame)?;
        Ok(frame)
    }
}

impl Direction {
    fn add(&mut self, frame: &[u8]) -> Result<(), Fault> {
        self.frames = self.frames.checked_add(1).ok_or(Misuse::ChannelWornOut)?;
        self.bytes += frame.len() as u64;
        self.hash.update(frame);
        Ok(())
    }
}

/// A frame with room for its header, to be filled in by `close_frame`.
fn open_frame(body_bytes: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER_BYTES + body_bytes);
    frame.resize(HEADER_BYTES, 0);
    frame
}

fn body(frame: &[u8]) -> &[u8] {
    frame.get(HEADER_BYTES..).unwrap_or_default()
}

fn encode_header(kind: Kind, sequence: u32, length: usize) -> impl Iterator<Item = u8> {
    let length = u32::try_from(length).expect("a body has at most BODY_BYTES_MAX bytes");
    kind.number()
        .to_le_bytes()
        .into_iter()
        .chain(sequence.to_le_bytes())
        .chain(length.to_le_bytes())
}

fn check_header(kind: Kind, sequence: u32, frame: &[u8]) -> Result<(), Fault> {
    let message = kind.name();
    let mut reader = Reader::new(frame);
    let mut header = || Ok((reader.u16()?, reader.u32()?, reader.u32()?));
    let (number, got_sequence, stated) = header().map_err(|why| malformed(kind, why))?;
    if got_sequence != sequence {
        return Err(Misbehaviour::WrongSequence {
            message,
            expected: sequence,
            got: got_sequence,
        }
        .into());
    }
    if number != kind.number() {
        return Err(Misbehaviour::WrongMessage {
            expected: message,
            number: kind.number(),
            got: number,
        }
        .into());
    }
    let (stated, got) = (stated as usize, reader.left());
    if stated != got {
        return Err(Misbehaviour::StatedLength {
            message,
            stated,
            got,
        }
        .into());
    }
    Ok(())
}

fn malformed(kind: Kind, why: Malformed) -> Fault {
    Misbehaviour::Malformed {
        message: kind.name(),
        why,
    }
    .into()
}

#[cfg(test)]
mod tests;
