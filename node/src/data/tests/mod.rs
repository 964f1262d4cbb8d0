//! Datasets on a small disk: files made here, registered, surveyed, opened and queried through the public functions.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests: a failure is the point"
)]

mod approval;
mod bad_files;
mod bad_values;
mod derived;
mod formats;
mod joint;
mod oracle;
mod parquet_out;
mod questions;
mod results;
mod spilled;
mod spilled_values;

use super::local_query::prepare_side;
use super::open::open_unapproved;
use super::row_values::Reads;
use super::spill::Room;
use super::*;
use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use entente_wire::job::{Job, Measure, Protect, ProtocolChoice};
use entente_wire::local::DatasetReport;
use entente_wire::names::{ColumnName, DatasetName, OrgName};
use entente_wire::plan::Plan;
use entente_wire::policy::{IdKind, Policy};
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::Publication;
use entente_wire::sql::{Catalog, plan};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A folder that is gone after the test.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn parquet(&self, name: &str, batch: &RecordBatch) -> PathBuf {
        let path = self.path(name);
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        path
    }
}

/// A folder for spilled ids; all of them, so that small tests take the way of large data.
struct SmallMemory {
    folder: SpillFolder,
    _disk: Disk,
}

impl std::ops::Deref for SmallMemory {
    type Target = SpillFolder;

    fn deref(&self) -> &SpillFolder {
        &self.folder
    }
}

fn spill() -> SmallMemory {
    small_disk(u64::MAX)
}

/// The same with so many bytes of disk.
fn small_disk(file_bytes_max: u64) -> SmallMemory {
    let disk = Disk::new();
    let room = Room {
        memory_bytes: 0,
        piece_bytes_min: 1,
        file_bytes_max,
    };
    let folder = SpillFolder::with_room(&disk.path("spill"), room);
    SmallMemory {
        folder: folder.unwrap(),
        _disk: disk,
    }
}

/// The rows of a set.
fn set(rows: &[u32]) -> RowSet {
    let set = RowSet::new(10_000);
    set.insert_all(rows);
    set
}

fn column(name: &str) -> ColumnName {
    ColumnName(name.to_owned())
}

fn kind(text: &str) -> IdKind {
    IdKind::try_from(text.to_owned()).unwrap()
}

fn name(text: &str) -> DatasetName {
    text.parse().unwrap()
}

fn org(text: &str) -> OrgName {
    text.parse().unwrap()
}

/// Registers a file as `customers` with ids as (column, kind).
fn registered(path: &Path, ids: &[(&str, &str)]) -> Result<(Dataset, DatasetReport), Problem> {
    let ids: Vec<_> = ids
        .iter()
        .map(|(name, id_kind)| (column(name), kind(id_kind)))
        .collect();
    register(&name("customers"), path, &ids, &spill())
}

/// The problem that registering `bytes` ends in.
fn refused(bytes: impl AsRef<[u8]>) -> Problem {
    let disk = Disk::new();
    let path = disk.file("customers.csv", bytes);
    registered(&path, &[("mobile", "e164(+86)")]).expect_err("the file is bad")
}

fn of_code(problem: &Problem, code: Code, words: &[&str]) {
    assert_eq!(problem.code, code, "{problem}");
    for word in words {
        assert!(problem.what.contains(word), "{word:?} is not in {problem}");
    }
    assert!(!problem.todo.is_empty(), "{problem} says nothing to do");
}

/// A policy over `customers`; `dataset` and `columns` are lines of TOML.
fn policy(dataset: &str, columns: &str) -> Policy {
    let text = format!(
        "[dataset]\nname = \"customers\"\nmin_group = 1\nmin_set = 1\nset_grid = 10\nnoise = \"optional\"\n\
         budget = {{ epsilon_per_year = 8.0, jobs_per_30d = 200 }}\n\
         approvers = {{ need = 1, of = [\"compliance\"] }}\n{dataset}\n{columns}\n"
    );
    Policy::from_toml(&text).unwrap_or_else(|problem| panic!("{problem:?}\n{text}"))
}

/// The id column of all test policies.
const ID: &str = "[columns.mobile]\nid = \"e164(+86)\"\nmay = { match = [\"river-pay\"] }\n";

/// Two organisations' publications.
struct Published(Vec<Publication>);

impl Catalog for Published {
    fn publication(&self, org: &OrgName, dataset: &DatasetName) -> Option<&Publication> {
        self.0
            .iter()
            .find(|known| known.org == *org && known.policy.dataset == *dataset)
    }
    fn orgs(&self) -> Vec<OrgName> {
        self.0.iter().map(|known| known.org.clone()).collect()
    }
}

