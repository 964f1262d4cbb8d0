//! Released cells against plain arithmetic over made-up rows.

mod errors;
mod textbook;

use super::*;
use crate::data::Cell;
use entente_wire::names::OrgName;
use entente_wire::plan::{
    Cap, Display, GroupKey, Matching, Measure, MeasureAt, Moment, MomentKind, OrderKey, SqlText,
};
use entente_wire::policy::{Epsilon, IdKind};
use proptest::prelude::*;

/// One common id: both codes, a balance in cents, an age and a spend in whole units.
#[derive(Debug, Clone, Copy)]
struct Row {
    tier: u32,
    segment: u32,
    balance: Option<i64>,
    age: i64,
    spend: i64,
}

const BALANCE: MeasureAt = MeasureAt { side: 0, place: 0 };
const AGE: MeasureAt = MeasureAt { side: 0, place: 1 };
const SPEND: MeasureAt = MeasureAt { side: 1, place: 0 };
const TIERS: [&str; 2] = ["gold", "basic"];
const SEGMENTS: [&str; 3] = ["10", "9", "-1"];

fn org(name: &str) -> OrgName {
    name.parse().expect("a name")
}

fn key(name: &str, sql: &str, domain: &[&str], nullable: bool) -> GroupKey {
    GroupKey {
        name: ColumnName(name.to_owned()),
        sql: SqlText(sql.to_owned()),
        domain: domain.iter().map(|value| (*value).to_owned()).collect(),
        nullable,
    }
}

fn side(name: &str, groups: Vec<GroupKey>, measures: &[([i64; 2], u8)]) -> Side {
    let measures = measures.iter().map(|(clip, scale)| Measure {
        sql: SqlText("\"x\"".to_owned()),
        clip: *clip,
        scale: *scale,
    });
    Side {
        org: org(name),
        dataset: "people".parse().expect("a name"),
        derived: None,
        id: ColumnName("id".to_owned()),
        id_kind: IdKind::try_from("e164(+86)".to_owned()).expect("a kind"),
        filter: None,
        groups,
        measures: measures.collect(),
    }
}

fn all_columns() -> Vec<(&'static str, TableValue)> {
    let at = |at: MeasureAt| (at.side, at.place);
    let (side, place) = at(BALANCE);
    let (spend_side, spend_place) = at(SPEND);
    vec![
        ("tier", TableValue::Group { side: 0, place: 0 }),
        ("segment", TableValue::Group { side: 1, place: 0 }),
        ("n", TableValue::CountAll),
        ("c", TableValue::Count { side, place }),
        ("s", TableValue::Sum { side, place }),
        ("a", TableValue::Avg { side, place }),
        ("v", TableValue::VarSamp { side, place }),
        (
            "d",
            TableValue::StddevSamp {
                side: spend_side,
                place: spend_place,
            },
        ),
        ("r", TableValue::Corr { y: SPEND, x: AGE }),
        ("m", TableValue::RegrSlope { y: SPEND, x: AGE }),
        ("i", TableValue::RegrIntercept { y: SPEND, x: AGE }),
    ]
}

fn plan_of(receiver: &str, columns: &[(&str, TableValue)], epsilon: Option<Epsilon>) -> Plan {
    let mut moments = vec![MomentKind::Ids];
    for kind in columns.iter().flat_map(|(_, value)| value.moments()) {
        if !moments.contains(&kind) {
            moments.push(kind);
        }
    }
    let moments = moments.into_iter().map(|what| Moment {
        what,
        bits: 100,
        cap: Cap(1),
        opened: true,
    });
    let columns = columns.iter().map(|(name, value)| TableColumn {
        name: ColumnName((*name).to_owned()),
        value: value.clone(),
    });
    let tiers = key("tier", "\"tier\"", &TIERS, true);
    let segments = key("segment", "CAST(\"segment\" AS TEXT)", &SEGMENTS, false);
    Plan {
        version: 3,
        sides: [
            side(
                "north-bank",
                vec![tiers],
                &[([-100_000, 50_000], 2), ([0, 120], 0)],
            ),
            side("river-pay", vec![segments], &[([0, 1_000], 0)]),
        ],
        operator: Operator::Joint(Joint {
            columns: columns.collect(),
            moments: moments.collect(),
            min_group: 2,
            epsilon,
            readers: BTreeSet::from([org("north-bank")]),
            display: Display::default(),
        }),
        receiver: org(receiver),
        matching: Matching::Blind,
    }
}

