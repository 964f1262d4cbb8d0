//! What has come in each phase of a round, and what is taken from whom. Pure: no clock, no network.

use super::dealing::{self, bounded};
use super::departure::{Departure, Misstep};
use super::facts::{Place, RoundFacts};
use crate::limits::{INTRODUCTION_BYTES_MAX, SIGNATURE_BYTES, UNMASKING_BYTES_MAX};
use entente_wire::rpc::coordinator::v1::round_up::Step;
use entente_wire::rpc::coordinator::v1::{RoundBoxes, RoundDealing};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a member answers with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Introduction(Vec<u8>),
    Dealing(RoundDealing),
    /// The signature; the words follow.
    Contribution(Vec<u8>),
    Vote(Vec<u8>),
    Unmasking(Vec<u8>),
    Opened,
}

impl Answer {
    /// Of a step that answers anything.
    pub(super) fn of(step: Step) -> Result<Self, Departure> {
        let out_of_order = |sent| {
            let due = "an answer to the coordinator";
            Departure::Broke(Misstep::OutOfOrder { sent, due })
        };
        match step {
            Step::Introduction(bytes) => Ok(Self::Introduction(bytes)),
            Step::Dealing(dealing) => Ok(Self::Dealing(dealing)),
            Step::Contribution(signature) => Ok(Self::Contribution(signature)),
            Step::Vote(signature) => Ok(Self::Vote(signature)),
            Step::Unmasking(sealed) => Ok(Self::Unmasking(sealed)),
            Step::Opened(_) => Ok(Self::Opened),
            Step::Left(problem) => Err(Departure::left(&problem)),
            Step::Join(_) => Err(out_of_order("a second join")),
            Step::Words(_) => Err(out_of_order("words")),
        }
    }

    /// What it is to say it when no round has begun.
    pub(super) fn before_the_round(&self) -> Departure {
        let (sent, due) = (self.name(), "nothing before the round begins");
        Departure::Broke(Misstep::OutOfOrder { sent, due })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Introduction(_) => Stage::Introducing.due(),
            Self::Dealing(_) => Stage::Dealing.due(),
            Self::Contribution(_) => Stage::Contributing.due(),
            Self::Vote(_) => Stage::Voting.due(),
            Self::Unmasking(_) => Stage::Unmasking.due(),
            Self::Opened => Stage::Opening.due(),
        }
    }
}

/// Which answers are waited for; each stage has a deadline of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Introducing,
    Dealing,
    Contributing,
    Voting,
    Unmasking,
    Opening,
    Over,
}

impl Stage {
    pub(super) fn due(self) -> &'static str {
        match self {
            Self::Introducing => "an introduction",
            Self::Dealing => "a dealing",
            Self::Contributing => "a contribution",
            Self::Voting => "a vote",
            Self::Unmasking => "an unmasking",
            Self::Opening => "word that the sum is opened",
            Self::Over => "nothing",
        }
    }
}

/// What has come.
#[derive(Debug)]
pub(super) enum Phase {
    Introducing(BTreeMap<Place, Vec<u8>>),
    Dealing {
        cohort: BTreeSet<Place>,
        dealt: BTreeMap<Place, RoundDealing>,
    },
    Contributing {
        signatures: BTreeMap<Place, Vec<u8>>,
        /// Whose words are in the sum.
        added: BTreeSet<Place>,
    },
    Closing(Closing),
    Over,
}

/// Votes and what follows from them: late voters still vote while others unmask.
#[derive(Debug, Default)]
pub(super) struct Closing {
    pub(super) votes: BTreeMap<Place, Vec<u8>>,
    /// The first quorum of them.
    pub(super) quorum: Option<Arc<RoundBoxes>>,
    /// Empty once the recipient is sent them.
    pub(super) unmaskings: BTreeMap<Place, Vec<u8>>,
    /// The recipient is sent what came so far; what comes later is of no use.
    pub(super) is_opening: bool,
    pub(super) is_opened: bool,
}

