//! A round that has begun: what follows from what members say, from those that go, and from deadlines. Pure: no clock, no network; what is to be
//! done is a list of [`Action`]s.

use super::dealing::deliver;
use super::departure::{Departure, too_few_left};
use super::down::{Down, boxes};
use super::facts::{Place, RoundFacts};
use super::phase::{Answer, Closing, Phase, Stage};
use entente_wire::problem::Problem;
use entente_wire::rpc::coordinator::v1::RoundDealing;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// What the round wants done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Sends a member its next step.
    Tell(Place, Down),
    /// Ends one member's part.
    Dismiss(Place, Problem),
    /// Lets members' vectors in.
    TakeUploads,
    /// Sends the recipient these boxes, and then the sum.
    Open(BTreeMap<Place, Vec<u8>>),
    /// Ends the round for all that are left.
    End(Option<Problem>),
}

/// A round.
#[derive(Debug)]
pub(super) struct Round {
    facts: Arc<RoundFacts>,
    present: BTreeSet<Place>,
    /// In the order in which they went.
    gone: Vec<(Place, Departure)>,
    phase: Phase,
    actions: VecDeque<Action>,
}

impl Round {
    /// Of those that have come, which are enough.
    pub(super) fn begin(
        facts: Arc<RoundFacts>,
        number: u64,
        come: impl IntoIterator<Item = Place>,
    ) -> Self {
        let present: BTreeSet<Place> = come.into_iter().collect();
        let mut round = Self {
            facts,
            present,
            gone: Vec::new(),
            phase: Phase::Introducing(BTreeMap::new()),
            actions: VecDeque::new(),
        };
        round.tell_all(&Down::Begin(number));
        round
    }

    pub(super) fn stage(&self) -> Stage {
        self.phase.stage()
    }

    pub(super) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// A member answers.
    pub(super) fn said(&mut self, from: Place, answer: Answer) {
        if !self.present.contains(&from) {
            return;
        }
        let is_vote = matches!(answer, Answer::Vote(_));
        match self.phase.take(&self.facts, from, answer) {
            Ok(()) if is_vote => self.tell_late_voter(from),
            Ok(()) => {}
            Err(misstep) => self.depart(from, Departure::Broke(misstep)),
        }
        self.settle();
    }

    /// A member's words have come whole. Whether they belong into the sum; then the caller has to add them before anything else.
    #[must_use]
    pub(super) fn uploaded(&mut self, from: Place) -> bool {
        let is_present = self.present.contains(&from);
        let Phase::Contributing { signatures, added } = &mut self.phase else {
            return false;
        };
        let counts = is_present && signatures.contains_key(&from) && added.insert(from);
        self.settle();
        counts
    }

    /// A member is gone.
    pub(super) fn gone(&mut self, who: Place, how: Departure) {
        self.depart(who, how);
        self.settle();
    }

    /// The stage's deadline is over: who has not answered is left out.
    pub(super) fn late(&mut self) {
        let has_answered = |place: &&Place| self.phase.has_answered(&self.facts, **place);
        let late: Vec<Place> = self
            .present
            .iter()
            .filter(|place| !has_answered(place))
            .copied()
            .collect();
        let due = self.stage().due();
        for place in late {
            self.depart(place, Departure::Late(due));
        }
        self.settle();
    }

    /// Ends the round for all.
    pub(super) fn end(&mut self, problem: Option<Problem>) {
        self.phase = Phase::Over;
        self.present.clear();
        self.actions.push_back(Action::End(problem));
    }

    fn depart(&mut self, who: Place, how: Departure) {
        if self.present.remove(&who) {
            let told = how.told_to(self.facts.org(who));
            self.actions.push_back(Action::Dismiss(who, told));
            self.gone.push((who, how));
        }
    }

    /// Goes on as far as what has come allows, and ends what cannot end well any more.
    fn settle(&mut self) {
        while self.stage() != Stage::Over {
            if let Some(problem) = self.hopeless() {
                return self.end(Some(problem));
            }
            if !self.is_complete() {
                return;
            }
            self.advance();
        }
    }

    fn hopeless(&self) -> Option<Problem> {
        let facts = &self.facts;
        if !self.present.contains(&facts.recipient) {
            let mut gone = self.gone.iter();
            let how = gone.find(|(place, _)| *place == facts.recipient);
            let how = how.map_or(&Departure::Closed, |(_, how)| how);
            return Some(how.of_recipient(facts.org(facts.recipient)));
        }
        let (what, least) = self.needed()?;
        let counted = self.gone.iter().filter(|(at, _)| self.phase.counts(*at));
        let others = match self.stage() {
            // The recipient has its own share.
            Stage::Unmasking => self.present.len() - 1,
            _ => self.present.len(),
        };
        let possible = counted.count() + others;
        (possible < least).then(|| too_few_left(facts, what, possible, least, &self.gone))
    }

