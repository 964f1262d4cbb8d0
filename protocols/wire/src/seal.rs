//! `H`, the job hash: everything that people approve, in one digest. A change to any part at any party voids it.
//!
//! The asker derives a [`Seal`] and sends it with the job; every node derives it again from the job's text and the publications
//! it holds itself, and takes part only if both are the same ([`Seal::compare`] says in which part they are not).

mod protocol;

pub(crate) use protocol::not_the_plans;
pub use protocol::{AggregateTerms, BlindTerms, Protocol, Transfers, VoleTerms};

use crate::canonical::Digest;
use crate::hexadecimal::hexadecimal;
use crate::job::Job;
use crate::leakage::Statement;
use crate::names::{DatasetName, OrgName};
use crate::plan::{self, Aggregation, Plan, Side};
use crate::problem::{Code, Problem};
use crate::publication::Publication;
use crate::tags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What `H` is taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Digest of the canonical job.
    pub job: Digest,
    /// Chosen by the asker; makes two submissions of one text two jobs.
    pub nonce: JobNonce,
    /// Who asks.
    pub asker: OrgName,
    /// [`crate::plan::PLAN_VERSION`].
    pub plan_version: u32,
    /// Digest of the plan.
    pub plan: Digest,
    /// Protocol and parameters.
    pub protocol: Protocol,
    /// Each party's dataset, policy and schema.
    pub parties: BTreeMap<OrgName, PartySeal>,
    /// Digest of the leakage statement.
    pub leakage: Digest,
}

/// What of one party `H` covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartySeal {
    /// The dataset used.
    pub dataset: DatasetName,
    /// Digest of its policy.
    pub policy: Digest,
    /// Digest of its schema.
    pub schema: Digest,
    /// Its published, rounded size.
    pub ids_rounded: u64,
}

hexadecimal! {
    /// 16 random bytes of the asker, written as 32 hexadecimal digits.
    JobNonce, 16
}

/// The job hash `H`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobHash(pub Digest);

/// Derives the seal of a job. `publications` stand in the order of [`Plan::sides`], `protocol` is the plan's with its parameters;
/// the result depends on nothing else than the arguments, so that it is the same at every party.
pub fn derive(
    job: &Job,
    asker: &OrgName,
    nonce: JobNonce,
    plan: &Plan,
    publications: [&Publication; 2],
    protocol: &Protocol,
    statement: &Statement,
) -> Result<Seal, Problem> {
    protocol.check_fit(plan)?;
    let parties = parties(plan.sides.iter().zip(publications))?;
    let plan = Digest::of_document(tags::PLAN, plan);
    sealed((job, asker, nonce), plan, parties, protocol, statement)
}

/// Derives the seal of an aggregation, as [`derive()`] does; `publications` stand in the order of [`Aggregation::sides`].
pub fn derive_aggregation(
    job: &Job,
    asker: &OrgName,
    nonce: JobNonce,
    plan: &Aggregation,
    publications: &[&Publication],
    protocol: &Protocol,
    statement: &Statement,
) -> Result<Seal, Problem> {
    protocol.check_aggregation(plan)?;
    if publications.len() != plan.sides.len() {
        return Err(Problem::here(
            Code::Defect,
            format!(
                "the plan has {} sides and {} publications",
                plan.sides.len(),
                publications.len()
            ),
            "report this with both nodes' versions",
        ));
    }
    let parties = parties(plan.sides.iter().zip(publications.iter().copied()))?;
    let plan = Digest::of_document(tags::AGGREGATION, plan);
    sealed((job, asker, nonce), plan, parties, protocol, statement)
}

fn parties<'a>(
    sides: impl Iterator<Item = (&'a Side, &'a Publication)>,
) -> Result<BTreeMap<OrgName, PartySeal>, Problem> {
    let sealed = sides.map(|(side, publication)| {
        if (&side.org, &side.dataset) != (&publication.org, &publication.policy.dataset) {
            return Err(Problem::here(
                Code::Defect,
                format!(
                    "the publication of {} stands at {}'s side of the plan",
                    publication.org, side.org
                ),
                "report this with both nodes' versions",
            ));
        }
        Ok((side.org.clone(), PartySeal::of(publication)))
    });
    sealed.collect()
}

fn sealed(
    (job, asker, nonce): (&Job, &OrgName, JobNonce),
    plan: Digest,
    parties: BTreeMap<OrgName, PartySeal>,
    protocol: &Protocol,
    statement: &Statement,
) -> Result<Seal, Problem> {
    let seal = Seal {
        job: job.digest(),
        nonce,
        asker: asker.clone(),
        plan_version: plan::PLAN_VERSION,
        plan,
        protocol: protocol.clone(),
        parties,
        leakage: Digest::of_document(tags::LEAKAGE, statement),
    };
    seal.check_parties(job)?;
    Ok(seal)
}

