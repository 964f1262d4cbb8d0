//! Reveals in their variants: which protocol runs, who reads, and what a broken line leaves to be done.

use super::pair::{Lanes, Pair, Session, read};
use super::question::{CUSTOMERS_POLICY, REVEAL, USERS_POLICY, job};
use entente_protocols::channel::{Transport, memory_transports};
use entente_protocols::fault::{Broken, Fault};
use entente_wire::canonical::Digest;
use entente_wire::local::JobState;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::seal::{JobHash, Protocol};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Published sizes above 2^20 ids: two buckets, whatever is in the files.
const TWO_BUCKETS: &str = "set_grid = 2000000";

fn large() -> Pair {
    let larger = |policy: &str| policy.replace("set_grid = 16", TWO_BUCKETS);
    Pair::with(&larger(CUSTOMERS_POLICY), &larger(USERS_POLICY))
}

fn common_rows() -> String {
    let rows = (0..40).step_by(2);
    let rows = rows.map(|n| format!("{},{n}.50\n", ["gold", "silver", "plain"][n % 3]));
    std::iter::once("tier,balance\n".to_owned())
        .chain(rows)
        .collect()
}

/// Lanes in memory. With `cut`, the number of the message that ends a bucket, every lane of the bank but the first breaks as soon as
/// the first has heard it, so that one bucket is over at both nodes.
pub(super) fn lanes(count: usize, cut: Option<u16>) -> (Lanes, Lanes) {
    let (mut at_bank, mut at_pay): (Lanes, Lanes) = (Vec::new(), Vec::new());
    let over = Arc::new(AtomicBool::new(false));
    for lane in 0..count {
        let (line, to_bank) = memory_transports(Duration::from_secs(60));
        at_pay.push(Box::new(to_bank));
        at_bank.push(match (cut, lane) {
            (None, _) => Box::new(line),
            (Some(closing), 0) => Box::new(Witness {
                line,
                closing,
                over: Arc::clone(&over),
            }),
            (Some(_), _) => Box::new(Cut {
                line,
                over: Arc::clone(&over),
                frames: 0,
            }),
        });
    }
    (at_bank, at_pay)
}

/// Number of the message that ends a bucket of VOLE-PSI.
const CLOSING: u16 = 0x0407;

/// Sees that a bucket is over.
struct Witness<T> {
    line: T,
    closing: u16,
    over: Arc<AtomicBool>,
}

impl<T: Transport> Transport for Witness<T> {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        self.line.send(frame)
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        let frame = self.line.receive()?;
        if frame.starts_with(&self.closing.to_le_bytes()) {
            self.over.store(true, Ordering::Release);
        }
        Ok(frame)
    }
}

/// A line that breaks in the middle of its bucket, once another is over.
struct Cut<T> {
    line: T,
    over: Arc<AtomicBool>,
    frames: usize,
}

impl<T: Transport> Transport for Cut<T> {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        self.line.send(frame)
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        self.frames += 1;
        if self.frames > 5 {
            while !self.over.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            return Err(Broken::Closed.into());
        }
        self.line.receive()
    }
}

fn broken(pair: &Pair, session: &Session, problem: &Problem) {
    let attempt = Some(session.asked.attempt);
    let ended = |jobs: &crate::jobs::Jobs, grant| {
        jobs.broken(grant, attempt, problem.clone(), true)
            .expect("recorded");
    };
    ended(pair.bank.jobs(), &session.dialled);
    ended(pair.pay.jobs(), &session.admitted);
}

fn sealed(pair: &Pair, hash: JobHash) -> Protocol {
    let live = pair.bank.jobs().core.live();
    live.get(&hash)
        .expect("tracked")
        .life
        .submission()
        .seal
        .protocol
        .clone()
}

#[test]
fn a_job_gets_the_protocol_it_asks_for_and_the_same_rows() {
    for (protect, vole) in [
        ("", true),
        (", security: malicious", true),
        (", protocol: ecdh", false),
    ] {
        let mut pair = Pair::new();
        let yaml = job(REVEAL, "").replace("min_group: 3", &format!("min_group: 3{protect}"));
        let hash = pair.ready(&yaml);
        assert_eq!(
            matches!(sealed(&pair, hash), Protocol::Vole(_)),
            vole,
            "{protect}"
        );
        let session = pair.open();
        pair.run(session).expect("runs");
        assert_eq!(pair.result(hash), common_rows(), "{protect}");
    }
}

#[test]
fn each_of_two_readers_gets_rows_of_its_own_only() {
    let both = CUSTOMERS_POLICY.replace(
        r#"may = { match = ["river-pay"] }"#,
        r#"may = { match = ["river-pay"], reveal = ["river-pay"] }"#,
    );
    let mut pair = Pair::with(&both, USERS_POLICY);
    let yaml = job("SELECT b.tier, p.mobile", "").replace(
        "results_to: [north-bank]",
        "results_to: [north-bank, river-pay]",
    );
    let hash = pair.ready(&yaml);
    let session = pair.open();
    pair.run(session).expect("runs");
    let tiers = (0..40)
        .step_by(2)
        .map(|n| format!("{}\n", ["gold", "silver", "plain"][n % 3]));
    assert_eq!(
        pair.result(hash),
        format!("tier\n{}", tiers.collect::<String>())
    );
    let numbers = (0..40)
        .step_by(2)
        .map(|n| format!("+86 138 0000 00{n:02}\n"));
    let theirs = pair
        .pay
        .jobs()
        .result(&hash.short())
        .expect("reads too")
        .path;
    assert_eq!(
        read(&theirs),
        format!("mobile\n{}", numbers.collect::<String>())
    );
}

