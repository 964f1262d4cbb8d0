//! What two honest roles say, and what a peer says that is honest up to a place.

use crate::scripted;
use entente_protocols::channel::{Channel, MEMORY_DEADLINE, MemoryTransport, Transport, memory_transports};
use entente_protocols::fault::Fault;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

pub type Frames = Vec<Vec<u8>>;

/// Keeps what its side says.
struct Heard {
    line: MemoryTransport,
    frames: Arc<Mutex<Frames>>,
}

impl Transport for Heard {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        self.frames.lock().expect("one thread").push(frame.clone());
        self.line.send(frame)
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        self.line.receive()
    }
}

/// Runs both roles: what the receiver and the sender said, and their results.
pub fn both<R, S: Send>(
    receive: impl FnOnce(&mut Channel) -> R,
    send: impl FnOnce(&mut Channel) -> S + Send,
) -> ([Frames; 2], R, S) {
    let (left, right) = memory_transports(MEMORY_DEADLINE);
    let said: [Arc<Mutex<Frames>>; 2] = Default::default();
    let channel = |line, side: usize| {
        let frames = Arc::clone(&said[side]);
        Channel::new(Box::new(Heard { line, frames }))
    };
    let (mut at_receiver, mut at_sender) = (channel(left, 0), channel(right, 1));
    let (received, sent) = std::thread::scope(|scope| {
        let sender = scope.spawn(|| send(&mut at_sender));
        let received = receive(&mut at_receiver);
        (received, sender.join().expect("an honest role does not panic"))
    });
    let said = said.map(|frames| frames.lock().expect("both roles have ended").clone());
    (said, received, sent)
}

/// The lines of a script, of which `kept` stay as they are, modulo their number. Then come frames that the data invents, each after its length
/// in two bytes, under true headers; or all others, and the data changes bytes of the first of them: four bytes for the place,
/// one for the bits.
pub fn changed(script: &[Vec<u8>], kept: u8, invents: bool, data: &[u8]) -> VecDeque<Vec<u8>> {
    let kept = usize::from(kept) % script.len();
    let mut hears: VecDeque<_> = script.iter().cloned().collect();
    if invents {
        hears.truncate(kept);
        hears.extend(scripted::frames(data));
        scripted::number(&mut hears);
    } else {
        flip(&mut hears[kept], data);
    }
    hears
}

fn flip(frame: &mut [u8], data: &[u8]) {
    for change in data.as_chunks::<5>().0 {
        let [a, b, c, d, bits] = *change;
        let place = u32::from_le_bytes([a, b, c, d]) as usize % frame.len();
        frame[place] ^= bits;
    }
}
