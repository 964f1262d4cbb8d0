//! The store: the journal's facts, indexed for reading. A cache in sled, which can lose or spoil it at any time.
//!
//! Every fact is applied in one atomic batch together with the journal head it was read from. At start the store is
//! brought up to the journal: behind, it catches up; damaged, of another layout or of another journal, it is set aside and
//! rebuilt. Ahead of the journal means that the journal lost facts, and the node refuses to start. What each fact becomes is in
//! [`index`].

mod index;

use crate::data::Dataset;
use crate::ledger::chain::Head;
use crate::ledger::error::LedgerError;
use crate::ledger::fact::{Fact, Pin, SignedRecord};
use crate::ledger::journal::disk;
use crate::ledger::keys;
use entente_wire::canonical::{self, Digest};
use entente_wire::local::DatasetReport;
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::people::Registry;
use entente_wire::policy::Epsilon;
use entente_wire::seal::JobHash;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sled::{Batch, Db};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Layout of keys and values; a store of another layout is rebuilt.
const LAYOUT: u32 = 1;
const APPLIED: &[u8] = b"applied";

/// A fact, and when it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since 1970, by this node's clock.
    pub at_unix_ms: u64,
    /// What happened.
    pub fact: Fact,
}

/// Up to where the store has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Applied {
    layout: u32,
    sequence: u64,
    digest: Digest,
}

/// An invite's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteState {
    /// As made.
    pub invite: crate::ledger::fact::Invite,
    /// Who redeemed it.
    pub used_by: Option<OrgName>,
}

/// Privacy loss that was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// When, in milliseconds since 1970.
    pub at_unix_ms: u64,
    /// How much.
    pub epsilon: Epsilon,
}

/// A registered dataset of ours, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The manifest as our node signed it.
    pub manifest: SignedRecord,
    /// Where the file lies and what its columns hold.
    pub dataset: Dataset,
    /// What was found in the file; with counts of eligible ids once it was surveyed.
    pub report: DatasetReport,
    /// Digest of the policy that the report's eligible ids were counted under.
    pub surveyed_under: Option<Digest>,
}

pub(crate) struct Store {
    db: Db,
}

