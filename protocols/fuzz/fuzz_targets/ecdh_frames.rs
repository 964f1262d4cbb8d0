//! Arbitrary frames to either role of ECDH-PSI: no panic, and no answer but a fault unless the frames are genuine.
//!
//! The first byte chooses role, mode and whether the adversary is deft: a deft one opens with the genuine agreement and
//! writes true headers, so that the fuzzer reaches the points. Then come frames, each after its length in two bytes.
#![no_main]

use entente_protocols::block::Block;
use entente_protocols::channel::{Channel, Transport};
use entente_protocols::fault::{Broken, Fault};
use entente_protocols::prg::Prg;
use entente_protocols::psi::ecdh::{receiver, sender};
use entente_protocols::psi::{Id, PaddedSizes, SessionId};
use libfuzzer_sys::fuzz_target;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

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

/// Runs one role on `hears` and returns what it said.
fn run(as_receiver: bool, count: bool, hears: VecDeque<Vec<u8>>) -> Vec<Vec<u8>> {
    let said = Arc::default();
    let mut channel = Channel::new(Box::new(Line { hears, said: Arc::clone(&said) }));
    let sid = SessionId::new([1; 32]);
    let ids = [Id::new([1; 16]), Id::new([2; 16])];
    let sizes = PaddedSizes::new(3, 2).expect("under the limit");
    let rng = &mut Prg::new(Block(7));
    let _ = match (as_receiver, count) {
        (true, true) => receiver::count(&mut channel, sid, &ids, sizes, rng).map(drop),
        (true, false) => receiver::reveal(&mut channel, sid, &ids, sizes, rng).map(drop),
        (false, true) => sender::count(&mut channel, sid, &ids, sizes, rng),
        (false, false) => sender::reveal(&mut channel, sid, &ids, sizes, rng),
    };
    drop(channel);
    Arc::into_inner(said).expect("the channel is gone").into_inner().expect("one thread")
}

fn frames(mut data: &[u8]) -> VecDeque<Vec<u8>> {
    let mut frames = VecDeque::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let (frame, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
        frames.push_back(frame.to_vec());
        data = rest;
    }
    frames
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let (as_receiver, count, deft) = (choice & 1 == 1, choice & 2 == 2, choice & 4 == 4);
    let mut hears = frames(data);
    if deft {
        hears.push_front(run(!as_receiver, count, VecDeque::new()).swap_remove(0));
        for (sequence, frame) in hears.iter_mut().enumerate().filter(|(_, frame)| frame.len() >= 10) {
            let length = (frame.len() - 10) as u32;
            frame[2..6].copy_from_slice(&(sequence as u32).to_le_bytes());
            frame[6..10].copy_from_slice(&length.to_le_bytes());
        }
    }
    run(as_receiver, count, hears);
});
