//! Whole rounds in one process: members, an honest coordinator that only adds and forwards, and a line that an adversary may hold. Tests and the
//! bench share it, so it uses what is public alone.

#[path = "coordinator.rs"] // the bench includes this file, too, and has no folder of its name
mod coordinator;

use super::aggregate::messages::{
    Contribution, Dealing, Delivery, Introduction, Introductions, MemberSet, RoundMessage, Sharing,
    Unmasking, Vote, Votes,
};
use super::aggregate::{
    Agreed, Column, Contributed, Dealt, Identity, Introduced, Member, Organisation, PersistedRound,
    PersistedSurvivors, Proposal, RoundFault, Signature, Sum, Terms, introduce,
};
use super::{Block, Prg};
use coordinator::{deliveries, named, opening};
use rayon::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::sync::Arc;

/// An identity made of a number.
pub(crate) struct Key(Ed25519KeyPair);

impl Key {
    pub(crate) fn new(number: usize) -> Self {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self(Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed has 32 bytes"))
    }

    pub(crate) fn organisation(&self, number: usize) -> Organisation {
        let identity = self
            .0
            .public_key()
            .as_ref()
            .try_into()
            .expect("a key has 32 bytes");
        Organisation {
            name: format!("org-{number:04}"),
            identity,
        }
    }
}

impl Identity for Key {
    fn sign(&self, message: &[u8]) -> Signature {
        self.0
            .sign(message)
            .as_ref()
            .try_into()
            .expect("a signature has 64 bytes")
    }
}

pub(crate) fn keys(members: usize) -> Vec<Key> {
    (0..members).map(Key::new).collect()
}

/// A proposal without noise, whose recipient is the first member.
pub(crate) fn proposal(keys: &[Key], cells: u32, colluders: u16) -> Proposal {
    let roster = keys
        .iter()
        .zip(0..)
        .map(|(key, number)| key.organisation(number))
        .collect();
    let column = Column {
        cells,
        magnitude_max: 1 << 40,
        noise: None,
    };
    let min_parties = (colluders + 2).max(3);
    let (recipient, columns) = (Member(0), vec![column]);
    Proposal {
        job: [3; 32],
        round: 1,
        roster,
        recipient,
        columns,
        min_parties,
        colluders,
    }
}

/// Before which of its steps a member vanishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Introduce,
    Deal,
    Contribute,
    Vote,
    Release,
    Never,
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hop {
    pub(crate) kind: u16,
    /// Who sent it, or to whom it goes: the kind says which.
    pub(crate) member: Member,
}

/// What becomes of a message: nothing, or these bytes.
pub(crate) type Line<'a> = &'a (dyn Fn(Hop, Vec<u8>) -> Option<Vec<u8>> + Sync);

/// A round.
pub(crate) struct Rehearsal<'a> {
    pub(crate) terms: &'a Arc<Terms>,
    pub(crate) keys: &'a [Key],
    pub(crate) vectors: &'a (dyn Fn(Member) -> Vec<i64> + Sync),
    pub(crate) vanishes: &'a (dyn Fn(Member) -> Step + Sync),
    pub(crate) line: Line<'a>,
    pub(crate) seed: u128,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) sum: Option<Sum>,
    pub(crate) faults: Vec<(Member, RoundFault)>,
}

/// A round as far as everybody has contributed.
struct Begun {
    contributed: Each<Contributed>,
    contributions: Each<Contribution>,
}

/// Members with something of theirs.
type Each<T> = Vec<(Member, T)>;

/// A member's generator in a step: no two are the same.
pub(crate) fn rng(seed: u128, member: Member, step: Step) -> Prg {
    Prg::new(Block(
        (seed << 32) | (u128::from(member.0) << 8) | step as u128,
    ))
}