/// north-bank's `dataset` under `policy`, and river-pay's users, who may be revealed to north-bank.
fn published(dataset: &Dataset, policy: &Policy) -> Published {
    let users = Policy::from_toml(
        "[dataset]\nname = \"users\"\nconsent = \"not-needed\"\nmin_group = 1\nmin_set = 1\nset_grid = 10\n\
         noise = \"optional\"\nbudget = { epsilon_per_year = 8.0, jobs_per_30d = 200 }\n\
         approvers = { need = 1, of = [\"compliance\"] }\n[columns.mobile]\nid = \"e164(+86)\"\n\
         may = { match = [\"north-bank\"], reveal = [\"north-bank\"] }\n",
    );
    let users = users.unwrap();
    let schema = [(
        column("mobile"),
        entente_wire::publication::ColumnType::Text,
    )];
    Published(vec![
        Publication {
            org: org("north-bank"),
            version: 1,
            policy: policy.clone(),
            schema: dataset.schema(policy),
            ids_rounded: 1_000,
        },
        Publication {
            org: org("river-pay"),
            version: 1,
            policy: users,
            schema: entente_wire::publication::Schema(BTreeMap::from(schema)),
            ids_rounded: 1_000,
        },
    ])
}

/// A job of north-bank for itself.
fn job(ask: &str, measures: &[(&str, [i64; 2], u8)]) -> Job {
    let measures = measures.iter().map(|(name, clip, scale)| {
        let measure = Measure {
            clip: *clip,
            scale: *scale,
        };
        (column(name), measure)
    });
    Job {
        entente: 1,
        name: "size-of-overlap".parse().unwrap(),
        purpose: "size a card offer".to_owned(),
        legal_basis: "consent".to_owned(),
        ask: ask.to_owned(),
        parties: BTreeSet::new(),
        aggregate: None,
        protect: Protect {
            epsilon: None,
            min_group: None,
            security: None,
            protocol: None,
        },
        results_to: BTreeSet::from([org("north-bank")]),
        expires_unix_s: 1_798_675_200,
        runs: 1,
        domains: BTreeMap::new(),
        measures: measures.collect(),
    }
}

/// The join of both, where a question says `{J}`.
const JOIN: &str = "\"north-bank\".customers b JOIN \"river-pay\".users p ON b.mobile = p.mobile";

/// The plan of a question of north-bank.
fn planned(published: &Published, job: &Job) -> Plan {
    plan(job, &org("north-bank"), published).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A registered, surveyed and opened file with the plan of a question about it.
struct Asked {
    open: OpenDataset,
    plan: Plan,
}

impl Asked {
    fn new(path: &Path, policy: &Policy, ask: &str, measures: &[(&str, [i64; 2], u8)]) -> Self {
        let ids: Vec<(ColumnName, IdKind)> = policy
            .columns
            .iter()
            .filter_map(|(name, column)| Some((name.clone(), column.id.clone()?)))
            .collect();
        let (dataset, _) = register(&name("customers"), path, &ids, &spill())
            .unwrap_or_else(|problem| panic!("{problem:?}"));
        let ask = ask.replace("{J}", JOIN);
        let mut job = job(&ask, measures);
        // Tables are computed here, after a reveal; a count alone has none.
        let (selected, _) = ask.split_once(" FROM ").unwrap();
        let count_alone = selected.starts_with("SELECT COUNT(*)") && !selected.contains(',');
        job.protect.protocol = (!count_alone).then_some(ProtocolChoice::Vole);
        let plan = planned(&published(&dataset, policy), &job);
        let open =
            open_unapproved(&dataset, policy).unwrap_or_else(|problem| panic!("{problem:?}"));
        Self { open, plan }
    }

    /// The same where a planner let a zero divisor pass, which ours does not: the engine's own error is what is left.
    fn dividing_by_zero(mut self) -> Self {
        let text = serde_json::to_string(&self.plan).unwrap();
        let unguarded = text.replace("nullif(", "coalesce(");
        assert_ne!(text, unguarded, "the plan guards a divisor");
        self.plan = serde_json::from_str(&unguarded).unwrap();
        self
    }

    fn prepare(&self) -> Result<Prepared, Problem> {
        let (plan, own) = (&self.plan, org("north-bank"));
        prepare(
            &self.open,
            plan,
            &own,
            [7; 32],
            &spill(),
            &mut |_, _| Ok(()),
        )
    }

    /// The same with values that are read so.
    fn prepare_to_read(&self, reads: Reads, folder: &SpillFolder) -> Result<Prepared, Problem> {
        let side = self.plan.side(&org("north-bank")).unwrap();
        prepare_side(&self.open, (side, reads), [7; 32], folder, &mut |_, _| {
            Ok(())
        })
    }

    fn prepared(&self) -> Prepared {
        self.prepare()
            .unwrap_or_else(|problem| panic!("{problem:?}"))
    }

    /// The table if all ids match.
    fn table_of_all(&self) -> Table {
        let prepared = self.prepared();
        let all = set(&prepared.all().unwrap().rows);
        table(&prepared, &all, &self.plan).unwrap_or_else(|problem| panic!("{problem:?}"))
    }

    /// The same as CSV lines.
    fn lines_of_all(&self) -> Vec<String> {
        let disk = Disk::new();
        let out = disk.path("result.csv");
        self.table_of_all().write_csv(&out).unwrap();
        let text = std::fs::read_to_string(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// Valid, different mobile numbers.
fn mobile(person: u32) -> String {
    format!("138{person:08}")
}