#[test]
fn after_a_broken_line_only_the_buckets_left_are_run() {
    let mut pair = large();
    let hash = pair.ready(&job(REVEAL, ""));
    let Protocol::Vole(terms) = sealed(&pair, hash) else {
        panic!("a reveal runs VOLE-PSI");
    };
    assert_eq!((terms.buckets, terms.lanes), (2, 2));
    let first = pair.open();
    let again = first.dialled.clone();
    let (at_bank, at_pay) = lanes(2, Some(CLOSING));
    let problem = pair
        .run_over(first.clone(), at_bank, at_pay)
        .expect_err("lane 1 breaks");
    assert_eq!(problem.code, Code::PartnerSilent);
    broken(&pair, &first, &problem);
    let second = pair.open_again(again);
    assert_eq!(
        second
            .asked
            .continues
            .as_ref()
            .map(|continues| continues.session),
        Some(first.sid)
    );
    let (at_bank, at_pay) = lanes(2, None);
    let totals = pair.run_over(second, at_bank, at_pay).expect("goes on");
    let whole = pair.bank.view(hash);
    assert_eq!(whole.state, JobState::Done);
    assert_eq!(pair.result(hash), common_rows());
    let statement = pair
        .bank
        .jobs()
        .preview(&job(REVEAL, ""), None)
        .expect("plans");
    assert_eq!(
        totals.sent_bytes + totals.received_bytes,
        statement.cost.bytes / 2,
        "one of two buckets"
    );
}

#[test]
fn what_only_one_side_kept_is_begun_anew() {
    let mut pair = large();
    let hash = pair.ready(&job(REVEAL, ""));
    let first = pair.open();
    let again = first.dialled.clone();
    let (at_bank, at_pay) = lanes(2, Some(CLOSING));
    let problem = pair
        .run_over(first.clone(), at_bank, at_pay)
        .expect_err("lane 1 breaks");
    broken(&pair, &first, &problem);
    pair.pay.start();
    let second = pair.open_again(again);
    assert!(second.asked.continues.is_some() && second.answered.continues.is_none());
    let (at_bank, at_pay) = lanes(2, None);
    let totals = pair.run_over(second, at_bank, at_pay).expect("begins anew");
    assert_eq!(pair.result(hash), common_rows());
    let statement = pair
        .bank
        .jobs()
        .preview(&job(REVEAL, ""), None)
        .expect("plans");
    assert_eq!(
        totals.sent_bytes + totals.received_bytes,
        statement.cost.bytes
    );
}

#[test]
fn nothing_is_kept_of_a_job_that_has_ended() {
    let mut pair = large();
    let hash = pair.ready(&job(REVEAL, ""));
    let session = pair.open();
    let (at_bank, at_pay) = lanes(2, None);
    pair.run_over(session, at_bank, at_pay).expect("runs");
    for node in [&pair.bank, &pair.pay] {
        let live = node.jobs().core.live();
        assert!(live.get(&hash).expect("tracked").kept.is_none());
    }
}

#[test]
fn a_partner_that_would_enter_more_ids_than_sealed_is_refused_before_anything_is_spent() {
    for protect in ["", ", protocol: ecdh"] {
        let mut pair = Pair::new();
        let yaml = job(REVEAL, "").replace("min_group: 3", &format!("min_group: 3{protect}"));
        let hash = pair.ready(&yaml);
        let dialled = pair.bank.dial().expect("a run to dial");
        let mut asked = pair
            .bank
            .jobs()
            .opening(&dialled, Digest([1; 32]))
            .expect("opens");
        asked.ids_rounded += 16;
        let refused = pair.pay.jobs().admit_session(&pair.bank.org, &asked);
        let problem = refused.err().expect("refused");
        assert_eq!(problem.code, Code::DataChanged);
        let bank = Side::Partner {
            org: pair.bank.org.clone(),
        };
        assert_eq!(problem.side, bank, "{}", problem.what);
        assert_eq!(pair.pay.state(hash), JobState::Ready, "no attempt is spent");
    }
}

/// However fast the partner opens another session.
#[test]
fn a_caught_partner_ends_the_job_even_if_its_next_session_is_on() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(REVEAL, ""));
    let first = pair.open();
    let problem = Problem::partner(&pair.bank.org, Code::PartnerMisbehaved, "a check", "ask");
    let lost = Problem::here(Code::PartnerSilent, "lost", "wait");
    let attempt = Some(first.asked.attempt);
    let bank = pair.bank.jobs();
    bank.broken(&first.dialled, attempt, lost, true)
        .expect("recorded");
    let second = pair.open_again(first.dialled.clone());
    let pay = pair.pay.jobs();
    pay.broken(&first.admitted, attempt, problem, false)
        .expect("recorded");
    assert_eq!(pair.pay.state(hash), JobState::Failed);
    assert!(
        second.admitted.stopped().is_some(),
        "the newer session is told to end"
    );
}

#[test]
fn what_is_kept_goes_when_no_session_follows() {
    let mut pair = large();
    let hash = pair.ready(&job(REVEAL, ""));
    let first = pair.open();
    let (at_bank, at_pay) = lanes(2, Some(CLOSING));
    let problem = pair
        .run_over(first.clone(), at_bank, at_pay)
        .expect_err("lane 1 breaks");
    broken(&pair, &first, &problem);
    let kept = |pair: &Pair| {
        let live = pair.pay.jobs().core.live();
        live.get(&hash).expect("tracked").kept.is_some()
    };
    pair.pay.jobs().tick().expect("ticks");
    assert!(kept(&pair));
    pair.clock.advance(crate::jobs::limits::KEPT_MS + 1);
    pair.pay.jobs().tick().expect("ticks");
    assert!(!kept(&pair));
}
