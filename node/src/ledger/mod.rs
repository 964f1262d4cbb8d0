//! What this organisation's node knows and has done: a journal of facts that is never rewritten, and a store to read them from.
//!
//! [`Ledger::record`] returns only when the fact is on disk in the journal (`journal`). Everything that is read comes
//! from the store (`store`), which can be deleted at any time and is rebuilt from the journal at the next start.

mod chain;
mod error;
mod fact;
mod journal;
mod keys;
mod store;
#[cfg(test)]
mod tests;

pub use chain::Head;
pub use error::LedgerError;
pub use fact::{
    EpsilonSpent, Fact, Invite, Pin, Refused, ResultFile, RoundBegun, RoundContributed, SessionEnd,
    SessionEnded, SessionOpened, SignedRecord, SurvivorsSigned, Used, Uses,
};

pub use store::{Entry, InviteState, Registered, Spent};

use entente_wire::canonical::{self, Digest};
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::people::{Pins, Registry};
use entente_wire::publication::Publication;
use entente_wire::seal::JobHash;
use journal::Journal;
use serde::de::Error as _;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;

/// The ledger of one home. Cheap to clone; all clones are the same ledger.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    journal: Mutex<Journal>,
    store: Store,
    notes: Vec<String>,
}

impl Drop for Inner {
    /// A store that has not reached the disk would be caught up at the next start, so an error is no loss; but one that has knows which
    /// facts were acknowledged, where sled's own end leaves that to its threads.
    fn drop(&mut self) {
        if let Err(error) = self.store.flush() {
            tracing::warn!("the store was not flushed at the end: {error}");
        }
    }
}

/// The newest verified registry of every linked partner and of this organisation.
#[derive(Debug, Clone, Default)]
pub struct PinnedRegistries(BTreeMap<OrgName, Registry>);

impl Pins for PinnedRegistries {
    fn registry(&self, org: &OrgName) -> Option<&Registry> {
        self.0.get(org)
    }
}

/// A published dataset and the record that says so.
#[derive(Debug, Clone)]
pub struct Published {
    /// As signed.
    pub record: SignedRecord,
    /// Its body.
    pub publication: Publication,
}

