//! What each fact becomes in the store.

use super::{Entry, InviteState, Registered, Spent, Store, body};
use crate::ledger::chain::Head;
use crate::ledger::error::LedgerError;
use crate::ledger::fact::{Fact, Uses};
use crate::ledger::keys;
use entente_wire::canonical::{self, Digest};
use entente_wire::local::DatasetReport;
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::publication::Publication;
use serde::Serialize;
use sled::Batch;

impl Store {
    /// Adds to `batch` what `entry`, which brought the journal to `head`, changes.
    pub(super) fn index(
        &self,
        head: Head,
        entry: &Entry,
        batch: &mut Batch,
    ) -> Result<(), LedgerError> {
        match &entry.fact {
            Fact::PartnerLinked(pin) => put(batch, keys::partner(&pin.org), pin),
            Fact::InviteMade(invite) => {
                let state = InviteState {
                    invite: invite.clone(),
                    used_by: None,
                };
                put(batch, keys::invite(&invite.token_hash), &state);
            }
            Fact::InviteUsed { token_hash, by } => self.invite_used(token_hash, by, batch)?,
            Fact::RegistrySeen { record } => put(batch, keys::registry(&record.org), record),
            Fact::DatasetRegistered {
                manifest,
                dataset,
                report,
            } => {
                let registered = Registered {
                    manifest: manifest.clone(),
                    dataset: dataset.clone(),
                    report: report.clone(),
                    surveyed_under: None,
                };
                put(batch, keys::dataset(&report.dataset), &registered);
            }
            Fact::DatasetSurveyed { policy, report } => self.surveyed(policy, report, batch)?,
            Fact::PublicationSeen { record } => {
                if let Some(publication) = body::<Publication>(record) {
                    let dataset = &publication.policy.dataset;
                    put(batch, keys::publication(&record.org, dataset), record);
                }
            }
            Fact::ApprovalGiven { .. } => {
                let given = self.approvals_given()?.saturating_add(1);
                put(batch, keys::APPROVALS_GIVEN.to_vec(), &given);
            }
            Fact::RecordRefused(refused) => put(batch, keys::refused(&refused.digest), refused),
            _ => index_budgets(head, entry, batch),
        }
        if let Some(job) = entry.fact.job() {
            put(batch, keys::job_fact(job, head.sequence), entry);
        }
        Ok(())
    }

    fn invite_used(
        &self,
        token_hash: &Digest,
        by: &OrgName,
        batch: &mut Batch,
    ) -> Result<(), LedgerError> {
        let key = keys::invite(token_hash);
        if let Some(mut state) = self.get::<InviteState>(&key)? {
            state.used_by.get_or_insert_with(|| by.clone());
            put(batch, key, &state);
        }
        Ok(())
    }

    fn surveyed(
        &self,
        policy: &Digest,
        report: &DatasetReport,
        batch: &mut Batch,
    ) -> Result<(), LedgerError> {
        let key = keys::dataset(&report.dataset);
        let Some(mut registered) = self.get::<Registered>(&key)? else {
            return Ok(());
        };
        // A survey of a version that was replaced meanwhile says nothing about the new one.
        if registered.dataset.manifest.digest() == report.version {
            registered.report = report.clone();
            registered.surveyed_under = Some(*policy);
            put(batch, key, &registered);
        }
        Ok(())
    }
}

type OursAndTheirs = (
    fn(&DatasetName, &OrgName) -> String,
    fn(&OrgName, &DatasetName) -> String,
);

/// What an aggregation is booked on: our dataset towards the recipient, or at the recipient everybody else's.
fn used(uses: &Uses, (ours, theirs): OursAndTheirs) -> Vec<String> {
    match uses.reads.as_slice() {
        [] => vec![ours(&uses.dataset, &uses.recipient)],
        reads => reads
            .iter()
            .map(|used| theirs(&used.org, &used.dataset))
            .collect(),
    }
}

/// Books what a fact uses up of which budgets, if it does.
fn index_budgets(head: Head, entry: &Entry, batch: &mut Batch) {
    match &entry.fact {
        Fact::SessionOpened(session) => {
            let ours = keys::ours(&session.dataset, &session.peer);
            let theirs = keys::theirs(&session.peer, &session.peer_dataset);
            spend([ours, theirs], head, entry, &entry.at_unix_ms, batch);
        }
        Fact::EpsilonSpent(loss) => {
            let spent = Spent {
                at_unix_ms: entry.at_unix_ms,
                epsilon: loss.epsilon,
            };
            let ours = keys::loss_of_ours(&loss.dataset, &loss.peer);
            let theirs = keys::loss_of_theirs(&loss.peer, &loss.peer_dataset);
            spend([ours, theirs], head, entry, &spent, batch);
        }
        Fact::RoundBegun(round) => {
            let on = used(&round.uses, (keys::ours, keys::theirs));
            spend(on, head, entry, &entry.at_unix_ms, batch);
        }
        Fact::RoundContributed(contributed) => {
            if let Some(epsilon) = contributed.epsilon {
                let spent = Spent {
                    at_unix_ms: entry.at_unix_ms,
                    epsilon,
                };
                let on = used(
                    &contributed.uses,
                    (keys::loss_of_ours, keys::loss_of_theirs),
                );
                spend(on, head, entry, &spent, batch);
            }
        }
        _ => {}
    }
}

/// Books `what` on all datasets that are used.
fn spend<T: Serialize>(
    on: impl IntoIterator<Item = String>,
    head: Head,
    entry: &Entry,
    what: &T,
    batch: &mut Batch,
) {
    for on in on {
        put(
            batch,
            keys::spent(&on, entry.at_unix_ms, head.sequence),
            what,
        );
    }
}

fn put<T: Serialize>(batch: &mut Batch, key: Vec<u8>, value: &T) {
    batch.insert(key, canonical::to_bytes(value));
}