    /// Of what this stage needs how many.
    fn needed(&self) -> Option<(&'static str, usize)> {
        let facts = &self.facts;
        match self.stage() {
            Stage::Introducing => Some(("introductions", facts.members_min)),
            Stage::Dealing => Some(("dealings", facts.members_min)),
            Stage::Contributing => Some(("contributions", facts.members_min)),
            Stage::Voting => Some(("votes", facts.quorum)),
            Stage::Unmasking => Some(("unmaskings", facts.threshold - 1)),
            Stage::Opening | Stage::Over => None,
        }
    }

    /// Whether nothing more is waited for.
    fn is_complete(&self) -> bool {
        let has_answered = |place: &Place| self.phase.has_answered(&self.facts, *place);
        match &self.phase {
            Phase::Over => false,
            Phase::Closing(closing) if closing.is_opening => closing.is_opened,
            Phase::Closing(closing) if closing.quorum.is_some() => self.can_open(closing),
            Phase::Closing(closing) => closing.votes.len() >= self.facts.quorum,
            _ => self.present.iter().all(has_answered),
        }
    }

    /// Whether everybody has unmasked, or a quorum of those that voted and nobody of them is missing: then so many stayed that every
    /// secret opens, whoever picked whom, and who has not voted by now need not be waited for.
    fn can_open(&self, closing: &Closing) -> bool {
        let facts = &self.facts;
        let has_answered = |place: &Place| self.phase.has_answered(facts, *place);
        // The recipient has its own share.
        let shares = closing.unmaskings.len() + 1;
        let is_voter = |place: &&Place| closing.votes.contains_key(place);
        let have_voters = self.present.iter().filter(is_voter).all(has_answered);
        let has_recipient = closing.votes.contains_key(&facts.recipient);
        let is_whole = shares >= facts.threshold && self.present.iter().all(has_answered);
        is_whole || (shares >= facts.quorum.max(facts.threshold) && have_voters && has_recipient)
    }

    fn advance(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Introducing(come) => self.show_introductions(come),
            Phase::Dealing { dealt, .. } => {
                let still_here = |place: &Place| self.present.contains(place);
                let dealt = dealt.into_iter().filter(|(place, _)| still_here(place));
                self.deliver(dealt.collect());
            }
            Phase::Contributing {
                signatures, added, ..
            } => self.show_survivors(signatures, &added),
            Phase::Closing(closing) => self.close(closing),
            Phase::Over => {}
        }
    }

    fn show_introductions(&mut self, come: BTreeMap<Place, Vec<u8>>) {
        let cohort = self.present.clone();
        let come = come.into_iter().filter(|(place, _)| cohort.contains(place));
        let introductions = Arc::new(boxes(come));
        self.phase = Phase::Dealing {
            cohort,
            dealt: BTreeMap::new(),
        };
        self.tell_all(&Down::Introductions(introductions));
    }

    fn deliver(&mut self, dealt: BTreeMap<Place, RoundDealing>) {
        let (picks, parcels) = deliver(&self.facts, dealt);
        self.phase = Phase::Contributing {
            signatures: BTreeMap::new(),
            added: BTreeSet::new(),
        };
        for (place, parcel) in parcels {
            let delivery = Down::Delivery(picks.clone(), parcel);
            self.actions.push_back(Action::Tell(place, delivery));
        }
        self.actions.push_back(Action::TakeUploads);
    }

    fn show_survivors(&mut self, signatures: BTreeMap<Place, Vec<u8>>, added: &BTreeSet<Place>) {
        let whole = signatures
            .into_iter()
            .filter(|(place, _)| added.contains(place));
        let survivors = Arc::new(boxes(whole));
        self.phase = Phase::Closing(Closing::default());
        self.tell_all(&Down::Survivors(survivors));
    }

    fn close(&mut self, mut closing: Closing) {
        if closing.is_opened {
            return self.end(None);
        }
        if closing.quorum.is_some() {
            closing.is_opening = true;
            let taken = closing.unmaskings.iter_mut();
            let unmaskings = taken.map(|(at, sealed)| (*at, std::mem::take(sealed)));
            self.actions.push_back(Action::Open(unmaskings.collect()));
        } else {
            let first = closing.votes.clone().into_iter().take(self.facts.quorum);
            let votes = Arc::new(boxes(first));
            let voted = self
                .present
                .iter()
                .filter(|at| closing.votes.contains_key(at));
            let told = voted.map(|at| Action::Tell(*at, Down::Votes(votes.clone())));
            self.actions.extend(told);
            closing.quorum = Some(votes);
        }
        self.phase = Phase::Closing(closing);
    }

    /// Whoever votes when there is a quorum already is told it at once.
    fn tell_late_voter(&mut self, from: Place) {
        if let Phase::Closing(closing) = &self.phase
            && let Some(votes) = &closing.quorum
        {
            let votes = Down::Votes(votes.clone());
            self.actions.push_back(Action::Tell(from, votes));
        }
    }

    fn tell_all(&mut self, down: &Down) {
        let told = self
            .present
            .iter()
            .map(|at| Action::Tell(*at, down.clone()));
        self.actions.extend(told);
    }
}
