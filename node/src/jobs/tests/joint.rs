//! Joint tables of two nodes: what they hold, who reads them, what they cost, and what a broken line or an earlier table changes.

mod links;
mod losses;
mod stored;

use super::bench::{HOUR_MS, Node};
use super::buckets;
use super::pair::{Lanes, Pair, Session, read};
use crate::ledger::{Fact, Spent};
use entente_protocols::channel::{Totals, Transport, memory_transports};
use entente_protocols::fault::{Broken, Fault};
use entente_wire::local::JobState;
use entente_wire::policy::Epsilon;
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::{JobHash, Protocol};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const YEAR_MS: u64 = 365 * 24 * HOUR_MS;

const POLICY: &str = r#"
[dataset]
consent = "consent"
min_group = 2
min_set = 5
budget = { epsilon_per_year = 2.5, jobs_per_30d = 20 }
approvers = { need = 2, of = ["data-owner", "compliance"] }
set_grid = 16
noise = "optional"
"#;

const CUSTOMERS: &str = r#"
[columns.mobile]
id = "e164(+86)"
may = { match = ["river-pay"] }
[columns.tier]
may = { group = ["river-pay"], filter = ["river-pay"] }
domain = ["gold", "silver", "plain"]
[columns.balance]
may = { sum = ["river-pay"], filter = ["river-pay"] }
clip = [-100, 100]
scale = 2
"#;

const USERS: &str = r#"
[columns.mobile]
id = "e164(+86)"
may = { match = ["north-bank"] }
[columns.active]
may = { filter = ["north-bank"] }
[columns.segment]
may = { group = ["north-bank"] }
domain = ["new", "old", "none"]
[columns.spend]
may = { sum = ["north-bank"], filter = ["north-bank"] }
clip = [0, 1000]
scale = 0
"#;

fn policy(name: &str, dataset: &str, columns: &str) -> String {
    let named = dataset.replacen("[dataset]", &format!("[dataset]\nname = \"{name}\""), 1);
    format!("{named}{columns}")
}

/// Forty customers; balances go below zero.
fn customers() -> String {
    let rows = (0..40).map(|n| {
        let tier = ["gold", "silver", "plain"][n % 3];
        format!("138000000{n:02},{tier},{},true\n", n as i64 - 20)
    });
    std::iter::once("mobile,tier,balance,consent\n".to_owned())
        .chain(rows)
        .collect()
}

/// Every other customer and twenty strangers.
fn users() -> String {
    let known = (0..40).step_by(2).map(|n| ("138000000", n));
    let strangers = (0..20).map(|n| ("139000000", n));
    let rows = known.chain(strangers).map(|(prefix, n)| {
        let segment = ["new", "old"][usize::from(n >= 20)];
        format!("{prefix}{n:02},{},{segment},{},true\n", n % 8 != 0, n * 10)
    });
    std::iter::once("mobile,active,segment,spend,consent\n".to_owned())
        .chain(rows)
        .collect()
}

fn pair_under(users_dataset: &str) -> Pair {
    Pair::of([
        (&customers(), &policy("customers", POLICY, CUSTOMERS)),
        (&users(), &policy("users", users_dataset, USERS)),
    ])
}

fn pair() -> Pair {
    pair_under(POLICY)
}

/// A published size above 2^20 ids, whatever is in the file, on the one side whose length costs less.
fn two_buckets() -> Pair {
    pair_under(&POLICY.replace("set_grid = 16", "set_grid = 1100000"))
}

const TABLE: &str = "SELECT b.tier, p.segment, COUNT(*) AS n, SUM(b.balance) AS total, AVG(p.spend) AS spend, \
                     CORR(p.spend, b.balance) AS r";
const TAIL: &str = "WHERE p.active AND p.spend IS NOT NULL AND b.balance IS NOT NULL \
                    GROUP BY b.tier, p.segment ORDER BY p.segment, b.tier";

fn job(select: &str, tail: &str, protect: &str) -> String {
    super::question::job(select, tail).replace(
        "epsilon: none, min_group: 3",
        &format!("{protect}, min_group: 2"),
    )
}

fn exact(readers: &str) -> String {
    job(TABLE, TAIL, "epsilon: none").replace("results_to: [north-bank]", readers)
}

