//! A record as the coordinator files it: what it is about and who may file it.
//!
//! Bodies are read without checking signatures: the coordinator holds no keys that anybody believes in. What it does know is
//! who is calling, by the TLS handshake, and nobody files in another's name.

use crate::limits::SIGNATURE_BYTES;
use crate::rounds::{RoundFacts, Senseless};
use crate::states::JobFacts;
use entente_wire::approval::NodeApproval;
use entente_wire::limits::{DOCUMENT_BYTES_MAX, PARTIES_MAX};
use entente_wire::names::OrgName;
use entente_wire::people::Registry;
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::Publication;
use entente_wire::report::{Report, Step};
use entente_wire::rpc::record::v1 as rpc;
use entente_wire::seal::{JobHash, Protocol, Seal};
use entente_wire::sign::{Kind, Record, SignError};
use entente_wire::submission::Submission;
use std::fmt;
use std::sync::Arc;

/// Where a record is filed. A newer record with the same key takes the place of the older.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordKey(String);

impl RecordKey {
    /// For the store.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// What of a record's content the coordinator uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// The organisation itself: its registry, or one of its publications.
    Organisation,
    /// A job begins.
    Submission(JobHash, JobFacts),
    /// A party approves a job.
    Approval(JobHash),
    /// A party tells a step.
    Report(JobHash, u32, Step),
}

/// A filed record.
pub(crate) struct Filed {
    pub(crate) key: RecordKey,
    pub(crate) org: OrgName,
    pub(crate) about: About,
    pub(crate) record: rpc::Record,
    pub(crate) filed_unix_s: u64,
}

impl Filed {
    /// What it counts against its organisation's limit.
    pub(crate) fn bytes(&self) -> usize {
        self.record.body.len() + self.record.signature.len() + self.key.0.len()
    }

    /// The job it is about.
    pub(crate) fn job(&self) -> Option<JobHash> {
        match self.about {
            About::Organisation => None,
            About::Submission(job, _) | About::Approval(job) | About::Report(job, ..) => Some(job),
        }
    }

    /// Reads what `caller` hands in.
    pub(crate) fn read(
        record: rpc::Record,
        caller: &OrgName,
        now_unix_s: u64,
    ) -> Result<Self, Problem> {
        if record.org != caller.as_str() {
            let claimed: String = record.org.chars().take(80).collect();
            let why = format!("it is in the name of \"{claimed}\"");
            return Err(refused(caller, why));
        }
        if record.body.len() > DOCUMENT_BYTES_MAX {
            let got = record.body.len();
            let why = format!("it has {got} bytes; at most {DOCUMENT_BYTES_MAX} are allowed");
            return Err(refused(caller, why));
        }
        if record.signature.len() != SIGNATURE_BYTES {
            return Err(refused(caller, "its signature has not 64 bytes"));
        }
        let parsed = Record::try_from(record.clone()).map_err(|error| refused(caller, error))?;
        let (key, about) = subject(&parsed)?;
        Ok(Self {
            key,
            org: parsed.org,
            about,
            record,
            filed_unix_s: now_unix_s,
        })
    }
}

fn subject(record: &Record) -> Result<(RecordKey, About), Problem> {
    let org = &record.org;
    let bad = |error: SignError| refused(org, error);
    let key = |kind: Kind, rest: &dyn fmt::Display| RecordKey(format!("{kind}/{org}/{rest}"));
    match record.kind {
        Kind::Registry => {
            let registry: Registry = record.read_unverified(record.kind).map_err(bad)?;
            own(org, &registry.org)?;
            Ok((key(record.kind, &""), About::Organisation))
        }
        Kind::Publication => {
            let publication: Publication = record.read_unverified(record.kind).map_err(bad)?;
            own(org, &publication.org)?;
            let dataset = &publication.policy.dataset;
            Ok((key(record.kind, dataset), About::Organisation))
        }
        Kind::Submission => {
            let submission: Submission = record.read_unverified(record.kind).map_err(bad)?;
            let (job, facts) = job(org, submission)?;
            Ok((key(record.kind, &job), About::Submission(job, facts)))
        }
        Kind::Approval => {
            let approval: NodeApproval = record.read_unverified(record.kind).map_err(bad)?;
            own(org, &approval.org)?;
            let job = approval.job;
            Ok((key(record.kind, &job), About::Approval(job)))
        }
        Kind::Report => {
            let Report {
                job, attempt, step, ..
            } = record.read_unverified(record.kind).map_err(bad)?;
            let rest = format!("{job}/{attempt}/{step:?}");
            Ok((key(record.kind, &rest), About::Report(job, attempt, step)))
        }
        Kind::Decision | Kind::Opening | Kind::Transcript | Kind::Manifest => Err(refused(
            org,
            "a record of this kind is not for the coordinator",
        )),
    }
}

/// A submission speaks for its asker and covers its own text; otherwise one member could take another's job hash.
fn job(org: &OrgName, submission: Submission) -> Result<(JobHash, JobFacts), Problem> {
    let hash = submission.hash();
    let Submission { job, seal } = submission;
    own(org, &seal.asker)?;
    if seal.job != job.digest() {
        return Err(refused(org, "its seal is over another job text"));
    }
    if !seal.parties.contains_key(org) || seal.parties.len() > PARTIES_MAX {
        return Err(refused(
            org,
            "its asker is no party, or there are too many parties",
        ));
    }
    let round = round(&seal).map_err(|error| refused(org, error))?;
    let facts = JobFacts {
        asker: seal.asker,
        parties: seal.parties.into_keys().collect(),
        expires_unix_s: job.expires_unix_s,
        round: round.map(Arc::new),
    };
    Ok((hash, facts))
}

/// What the rounds of this job go by, if it has any.
fn round(seal: &Seal) -> Result<Option<RoundFacts>, Senseless> {
    let Protocol::Aggregate(terms) = &seal.protocol else {
        return Ok(None);
    };
    let roster = seal.parties.keys().cloned().collect();
    RoundFacts::read(roster, terms).map(Some)
}

fn own(caller: &OrgName, named: &OrgName) -> Result<(), Problem> {
    if caller == named {
        return Ok(());
    }
    Err(refused(
        caller,
        format!("its body is in the name of {named}"),
    ))
}

/// A record that is not filed, by fault of whoever handed it in.
pub(crate) fn refused(caller: &OrgName, why: impl fmt::Display) -> Problem {
    Problem::partner(
        caller,
        Code::CoordinatorRefused,
        format!("the coordinator did not take a record of {caller}: {why}"),
        "compare the versions of node and coordinator; if they are equal, report this as a defect",
    )
}