impl Ledger {
    /// Opens the ledger under `home` (`journal/` and `state/`), locks it, and brings the store up to the journal.
    pub fn open(home: &Path) -> Result<Self, LedgerError> {
        let (journal, mut notes) = Journal::open(&home.join("journal"))?;
        let folder = home.join("state");
        let (store, note) = Store::open(&folder)?;
        notes.extend(note);
        let (store, note) = catch_up(&journal, store, &folder)?;
        notes.extend(note);
        for note in &notes {
            tracing::warn!("{note}");
        }
        let inner = Inner {
            journal: Mutex::new(journal),
            store,
            notes,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// What was repaired when the ledger was opened, in words.
    pub fn notes(&self) -> &[String] {
        &self.inner.notes
    }

    /// Writes one fact. When this returns, the fact is on disk. Blocks for one disk flush.
    pub fn record(&self, now_unix_ms: u64, fact: Fact) -> Result<Head, LedgerError> {
        self.record_after(now_unix_ms, |_, _| fact)
            .map(|(head, _)| head)
    }

    /// Writes one fact that speaks of the journal's head just before it, and of how many approvals were given before:
    /// nothing can come in between.
    pub fn record_after(
        &self,
        now_unix_ms: u64,
        make: impl FnOnce(Head, u64) -> Fact,
    ) -> Result<(Head, Fact), LedgerError> {
        let mut journal = self.journal();
        let fact = make(journal.head(), self.inner.store.approvals_given()?);
        let entry = Entry {
            at_unix_ms: now_unix_ms,
            fact,
        };
        let head = journal.append(&canonical::to_bytes(&entry))?;
        // From here on the fact holds: a store that fails now is behind and catches up at the next start.
        self.inner.store.apply(head, &entry)?;
        Ok((head, entry.fact))
    }

    /// Where the journal stands.
    pub fn head(&self) -> Head {
        self.journal().head()
    }

    /// All linked partners.
    pub fn partners(&self) -> Result<Vec<Pin>, LedgerError> {
        self.inner.store.partners()
    }

    /// One linked partner.
    pub fn partner(&self, org: &OrgName) -> Result<Option<Pin>, LedgerError> {
        self.inner.store.partner(org)
    }

    /// An invite that this node made, by its token's digest.
    pub fn invite(&self, token_hash: &Digest) -> Result<Option<InviteState>, LedgerError> {
        self.inner.store.invite(token_hash)
    }

    /// The newest registry of `org`, ours or a partner's, as signed.
    pub fn registry(&self, org: &OrgName) -> Result<Option<SignedRecord>, LedgerError> {
        self.inner.store.registry(org)
    }

    /// The newest registries of everybody, to verify statements with.
    pub fn pins(&self) -> Result<PinnedRegistries, LedgerError> {
        let records = self.inner.store.registries()?;
        let registries = records.iter().filter_map(store::registry_body);
        Ok(PinnedRegistries(
            registries
                .map(|registry| (registry.org.clone(), registry))
                .collect(),
        ))
    }

    /// Our registered datasets.
    pub fn datasets(&self) -> Result<Vec<Registered>, LedgerError> {
        self.inner.store.datasets()
    }

    /// One of our registered datasets.
    pub fn dataset(&self, name: &DatasetName) -> Result<Option<Registered>, LedgerError> {
        self.inner.store.dataset(name)
    }

    /// The newest publication of every dataset, ours and our partners'.
    pub fn publications(&self) -> Result<Vec<Published>, LedgerError> {
        Ok(self
            .inner
            .store
            .publications()?
            .into_iter()
            .filter_map(published)
            .collect())
    }

    /// The newest publication of one dataset.
    pub fn publication(
        &self,
        org: &OrgName,
        dataset: &DatasetName,
    ) -> Result<Option<Published>, LedgerError> {
        Ok(self
            .inner
            .store
            .publication(org, dataset)?
            .and_then(published))
    }

    /// Whether this record was refused before.
    pub fn was_refused(&self, digest: &Digest) -> Result<bool, LedgerError> {
        self.inner.store.refused(digest)
    }

    /// When sessions over our `dataset` with `peer` were opened, oldest first, not before `since_unix_ms`.
    pub fn sessions_over_ours(
        &self,
        dataset: &DatasetName,
        peer: &OrgName,
        since_unix_ms: u64,
    ) -> Result<Vec<u64>, LedgerError> {
        self.inner.store.spent_of_ours(dataset, peer, since_unix_ms)
    }

    /// When sessions of ours over `peer`'s `dataset` were opened, oldest first, not before `since_unix_ms`.
    pub fn sessions_over_theirs(
        &self,
        peer: &OrgName,
        dataset: &DatasetName,
        since_unix_ms: u64,
    ) -> Result<Vec<u64>, LedgerError> {
        self.inner
            .store
            .spent_of_theirs(peer, dataset, since_unix_ms)
    }

    /// Privacy losses of our `dataset` to `peer`, oldest first, not before `since_unix_ms`.
    pub fn losses_over_ours(
        &self,
        dataset: &DatasetName,
        peer: &OrgName,
        since_unix_ms: u64,
    ) -> Result<Vec<Spent>, LedgerError> {
        self.inner
            .store
            .losses_of_ours(dataset, peer, since_unix_ms)
    }

    /// Privacy losses of `peer`'s `dataset` to us, oldest first, not before `since_unix_ms`.
    pub fn losses_over_theirs(
        &self,
        peer: &OrgName,
        dataset: &DatasetName,
        since_unix_ms: u64,
    ) -> Result<Vec<Spent>, LedgerError> {
        self.inner
            .store
            .losses_of_theirs(peer, dataset, since_unix_ms)
    }

    /// Everything about one job, in order.
    pub fn job(&self, job: &JobHash) -> Result<Vec<Entry>, LedgerError> {
        self.inner.store.job(job)
    }

    /// Everything about all jobs, job by job, each in order.
    pub fn jobs(&self) -> Result<Vec<Entry>, LedgerError> {
        self.inner.store.jobs()
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        // A panic while holding the lock leaves the journal whole: its head moves only after the record is on disk.
        self.inner
            .journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn published(record: SignedRecord) -> Option<Published> {
    let publication = store::body(&record)?;
    Some(Published {
        record,
        publication,
    })
}

/// Brings the store up to the journal, rebuilding it where it does not belong to this journal.
fn catch_up(
    journal: &Journal,
    store: Store,
    folder: &Path,
) -> Result<(Store, Option<String>), LedgerError> {
    let applied = store.applied()?.unwrap_or_else(Head::genesis);
    let head = journal.head();
    if applied.sequence > head.sequence {
        return Err(LedgerError::Shortened {
            found: head.sequence,
            acknowledged: applied.sequence,
        });
    }
    let mut same = applied == Head::genesis();
    journal.read(applied.sequence.saturating_sub(1), &mut |head, _| {
        same = same || head == applied;
        Ok(())
    })?;
    let (store, applied, note) = if same {
        (store, applied, None)
    } else {
        let (store, note) = store.reopen_empty(folder, "it belongs to another journal")?;
        (store, Head::genesis(), Some(note))
    };
    journal.read(applied.sequence, &mut |head, body| {
        let unreadable = |source| LedgerError::Unreadable {
            sequence: head.sequence,
            source,
        };
        let entry: Entry = serde_json::from_slice(body).map_err(unreadable)?;
        if canonical::to_bytes(&entry) != body {
            let source = serde_json::Error::custom("it has parts that this version does not know");
            return Err(unreadable(source));
        }
        store.apply(head, &entry)
    })?;
    store.flush()?;
    Ok((store, note))
}
