//! Made-up accounts of several banks, other ones in every run, and the lab that is asked about them. Whoever fails says its seed.

use crate::shops::{Dice, cents, phone};
use crate::world::command::{Outcome, entente};
use serde_json::Value;
use tempfile::TempDir;

/// The banks; the first asks.
pub(crate) const BANKS: [&str; 4] = ["north-bank", "hill-bank", "lake-bank", "mill-bank"];
/// In the order of the policy; hardly any account is a shipper's.
pub(crate) const INDUSTRIES: [&str; 4] = ["retail", "food", "fishery", "shipping"];

/// A row of a bank.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) industry: &'static str,
    /// In hundredths.
    pub(crate) overdue: Option<i64>,
    /// In hundredths, above and below zero.
    pub(crate) balance: i64,
    pub(crate) active: bool,
    /// In hundredths, one a row of the bank's payments.
    pub(crate) payments: Vec<i64>,
}

/// All banks' accounts. Some people have one at several.
pub(crate) struct Accounts {
    pub(crate) seed: u64,
    banks: [Vec<Account>; 4],
}

fn account(dice: &mut Dice) -> Account {
    Account {
        industry: dice.skewed(&INDUSTRIES),
        overdue: (dice.below(10) != 0).then(|| dice.below(500_000) as i64),
        balance: dice.below(9_000_000) as i64 - 1_000_000,
        active: dice.below(4) != 0,
        payments: (0..dice.below(3))
            .map(|_| dice.below(100_000) as i64)
            .collect(),
    }
}

impl Accounts {
    pub(crate) fn new() -> Self {
        let seed = getrandom::u64().expect("the system has chance");
        let mut dice = Dice(seed);
        let banks = BANKS.map(|_| {
            let accounts = 150 + dice.below(150);
            (0..accounts).map(|_| account(&mut dice)).collect()
        });
        Self { seed, banks }
    }

    /// Of the banks that a result says are in it.
    pub(crate) fn of(&self, parties: &Value) -> impl Iterator<Item = &Account> {
        let named = parties["in_sum"].as_array().expect("names").clone();
        let each = BANKS.iter().zip(&self.banks);
        each.filter(move |(bank, _)| named.contains(&Value::from(**bank)))
            .flat_map(|(_, accounts)| accounts)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Account> {
        self.banks.iter().flatten()
    }

    pub(crate) fn lab(&self) -> Network {
        let mut network = Network::default();
        for (bank, accounts) in BANKS.iter().zip(&self.banks) {
            let mut csv = HEADER.to_owned();
            for (row, n) in accounts.iter().zip(0..) {
                let (phone, industry, active) = (phone(n), row.industry, row.active);
                let [overdue, balance] = [row.overdue, Some(row.balance)].map(cents);
                let row = format!("{phone},{industry},{overdue},{balance},{active}\n");
                csv.push_str(&row);
            }
            network.add(bank, "accounts", csv, ACCOUNTS_POLICY.to_owned());
        }
        network
    }

    pub(crate) fn lab_of_payments(&self) -> Network {
        let mut network = Network::default();
        for (bank, accounts) in BANKS.iter().zip(&self.banks) {
            let mut csv = "phone,amount,paid_on\n".to_owned();
            for (row, n) in accounts.iter().zip(0..) {
                for (amount, day) in row.payments.iter().zip(1..) {
                    let (phone, amount) = (phone(n), cents(Some(*amount)));
                    csv.push_str(&format!("+86 {phone},{amount},2026-01-0{day}\n"));
                }
            }
            network.add(bank, "payments", csv, PAYMENTS_POLICY.to_owned());
        }
        network
    }
}

pub(crate) const HEADER: &str = "phone,industry,overdue,balance,active\n";

pub(crate) const ACCOUNTS_POLICY: &str = r#"[dataset]
name      = "accounts"
consent   = "not-needed"
min_group = 20
min_set   = 50
set_grid  = 100
noise     = "optional"
budget    = { epsilon_per_year = 8.0, jobs_per_30d = 200 }
approvers = { need = 1, of = ["data-owner"] }
[columns.phone]
id  = "e164(+86)"
may = { count = ["north-bank"] }
[columns.industry]
may    = { group = ["north-bank"] }
domain = ["retail", "food", "fishery", "shipping"]
[columns.overdue]
may      = { sum = ["north-bank"], count = ["north-bank"] }
clip     = [0, 5_000]
scale    = 2
nullable = true
[columns.balance]
may   = { sum = ["north-bank"], filter = ["north-bank"], group = ["north-bank"] }
clip  = [-10_000, 100_000]
scale = 2
[columns.active]
may = { filter = ["north-bank"] }
"#;

const PAYMENTS_POLICY: &str = r#"[dataset]
name      = "payments"
consent   = "not-needed"
min_group = 20
min_set   = 50
set_grid  = 100
noise     = "optional"
budget    = { epsilon_per_year = 8.0, jobs_per_30d = 200 }
approvers = { need = 1, of = ["data-owner"] }
latest    = "paid_on"
[columns.phone]
id  = "e164(+86)"
may = { count = ["north-bank"] }
[columns.amount]
may   = { sum = ["north-bank"] }
clip  = [0, 10_000]
scale = 2
"#;

/// A lab about to be asked: each bank's dataset, with its file and policy.
#[derive(Default)]
pub(crate) struct Network {
    banks: Vec<(&'static str, [String; 3])>,
}

impl Network {
    /// Gives a bank a dataset, in the place of the one that it has.
    pub(crate) fn add(&mut self, bank: &'static str, dataset: &str, csv: String, policy: String) {
        self.banks.retain(|(org, _)| *org != bank);
        self.banks.push((bank, [dataset.to_owned(), csv, policy]));
    }

    /// Asks; `more` goes on the command line.
    pub(crate) fn ask(&self, yaml: &str, more: &[&str]) -> Outcome {
        let folder = TempDir::new().expect("a folder");
        let file = |name: String, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("the test folder takes files");
            path.display().to_string()
        };
        let ask = file("job.yaml".to_owned(), yaml);
        let mut args = ["lab", "--ask", &ask].map(str::to_owned).to_vec();
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        for (bank, [dataset, csv, policy]) in &self.banks {
            let csv = file(format!("{bank}.csv"), csv);
            let policy = file(format!("{bank}.toml"), policy);
            let data = format!("{dataset}={csv}");
            let of_bank = ["--org", bank, "--data", &data, "--policy", &policy];
            args.extend(of_bank.map(str::to_owned));
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        entente(folder.path(), &args)
    }
}

/// A job around a question of all four banks.
pub(crate) fn job(ask: &str) -> String {
    job_of(&BANKS, ask)
}

pub(crate) fn job_of(banks: &[&str], ask: &str) -> String {
    let parties = banks.join(", ");
    format!(
        "entente: 1\nname: network\npurpose: a test\nlegal_basis: made-up people\nask: |\n  {ask}\nparties: [{parties}]\n\
         aggregate: {{ min_parties: 3, dropouts: 1/3 }}\nprotect: {{ epsilon: none, min_group: 20 }}\n\
         results_to: [north-bank]\nexpires: 2036-01-01T00:00:00Z\n"
    )
}
