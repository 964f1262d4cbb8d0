//! All parties' approvals of one job, checked: the only way to a [`VerifiedApproval`], and so to anybody's data.
//!
//! Nothing here trusts the sender. Keys and people come from [`Pins`], the quorum from the very policy that `H` covers, the time
//! from the caller. Every approval that was handed in has to hold: one that does not is not skipped, because a set in which
//! something is wrong was made by somebody who wanted something.

use super::{Ballot, NodeApproval, Verdict};
use crate::canonical::Digest;
use crate::job::Job;
use crate::names::OrgName;
use crate::people::{Pins, Registry};
use crate::policy::Quorum;
use crate::problem::{Code, Problem, Side};
use crate::seal::{JobHash, PartySeal, Seal};
use crate::sign::{Kind, PublicKey, Record};
use crate::sql::Catalog;
use crate::submission::Submission;
use std::collections::{BTreeMap, BTreeSet};

/// Proof that every party's people and node approved one job. Made only by [`verify`]; its fields cannot be set from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedApproval {
    submission: Submission,
    hash: JobHash,
    approvals: BTreeMap<OrgName, Digest>,
}

impl VerifiedApproval {
    /// The approved job.
    pub fn job(&self) -> &Job {
        &self.submission.job
    }

    /// What `H` was taken over.
    pub fn seal(&self) -> &Seal {
        &self.submission.seal
    }

    /// `H`.
    pub fn hash(&self) -> JobHash {
        self.hash
    }

    /// Who asks.
    pub fn asker(&self) -> &OrgName {
        &self.submission.seal.asker
    }

    /// What was approved of `org`'s data, if it takes part.
    pub fn party(&self, org: &OrgName) -> Option<&PartySeal> {
        self.submission.seal.parties.get(org)
    }

    /// The node approvals it rests on, as digests of their records.
    pub fn approvals(&self) -> &BTreeMap<OrgName, Digest> {
        &self.approvals
    }

    /// Whether it still holds at `now_unix_s`: to be asked again before each run.
    pub fn check_time(&self, now_unix_s: u64) -> Result<(), Problem> {
        check_time(self.job(), self.hash, now_unix_s)
    }
}

/// Checks `approvals`, exactly one node approval of each party, of `submission` against the publications and keys held here.
pub fn verify(
    submission: &Submission,
    catalog: &dyn Catalog,
    pins: &dyn Pins,
    approvals: &[Record],
    now_unix_s: u64,
) -> Result<VerifiedApproval, Problem> {
    let hash = submission.hash();
    if !submission.is_whole() {
        return Err(Problem::partner(
            &submission.seal.asker,
            Code::JobDiffers,
            format!(
                "the seal of {} is over another job text than the one sent",
                hash.short()
            ),
            "submit the job again",
        ));
    }
    submission.seal.check_parties(&submission.job)?;
    check_time(&submission.job, hash, now_unix_s)?;
    let records = one_each(submission, approvals)?;
    let mut keys = BTreeSet::new();
    let mut digests = BTreeMap::new();
    for (org, party) in &submission.seal.parties {
        let record = records.get(org).ok_or_else(|| missing(hash, &[org]))?;
        for key in speakers(hash, party, catalog, pins, record)? {
            if !keys.insert(key) {
                return Err(refused(
                    org,
                    format!("a key at {org} also speaks for another party"),
                ));
            }
        }
        digests.insert(org.clone(), record.digest());
    }
    Ok(VerifiedApproval {
        submission: submission.clone(),
        hash,
        approvals: digests,
    })
}

/// Checks one party's node approval of `submission` by itself, as it comes in: [`verify()`] still has to see them all together.
pub fn check_one(
    submission: &Submission,
    catalog: &dyn Catalog,
    pins: &dyn Pins,
    record: &Record,
) -> Result<(), Problem> {
    let org = &record.org;
    let hash = submission.hash();
    let party = submission.seal.parties.get(org).ok_or_else(|| {
        let reason = format!("{org} takes no part in {}", hash.short());
        refused(org, reason)
    })?;
    speakers(hash, party, catalog, pins, record).map(drop)
}

/// The keys that spoke in one party's node approval, once all of it holds.
fn speakers(
    hash: JobHash,
    party: &PartySeal,
    catalog: &dyn Catalog,
    pins: &dyn Pins,
    record: &Record,
) -> Result<Vec<PublicKey>, Problem> {
    let registry = pinned(pins, &record.org)?;
    let quorum = quorum(catalog, &record.org, party)?;
    let approval = read(record, hash, registry)?;
    count(approval, hash, quorum, registry)
}

fn check_time(job: &Job, hash: JobHash, now_unix_s: u64) -> Result<(), Problem> {
    if !job.has_expired(now_unix_s) {
        return Ok(());
    }
    Err(Problem::request(
        Code::JobExpired,
        format!(
            "{} expired {} s ago",
            hash.short(),
            now_unix_s - job.expires_unix_s
        ),
        "submit it again with a later `expires`; it has to be approved anew",
    ))
}

