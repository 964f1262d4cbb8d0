//! Two made-up tables and what their owners publish of them.
//!
//! A *world* is one pair of tables. The worlds of a batch share their policies, whose caps, scales and smallest groups the batch draws.

use super::chance::Chance;
use std::fmt::Write as _;

/// Decimals of all money in the tables: more than any policy keeps.
pub(super) const MONEY_DECIMALS: u8 = 4;
/// No made-up person has this number: a row of it, without consent, shows a file's types where all else is NULL or no row at all.
const NOBODY: u32 = 9_999_999;
/// The sizes of most tables.
const SIZES: [usize; 6] = [9, 30, 60, 100, 140, 180];
/// The sizes of one table of a batch's first world.
const SIZES_TINY: [usize; 3] = [0, 1, 2];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    Money,
    Flag,
    Day,
}

/// Cap in units of 10^-scale, and the scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cap {
    pub(super) clip: [i64; 2],
    pub(super) scale: u8,
}

/// A column and what its policy says of it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) domain: &'static [&'static str],
    pub(super) nullable: bool,
    pub(super) cap: Option<Cap>,
}

/// A value as the table's owner means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// Also of days: `2026-01-31`.
    Text(&'static str),
    /// Also of money, in its last decimal.
    Number(i64),
    Flag(bool),
}

/// One person's row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) person: u32,
    pub(super) consent: Option<bool>,
    pub(super) values: Vec<Option<Value>>,
}

/// One organisation's rows of one world.
pub(super) type Rows = Vec<Row>;

/// One organisation's table in all worlds of a batch.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) org: &'static str,
    pub(super) partner: &'static str,
    pub(super) dataset: &'static str,
    /// As questions call it.
    pub(super) alias: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) min_group: u64,
}

pub(super) const TIERS: &[&str] = &["gold", "silver", "a, \"b\"", "银", "plain"];
pub(super) const BRANCHES: &[&str] = &["2", "-1", "10", "3"];
pub(super) const FLAGS: &[&str] = &["true", "false"];
pub(super) const SEGMENTS: &[&str] = &["new", "old", "vip"];
pub(super) const DAYS: &[&str] = &["2026-03-01", "2025-12-31", "2024-02-29"];

impl Table {
    pub(super) fn customers(chance: &mut Chance) -> Self {
        let columns = vec![
            column("tier", Kind::Text, TIERS, true, None),
            column("branch", Kind::Whole, BRANCHES, false, None),
            column("vip", Kind::Flag, FLAGS, true, None),
            column("age", Kind::Whole, &[], true, Some(whole_cap([0, 99]))),
            column(
                "points",
                Kind::Whole,
                &[],
                false,
                Some(cap(chance, 1_000, 2)),
            ),
            column(
                "balance",
                Kind::Money,
                &[],
                true,
                Some(cap(chance, 5_000, 4)),
            ),
            column(
                "assets",
                Kind::Money,
                &[],
                true,
                Some(cap(chance, 1_000_000_000_000, 2)),
            ),
        ];
        Self {
            org: "north-bank",
            partner: "river-pay",
            dataset: "customers",
            alias: "b",
            columns,
            min_group: 1 + chance.below(2) as u64,
        }
    }

    pub(super) fn users(chance: &mut Chance) -> Self {
        let columns = vec![
            column("segment", Kind::Text, SEGMENTS, false, None),
            column("joined", Kind::Day, DAYS, true, None),
            column("active", Kind::Flag, FLAGS, true, None),
            column("visits", Kind::Whole, &[], false, Some(whole_cap([-5, 40]))),
            column("spend", Kind::Money, &[], true, Some(cap(chance, 300, 4))),
        ];
        Self {
            org: "river-pay",
            partner: "north-bank",
            dataset: "users",
            alias: "p",
            columns,
            min_group: 1 + chance.below(2) as u64,
        }
    }

    /// The policy in the words of its file.
    pub(super) fn policy(&self) -> String {
        let Self {
            dataset,
            min_group,
            partner,
            ..
        } = self;
        let mut text = format!(
            "[dataset]\nname = \"{dataset}\"\nconsent = \"consent\"\nmin_group = {min_group}\nmin_set = 1\nset_grid = 16\n\
             noise = \"optional\"\nbudget = {{ epsilon_per_year = 8.0, jobs_per_30d = 200 }}\n\
             approvers = {{ need = 1, of = [\"compliance\"] }}\n\
             [columns.mobile]\nid = \"e164(+86)\"\nmay = {{ match = [\"{partner}\"] }}\n"
        );
        for column in &self.columns {
            let verbs =
                ["group", "count", "sum", "filter"].map(|verb| format!("{verb} = [\"{partner}\"]"));
            let verbs = verbs.join(", ");
            let _ = write!(
                text,
                "[columns.{}]\nmay = {{ {verbs} }}\nnullable = {}\n",
                column.name, column.nullable
            );
            if !column.domain.is_empty() {
                let _ = writeln!(text, "domain = {:?}", column.domain);
            }
            if let Some(Cap { clip, scale }) = column.cap {
                let [low, high] = clip.map(|bound| entente_wire::decimal::render(bound, scale));
                let _ = writeln!(text, "clip = [{low}, {high}]\nscale = {scale}");
            }
        }
        text
    }

    pub(super) fn column(&self, name: &str) -> &Column {
        let found = self.columns.iter().find(|column| column.name == name);
        found.expect("questions name columns that are there")
    }

