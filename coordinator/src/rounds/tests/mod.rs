//! The pure round against members that vanish, hang, repeat themselves and jump ahead, in every order.

mod faults;

use super::departure::{Departure, Misstep};
use super::down::Down;
use super::facts::{Place, RoundFacts};
use super::phase::{Answer, Stage};
use super::rehearsal::{dealing, facts};
use super::round::{Action, Round};
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::coordinator::v1::{RoundBoxes, RoundDealing};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// What a member does wrong, at one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    VanishesBefore,
    VanishesAfter,
    Hangs,
    Repeats,
    JumpsAhead,
}

const FAULTS: [Fault; 5] = [
    Fault::VanishesBefore,
    Fault::VanishesAfter,
    Fault::Hangs,
    Fault::Repeats,
    Fault::JumpsAhead,
];
const STAGES: [Stage; 6] = [
    Stage::Introducing,
    Stage::Dealing,
    Stage::Contributing,
    Stage::Voting,
    Stage::Unmasking,
    Stage::Opening,
];

#[derive(Debug, Clone)]
enum Input {
    Said(Answer),
    Uploaded,
    Gone,
}

/// A round and its members. A member answers all that it is told, but for its fault.
struct Bench {
    facts: Arc<RoundFacts>,
    round: Round,
    faults: BTreeMap<Place, (Stage, Fault)>,
    inputs: VecDeque<(Place, Input)>,
    cohort: BTreeSet<Place>,
    /// Whose words were to be added.
    added: BTreeSet<Place>,
    survivors: Option<BTreeSet<Place>>,
    /// Who was told a quorum of votes.
    told_votes: BTreeSet<Place>,
    opened_with: Option<BTreeSet<Place>>,
    dismissed: BTreeMap<Place, Problem>,
    end: Option<Option<Problem>>,
}

fn members_of(boxes: &RoundBoxes) -> BTreeSet<Place> {
    boxes
        .boxes
        .iter()
        .map(|one| Place::made_up(one.member))
        .collect()
}

impl Bench {
    fn new(members: u32, needed: u32, faults: &[(u32, Stage, Fault)]) -> Self {
        Self::of(facts(members, needed), faults)
    }

    fn of(facts: RoundFacts, faults: &[(u32, Stage, Fault)]) -> Self {
        let facts = Arc::new(facts);
        let members = facts.places().collect::<Vec<_>>();
        let faults = faults
            .iter()
            .map(|(at, stage, fault)| (Place::made_up(*at), (*stage, *fault)));
        Self {
            round: Round::begin(facts.clone(), 1, members),
            facts,
            faults: faults.collect(),
            inputs: VecDeque::new(),
            cohort: BTreeSet::new(),
            added: BTreeSet::new(),
            survivors: None,
            told_votes: BTreeSet::new(),
            opened_with: None,
            dismissed: BTreeMap::new(),
            end: None,
        }
    }

    /// Plays to the end; `order` says whose first input comes next. Nobody waits for a deadline unless nothing else is left.
    fn play(mut self, mut order: impl FnMut(usize) -> usize) -> Self {
        for _ in 0..10_000 {
            while let Some(action) = self.round.next_action() {
                self.act(action);
            }
            if self.end.is_some() {
                return self;
            }
            let senders: BTreeSet<Place> = self.inputs.iter().map(|(from, _)| *from).collect();
            if senders.is_empty() {
                self.round.late();
                continue;
            }
            let picked = senders.iter().nth(order(senders.len())).copied();
            let inputs = &mut self.inputs;
            let first = inputs.iter().position(|(from, _)| Some(*from) == picked);
            let next = first.and_then(|first| inputs.remove(first));
            next.into_iter()
                .for_each(|(from, input)| self.put(from, input));
        }
        unreachable!("the round did not end")
    }

