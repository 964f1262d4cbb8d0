//! The true answers, computed in the clear from whom each row means: no id is parsed, nothing is shared with the node's code.
//! The rules are those of the question language: usable id; consent true on all rows; one row (equal rows merge, else the newest,
//! else dropped); then WHERE; then plain SQL over the two reduced sides.

use super::people::{Common, Customer, HasCommon, Rows, TIERS, User};
use std::collections::{BTreeMap, BTreeSet};

/// Groups below this are not shown; the policies and the job say the same.
pub(super) const MIN_GROUP: u64 = 50;
/// Balances are capped to this range, in hundredths; the policy says the same.
const BALANCE_CLIP: (i64, i64) = (0, 100_000_000);
/// Accounts opened from this day on are left out; the question says the same.
const OPENED_BEFORE: &str = "2026-01-01";

/// One tier's customers that both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// How many.
    pub(super) customers: u64,
    /// How many of them have a balance.
    pub(super) balances: u64,
    /// Sum of the capped balances, in hundredths.
    pub(super) sum: i64,
}

/// The true answers to both questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    /// Tiers that may be shown.
    pub(super) by_tier: BTreeMap<String, Cell>,
    /// Tiers that may not.
    pub(super) suppressed: u64,
    /// Customers that both have, by e-mail.
    pub(super) shared_by_email: u64,
}

/// Computes both answers.
pub(super) fn truth(rows: &Rows) -> Truth {
    let by_mobile = |common: &Common| common.mobile.usable;
    let by_email = |common: &Common| common.email.usable;
    let active: BTreeSet<u64> = reduce(&rows.users, by_mobile, same_user)
        .into_values()
        .filter(|user| user.active)
        .map(|user| user.common.person)
        .collect();
    let mut cells = vec![
        Cell {
            customers: 0,
            balances: 0,
            sum: 0
        };
        TIERS.len()
    ];
    for (person, customer) in reduce(&rows.customers, by_mobile, same_customer) {
        if !active.contains(&person) || customer.opened_on.as_str() >= OPENED_BEFORE {
            continue;
        }
        let cell = &mut cells[customer.tier];
        cell.customers += 1;
        if let Some(balance) = customer.balance {
            cell.balances += 1;
            cell.sum += balance.clamp(BALANCE_CLIP.0, BALANCE_CLIP.1);
        }
    }
    let users = reduce(&rows.users, by_email, same_user);
    let customers = reduce(&rows.customers, by_email, same_customer);
    let shared = customers
        .keys()
        .filter(|person| users.contains_key(*person));
    let shown = |cell: &Cell| cell.customers >= MIN_GROUP;
    Truth {
        shared_by_email: shared.count() as u64,
        suppressed: cells.iter().filter(|cell| !shown(cell)).count() as u64,
        by_tier: TIERS
            .iter()
            .zip(cells)
            .filter(|(_, cell)| shown(cell))
            .map(|(tier, cell)| ((*tier).to_owned(), cell))
            .collect(),
    }
}

/// The one row of every person who can take part.
fn reduce<R: HasCommon>(
    rows: &[R],
    usable: impl Fn(&Common) -> bool,
    same: impl Fn(&R, &R) -> bool,
) -> BTreeMap<u64, &R> {
    let mut by_person: BTreeMap<u64, Vec<&R>> = BTreeMap::new();
    for row in rows.iter().filter(|row| usable(row.common())) {
        by_person.entry(row.common().person).or_default().push(row);
    }
    let mut reduced = BTreeMap::new();
    for (person, rows) in by_person {
        if rows.iter().any(|row| row.common().consent != Some(true)) {
            continue;
        }
        let newest = rows.iter().map(|row| row.common().updated_s).max();
        let mut newest = rows
            .iter()
            .filter(|row| Some(row.common().updated_s) == newest);
        if let Some(first) = newest.next()
            && newest.all(|other| same(first, other))
        {
            reduced.insert(person, *first);
        }
    }
    reduced
}

fn same_customer(one: &Customer, other: &Customer) -> bool {
    let key = |row: &Customer| (row.tier, row.balance, row.opened_on.clone());
    key(one) == key(other)
}

fn same_user(one: &User, other: &User) -> bool {
    one.active == other.active
}

impl Cell {
    /// The average as a decimal with as many places as `like` has, half away from zero.
    pub(super) fn average_like(&self, like: &str) -> Option<String> {
        if self.balances == 0 {
            return None;
        }
        let places = like
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        let shift = 10_i128.pow(u32::try_from(places).ok()?.min(18));
        // Hundredths to units of the last place: × shift ÷ 100; then the mean, rounded once.
        let dividend = i128::from(self.sum) * shift;
        let divisor = i128::from(self.balances) * 100;
        let units = (2 * dividend.abs() + divisor) / (2 * divisor);
        let sign = if dividend < 0 && units != 0 { "-" } else { "" };
        if places == 0 {
            return Some(format!("{sign}{units}"));
        }
        Some(format!(
            "{sign}{}.{:0places$}",
            units / shift,
            units % shift
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::dice::Dice;
    use super::super::people::{SCALE_MIN, make};
    use super::*;

    #[test]
    fn averages_round_half_away_from_zero() {
        let cell = |sum, balances| Cell {
            customers: balances,
            balances,
            sum,
        };
        let average = |sum, balances, like: &str| cell(sum, balances).average_like(like);
        assert_eq!(average(1_00, 3, "0.33").as_deref(), Some("0.33"));
        assert_eq!(average(1, 2, "0.01").as_deref(), Some("0.01"));
        assert_eq!(average(-1, 2, "0.01").as_deref(), Some("-0.01"));
        assert_eq!(average(-1, 3, "0.01").as_deref(), Some("0.00"));
        assert_eq!(average(1_50, 1, "2").as_deref(), Some("2"));
        assert_eq!(average(2_00, 3, "0.666667").as_deref(), Some("0.666667"));
        assert_eq!(average(0, 0, "0.00"), None);
    }

    #[test]
    fn the_made_up_people_exercise_every_rule() {
        for seed in 0..20 {
            let truth = truth(&make(SCALE_MIN, &mut Dice::new(seed)));
            assert_eq!(
                truth.suppressed, 1,
                "platinum alone is too small, seed {seed}"
            );
            assert_eq!(truth.by_tier.len(), 3, "seed {seed}");
            assert!(truth.shared_by_email > 1_000, "seed {seed}");
            let with_null = truth
                .by_tier
                .values()
                .any(|cell| cell.balances < cell.customers);
            assert!(with_null, "seed {seed}");
        }
    }

    #[test]
    fn contradictions_and_missing_consent_drop_a_person() {
        let mut rows = make(SCALE_MIN, &mut Dice::new(3));
        let mut row = rows.customers[0].clone();
        row.common.mobile.usable = true;
        row.common.consent = Some(true);
        row.balance = Some(1);
        let mut other = row.clone();
        let count = |customers: &[Customer]| {
            reduce(customers, |common| common.mobile.usable, same_customer).len()
        };
        rows.customers = vec![row.clone(), other.clone()];
        assert_eq!(count(&rows.customers), 1, "equal rows merge");
        other.balance = Some(2);
        rows.customers = vec![row.clone(), other.clone()];
        assert_eq!(count(&rows.customers), 0, "a tie is dropped");
        other.common.updated_s += 1;
        rows.customers = vec![row.clone(), other.clone()];
        assert_eq!(count(&rows.customers), 1, "the newest counts");
        other.common.consent = None;
        rows.customers = vec![row, other];
        assert_eq!(count(&rows.customers), 0, "consent on every row");
    }
}
