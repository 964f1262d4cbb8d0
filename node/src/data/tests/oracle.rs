//! The oracle: made-up dirty data, answered once by the product's path and once by a few lines of plain code over the meaning
//! of the data. Both must agree on every id, group, measure, count and cell.

use super::*;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, StringArray, TimestampMillisecondArray,
};
use proptest::prelude::*;
use std::sync::Arc;

/// What a row means, and how it is spelled.
#[derive(Debug, Clone)]
struct Row {
    /// `None` is an unusable id.
    person: Option<u32>,
    spelling: usize,
    consent: Option<bool>,
    tier: Option<usize>,
    /// Hundred-thousandths.
    balance: Option<i64>,
    age: Option<i64>,
    active: bool,
    /// Days since 2026-01-01.
    updated: Option<i64>,
}

const TIERS: [&str; 3] = ["basic", "silver", "gold"];
const CLIP: [i64; 2] = [-20_000, 50_000];
const SCALE: u8 = 2;

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop::option::weighted(0.9, 0u32..12),
        0usize..6,
        prop::sample::select(vec![
            Some(true),
            Some(true),
            Some(true),
            Some(true),
            Some(true),
            Some(false),
            None,
        ]),
        prop::option::weighted(0.8, 0usize..3),
        prop::option::weighted(
            0.8,
            prop_oneof![
                -60_000_000i64..60_000_000,
                (-40i64..40).prop_map(|n| n * 500)
            ],
        ),
        prop::option::weighted(0.8, 10i64..40),
        prop::bool::weighted(0.8),
        prop::option::weighted(0.8, 0i64..4),
    );
    let row = row.prop_map(
        |(person, spelling, consent, tier, balance, age, active, updated)| Row {
            person,
            spelling,
            consent,
            tier,
            balance,
            age,
            active,
            updated,
        },
    );
    // A few rows again, so that equal rows are not rare.
    (
        prop::collection::vec(row, 1..60),
        prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    )
        .prop_map(|(mut rows, again)| {
            for index in again {
                let mut row = rows[index.index(rows.len())].clone();
                row.spelling += 1;
                rows.push(row);
            }
            rows
        })
}

fn spelled_id(row: &Row) -> String {
    let Some(person) = row.person else {
        return ["", "n/a", "12345", "  "][row.spelling % 4].to_owned();
    };
    let digits = mobile(person);
    match row.spelling % 6 {
        0 => digits,
        1 => format!("+86 {digits}"),
        2 => format!("0086-{digits}"),
        3 => digits
            .chars()
            .map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap())
            .collect(),
        4 => format!(" 86{digits} "),
        _ => format!("{}\u{a0}{}", &digits[..3], &digits[3..]),
    }
}

fn spelled_amount(units: i64, spelling: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let (whole, rest) = (units.abs() / 100_000, units.abs() % 100_000);
    match spelling % 3 {
        0 => format!("{sign}{whole}.{rest:05}"),
        1 => format!("{sign}{whole}.{rest:05}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        _ => format!(" {sign}{whole}.{rest:05}0 "),
    }
}

fn csv(rows: &[Row]) -> String {
    let mut text = String::from("note,mobile,ok,tier,balance,age,active,updated\r\n");
    for row in rows {
        let consent = match row.consent {
            Some(true) => ["true", "TRUE", "yes", "1", " Y ", "t"][row.spelling % 6],
            Some(false) => ["false", "no", "0", "N"][row.spelling % 4],
            None => ["", "maybe"][row.spelling % 2],
        };
        let id = spelled_id(row);
        let tier = row.tier.map_or("", |tier| TIERS[tier]);
        let balance = row
            .balance
            .map(|units| spelled_amount(units, row.spelling))
            .unwrap_or_default();
        let age = row.age.map(|age| age.to_string()).unwrap_or_default();
        let active =
            [["true", "True"], ["false", "FALSE"]][usize::from(!row.active)][row.spelling % 2];
        let updated = row.updated.map(|day| match row.spelling % 2 {
            0 => format!("2026-01-0{}", day + 1),
            _ => format!("2026/1/{}", day + 1),
        });
        let updated = updated.unwrap_or_default();
        text += &format!(
            "\"a, \"\"note\"\"\",\"{id}\",{consent},{tier},{balance},{age},{active},{updated}\r\n"
        );
    }
    text
}

fn parquet(rows: &[Row]) -> RecordBatch {
    let each = rows.iter();
    let texts: StringArray = each.clone().map(|row| Some(spelled_id(row))).collect();
    let consent: BooleanArray = each.clone().map(|row| row.consent).collect();
    let tiers: StringArray = each
        .clone()
        .map(|row| row.tier.map(|tier| TIERS[tier]))
        .collect();
    let amounts = each.clone().map(|row| {
        row.balance
            .map(|units| spelled_amount(units, 0).parse::<f64>().unwrap())
    });
    let ages: Int32Array = each
        .clone()
        .map(|row| row.age.map(|age| age as i32))
        .collect();
    let active: BooleanArray = each.clone().map(|row| Some(row.active)).collect();
    let updated: TimestampMillisecondArray = each
        .map(|row| row.updated.map(|day| day * 86_400_000))
        .collect();
    RecordBatch::try_from_iter([
        ("mobile", Arc::new(texts) as ArrayRef),
        ("ok", Arc::new(consent)),
        ("tier", Arc::new(tiers)),
        ("balance", Arc::new(amounts.collect::<Float64Array>())),
        ("age", Arc::new(ages)),
        ("active", Arc::new(active)),
        ("updated", Arc::new(updated)),
    ])
    .unwrap()
}

/// What the question sees of an id: its row, group and measure.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    row: u32,
    tier: Option<usize>,
    band: &'static str,
    cents: Option<i64>,
}