    fn put(&mut self, from: Place, input: Input) {
        match input {
            Input::Said(answer) => self.round.said(from, answer),
            Input::Gone => self.round.gone(from, Departure::Closed),
            Input::Uploaded => {
                if self.round.uploaded(from) {
                    assert!(self.added.insert(from), "added twice");
                }
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Tell(to, down) => self.hear(to, down),
            Action::Dismiss(who, problem) => {
                // Its stream is closed with it.
                self.inputs.retain(|(from, _)| *from != who);
                assert!(self.dismissed.insert(who, problem).is_none());
            }
            Action::TakeUploads => {}
            Action::Open(unmaskings) => {
                self.opened_with = Some(unmaskings.into_keys().collect());
                self.answer(
                    self.facts.recipient,
                    Stage::Opening,
                    vec![Input::Said(Answer::Opened)],
                );
            }
            Action::End(problem) => self.end = Some(problem),
        }
    }

    fn hear(&mut self, to: Place, down: Down) {
        assert!(!self.dismissed.contains_key(&to), "told after the end");
        let said = |answer| vec![Input::Said(answer)];
        match down {
            Down::Begin(_) => {
                let answer = Answer::Introduction(vec![1]);
                self.answer(to, Stage::Introducing, said(answer));
            }
            Down::Introductions(boxes) => {
                self.cohort = members_of(&boxes);
                let dealing = dealing(&self.facts, &self.cohort, to);
                self.answer(to, Stage::Dealing, said(Answer::Dealing(dealing)));
            }
            Down::Delivery(..) => {
                let mut inputs = said(Answer::Contribution(vec![3; 64]));
                inputs.push(Input::Uploaded);
                self.answer(to, Stage::Contributing, inputs);
            }
            Down::Survivors(boxes) => {
                self.survivors = Some(members_of(&boxes));
                self.answer(to, Stage::Voting, said(Answer::Vote(vec![4; 64])));
            }
            Down::Votes(boxes) => {
                assert_eq!(boxes.boxes.len(), self.facts.quorum);
                assert!(members_of(&boxes).is_subset(&self.added));
                assert!(self.told_votes.insert(to), "told twice");
                if to != self.facts.recipient {
                    let answer = Answer::Unmasking(vec![5]);
                    self.answer(to, Stage::Unmasking, said(answer));
                }
            }
            other => unreachable!("{other:?} is not of the core"),
        }
    }

    /// What a member sends, its fault included. Its own messages stay in order.
    fn answer(&mut self, who: Place, stage: Stage, inputs: Vec<Input>) {
        let fault = self.faults.get(&who).filter(|(at, _)| *at == stage);
        let sent = match fault.map(|(_, fault)| fault) {
            None => inputs,
            Some(Fault::Hangs) => Vec::new(),
            Some(Fault::VanishesBefore) => vec![Input::Gone],
            Some(Fault::VanishesAfter) => [inputs, vec![Input::Gone]].concat(),
            Some(Fault::Repeats) => [inputs.clone(), inputs].concat(),
            Some(Fault::JumpsAhead) => {
                let ahead = match stage {
                    Stage::Introducing => Answer::Dealing(RoundDealing::default()),
                    Stage::Opening => Answer::Introduction(vec![1]),
                    _ => Answer::Opened,
                };
                vec![Input::Said(ahead)]
            }
        };
        // One by one: a stream keeps its order whatever the others do.
        let one = move |input| (who, input);
        self.inputs.extend(sent.into_iter().map(one));
    }

    fn holds_together(&self) {
        if let Some(survivors) = &self.survivors {
            assert_eq!(survivors, &self.added, "named if and only if added");
            assert!(survivors.len() >= self.facts.members_min);
        }
        if let Some(unmaskings) = &self.opened_with {
            assert!(unmaskings.len() + 1 >= self.facts.threshold);
            assert!(unmaskings.is_subset(&self.added));
            assert!(!unmaskings.contains(&self.facts.recipient));
            assert!(self.told_votes.contains(&self.facts.recipient));
        }
        if self.end == Some(None) {
            assert!(self.opened_with.is_some());
        }
    }
}

/// The first input first.
fn in_order(_: usize) -> usize {
    0
}

fn any_fault() -> impl Strategy<Value = (u32, Stage, Fault)> {
    let stages = proptest::sample::select(STAGES.to_vec());
    (0..8u32, stages, proptest::sample::select(FAULTS.to_vec()))
}

proptest! {
    #[test]
    fn a_round_ends_well_whenever_enough_members_do_their_part(
        members in 3..8u32,
        spare in 0..3u32,
        faults in proptest::collection::vec(any_fault(), 0..5),
        orders in proptest::collection::vec(any::<usize>(), 64),
    ) {
        let needed = members.saturating_sub(spare).max(2);
        let faults: Vec<_> = faults.into_iter().filter(|(at, ..)| *at < members).collect();
        let mut orders = orders.into_iter().cycle();
        let bench = Bench::new(members, needed, &faults);
        let bench = bench.play(|waiting| orders.next().unwrap_or_default() % waiting);
        let faulty = &bench.faults;
        bench.holds_together();
        let good = (members as usize) - faulty.len();
        if good >= needed as usize && !faulty.contains_key(&Place::made_up(0)) {
            prop_assert_eq!(&bench.end, &Some(None));
        }
        // Nobody that did its part is sent away.
        for who in bench.dismissed.keys() {
            prop_assert!(faulty.contains_key(who), "{:?}", bench.dismissed);
        }
    }
}
