//! One round of an aggregation at this node: the steps of the protocol, each between two messages of the coordinator, and what has to be
//! on disk before each. The shell ([`crate::round`]) carries the messages and keeps the deadlines.
//!
//! The journal holds a round as begun before its keys leave, the privacy loss as spent before the numbers do, and the set of survivors before
//! its signature does. What is held between steps is in memory only: a node that stops has left the round, and joins the next one under another number.

mod blame;
mod budgets;
mod end;
mod journal;
mod messages;
mod ready;

pub(crate) use messages::Answer;

use super::Jobs;
use super::aggregate::{RoundName, member};
use super::grant::RunGrant;
use blame::blame;
use entente_protocols::aggregate::messages::{Survivors, Votes};
use entente_protocols::aggregate::{
    Agreed, Contributed, Dealt, Identity, Introduced, PersistedRound, PersistedSurvivors, Released,
    RoundFault, Signature, Sum, Terms, introduce,
};
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::coordinator::v1::{RoundBoxes, RoundDelivery, round_down::Step as Down};
use entente_wire::sign::Signer;
use messages::Reception;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::sync::Arc;

/// This node in one round. Holds its numbers and its secrets: no `Debug`.
pub(crate) struct Round {
    jobs: Jobs,
    grant: RunGrant,
    /// Who takes part, by place.
    roster: Vec<OrgName>,
    begun: Option<Begun>,
    step: Step,
    rng: ChaCha20Rng,
}

/// A round that has a number.
struct Begun {
    attempt: u32,
    terms: Arc<Terms>,
    /// This organisation's numbers, until they are under masks.
    numbers: Vec<i64>,
    /// Once they are signed.
    survivors: Vec<OrgName>,
}

/// What this node has done last.
enum Step {
    Joined,
    Introduced(Introduced),
    Dealt(Dealt),
    Contributed(Contributed),
    Voted(Agreed, PersistedSurvivors),
    /// At the recipient, with what has come of the opening.
    Released(Box<Released>, Reception),
    /// Done, but for the coordinator's word that the round is over.
    Waits,
    Opened(end::Opened),
    Over,
}

/// The node's key, as the protocol signs with it.
struct NodeIdentity(Arc<Signer>);

impl Identity for NodeIdentity {
    fn sign(&self, message: &[u8]) -> Signature {
        let signature = self.0.sign_protocol_message(message);
        signature
            .expect("the protocol's messages begin with a text and are longer than a digest")
            .0
    }
}

impl Round {
    /// To be joined. No row is read for it before the coordinator begins.
    pub(crate) fn new(jobs: &Jobs, grant: &RunGrant) -> Result<Self, Problem> {
        let plan = grant.derived().aggregation()?;
        Ok(Self {
            roster: plan.sides.iter().map(|side| side.org.clone()).collect(),
            rng: ChaCha20Rng::from_seed(jobs.core.fresh_seed()?),
            jobs: jobs.clone(),
            grant: grant.clone(),
            begun: None,
            step: Step::Joined,
        })
    }

    /// The attempt that this round is, once it has begun.
    pub(crate) fn attempt(&self) -> Option<u32> {
        self.begun.as_ref().map(|begun| begun.attempt)
    }

    /// Takes the coordinator's next message. After a problem the round is over at this node.
    pub(crate) fn take(&mut self, step: Down) -> Result<Answer, Problem> {
        match step {
            Down::Begin(number) => self.begin(number),
            Down::Introductions(boxes) => self.introductions(boxes),
            Down::Delivery(delivery) => self.delivery(delivery),
            Down::Survivors(boxes) => self.survivors(boxes),
            Down::Votes(boxes) => self.votes(boxes),
            Down::Unmaskings(boxes) => self.unmaskings(boxes),
            Down::Words(bytes) => self.words(&bytes),
            Down::End(_) | Down::Heartbeat(_) => Ok(Answer::Nothing),
        }
    }