/// The approvals by organisation: each a party, none twice, none missing.
fn one_each<'a>(
    submission: &Submission,
    approvals: &'a [Record],
) -> Result<BTreeMap<&'a OrgName, &'a Record>, Problem> {
    let parties = &submission.seal.parties;
    let mut records = BTreeMap::new();
    for record in approvals {
        let org = &record.org;
        if !parties.contains_key(org) {
            return Err(refused(
                org,
                format!("{org} takes no part in {}", submission.hash().short()),
            ));
        }
        if records.insert(org, record).is_some() {
            return Err(refused(
                org,
                format!("{org}'s node approval stands there twice"),
            ));
        }
    }
    let absent: Vec<&OrgName> = parties
        .keys()
        .filter(|org| !records.contains_key(org))
        .collect();
    if absent.is_empty() {
        Ok(records)
    } else {
        Err(missing(submission.hash(), &absent))
    }
}

fn pinned<'a>(pins: &'a dyn Pins, org: &OrgName) -> Result<&'a Registry, Problem> {
    pins.registry(org).ok_or_else(|| {
        Problem::here(
            Code::PartnerUnknown,
            format!("{org} is not linked with this node, so its approvals prove nothing here"),
            format!("link it first: `entente invite {org}`"),
        )
    })
}

/// The quorum of the policy that `H` covers; a policy that changed since voids the job.
fn quorum<'a>(
    catalog: &'a dyn Catalog,
    org: &OrgName,
    party: &PartySeal,
) -> Result<&'a Quorum, Problem> {
    let side = || Side::Partner { org: org.clone() };
    let publication = catalog.publication(org, &party.dataset).ok_or_else(|| {
        let what = format!("{org} has published no dataset {}", party.dataset);
        Problem::new(
            Code::DatasetUnknown,
            side(),
            what,
            "wait for the publication, or ask the partner",
        )
    })?;
    if PartySeal::of(publication) != *party {
        return Err(Problem::new(
            Code::JobDiffers,
            side(),
            format!(
                "{org} has published another version of {} since the job was submitted",
                party.dataset
            ),
            "submit the job again; it has to be approved anew",
        ));
    }
    Ok(&publication.policy.approvers)
}

fn read(record: &Record, hash: JobHash, registry: &Registry) -> Result<NodeApproval, Problem> {
    let org = &record.org;
    let approval: NodeApproval = record
        .open(Kind::Approval, registry.node_key)
        .map_err(|error| refused(org, error.to_string()))?;
    if approval.org != *org {
        return Err(refused(org, format!("it is given for {}", approval.org)));
    }
    if approval.job != hash {
        return Err(refused(
            org,
            format!("it approves {}, not {}", approval.job.short(), hash.short()),
        ));
    }
    if approval.registry_version > registry.version {
        return Err(Problem::partner(
            org,
            Code::ApprovalsMissing,
            format!(
                "{org} approved under version {} of its registry of people; version {} is the newest known here",
                approval.registry_version, registry.version
            ),
            "wait until the newer registry has arrived",
        ));
    }
    Ok(approval)
}

/// Counts one party's decisions and gives the keys that spoke. People and keys are those of the newest registry, whatever
/// version the approval was given under, so that a person removed since does not count.
fn count(
    approval: NodeApproval,
    hash: JobHash,
    quorum: &Quorum,
    registry: &Registry,
) -> Result<Vec<PublicKey>, Problem> {
    let org = &registry.org;
    let side = Side::Partner { org: org.clone() };
    let mut ballot = Ballot::new(hash, quorum, registry);
    for signed in approval.decisions {
        if signed.decision.verdict == Verdict::Deny {
            return Err(refused(
                org,
                format!("it carries {}'s denial", signed.decision.person),
            ));
        }
        ballot
            .add(signed)
            .map_err(|refusal| refusal.into_problem(side.clone()))?;
    }
    if !ballot.is_met() {
        let open: Vec<String> = ballot
            .open_roles()
            .iter()
            .map(ToString::to_string)
            .collect();
        let what = format!(
            "{} of the {} approvals that its policy needs are missing; still open: {}",
            ballot.missing(),
            quorum.need,
            open.join(", ")
        );
        return Err(refused(org, what));
    }
    let people = ballot
        .decisions()
        .iter()
        .filter_map(|signed| registry.people.get(&signed.decision.person));
    Ok(people
        .map(|person| person.key)
        .chain(std::iter::once(registry.node_key))
        .collect())
}

fn refused(org: &OrgName, reason: String) -> Problem {
    Problem::partner(
        org,
        Code::ApprovalRefused,
        format!("{org}'s approval was refused: {reason}"),
        "ask the partner to approve this job with its own people and node",
    )
}

fn missing(hash: JobHash, orgs: &[&OrgName]) -> Problem {
    let names: Vec<&str> = orgs.iter().map(|org| org.as_str()).collect();
    Problem::new(
        Code::ApprovalsMissing,
        Side::Request,
        format!(
            "{} is not approved yet by {}",
            hash.short(),
            names.join(", ")
        ),
        "wait for their people, or remind them",
    )
}
