//! The made-up customers of a bank and users of a payment platform, and the rows both systems keep of them: with duplicates,
//! stale rows, contradictions, missing consent and ids written in every way. Which row means whom is known here, so the true
//! answer can be computed without reading a single id.

use super::dice::Dice;
use super::dirt::{self, IdCell};
use std::fmt::Write;

/// Tiers of the bank, in the order of the policy's domain.
pub(super) const TIERS: [&str; 4] = ["basic", "silver", "gold", "platinum"];
/// So few of the bank's customers are platinum, at any scale, that a table must not show them.
const PLATINUM: u64 = 60;
/// Segments of the platform, in the order of the policy's domain.
pub(super) const SEGMENTS: [&str; 3] = ["new", "regular", "vip"];
/// What nearly all users of a segment spend less than, in hundredths.
const SPEND_BELOW: [u64; 3] = [300_000, 2_000_000, 9_000_000];
/// Of a hundred customers, this many also use the platform.
const OVERLAP_PERCENT: u64 = 40;
/// The platform has this many users for every hundred customers of the bank.
const USERS_PERCENT: u64 = 150;
/// Fewest customers: below, lists would be smaller than the policies allow.
pub(super) const SCALE_MIN: u64 = 4_000;
/// Most customers: the rows are made in memory.
pub(super) const SCALE_MAX: u64 = 20_000_000;

/// What both files hold of a row.
#[derive(Debug, Clone)]
pub(super) struct Common {
    /// The person meant; never written to a file.
    pub(super) person: u64,
    pub(super) mobile: IdCell,
    pub(super) email: IdCell,
    /// `None` is an empty cell.
    pub(super) consent: Option<bool>,
    /// Seconds after 2026-03-01; the newest row of a person counts.
    pub(super) updated_s: u64,
}

/// A row of the bank.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub(super) common: Common,
    /// Index into [`TIERS`].
    pub(super) tier: usize,
    /// In hundredths; `None` is an empty cell.
    pub(super) balance: Option<i64>,
    /// Year and day: `2025-07-14`.
    pub(super) opened_on: String,
}

/// A row of the platform.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) common: Common,
    pub(super) active: bool,
    /// Index into [`SEGMENTS`].
    pub(super) segment: usize,
    /// In hundredths; `None` is an empty cell.
    pub(super) spend: Option<i64>,
}

/// Both files' rows, in file order.
pub(super) struct Rows {
    pub(super) customers: Vec<Customer>,
    pub(super) users: Vec<User>,
}

/// Makes the rows of `scale` customers and of the platform's users.
pub(super) fn make(scale: u64, dice: &mut Dice) -> Rows {
    let mut customers = Vec::new();
    for person in 0..scale {
        let tier = tier_of(person, dice);
        let first = customer(person, tier, dice);
        repeat(first, dice, &mut customers, |row, dice| {
            row.balance = balance(dice)
        });
    }
    let shared = scale * OVERLAP_PERCENT / 100;
    let mut users = Vec::new();
    for user_number in 0..scale * USERS_PERCENT / 100 {
        // The first users are spread over all customers; the others bank elsewhere.
        let person = if user_number < shared {
            user_number * scale / shared
        } else {
            scale + user_number
        };
        repeat(user(person, dice), dice, &mut users, |row, dice| {
            row.active = !row.active;
            row.spend = spend(row.segment, dice);
        });
    }
    dice.shuffle(&mut customers);
    dice.shuffle(&mut users);
    Rows { customers, users }
}

/// Puts a person's first row, and sometimes a second: the same again, a newer one, or one that contradicts it.
pub(super) fn repeat<R: Clone + HasCommon>(
    first: R,
    dice: &mut Dice,
    rows: &mut Vec<R>,
    change: impl Fn(&mut R, &mut Dice),
) {
    let mut second = first.clone();
    match dice.below(20) {
        0 => {}
        1 => {
            change(&mut second, dice);
            let common = second.common_mut();
            common.updated_s += 1 + dice.below(86_400);
            common.mobile = dirt::mobile(&mobile_of(common.person), dice);
            common.email = dirt::email(&email_of(common.person), dice);
        }
        2 if dice.one_in(4) => change(&mut second, dice),
        3 if dice.one_in(4) => second.common_mut().consent = Some(false),
        _ => {
            rows.push(first);
            return;
        }
    }
    rows.push(first);
    rows.push(second);
}

/// Rows that have the common part.
pub(super) trait HasCommon {
    fn common(&self) -> &Common;
    fn common_mut(&mut self) -> &mut Common;
}

impl HasCommon for Customer {
    fn common(&self) -> &Common {
        &self.common
    }
    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }
}

impl HasCommon for User {
    fn common(&self) -> &Common {
        &self.common
    }
    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }
}

/// How a file has a person: ids as somebody wrote them, consent or not.
pub(super) fn common(person: u64, dice: &mut Dice) -> Common {
    let consent = match dice.below(30) {
        0 => None,
        1 => Some(false),
        _ => Some(true),
    };
    Common {
        person,
        mobile: dirt::mobile(&mobile_of(person), dice),
        email: dirt::email(&email_of(person), dice),
        consent,
        updated_s: dice.below(86_400),
    }
}

fn customer(person: u64, tier: usize, dice: &mut Dice) -> Customer {
    let common = common(person, dice);
    let (year, month, day) = (
        2015 + dice.below(12),
        1 + dice.below(12),
        1 + dice.below(28),
    );
    Customer {
        common,
        tier,
        balance: balance(dice),
        opened_on: format!("{year}-{month:02}-{day:02}"),
    }
}

