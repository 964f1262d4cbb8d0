//! A job: one question, its purpose and its protection, as a data team writes it in YAML.
//!
//! The file is read once, at the asker's node; what travels and is sealed is the canonical form of [`Job`]. Its rules hold on
//! both ways in, so a partner cannot send a job that a file could not have said.

mod attendance;
mod file;
mod rules;

pub use attendance::{Attendance, Dropouts, NotAFraction};

use crate::canonical::Digest;
use crate::flaw::checked;
use crate::names::{ColumnName, JobName, OrgName};
use crate::policy::Epsilon;
use crate::tags;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the job language that this program reads.
pub const JOB_VERSION: u32 = 1;

/// A checked job file. Made from YAML by [`Job::from_yaml`], which refuses unknown fields; canonical from there on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Job {
    /// [`JOB_VERSION`].
    pub entente: u32,
    /// What people call it.
    pub name: JobName,
    /// Why the question is asked, in words.
    pub purpose: String,
    /// On which legal basis, in words.
    pub legal_basis: String,
    /// The SQL question, exactly as written.
    pub ask: String,
    /// Whose tables `"*"` stands for in an aggregation; nobody in a question that joins two parties' tables.
    pub parties: BTreeSet<OrgName>,
    /// Of an aggregation, who has to take part.
    pub aggregate: Option<Attendance>,
    /// How the answer is protected.
    pub protect: Protect,
    /// Who reads the answer.
    pub results_to: BTreeSet<OrgName>,
    /// Seconds since 1970; nothing runs after this.
    pub expires_unix_s: u64,
    /// How many times it may run to completion.
    pub runs: u32,
    /// Domains of group expressions, by output name.
    pub domains: BTreeMap<ColumnName, Vec<String>>,
    /// Caps and scales of measured expressions, by output name.
    pub measures: BTreeMap<ColumnName, Measure>,
}

checked!(Job);

impl Job {
    /// The digest of the job, as it stands in `H`.
    pub fn digest(&self) -> Digest {
        Digest::of_document(tags::JOB, self)
    }

    /// Whether it is one question over the same columns of many parties, and not a join of two.
    pub fn is_aggregation(&self) -> bool {
        !self.parties.is_empty()
    }

    /// Whether the job may no longer run at `now_unix_s`.
    pub fn has_expired(&self, now_unix_s: u64) -> bool {
        now_unix_s >= self.expires_unix_s
    }
}

/// How an answer is protected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protect {
    /// Privacy loss of one run; `None` is written `epsilon: none`, or left out, and needs `noise = "optional"` at every party.
    pub epsilon: Option<Epsilon>,
    /// Smallest group shown; the strictest of this, HAVING and both policies counts.
    pub min_group: Option<u64>,
    /// What the matching withstands, where the author says so; `semi-honest` if not.
    pub security: Option<SecurityChoice>,
    /// Which protocol, where the author insists. [`crate::plan::Matching`] is what comes of both.
    pub protocol: Option<ProtocolChoice>,
}

/// Which cheating a run withstands: chosen by the author, carried out by the plan, sealed and told to approvers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecurityChoice {
    /// The partner's node runs the protocol as written, and looks at everything.
    SemiHonest,
    /// The partner's node sends what it likes; checks end the run.
    Malicious,
}

/// Protocols an author can insist on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProtocolChoice {
    /// The blind join, for aggregates.
    Blind,
    /// VOLE-PSI.
    Vole,
    /// ECDH-PSI over ristretto255.
    Ecdh,
}

/// Cap and scale of a measured expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Values are capped to this range, in units of 10^-scale.
    pub clip: [i64; 2],
    /// Decimals kept.
    pub scale: u8,
}
