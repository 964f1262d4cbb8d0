//! The local data path of a reveal over a CSV file, step by step, in rows a second: registration, survey, the check of the file's hash, the
//! id pass, all buckets, and the result of every second row. `ENTENTE_BENCH_ROWS` is the number of rows, a million if it is not set.
//!
//! For bytes a second: a row has 26. Memory is for `time -v`: nothing here keeps rows.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench: a failure is the point"
)]

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use entente_node::data::{self, Dataset, OpenDataset, Prepared, Shown, SpillFolder};
use entente_wire::approval::VerifiedApproval;
use entente_wire::job::{Job, Protect};
use entente_wire::names::{ColumnName, OrgName};
use entente_wire::plan::{Operator, Plan};
use entente_wire::policy::{IdKind, Policy};
use entente_wire::publication::Publication;
use entente_wire::rehearsal::Stage;
use entente_wire::sql::{Catalog, plan};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};
use std::path::Path;

const NOW_UNIX_S: u64 = 1_790_000_000;
const BUCKETS: u64 = 16;

fn org(name: &str) -> OrgName {
    name.parse().unwrap()
}

/// Phone numbers, balances and tiers, as an export of customers has them.
fn write_customers(path: &Path, rows: u64) {
    let mut out = BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(out, "phone,balance,tier").unwrap();
    let mut chance = 1u64;
    for row in 0..rows {
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let phone = 13_000_000_000 + row * 7_919 % 999_999_937;
        let (whole, cents) = ((chance >> 40) % 9_000, (chance >> 20) % 100);
        let tier = ["basic", "silver", "gold"][(chance >> 33) as usize % 3];
        writeln!(out, "{phone},{whole}.{cents:02},{tier}").unwrap();
    }
    out.into_inner().unwrap();
}

fn policy(name: &str, partner: &str, more: &str) -> Policy {
    let text = format!(
        "[dataset]\nname = \"{name}\"\nconsent = \"not-needed\"\nmin_group = 1\nmin_set = 1\nset_grid = 1000\n\
         noise = \"optional\"\nbudget = {{ epsilon_per_year = 8.0, jobs_per_30d = 200 }}\n\
         approvers = {{ need = 1, of = [\"compliance\"] }}\n[columns.phone]\nid = \"e164(+86)\"\n\
         may = {{ match = [\"{partner}\"], reveal = [\"{partner}\"] }}\n{more}"
    );
    Policy::from_toml(&text).unwrap()
}

/// Both parties' publications.
struct Published(Vec<Publication>);

impl Catalog for Published {
    fn publication(
        &self,
        org: &OrgName,
        dataset: &entente_wire::names::DatasetName,
    ) -> Option<&Publication> {
        let mut known = self.0.iter();
        known.find(|known| known.org == *org && known.policy.dataset == *dataset)
    }
    fn orgs(&self) -> Vec<OrgName> {
        self.0.iter().map(|known| known.org.clone()).collect()
    }
}

/// An approved job that reveals common customers to the owner of the file.
struct Approved {
    policy: Policy,
    plan: Plan,
    proof: VerifiedApproval,
}

impl Approved {
    fn over(dataset: &Dataset) -> Self {
        let columns = "[columns.balance]\n[columns.tier]\n";
        let own = policy("customers", "river-pay", columns);
        let other = policy("users", "north-bank", "");
        let published = |name, policy: &Policy| Publication {
            org: org(name),
            version: 1,
            policy: policy.clone(),
            schema: dataset.schema(policy),
            ids_rounded: 1_000_000,
        };
        let both = [
            published("north-bank", &own),
            published("river-pay", &other),
        ];
        let ask = "SELECT b.* FROM \"north-bank\".customers b JOIN \"river-pay\".users p ON b.phone = p.phone";
        let job = Job {
            entente: 1,
            name: "overlap".parse().unwrap(),
            purpose: "measure".to_owned(),
            legal_basis: "none: made-up data".to_owned(),
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
            expires_unix_s: NOW_UNIX_S + 86_400,
            runs: 1,
            domains: BTreeMap::new(),
            measures: BTreeMap::new(),
        };
        let plan = plan(&job, &org("north-bank"), &Published(both.to_vec())).unwrap();
        let stage = Stage::default()
            .with_org("north-bank", &[("mei", "compliance")])
            .with_org("river-pay", &[("otto", "compliance")]);
        let stage = both.into_iter().fold(stage, Stage::with_publication);
        let submission = stage.submission(&job, &org("north-bank"), &plan).unwrap();
        let proof = stage.verified(&submission, NOW_UNIX_S).unwrap();
        Self {
            policy: own,
            plan,
            proof,
        }
    }

    fn open(&self, dataset: &Dataset) -> OpenDataset {
        data::open_dataset(&self.proof, dataset, &self.policy).unwrap()
    }

    fn prepare(&self, open: &OpenDataset, spill: &SpillFolder) -> Prepared {
        let own = org("north-bank");
        data::prepare(open, &self.plan, &own, [7; 32], spill, &mut |_, _| Ok(())).unwrap()
    }
}

fn local_data(criterion: &mut Criterion) {
    let rows = std::env::var("ENTENTE_BENCH_ROWS");
    let rows: u64 = rows.map_or(1_000_000, |rows| rows.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("customers.csv");
    write_customers(&path, rows);
    let spill = SpillFolder::open(&folder.path().join("spill")).unwrap();
    let ids = [(
        ColumnName("phone".to_owned()),
        IdKind::try_from("e164(+86)".to_owned()).unwrap(),
    )];
    let register = || data::register(&"customers".parse().unwrap(), &path, &ids, &spill).unwrap();
    let (dataset, _) = register();
    let approved = Approved::over(&dataset);
    let open = approved.open(&dataset);
    let prepared = approved.prepare(&open, &spill);
    let matched = prepared.row_set();
    prepared
        .all()
        .unwrap()
        .rows
        .iter()
        .step_by(2)
        .for_each(|row| matched.insert(*row));
    let Operator::Reveal { readers, display } = &approved.plan.operator else {
        unreachable!("the question reveals rows");
    };
    let reads = &readers[&org("north-bank")];
    let shown = Shown {
        columns: &reads.columns,
        star: reads.star,
        display,
    };

    let mut group = criterion.benchmark_group("local data");
    group.throughput(Throughput::Elements(rows));
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.bench_function("register", |bencher| bencher.iter(register));
    group.bench_function("survey", |bencher| {
        bencher.iter(|| data::survey(&dataset, Some(&approved.policy), &spill).unwrap());
    });
    group.bench_function("check the hash", |bencher| {
        bencher.iter(|| approved.open(&dataset));
    });
    group.bench_function("id pass", |bencher| {
        bencher.iter(|| approved.prepare(&open, &spill));
    });
    group.bench_function("buckets", |bencher| {
        let ids = |bucket| prepared.bucket(BUCKETS, bucket).unwrap().ids.len();
        bencher.iter(|| (0..BUCKETS).map(ids).sum::<usize>());
    });
    group.bench_function("result of half", |bencher| {
        let out = folder.path().join("result.csv");
        bencher.iter(|| data::write_rows(&open, &matched, shown, &out).unwrap());
    });
    group.finish();
}

criterion_group!(benches, local_data);
criterion_main!(benches);
