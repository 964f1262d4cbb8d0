//! What a node answers to its own people: the documents behind `--json`.

use crate::canonical::Digest;
use crate::leakage::Statement;
use crate::names::{ColumnName, DatasetName, OrgName, PersonName, Role};
use crate::policy::{Epsilon, IdKind, Policy, Verb};
use crate::problem::Problem;
use crate::publication::{ColumnType, Publication};
use crate::seal::JobHash;
use crate::submission::Submission;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The node at a glance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// Whose node.
    pub org: OrgName,
    /// Where partners reach it: the bound address.
    pub listen: String,
    /// SHA-256 of the root certificate's public key.
    pub root_fingerprint: String,
    /// Whether the coordinator's watch is up.
    pub coordinator_connected: bool,
    /// Why it is not, where one is configured.
    pub coordinator_problem: Option<Problem>,
    /// Linked partners.
    pub partners: Vec<Partner>,
}

/// A new invite.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InviteLine {
    /// `entente-inv1:…`, to be handed over out of band.
    pub invite: String,
    /// For whom.
    pub org: OrgName,
    /// Until when, seconds since 1970.
    pub expires_unix_s: u64,
}

/// A linked partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Partner {
    /// Who.
    pub org: OrgName,
    /// Where its node listens.
    pub address: String,
    /// Pinned root fingerprint.
    pub root_fingerprint: String,
    /// The four check words, the same at both sides.
    pub words: String,
    /// Version of its people registry that we hold.
    pub registry_version: u64,
    /// Set by `join`: why the partner could not reach this node's own address.
    pub reverse_problem: Option<Problem>,
}

/// A registered dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetReport {
    /// Name.
    pub dataset: DatasetName,
    /// File.
    pub path: String,
    /// Digest of the signed manifest.
    pub version: Digest,
    /// Rows in the file.
    pub rows: u64,
    /// Inferred types of all columns in the file, in order.
    pub columns: Vec<(ColumnName, ColumnType)>,
    /// What became of each id column's rows.
    pub ids: Vec<IdReport>,
    /// Whether a policy is published for it, and which version.
    pub published_version: Option<u64>,
}

impl DatasetReport {
    /// Ids that can enter any job by whichever id column is published: what a publication rounds up to its grid, and the size that a list of
    /// any of them is padded to.
    pub fn enterable_ids(&self, policy: &Policy) -> u64 {
        let published = self
            .ids
            .iter()
            .filter(|id| policy.columns.contains_key(&id.column));
        published
            .filter_map(IdReport::enterable_ids)
            .max()
            .unwrap_or(0)
    }
}

/// What became of the rows under one id column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdReport {
    /// Which column.
    pub column: ColumnName,
    /// How its ids are written.
    pub kind: IdKind,
    /// Rows with a usable id.
    pub usable_rows: u64,
    /// Rows whose id cannot be used, by reason.
    pub rejected_rows: BTreeMap<String, u64>,
    /// Different usable ids.
    pub distinct_ids: u64,
    /// Ids that have a row without consent; known once a policy names the consent column.
    pub non_consenting_ids: Option<u64>,
    /// Ids whose rows differ and cannot be ordered by `latest`; known with a policy.
    pub conflicting_ids: Option<u64>,
    /// Ids that can enter a job; known with a policy.
    pub eligible_ids: Option<u64>,
}

impl IdReport {
    /// Ids that can enter any job, also one that collapses an event table, in which rows of an id differ and do not conflict.
    pub fn enterable_ids(&self) -> Option<u64> {
        let eligible = self.eligible_ids?;
        Some(eligible.saturating_add(self.conflicting_ids.unwrap_or(0)))
    }
}

/// What a policy check found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Dataset.
    pub dataset: DatasetName,
    /// What stands in the way of publishing; empty when it is ready.
    pub problems: Vec<Problem>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Set after publishing.
    pub publication: Option<Publication>,
}

