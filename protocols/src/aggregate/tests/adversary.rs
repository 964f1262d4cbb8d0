//! What a coordinator, members or the line can try, and who is named for it.

mod arrivals;
mod members;
mod proposals;
mod sets;
mod sums;
mod views;

use super::aggregate::messages::{
    Contribution, Dealing, Delivery, Introduction, Introductions, MemberSet, Opening, RoundMessage,
    Sharing, Survivors, Unmasking, Vote, Votes,
};
use super::aggregate::{
    self, Column, Contributed, Introduced, Member, Misdeed, PersistedRound, PersistedSurvivors,
    Proposal, Refusal, RoundFault, Terms, View, introduce,
};
use super::oracle::vector;
use super::rehearsal::{Hop, Key, Line, Outcome, Rehearsal, Step, honest, keys, proposal, rng};
use crate::block::Block;
use crate::fault::Malformed;
use crate::prg::Prg;
use crate::release::Scale;
use std::sync::{Arc, Mutex};

const MEMBERS: usize = 5;

struct Stage {
    terms: Arc<Terms>,
    keys: Vec<Key>,
}

impl Stage {
    /// Five members, one of whom may collude: four are a quorum.
    fn new() -> Self {
        Self::of(MEMBERS, |_| ())
    }

    fn of(members: usize, change: impl Fn(&mut Proposal)) -> Self {
        let keys = keys(members);
        let mut proposal = proposal(&keys, 6, 1);
        change(&mut proposal);
        Self {
            terms: Arc::new(Terms::new(proposal).expect("fits")),
            keys,
        }
    }

    fn run(&self, line: Line<'_>) -> Outcome {
        self.run_without(&|_| Step::Never, line)
    }

    fn run_without(&self, vanishes: &(dyn Fn(Member) -> Step + Sync), line: Line<'_>) -> Outcome {
        let vectors = |member: Member| vector(&self.terms, member);
        let (terms, keys) = (&self.terms, &self.keys[..]);
        Rehearsal {
            terms,
            keys,
            vectors: &vectors,
            vanishes,
            line,
            seed: 5,
        }
        .run()
    }

    /// A run in which every message of one kind is changed, and its fault at each member.
    fn with<M: RoundMessage>(&self, change: impl Fn(Member, &mut M) + Sync) -> Outcome {
        self.run(&|hop, bytes| Some(self.changed(hop, bytes, &change)))
    }

    fn changed<M: RoundMessage>(
        &self,
        hop: Hop,
        bytes: Vec<u8>,
        change: impl Fn(Member, &mut M),
    ) -> Vec<u8> {
        if hop.kind != M::KIND.number() {
            return bytes;
        }
        let mut message = M::decode(&bytes, &self.terms).expect("an honest message");
        change(hop.member, &mut message);
        message.encode()
    }
}

#[track_caller]
fn assert_fault(outcome: &Outcome, member: u16, expected: &RoundFault) {
    assert!(outcome.sum.is_none(), "the sum was opened");
    let fault = outcome.faults.iter().find(|(at, _)| *at == Member(member));
    assert_eq!(
        fault.map(|(_, fault)| fault),
        Some(expected),
        "{:?}",
        outcome.faults
    );
}

fn either(member: u16, what: Misdeed) -> RoundFault {
    RoundFault::MemberOrCoordinator {
        member: Member(member),
        what,
    }
}

fn no_signature(member: u16, what: &'static str) -> RoundFault {
    either(member, Misdeed::BadSignature { what })
}

const SUM_CHANGED: RoundFault = RoundFault::ContributorOrCoordinator(Misdeed::SumChanged);

fn begin(stage: &Stage, member: Member, key: &Key, rng: &mut Prg) -> (Introduced, Introduction) {
    let persisted = PersistedRound::begun(&stage.terms);
    introduce(&stage.terms, member, persisted, key, rng).expect("a member")
}

/// [`by_hand_of`] member 1.
fn by_hand(
    stage: &Stage,
    vanishes: &(dyn Fn(Member) -> Step + Sync),
) -> (Contributed, Survivors, Votes) {
    by_hand_of(stage, Member(1), vanishes)
}

/// A member, taken by hand through a rehearsal's messages until it has contributed, and what it hears then.
fn by_hand_of(
    stage: &Stage,
    member: Member,
    vanishes: &(dyn Fn(Member) -> Step + Sync),
) -> (Contributed, Survivors, Votes) {
    let heard: Mutex<Vec<(Hop, Vec<u8>)>> = Mutex::default();
    stage.run_without(vanishes, &|hop, bytes| {
        heard
            .lock()
            .expect("not poisoned")
            .push((hop, bytes.clone()));
        Some(bytes)
    });
    let heard = heard.into_inner().expect("not poisoned");
    let (terms, key) = (&stage.terms, &stage.keys[member.index()]);
    let bytes = |kind: u16| {
        let mut to_member = heard.iter().filter(|(hop, _)| *hop == Hop { kind, member });
        to_member
            .next()
            .map(|(_, bytes)| &bytes[..])
            .expect("heard")
    };
    let rng = |step: Step| rng(5, member, step);
    let (state, _) = begin(stage, member, key, &mut rng(Step::Introduce));
    let introductions = Introductions::decode(bytes(0x0702), terms).expect("honest");
    let (state, _) = state
        .deal(&introductions, &mut rng(Step::Deal))
        .expect("honest");
    let delivery = Delivery::decode(bytes(0x0704), terms).expect("honest");
    let (state, _) = state
        .contribute(&delivery, &vector(terms, member), key)
        .expect("honest");
    let survivors = Survivors::decode(bytes(0x0706), terms).expect("honest");
    (
        state,
        survivors,
        Votes::decode(bytes(0x0708), terms).expect("honest"),
    )
}
