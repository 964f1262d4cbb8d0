//! Made-up clients of a bank and members of a shop, other ones in every run: skewed tiers of which some are nearly empty, amounts
//! below zero, unknown amounts and regions, and columns of one name at both. Whoever fails says its seed.

use crate::world::command::{Outcome, entente};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

pub(crate) const BANK: &str = "harbour-bank";
pub(crate) const SHOP: &str = "corner-shop";

/// The bank's tiers, in the order of its policy; hardly anybody is private.
pub(crate) const CLIENT_TIERS: [&str; 4] = ["basic", "plus", "gold", "private"];
/// The shop's tiers: they have the same column name and, but for one, other values.
pub(crate) const MEMBER_TIERS: [&str; 3] = ["paper", "gold", "founder"];
/// Known regions.
pub(crate) const REGIONS: [&str; 2] = ["north", "south"];

/// A row of the bank.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) tier: &'static str,
    /// In hundredths, above and below zero.
    pub(crate) amount: Option<i64>,
    pub(crate) region: Option<&'static str>,
    pub(crate) opened_year: u64,
}

/// A row of the shop.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) tier: &'static str,
    /// In hundredths.
    pub(crate) amount: Option<i64>,
    pub(crate) active: bool,
}

/// All of them, by person.
pub(crate) struct People {
    pub(crate) seed: u64,
    pub(crate) clients: BTreeMap<u64, Client>,
    pub(crate) members: BTreeMap<u64, Member>,
}

/// SplitMix64: enough for made-up people.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// The first value in 70 %, 22 %, 7 % … of the cases.
    pub(crate) fn skewed<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let place = match self.below(1_000) {
            0..700 => 0,
            700..920 => 1,
            920..995 => 2,
            _ => 3,
        };
        of[place.min(of.len() - 1)]
    }
}

impl People {
    /// People whom nobody has seen before.
    pub(crate) fn new() -> Self {
        Self::of(getrandom::u64().expect("the system has chance"))
    }

    /// People of a seed. About two thirds of the members are clients too.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let clients = 2_000 + dice.below(1_000);
        let members = 1_200 + dice.below(600);
        let first_member = clients - members * 2 / 3;
        Self {
            seed,
            clients: (0..clients).map(|n| (n, client(&mut dice))).collect(),
            members: (first_member..first_member + members)
                .map(|n| (n, member(&mut dice)))
                .collect(),
        }
    }

    /// The same rows, but the bank's clients are not the shop's members.
    pub(crate) fn strangers(mut self) -> Self {
        let apart = self.clients.len() as u64;
        let members = std::mem::take(&mut self.members);
        self.members = members
            .into_iter()
            .map(|(n, member)| (n + apart, member))
            .collect();
        self
    }

    /// Whoever is both, which is what JOIN gives.
    pub(crate) fn joined(&self) -> impl Iterator<Item = (&Client, &Member)> {
        let member = |n| self.members.get(n);
        self.clients
            .iter()
            .filter_map(move |(n, client)| Some((client, member(n)?)))
    }

    pub(crate) fn clients_csv(&self) -> String {
        let mut csv = "phone,tier,amount,region,opened_on\n".to_owned();
        for (n, row) in &self.clients {
            let (amount, region) = (cents(row.amount), row.region.unwrap_or_default());
            let (phone, tier, year) = (phone(*n), row.tier, row.opened_year);
            csv.push_str(&format!("{phone},{tier},{amount},{region},{year}-06-30\n"));
        }
        csv
    }

    pub(crate) fn members_csv(&self) -> String {
        let mut csv = "phone,tier,amount,active\n".to_owned();
        for (n, row) in &self.members {
            let (phone, amount) = (phone(*n), cents(row.amount));
            csv.push_str(&format!(
                "+86{phone},{},{amount},{}\n",
                row.tier, row.active
            ));
        }
        csv
    }
}

fn client(dice: &mut Dice) -> Client {
    Client {
        tier: dice.skewed(&CLIENT_TIERS),
        amount: (dice.below(20) != 0).then(|| dice.below(8_000_000) as i64 - 5_000_000),
        region: match dice.below(5) {
            0 => None,
            1 => Some(REGIONS[1]),
            _ => Some(REGIONS[0]),
        },
        opened_year: 2015 + dice.below(10),
    }
}

fn member(dice: &mut Dice) -> Member {
    Member {
        tier: dice.skewed(&MEMBER_TIERS),
        amount: (dice.below(10) != 0).then(|| dice.below(500_000) as i64),
        active: dice.below(4) != 0,
    }
}

