//! Arbitrary frames to either role of ECDH-PSI: no panic, and no answer but a fault unless the frames are genuine.
//!
//! The first byte chooses role, mode and whether the adversary is deft: a deft one opens with the genuine agreement and
//! writes true headers, so that the fuzzer reaches the points. Then come frames, each after its length in two bytes.
#![no_main]

mod scripted;

use entente_protocols::block::Block;
use entente_protocols::prg::Prg;
use entente_protocols::psi::ecdh::{receiver, sender};
use entente_protocols::psi::{Id, PaddedSizes, SessionId};
use libfuzzer_sys::fuzz_target;
use std::collections::VecDeque;

/// Runs one role on `hears` and returns what it said.
fn run(as_receiver: bool, count: bool, hears: VecDeque<Vec<u8>>) -> Vec<Vec<u8>> {
    let sid = SessionId::new([1; 32]);
    let ids = [Id::new([1; 16]), Id::new([2; 16])];
    let sizes = PaddedSizes::new(3, 2).expect("under the limit");
    let rng = &mut Prg::new(Block(7));
    let (_, said) = scripted::run(hears, |channel| match (as_receiver, count) {
        (true, true) => receiver::count(channel, sid, &ids, sizes, rng).map(drop),
        (true, false) => receiver::reveal(channel, sid, &ids, sizes, rng).map(drop),
        (false, true) => sender::count(channel, sid, &ids, sizes, rng),
        (false, false) => sender::reveal(channel, sid, &ids, sizes, rng),
    });
    said
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let (as_receiver, count, deft) = (choice & 1 == 1, choice & 2 == 2, choice & 4 == 4);
    let mut hears = scripted::frames(data);
    if deft {
        hears.push_front(run(!as_receiver, count, VecDeque::new()).swap_remove(0));
        scripted::number(&mut hears);
    }
    run(as_receiver, count, hears);
});
