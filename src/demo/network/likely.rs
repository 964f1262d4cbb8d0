//! Holds a table of many banks with noise against the truth: no number may be further from it than chance explains.
//!
//! Every bank adds a share of discrete Laplace noise, so large that the shares of the honest ones are the whole noise whoever else
//! leaves theirs out. What all of them add is 3 to 5 such noises, the more the narrower its tail is in standard errors: so the bound
//! of one noise, [`ERRORS_MOST`] standard errors, holds here too; a test computes it. Within it nothing that is right is called wrong.

use super::oracle::{Amounts, Cell, Truth};
use super::verdict::sum_of_named;
use crate::demo::likely::{ERRORS_MOST, ROUNDED, number, standard_error};
use crate::demo::oracle::MIN_GROUP;
use crate::demo::verdict::{by_group, expect_columns};
use crate::result_table::ResultTable;

/// The scale of one whole noise in a number of accounts, with ε = 1: 2·cap·sums. Sums of a group: accounts, overdue amounts, balances,
/// and those accounts whose balance is known.
const COUNT_SCALE: f64 = 8.0;
/// The largest overdue amount of an account, in hundredths.
const OVERDUE_CAP: f64 = 5_000_000.0;
/// The largest balance of an account, in hundredths.
const BALANCE_CAP: f64 = 10_000_000.0;
const HUNDREDTHS: f64 = 100.0;

/// Why the noisy table cannot be the truth of all banks with noise; nothing when it can.
pub(super) fn table_is_likely(table: &ResultTable, truth: &Truth) -> Result<(), String> {
    expect_columns(
        table,
        &[
            "industry",
            "month",
            "accounts",
            "accounts_se",
            "overdue",
            "overdue_se",
            "average_balance",
            "average_balance_se",
        ],
    )?;
    let sum = sum_of_named(table, truth, None)?;
    let noise = Noise::of(truth.by_bank.len());
    let rows = by_group(table, &sum)?;
    for (group, cell) in &sum {
        let checked = match rows.get(group) {
            Some(numbers) => noise.explains(cell, numbers),
            None => noise.suppresses(cell),
        };
        checked.map_err(|what| format!("{group:?}: {what}, {cell:?} in truth"))?;
    }
    let is_exact = |(group, numbers): (&_, &&[Option<String>])| {
        let [accounts, overdue, _] = sum[group].numbers();
        numbers.first() == Some(&accounts) && numbers.get(2) == Some(&overdue)
    };
    // That all sums of two groups or more are spared by their noise happens in fewer than one of 10^18 runs.
    match rows.len() > 1 && rows.iter().all(is_exact) {
        true => Err("no number has noise".to_owned()),
        false => Ok(()),
    }
}

/// What so many banks add together.
struct Noise {
    /// How many whole noises.
    wholes: f64,
}

impl Noise {
    fn of(banks: usize) -> Self {
        let wholes = banks as f64 / honest_strangers(banks) as f64;
        Self { wholes }
    }

    /// The standard error of a sum whose accounts add at most `cap`.
    fn error(&self, cap: f64) -> f64 {
        self.wholes.sqrt() * standard_error(COUNT_SCALE * cap)
    }

    fn count_error_most(&self) -> f64 {
        ERRORS_MOST * self.error(1.0)
    }

    /// A group that is not shown has few accounts, give or take the noise.
    fn suppresses(&self, cell: &Cell) -> Result<(), String> {
        match (cell.accounts as f64) < MIN_GROUP as f64 + self.count_error_most() {
            true => Ok(()),
            false => Err("suppressed".to_owned()),
        }
    }

