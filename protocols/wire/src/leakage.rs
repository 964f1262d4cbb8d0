//! The leakage statement: who receives, learns and could get what, made from the plan and signed with the job.

use crate::job::Job;
use crate::names::OrgName;
use crate::plan::Plan;
use crate::publication::Publication;
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
    /// Bytes between the nodes, both directions.
    pub bytes: u64,
    /// Seconds on two cores and a local link, rounded up.
    pub seconds: u64,
    /// Peak memory a node, MiB.
    pub memory_mib: u64,
}

/// The statement for `plan`. `publications` stand in the order of [`Plan::sides`].
pub fn statement(plan: &Plan, job: &Job, publications: [&Publication; 2]) -> Statement {
    let _ = (job, publications);
    Statement {
        runs: Vec::new(),
        recipients: vec![plan.receiver.clone()],
        observers: Vec::new(),
        assumptions: Vec::new(),
        cost: Cost {
            bytes: 0,
            seconds: 0,
            memory_mib: 0,
        },
    }
}

impl Statement {
    /// The statement as one page of plain text.
    pub fn page(&self) -> String {
        self.runs.join("\n")
    }
}
