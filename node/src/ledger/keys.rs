//! Keys of the store. They sort in the order in which they are read; names hold no `/`.

use entente_wire::canonical::Digest;
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::seal::JobHash;

pub(super) const PARTNER: &[u8] = b"partner/";
pub(super) const REGISTRY: &[u8] = b"registry/";
pub(super) const DATASET: &[u8] = b"dataset/";
pub(super) const PUBLICATION: &[u8] = b"publication/";
pub(super) const JOB: &[u8] = b"job/";
pub(super) const APPROVALS_GIVEN: &[u8] = b"approvals-given";

pub(super) fn partner(org: &OrgName) -> Vec<u8> {
    [PARTNER, org.as_str().as_bytes()].concat()
}

pub(super) fn registry(org: &OrgName) -> Vec<u8> {
    [REGISTRY, org.as_str().as_bytes()].concat()
}

pub(super) fn invite(token_hash: &Digest) -> Vec<u8> {
    [b"invite/".as_slice(), &token_hash.0].concat()
}

pub(super) fn dataset(name: &DatasetName) -> Vec<u8> {
    [DATASET, name.as_str().as_bytes()].concat()
}

pub(super) fn publication(org: &OrgName, dataset: &DatasetName) -> Vec<u8> {
    let parts = [
        PUBLICATION,
        org.as_str().as_bytes(),
        b"/",
        dataset.as_str().as_bytes(),
    ];
    parts.concat()
}

pub(super) fn refused(digest: &Digest) -> Vec<u8> {
    [b"refused/".as_slice(), &digest.0].concat()
}

pub(super) fn ours(dataset: &DatasetName, peer: &OrgName) -> String {
    format!("spent/ours/{dataset}/{peer}/")
}

pub(super) fn theirs(peer: &OrgName, dataset: &DatasetName) -> String {
    format!("spent/theirs/{peer}/{dataset}/")
}

pub(super) fn loss_of_ours(dataset: &DatasetName, peer: &OrgName) -> String {
    format!("lost/ours/{dataset}/{peer}/")
}

pub(super) fn loss_of_theirs(peer: &OrgName, dataset: &DatasetName) -> String {
    format!("lost/theirs/{peer}/{dataset}/")
}

pub(super) fn spent(on: &str, at_unix_ms: u64, sequence: u64) -> Vec<u8> {
    let parts = [
        on.as_bytes(),
        &at_unix_ms.to_be_bytes(),
        &sequence.to_be_bytes(),
    ];
    parts.concat()
}

pub(super) fn job(job: &JobHash) -> Vec<u8> {
    [JOB, &job.0.0].concat()
}

pub(super) fn job_fact(of: &JobHash, sequence: u64) -> Vec<u8> {
    [job(of).as_slice(), &sequence.to_be_bytes()].concat()
}