impl Rehearsal<'_> {
    /// From a member to the coordinator, which takes only what it can read and what bears its sender's name.
    fn send<M: RoundMessage>(
        &self,
        member: Member,
        message: &M,
        name: fn(&M) -> Member,
    ) -> Option<M> {
        let bytes = (self.line)(
            Hop {
                kind: M::KIND.number(),
                member,
            },
            message.encode(),
        )?;
        let message = M::decode(&bytes, self.terms).ok()?;
        (name(&message) == member).then_some(message)
    }

    /// From the coordinator to a member; `None` where nothing comes.
    fn deliver<M: RoundMessage>(
        &self,
        member: Member,
        message: &M,
    ) -> Option<Result<M, RoundFault>> {
        let bytes = (self.line)(
            Hop {
                kind: M::KIND.number(),
                member,
            },
            message.encode(),
        )?;
        Some(M::delivered(&bytes, self.terms))
    }

    /// One step of all that have not vanished before it: those that go on, and what the coordinator got of them.
    fn step<S: Send, T: Send, M: RoundMessage + Send>(
        &self,
        step: Step,
        faults: &mut Each<RoundFault>,
        members: Each<S>,
        take: impl Fn(Member, S) -> Option<Result<(T, Option<M>), RoundFault>> + Sync,
        name: fn(&M) -> Member,
    ) -> (Each<T>, Each<M>) {
        let here = members
            .into_par_iter()
            .filter(|(member, _)| (self.vanishes)(*member) > step);
        let taken: Vec<_> = here
            .filter_map(|(member, state)| {
                let (state, message) = match take(member, state)? {
                    Ok(done) => done,
                    Err(fault) => return Some((member, Err(fault))),
                };
                let message = message.and_then(|message| self.send(member, &message, name));
                Some((member, Ok((state, message))))
            })
            .collect();
        let (mut states, mut messages) = (vec![], vec![]);
        for (member, taken) in taken {
            match taken {
                Ok((state, message)) => {
                    states.push((member, state));
                    messages.extend(message.map(|message| (member, message)));
                }
                Err(fault) => faults.push((member, fault)),
            }
        }
        (states, messages)
    }

    /// All steps of all members, and between them the coordinator's.
    pub(crate) fn run(&self) -> Outcome {
        let mut faults = vec![];
        let sum = self.finish(self.begin(&mut faults), &mut faults);
        Outcome { sum, faults }
    }

    /// Introductions, dealings, contributions.
    fn begin(&self, faults: &mut Each<RoundFault>) -> Begun {
        let terms = self.terms;
        let everyone: Each<()> = terms.everyone().map(|member| (member, ())).collect();
        let begin = |member: Member, ()| {
            let rng = &mut rng(self.seed, member, Step::Introduce);
            let (persisted, key) = (PersistedRound::begun(terms), &self.keys[member.index()]);
            let made = introduce(terms, member, persisted, key, rng);
            Some(made.map(|(state, message)| (state, Some(message))))
        };
        let name = |message: &Introduction| message.member;
        let (introduced, messages) = self.step(Step::Introduce, faults, everyone, begin, name);

        let introductions =
            Introductions(messages.into_iter().map(|(_, message)| message).collect());
        let deal = |member: Member, state: Introduced| {
            let rng = &mut rng(self.seed, member, Step::Deal);
            let heard = self.deliver(member, &introductions)?;
            let made = heard.and_then(|heard| state.deal(&heard, rng));
            Some(made.map(|(state, message)| (state, Some(message))))
        };
        let name = |message: &Dealing| message.member;
        let (dealt, dealings) = self.step(Step::Deal, faults, introduced, deal, name);

        let picks = |(member, dealing): &(Member, Dealing)| (*member, dealing.picks(terms));
        let sharing = Sharing::new(terms, dealings.iter().map(picks));
        let mut deliveries = deliveries(terms, &sharing, &dealings);
        let dealt = dealt
            .into_iter()
            .map(|(member, state)| {
                (
                    member,
                    (state, std::mem::take(&mut deliveries[member.index()])),
                )
            })
            .collect();
        let contribute = |member: Member, (state, delivery): (Dealt, Option<Delivery>)| {
            let heard = self.deliver(member, &delivery?)?;
            let (vector, key) = ((self.vectors)(member), &self.keys[member.index()]);
            let made = heard.and_then(|heard| state.contribute(&heard, &vector, key));
            Some(made.map(|(state, message)| (state, Some(message))))
        };
        let name = |message: &Contribution| message.member;
        let (contributed, contributions) =
            self.step(Step::Contribute, faults, dealt, contribute, name);

        Begun {
            contributed,
            contributions,
        }
    }

    /// Votes, unmasking, and the opening: the sum, if the recipient gets one.
    fn finish(&self, begun: Begun, faults: &mut Each<RoundFault>) -> Option<Sum> {
        let terms = self.terms;
        let Begun {
            contributed,
            contributions,
        } = begun;
        let survivors = MemberSet::new(terms, contributions.iter().map(|(member, _)| *member));
        let vote = |member: Member, state: Contributed| {
            let heard = self.deliver(member, &named(&survivors, &contributions, member))?;
            let made = heard.and_then(|heard| {
                let (state, record) = state.agree(&heard)?;
                let persisted = PersistedSurvivors::written(record);
                let vote = state.vote(&persisted, &self.keys[member.index()])?;
                Ok(((state, persisted), Some(vote)))
            });
            Some(made)
        };
        let name = |message: &Vote| message.member;
        let (agreed, votes) = self.step(Step::Vote, faults, contributed, vote, name);

        let votes = votes
            .into_iter()
            .take(terms.quorum())
            .map(|(member, vote)| (member, vote.signature));
        let votes = Votes(votes.collect());
        let release = |member: Member, (state, persisted): (Agreed, PersistedSurvivors)| {
            let heard = self.deliver(member, &votes)?;
            Some(heard.and_then(|heard| state.release(&persisted, &heard)))
        };
        let name = |message: &Unmasking| message.member;
        let (released, unmaskings) = self.step(Step::Release, faults, agreed, release, name);

        let opening = opening(terms, &contributions, unmaskings);
        let mut recipient = released
            .into_iter()
            .filter(|(member, _)| *member == terms.recipient());
        let opened = recipient.next().and_then(|(member, state)| {
            let heard = self.deliver(member, &opening)?;
            Some((member, heard.and_then(|heard| state.open(heard))))
        });
        opened
            .and_then(|(member, opened)| opened.map_err(|fault| faults.push((member, fault))).ok())
    }
}

/// Hands everything on.
pub(crate) fn honest(_: Hop, bytes: Vec<u8>) -> Option<Vec<u8>> {
    Some(bytes)
}
