//! The only door to a dataset's rows for a job: it takes a [`VerifiedApproval`], so no job reads a row that not every party
//! approved, and it refuses a file that is not byte for byte the registered one.

use super::facts::list;
use super::file::{self, DataFile};
use super::ids::IDS_VERSION;
use super::manifest::{Dataset, MANIFEST_VERSION};
use entente_wire::approval::VerifiedApproval;
use entente_wire::canonical::Digest;
use entente_wire::names::ColumnName;
use entente_wire::policy::Policy;
use entente_wire::problem::{Code, Problem};
use entente_wire::tags;
use std::sync::Arc;

/// A dataset that an approved job may read, under the approved policy. Its rows can be read while it lives.
#[derive(Debug)]
pub struct OpenDataset {
    pub(super) dataset: Dataset,
    pub(super) policy: Policy,
    pub(super) file: Arc<DataFile>,
}

/// Opens `dataset` for the job that `approval` proves.
///
/// Errors: the job was approved over another dataset, policy or schema, or the file changed since it was registered (E4007).
pub fn open_dataset(
    approval: &VerifiedApproval,
    dataset: &Dataset,
    policy: &Policy,
) -> Result<OpenDataset, Problem> {
    let policy_digest = Digest::of_document(tags::POLICY, policy);
    let schema_digest = Digest::of_document(tags::SCHEMA, &dataset.schema(policy));
    let approved = approval.seal().parties.values().any(|party| {
        party.dataset == dataset.manifest.dataset
            && party.policy == policy_digest
            && party.schema == schema_digest
    });
    if !approved {
        return Err(Problem::here(
            Code::JobDiffers,
            format!(
                "{} was approved over another policy or other columns of {} than are here now",
                approval.hash().short(),
                dataset.manifest.dataset
            ),
            "submit the job again, so that people approve what is here now",
        ));
    }
    open_unapproved(dataset, policy)
}

/// Everything but the approval. Tests of what comes after begin here.
pub(crate) fn open_unapproved(dataset: &Dataset, policy: &Policy) -> Result<OpenDataset, Problem> {
    let file = Arc::new(DataFile::open(&dataset.path)?);
    check_same(&file, dataset)?;
    Ok(OpenDataset {
        dataset: dataset.clone(),
        policy: policy.clone(),
        file,
    })
}

/// Refuses a file, or rules of reading it, other than at registration.
pub(crate) fn check_same(file: &DataFile, dataset: &Dataset) -> Result<(), Problem> {
    let manifest = &dataset.manifest;
    if (manifest.version, manifest.ids_version) != (MANIFEST_VERSION, IDS_VERSION) {
        return Err(Problem::here(
            Code::DataChanged,
            format!(
                "{} was registered under older rules for reading files and ids",
                manifest.dataset
            ),
            "register it again with `entente data add`",
        ));
    }
    let whole = manifest.columns == Dataset::columns_digest(&dataset.columns);
    if !whole || file.bytes() != manifest.bytes || file.hash()? != manifest.blake3 {
        return Err(file::changed(file.path()));
    }
    file.check_unchanged()
}

/// The column was not registered as an id.
pub(super) fn not_an_id(dataset: &Dataset, column: &ColumnName) -> Problem {
    let ids = dataset.manifest.ids.iter().map(|id| &id.column);
    Problem::here(
        Code::ColumnMissing,
        format!(
            "{} has no registered id column {column}; it has {}",
            dataset.manifest.dataset,
            list(ids)
        ),
        "register the file again and name the column: --id COLUMN=KIND",
    )
}
