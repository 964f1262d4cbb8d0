//! The true answers, computed in the clear from whom each row means: no id is parsed, nothing is shared with the node's code.
//! The rules are those of the question language: usable id; consent true on all rows; one row (equal rows merge, else the newest,
//! else dropped); then WHERE; then plain SQL over the two reduced sides.

use super::people::{Common, Customer, HasCommon, Rows, SEGMENTS, TIERS, User};
use std::collections::BTreeMap;

/// Groups below this are not shown; the policies and the job say the same.
pub(super) const MIN_GROUP: u64 = 50;
/// Spending is capped to this range, in hundredths; the policy says the same.
const SPEND_CLIP: (i64, i64) = (0, 10_000_000);
/// Accounts opened from this day on are left out; the question says the same.
const OPENED_BEFORE: &str = "2026-01-01";
/// Decimals of an average: those of what is averaged and eight more.
const AVERAGE_DECIMALS: usize = 10;

/// A tier and a segment.
pub(super) type Group = (&'static str, &'static str);

/// The customers of one group that both have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// How many.
    pub(super) customers: u64,
    /// Of how many of them it is known what they spend.
    pub(super) values: u64,
    /// Sum of what they spend, capped, in hundredths.
    pub(super) sum: i64,
}

/// The true answers to all questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    /// Every group there could be, those without anybody too.
    pub(super) groups: BTreeMap<Group, Cell>,
    /// Customers that both have, by e-mail.
    pub(super) shared_by_email: u64,
}

/// Computes all answers.
pub(super) fn truth(rows: &Rows) -> Truth {
    Truth {
        groups: groups(rows),
        shared_by_email: shared_by_email(rows),
    }
}

fn groups(rows: &Rows) -> BTreeMap<Group, Cell> {
    let by_mobile = |common: &Common| common.mobile.usable;
    let users = reduce(&rows.users, by_mobile, same_user);
    let mut groups = BTreeMap::new();
    for tier in TIERS {
        groups.extend(SEGMENTS.map(|segment| ((tier, segment), Cell::default())));
    }
    for (person, customer) in reduce(&rows.customers, by_mobile, same_customer) {
        let user = users.get(&person).filter(|user| user.active);
        let opened_before = customer.opened_on.as_str() < OPENED_BEFORE;
        if let Some(user) = user.filter(|_| opened_before) {
            let group = (TIERS[customer.tier], SEGMENTS[user.segment]);
            groups.entry(group).or_default().add(user.spend);
        }
    }
    groups
}

fn shared_by_email(rows: &Rows) -> u64 {
    let by_email = |common: &Common| common.email.usable;
    let users = reduce(&rows.users, by_email, same_user);
    let customers = reduce(&rows.customers, by_email, same_customer);
    let shared = customers
        .keys()
        .filter(|person| users.contains_key(*person));
    shared.count() as u64
}

impl Truth {
    /// The groups that may be shown.
    pub(super) fn shown(&self) -> BTreeMap<Group, Cell> {
        let groups = self.groups.iter().map(|(group, cell)| (*group, *cell));
        groups
            .filter(|(_, cell)| cell.customers >= MIN_GROUP)
            .collect()
    }
}

/// The one row of every person who can take part.
pub(super) fn reduce<R: HasCommon>(
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
    let key = |row: &User| (row.active, row.segment, row.spend);
    key(one) == key(other)
}

impl Cell {
    /// One more customer.
    fn add(&mut self, spend: Option<i64>) {
        self.customers += 1;
        if let Some(spend) = spend {
            self.values += 1;
            self.sum += spend.clamp(SPEND_CLIP.0, SPEND_CLIP.1);
        }
    }

    /// The average as the table writes it. Nothing where no spending is known.
    pub(super) fn average(&self) -> Option<String> {
        average(self.sum, self.values)
    }
}

/// The average of so many values as a table writes it: rounded once, half away from zero; of the decimals beyond the second, zeros
/// at the end are left out. Nothing of no values.
pub(super) fn average(sum: i64, values: u64) -> Option<String> {
    const SHIFT: i128 = 10_i128.pow(AVERAGE_DECIMALS as u32);
    if values == 0 {
        return None;
    }
    // Hundredths to units of the last place, and the mean.
    let (dividend, divisor) = (i128::from(sum) * SHIFT, i128::from(values) * 100);
    let units = (2 * dividend.abs() + divisor) / (2 * divisor);
    let sign = if dividend < 0 && units != 0 { "-" } else { "" };
    let mut text = format!(
        "{sign}{}.{:0AVERAGE_DECIMALS$}",
        units / SHIFT,
        units % SHIFT
    );
    let shortest = text.len() - (AVERAGE_DECIMALS - 2);
    while text.len() > shortest && text.ends_with('0') {
        text.pop();
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::dice::Dice;
    use super::super::people::{SCALE_MIN, make};
    use super::*;

    #[test]
    fn averages_round_half_away_from_zero_and_drop_zeros_at_the_end() {
        let due = |text: &str| Some(text.to_owned());
        assert_eq!(average(100, 3), due("0.3333333333"));
        assert_eq!(average(200, 3), due("0.6666666667"));
        assert_eq!(average(-200, 3), due("-0.6666666667"));
        assert_eq!(average(1, 2), due("0.005"));
        assert_eq!(average(1, 1 << 40), due("0.00"));
        assert_eq!(average(150, 1), due("1.50"));
        assert_eq!(average(-10_000, 1), due("-100.00"));
        assert_eq!(average(0, 0), None);
    }

    #[test]
    fn the_made_up_people_exercise_every_rule() {
        for seed in 0..20 {
            let rows = make(SCALE_MIN, &mut Dice::new(seed));
            let truth = truth(&rows);
            assert_eq!(truth.groups.len(), TIERS.len() * SEGMENTS.len());
            let shown = truth.shown();
            let platinum = shown.keys().any(|(tier, _)| *tier == "platinum");
            assert!(!platinum, "platinum is too small at any scale, seed {seed}");
            assert!(shown.len() >= 3, "seed {seed}: {shown:?}");
            assert!(truth.shared_by_email > 1_000, "seed {seed}");
            let with_null = shown.values().any(|cell| cell.values < cell.customers);
            assert!(with_null, "seed {seed}");
            let capped = rows
                .users
                .iter()
                .any(|user| user.spend > Some(SPEND_CLIP.1));
            assert!(capped, "seed {seed}");
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