fn rounded(units: i64, per_unit: i64) -> i64 {
    let (whole, rest) = (units / per_unit, (units % per_unit).abs());
    whole
        + if rest * 2 >= per_unit {
            units.signum()
        } else {
            0
        }
}

/// The reduced side, by the text of product.md.
fn reduced(rows: &[Row], with_latest: bool) -> Vec<Answer> {
    let mut people: BTreeMap<u32, Vec<(u32, &Row)>> = BTreeMap::new();
    for (number, row) in (0u32..).zip(rows) {
        if let Some(person) = row.person {
            people.entry(person).or_default().push((number, row));
        }
    }
    let published = |row: &Row| (row.tier, row.balance, row.age, row.active);
    let mut answers = Vec::new();
    for rows in people.values() {
        if rows.iter().any(|(_, row)| row.consent != Some(true)) {
            continue;
        }
        let newest = rows.iter().map(|(_, row)| row.updated).max().unwrap();
        let candidates: Vec<_> = rows
            .iter()
            .filter(|(_, row)| !with_latest || row.updated == newest)
            .collect();
        let (number, row) = candidates[0];
        if candidates
            .iter()
            .any(|(_, other)| published(other) != published(row))
        {
            continue;
        }
        if !(row.active && row.age.is_none_or(|age| age >= 18)) {
            continue;
        }
        answers.push(Answer {
            row: *number,
            tier: row.tier,
            band: if row.age.is_some_and(|age| age < 30) {
                "young"
            } else {
                "old"
            },
            cents: row
                .balance
                .map(|units| rounded(units, 1_000).clamp(CLIP[0], CLIP[1])),
        });
    }
    answers.sort_by_key(|answer| answer.row);
    answers
}

const ASK: &str = "SELECT b.tier, CASE WHEN b.age < 30 THEN 'young' ELSE 'old' END AS band, COUNT(*) AS n, COUNT(b.balance) AS c, \
    SUM(b.balance) AS s, AVG(b.balance) AS a FROM {J} WHERE b.active AND (b.age IS NULL OR b.age >= 18) GROUP BY b.tier, band";

fn the_policy(with_latest: bool) -> Policy {
    let latest = if with_latest {
        "latest = \"updated\""
    } else {
        ""
    };
    let columns = format!(
        "{ID}[columns.tier]\ndomain = [\"basic\", \"silver\", \"gold\"]\nnullable = true\n[columns.balance]\nclip = [-200, 500]\n\
         scale = {SCALE}\nnullable = true\n[columns.age]\nnullable = true\n[columns.active]"
    );
    policy(&format!("consent = \"ok\"\n{latest}"), &columns)
}

/// The table by plain grouping, as CSV lines in domain order.
fn table_lines(answers: &[&Answer], min_group: usize) -> (Vec<String>, u64) {
    let mut lines = vec!["tier,band,n,c,s,a".to_owned()];
    let mut suppressed = 0;
    for tier in [Some(0), Some(1), Some(2), None] {
        for band in ["young", "old"] {
            let cell: Vec<_> = answers
                .iter()
                .filter(|a| a.tier == tier && a.band == band)
                .collect();
            if cell.len() < min_group {
                suppressed += 1;
                continue;
            }
            let values: Vec<i128> = cell
                .iter()
                .filter_map(|a| a.cents)
                .map(i128::from)
                .collect();
            let (sum, count) = (values.iter().sum::<i128>(), values.len() as i128);
            let money = |units: i128, places: u32| {
                let one = 10i128.pow(places);
                let sign = if units < 0 { "-" } else { "" };
                format!(
                    "{sign}{}.{:0width$}",
                    units.abs() / one,
                    units.abs() % one,
                    width = places as usize
                )
            };
            let (sum_text, average) = match count {
                0 => (String::new(), String::new()),
                _ => {
                    let shifted = sum * 100_000_000;
                    let half = (shifted.abs() * 2 + count) / (count * 2) * shifted.signum();
                    let text = money(half, 10);
                    let kept = text.find('.').unwrap() + 3;
                    let trimmed = text.trim_end_matches('0');
                    (money(sum, 2), text[..trimmed.len().max(kept)].to_owned())
                }
            };
            let tier = tier.map_or("", |tier| TIERS[tier]);
            lines.push(format!(
                "{tier},{band},{},{count},{sum_text},{average}",
                cell.len()
            ));
        }
    }
    (lines, suppressed)
}