fn joint_of(plan: &mut Plan) -> &mut Joint {
    match &mut plan.operator {
        Operator::Joint(joint) => joint,
        _ => unreachable!("made above"),
    }
}

/// What a row adds to a moment.
fn adds(row: &Row, kind: &MomentKind) -> i128 {
    use entente_wire::plan::SideColumn::{Present, Product, Square, Value};
    let number = |side: usize, place: usize| match (side, place) {
        (0, 0) => row.balance.map(i128::from),
        (0, 1) => Some(i128::from(row.age)),
        _ => Some(i128::from(row.spend)),
    };
    let column = |side, column| match column {
        Value { place } => number(side, place).unwrap_or(0),
        Present { place } => i128::from(number(side, place).is_some()),
        Square { place } => number(side, place).unwrap_or(0).pow(2),
        Product { places } => number(side, places[0])
            .zip(number(side, places[1]))
            .map_or(0, |(a, b)| a * b),
    };
    match kind {
        MomentKind::Ids => 1,
        MomentKind::One { side, column: of } => column(*side, *of),
        MomentKind::Both { columns } => column(0, columns[0]) * column(1, columns[1]),
    }
}

/// All cells as a run would release them.
fn released(plan: &Plan, rows: &[Row]) -> Vec<Option<Vec<i128>>> {
    let joint = joint(plan).expect("made above");
    let groups = plan.groups();
    let swapped = plan.receiver == plan.sides[1].org;
    let mut cells = vec![vec![0; joint.moments.len()]; groups.cells() as usize];
    for row in rows {
        let (g, h) = match swapped {
            false => (row.tier, row.segment),
            true => (row.segment, row.tier),
        };
        let cell = &mut cells[g as usize * groups.sender as usize + h as usize];
        for (word, moment) in cell.iter_mut().zip(&joint.moments) {
            *word += adds(row, &moment.what);
        }
    }
    let shown = |cell: &Vec<i128>| cell[0] >= i128::from(joint.min_group);
    cells
        .into_iter()
        .map(|cell| Some(cell).filter(shown))
        .collect()
}

fn table_of(plan: &Plan, cells: &[Option<Vec<i128>>], errors: Option<&[f64]>) -> Table {
    joint_table(plan, Released { cells, errors }).expect("a table")
}

fn texts(table: &Table) -> Vec<Vec<Option<String>>> {
    let text = |cell: &Cell| match cell {
        Cell::Text { text } | Cell::Number { text } => Some(text.clone()),
        Cell::Null => None,
    };
    let rows = table.rows.iter();
    rows.map(|row| row.iter().map(text).collect()).collect()
}

/// Lines as CSV would have them.
fn lines(table: &Table) -> Vec<String> {
    let line = |row: Vec<Option<String>>| {
        let cells: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
        cells.join(",")
    };
    texts(table).into_iter().map(line).collect()
}

fn row(tier: u32, segment: u32, balance: Option<i64>, age: i64, spend: i64) -> Row {
    Row {
        tier,
        segment,
        balance,
        age,
        spend,
    }
}

fn few() -> Vec<Row> {
    vec![
        row(0, 1, Some(101), 30, 10),
        row(0, 1, Some(-101), 40, 20),
        row(0, 1, None, 60, 25),
        row(2, 0, Some(1_000), 50, 7),
        row(2, 0, Some(500), 50, 9),
        row(1, 2, Some(1), 20, 1),
    ]
}

