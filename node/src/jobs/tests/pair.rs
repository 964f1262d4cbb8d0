//! Two nodes, a coordinator that only carries, and sessions over a line in memory.

use super::bench::{Clock, Node};
use super::question::{CUSTOMERS_POLICY, USERS_POLICY, customers, users};
use crate::jobs::{RunGrant, RunTerms};
use entente_protocols::channel::{Totals, Transport, memory_transports};
use entente_wire::canonical::Digest;
use entente_wire::link_speed::LinkSpeed;
use entente_wire::problem::Problem;
use entente_wire::seal::JobHash;
use entente_wire::session::{Contribution, Opening, SessionNonce, Transcript, id_key, session_id};
use entente_wire::sign::{Kind, Record};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// What a session gives a run to talk over.
pub(super) type Lanes = Vec<Box<dyn Transport + Send>>;

/// Lines in memory see by themselves that the other end is gone: nobody has to hang up.
pub(super) fn over(transports: Lanes) -> crate::session::Lanes {
    crate::session::Lanes {
        transports,
        hang_up: Box::new(|| ()),
    }
}

/// Two linked nodes with data and policies.
pub(super) struct Pair {
    pub(super) bank: Node,
    pub(super) pay: Node,
    pub(super) clock: Clock,
}

impl Pair {
    pub(super) fn new() -> Self {
        Self::with(CUSTOMERS_POLICY, USERS_POLICY)
    }

    pub(super) fn with(customers_policy: &str, users_policy: &str) -> Self {
        Self::of([(&customers(), customers_policy), (&users(), users_policy)])
    }

    /// The bank's customers and the platform's users, each with its policy.
    pub(super) fn of([customers, users]: [(&str, &str); 2]) -> Self {
        let clock = Clock::new();
        let (bank, pay) = (
            Node::new("north-bank", &clock),
            Node::new("river-pay", &clock),
        );
        bank.link(&pay);
        pay.link(&bank);
        bank.publish("customers", customers.0, customers.1);
        pay.publish("users", users.0, users.1);
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
        self.submitted_over(yaml, None)
    }

    /// The same where the bank's node measured the link.
    pub(super) fn submitted_over(&mut self, yaml: &str, link: Option<LinkSpeed>) -> JobHash {
        let view = self.bank.jobs().submit(yaml, link).expect("submits");
        self.deliver();
        view.hash
    }

    pub(super) fn clock_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// A job approved by everybody, delivered.
    pub(super) fn ready(&mut self, yaml: &str) -> JobHash {
        self.ready_over(yaml, None)
    }

    /// The same where the bank's node measured the link.
    pub(super) fn ready_over(&mut self, yaml: &str, link: Option<LinkSpeed>) -> JobHash {
        let job = self.submitted_over(yaml, link);
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
        self.run_over(session, vec![Box::new(to_pay)], vec![Box::new(to_bank)])
            .map(drop)
    }

    /// A whole session over the lanes given to each node. Gives the bank's totals.
    pub(super) fn run_over(
        &mut self,
        session: Session,
        at_bank: Lanes,
        at_pay: Lanes,
    ) -> Result<Totals, Problem> {
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
        let heard = |node: &Node, opening: &Opening| {
            Record::sign(&node.key, Kind::Opening, &node.org, opening)
        };
        bank.agreed(&dialled, &heard(&self.pay, &answered))?;
        pay.agreed(&admitted, &heard(&self.bank, &asked))?;
        let (ran_bank, ran_pay) = thread::scope(|scope| {
            let answering = scope.spawn(|| pay.run(&admitted, &pay_terms, over(at_pay)));
            let asking = bank.run(&dialled, &bank_terms, over(at_bank));
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
        Ok(bank_totals)
    }

    /// The bank's result as text.
    pub(super) fn result(&self, job: JobHash) -> String {
        let result = self.bank.jobs().result(&job.short()).expect("a result");
        read(&result.path)
    }
}

/// A session that both nodes have opened.
#[derive(Clone)]
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
