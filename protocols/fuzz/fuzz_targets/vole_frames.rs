//! Frames of a cheating peer to either role of VOLE-PSI, in either mode: no panic, and no wrong answer.
//!
//! Messages have agreed lengths of up to hundreds of kilobytes, which no fuzzer would hit. So the peer begins as an honest one does, and
//! the first byte chooses role, mode and what it does then; the second, after how many honest frames. It either goes on with frames
//! that the data invents, each after its length in two bytes, under true headers; or it stays honest but for one frame, in
//! which the data changes bytes: four bytes for the place, one for the bits.
#![no_main]

mod honest;
mod scripted;

use entente_protocols::block::Block;
use entente_protocols::channel::Channel;
use entente_protocols::fault::Fault;
use entente_protocols::prg::Prg;
use entente_protocols::psi::vole::{Setup, receiver, sender};
use entente_protocols::psi::{Id, PaddedSizes, SessionId};
use entente_protocols::security::Security;
use honest::Frames;
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

const SID: SessionId = SessionId::new([1; 32]);
/// Only the first of the receiver's ids is common.
const RECEIVER_IDS: [Id; 2] = [Id::new([1; 16]), Id::new([2; 16])];
const SENDER_IDS: [Id; 2] = [Id::new([3; 16]), Id::new([1; 16])];
const COMMON: [u32; 1] = [0];

/// A mode's set-up, and what an honest receiver and an honest sender say in it.
struct Honest {
    setup: Setup,
    said: [Frames; 2],
}

fn receive(setup: &Setup, channel: &mut Channel) -> Result<Vec<u32>, Fault> {
    receiver::reveal(channel, SID, setup, &RECEIVER_IDS, &mut Prg::new(Block(7)))
}

fn send(setup: &Setup, channel: &mut Channel) -> Result<(), Fault> {
    sender::reveal(channel, SID, setup, &SENDER_IDS, &mut Prg::new(Block(8))).map(drop)
}

impl Honest {
    fn new(security: Security) -> Self {
        let sizes = PaddedSizes::new(2, 2).expect("under the limit");
        let setup = Setup::new(sizes, 1, security).expect("under the limit");
        let (said, common, ()) = honest::both(
            |channel| receive(&setup, channel).expect("an honest run succeeds"),
            |channel| send(&setup, channel).expect("an honest run succeeds"),
        );
        assert_eq!(common, COMMON);
        Self { setup, said }
    }

    /// Made once, as it takes longer than a run.
    fn of(malicious: bool) -> &'static Self {
        static HONEST: [OnceLock<Honest>; 2] = [OnceLock::new(), OnceLock::new()];
        let security = if malicious { Security::Malicious } else { Security::SemiHonest };
        HONEST[usize::from(malicious)].get_or_init(|| Self::new(security))
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&[choice, honest_frames], data)) = data.split_first_chunk::<2>() else { return };
    let (as_receiver, malicious, invents) = (choice & 1 == 1, choice & 2 == 2, choice & 4 == 4);
    let honest = Honest::of(malicious);
    let script = &honest.said[usize::from(as_receiver)];
    let hears = honest::changed(script, honest_frames, invents, data);
    if as_receiver {
        let (common, _) = scripted::run(hears, |channel| receive(&honest.setup, channel));
        assert!(common.is_err() || common.is_ok_and(|common| common == COMMON));
    } else {
        let _ = scripted::run(hears, |channel| send(&honest.setup, channel));
    }
});