pub(crate) fn phone(n: u64) -> String {
    format!("139{:08}", n * 7_919 % 100_000_000)
}

/// An amount as a file has it.
pub(crate) fn cents(amount: Option<i64>) -> String {
    amount.map_or_else(String::new, |amount| {
        let sign = if amount < 0 { "-" } else { "" };
        let units = amount.unsigned_abs();
        format!("{sign}{}.{:02}", units / 100, units % 100)
    })
}

const POLICY: &str = r#"[dataset]
name      = "NAME"
consent   = "not-needed"
min_group = 20
min_set   = 100
set_grid  = 100
noise     = "optional"
budget    = { epsilon_per_year = 8.0, jobs_per_30d = 200 }
approvers = { need = 1, of = ["data-owner"] }
[columns.phone]
id  = "e164(+86)"
may = { match = ["PARTNER"] }
[columns.amount]
may      = { sum = ["PARTNER"], count = ["PARTNER"], filter = ["PARTNER"] }
clip     = [-50_000, 50_000]
scale    = 2
nullable = true
"#;

const CLIENTS_POLICY: &str = r#"[columns.tier]
may    = { group = ["corner-shop"] }
domain = ["basic", "plus", "gold", "private"]
[columns.region]
may      = { group = ["corner-shop"] }
domain   = ["north", "south"]
nullable = true
[columns.opened_on]
may = { filter = ["corner-shop"], group = ["corner-shop"] }
"#;

const MEMBERS_POLICY: &str = r#"[columns.tier]
may    = { group = ["harbour-bank"] }
domain = ["paper", "gold", "founder"]
[columns.active]
may = { filter = ["harbour-bank"] }
"#;

/// A lab about to be asked. Files may be changed before.
pub(crate) struct Lab {
    pub(crate) folder: TempDir,
    pub(crate) clients: String,
    pub(crate) members: String,
}

impl Lab {
    pub(crate) fn with(people: &People) -> Self {
        Self {
            folder: TempDir::new().expect("a folder"),
            clients: people.clients_csv(),
            members: people.members_csv(),
        }
    }

    /// Asks, with everything kept in the folder `kept` and the asker's result in `out.csv`.
    pub(crate) fn ask(&self, job: &str) -> Outcome {
        let file = |name: &str, content: &str| {
            let path = self.folder.path().join(name);
            std::fs::write(&path, content).expect("the test folder takes files");
            path.display().to_string()
        };
        let policy = |name: &str, partner: &str, columns: &str| {
            let common = POLICY.replace("NAME", name).replace("PARTNER", partner);
            file(&format!("{name}.toml"), &(common + columns))
        };
        let clients = format!("clients={}", file("clients.csv", &self.clients));
        let members = format!("members={}", file("members.csv", &self.members));
        let of_clients = policy("clients", SHOP, CLIENTS_POLICY);
        let of_members = policy("members", BANK, MEMBERS_POLICY);
        let ask = file("job.yaml", job);
        let in_folder = |name: &str| self.folder.path().join(name).display().to_string();
        let (out, keep) = (in_folder("out.csv"), in_folder("kept"));
        let mut args = vec!["lab", "--keep", &keep, "--out", &out, "--ask", &ask];
        args.extend(["--org", BANK, "--data", &clients, "--policy", &of_clients]);
        args.extend(["--org", SHOP, "--data", &members, "--policy", &of_members]);
        entente(self.folder.path(), &args)
    }

    /// Whether there is a table in the file that was asked for, at the bank's node, and at the shop's.
    pub(crate) fn tables_left(&self) -> [bool; 3] {
        let results = |org| self.folder.path().join("kept").join(org).join("results");
        let has_files = |folder: PathBuf| {
            let files = std::fs::read_dir(folder).map(|files| files.count());
            files.unwrap_or(0) > 0
        };
        let out = self.folder.path().join("out.csv").exists();
        [out, has_files(results(BANK)), has_files(results(SHOP))]
    }
}

/// A job around a question; `{clients}` and `{members}` stand for the two tables.
pub(crate) fn job(readers: &str, ask: &str) -> String {
    let ask = ask
        .replace("{clients}", "\"harbour-bank\".clients")
        .replace("{members}", "\"corner-shop\".members");
    format!(
        "entente: 1\nname: shops\npurpose: a test\nlegal_basis: made-up people\nask: |\n  {ask}\n\
         protect: {{ epsilon: none, min_group: 20 }}\nresults_to: [{readers}]\nexpires: 2036-01-01T00:00:00Z\n"
    )
}
