//! Made-up questions over the two tables.

use super::chance::Chance;
use super::question::{Key, Number, Output, Question, Shows};
use super::tables::{BRANCHES, Cap, DAYS, FLAGS, SEGMENTS, TIERS, Table};

/// Most cells of a question's table: the planner takes more, but nothing new would be seen.
const CELLS_MAX: u64 = 60;
/// Most aggregates of one question.
const AGGREGATES_MAX: usize = 6;

/// Conditions over either table; `?` is a small number.
const FILTERS: [&[&str]; 2] = [
    &[
        "b.age >= ?",
        "b.age IS NULL OR b.age < ? + 40",
        "b.vip",
        "NOT b.vip",
        "b.vip IS NOT TRUE",
        "b.tier IN ('gold', 'plain', '银')",
        "b.tier NOT IN ('silver')",
        "b.balance BETWEEN -250.5 AND ?.25",
        "b.points % 2 = 0",
        "b.branch <> 2 OR b.vip",
        "CASE WHEN b.vip THEN b.age ELSE 10 END < ?",
        "b.points > 100000000",
    ],
    &[
        "p.active",
        "p.active IS NULL OR NOT p.active",
        "p.joined < DATE '2026-01-01'",
        "EXTRACT(MONTH FROM p.joined) = 12 OR p.visits > ?",
        "p.segment LIKE '%o%'",
        "p.segment <> 'vip'",
        "p.spend <= ?.5",
        "COALESCE(p.spend, 0) >= -?",
        "p.visits + 5 > ? / 2",
    ],
];

/// Numbers that are columns, with the cap of their policy.
const COLUMNS: [&[&str]; 2] = [
    &["age", "points", "balance", "assets"],
    &["visits", "spend"],
];
/// Numbers that the job gives a cap: columns behind them may be NULL.
const EXPRESSIONS: [&[&str]; 2] = [
    &[
        "b.balance * 2",
        "b.points - b.age",
        "CASE WHEN b.vip THEN b.balance ELSE 0.5 END",
        "CASE WHEN b.age > 30 THEN b.points END",
        "b.balance + b.points",
    ],
    &[
        "-p.visits",
        "p.spend / 3",
        "COALESCE(p.spend, 0)",
        "p.visits % 7",
        "p.spend - 1.005",
    ],
];

pub(super) fn question(tables: [&Table; 2], chance: &mut Chance) -> Question {
    let mut question = Question {
        keys: keys(chance),
        outputs: Vec::new(),
        on: Vec::new(),
        filters: Vec::new(),
        having: chance.one_in(4).then(|| 1 + chance.below(4) as u64),
        min_group: chance.one_in(5).then(|| 1 + chance.below(4) as u64),
        order: Vec::new(),
        limit: None,
        readers: [
            &["north-bank"][..],
            &["river-pay"],
            &["north-bank", "river-pay"],
        ][chance.below(3)]
        .to_vec(),
        bank_first: !chance.one_in(4),
    };
    for filters in FILTERS {
        let most = [0, 0, 0, 0, 1, 2][chance.below(6)];
        for filter in chance.some(filters, most) {
            let filter = filter.replace('?', &chance.below(60).to_string());
            match chance.one_in(4) {
                true => question.on.push(filter),
                false => question.filters.push(filter),
            }
        }
    }
    outputs(&mut question, tables, chance);
    order(&mut question, chance);
    question
}

fn key(org: usize, name: &str, sql: &str, domain: &[&str], nullable: bool, listed: bool) -> Key {
    Key {
        sql: sql.to_owned(),
        name: name.to_owned(),
        org,
        domain: domain.iter().map(|value| (*value).to_owned()).collect(),
        nullable,
        listed,
    }
}

/// All keys that there are: plain columns with a published domain, bins, and expressions whose domain the job lists.
fn all_keys() -> Vec<Key> {
    let decades: Vec<String> = (0..12).rev().map(|decade| decade.to_string()).collect();
    let decades: Vec<&str> = decades.iter().map(String::as_str).collect();
    let band = "CASE WHEN b.age < 30 THEN 'young' WHEN b.age < 60 THEN 'middle' ELSE 'old' END";
    let bin = "CASE WHEN b.balance < -100 THEN -10 WHEN b.balance < 0.5 THEN 9 WHEN b.balance < 1000 THEN 10 END";
    let quartile = "CASE WHEN p.spend < -1.5 THEN '0-25' WHEN p.spend < 20 THEN '25-50' WHEN p.spend < 150 THEN '50-75' \
                    ELSE '75-100' END";
    let upper = ["VIP", "NEW", "OLD"];
    vec![
        key(0, "tier", "b.tier", TIERS, true, false),
        key(0, "branch", "b.branch", BRANCHES, false, false),
        key(0, "vip", "b.vip", FLAGS, true, false),
        key(0, "band", band, &["young", "middle", "old"], false, false),
        key(0, "bin", bin, &["-10", "9", "10"], true, false),
        key(0, "decade", "b.age / 10", &decades, true, true),
        key(
            0,
            "branch_text",
            "CAST(b.branch AS TEXT)",
            BRANCHES,
            false,
            true,
        ),
        key(
            0,
            "known_tier",
            "COALESCE(b.tier, 'none')",
            &[TIERS, &["none"]].concat(),
            false,
            true,
        ),
        key(1, "segment", "p.segment", SEGMENTS, false, false),
        key(1, "joined", "p.joined", DAYS, true, false),
        key(1, "active", "p.active", FLAGS, true, false),
        key(
            1,
            "year",
            "EXTRACT(YEAR FROM p.joined)",
            &["2026", "2024", "2025", "2000"],
            true,
            true,
        ),
        key(1, "loud", "upper(p.segment)", &upper, false, true),
        key(
            1,
            "quartile",
            quartile,
            &["0-25", "25-50", "50-75", "75-100"],
            false,
            false,
        ),
    ]
}

