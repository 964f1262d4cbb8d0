//! From a job's text to what people approve: plan, leakage statement and seal, made from this node's own view.
//!
//! The asker derives to submit; every other node derives again and compares. The only inputs from outside are the job itself and the
//! speed of the link, which the asker measured.

use super::aggregate;
use super::life::Derivation;
use super::protocol::{self, Sizes};
use super::view::View;
use entente_wire::job::Job;
use entente_wire::leakage::{self, Cost, Statement};
use entente_wire::link_speed::LinkSpeed;
use entente_wire::names::OrgName;
use entente_wire::plan::{Aggregation, Plan};
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::Publication;
use entente_wire::seal::{self, JobNonce, PartySeal, Protocol, Seal};
use entente_wire::sql::{self, Catalog};
use entente_wire::submission::Submission;

/// What this node makes of a job.
#[derive(Debug, Clone)]
pub(crate) struct Derived {
    pub(crate) planned: Planned,
    pub(crate) statement: Statement,
    pub(crate) seal: Seal,
}

/// What is going to happen: between two nodes, or among many.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "one a job, behind an Arc")]
pub(crate) enum Planned {
    Join(Plan),
    Aggregation(Aggregation),
}

impl Derived {
    /// The plan of a join.
    pub(crate) fn join(&self) -> Result<&Plan, Problem> {
        match &self.planned {
            Planned::Join(plan) => Ok(plan),
            Planned::Aggregation(_) => Err(other_kind("an aggregation was to run as a join")),
        }
    }

    /// The plan of an aggregation.
    pub(crate) fn aggregation(&self) -> Result<&Aggregation, Problem> {
        match &self.planned {
            Planned::Aggregation(plan) => Ok(plan),
            Planned::Join(_) => Err(other_kind("a join was to run as an aggregation")),
        }
    }
}

fn other_kind(what: &str) -> Problem {
    Problem::here(Code::Defect, what, "report this with the node's log")
}

/// Plans `job` and derives its seal for the `link` that the asker measured; all problems found, not only the first.
pub(crate) fn derive(
    job: &Job,
    asker: &OrgName,
    nonce: JobNonce,
    link: Option<LinkSpeed>,
    view: &View,
) -> Result<Derived, Vec<Problem>> {
    if job.runs != 1 {
        let what = format!(
            "the job asks for {} runs; this version runs a job once",
            job.runs
        );
        return Err(vec![Problem::request(
            Code::NotInThisVersion,
            what,
            "write `runs: 1`",
        )]);
    }
    match job.is_aggregation() {
        true => aggregation(job, asker, nonce, view),
        false => join(job, asker, nonce, link, view),
    }
}

fn join(
    job: &Job,
    asker: &OrgName,
    nonce: JobNonce,
    link: Option<LinkSpeed>,
    view: &View,
) -> Result<Derived, Vec<Problem>> {
    let plan = sql::plan(job, asker, view)?;
    let [first, second] = &plan.sides;
    let publications = [
        publication(view, &first.org, &first.dataset)?,
        publication(view, &second.org, &second.dataset)?,
    ];
    let (protocol, cost) = agreed(&plan, link, publications)?;
    let statement = leakage::statement(&plan, job, publications, &protocol, cost)
        .map_err(|problem| vec![problem])?;
    let seal = seal::derive(
        job,
        asker,
        nonce,
        &plan,
        publications,
        &protocol,
        &statement,
    )
    .map_err(|problem| vec![problem])?;
    Ok(Derived {
        planned: Planned::Join(plan),
        statement,
        seal,
    })
}

fn aggregation(
    job: &Job,
    asker: &OrgName,
    nonce: JobNonce,
    view: &View,
) -> Result<Derived, Vec<Problem>> {
    let plan = sql::aggregation(job, asker, view)?;
    let publications = plan
        .sides
        .iter()
        .map(|side| publication(view, &side.org, &side.dataset))
        .collect::<Result<Vec<_>, _>>()?;
    let sealed = || {
        let (protocol, cost) = aggregate::agreed(&plan, &publications, view)?;
        let statement = leakage::aggregation_statement(&plan, job, &publications, &protocol, cost)?;
        let seal = seal::derive_aggregation(
            job,
            asker,
            nonce,
            &plan,
            &publications,
            &protocol,
            &statement,
        )?;
        Ok((statement, seal))
    };
    let (statement, seal) = sealed().map_err(|problem: Problem| vec![problem])?;
    Ok(Derived {
        planned: Planned::Aggregation(plan),
        statement,
        seal,
    })
}

/// The plan's protocol with its parameters at these sizes, and what a run costs.
fn agreed(
    plan: &Plan,
    link: Option<LinkSpeed>,
    publications: [&Publication; 2],
) -> Result<(Protocol, Cost), Vec<Problem>> {
    let [first, second] = publications.map(|publication| publication.ids_rounded);
    let (receiver_ids, sender_ids) = match publications[0].org == plan.receiver {
        true => (first, second),
        false => (second, first),
    };
    let sizes = Sizes {
        receiver: receiver_ids,
        sender: sender_ids,
    };
    protocol::agreed(plan, sizes, link).map_err(|problem| vec![problem])
}

fn publication<'a>(
    view: &'a View,
    org: &OrgName,
    dataset: &entente_wire::names::DatasetName,
) -> Result<&'a Publication, Vec<Problem>> {
    view.publication(org, dataset)
        .ok_or_else(|| vec![unpublished(org, &dataset.to_string())])
}

/// Compares this node's own derivation with the asker's seal. The derivation is there unless it waits for a publication or
/// cannot be made at all.
pub(crate) fn compare(
    submission: &Submission,
    own: &OrgName,
    view: &View,
) -> (Derivation, Option<Derived>) {
    let seal = &submission.seal;
    for (org, sealed) in &seal.parties {
        let problem = match view.publication(org, &sealed.dataset) {
            None => unpublished(org, sealed.dataset.as_str()),
            Some(publication) if PartySeal::of(publication) != *sealed => {
                republished(org, sealed, publication)
            }
            Some(_) => continue,
        };
        let derivation = if org == own {
            Derivation::Differs(problem)
        } else {
            Derivation::Waits(problem)
        };
        return (derivation, None);
    }
    let link = seal.protocol.link();
    match derive(&submission.job, &seal.asker, seal.nonce, link, view) {
        Ok(derived) => match derived.seal.compare(seal) {
            Ok(()) => (Derivation::Same, Some(derived)),
            Err(problem) => (Derivation::Differs(problem), Some(derived)),
        },
        Err(problems) => {
            let first = problems.into_iter().next().unwrap_or_else(|| {
                let what = format!("the job cannot be planned at {own}");
                Problem::here(Code::Defect, what, "report this with both nodes' versions")
            });
            (Derivation::Differs(first), None)
        }
    }
}

fn unpublished(org: &OrgName, dataset: &str) -> Problem {
    let what = format!("this node holds no publication of {org}'s dataset {dataset}");
    Problem::partner(
        org,
        Code::DatasetUnknown,
        what,
        "publish the dataset, then submit the job again",
    )
}

fn republished(org: &OrgName, sealed: &PartySeal, held: &Publication) -> Problem {
    let now = PartySeal::of(held);
    let part = if now.policy != sealed.policy {
        "policy"
    } else if now.schema != sealed.schema {
        "schema"
    } else {
        "published size"
    };
    let what = format!(
        "{org}'s {part} of {} is not the one that the job was sealed with",
        sealed.dataset
    );
    let todo = "submit the job again; it has to be approved anew";
    Problem::partner(org, Code::JobDiffers, what, todo)
}
