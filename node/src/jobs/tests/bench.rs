//! Two nodes of one process: real ledgers, real files, real signatures; the clock, chance and the coordinator are the test's.

use crate::jobs::{Jobs, RunGrant, Setting, Surroundings};
use crate::ledger::{Fact, Ledger, Pin, SignedRecord};
use entente_wire::approval::{PersonDecision, SignedDecision, Verdict};
use entente_wire::canonical::{Digest, to_bytes};
use entente_wire::local::{JobState, JobView};
use entente_wire::names::OrgName;
use entente_wire::people::{Person, Registry};
use entente_wire::policy::Policy;
use entente_wire::problem::Problem;
use entente_wire::seal::JobHash;
use entente_wire::sign::{Kind, Record, Signer};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;

/// When everything begins: 2026-09-21.
pub(super) const T0_MS: u64 = 1_790_000_000_000;
/// One hour.
pub(super) const HOUR_MS: u64 = 3_600_000;
/// People of each organisation and their roles.
pub(super) const PEOPLE: [(&str, &str); 4] = [
    ("li", "data-owner"),
    ("mei", "compliance"),
    ("ming", "compliance"),
    ("sam", "intern"),
];

pub(super) fn org(name: &str) -> OrgName {
    name.parse().expect("a name")
}

pub(super) fn new_signer() -> Signer {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("keys can be made");
    Signer::from_pkcs8(document.as_ref()).expect("a key just made")
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    /// A new one, at [`T0_MS`].
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(T0_MS)))
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

/// One organisation's node, without ports.
pub(super) struct Node {
    pub(super) home: TempDir,
    pub(super) org: OrgName,
    pub(super) key: Arc<Signer>,
    pub(super) root: Arc<Signer>,
    pub(super) people: BTreeMap<&'static str, Signer>,
    pub(super) clock: Clock,
    pub(super) running: Option<Up>,
    /// No two starts of any two nodes draw the same randomness.
    starts: u32,
}

/// What is there only while the node runs.
pub(super) struct Up {
    pub(super) jobs: Jobs,
    pub(super) ledger: Ledger,
    pub(super) outgoing: Receiver<Record>,
    pub(super) dials: Receiver<RunGrant>,
}

impl Node {
    pub(super) fn new(name: &str, clock: &Clock) -> Self {
        let mut node = Self {
            home: tempfile::tempdir().expect("a temporary folder"),
            org: org(name),
            key: Arc::new(new_signer()),
            root: Arc::new(new_signer()),
            people: PEOPLE
                .iter()
                .map(|(person, _)| (*person, new_signer()))
                .collect(),
            clock: clock.clone(),
            running: None,
            starts: 0,
        };
        node.start();
        node.jobs()
            .put_registry(node.registry(1))
            .expect("its own registry");
        node
    }

    /// Starts the node, or starts it again.
    pub(super) fn start(&mut self) {
        self.running = None;
        let ledger = Ledger::open(self.home.path()).expect("the ledger opens");
        let (clock, name, draws) = (self.clock.clone(), self.org.clone(), AtomicU64::new(0));
        self.starts += 1;
        let starts = u64::from(self.starts).to_be_bytes();
        let surroundings = Surroundings::new(
            move || clock.0.load(Ordering::Relaxed),
            move || {
                let draw = draws.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                Some(Digest::of("seed", &[name.as_str().as_bytes(), &starts, &draw]).0)
            },
        );
        let jobs = Jobs::open(Setting {
            ledger: ledger.clone(),
            org: self.org.clone(),
            node_key: Arc::clone(&self.key),
            root_key: self.root.public_key(),
            results: self.home.path().join("results"),
            surroundings,
        });
        let jobs = jobs.expect("the jobs fold");
        let outgoing = jobs.outgoing().expect("taken once");
        let dials = jobs.runs_to_dial().expect("taken once");
        self.running = Some(Up {
            jobs,
            ledger,
            outgoing,
            dials,
        });
    }

    pub(super) fn up(&mut self) -> &mut Up {
        self.running.as_mut().expect("the node runs")
    }

    pub(super) fn jobs(&self) -> &Jobs {
        &self.running.as_ref().expect("the node runs").jobs
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.running.as_ref().expect("the node runs").ledger
    }