/// What a partner may do with a column, and which line of the policy says so.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ColumnExplanation {
    /// Dataset.
    pub dataset: DatasetName,
    /// Column.
    pub column: ColumnName,
    /// Partner.
    pub to: OrgName,
    /// For each verb: allowed or not, and why, in words.
    pub verbs: BTreeMap<Verb, (bool, String)>,
}

/// A published dataset in the catalogue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CatalogEntry {
    /// The publication.
    pub publication: Publication,
    /// What we may do, by column.
    pub for_us: BTreeMap<ColumnName, Vec<Verb>>,
    /// Job runs left in the running 30 days with us; for our own datasets none.
    pub jobs_left_30d: Option<u64>,
    /// Privacy loss left in the running 365 days with us; for our own datasets none.
    #[serde(default)]
    pub epsilon_left_year: Option<Epsilon>,
}

/// The outcome of `job check`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobCheck {
    /// Which rule refuses what, and who could change it; empty when the job can be submitted.
    pub problems: Vec<Problem>,
    /// What will run, in words; only without problems.
    pub summary: Option<String>,
}

/// One job as this node sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobView {
    /// `H`.
    pub hash: JobHash,
    /// `J-…`.
    pub id: String,
    /// Its author's name for it.
    pub name: String,
    /// Who asks.
    pub asker: OrgName,
    /// All parties.
    pub parties: Vec<OrgName>,
    /// Where it stands.
    pub state: JobState,
    /// Whose approvals are missing: organisation, and roles still possible.
    pub waiting_for: Vec<Waiting>,
    /// While running, and after.
    pub progress: Option<Progress>,
    /// Why it failed, was declined or denied.
    pub problem: Option<Problem>,
    /// Rows of the result, at the receiver.
    pub result_rows: Option<u64>,
    /// Groups not shown because they are smaller than allowed, at the receiver.
    pub suppressed_groups: Option<u64>,
    /// Of an aggregation that is over, the parties whose numbers are in its table.
    pub summed_parties: Option<Vec<OrgName>>,
    /// Where the result lies at this node, if it is for this organisation.
    pub result_path: Option<String>,
}

/// Approvals that are missing at one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// At whom.
    pub org: OrgName,
    /// How many more different roles.
    pub need: u32,
    /// Roles that could still approve.
    pub of: Vec<Role>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Sent; not every node has seen it yet.
    Submitted,
    /// People have to approve.
    AwaitingApprovals,
    /// All approvals are there and verified.
    Ready,
    /// A session is on.
    Running,
    /// Ended well.
    Done,
    /// Ended in a fault, a denial or a decline.
    Failed,
    /// Taken back by the asker.
    Cancelled,
    /// Not finished before its expiry.
    Expired,
}

impl JobState {
    /// Nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Failed | Self::Cancelled | Self::Expired
        )
    }
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Which attempt.
    pub attempt: u32,
    /// Stage in words: `reading`, `connecting`, `matching`, `writing`.
    pub stage: String,
    /// Rows of this stage done.
    pub rows_done: u64,
    /// Rows of this stage in all, when known.
    pub rows_total: Option<u64>,
    /// Bytes sent to the partner so far.
    pub sent_bytes: u64,
    /// Bytes received from the partner so far.
    pub received_bytes: u64,
    /// Milliseconds since all approvals were there.
    pub elapsed_ms: u64,
    /// Expected milliseconds to the end, when it can be told.
    pub eta_ms: Option<u64>,
    /// Finished stages with their wall time in milliseconds.
    pub stages_ms: Vec<(String, u64)>,
}

/// One job that waits for a decision of this organisation's people.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InboxItem {
    /// The job as this node sees it.
    pub job: JobView,
    /// Text and seal: a person's client takes `H` from these bytes itself.
    pub submission: Submission,
    /// Who learns what, as this node derived it.
    pub statement: Statement,
    /// Who has decided here so far.
    pub decided: Vec<PersonName>,
}
