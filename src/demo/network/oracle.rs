//! The true table of any of the banks, computed in the clear from whom each row means: each bank's rows reduced by the rules of the
//! question language, then plain sums. No id is parsed, and nothing is shared with the node's code.

use super::banks::{Account, Bank, INDUSTRIES, MONTHS};
use crate::demo::oracle::{Group, MIN_GROUP, average, reduce};
use crate::demo::people::money;
use entente_wire::names::OrgName;
use std::collections::BTreeMap;

/// Overdue amounts are capped to this range, in hundredths; the policy says the same.
const OVERDUE_CLIP: (i64, i64) = (0, 5_000_000);
/// Balances are capped to this range, in hundredths; the policy says the same.
const BALANCE_CLIP: (i64, i64) = (-1_000_000, 10_000_000);

/// A group by industry and month: every one there could be, those without an account too.
pub(super) type Groups = BTreeMap<Group, Cell>;

/// The accounts of one group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// How many.
    pub(super) accounts: u64,
    pub(super) overdue: Amounts,
    pub(super) balance: Amounts,
}

/// Amounts of a group that are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    /// How many.
    pub(super) values: u64,
    /// Their sum, each capped, in hundredths.
    pub(super) sum: i64,
}

/// Each bank's own table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) by_bank: BTreeMap<OrgName, Groups>,
}

impl Truth {
    /// Of all banks.
    pub(super) fn of(banks: &[Bank]) -> Self {
        let each = banks.iter();
        Self {
            by_bank: each
                .map(|bank| (bank.org.clone(), groups(&bank.accounts)))
                .collect(),
        }
    }

    /// The table of these banks together; nothing where one of them is none.
    pub(super) fn sum<'a>(&self, banks: impl IntoIterator<Item = &'a OrgName>) -> Option<Groups> {
        let mut sum = empty();
        for bank in banks {
            for (group, cell) in self.by_bank.get(bank)? {
                sum.entry(*group).or_default().add(cell);
            }
        }
        Some(sum)
    }

    /// Whether some group is shown of these banks together that no bank could show alone.
    pub(super) fn shows_more_than_any_bank(&self, sum: &Groups) -> bool {
        let one_shows = |group| {
            let mut cells = self.by_bank.values().filter_map(|own| own.get(group));
            cells.any(Cell::may_be_shown)
        };
        let mut shown = sum.iter().filter(|(_, cell)| cell.may_be_shown());
        shown.any(|(group, _)| !one_shows(group))
    }
}

fn empty() -> Groups {
    let months = |industry| MONTHS.map(|month| ((industry, month), Cell::default()));
    INDUSTRIES.into_iter().flat_map(months).collect()
}

fn groups(accounts: &[Account]) -> Groups {
    let mut groups = empty();
    for row in reduce(accounts, |common| common.mobile.usable, same).values() {
        let group = (INDUSTRIES[row.industry], MONTHS[row.month]);
        let cell = groups.entry(group).or_default();
        cell.accounts += 1;
        cell.overdue.put(row.overdue, OVERDUE_CLIP);
        cell.balance.put(row.balance, BALANCE_CLIP);
    }
    groups
}

/// Equal in all columns that the policy names.
fn same(one: &Account, other: &Account) -> bool {
    let key = |row: &Account| (row.industry, row.month, row.overdue, row.balance);
    key(one) == key(other)
}

impl Amounts {
    fn put(&mut self, amount: Option<i64>, (low, high): (i64, i64)) {
        if let Some(amount) = amount {
            self.values += 1;
            self.sum += amount.clamp(low, high);
        }
    }

    fn add(&mut self, other: &Self) {
        self.values += other.values;
        self.sum += other.sum;
    }
}

impl Cell {
    fn add(&mut self, other: &Self) {
        self.accounts += other.accounts;
        self.overdue.add(&other.overdue);
        self.balance.add(&other.balance);
    }

    /// Whether it is large enough.
    pub(super) fn may_be_shown(&self) -> bool {
        self.accounts >= MIN_GROUP
    }

    /// As the table writes it: accounts, the sum of what is overdue, the average balance.
    pub(super) fn numbers(&self) -> [Option<String>; 3] {
        let overdue = (self.overdue.values > 0).then(|| money(self.overdue.sum));
        let balance = average(self.balance.sum, self.balance.values);
        [Some(self.accounts.to_string()), overdue, balance]
    }
}

#[cfg(test)]
mod tests {
    use super::super::banks::make;
    use super::*;
    use crate::demo::dice::Dice;
    use crate::demo::people::SCALE_MIN;

    #[test]
    fn the_made_up_banks_exercise_every_rule() {
        for (parties, seed) in [(3, 1), (3, 2), (4, 3), (5, 4), (16, 5)] {
            let banks = make(parties, SCALE_MIN, &mut Dice::new(seed));
            let truth = Truth::of(&banks);
            let names = || banks.iter().map(|bank| &bank.org);
            let sum = truth.sum(names()).expect("all are banks");
            let shown = |industry| {
                let cells = sum.iter().filter(|((name, _), _)| *name == industry);
                cells.filter(|(_, cell)| cell.may_be_shown()).count()
            };
            for industry in INDUSTRIES {
                let due = if industry == "shipping" { 0 } else { 3 };
                assert_eq!(shown(industry), due, "{industry}, {parties}, seed {seed}");
            }
            assert!(truth.shows_more_than_any_bank(&sum), "seed {seed}");
            // Without the last one too, where one may be missing.
            let others = truth.sum(names().take((parties - 1).max(3)));
            let others = others.expect("all are banks");
            assert!(truth.shows_more_than_any_bank(&others), "seed {seed}");
            let nulls = |cell: &Cell| {
                cell.overdue.values < cell.accounts && cell.balance.values < cell.accounts
            };
            assert!(sum.values().any(nulls), "seed {seed}");
            let rows = || banks.iter().flat_map(|bank| &bank.accounts);
            let beyond = |amount: Option<i64>, (low, high)| {
                amount.is_some_and(|amount| amount < low || amount > high)
            };
            assert!(rows().any(|row| beyond(row.overdue, OVERDUE_CLIP)));
            assert!(rows().any(|row| beyond(row.balance, BALANCE_CLIP)));
        }
    }

    #[test]
    fn a_sum_is_that_of_the_banks_that_are_named() {
        let banks = make(3, SCALE_MIN, &mut Dice::new(9));
        let truth = Truth::of(&banks);
        let names: Vec<&OrgName> = banks.iter().map(|bank| &bank.org).collect();
        let accounts = |names: &[&OrgName]| -> u64 {
            let sum = truth.sum(names.iter().copied()).expect("all are banks");
            sum.values().map(|cell| cell.accounts).sum()
        };
        let each: Vec<u64> = names.iter().map(|name| accounts(&[name])).collect();
        assert_eq!(accounts(&names), each.iter().sum::<u64>());
        assert_eq!(accounts(&names[1..]), each[1] + each[2]);
        let stranger = "river-pay".parse().expect("a label");
        assert_eq!(truth.sum([&stranger]), None);
    }
}
