//! A round among the nodes of a test, with the test's coordinator between them.

use super::Network;
use crate::jobs::{Answer, Round, RunGrant};
use crate::round::may_follow;
use entente_wire::names::OrgName;
use entente_wire::problem::Problem;
use entente_wire::rpc::coordinator::v1::{
    RoundBox, RoundBoxes, RoundDealing, RoundDelivery, RoundPicks, round_down::Step as Down,
    round_up::Step as Up,
};

/// Before which of its answers a member vanishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Before {
    Joining,
    Introduction,
    Dealing,
    Contribution,
    Vote,
    Unmasking,
    Never,
}

/// All steps at which somebody can vanish.
pub(super) const STEPS: [Before; 6] = [
    Before::Joining,
    Before::Introduction,
    Before::Dealing,
    Before::Contribution,
    Before::Vote,
    Before::Unmasking,
];

/// What the test's coordinator does with a round.
pub(super) struct Script<'a> {
    pub(super) number: u64,
    pub(super) vanishes: &'a dyn Fn(usize) -> Before,
    /// What member `to` hears in place of an honest message.
    pub(super) line: &'a dyn Fn(usize, Down) -> Down,
}

/// How it went.
pub(super) struct Outcome {
    /// Of each member its problem, if it had one.
    pub(super) problems: Vec<Option<Problem>>,
    /// Whether the recipient has written a table.
    pub(super) opened: bool,
}

/// Everybody stays and the coordinator is honest.
pub(super) fn honest(number: u64) -> Script<'static> {
    Script {
        number,
        vanishes: &|_| Before::Never,
        line: &|_, step| step,
    }
}

/// A first round of an honest coordinator in which members vanish.
pub(super) fn losing(vanishes: &dyn Fn(usize) -> Before) -> Script<'_> {
    Script {
        vanishes,
        ..honest(1)
    }
}

/// The members that are still there.
struct Table<'a> {
    script: &'a Script<'a>,
    members: Vec<Option<Round>>,
    grants: Vec<Option<RunGrant>>,
    network: &'a Network,
    problems: Vec<Option<Problem>>,
}

impl Network {
    /// A round of whoever wants to join one now.
    pub(super) fn round(&mut self, script: &Script<'_>) -> Outcome {
        let grants = self.grants();
        let outcome = self.round_of(grants, script);
        self.deliver();
        outcome
    }

    pub(super) fn round_of(&self, grants: Vec<Option<RunGrant>>, script: &Script<'_>) -> Outcome {
        let mut problems: Vec<Option<Problem>> = vec![None; self.nodes.len()];
        let mut members = Vec::new();
        for (place, grant) in grants.iter().enumerate() {
            let joins = (script.vanishes)(place) > Before::Joining;
            let round = grant.as_ref().filter(|_| joins).map(|grant| {
                let jobs = self.nodes[place].jobs();
                jobs.joins(grant)?;
                Round::new(jobs, grant)
            });
            match round.transpose() {
                Ok(round) => members.push(round),
                Err(problem) => {
                    problems[place] = Some(problem);
                    members.push(None);
                }
            }
        }
        let mut table = Table {
            script,
            members,
            grants,
            network: self,
            problems,
        };
        let opened = table.play();
        table.settle(opened);
        Outcome {
            problems: table.problems,
            opened,
        }
    }
}