impl Store {
    /// Opens the store in `folder`. Whatever cannot be opened is set aside, and the note says where.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Option<String>), LedgerError> {
        match Self::try_open(folder) {
            Ok(store) => Ok((store, None)),
            Err(why) => {
                let note = set_aside(folder, &why)?;
                let store = Self::try_open(folder).map_err(|_| LedgerError::Disk {
                    doing: "created",
                    path: folder.to_owned(),
                    source: std::io::Error::other("the store cannot be created"),
                })?;
                Ok((store, Some(note)))
            }
        }
    }

    /// Begins anew beside the old files.
    pub(crate) fn reopen_empty(
        self,
        folder: &Path,
        why: &str,
    ) -> Result<(Self, String), LedgerError> {
        drop(self);
        let note = set_aside(folder, why)?;
        let (store, _) = Self::open(folder)?;
        Ok((store, note))
    }

    fn try_open(folder: &Path) -> Result<Self, String> {
        // No flushing by a thread of sled's own: sled 0.34 reads its write buffer in a flush without pinning the epoch that frees it,
        // so that a flush beside another can use memory that was freed. Now only opening and closing flush, each alone, and what
        // a crash takes from the store is in the journal.
        let config = sled::Config::new()
            .path(folder)
            .mode(sled::Mode::LowSpace)
            .flush_every_ms(None);
        // sled reports some damage by panicking; a panic here must cost the cache, not the node.
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        let db = match opened {
            Ok(Ok(db)) => db,
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err("it cannot be read".to_owned()),
        };
        let store = Self { db };
        match store.get::<Applied>(APPLIED) {
            Ok(Some(applied)) if applied.layout != LAYOUT => {
                Err("it has another layout".to_owned())
            }
            Ok(_) => Ok(store),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The journal head that the store has come to.
    pub(crate) fn applied(&self) -> Result<Option<Head>, LedgerError> {
        let applied = self.get::<Applied>(APPLIED)?;
        Ok(applied.map(|applied| Head {
            sequence: applied.sequence,
            digest: applied.digest,
        }))
    }

    /// Applies one entry, which is already in the journal and brought it to `head`.
    pub(crate) fn apply(&self, head: Head, entry: &Entry) -> Result<(), LedgerError> {
        let mut batch = Batch::default();
        self.index(head, entry, &mut batch)?;
        let applied = Applied {
            layout: LAYOUT,
            sequence: head.sequence,
            digest: head.digest,
        };
        batch.insert(APPLIED, canonical::to_bytes(&applied));
        self.db.apply_batch(batch).map_err(store)
    }

    /// Brings everything applied to disk.
    pub(crate) fn flush(&self) -> Result<(), LedgerError> {
        self.db.flush().map(drop).map_err(store)
    }

    pub(crate) fn partner(&self, org: &OrgName) -> Result<Option<Pin>, LedgerError> {
        self.get(&keys::partner(org))
    }

    pub(crate) fn partners(&self) -> Result<Vec<Pin>, LedgerError> {
        self.all(keys::PARTNER)
    }

    pub(crate) fn invite(&self, token_hash: &Digest) -> Result<Option<InviteState>, LedgerError> {
        self.get(&keys::invite(token_hash))
    }

    pub(crate) fn registry(&self, org: &OrgName) -> Result<Option<SignedRecord>, LedgerError> {
        self.get(&keys::registry(org))
    }

    pub(crate) fn registries(&self) -> Result<Vec<SignedRecord>, LedgerError> {
        self.all(keys::REGISTRY)
    }

    pub(crate) fn datasets(&self) -> Result<Vec<Registered>, LedgerError> {
        self.all(keys::DATASET)
    }

    pub(crate) fn dataset(&self, name: &DatasetName) -> Result<Option<Registered>, LedgerError> {
        self.get(&keys::dataset(name))
    }

    pub(crate) fn publications(&self) -> Result<Vec<SignedRecord>, LedgerError> {
        self.all(keys::PUBLICATION)
    }

    pub(crate) fn publication(
        &self,
        org: &OrgName,
        dataset: &DatasetName,
    ) -> Result<Option<SignedRecord>, LedgerError> {
        self.get(&keys::publication(org, dataset))
    }

    pub(crate) fn refused(&self, digest: &Digest) -> Result<bool, LedgerError> {
        self.db.contains_key(keys::refused(digest)).map_err(store)
    }

    pub(crate) fn spent_of_ours(
        &self,
        dataset: &DatasetName,
        peer: &OrgName,
        since_unix_ms: u64,
    ) -> Result<Vec<u64>, LedgerError> {
        self.spent(&keys::ours(dataset, peer), since_unix_ms)
    }

    pub(crate) fn spent_of_theirs(
        &self,
        peer: &OrgName,
        dataset: &DatasetName,
        since_unix_ms: u64,
    ) -> Result<Vec<u64>, LedgerError> {
        self.spent(&keys::theirs(peer, dataset), since_unix_ms)
    }

    pub(crate) fn losses_of_ours(
        &self,
        dataset: &DatasetName,
        peer: &OrgName,
        since_unix_ms: u64,
    ) -> Result<Vec<Spent>, LedgerError> {
        self.spent(&keys::loss_of_ours(dataset, peer), since_unix_ms)
    }

    pub(crate) fn losses_of_theirs(
        &self,
        peer: &OrgName,
        dataset: &DatasetName,
        since_unix_ms: u64,
    ) -> Result<Vec<Spent>, LedgerError> {
        self.spent(&keys::loss_of_theirs(peer, dataset), since_unix_ms)
    }

    fn spent<T: DeserializeOwned>(
        &self,
        on: &str,
        since_unix_ms: u64,
    ) -> Result<Vec<T>, LedgerError> {
        let from = keys::spent(on, since_unix_ms, 0);
        let to = keys::spent(on, u64::MAX, u64::MAX);
        let found = self.db.range(from..=to);
        found.map(|item| read(&item.map_err(store)?.1)).collect()
    }

    pub(crate) fn approvals_given(&self) -> Result<u64, LedgerError> {
        Ok(self.get(keys::APPROVALS_GIVEN)?.unwrap_or(0))
    }

    /// Everything about one job, in order.
    pub(crate) fn job(&self, job: &JobHash) -> Result<Vec<Entry>, LedgerError> {
        self.all(&keys::job(job))
    }

    /// Everything about all jobs, job by job, each in order.
    pub(crate) fn jobs(&self) -> Result<Vec<Entry>, LedgerError> {
        self.all(keys::JOB)
    }

    fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, LedgerError> {
        self.db
            .get(key)
            .map_err(store)?
            .map(|value| read(&value))
            .transpose()
    }

    fn all<T: DeserializeOwned>(&self, prefix: &[u8]) -> Result<Vec<T>, LedgerError> {
        self.db
            .scan_prefix(prefix)
            .map(|item| read(&item.map_err(store)?.1))
            .collect()
    }
}

/// The body of a record that was verified before it was recorded.
pub(crate) fn body<T: Serialize + DeserializeOwned>(record: &SignedRecord) -> Option<T> {
    canonical::from_bytes(record.body.as_bytes()).ok()
}

/// The registry in a record that was verified before it was recorded.
pub(crate) fn registry_body(record: &SignedRecord) -> Option<Registry> {
    body(record)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LedgerError> {
    serde_json::from_slice(bytes).map_err(|_| LedgerError::Store {
        source: sled::Error::Unsupported("a value of the store does not parse".to_owned()),
    })
}

fn store(source: sled::Error) -> LedgerError {
    LedgerError::Store { source }
}

fn set_aside(folder: &Path, why: &str) -> Result<String, LedgerError> {
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("state");
    let aside: PathBuf = (1_u32..)
        .map(|number| folder.with_file_name(format!("{name}.damaged-{number}")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.with_file_name("state.damaged"));
    fs::rename(folder, &aside).map_err(disk("set aside", folder))?;
    Ok(format!(
        "the store was set aside in {} and rebuilt from the journal: {why}",
        aside.display()
    ))
}
