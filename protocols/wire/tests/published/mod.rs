//! What the made-up organisations of `protocols/vectors/sql` have published, and jobs that ask about it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared by several test programs; a broken vector has to stop the test that reads it"
)]

pub(crate) mod aggregations;
pub(crate) mod cases;
pub(crate) mod told;

use entente_wire::job::{Attendance, Job, Measure, Protect, ProtocolChoice, SecurityChoice};
use entente_wire::leakage::Cost;
use entente_wire::link_speed::LinkSpeed;
use entente_wire::names::{ColumnName, DatasetName, OrgName};
use entente_wire::plan::{Matching, Plan};
use entente_wire::policy::{Epsilon, Policy};
use entente_wire::publication::{ColumnType, Publication, Schema};
use entente_wire::seal::{BlindTerms, Protocol, Transfers, VoleTerms};
use entente_wire::sql::Catalog;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The plain join of north-bank's customers and river-pay's users, `{J}` in the vectors.
pub(crate) const JOIN: &str =
    "FROM \"north-bank\".customers AS b JOIN \"river-pay\".users AS p ON b.mobile = p.mobile";

/// Who publishes `accounts` and `events` alike, in the order of their names.
pub(crate) const PARTIES: [&str; 4] = ["lake-bank", "mill-bank", "north-bank", "river-pay"];

/// A file of `protocols/vectors/sql`.
pub(crate) fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors/sql")
        .join(name)
}

/// A parsed TOML file of `protocols/vectors/sql`.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let text = std::fs::read_to_string(vector(name)).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The catalogue of the vectors.
#[derive(Clone)]
pub(crate) struct Published(Vec<Publication>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    publication: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    org: OrgName,
    ids_rounded: u64,
    schema: BTreeMap<ColumnName, ColumnType>,
    policy: String,
}

impl Published {
    pub(crate) fn load() -> Self {
        let file: CatalogFile = read("catalog.toml");
        let publication = |entry: Entry| Publication {
            org: entry.org,
            version: 1,
            policy: Policy::from_toml(&entry.policy).unwrap(),
            schema: Schema(entry.schema),
            ids_rounded: entry.ids_rounded,
        };
        Self(file.publication.into_iter().map(publication).collect())
    }

    pub(crate) fn get(&self, org: &str, dataset: &str) -> &Publication {
        self.publication(&org.parse().unwrap(), &dataset.parse().unwrap())
            .unwrap()
    }

    pub(crate) fn get_mut(&mut self, org: &str, dataset: &str) -> &mut Publication {
        let wanted = |publication: &&mut Publication| {
            publication.org.as_str() == org && publication.policy.dataset.as_str() == dataset
        };
        self.0.iter_mut().find(wanted).unwrap()
    }

    /// The datasets of that name and no others, in another order.
    pub(crate) fn only(&self, dataset: &str) -> Self {
        let named = |known: &&Publication| known.policy.dataset.as_str() == dataset;
        Self(self.0.iter().filter(named).rev().cloned().collect())
    }

    /// So many organisations that all publish what one does, and all grant to the first what it grants to north-bank.
    pub(crate) fn copied(&self, org: &str, dataset: &str, count: usize) -> (Self, Vec<OrgName>) {
        let names: Vec<OrgName> = (0..count)
            .map(|place| format!("bank-{place:04}").parse().unwrap())
            .collect();
        let mut model = self.get(org, dataset).clone();
        let columns = model.policy.columns.values_mut();
        for partners in columns.flat_map(|rules| rules.may.values_mut()) {
            *partners = names.first().cloned().into_iter().collect();
        }
        let copy = |org: &OrgName| Publication {
            org: org.clone(),
            ..model.clone()
        };
        (Self(names.iter().map(copy).collect()), names)
    }
}

impl Catalog for Published {
    fn publication(&self, org: &OrgName, dataset: &DatasetName) -> Option<&Publication> {
        self.0
            .iter()
            .find(|known| known.org == *org && known.policy.dataset == *dataset)
    }
    fn orgs(&self) -> Vec<OrgName> {
        let orgs: BTreeSet<OrgName> = self.0.iter().map(|known| known.org.clone()).collect();
        orgs.into_iter().collect()
    }
}

/// A job of the vectors; everything but the question has a default.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) ask: String,
    #[serde(default = "north_bank")]
    pub(crate) asker: OrgName,
    #[serde(default = "to_north_bank")]
    pub(crate) results_to: BTreeSet<OrgName>,
    #[serde(default)]
    pub(crate) parties: BTreeSet<OrgName>,
    pub(crate) epsilon: Option<u64>,
    pub(crate) min_group: Option<u64>,
    pub(crate) security: Option<SecurityChoice>,
    pub(crate) protocol: Option<ProtocolChoice>,
    #[serde(default)]
    pub(crate) domains: BTreeMap<ColumnName, Vec<String>>,
    #[serde(default)]
    pub(crate) measures: BTreeMap<ColumnName, Measure>,
}

fn north_bank() -> OrgName {
    "north-bank".parse().unwrap()
}

fn to_north_bank() -> BTreeSet<OrgName> {
    BTreeSet::from([north_bank()])
}

