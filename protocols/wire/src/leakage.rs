//! The leakage statement: who receives, learns and could get what, made from the plan and signed with the job.
//!
//! It is one page for approvers and depends on the plan, the job and both publications only, so every party derives the same
//! bytes. What holds only as long as somebody is honest is said under that somebody's name, with the words "not prevented"
//! where nothing but contracts stops it. Specification: protocols.md §5 to §8 for what each protocol hides, product.md §4
//! for the form. What is true of one protocol only stands in a file of its own, `ecdh`, `vole`
//! and `blind`; what a table of the blind join opens, in `release`. An aggregation of many parties has a statement of its own, `aggregation`.

mod aggregation;
mod blind;
mod cost;
mod ecdh;
mod outsiders;
mod page;
mod parties;
mod release;
mod runs;
mod vole;

pub use aggregation::aggregation_statement;

use crate::job::Job;
use crate::link_speed::LinkSpeed;
use crate::names::OrgName;
use crate::plan::{Plan, Side};
use crate::problem::Problem;
use crate::publication::Publication;
use crate::seal::{Protocol, not_the_plans};
use serde::{Deserialize, Serialize};

/// One page, for approvers. The same plan gives the same statement at every party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// What will run, a sentence a line: each party's local query, the joint part, thresholds.
    pub runs: Vec<String>,
    /// Who reads the result.
    pub recipients: Vec<OrgName>,
    /// One entry a party, then the coordinator, then an eavesdropper.
    pub observers: Vec<Observer>,
    /// What the protection rests on.
    pub assumptions: Vec<String>,
    /// What a run costs.
    pub cost: Cost,
}

/// What one observer gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observer {
    /// Who.
    pub who: Who,
    /// Bytes that reach it, in words.
    pub receives: Vec<String>,
    /// What it learns by design.
    pub learns: Vec<String>,
    /// What a cheating one could get or break, and what stops it.
    pub cheating: Vec<Cheat>,
}

/// Someone who sees bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Who {
    /// A party of the job.
    Party {
        /// Which.
        org: OrgName,
    },
    /// Each party of an aggregation that is not named.
    OtherParties,
    /// The coordinator.
    Coordinator,
    /// Whoever reads the network.
    Eavesdropper,
}

/// One way to cheat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cheat {
    /// What it could try.
    pub attempt: String,
    /// What stops it, or "not prevented".
    pub stopped_by: String,
}

/// What a run is expected to cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Protocol bytes between the nodes, both directions; exact.
    pub bytes: u64,
    /// Seconds of the protocol with two cores a node over the measured link or a fast one, rounded up; the local queries come on top.
    pub seconds: u64,
    /// Peak memory of the protocol in one node, MiB, rounded up; the local query comes on top.
    pub memory_mib: u64,
    /// The link that the seconds are for, if it was measured.
    pub link: Option<LinkSpeed>,
}

/// What the statement calls everything that nothing but honesty stops.
const NOT_PREVENTED: &str = "not prevented";

/// The statement for `plan`. `publications` stand in the order of [`Plan::sides`]; `protocol` is the plan's with its parameters, and
/// `cost` what a run of it costs at these sizes: of ECDH-PSI [`Cost::of_ecdh`].
///
/// Errors: the protocol is not one of two parties (a defect of the caller).
pub fn statement(
    plan: &Plan,
    job: &Job,
    publications: [&Publication; 2],
    protocol: &Protocol,
    cost: Cost,
) -> Result<Statement, Problem> {
    let [first, second] = &plan.sides;
    let [of_first, of_second] = publications;
    let (receiver, sender) = if first.org == plan.receiver {
        (Party::new(first, of_first), Party::new(second, of_second))
    } else {
        (Party::new(second, of_second), Party::new(first, of_first))
    };
    let run = Run {
        plan,
        job,
        receiver,
        sender,
    };
    let part = match protocol {
        Protocol::Ecdh { .. } => ecdh::part(&run),
        Protocol::Vole(terms) => vole::part(&run, terms),
        Protocol::Blind(terms) => blind::part(&run, terms),
        Protocol::Aggregate(_) => return Err(not_the_plans()),
    };
    let mut observers = vec![parties::receiver(&run, &part), parties::sender(&run, &part)];
    if first.org != plan.receiver {
        observers.reverse();
    }
    observers.extend([outsiders::coordinator(&run), outsiders::eavesdropper(&run)]);
    Ok(Statement {
        runs: runs::lines(&run, &part.name),
        recipients: plan.recipients().into_iter().cloned().collect(),
        observers,
        assumptions: outsiders::assumptions(&run, &part),
        cost,
    })
}

/// One party of a run, with what it has published.
#[derive(Clone, Copy)]
struct Party<'a> {
    side: &'a Side,
    publication: &'a Publication,
}

impl<'a> Party<'a> {
    fn new(side: &'a Side, publication: &'a Publication) -> Self {
        Self { side, publication }
    }

    fn org(&self) -> &'a OrgName {
        &self.side.org
    }

    /// Its published, padded number of ids.
    fn ids(&self) -> u64 {
        self.publication.ids_rounded
    }

    /// Its own conditions on the rows it enters, in canonical text.
    fn conditions(&self) -> Vec<&'a str> {
        let inside = self
            .side
            .derived
            .as_ref()
            .and_then(|derived| derived.filter.as_ref());
        inside
            .into_iter()
            .chain(&self.side.filter)
            .map(|sql| sql.0.as_str())
            .collect()
    }
}

/// Everything the statement is made from.
struct Run<'a> {
    plan: &'a Plan,
    job: &'a Job,
    receiver: Party<'a>,
    sender: Party<'a>,
}

/// What is true of one protocol only.
struct ProtocolPart {
    /// Its name and its public shape.
    name: String,
    /// At R.
    receiver: Role,
    /// At S.
    sender: Role,
    /// What it rests on, first of all what a party is taken to do.
    assumptions: Vec<String>,
}

/// One side of a protocol.
struct Role {
    /// Its messages as this side receives them.
    receives: Vec<String>,
    /// Most ids that this side enters.
    ids_most: u64,
    /// Ways to cheat that this protocol stops or leaves open.
    cheats: Vec<Cheat>,
}

fn cheat(attempt: impl Into<String>, stopped_by: impl Into<String>) -> Cheat {
    Cheat {
        attempt: attempt.into(),
        stopped_by: stopped_by.into(),
    }
}