/// Compares everything for one file; `None` where no id is usable, which registration refuses.
fn check(
    path: &Path,
    rows: &[Row],
    with_latest: bool,
    matched: &[prop::sample::Index],
    min_group: usize,
) {
    let ids = [(column("mobile"), kind("e164(+86)"))];
    if rows.iter().all(|row| row.person.is_none()) {
        let problem = register(&name("customers"), path, &ids, &spill()).unwrap_err();
        assert_eq!(problem.code, Code::NoUsableIds);
        return;
    }
    let types_fit = |pick: fn(&Row) -> bool| rows.iter().any(pick);
    if !(types_fit(|row| row.age.is_some()) && types_fit(|row| row.balance.is_some())) {
        // A column without one value is text in CSV; the planner then refuses the question, which is tested elsewhere.
        return;
    }
    let mut asked = Asked::new(path, &the_policy(with_latest), ASK, &[]);
    if let entente_wire::plan::Operator::Table {
        min_group: at_least,
        ..
    } = &mut asked.plan.operator
    {
        *at_least = min_group as u64;
    }
    let expected = reduced(rows, with_latest);
    let prepared = asked.prepared();

    let all = prepared.all().unwrap();
    let found: Vec<u32> = all.rows.clone();
    assert_eq!(
        found,
        expected.iter().map(|answer| answer.row).collect::<Vec<_>>()
    );
    for (place, answer) in expected.iter().enumerate() {
        let id = ids::digest(
            &[7; 32],
            &kind("e164(+86)"),
            &format!("+86{}", mobile(rows[answer.row as usize].person.unwrap())),
        );
        assert!(
            all.ids[place].as_bytes() == &id,
            "the id of row {}",
            answer.row
        );
        // COUNT(b.balance) and the sums may be different measures; every one agrees on what is there.
        let values = prepared.values.by_place().unwrap();
        for measure in values.measured(place as u32) {
            assert_eq!(measure.is_some(), answer.cents.is_some());
        }
    }

    let survey = survey(&asked.open.dataset, Some(&asked.open.policy), &spill()).unwrap();
    assert_eq!(
        survey.ids[0].eligible_ids,
        Some(prepared.counts.eligible_ids)
    );
    let people: BTreeSet<u32> = rows.iter().filter_map(|row| row.person).collect();
    assert_eq!(prepared.counts.distinct_ids, people.len() as u64);
    let accounted = prepared.counts.eligible_ids
        + prepared.counts.conflicting_ids
        + prepared.counts.non_consenting_ids;
    assert_eq!(accounted, people.len() as u64);

    let mut picked: Vec<u32> = matched
        .iter()
        .filter(|_| !expected.is_empty())
        .map(|index| index.index(expected.len()) as u32)
        .collect();
    picked.sort_unstable();
    picked.dedup();
    let rows: Vec<u32> = picked.iter().map(|place| found[*place as usize]).collect();
    let result = table(&prepared, &set(&rows), &asked.plan).unwrap();
    let picked: Vec<&Answer> = picked
        .iter()
        .map(|place| &expected[*place as usize])
        .collect();
    let (lines, suppressed) = table_lines(&picked, min_group);
    let disk = Disk::new();
    let out = disk.path("table.csv");
    result.write_csv(&out).unwrap();
    let written = std::fs::read_to_string(out).unwrap();
    assert_eq!(written.lines().collect::<Vec<_>>(), lines);
    assert_eq!(result.suppressed, suppressed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn csv_is_answered_as_plain_code_answers(
        rows in rows(), with_latest in any::<bool>(),
        matched in prop::collection::vec(any::<prop::sample::Index>(), 0..12), min_group in 1usize..4,
    ) {
        let disk = Disk::new();
        check(&disk.file("customers.csv", csv(&rows)), &rows, with_latest, &matched, min_group);
    }

    #[test]
    fn parquet_is_answered_as_plain_code_answers(
        rows in rows(), with_latest in any::<bool>(),
        matched in prop::collection::vec(any::<prop::sample::Index>(), 0..12), min_group in 1usize..4,
    ) {
        let disk = Disk::new();
        check(&disk.parquet("customers.parquet", &parquet(&rows)), &rows, with_latest, &matched, min_group);
    }
}