impl Asked {
    pub(crate) fn question(ask: &str) -> Self {
        Self {
            ask: ask.to_owned(),
            asker: north_bank(),
            results_to: to_north_bank(),
            parties: BTreeSet::new(),
            epsilon: None,
            min_group: None,
            security: None,
            protocol: None,
            domains: BTreeMap::new(),
            measures: BTreeMap::new(),
        }
    }

    /// A question to all of [`PARTIES`], for north-bank.
    pub(crate) fn of_all(ask: &str) -> Self {
        Self {
            parties: PARTIES.iter().map(|name| name.parse().unwrap()).collect(),
            ..Self::question(ask)
        }
    }

    fn attendance(&self) -> Option<Attendance> {
        (!self.parties.is_empty()).then(Attendance::default)
    }

    pub(crate) fn job(&self) -> Job {
        Job {
            entente: 1,
            name: "size-of-overlap".parse().unwrap(),
            purpose: "size a co-branded card offer".to_owned(),
            legal_basis: "consent (PIPL art. 13(1)); PIA-2026-014".to_owned(),
            ask: expanded(&self.ask),
            parties: self.parties.clone(),
            aggregate: self.attendance(),
            protect: Protect {
                epsilon: self.epsilon.map(Epsilon),
                min_group: self.min_group,
                security: self.security,
                protocol: self.protocol,
            },
            results_to: self.results_to.clone(),
            expires_unix_s: 1_798_675_200,
            runs: 1,
            domains: self
                .domains
                .iter()
                .map(|(name, values)| (name.clone(), ranges(values)))
                .collect(),
            measures: self.measures.clone(),
        }
    }
}

/// `{J}` is the plain join, `{text*n}` repeats a text.
fn expanded(ask: &str) -> String {
    let mut out = String::new();
    let mut rest = ask;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').unwrap();
        out.push_str(before);
        match inside.rsplit_once('*') {
            Some((text, times)) => out.push_str(&text.repeat(times.parse().unwrap())),
            None => out.push_str(JOIN),
        }
        rest = after;
    }
    out + rest
}

/// `{1..200}` is that many values.
fn ranges(values: &[String]) -> Vec<String> {
    match values {
        [one] if one.starts_with("{1..") => {
            let last: u32 = one
                .trim_matches(['{', '}'])
                .strip_prefix("1..")
                .unwrap()
                .parse()
                .unwrap();
            (1..=last).map(|number| number.to_string()).collect()
        }
        values => values.to_vec(),
    }
}

/// The plan's protocol with parameters as the protocol library computes them for lists of the vectors' sizes, and a cost.
pub(crate) fn protocol(plan: &Plan, publications: [&Publication; 2]) -> (Protocol, Cost) {
    let ids = |receiver: bool| {
        let mut published = plan.sides.iter().zip(publications);
        let found = published.find(|(side, _)| (side.org == plan.receiver) == receiver);
        found.unwrap().1.ids_rounded
    };
    let (receiver, sender) = (ids(true), ids(false));
    let security = match plan.matching {
        Matching::Ecdh => return (Protocol::ecdh(), Cost::of_ecdh(receiver, sender)),
        Matching::Blind => return blind(plan, receiver, sender),
        Matching::Vole { security } => security,
    };
    let buckets = receiver.max(sender).div_ceil(1 << 20).next_power_of_two();
    let bucket = |ids: u64| u32::try_from(ids / buckets).unwrap();
    let terms = VoleTerms {
        version: 1,
        security,
        code: "expand-convolute 7x24".to_owned(),
        noise: 320,
        buckets,
        receiver_bucket_ids: bucket(receiver),
        sender_bucket_ids: bucket(sender),
        vector_elements: bucket(receiver * 131 / 100),
        tag_bytes: match security {
            SecurityChoice::SemiHonest => 10,
            SecurityChoice::Malicious => 16,
        },
        lanes: 2,
    };
    let cost = Cost {
        bytes: 16 * (receiver + sender) + 700_000,
        seconds: 1,
        memory_mib: 120,
        link: None,
    };
    (Protocol::Vole(terms), cost)
}

/// What the asker's node measured.
const LINK: LinkSpeed = LinkSpeed {
    megabits_per_s: 2_000,
    round_trip_ms: 5,
};

/// The blind join's parameters and cost, likewise.
fn blind(plan: &Plan, receiver: u64, sender: u64) -> (Protocol, Cost) {
    let buckets = receiver.max(sender).div_ceil(1 << 20).next_power_of_two();
    let bucket = |ids: u64| u32::try_from(ids / buckets).unwrap();
    let groups = plan.groups();
    let terms = BlindTerms {
        version: 1,
        code: "expand-convolute 7x24".to_owned(),
        noise: 320,
        buckets,
        receiver_bucket_ids: bucket(receiver),
        sender_bucket_ids: bucket(sender),
        bins: bucket(receiver * 130 / 100),
        equality_bits: 60,
        vector_elements: bucket(receiver * 131 / 100),
        hint_words: 3,
        receiver_groups: u32::try_from(groups.receiver).unwrap(),
        sender_groups: u32::try_from(groups.sender).unwrap(),
        transfers: Transfers::Fast,
        link: Some(LINK),
        lanes: 2,
    };
    let cost = Cost {
        bytes: 550 * (receiver + sender) + 700_000,
        seconds: 1,
        memory_mib: 180,
        link: Some(LINK),
    };
    (Protocol::Blind(terms), cost)
}