impl PartySeal {
    /// The part of a seal that a publication fixes.
    pub fn of(publication: &Publication) -> Self {
        Self {
            dataset: publication.policy.dataset.clone(),
            policy: publication.policy_digest(),
            schema: publication.schema_digest(),
            ids_rounded: publication.ids_rounded,
        }
    }
}

impl Seal {
    /// `H`.
    pub fn hash(&self) -> JobHash {
        JobHash(Digest::of_document(tags::SEAL, self))
    }

    /// Two different parties, or those that an aggregation names, the asker among them, and only parties read the answer.
    pub(crate) fn check_parties(&self, job: &Job) -> Result<(), Problem> {
        if job.is_aggregation() {
            return self.check_named_parties(job);
        }
        let outsider = job
            .results_to
            .iter()
            .find(|org| !self.parties.contains_key(*org));
        let what = if self.parties.len() != 2 {
            format!(
                "a job joins two organisations' data, this one {}'s",
                self.parties.len()
            )
        } else if !self.parties.contains_key(&self.asker) {
            format!("{} asks, but none of its datasets takes part", self.asker)
        } else if let Some(outsider) = outsider {
            format!("results_to names {outsider}, which takes no part in the job")
        } else {
            return Ok(());
        };
        let todo = "ask about one dataset of your own organisation and one of a partner, and name readers among the two";
        Err(Problem::request(Code::JobFile, what, todo))
    }

    /// An aggregation's parties are those of its text, whose rules name the readers among them.
    fn check_named_parties(&self, job: &Job) -> Result<(), Problem> {
        let what = if !self.parties.keys().eq(&job.parties) {
            "the seal has other parties than the job names".to_owned()
        } else if !self.parties.contains_key(&self.asker) {
            format!("{} asks and is not among `parties`", self.asker)
        } else {
            return Ok(());
        };
        let todo =
            "name all organisations whose tables are added up, your own among them, in `parties`";
        Err(Problem::request(Code::JobFile, what, todo))
    }

    /// Whether the asker's seal is the one derived here, and in which part it is not.
    pub fn compare(&self, theirs: &Self) -> Result<(), Problem> {
        let Some((part, todo)) = self.difference(theirs) else {
            return Ok(());
        };
        Err(Problem::partner(
            &theirs.asker,
            Code::JobDiffers,
            format!(
                "{} sealed another job than this node derives: {part} differs",
                theirs.asker
            ),
            todo,
        ))
    }

    /// The first part that differs, and what to do.
    fn difference(&self, theirs: &Self) -> Option<(String, &'static str)> {
        const UPGRADE: &str =
            "compare versions with `entente --version` and upgrade the older node";
        const AGAIN: &str =
            "wait until both nodes hold the newest publications, then submit the job again";
        let parts = [
            ("the job's text", self.job == theirs.job, AGAIN),
            ("the nonce", self.nonce == theirs.nonce, AGAIN),
            ("the asker", self.asker == theirs.asker, AGAIN),
            (
                "the planner's version",
                self.plan_version == theirs.plan_version,
                UPGRADE,
            ),
            (
                "the set of parties",
                self.parties.keys().eq(theirs.parties.keys()),
                AGAIN,
            ),
        ];
        if let Some((part, _, todo)) = parts.into_iter().find(|(_, same, _)| !same) {
            return Some((part.to_owned(), todo));
        }
        for ((org, ours), theirs) in self.parties.iter().zip(theirs.parties.values()) {
            if let Some(part) = ours.difference(theirs) {
                return Some((format!("{org}'s {part}"), AGAIN));
            }
        }
        // After the sizes, which the protocol's parameters follow.
        if self.protocol != theirs.protocol {
            return Some(("the protocol".to_owned(), UPGRADE));
        }
        if self.plan != theirs.plan {
            return Some(("the plan".to_owned(), UPGRADE));
        }
        (self.leakage != theirs.leakage).then(|| ("the leakage statement".to_owned(), UPGRADE))
    }
}

impl PartySeal {
    fn difference(&self, theirs: &Self) -> Option<&'static str> {
        let parts = [
            ("dataset", self.dataset == theirs.dataset),
            ("policy", self.policy == theirs.policy),
            ("schema", self.schema == theirs.schema),
            ("published size", self.ids_rounded == theirs.ids_rounded),
        ];
        parts
            .into_iter()
            .find(|(_, same)| !same)
            .map(|(part, _)| part)
    }
}

impl JobHash {
    /// What people call the job: `J-` and the first eight hexadecimal digits in upper case.
    pub fn short(&self) -> String {
        format!("J-{}", hex::encode_upper(&self.0.0[..4]))
    }
}

impl fmt::Display for JobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl fmt::Debug for JobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests;
