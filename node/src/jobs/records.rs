//! Signed records of other nodes on their way in, and this node's on their way out.
//!
//! Nothing is believed because of who delivered it: a record counts once its signature verifies under a pinned key, and only
//! where its signer has a say. The coordinator may lose, delay, repeat and reorder records; each is taken in at most once, and
//! one that comes before what it speaks of waits. What is refused gets a line in the journal and is dropped.

use super::{Core, Jobs, Live};
use crate::ledger::{Fact, Refused, SignedRecord};
use entente_wire::names::OrgName;
use entente_wire::people::{Pins, Registry};
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::JobHash;
use entente_wire::sign::{Kind, Record};

/// What became of a record.
pub(super) enum Taken {
    /// New; other records may have waited for it.
    New,
    /// Known already.
    Known,
    /// Speaks of something that is not here yet.
    Early,
}

impl Jobs {
    /// Takes in a record that somebody delivered. Never fails: what cannot be taken is refused and noted.
    pub fn on_record(&self, record: Record) {
        let mut live = self.core.live();
        self.core.take_in(&mut live, record);
    }

    /// Takes in this organisation's own registry of people, signed by its root key, and sends it to the partners.
    pub fn put_registry(&self, record: Record) -> Result<Registry, Problem> {
        let mut live = self.core.live();
        if record.org != self.core.own {
            let what = format!(
                "the registry is {}'s, this node is {}'s",
                record.org, self.core.own
            );
            return Err(Problem::request(
                Code::RegistryRefused,
                what,
                "put it in at its own node",
            ));
        }
        let held = live.view.registry(&record.org);
        let registry = Registry::open(&record, self.core.root_key, held)?;
        if registry.node_key != self.core.node_key.public_key() {
            let what = "the registry names another node key than this node's";
            let todo = "sign the registry again with `entente people` in this node's home";
            return Err(Problem::here(Code::RegistryRefused, what, todo));
        }
        if held != Some(&registry) {
            let fact = Fact::RegistrySeen {
                record: SignedRecord::from(&record),
            };
            self.core.ledger.record(self.core.now_ms(), fact)?;
            self.core.view_changed(&mut live)?;
            self.core.post(record);
        }
        Ok(registry)
    }

    /// Pins or publications were written to the ledger by somebody else (a partner was linked): looks again.
    pub fn ledger_changed(&self) -> Result<(), Problem> {
        let mut live = self.core.live();
        self.core.view_changed(&mut live)?;
        self.core.try_parked(&mut live);
        Ok(())
    }

    /// Everything to post after a (re)connection: the newest registry and publications, and all of every job that can still
    /// move at somebody's node.
    pub fn own_records(&self) -> Result<Vec<Record>, Problem> {
        let core = &self.core;
        let mut records: Vec<SignedRecord> = core.ledger.registry(&core.own)?.into_iter().collect();
        let published = core
            .ledger
            .publications()?
            .into_iter()
            .map(|published| published.record);
        records.extend(published.filter(|record| record.org == core.own));
        let live = core.live();
        let now_s = core.now_ms() / 1_000;
        for tracked in live
            .tracked
            .values()
            .filter(|tracked| !tracked.life.submission().job.has_expired(now_s))
        {
            let life = &tracked.life;
            records.extend(
                Some(life.record())
                    .filter(|record| record.org == core.own)
                    .cloned(),
            );
            records.extend(
                life.approvals()
                    .get(&core.own)
                    .map(|approved| approved.record.clone()),
            );
            records.extend(life.sent().iter().cloned());
        }
        Ok(records.iter().map(Record::from).collect())
    }
}

impl Core {
    fn take_in(&self, live: &mut Live, record: Record) {
        if record.org == self.own {
            // Our own words come back from the coordinator; whatever is in them we know better.
            return;
        }
        match self.try_take(live, &record) {
            Ok(Taken::New) => self.try_parked(live),
            Ok(Taken::Known) => {}
            Ok(Taken::Early) => live.parked.park(record),
            Err(problem) => self.refuse(live, &record, problem),
        }
    }

    /// Tries again what came too early, for as long as something new comes of it.
    pub(super) fn try_parked(&self, live: &mut Live) {
        loop {
            let mut news = false;
            for record in live.parked.take() {
                match self.try_take(live, &record) {
                    Ok(Taken::New) => news = true,
                    Ok(Taken::Known) => {}
                    Ok(Taken::Early) => live.parked.park(record),
                    Err(problem) => self.refuse(live, &record, problem),
                }
            }
            if !news {
                return;
            }
        }
    }

    fn refuse(&self, live: &mut Live, record: &Record, problem: Problem) {
        let (now_ms, digest) = (self.now_ms(), record.digest());
        tracing::warn!(code = %problem.code, from = %record.org, "{}", problem.what);
        if self.ledger.was_refused(&digest).unwrap_or(false)
            || !live.refusals.count(&record.org, now_ms)
        {
            return;
        }
        let refused = Refused {
            org: record.org.clone(),
            kind: record.kind,
            digest,
            problem,
        };
        if let Err(error) = self.ledger.record(now_ms, Fact::RecordRefused(refused)) {
            tracing::error!("a refused record could not be noted: {error}");
        }
    }

    fn try_take(&self, live: &mut Live, record: &Record) -> Result<Taken, Problem> {
        match record.kind {
            Kind::Registry => self.take_registry(live, record),
            Kind::Publication => self.take_publication(live, record),
            Kind::Submission => self.take_submission(live, record),
            Kind::Approval => self.take_approval(live, record),
            Kind::Report => self.take_report(live, record),
            Kind::Decision | Kind::Opening | Kind::Transcript | Kind::Manifest => {
                Err(record.refused("it never travels by itself"))
            }
        }
    }
}

/// The problem of a run whose job was taken back.
pub(super) fn cancelled(job: &JobHash, asker: &OrgName) -> Problem {
    let what = format!("{} was cancelled by {asker}", job.short());
    Problem::partner(
        asker,
        Code::JobState,
        what,
        "nothing; submit it anew if it is still wanted",
    )
}