fn noisy(epsilon: &str) -> String {
    job(
        "SELECT p.segment, COUNT(*) AS n",
        "GROUP BY p.segment",
        &format!("epsilon: {epsilon}"),
    )
}

/// Computed here from the same rows: active common customers are the even numbers that 8 does not divide.
fn expected() -> String {
    let mut lines = vec!["tier,segment,n,total,spend,r".to_owned()];
    for (segment, from) in [("new", 0_i64), ("old", 20)] {
        for (tier, rest) in [("gold", 0), ("plain", 2), ("silver", 1)] {
            let numbers = (from..from + 20).filter(|n| n % 2 == 0 && n % 8 != 0 && n % 3 == rest);
            let numbers: Vec<i64> = numbers.collect();
            let (count, sum) = (numbers.len() as i64, numbers.iter().sum::<i64>());
            if count < 2 {
                continue;
            }
            let cents = (sum - count * 20) * 100;
            let sign = if cents < 0 { "-" } else { "" };
            let total = format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100);
            // In hundred-millionths, halves up.
            let average = (sum * 10 * 200_000_000 + count) / (2 * count);
            let average = format!("{}.{:08}", average / 100_000_000, average % 100_000_000);
            let average = average.trim_end_matches('0').trim_end_matches('.');
            lines.push(format!("{tier},{segment},{count},{total},{average},1"));
        }
    }
    lines.join("\n") + "\n"
}

fn text(node: &Node, job: JobHash) -> String {
    let result = node.jobs().result(&job.short());
    read(&result.expect("a result").path)
}

fn run(pair: &mut Pair, yaml: &str) -> JobHash {
    let job = pair.ready(yaml);
    let session = pair.open();
    assert_eq!(session.asked.job, job);
    pair.run(session).expect("runs");
    job
}

fn sealed(pair: &Pair, job: JobHash) -> Protocol {
    let live = pair.bank.jobs().core.live();
    let tracked = live.get(&job).expect("tracked");
    tracked.life.submission().seal.protocol.clone()
}

/// Losses of the bank's dataset at the bank, and of the platform's at the platform.
fn losses(pair: &Pair) -> [Vec<u64>; 2] {
    let of = |node: &Node, dataset: &str, peer: &Node| {
        let dataset = dataset.parse().expect("a name");
        let spent = node.ledger().losses_over_ours(&dataset, &peer.org, 0);
        let spent: Vec<Spent> = spent.expect("reads");
        spent.iter().map(|loss| loss.epsilon.0).collect()
    };
    [
        of(&pair.bank, "customers", &pair.pay),
        of(&pair.pay, "users", &pair.bank),
    ]
}

#[test]
fn a_table_of_both_sides_columns_is_the_plain_answer_and_for_its_readers_only() {
    for (readers, reads) in [
        ("results_to: [north-bank]", [true, false]),
        ("results_to: [river-pay]", [false, true]),
        ("results_to: [north-bank, river-pay]", [true, true]),
    ] {
        let mut pair = pair();
        let job = run(&mut pair, &exact(readers));
        assert!(matches!(sealed(&pair, job), Protocol::Blind(_)));
        for (node, reads) in [&pair.bank, &pair.pay].into_iter().zip(reads) {
            assert_eq!(node.state(job), JobState::Done);
            if !reads {
                let refused = node.jobs().result(&job.short()).expect_err("not theirs");
                assert_eq!(refused.code, Code::ResultNotYours);
                assert_eq!(node.view(job).suppressed_groups, None);
                continue;
            }
            assert_eq!(text(node, job), expected(), "{readers}");
            let shown = expected().lines().count() as u64 - 1;
            assert_eq!(node.view(job).suppressed_groups, Some(9 - shown));
            node.jobs()
                .result_as_parquet(&job.short())
                .expect("has types");
        }
        assert_eq!(
            losses(&pair),
            [(); 2].map(|()| Vec::<u64>::new()),
            "an exact table costs none"
        );
    }
}

#[test]
fn a_value_outside_its_domain_ends_the_job_before_any_message() {
    let odd = users().replace(",old,", ",ancient,");
    let mut pair = Pair::of([
        (&customers(), &policy("customers", POLICY, CUSTOMERS)),
        (&odd, &policy("users", POLICY, USERS)),
    ]);
    pair.ready(&exact("results_to: [north-bank]"));
    let session = pair.open();
    let (to_pay, to_bank) = memory_transports(Duration::from_secs(60));
    let counted = Arc::new(AtomicBool::new(false));
    let at_pay = Sends {
        line: to_bank,
        sent: Arc::clone(&counted),
    };
    let lanes = (vec![Box::new(to_pay) as _], vec![Box::new(at_pay) as _]);
    pair.run_over(session, lanes.0, lanes.1)
        .expect_err("outside");
    assert!(!counted.load(Ordering::Acquire), "nothing was sent");
}