impl Phase {
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Introducing(_) => Stage::Introducing,
            Self::Dealing { .. } => Stage::Dealing,
            Self::Contributing { .. } => Stage::Contributing,
            Self::Closing(closing) if closing.is_opening => Stage::Opening,
            Self::Closing(closing) if closing.quorum.is_some() => Stage::Unmasking,
            Self::Closing(_) => Stage::Voting,
            Self::Over => Stage::Over,
        }
    }

    /// Takes a member's answer, if it is due from it now.
    pub(super) fn take(
        &mut self,
        facts: &RoundFacts,
        from: Place,
        answer: Answer,
    ) -> Result<(), Misstep> {
        let stage = self.stage();
        let sent = answer.name();
        match (self, answer) {
            (Self::Introducing(come), Answer::Introduction(bytes)) if !come.contains_key(&from) => {
                bounded(sent, &bytes, INTRODUCTION_BYTES_MAX)?;
                come.insert(from, bytes);
            }
            (Self::Dealing { cohort, dealt }, Answer::Dealing(dealing))
                if !dealt.contains_key(&from) =>
            {
                dealing::check(facts, cohort, from, &dealing)?;
                dealt.insert(from, dealing);
            }
            (Self::Contributing { signatures, .. }, Answer::Contribution(signature))
                if !signatures.contains_key(&from) =>
            {
                check_signature(&signature)?;
                signatures.insert(from, signature);
            }
            (Self::Closing(closing), answer) => return closing.take(facts, from, answer),
            _ => {
                let due = stage.due();
                return Err(Misstep::OutOfOrder { sent, due });
            }
        }
        Ok(())
    }

    /// Whether nothing is waited for from this member at this stage.
    pub(super) fn has_answered(&self, facts: &RoundFacts, place: Place) -> bool {
        match self {
            Self::Introducing(come) => come.contains_key(&place),
            Self::Dealing { dealt, .. } => dealt.contains_key(&place),
            Self::Contributing { added, .. } => added.contains(&place),
            Self::Closing(closing) => closing.has_answered(facts, place),
            Self::Over => true,
        }
    }

    /// Whether what came from this member counts although it is gone: what others already build on.
    pub(super) fn counts(&self, place: Place) -> bool {
        match self {
            Self::Introducing(_) | Self::Dealing { .. } | Self::Over => false,
            Self::Contributing { added, .. } => added.contains(&place),
            Self::Closing(Closing {
                quorum: None,
                votes,
                ..
            }) => votes.contains_key(&place),
            Self::Closing(closing) => closing.unmaskings.contains_key(&place),
        }
    }
}

impl Closing {
    fn take(&mut self, facts: &RoundFacts, from: Place, answer: Answer) -> Result<(), Misstep> {
        let sent = answer.name();
        let has_voted = self.votes.contains_key(&from);
        match answer {
            Answer::Vote(signature) if !has_voted => {
                check_signature(&signature)?;
                self.votes.insert(from, signature);
                Ok(())
            }
            Answer::Unmasking(sealed)
                if has_voted
                    && from != facts.recipient
                    && self.quorum.is_some()
                    && !self.unmaskings.contains_key(&from) =>
            {
                bounded(sent, &sealed, UNMASKING_BYTES_MAX)?;
                let kept = if self.is_opening { Vec::new() } else { sealed };
                self.unmaskings.insert(from, kept);
                Ok(())
            }
            Answer::Opened if self.is_opening && from == facts.recipient => {
                self.is_opened = true;
                Ok(())
            }
            _ => {
                let due = match has_voted {
                    true => "the answer to the coordinator's last step",
                    false => Stage::Voting.due(),
                };
                Err(Misstep::OutOfOrder { sent, due })
            }
        }
    }

    fn has_answered(&self, facts: &RoundFacts, place: Place) -> bool {
        let has_voted = self.votes.contains_key(&place);
        let reads = place == facts.recipient;
        match (&self.quorum, self.is_opening) {
            (_, true) => !reads || self.is_opened,
            (Some(_), false) if reads => has_voted,
            (Some(_), false) => self.unmaskings.contains_key(&place),
            (None, false) => has_voted,
        }
    }
}

fn check_signature(signature: &[u8]) -> Result<(), Misstep> {
    match signature.len() {
        SIGNATURE_BYTES => Ok(()),
        other => Err(Misstep::Signature(other)),
    }
}
