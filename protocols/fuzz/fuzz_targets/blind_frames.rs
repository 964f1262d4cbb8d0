//! Frames of a cheating peer to either role of one bucket of the blind join, and of a release that both read: no panic, and no answer but
//! a fault or the honest run's share or table, as closings and commitments bind all that was said.
//!
//! The first byte chooses role, protocol and whether the peer invents frames or changes one; the second, after how many honest frames. How,
//! is told where it is done, in `honest`.
#![no_main]

mod honest;
mod scripted;

use entente_protocols::blind::{self, Bucket, Table, What};
use entente_protocols::block::Block;
use entente_protocols::channel::Channel;
use entente_protocols::fault::Fault;
use entente_protocols::prg::Prg;
use entente_protocols::psi::{Id, PaddedSizes, SessionId};
use entente_protocols::release::{self, Readers, Terms};
use honest::Frames;
use libfuzzer_sys::fuzz_target;
use std::fmt::Debug;
use std::sync::OnceLock;

const SID: SessionId = SessionId::new([1; 32]);

/// An agreed run, what honest roles say in it, and what comes out at each.
struct Honest<T, O> {
    terms: T,
    said: [Frames; 2],
    outputs: [O; 2],
}

impl<T: Sync, O: PartialEq + Debug + Send> Honest<T, O> {
    fn new(terms: T, role: fn(&T, bool, &mut Channel) -> Result<O, Fault>) -> Self {
        let (said, received, sent) = honest::both(
            |channel| role(&terms, true, channel).expect("an honest run succeeds"),
            |channel| role(&terms, false, channel).expect("an honest run succeeds"),
        );
        let outputs = [received, sent];
        Self { terms, said, outputs }
    }

    fn check(&self, choice: Choice, data: &[u8], role: fn(&T, bool, &mut Channel) -> Result<O, Fault>) {
        let script = &self.said[usize::from(choice.as_receiver)];
        let hears = honest::changed(script, choice.honest_frames, choice.invents, data);
        let (output, _) = scripted::run(hears, |channel| role(&self.terms, choice.as_receiver, channel));
        let expected = &self.outputs[usize::from(!choice.as_receiver)];
        assert!(output.is_err() || output.is_ok_and(|output| output == *expected));
    }
}

#[derive(Clone, Copy)]
struct Choice {
    as_receiver: bool,
    invents: bool,
    honest_frames: u8,
}

/// One bucket, of two ids a side of which one is common, with every step.
fn bucket(setup: &blind::Setup, as_receiver: bool, channel: &mut Channel) -> Result<Vec<u128>, Fault> {
    let rows = |ids: [u8; 2], columns| Bucket {
        ids: ids.map(|number| Id::new([number; 16])).to_vec(),
        codes: vec![0, 1],
        columns: vec![columns],
    };
    match as_receiver {
        true => blind::receiver::run(channel, SID, setup, &rows([1, 2], vec![3, -4]), &mut Prg::new(Block(7))),
        false => blind::sender::run(channel, SID, setup, &rows([3, 1], vec![500, 60]), &mut Prg::new(Block(8))),
    }
}

fn bucket_setup() -> blind::Setup {
    let product = What::Both { receiver: 0, sender: 0, receiver_bits: 4 };
    let moments = [(What::Ids, 16), (What::Sender(0), 30), (What::Receiver(0), 20), (product, 40)];
    let moments = moments.map(|(what, bits)| blind::Moment { what, bits }).to_vec();
    let sizes = PaddedSizes::new(2, 2).expect("under the limit");
    blind::Setup::new(sizes, 1, Table::new(2, 2, moments).expect("fits")).expect("fits")
}

/// Two cells, of which one is too small.
fn table(terms: &Terms, as_receiver: bool, channel: &mut Channel) -> Result<Option<release::Cells>, Fault> {
    match as_receiver {
        true => release::receiver::run(channel, SID, terms, &[40, 7, 2, 5], &mut Prg::new(Block(7))),
        false => release::sender::run(channel, SID, terms, &[20, 9, 3, 5], &mut Prg::new(Block(8))),
    }
}

fn release_terms() -> Terms {
    let moments = [8, 32].map(|bits| release::Moment { bits, opened: true, noise: None }).to_vec();
    Terms::new(2, moments, 30, Readers::Both).expect("fits")
}

fuzz_target!(|data: &[u8]| {
    let Some((&[choice, honest_frames], data)) = data.split_first_chunk::<2>() else { return };
    let (as_receiver, of_release, invents) = (choice & 1 == 1, choice & 2 == 2, choice & 4 == 4);
    let choice = Choice { as_receiver, invents, honest_frames };
    // Made once, as they take longer than a run.
    static BUCKET: OnceLock<Honest<blind::Setup, Vec<u128>>> = OnceLock::new();
    static RELEASE: OnceLock<Honest<Terms, Option<release::Cells>>> = OnceLock::new();
    if of_release {
        RELEASE.get_or_init(|| Honest::new(release_terms(), table)).check(choice, data, table);
    } else {
        BUCKET.get_or_init(|| Honest::new(bucket_setup(), bucket)).check(choice, data, bucket);
    }
});
