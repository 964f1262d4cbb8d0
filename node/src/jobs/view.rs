//! What this node holds of everybody: pinned registries and newest publications. Jobs are planned, derived and verified
//! against this and nothing else, never against what a partner or the coordinator says along the way.

use crate::ledger::{Ledger, LedgerError, PinnedRegistries};
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::people::{Pins, Registry};
use entente_wire::publication::Publication;
use entente_wire::sql::Catalog;
use std::collections::BTreeMap;

/// A snapshot of the ledger.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    /// Counts snapshots: what was derived from one of another number may be outdated.
    number: u64,
    registries: PinnedRegistries,
    publications: BTreeMap<OrgName, BTreeMap<DatasetName, Publication>>,
}

impl View {
    pub(crate) fn of(ledger: &Ledger) -> Result<Self, LedgerError> {
        let mut publications: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for published in ledger.publications()? {
            let publication = published.publication;
            let of_org = publications.entry(publication.org.clone()).or_default();
            of_org.insert(publication.policy.dataset.clone(), publication);
        }
        Ok(Self {
            number: 0,
            registries: ledger.pins()?,
            publications,
        })
    }

    /// The ledger as it is now, after `self`.
    pub(crate) fn newer(&self, ledger: &Ledger) -> Result<Self, LedgerError> {
        Ok(Self {
            number: self.number + 1,
            ..Self::of(ledger)?
        })
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// All publications, ours included.
    pub(crate) fn publications(&self) -> impl Iterator<Item = &Publication> {
        self.publications.values().flat_map(BTreeMap::values)
    }
}

impl Catalog for View {
    fn publication(&self, org: &OrgName, dataset: &DatasetName) -> Option<&Publication> {
        self.publications.get(org)?.get(dataset)
    }

    fn orgs(&self) -> Vec<OrgName> {
        self.publications.keys().cloned().collect()
    }
}

impl Pins for View {
    fn registry(&self, org: &OrgName) -> Option<&Registry> {
        self.registries.registry(org)
    }
}