    /// The coordinator says that everybody who comes is here: this round's keys, once it is on disk that it begins.
    fn begin(&mut self, number: u64) -> Result<Answer, Problem> {
        let Step::Joined = std::mem::replace(&mut self.step, Step::Over) else {
            return Err(out_of_order("began a round in the middle of one"));
        };
        let core = &self.jobs.core;
        let name = RoundName {
            job: self.grant.job(),
            number,
        };
        let attempt = u32::try_from(number).unwrap_or(u32::MAX);
        core.check_due(&self.grant, attempt)?;
        let ready = core.make_ready(&self.grant)?;
        let terms = Arc::new(core.round_terms(&self.grant, name)?);
        core.begin_round(&self.grant, attempt, &terms, &ready)?;
        let me = self.place(&core.own)?;
        let persisted = PersistedRound::begun(&terms);
        let identity = NodeIdentity(Arc::clone(&core.node_key));
        self.begun = Some(Begun {
            attempt,
            terms: Arc::clone(&terms),
            numbers: ready.into_words(),
            survivors: Vec::new(),
        });
        let introduced = introduce(&terms, member(me)?, persisted, &identity, &mut self.rng);
        let (state, introduction) = introduced.map_err(|fault| self.blame(&fault))?;
        self.step = Step::Introduced(state);
        Ok(messages::introduction(&introduction))
    }

    /// Everybody's keys: this node's shares for the others.
    fn introductions(&mut self, boxes: RoundBoxes) -> Result<Answer, Problem> {
        let Step::Introduced(state) = std::mem::replace(&mut self.step, Step::Over) else {
            return Err(out_of_order("sent keys that were not due"));
        };
        let introductions = messages::introductions(boxes, self.terms()?)
            .map_err(|malformed| self.blame(&malformed))?;
        let dealt = state.deal(&introductions, &mut self.rng);
        let (state, dealing) = dealt.map_err(|fault| self.blame(&fault))?;
        self.step = Step::Dealt(state);
        Ok(messages::dealing(&dealing))
    }

    /// The others' shares: this node's numbers under masks.
    fn delivery(&mut self, delivery: RoundDelivery) -> Result<Answer, Problem> {
        let Step::Dealt(state) = std::mem::replace(&mut self.step, Step::Over) else {
            return Err(out_of_order("sent shares that were not due"));
        };
        let delivery = messages::delivery(delivery, self.terms()?)
            .map_err(|malformed| self.blame(&malformed))?;
        let identity = NodeIdentity(Arc::clone(&self.jobs.core.node_key));
        let numbers = self
            .begun
            .as_mut()
            .map(|begun| std::mem::take(&mut begun.numbers));
        let numbers = numbers.ok_or_else(not_begun)?;
        let contributed = state.contribute(&delivery, &numbers, &identity);
        let (state, contribution) = contributed.map_err(|fault| self.blame(&fault))?;
        self.jobs.core.contribute(&self.grant, self.attempt())?;
        self.step = Step::Contributed(state);
        Ok(Answer::Contribution {
            signature: contribution.signature.to_vec(),
            words: contribution.words,
        })
    }

    /// Who is in the sum: this node's signature of it, once it is on disk.
    fn survivors(&mut self, boxes: RoundBoxes) -> Result<Answer, Problem> {
        let Step::Contributed(state) = std::mem::replace(&mut self.step, Step::Over) else {
            return Err(out_of_order("named the survivors before they were due"));
        };
        let me = self.place(&self.jobs.core.own)?;
        let survivors: Survivors = messages::survivors(boxes, member(me)?, self.terms()?)
            .map_err(|malformed| self.blame(&malformed))?;
        let agreed = state.agree(&survivors);
        let (state, record) = agreed.map_err(|fault| self.blame(&fault))?;
        let names = survivors.survivors.iter();
        let names: Vec<OrgName> = names
            .filter_map(|member| self.roster.get(member.index()).cloned())
            .collect();
        self.jobs
            .core
            .sign_survivors(&self.grant, self.attempt(), &names, &record.to_bytes())?;
        let persisted = PersistedSurvivors::written(record);
        let identity = NodeIdentity(Arc::clone(&self.jobs.core.node_key));
        let vote = state.vote(&persisted, &identity);
        let vote = vote.map_err(|fault| self.blame(&fault))?;
        if let Some(begun) = &mut self.begun {
            begun.survivors = names;
        }
        self.step = Step::Voted(state, persisted);
        Ok(messages::vote(&vote))
    }