impl Table<'_> {
    /// One message to one member; its answer, unless it vanishes before it or has a problem with it.
    fn tell(&mut self, place: usize, before: Before, step: Down) -> Option<Answer> {
        if (self.script.vanishes)(place) <= before {
            self.members[place] = None;
            return None;
        }
        // Whoever has left says nothing any more.
        if self.problems[place].is_some() {
            return None;
        }
        let heard = (self.script.line)(place, step);
        match self.members[place].as_mut()?.take(heard) {
            Ok(answer) => Some(answer),
            Err(problem) => {
                self.problems[place] = Some(problem);
                None
            }
        }
    }

    /// The same message to all of `to`, and what came back by place.
    fn ask(
        &mut self,
        to: &[usize],
        before: Before,
        step: impl Fn(usize) -> Down,
    ) -> Vec<(usize, Answer)> {
        let answers = to
            .iter()
            .map(|place| (*place, self.tell(*place, before, step(*place))));
        let answers: Vec<_> = answers.collect();
        answers
            .into_iter()
            .filter_map(|(place, answer)| Some((place, answer?)))
            .collect()
    }

    fn play(&mut self) -> bool {
        let all: Vec<usize> = (0..self.members.len())
            .filter(|place| self.members[*place].is_some())
            .collect();
        let number = self.script.number;
        let introduced = bytes(self.ask(&all, Before::Introduction, |_| Down::Begin(number)));
        let (cohort, introductions) = (places(&introduced), boxes(&introduced));
        let dealt = self.ask(&cohort, Before::Dealing, |_| {
            Down::Introductions(introductions.clone())
        });
        let dealt: Vec<(usize, RoundDealing)> = dealt
            .into_iter()
            .filter_map(|(place, answer)| Some((place, dealing(answer)?)))
            .collect();
        let sharers: Vec<usize> = dealt.iter().map(|(place, _)| *place).collect();
        let contributed = self.ask(&sharers, Before::Contribution, |to| {
            Down::Delivery(delivery(&dealt, to))
        });
        let mut sum: Vec<u64> = Vec::new();
        let mut signed = Vec::new();
        for (place, answer) in contributed {
            let Answer::Contribution { signature, words } = answer else {
                continue;
            };
            sum.resize(words.len(), 0);
            sum.iter_mut()
                .zip(words)
                .for_each(|(sum, word)| *sum = sum.wrapping_add(word));
            signed.push((place, signature));
        }
        let (survivors, named) = (places(&signed), boxes(&signed));
        let votes = bytes(self.ask(&survivors, Before::Vote, |_| Down::Survivors(named.clone())));
        let (voters, votes) = (places(&votes), boxes(&votes));
        let released = self.ask(&voters, Before::Unmasking, |_| Down::Votes(votes.clone()));
        let unmaskings = boxes(&bytes(released));
        self.tell(0, Before::Unmasking, Down::Unmaskings(unmaskings));
        let words = sum.iter().flat_map(|word| word.to_le_bytes()).collect();
        matches!(
            self.tell(0, Before::Unmasking, Down::Words(words)),
            Some(Answer::Opened)
        )
    }

    /// What each node records of the round: its end, or how it broke.
    fn settle(&mut self, opened: bool) {
        for place in 0..self.members.len() {
            let (Some(grant), jobs) = (&self.grants[place], self.network.nodes[place].jobs())
            else {
                continue;
            };
            let Some(mut round) = self.members[place].take() else {
                continue;
            };
            let attempt = round.attempt();
            let closed = match (&self.problems[place], opened) {
                (None, true) => round.close([1, 1]),
                (Some(problem), _) => Err(problem.clone()),
                (None, false) => Err(ended_without_a_table()),
            };
            if let Err(problem) = closed {
                let may_follow = may_follow(&problem);
                jobs.round_broken(grant, attempt, problem, may_follow)
                    .expect("recorded");
            }
        }
    }
}

/// What a node records where the coordinator says that there is no table.
fn ended_without_a_table() -> Problem {
    let code = entente_wire::problem::Code::TooFewParties;
    Problem::here(code, "there is no table", "nothing")
}

fn dealing(answer: Answer) -> Option<RoundDealing> {
    match answer {
        Answer::Step(message) => match message.step {
            Some(Up::Dealing(dealing)) => Some(dealing),
            _ => None,
        },
        _ => None,
    }
}

/// What the coordinator forwards as it is.
fn bytes(answers: Vec<(usize, Answer)>) -> Vec<(usize, Vec<u8>)> {
    let content = |answer: Answer| match answer {
        Answer::Step(message) => match message.step? {
            Up::Introduction(bytes) | Up::Vote(bytes) | Up::Unmasking(bytes) => Some(bytes),
            _ => None,
        },
        _ => None,
    };
    answers
        .into_iter()
        .filter_map(|(place, answer)| Some((place, content(answer)?)))
        .collect()
}

fn places(of: &[(usize, Vec<u8>)]) -> Vec<usize> {
    of.iter().map(|(place, _)| *place).collect()
}

pub(super) fn boxes(of: &[(usize, Vec<u8>)]) -> RoundBoxes {
    let one = |(place, content): &(usize, Vec<u8>)| RoundBox {
        member: *place as u32,
        content: content.clone(),
    };
    RoundBoxes {
        boxes: of.iter().map(one).collect(),
    }
}

fn delivery(dealt: &[(usize, RoundDealing)], to: usize) -> RoundDelivery {
    let picks = dealt.iter().map(|(place, _)| RoundPicks {
        member: *place as u32,
        picks: vec![],
    });
    let mine = |boxes: &[RoundBox]| {
        boxes
            .iter()
            .find(|one| one.member == to as u32)
            .map(|one| one.content.clone())
    };
    let shares = dealt.iter().filter_map(|(place, dealing)| {
        Some(RoundBox {
            member: *place as u32,
            content: mine(&dealing.shares)?,
        })
    });
    let recipient = dealt.iter().find(|(place, _)| *place == 0);
    RoundDelivery {
        picks: picks.collect(),
        shares: shares.collect(),
        check_key: recipient
            .and_then(|(_, dealing)| mine(&dealing.check_keys))
            .unwrap_or_default(),
    }
}

/// Names of these members.
pub(super) fn names(places: &[usize]) -> Vec<OrgName> {
    places
        .iter()
        .map(|place| super::org(super::NAMES[*place]))
        .collect()
}
