//! Two nodes of one process: real ledgers, real files, real signatures; the clock, chance and the coordinator are the test's.

use crate::jobs::{Jobs, RunGrant, RunTerms, Setting, Surroundings};
use crate::ledger::{Fact, Ledger, Pin, SignedRecord};
use entente_protocols::channel::{MemoryTransport, Totals, memory_transports};
use entente_wire::approval::{PersonDecision, SignedDecision, Verdict};
use entente_wire::canonical::{Digest, to_bytes};
use entente_wire::local::{JobState, JobView};
use entente_wire::names::OrgName;
use entente_wire::people::{Person, Registry};
use entente_wire::policy::Policy;
use entente_wire::problem::Problem;
use entente_wire::seal::JobHash;
use entente_wire::session::{Contribution, Opening, SessionNonce, Transcript, id_key, session_id};
use entente_wire::sign::{Kind, Record, Signer};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;

/// When everything begins: 2026-09-21.
pub(super) const T0_MS: u64 = 1_790_000_000_000;
/// One hour.
pub(super) const HOUR_MS: u64 = 3_600_000;
/// Seven days after the beginning.
pub(super) const EXPIRES: &str = "2026-09-28T00:00:00Z";

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
    fn new(name: &str, clock: &Clock) -> Self {
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

    /// Registers a file and publishes its policy.
    pub(super) fn publish(&self, name: &str, csv: &str, policy: &str) {
        let path = self.home.path().join(format!("{name}.csv"));
        fs::write(&path, csv).expect("writes");
        let ids = [("mobile".to_owned(), "e164(+86)".to_owned())];
        let ids = ids.map(|(column, kind)| {
            (
                entente_wire::names::ColumnName(column),
                kind.try_into().expect("a kind"),
            )
        });
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

/// Two linked nodes with data and policies.
pub(super) struct Pair {
    pub(super) bank: Node,
    pub(super) pay: Node,
    pub(super) clock: Clock,
}

/// The bank's customers: number, tier, balance, whether they consent.
pub(super) fn customers() -> String {
    let rows = (0..40).map(|number| {
        let tier = ["gold", "silver", "plain"][number % 3];
        format!("138000000{number:02},{tier},{number}.50,true\n")
    });
    std::iter::once("mobile,tier,balance,consent\n".to_owned())
        .chain(rows)
        .collect()
}

/// The platform's users: every other customer and twenty strangers, in other spellings.
pub(super) fn users() -> String {
    let known = (0..40)
        .step_by(2)
        .map(|number| format!("+86 138 0000 00{number:02},{},true\n", number % 4 == 0));
    let strangers = (0..20).map(|number| format!("139000000{number:02},true,true\n"));
    std::iter::once("mobile,active,consent\n".to_owned())
        .chain(known)
        .chain(strangers)
        .collect()
}

pub(super) const CUSTOMERS_POLICY: &str = r#"
[dataset]
name = "customers"
consent = "consent"
min_group = 3
min_set = 5
budget = { epsilon_per_year = 8.0, jobs_per_30d = 20 }
approvers = { need = 2, of = ["data-owner", "compliance"] }
set_grid = 16
noise = "optional"

[columns.mobile]
id = "e164(+86)"
may = { match = ["river-pay"] }
[columns.tier]
may = { group = ["river-pay"] }
domain = ["gold", "silver", "plain"]
[columns.balance]
may = { sum = ["river-pay"] }
clip = [0, 1000]
scale = 2
"#;

pub(super) const USERS_POLICY: &str = r#"
[dataset]
name = "users"
consent = "consent"
min_group = 3
min_set = 5
budget = { epsilon_per_year = 8.0, jobs_per_30d = 20 }
approvers = { need = 2, of = ["data-owner", "compliance"] }
set_grid = 16
noise = "optional"

[columns.mobile]
id = "e164(+86)"
may = { match = ["north-bank"], reveal = ["north-bank"] }
[columns.active]
may = { filter = ["north-bank"] }
"#;

/// The three questions that this version carries.
pub(super) const REVEAL: &str = "SELECT b.tier, b.balance";
pub(super) const OVERLAP: &str = "SELECT COUNT(*) AS both_hold";
pub(super) const TABLE: &str = "SELECT b.tier, COUNT(*) AS customers, SUM(b.balance) AS total";

/// A job file of the bank's data team.
pub(super) fn job(select: &str, tail: &str) -> String {
    format!(
        r#"entente: 1
name: the-question
purpose: size an offer
legal_basis: consent
ask: |
  {select} FROM "north-bank".customers b JOIN "river-pay".users p ON b.mobile = p.mobile {tail}
protect: {{ epsilon: none, min_group: 3 }}
results_to: [north-bank]
expires: {EXPIRES}
runs: 1
"#
    )
}

impl Pair {
    pub(super) fn new() -> Self {
        Self::with(CUSTOMERS_POLICY, USERS_POLICY)
    }

    pub(super) fn with(customers_policy: &str, users_policy: &str) -> Self {
        let clock = Clock(Arc::new(AtomicU64::new(T0_MS)));
        let (bank, pay) = (
            Node::new("north-bank", &clock),
            Node::new("river-pay", &clock),
        );
        bank.link(&pay);
        pay.link(&bank);
        bank.publish("customers", &customers(), customers_policy);
        pay.publish("users", &users(), users_policy);
        let mut pair = Self { bank, pay, clock };
        pair.deliver();
        pair
    }

    /// Carries records to and fro until there are none.
    pub(super) fn deliver(&mut self) {
        loop {
            let (from_bank, from_pay) = (self.bank.posted(), self.pay.posted());
            if from_bank.is_empty() && from_pay.is_empty() {
                return;
            }
            from_bank
                .into_iter()
                .for_each(|record| self.pay.jobs().on_record(record));
            from_pay
                .into_iter()
                .for_each(|record| self.bank.jobs().on_record(record));
        }
    }

    /// Submits a job at the bank and delivers it.
    pub(super) fn submitted(&mut self, yaml: &str) -> JobHash {
        let view = self.bank.jobs().submit(yaml).expect("submits");
        self.deliver();
        view.hash
    }

    pub(super) fn clock_ms(&self) -> u64 {
        self.clock.0.load(Ordering::Relaxed)
    }

    /// A job approved by everybody, delivered.
    pub(super) fn ready(&mut self, yaml: &str) -> JobHash {
        let job = self.submitted(yaml);
        self.bank.approve_all(job);
        self.pay.approve_all(job);
        self.deliver();
        job
    }

    /// Opens a session of the bank's run at both nodes.
    pub(super) fn open(&mut self) -> Session {
        let dialled = self.bank.dial().expect("a run to dial");
        self.open_again(dialled)
    }

    /// Opens the next attempt of a run.
    pub(super) fn open_again(&mut self, dialled: RunGrant) -> Session {
        let nonces = [SessionNonce([1; 32]), SessionNonce([2; 32])];
        let asked = self
            .bank
            .jobs()
            .opening(&dialled, nonces[0].commitment())
            .expect("opens");
        let admitted = self
            .pay
            .jobs()
            .admit_session(&self.bank.org, &asked)
            .expect("admits");
        let answered = self
            .pay
            .jobs()
            .opening(&admitted, nonces[1].commitment())
            .expect("opens");
        let first = Contribution {
            opening: &asked,
            nonce: &nonces[0],
        };
        let second = Contribution {
            opening: &answered,
            nonce: &nonces[1],
        };
        let (sid, key) = (session_id(first, second), id_key(first, second));
        Session {
            dialled,
            admitted,
            asked,
            answered,
            sid,
            key,
        }
    }

    /// A whole session: both run, both close.
    pub(super) fn run(&mut self, session: Session) -> Result<(), Problem> {
        let (to_pay, to_bank) = memory_transports(Duration::from_secs(60));
        self.run_over(session, to_pay, to_bank)
    }

    pub(super) fn run_over(
        &mut self,
        session: Session,
        to_pay: MemoryTransport,
        to_bank: MemoryTransport,
    ) -> Result<(), Problem> {
        let Session {
            dialled,
            admitted,
            asked,
            answered,
            sid,
            key,
        } = session;
        let terms = |own: &Opening, partner: &Opening| RunTerms {
            sid,
            id_key: key,
            own: own.clone(),
            partner: partner.clone(),
        };
        let (bank_terms, pay_terms) = (terms(&asked, &answered), terms(&answered, &asked));
        let (bank, pay) = (self.bank.jobs().clone(), self.pay.jobs().clone());
        let (ran_bank, ran_pay) = thread::scope(|scope| {
            let answering = scope.spawn(|| pay.run(&admitted, &pay_terms, Box::new(to_bank)));
            let asking = bank.run(&dialled, &bank_terms, Box::new(to_pay));
            (asking, answering.join().expect("no panic"))
        });
        let (bank_outcome, bank_totals) = ran_bank?;
        let (pay_outcome, pay_totals) = ran_pay?;
        let ours = transcript(&asked, &bank_totals);
        let theirs = transcript(&answered, &pay_totals);
        let our_record = Record::sign(&self.bank.key, Kind::Transcript, &self.bank.org, &ours);
        let their_record = Record::sign(&self.pay.key, Kind::Transcript, &self.pay.org, &theirs);
        pay.closed(&admitted, pay_outcome, theirs, &our_record)?;
        bank.closed(&dialled, bank_outcome, ours, &their_record)?;
        self.deliver();
        Ok(())
    }

    /// The bank's result as text.
    pub(super) fn result(&self, job: JobHash) -> String {
        let result = self.bank.jobs().result(&job.short()).expect("a result");
        read(&result.path)
    }
}

/// A session that both nodes have opened.
pub(super) struct Session {
    pub(super) dialled: RunGrant,
    pub(super) admitted: RunGrant,
    pub(super) asked: Opening,
    pub(super) answered: Opening,
    pub(super) sid: Digest,
    pub(super) key: [u8; 32],
}

pub(super) fn transcript(opening: &Opening, totals: &Totals) -> Transcript {
    Transcript {
        job: opening.job,
        attempt: opening.attempt,
        sent: Digest(totals.sent_hash),
        received: Digest(totals.received_hash),
        sent_bytes: totals.sent_bytes,
        received_bytes: totals.received_bytes,
    }
}

pub(super) fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a text file")
}