    /// A quorum of signatures: this node's shares for the recipient, or, at the recipient, its wait for the others'.
    fn votes(&mut self, boxes: RoundBoxes) -> Result<Answer, Problem> {
        let Step::Voted(state, persisted) = std::mem::replace(&mut self.step, Step::Over) else {
            return Err(out_of_order("sent votes that were not due"));
        };
        let votes: Votes =
            messages::votes(boxes, self.terms()?).map_err(|malformed| self.blame(&malformed))?;
        let released = state.release(&persisted, &votes);
        let (state, unmasking) = released.map_err(|fault| self.blame(&fault))?;
        match unmasking {
            Some(unmasking) => {
                self.step = Step::Waits;
                Ok(messages::unmasking(unmasking))
            }
            None => {
                self.step = Step::Released(Box::new(state), Reception::default());
                Ok(Answer::Nothing)
            }
        }
    }

    /// At the recipient: boxes of the others' shares.
    fn unmaskings(&mut self, boxes: RoundBoxes) -> Result<Answer, Problem> {
        let members = self.roster.len();
        match &mut self.step {
            Step::Released(_, reception) => reception
                .take_boxes(boxes, members)
                .map(|()| Answer::Nothing),
            _ => Err(out_of_order("sent shares of others that were not due")),
        }
    }

    /// At the recipient: the next words of the sum; with the last one it is opened.
    fn words(&mut self, bytes: &[u8]) -> Result<Answer, Problem> {
        let Step::Released(_, reception) = &mut self.step else {
            return Err(out_of_order("sent a sum that was not due"));
        };
        let begun = self.begun.as_ref().ok_or_else(not_begun)?;
        let complete = reception.take_words(bytes, messages::words(&begun.terms))?;
        match complete {
            true => self.open(),
            false => Ok(Answer::Nothing),
        }
    }

    fn open(&mut self) -> Result<Answer, Problem> {
        let Step::Released(state, reception) = std::mem::replace(&mut self.step, Step::Over) else {
            return Err(out_of_order("sent a sum that was not due"));
        };
        let opening = reception
            .opening(self.terms()?)
            .map_err(|malformed| self.blame(&malformed))?;
        let sum: Sum = state.open(opening).map_err(|fault| self.blame(&fault))?;
        let begun = self.begun.as_ref().ok_or_else(not_begun)?;
        let opened = self
            .jobs
            .core
            .write_table(&self.grant, begun.attempt, &begun.terms, &sum)?;
        self.step = Step::Opened(opened);
        Ok(Answer::Opened)
    }

    /// The coordinator says that the round is over: recorded, and at the recipient the table gets its name. `bytes`: sent and received. Where
    /// this node had not had its say it is over without it; whether there is a table, the recipient's own signed word tells.
    pub(crate) fn close(&mut self, bytes: [u64; 2]) -> Result<(), Problem> {
        let opened = match std::mem::replace(&mut self.step, Step::Over) {
            Step::Opened(opened) => Some(opened),
            Step::Waits => None,
            Step::Contributed(_) | Step::Voted(..) => return Err(over_without_this_node()),
            _ => return Err(out_of_order("ended the round before it was over")),
        };
        let begun = self.begun.as_ref().ok_or_else(not_begun)?;
        let survivors = begun.survivors.clone();
        self.jobs
            .core
            .round_closed(&self.grant, (begun.attempt, survivors), opened, bytes)
    }

    fn terms(&self) -> Result<&Terms, Problem> {
        self.begun
            .as_ref()
            .map(|begun| begun.terms.as_ref())
            .ok_or_else(not_begun)
    }

    fn place(&self, org: &OrgName) -> Result<usize, Problem> {
        let place = self.roster.iter().position(|member| member == org);
        place.ok_or_else(|| defect("this organisation takes no part in the round"))
    }

    fn blame(&self, fault: &RoundFault) -> Problem {
        blame(fault, &self.roster)
    }
}

fn out_of_order(what: &str) -> Problem {
    Problem::new(
        Code::CoordinatorMisbehaved,
        Side::Coordinator,
        format!("the coordinator {what}"),
        "compare versions with `entente --version`; if they are equal, ask whoever runs the coordinator",
    )
}

/// The others were quicker.
pub(crate) fn over_without_this_node() -> Problem {
    Problem::new(
        Code::PartnerSilent,
        Side::Network,
        "the round ended without this node's last word: the others were enough",
        "nothing; the table's reader tells whether there is one",
    )
}

fn not_current() -> Problem {
    Problem::here(
        Code::JobState,
        "the job ended, or another round of it began, before this round did",
        "see the job's state",
    )
}

fn not_begun() -> Problem {
    defect("a round without a number was to go on")
}

fn defect(what: &str) -> Problem {
    Problem::here(Code::Defect, what, "report this with the node's log")
}
