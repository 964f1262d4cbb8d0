//! The facts that matter to an organisation: what the journal holds, and all that the store is rebuilt from.
//!
//! A fact says what happened and is never changed or removed. Signed documents are kept byte for byte as they were signed,
//! so that every fact can be proven again years later with public keys alone.

mod round;
mod session;

pub use round::{RoundBegun, RoundContributed, SurvivorsSigned, Used, Uses};
pub use session::{EpsilonSpent, ResultFile, SessionEnd, SessionEnded, SessionOpened};

use crate::data::Dataset;
use entente_wire::approval::SignedDecision;
use entente_wire::canonical::Digest;
use entente_wire::local::DatasetReport;
use entente_wire::names::OrgName;
use entente_wire::problem::Problem;
use entente_wire::seal::JobHash;
use entente_wire::sign::{Kind, PublicKey, Record};
use serde::{Deserialize, Serialize};

/// Something that happened, worth a line in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fact {
    /// A partner was linked, or its address changed. The newest counts.
    PartnerLinked(Pin),
    /// An invite was handed out.
    InviteMade(Invite),
    /// An invite was redeemed; it never works again.
    InviteUsed {
        /// Which invite.
        token_hash: Digest,
        /// By whom.
        by: OrgName,
    },
    /// A registry of people, ours or a partner's, verified under the root key. The newest counts.
    RegistrySeen {
        /// Kind `registry`.
        record: SignedRecord,
    },
    /// A dataset of ours was registered, or a new version of it.
    DatasetRegistered {
        /// Kind `manifest`, signed by our node key.
        manifest: SignedRecord,
        /// The same manifest, and what stays in this node: where the file lies and what its columns hold.
        dataset: Dataset,
        /// What was found in the file.
        report: DatasetReport,
    },
    /// The ids of a dataset were counted under a policy.
    DatasetSurveyed {
        /// Which policy.
        policy: Digest,
        /// What was found; its `version` says in which version of the dataset.
        report: DatasetReport,
    },
    /// A dataset was published, by us or by a partner; verified. The newest of each dataset counts.
    PublicationSeen {
        /// Kind `publication`.
        record: SignedRecord,
    },
    /// A job was submitted, by us or by a partner; its signature verified.
    SubmissionSeen {
        /// `H`.
        job: JobHash,
        /// Kind `submission`.
        record: SignedRecord,
    },
    /// Our node derived the same `H` from its own view: people may be asked.
    JobAgreed {
        /// `H`.
        job: JobHash,
    },
    /// Our node will not take part, or no longer: final.
    JobDeclined {
        /// `H`.
        job: JobHash,
        /// Why.
        problem: Problem,
    },
    /// One of our people decided; the signature verified.
    Decided {
        /// `H`.
        job: JobHash,
        /// The decision and its signature.
        signed: SignedDecision,
    },
    /// Our quorum was met and our node approves. Written before the record leaves.
    ApprovalGiven {
        /// `H`.
        job: JobHash,
        /// Kind `approval`.
        record: SignedRecord,
    },
    /// A partner's node approves; verified.
    ApprovalSeen {
        /// `H`.
        job: JobHash,
        /// Kind `approval`.
        record: SignedRecord,
    },
    /// We reported a step. Written before the record leaves.
    ReportSent {
        /// `H`.
        job: JobHash,
        /// Kind `report`.
        record: SignedRecord,
    },
    /// A partner reported a step; verified.
    ReportSeen {
        /// `H`.
        job: JobHash,
        /// Kind `report`.
        record: SignedRecord,
    },
    /// A session began: this attempt is used up and one run of the budget is spent, whatever comes of it.
    SessionOpened(SessionOpened),
    /// The partner's opening of the session that is on: what it signed that it would use.
    SessionAgreed {
        /// `H`.
        job: JobHash,
        /// Kind `opening`.
        partner: SignedRecord,
    },
    /// A release is about to begin: so much of both datasets' budgets of privacy loss is spent, whatever comes of it.
    EpsilonSpent(EpsilonSpent),
    /// A round of an aggregation began at this node, which never begins it again: this attempt is used up and one run of the budgets is
    /// spent, whatever comes of it.
    RoundBegun(RoundBegun),
    /// This node's numbers are about to leave it in a round: so much of the budgets of privacy loss is spent, whatever comes of it.
    RoundContributed(RoundContributed),
    /// This node is about to sign who is in the sum of a round. It signs nobody else in it, and takes part in no other round of the job:
    /// two sums over different parties would tell the difference.
    SurvivorsSigned(SurvivorsSigned),
    /// A session or a round ended.
    SessionEnded(SessionEnded),
    /// The job failed at this node and is not tried again.
    JobFailed {
        /// `H`.
        job: JobHash,
        /// Why.
        problem: Problem,
    },
    /// The asker took the job back (our own asker; a partner's word is a report).
    JobCancelled {
        /// `H`.
        job: JobHash,
    },
    /// Nothing came of the job before its expiry.
    JobExpired {
        /// `H`.
        job: JobHash,
    },
    /// A record was refused and dropped.
    RecordRefused(Refused),
}