fn user(person: u64, dice: &mut Dice) -> User {
    let segment = segment(dice);
    User {
        common: common(person, dice),
        active: !dice.one_in(4),
        segment,
        spend: spend(segment, dice),
    }
}

/// Most are regular, few are vip.
fn segment(dice: &mut Dice) -> usize {
    match dice.below(100) {
        0..25 => 0,
        25..90 => 1,
        _ => 2,
    }
}

/// More from segment to segment, sometimes far beyond the cap, sometimes unknown.
fn spend(segment: usize, dice: &mut Dice) -> Option<i64> {
    match dice.below(50) {
        0 => None,
        1 => Some(10_000_000 + dice.below(20_000_000) as i64),
        _ => Some(dice.below(SPEND_BELOW[segment]) as i64),
    }
}

/// The first few customers are platinum; the platform's users are spread over all numbers, so some of these are among them.
fn tier_of(person: u64, dice: &mut Dice) -> usize {
    if person < PLATINUM {
        return 3;
    }
    match dice.below(100) {
        0..60 => 0,
        60..88 => 1,
        _ => 2,
    }
}

/// Mostly a few thousand, sometimes far beyond the cap, sometimes overdrawn, sometimes unknown.
pub(super) fn balance(dice: &mut Dice) -> Option<i64> {
    match dice.below(50) {
        0 => None,
        1 => Some(-(dice.below(5_000_000) as i64)),
        2 => Some(dice.below(9_000_000_000) as i64),
        _ => Some(dice.below(4_000_000) as i64),
    }
}

/// An 11-digit mobile number of its own for each person: a bijective scramble of the number's last nine digits.
fn mobile_of(person: u64) -> String {
    const NINE_DIGITS: u64 = 1_000_000_000;
    // Odd and not a multiple of five, so no two people share a number.
    const MULTIPLIER: u64 = 387_420_491;
    let last = person * MULTIPLIER % NINE_DIGITS;
    let head = [13, 15, 17, 18][(person % 4) as usize];
    format!("{head}{last:09}")
}

/// An address of its own for each person.
fn email_of(person: u64) -> String {
    const GIVEN: [&str; 8] = [
        "li.na",
        "wang.wei",
        "ana",
        "tom",
        "mei",
        "zhang.min",
        "ravi",
        "sofia",
    ];
    format!("{}{person}@example.com", GIVEN[(person % 8) as usize])
}

impl Rows {
    /// The bank's file.
    pub(super) fn customers_csv(&self) -> String {
        let mut csv = "mobile,email,tier,balance,opened_on,consent,updated_at\n".to_owned();
        for row in &self.customers {
            let (mobile, email, consent, updated) = cells(&row.common);
            let tier = TIERS[row.tier];
            let balance = row.balance.map_or_else(String::new, money);
            let opened = &row.opened_on;
            let _ = writeln!(
                csv,
                "{mobile},{email},{tier},{balance},{opened},{consent},{updated}"
            );
        }
        csv
    }

    /// The platform's file.
    pub(super) fn users_csv(&self) -> String {
        let mut csv = "mobile,email,active,segment,spend_90d,consent,updated_at\n".to_owned();
        for row in &self.users {
            let (mobile, email, consent, updated) = cells(&row.common);
            let (active, segment) = (row.active, SEGMENTS[row.segment]);
            let spend = row.spend.map_or_else(String::new, money);
            let _ = writeln!(
                csv,
                "{mobile},{email},{active},{segment},{spend},{consent},{updated}"
            );
        }
        csv
    }
}

/// Mobile, e-mail, consent and time of the last change, as a file has them.
pub(super) fn cells(common: &Common) -> (&str, &str, &'static str, String) {
    let consent = match common.consent {
        None => "",
        Some(true) => "true",
        Some(false) => "false",
    };
    let s = common.updated_s;
    let (day, s) = (1 + s / 86_400, s % 86_400);
    let updated = format!(
        "2026-03-{day:02}T{:02}:{:02}:{:02}",
        s / 3600,
        s / 60 % 60,
        s % 60
    );
    (&common.mobile.text, &common.email.text, consent, updated)
}

/// An amount as files and answers have it.
pub(super) fn money(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let units = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", units / 100, units % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn people_have_numbers_and_addresses_of_their_own() {
        let people = (0..200_000).chain(SCALE_MAX..SCALE_MAX + 1_000);
        let mobiles: BTreeSet<String> = people.clone().map(mobile_of).collect();
        let emails: BTreeSet<String> = people.clone().map(email_of).collect();
        assert_eq!(mobiles.len(), people.clone().count());
        assert_eq!(emails.len(), people.count());
        assert!(mobiles.iter().all(|mobile| mobile.len() == 11));
    }

    #[test]
    fn one_seed_gives_the_same_files() {
        let csv = |seed| make(SCALE_MIN, &mut Dice::new(seed)).customers_csv();
        assert_eq!(csv(7), csv(7));
        assert_ne!(csv(7), csv(8));
    }

    #[test]
    fn both_files_have_every_kind_of_dirt() {
        let rows = make(SCALE_MIN, &mut Dice::new(7));
        let people: BTreeSet<u64> = rows.customers.iter().map(|row| row.common.person).collect();
        assert_eq!(people.len() as u64, SCALE_MIN);
        assert!(rows.customers.len() > people.len());
        assert!(rows.customers.iter().any(|row| row.balance.is_none()));
        assert!(
            rows.customers
                .iter()
                .any(|row| row.common.consent.is_none())
        );
        assert!(rows.users.iter().any(|row| !row.common.mobile.usable));
        assert!(rows.users.iter().any(|row| row.spend.is_none()));
        assert_eq!(money(-5), "-0.05");
    }
}