    fn explains(&self, cell: &Cell, numbers: &[Option<String>]) -> Result<(), String> {
        let [
            accounts,
            accounts_se,
            overdue,
            overdue_se,
            balance,
            balance_se,
        ] = numbers
        else {
            return Err("other numbers than asked for".to_owned());
        };
        let accounts = number(accounts).ok_or("no number of accounts")?;
        if accounts < MIN_GROUP as f64 {
            return Err(format!("{accounts} accounts are shown"));
        }
        let count_error = self.error(1.0);
        is_near(
            "accounts",
            (accounts, number(accounts_se)),
            (cell.accounts as f64, count_error),
        )?;
        let overdue = number(overdue).ok_or("no overdue amount")?;
        is_near(
            "overdue",
            (overdue, number(overdue_se)),
            (
                cell.overdue.sum as f64 / HUNDREDTHS,
                self.error(OVERDUE_CAP) / HUNDREDTHS,
            ),
        )?;
        match [balance, balance_se].map(number) {
            [Some(average), Some(error)] => self.average(&cell.balance, average, error),
            // Noise may take so few values to none at all.
            [None, None] if cell.balance.values as f64 <= self.count_error_most() => Ok(()),
            other => Err(format!("an average of {other:?}")),
        }
    }

    /// A noisy sum over a noisy count n is off by at most (|noise of the sum| + average·|noise of the count|)/n, which is at most
    /// [`ERRORS_MOST`] times twice the sum's standard error over n, because an average is below the cap; and that is not above the
    /// average's own.
    fn average(&self, truth: &Amounts, average: f64, error: f64) -> Result<(), String> {
        let due = match truth.values {
            0 => 0.0,
            values => truth.sum as f64 / HUNDREDTHS / values as f64,
        };
        if error <= 0.0 || (average - due).abs() > 2.0 * ERRORS_MOST * ROUNDED * error {
            return Err(format!("an average of {average} ± {error}"));
        }
        // An error that is too large would excuse any average: it is bounded by the fewest values that noise can have left.
        let fewest = truth.values as f64 - self.count_error_most();
        let of_sum = self.error(BALANCE_CAP) / HUNDREDTHS;
        let most = of_sum.hypot(average * self.error(1.0)) / fewest;
        match fewest < 1.0 || error <= most * ROUNDED {
            true => Ok(()),
            false => Err(format!("a standard error of {error}, at most {most}")),
        }
    }
}

/// A number with its standard error is the truth with noise of that very error.
fn is_near(
    what: &str,
    (told, told_error): (f64, Option<f64>),
    (due, error): (f64, f64),
) -> Result<(), String> {
    match told_error {
        Some(told_error) if (told_error - error).abs() <= (ROUNDED - 1.0) * error => {}
        other => return Err(format!("{what} ± {other:?}, not ± {error}")),
    }
    match (told - due).abs() <= ERRORS_MOST * error {
        true => Ok(()),
        false => Err(format!("{told} {what}, {due} in truth")),
    }
}

/// How many banks' shares are one whole noise, by the rules of protocols.md §10 for `min_parties: 3, dropouts: 1/3`: as many as are in
/// every sum, less those that may collude, and less the recipient, which knows its own share.
fn honest_strangers(banks: usize) -> usize {
    let missing = (banks / 3).min(banks - 3);
    let present = banks - missing;
    let colluders = (2 * present - banks - 1).min(present - 2);
    let quorum = (banks + colluders) / 2 + 1;
    quorum.max(colluders + 2).max(3) - (colluders + 1)
}

#[cfg(test)]
mod tests {
    use super::super::banks::{INDUSTRIES, MONTHS, PARTIES};
    use super::super::oracle::Groups;
    use super::*;
    use crate::result_table::{Notes, Parties};

    /// By Chernoff's bound: of the sum of `wholes` discrete Laplace noises of ratio q, E(e^(s·noise)) is
    /// ((1 − q)²/((1 − q·e^s)(1 − q·e^−s)))^wholes.
    #[test]
    fn a_false_alarm_comes_in_fewer_than_one_of_a_billion_runs() {
        const SUMS_A_GROUP: usize = 4;
        let sums = (INDUSTRIES.len() * MONTHS.len() * SUMS_A_GROUP) as f64;
        for banks in PARTIES {
            let noise = Noise::of(banks);
            assert!((3.0..=5.0).contains(&noise.wholes), "{banks}");
            for scale in [COUNT_SCALE, COUNT_SCALE * BALANCE_CAP] {
                let q = (-1.0 / scale).exp();
                let at = ERRORS_MOST * noise.wholes.sqrt() * standard_error(scale);
                let log_bound = |s: f64| {
                    let below = (1.0 - q * s.exp()) * (1.0 - q * (-s).exp());
                    noise.wholes * (2.0 * (1.0 - q).ln() - below.ln()) - s * at
                };
                let slopes = (1..1_000).map(|step| f64::from(step) / 1_000.0 / scale);
                let bound = slopes.map(log_bound).fold(f64::INFINITY, f64::min).exp();
                assert!(2.0 * sums * bound < 1e-9, "{banks}: {bound}");
            }
        }
    }

