//! A peer that says what it is told to say, whatever it hears.

use entente_protocols::channel::{Channel, Transport};
use entente_protocols::fault::{Broken, Fault};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Bytes before a frame's body.
const HEADER_BYTES: usize = 10;

struct Line {
    hears: VecDeque<Vec<u8>>,
    said: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Transport for Line {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        self.said.lock().expect("one thread").push(frame);
        Ok(())
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        Ok(self.hears.pop_front().ok_or(Broken::Closed)?)
    }
}

/// Runs `role` on `hears`: its result, and what it said.
pub fn run<R>(hears: VecDeque<Vec<u8>>, role: impl FnOnce(&mut Channel) -> R) -> (R, Vec<Vec<u8>>) {
    let said = Arc::default();
    let mut channel = Channel::new(Box::new(Line { hears, said: Arc::clone(&said) }));
    let result = role(&mut channel);
    drop(channel);
    let said = Arc::into_inner(said).expect("the channel is gone");
    (result, said.into_inner().expect("one thread"))
}

/// Frames, each after its length in two bytes.
pub fn frames(mut data: &[u8]) -> VecDeque<Vec<u8>> {
    let mut frames = VecDeque::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let (frame, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
        frames.push_back(frame.to_vec());
        data = rest;
    }
    frames
}

/// Gives every frame that has a header its true number and length.
pub fn number(frames: &mut VecDeque<Vec<u8>>) {
    for (sequence, frame) in (0_u32..).zip(frames).filter(|(_, frame)| frame.len() >= HEADER_BYTES) {
        let length = (frame.len() - HEADER_BYTES) as u32;
        frame[2..6].copy_from_slice(&sequence.to_le_bytes());
        frame[6..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
    }
}