/// Sees whether anything is sent.
struct Sends<T> {
    line: T,
    sent: Arc<AtomicBool>,
}

impl<T: Transport> Transport for Sends<T> {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        self.sent.store(true, Ordering::Release);
        self.line.send(frame)
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        self.line.receive()
    }
}

/// A line that breaks when the first message of a kind from `from` on has come.
struct BreaksAt {
    line: Box<dyn Transport + Send>,
    from: u16,
}

impl Transport for BreaksAt {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        self.line.send(frame)
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        let frame = self.line.receive()?;
        match frame.first_chunk() {
            Some(kind) if u16::from_le_bytes(*kind) >= self.from => Err(Broken::Closed.into()),
            _ => Ok(frame),
        }
    }
}

/// Number of the message that ends a bucket of the blind join.
const CLOSING: u16 = 0x0561;
/// No message of a release has a lower number.
const RELEASE: u16 = 0x0600;

/// Of two buckets, which the asker has kept.
fn finished(session: &Session) -> Option<Vec<bool>> {
    session.asked.continues.as_ref()?.finished.of(2)
}

fn lanes(count: usize, from: u16) -> (Lanes, Lanes) {
    let (mut at_bank, mut at_pay): (Lanes, Lanes) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (bank, pay) = memory_transports(Duration::from_secs(60));
        at_bank.push(Box::new(BreaksAt {
            line: Box::new(bank),
            from,
        }));
        at_pay.push(Box::new(pay));
    }
    (at_bank, at_pay)
}

fn broken(pair: &Pair, session: &Session, problem: &Problem) {
    let attempt = Some(session.asked.attempt);
    for (node, grant) in [
        (&pair.bank, &session.dialled),
        (&pair.pay, &session.admitted),
    ] {
        let jobs = node.jobs();
        jobs.broken(grant, attempt, problem.clone(), true)
            .expect("recorded");
    }
}

#[test]
fn an_attempt_that_ends_in_its_release_has_spent_and_the_next_goes_on_from_the_buckets() {
    let mut pair = two_buckets();
    let job = pair.ready(&noisy("1.0"));
    let first = pair.open();
    let dialled = first.dialled.clone();
    let (at_bank, at_pay) = lanes(2, RELEASE);
    let problem = pair
        .run_over(first.clone(), at_bank, at_pay)
        .expect_err("breaks");
    broken(&pair, &first, &problem);
    assert_eq!(losses(&pair), [vec![1_000_000], vec![1_000_000]]);
    let second = pair.open_again(dialled);
    assert_eq!(finished(&second), Some(vec![true, true]));
    let (at_bank, at_pay) = lanes(2, u16::MAX);
    pair.run_over(second, at_bank, at_pay).expect("runs");
    assert_eq!(pair.bank.state(job), JobState::Done);
    assert_eq!(losses(&pair), [vec![1_000_000; 2], vec![1_000_000; 2]]);
}

#[test]
fn buckets_left_by_a_broken_line_add_up_with_those_that_follow() {
    let mut pair = two_buckets();
    let job = pair.ready(&exact("results_to: [north-bank]"));
    let Protocol::Blind(terms) = sealed(&pair, job) else {
        panic!("a table runs by the blind join");
    };
    assert_eq!((terms.buckets, terms.lanes), (2, 2));
    let first = pair.open();
    let dialled = first.dialled.clone();
    let (at_bank, at_pay) = buckets::lanes(2, Some(CLOSING));
    let problem = pair.run_over(first.clone(), at_bank, at_pay);
    broken(&pair, &first, &problem.expect_err("lane 1 breaks"));
    let second = pair.open_again(dialled);
    assert_eq!(finished(&second), Some(vec![true, false]));
    let (at_bank, at_pay) = lanes(2, u16::MAX);
    pair.run_over(second, at_bank, at_pay).expect("runs");
    assert_eq!(text(&pair.bank, job), expected());
}