/// Of either side, both, or none.
fn keys(chance: &mut Chance) -> Vec<Key> {
    let mut all = all_keys();
    match chance.below(8) {
        0 => return Vec::new(),
        1 => all.retain(|key| key.org == 0),
        2 => all.retain(|key| key.org == 1),
        _ => {}
    }
    let mut keys: Vec<Key> = Vec::new();
    let mut cells = 1;
    for key in chance.some(&all, 3) {
        let size = key.domain.len() as u64 + u64::from(key.nullable);
        if cells * size <= CELLS_MAX {
            cells *= size;
            keys.push(key.clone());
        }
    }
    keys
}

/// A number of one of the organisations.
fn number(tables: [&Table; 2], chance: &mut Chance) -> Number {
    let org = chance.below(2);
    if chance.one_in(4) {
        let scale = chance.below(4) as u8;
        let one = 10_i64.pow(scale.into());
        let clip = [
            -chance.between(0, 500) * one - 1,
            chance.between(1, 900) * one,
        ];
        return Number {
            sql: (*chance.pick(EXPRESSIONS[org])).to_owned(),
            cap: Cap { clip, scale },
            capped_by_job: true,
        };
    }
    let column = tables[org].column(chance.pick::<&str>(COLUMNS[org]));
    Number {
        sql: format!("{}.{}", tables[org].alias, column.name),
        cap: column.cap.expect("a number has a cap"),
        capped_by_job: false,
    }
}

/// Two different numbers, which WHERE then says are there.
fn pair(question: &mut Question, tables: [&Table; 2], chance: &mut Chance) -> [Number; 2] {
    let y = number(tables, chance);
    let x = loop {
        let x = number(tables, chance);
        if x.sql != y.sql {
            break x;
        }
    };
    for number in [&y, &x] {
        let there = format!("({}) IS NOT NULL", number.sql);
        if !question.filters.contains(&there) && !question.on.contains(&there) {
            question.filters.push(there);
        }
    }
    [y, x]
}

fn outputs(question: &mut Question, tables: [&Table; 2], chance: &mut Chance) {
    let mut shows: Vec<Shows> = (0..question.keys.len()).map(Shows::Key).collect();
    let count = 1 + chance.below(AGGREGATES_MAX);
    for _ in 0..count {
        let aggregate = match chance.below(10) {
            0 => Shows::CountAll,
            1 => Shows::Count(
                (*chance.pick(&["b.tier", "b.balance", "p.spend", "p.active", "b.points"]))
                    .to_owned(),
            ),
            2 | 3 => Shows::Sum(number(tables, chance)),
            4 => Shows::Avg(number(tables, chance)),
            5 => Shows::VarSamp(number(tables, chance)),
            6 => Shows::StddevSamp(number(tables, chance)),
            7 => Shows::Corr(pair(question, tables, chance)),
            8 => Shows::RegrSlope(pair(question, tables, chance)),
            _ => Shows::RegrIntercept(pair(question, tables, chance)),
        };
        // Keys and aggregates stand in any order.
        shows.insert(chance.below(shows.len() + 1), aggregate);
    }
    let outputs = shows.into_iter().enumerate().map(|(place, shows)| Output {
        name: match &shows {
            Shows::Key(key) => question.keys[*key].name.clone(),
            _ => format!("c{place}"),
        },
        shows,
    });
    question.outputs = outputs.collect();
}

/// ORDER BY keys, counts and sums, whose order floating point cannot change; LIMIT.
fn order(question: &mut Question, chance: &mut Chance) {
    // One number alone has no order, and the planner refuses one.
    if question.keys.is_empty() {
        return;
    }
    let outputs = question.outputs.iter().enumerate();
    let exact = outputs.filter(|(_, output)| {
        matches!(
            output.shows,
            Shows::Key(_) | Shows::CountAll | Shows::Count(_) | Shows::Sum(_)
        )
    });
    let exact: Vec<usize> = exact.map(|(place, _)| place).collect();
    let by: Vec<usize> = chance.some(&exact, 3).into_iter().copied().collect();
    question.order = by
        .into_iter()
        .map(|place| (place, chance.one_in(2)))
        .collect();
    question.limit = chance.one_in(4).then(|| 1 + chance.below(6));
}