#[test]
fn every_aggregate_is_exact_and_rounded_once() {
    let plan = plan_of("north-bank", &all_columns(), None);
    let table = table_of(&plan, &released(&plan, &few()), None);
    // Gold at 9: ages 30, 40, 60 against 10, 20, 25: by hand, Sxy = 650/3, Sxx = 1400/3, Syy = 350/3.
    assert_eq!(
        lines(&table),
        [
            "gold,9,3,2,0.00,0.00,2.0402,7.63762616,0.92857143,0.46428571429,-1.78571429",
            ",10,2,2,15.00,7.50,12.5000,1.41421356,,,"
        ]
    );
    assert_eq!(
        table.suppressed, 7,
        "of 9 cells; one has one id, padding is none"
    );
}

#[test]
fn roles_do_not_show_in_the_table() {
    let tables = ["north-bank", "river-pay"].map(|receiver| {
        let plan = plan_of(receiver, &all_columns(), None);
        table_of(&plan, &released(&plan, &few()), None)
    });
    assert_eq!(tables[0], tables[1]);
}

#[test]
fn cells_stand_in_the_order_of_the_domains_until_they_are_ordered() {
    let rows: Vec<Row> = (0..18)
        .map(|i| row(i % 3, i / 6, Some(0), 0, i64::from(i)))
        .collect();
    let columns = &all_columns()[..3];
    let mut plan = plan_of("river-pay", columns, None);
    let heads = |plan: &Plan| {
        let table = table_of(plan, &released(plan, &rows), None);
        assert_eq!(table.suppressed, 0);
        lines(&table)
    };
    let domains = [
        "gold,10,2",
        "gold,9,2",
        "gold,-1,2",
        "basic,10,2",
        "basic,9,2",
    ];
    assert_eq!(heads(&plan)[..5], domains);
    let by = |column: &str, descending| OrderKey {
        column: ColumnName(column.to_owned()),
        descending,
    };
    joint_of(&mut plan).display = Display {
        order_by: vec![by("segment", false), by("tier", true)],
        limit: Some(4),
    };
    // As numbers, and NULL first where descending.
    assert_eq!(heads(&plan), [",-1,2", "gold,-1,2", "basic,-1,2", ",9,2"]);
}

#[test]
fn types_stand_for_every_column_and_hold_what_is_written() {
    let plan = plan_of("north-bank", &all_columns(), None);
    let scales: Vec<Option<u8>> = joint_types(&plan, false)
        .expect("types")
        .iter()
        .map(|storage| match storage {
            Storage::Decimal { precision, scale } => {
                assert_eq!(*precision, 38);
                Some(*scale)
            }
            _ => None,
        })
        .collect();
    let decimals = [2, 10, 12, 8, 8, 11, 8].map(Some);
    assert_eq!(scales, [[None; 4].as_slice(), &decimals].concat());
    assert_eq!(joint_types(&plan, true).expect("types").len(), 2 + 2 * 9);
}

#[test]
fn what_does_not_fit_the_plan_is_a_defect() {
    let plan = plan_of("north-bank", &all_columns(), None);
    let cells = released(&plan, &few());
    let refused = |plan: &Plan, cells: &[Option<Vec<i128>>], errors| {
        joint_table(plan, Released { cells, errors })
            .expect_err("refused")
            .code
    };
    let defect = entente_wire::problem::Code::Defect;
    assert_eq!(refused(&plan, &cells[1..], None), defect);
    let mut short = cells.clone();
    short[1] = short[1].take().map(|words| words[1..].to_vec());
    assert_eq!(refused(&plan, &short, None), defect);
    assert_eq!(refused(&plan, &cells, Some(&[1.0])), defect);
    let mut hidden = plan.clone();
    joint_of(&mut hidden).moments[0].opened = false;
    assert_eq!(
        refused(&hidden, &cells, None),
        defect,
        "COUNT(*) of ids not opened"
    );
}
