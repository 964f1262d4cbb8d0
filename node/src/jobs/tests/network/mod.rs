//! Aggregations among nodes of one process. The coordinator is the test's, honest or not.

mod adversary;
mod budgets;
mod lines;
mod oracle;
mod preview;
mod restarts;
mod round;

use super::bench::{Clock, Node, org};
use crate::jobs::{RunGrant, tests::pair::read};
use entente_wire::seal::JobHash;

/// Names in the order of the roster; the first one reads.
const NAMES: [&str; 5] = [
    "alder-bank",
    "birch-bank",
    "cedar-bank",
    "elm-bank",
    "fir-bank",
];

/// What each of them publishes. `{epsilon}` and `{noise}` are filled in.
const POLICY: &str = r#"
[dataset]
name = "accounts"
consent = "consent"
min_group = 3
min_set = 5
budget = { epsilon_per_year = 2.0, jobs_per_30d = 4 }
approvers = { need = 2, of = ["data-owner", "compliance"] }
set_grid = 16
noise = "optional"

[columns.mobile]
id = "e164(+86)"
may = { count = ["alder-bank"] }
[columns.industry]
may = { group = ["alder-bank"] }
domain = ["retail", "metal", "food"]
[columns.overdue]
may = { sum = ["alder-bank"], count = ["alder-bank"] }
clip = [-1000, 1000]
scale = 2
"#;

/// Linked nodes with a dataset each.
struct Network {
    nodes: Vec<Node>,
    clock: Clock,
}

/// A row of a dataset: industry, overdue amount in hundredths or nothing, consent.
type Row = (&'static str, Option<i64>, bool);

/// What organisation `place` holds: rows that differ from everybody else's.
fn rows(place: usize) -> Vec<Row> {
    let industries = ["retail", "metal", "food"];
    let row = |number: usize| {
        let overdue = (number * 37 + place * 101) as i64 % 5_000 - 1_500;
        let overdue = (number % 7 != place).then_some(overdue);
        (
            industries[[0, 1, 0, 2, 0, 1][number % 6]],
            overdue,
            !number.is_multiple_of(11),
        )
    };
    (0..24 + place).map(row).collect()
}

fn csv(rows: &[Row]) -> String {
    let line = |(number, (industry, overdue, consent)): (usize, &Row)| {
        let overdue = overdue.map_or_else(String::new, |units| {
            let sign = if units < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", units.abs() / 100, units.abs() % 100)
        });
        format!("138000000{number:02},{industry},{overdue},{consent}\n")
    };
    let lines = rows.iter().enumerate().map(line);
    std::iter::once("mobile,industry,overdue,consent\n".to_owned())
        .chain(lines)
        .collect()
}

/// A job file of the first organisation's data team.
fn job(parties: usize, select: &str, epsilon: &str) -> String {
    format!(
        r#"entente: 1
name: overdue-by-industry
purpose: size a risk
legal_basis: consent
ask: |
  SELECT industry, {select} FROM "*".accounts GROUP BY industry
parties: [{}]
aggregate: {{ min_parties: 3, dropouts: 1/3 }}
protect: {{ epsilon: {epsilon}, min_group: 3 }}
results_to: [alder-bank]
expires: 2026-09-28T00:00:00Z
"#,
        NAMES[..parties].join(", ")
    )
}

/// Everything that a table can show.
const ALL: &str = "COUNT(*) AS n, COUNT(overdue) AS known, SUM(overdue) AS total, AVG(overdue) AS mean, VAR_SAMP(overdue) AS variance";

impl Network {
    fn new(parties: usize) -> Self {
        Self::with(parties, |_| POLICY.to_owned())
    }

    /// With each organisation's own policy.
    fn with(parties: usize, policy: impl Fn(usize) -> String) -> Self {
        let clock = Clock::new();
        let names = &NAMES[..parties];
        let nodes: Vec<Node> = names.iter().map(|name| Node::new(name, &clock)).collect();
        for (place, node) in nodes.iter().enumerate() {
            let others = nodes
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != place);
            others.for_each(|(_, other)| node.link(other));
        }
        for (place, node) in nodes.iter().enumerate() {
            node.publish("accounts", &csv(&rows(place)), &policy(place));
        }
        let mut network = Self { nodes, clock };
        network.deliver();
        network
    }

    /// Carries records between all of them until there are none.
    fn deliver(&mut self) {
        loop {
            let posted: Vec<_> = self.nodes.iter_mut().map(Node::posted).collect();
            if posted.iter().all(Vec::is_empty) {
                return;
            }
            for (from, records) in posted.iter().enumerate() {
                let others = self.nodes.iter().enumerate().filter(|(to, _)| *to != from);
                for (_, to) in others {
                    records
                        .iter()
                        .for_each(|record| to.jobs().on_record(record.clone()));
                }
            }
        }
    }

    /// A job that everybody has approved.
    fn ready(&mut self, yaml: &str) -> JobHash {
        let job = self.nodes[0]
            .jobs()
            .submit(yaml, None)
            .expect("submits")
            .hash;
        self.deliver();
        self.nodes.iter().for_each(|node| node.approve_all(job));
        self.deliver();
        job
    }

    /// The rounds that all nodes want to join now.
    fn grants(&mut self) -> Vec<Option<RunGrant>> {
        self.nodes.iter_mut().map(Node::dial).collect()
    }

    /// The reader's result as text.
    fn result(&self, job: JobHash) -> String {
        let result = self.nodes[0].jobs().result(&job.short()).expect("a result");
        read(&result.path)
    }
}