    fn row(&self, person: u32, habits: Habits, chance: &mut Chance) -> Row {
        // Mostly yes; no and nothing keep the id out.
        let consent = [Some(true), Some(false), None][chance.below(12).saturating_sub(9)];
        let values = self
            .columns
            .iter()
            .map(|column| column.value(habits, chance));
        Row {
            person,
            consent,
            values: values.collect(),
        }
    }

    /// A row that never enters.
    fn nobody(&self, chance: &mut Chance) -> Row {
        let habits = Habits {
            used: 5,
            skewed: false,
            null_in: usize::MAX,
            constant: false,
        };
        let mut row = self.row(NOBODY, habits, chance);
        row.consent = Some(false);
        for (value, column) in row.values.iter_mut().zip(&self.columns) {
            if column.kind == Kind::Money {
                *value = Some(Value::Number(-12_345));
            }
        }
        row
    }
}

fn column(
    name: &'static str,
    kind: Kind,
    domain: &'static [&'static str],
    nullable: bool,
    cap: Option<Cap>,
) -> Column {
    Column {
        name,
        kind,
        domain,
        nullable,
        cap,
    }
}

fn whole_cap(clip: [i64; 2]) -> Cap {
    Cap { clip, scale: 0 }
}

/// A range of about ±`most`, on both sides of zero or not, with up to `scale_max` decimals.
fn cap(chance: &mut Chance, most: i64, scale_max: usize) -> Cap {
    let scale = chance.below(scale_max + 1) as u8;
    let one = 10_i64.pow(scale.into());
    let (low, high) = (chance.between(-most, most), chance.between(most / 2, most));
    let odd = chance.between(0, one - 1);
    let low = low.min(high - 1) * one + odd;
    Cap {
        clip: [low, high * one],
        scale,
    }
}

/// What the rows of one table of a world have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// So many values of a domain occur at most.
    used: usize,
    /// Nearly all of them are one value.
    skewed: bool,
    /// A nullable value is NULL once in so many.
    null_in: usize,
    /// Numbers do not vary.
    constant: bool,
}

impl Column {
    fn value(&self, habits: Habits, chance: &mut Chance) -> Option<Value> {
        if self.nullable && habits.null_in != usize::MAX && chance.one_in(habits.null_in) {
            return None;
        }
        let choices = self.domain.len().min(habits.used);
        let place = match choices {
            0 => 0,
            _ if habits.skewed && !chance.one_in(8) => 0,
            _ => chance.below(choices),
        };
        Some(match (self.kind, self.domain.get(place)) {
            (Kind::Flag, _) => Value::Flag(chance.one_in(2)),
            (Kind::Whole, Some(text)) => Value::Number(text.parse().expect("a whole number")),
            (_, Some(text)) => Value::Text(text),
            (Kind::Whole, None) if self.name == "age" => Value::Number(chance.between(-5, 119)),
            (_, None) => Value::Number(self.number(habits, chance)),
        })
    }

    /// A number around its bounds, at halves of its last kept decimal, far outside, or anywhere.
    fn number(&self, habits: Habits, chance: &mut Chance) -> i64 {
        let Cap { clip, scale } = self.cap.expect("a number has a cap");
        let own = if self.kind == Kind::Money {
            MONEY_DECIMALS
        } else {
            0
        };
        // Of the table's last decimal, per unit of the policy's.
        let (step, shrink) = match own.checked_sub(scale) {
            Some(more) => (10_i64.pow(more.into()), 1),
            None => (1, 10_i64.pow((scale - own).into())),
        };
        let [low, high] = clip.map(|bound| bound * step / shrink);
        if habits.constant {
            return high / 2;
        }
        let bound = if chance.one_in(2) { low } else { high };
        match chance.below(10) {
            0 => 0,
            1 => bound,
            2 => bound + chance.between(-1, 1),
            3 => bound + chance.between(-1, 1) * (step / 2),
            4 => bound.saturating_mul(3) + chance.between(-9, 9),
            5 | 6 => chance.between(-30, 30) * step + chance.between(-1, 1) * (step / 2),
            _ => chance.between(low - (high - low) / 8, high + (high - low) / 8),
        }
    }
}

/// The pair of tables of a batch's world of that number: one of both tiny, no id common, all common, or some.
pub(super) fn world(tables: [&Table; 2], number: usize, chance: &mut Chance) -> [Rows; 2] {
    let mut sizes = [*chance.pick(&SIZES), *chance.pick(&SIZES)];
    if number == 0 {
        sizes[chance.below(2)] = *chance.pick(&SIZES_TINY);
    }
    let [bank, platform] = sizes.map(|size| size as u32);
    let most = bank.max(platform);
    let people: [Vec<u32>; 2] = match number {
        1 => [(0..bank).collect(), (bank..bank + platform).collect()],
        2 => [(0..bank).collect(), (0..bank).collect()],
        _ => sizes.map(|size| {
            let mut left: Vec<u32> = (0..most + most / 8).collect();
            (0..size)
                .map(|_| left.swap_remove(chance.below(left.len())))
                .collect()
        }),
    };
    let mut place = 0;
    people.map(|people| {
        let table = tables[place];
        place += 1;
        let habits = Habits {
            used: 1 + chance.below(5),
            skewed: chance.one_in(2),
            null_in: *chance.pick(&[3, 8, 30, usize::MAX]),
            constant: chance.one_in(8),
        };
        let rows = people
            .into_iter()
            .map(|person| table.row(person, habits, chance));
        let mut rows: Rows = rows.collect();
        rows.push(table.nobody(chance));
        rows
    })
}
