//! The made-up business accounts of many banks, as dirty as those of two: whoever means whom is known here.

use crate::demo::dice::Dice;
use crate::demo::people::{Common, HasCommon, balance, cells, common, money, repeat};
use entente_wire::names::OrgName;
use std::fmt::Write;
use std::ops::RangeInclusive;

/// How many banks a demo can have: the sum of two would tell each the other's numbers, and each is a process on this machine.
pub(in crate::demo) const PARTIES: RangeInclusive<usize> = 3..=16;
/// The banks, in the order in which a demo takes them; the first asks.
const NAMES: [&str; 16] = [
    "north-bank",
    "harbour-bank",
    "hill-bank",
    "lake-bank",
    "forest-bank",
    "island-bank",
    "valley-bank",
    "coast-bank",
    "bridge-bank",
    "meadow-bank",
    "garden-bank",
    "mill-bank",
    "market-bank",
    "castle-bank",
    "desert-bank",
    "south-bank",
];

/// Industries, in the order of the policy's domain.
pub(super) const INDUSTRIES: [&str; 6] =
    ["retail", "food", "metal", "energy", "fishery", "shipping"];
/// Months, in the order of the policy's domain.
pub(super) const MONTHS: [&str; 3] = ["2026-01", "2026-02", "2026-03"];
/// At any scale a bank has so few fishers in a month that it alone must not show them, but three banks together may.
const FISHERS_A_MONTH: u64 = 30;
/// So few shippers that all banks together must not show them.
const SHIPPERS_A_MONTH: u64 = 2;

/// A row of a bank.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) common: Common,
    /// Index into [`INDUSTRIES`].
    pub(super) industry: usize,
    /// Index into [`MONTHS`].
    pub(super) month: usize,
    /// In hundredths; `None` is an empty cell.
    pub(super) overdue: Option<i64>,
    /// In hundredths; `None` is an empty cell.
    pub(super) balance: Option<i64>,
}

impl HasCommon for Account {
    fn common(&self) -> &Common {
        &self.common
    }
    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }
}

/// A bank and its rows, in file order.
pub(super) struct Bank {
    pub(super) org: OrgName,
    pub(super) accounts: Vec<Account>,
}

/// Makes the rows of so many banks, `scale` accounts each.
pub(super) fn make(parties: usize, scale: u64, dice: &mut Dice) -> Vec<Bank> {
    let names = NAMES.iter().take(parties).zip(0..);
    let banks = names.map(|(name, place): (_, u64)| Bank {
        org: name.parse().expect("a label"),
        // Half of the next bank's account holders are this one's too: nobody matches them, they count at each.
        accounts: accounts(place * scale / 2, scale, dice),
    });
    banks.collect()
}

/// The rows of the account holders from `first` on.
fn accounts(first: u64, scale: u64, dice: &mut Dice) -> Vec<Account> {
    let mut accounts = Vec::new();
    for place in 0..scale {
        let row = account(first + place, place, dice);
        repeat(row, dice, &mut accounts, |row, dice| {
            row.overdue = overdue(row.industry, dice);
            row.balance = balance(dice);
        });
    }
    dice.shuffle(&mut accounts);
    accounts
}

fn account(person: u64, place: u64, dice: &mut Dice) -> Account {
    let industry = industry(place, dice);
    Account {
        common: common(person, dice),
        industry,
        month: (place % MONTHS.len() as u64) as usize,
        overdue: overdue(industry, dice),
        balance: balance(dice),
    }
}

/// The first few accounts of every bank are in the rare industries.
fn industry(place: u64, dice: &mut Dice) -> usize {
    let months = MONTHS.len() as u64;
    let fishers = FISHERS_A_MONTH * months;
    if place < fishers {
        return 4;
    }
    if place < fishers + SHIPPERS_A_MONTH * months {
        return 5;
    }
    match dice.below(100) {
        0..40 => 0,
        40..70 => 1,
        70..90 => 2,
        _ => 3,
    }
}

/// Most owe little, some far more than the cap; of some it is unknown.
fn overdue(industry: usize, dice: &mut Dice) -> Option<i64> {
    match dice.below(40) {
        0 => None,
        1 => Some(5_000_000 + dice.below(20_000_000) as i64),
        2..20 => Some(0),
        _ => Some(dice.below(400_000 * (1 + industry as u64)) as i64),
    }
}

impl Bank {
    /// The bank's file. Its policy does not name the e-mails, so they stay out of everything.
    pub(super) fn csv(&self) -> String {
        let mut csv = "phone,email,industry,month,overdue,balance,consent,updated_at\n".to_owned();
        for row in &self.accounts {
            let (phone, email, consent, updated) = cells(&row.common);
            let (industry, month) = (INDUSTRIES[row.industry], MONTHS[row.month]);
            let [overdue, balance] =
                [row.overdue, row.balance].map(|amount| amount.map_or_else(String::new, money));
            let _ = writeln!(
                csv,
                "{phone},{email},{industry},{month},{overdue},{balance},{consent},{updated}"
            );
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::people::SCALE_MIN;
    use std::collections::BTreeSet;

    #[test]
    fn as_many_banks_as_are_asked_for_have_names_of_their_own() {
        let banks = make(*PARTIES.end(), SCALE_MIN, &mut Dice::new(1));
        let names: BTreeSet<&OrgName> = banks.iter().map(|bank| &bank.org).collect();
        assert_eq!(names.len(), *PARTIES.end());
    }

    #[test]
    fn one_seed_gives_the_same_files() {
        let files = |seed| {
            let banks = make(3, SCALE_MIN, &mut Dice::new(seed));
            banks.iter().map(Bank::csv).collect::<Vec<_>>()
        };
        assert_eq!(files(7), files(7));
        assert_ne!(files(7), files(8));
        let [first, second, _] = &files(7)[..] else {
            unreachable!("three were asked for")
        };
        assert_ne!(first, second);
    }

    #[test]
    fn every_file_has_every_kind_of_dirt() {
        for bank in make(3, SCALE_MIN, &mut Dice::new(7)) {
            let rows = &bank.accounts;
            let people: BTreeSet<u64> = rows.iter().map(|row| row.common.person).collect();
            assert_eq!(people.len() as u64, SCALE_MIN);
            assert!(rows.len() > people.len(), "duplicates");
            let has = |dirt: fn(&Account) -> bool| assert!(rows.iter().any(dirt), "{}", bank.org);
            has(|row| !row.common.mobile.usable);
            has(|row| row.common.mobile.text.starts_with("0086"));
            has(|row| row.common.consent != Some(true));
            has(|row| row.overdue.is_none());
            has(|row| row.balance.is_none());
        }
    }
}