    fn truth() -> Truth {
        let cell = |accounts: u64, overdue: i64, balance: i64| Cell {
            accounts,
            overdue: Amounts {
                values: accounts,
                sum: overdue * accounts as i64,
            },
            balance: Amounts {
                values: accounts,
                sum: balance * accounts as i64,
            },
        };
        let groups: Groups = [
            (("food", "2026-01"), cell(1_000, 100_000, 2_000_000)),
            (("food", "2026-02"), cell(20, 100_000, 2_000_000)),
        ]
        .into();
        let banks = ["a", "b", "c", "d", "e"].map(|name| name.parse().expect("a label"));
        Truth {
            by_bank: banks.map(|bank| (bank, groups.clone())).into(),
        }
    }

    fn judged(rows: &str, missing: usize) -> Result<(), String> {
        let header = "industry,month,accounts,accounts_se,overdue,overdue_se,average_balance,average_balance_se";
        let mut names = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let in_sum = names.split_off(missing);
        let missing = names;
        let shown = rows.lines().count();
        let notes = Notes {
            suppressed_groups: Some((INDUSTRIES.len() * MONTHS.len() - shown) as u64),
            parties: Some(Parties { in_sum, missing }),
        };
        let csv = format!("{header}\n{rows}");
        let table = ResultTable::from_csv(csv.as_bytes(), 10, notes).expect("valid CSV");
        table_is_likely(&table, &truth())
    }

    /// 5,000 accounts that owe 5,000,000 and have 20,000 each.
    const LIKELY: &str = "food,2026-01,5030,25.3,5500000.00,1260000,20400.5,510\n";

    #[test]
    fn what_noise_explains_is_likely() {
        for more in [
            "",
            "food,2026-02,90,25.3,-100000.00,1260000,,\n",
            // Nobody is there, and noise shows the group all the same.
            "metal,2026-01,51,25.3,900000.00,1260000,-9000.5,36000\n",
        ] {
            assert_eq!(judged(&format!("{LIKELY}{more}"), 0), Ok(()), "{more}");
        }
    }

    #[test]
    fn what_noise_does_not_explain_is_noticed() {
        assert!(judged("", 0).is_err(), "a large group is not shown");
        assert!(judged(LIKELY, 1).is_err(), "a bank is missing");
        for (right, wrong) in [
            ("5030", "5900"),
            ("5030,25.3", "5030,253"),
            ("5030,25.3", "5030,11.3"),
            ("5030,25.3", "5030,"),
            ("5500000.00", "55500000.00"),
            ("1260000", "12600000"),
            ("1260000", "1"),
            ("20400.5", "50400.5"),
            ("20400.5,510", "50400.5,5100"),
            (",510", ",0"),
            ("20400.5,510", ","),
        ] {
            let rows = LIKELY.replace(right, wrong);
            assert_ne!(rows, LIKELY);
            assert!(judged(&rows, 0).is_err(), "{rows}");
        }
        let few = format!("{LIKELY}food,2026-02,49,25.3,100000.00,1260000,20000.5,36000\n");
        assert!(judged(&few, 0).is_err(), "below the smallest group");
        let exact = "food,2026-01,5000,25.3,5000000.00,1260000,20000.00,510\n\
                     food,2026-02,100,25.3,100000.00,1260000,20000.00,18000\n";
        assert!(judged(exact, 0).is_err(), "no noise");
    }
}