    /// The registry of its people, signed by its root.
    pub(super) fn registry(&self, version: u64) -> Record {
        let people = PEOPLE.iter().map(|(name, role)| {
            let person = Person {
                role: role.parse().expect("a role"),
                key: self.people[name].public_key(),
            };
            (name.parse().expect("a name"), person)
        });
        let registry = Registry {
            org: self.org.clone(),
            version,
            node_key: self.key.public_key(),
            people: people.collect(),
        };
        Record::sign(&self.root, Kind::Registry, &self.org, &registry)
    }

    /// Pins a partner, as linking does.
    pub(super) fn link(&self, partner: &Self) {
        let pin = Pin {
            org: partner.org.clone(),
            address: "nowhere:1".to_owned(),
            root_fingerprint: Digest([0; 32]),
            root_key: partner.root.public_key(),
            words: "four made up words".to_owned(),
        };
        self.ledger()
            .record(T0_MS, Fact::PartnerLinked(pin))
            .expect("pins");
        let seen = Fact::RegistrySeen {
            record: SignedRecord::from(&partner.registry(1)),
        };
        self.ledger().record(T0_MS, seen).expect("pins");
        self.jobs().ledger_changed().expect("looks again");
    }

    /// Registers a file with mobile numbers and publishes its policy.
    pub(super) fn publish(&self, name: &str, csv: &str, policy: &str) {
        self.publish_by(&[("mobile", "e164(+86)")], name, csv, policy);
    }

    /// Registers a file with these id columns and publishes its policy.
    pub(super) fn publish_by(&self, ids: &[(&str, &str)], name: &str, csv: &str, policy: &str) {
        let path = self.home.path().join(format!("{name}.csv"));
        fs::write(&path, csv).expect("writes");
        let ids = ids.iter().map(|(column, kind)| {
            (
                entente_wire::names::ColumnName((*column).to_owned()),
                (*kind).to_owned().try_into().expect("a kind"),
            )
        });
        let ids: Vec<_> = ids.collect();
        self.jobs()
            .add_dataset(&name.parse().expect("a name"), &path, &ids)
            .expect("registers");
        self.jobs()
            .publish(Policy::from_toml(policy).expect("a policy"))
            .expect("publishes");
    }

    /// A person's signed decision, as that person's own client makes it.
    pub(super) fn decision(
        &self,
        job: JobHash,
        person: &str,
        verdict: Verdict,
    ) -> (Vec<u8>, Vec<u8>) {
        let decision = PersonDecision {
            job,
            org: self.org.clone(),
            person: person.parse().expect("a name"),
            verdict,
            reason: "as agreed".to_owned(),
        };
        let signed = SignedDecision::sign(&self.people[person], decision);
        (to_bytes(&signed.decision), signed.signature.0.to_vec())
    }

    pub(super) fn approve(&self, job: JobHash, person: &str) -> Result<JobView, Problem> {
        let (body, signature) = self.decision(job, person, Verdict::Approve);
        self.jobs().decide(&body, &signature)
    }

    pub(super) fn deny(&self, job: JobHash, person: &str) -> Result<JobView, Problem> {
        let (body, signature) = self.decision(job, person, Verdict::Deny);
        self.jobs().decide(&body, &signature)
    }

    /// Its two roles approve.
    pub(super) fn approve_all(&self, job: JobHash) {
        for person in ["mei", "li"] {
            self.approve(job, person).expect("may approve");
        }
    }

    pub(super) fn state(&self, job: JobHash) -> JobState {
        self.view(job).state
    }

    pub(super) fn view(&self, job: JobHash) -> JobView {
        self.jobs()
            .view(&job.to_string())
            .expect("the job is known")
    }

    /// Records on their way out, all of them.
    pub(super) fn posted(&mut self) -> Vec<Record> {
        let outgoing = &mut self.up().outgoing;
        std::iter::from_fn(|| outgoing.try_recv().ok()).collect()
    }

    /// The run that it wants to dial.
    pub(super) fn dial(&mut self) -> Option<RunGrant> {
        self.up().dials.try_recv().ok()
    }

    /// How many records it has noted as refused.
    pub(super) fn refused(&self, record: &Record) -> bool {
        self.ledger().was_refused(&record.digest()).expect("reads")
    }
}

/// Some digest.
pub(super) fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}