impl Fact {
    /// The job that the fact belongs to, if it belongs to one.
    pub fn job(&self) -> Option<&JobHash> {
        match self {
            Self::SubmissionSeen { job, .. }
            | Self::JobAgreed { job }
            | Self::JobDeclined { job, .. }
            | Self::Decided { job, .. }
            | Self::ApprovalGiven { job, .. }
            | Self::ApprovalSeen { job, .. }
            | Self::ReportSent { job, .. }
            | Self::ReportSeen { job, .. }
            | Self::SessionAgreed { job, .. }
            | Self::JobFailed { job, .. }
            | Self::JobCancelled { job }
            | Self::JobExpired { job } => Some(job),
            Self::SessionOpened(session) => Some(&session.opening.job),
            Self::EpsilonSpent(loss) => Some(&loss.job),
            Self::RoundBegun(round) => Some(&round.job),
            Self::RoundContributed(contributed) => Some(&contributed.job),
            Self::SurvivorsSigned(signed) => Some(&signed.job),
            Self::SessionEnded(session) => Some(&session.job),
            Self::PartnerLinked(_)
            | Self::InviteMade(_)
            | Self::InviteUsed { .. }
            | Self::RegistrySeen { .. }
            | Self::DatasetRegistered { .. }
            | Self::DatasetSurveyed { .. }
            | Self::PublicationSeen { .. }
            | Self::RecordRefused(_) => None,
        }
    }
}

/// A linked partner: what was pinned when our operators compared the four words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Who.
    pub org: OrgName,
    /// Where its node listens.
    pub address: String,
    /// SHA-256 of the root certificate's public key.
    pub root_fingerprint: Digest,
    /// The root key itself; verifies the partner's registries.
    pub root_key: PublicKey,
    /// The four check words, as shown at linking.
    pub words: String,
}

/// An invite as its maker remembers it: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// Digest of the one-time token.
    pub token_hash: Digest,
    /// For whom.
    pub org: OrgName,
    /// Until when, seconds since 1970.
    pub expires_unix_s: u64,
}

/// A record that was refused: enough to see who sent what, not the thing itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// In whose name it came.
    pub org: OrgName,
    /// What it claimed to be.
    pub kind: Kind,
    /// Digest over kind, organisation and body.
    pub digest: Digest,
    /// Why.
    pub problem: Problem,
}

/// A signed record as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRecord {
    /// What it carries.
    pub kind: Kind,
    /// Who signed.
    pub org: OrgName,
    /// Canonical JSON, byte for byte.
    pub body: String,
    /// 128 hexadecimal digits.
    pub signature: String,
}

impl From<&Record> for SignedRecord {
    /// Bodies that verified are JSON, so UTF-8; anything else would not verify again and is kept readable only.
    fn from(record: &Record) -> Self {
        Self {
            kind: record.kind,
            org: record.org.clone(),
            body: String::from_utf8_lossy(&record.body).into_owned(),
            signature: hex::encode(&record.signature),
        }
    }
}

impl From<&SignedRecord> for Record {
    fn from(stored: &SignedRecord) -> Self {
        Self {
            kind: stored.kind,
            org: stored.org.clone(),
            body: stored.body.clone().into_bytes(),
            signature: hex::decode(&stored.signature).unwrap_or_default(),
        }
    }
}
