//! Data that do not do for a joint table: an error that says whose they are and what to do, and no part of a table anywhere.

use crate::joint::BY_TIERS;
use crate::shops::{BANK, Lab, People, SHOP, job};
use crate::world::command::Outcome;
use entente_wire::problem::{Code, Problem, Side};

#[test]
fn a_condition_that_leaves_a_side_no_row_is_refused_by_its_min_set() {
    let ask = BY_TIERS.replace("2024-01-01", "1990-01-01");
    for (asker, side) in [(BANK, Side::Here), (SHOP, partner(BANK))] {
        let lab = Lab::with(&People::new());
        let problem = refused(&lab, &job(asker, &ask), Code::SetTooSmall);
        assert_eq!(problem.side, side, "{problem:?}");
        assert!(problem.what.contains(BANK), "{problem:?}");
    }
}

#[test]
fn a_file_without_rows_is_refused_and_says_whose() {
    let mut lab = Lab::with(&People::new());
    lab.members = "phone,tier,amount,active\n".to_owned();
    let problem = refused(&lab, &job(BANK, BY_TIERS), Code::NoUsableIds);
    assert_eq!(problem.side, partner(SHOP), "{problem:?}");
    assert!(problem.what.contains("phone"), "{problem:?}");
}

fn partner(org: &str) -> Side {
    let org = org.parse().expect("a label");
    Side::Partner { org }
}

/// The problem of a lab whose data do not do: clear, and nothing of a table is left anywhere.
#[track_caller]
fn refused(lab: &Lab, job: &str, code: Code) -> Problem {
    let outcome: Outcome = lab.ask(job);
    let problem = outcome.problem(code);
    assert_eq!(
        lab.tables_left(),
        [false; 3],
        "a part of a table: {outcome:?}"
    );
    problem
}

/// One row's cell of a CSV file changed.
fn with_cell(csv: &str, row: usize, column: usize, value: &str) -> String {
    let lines = csv.lines().enumerate().map(|(at, line)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if at == row {
            cells[column] = value;
        }
        cells.join(",") + "\n"
    });
    lines.collect()
}

/// The problem of a file of one side, of which one cell is not what its policy says; the bank asks.
#[track_caller]
fn refused_cell(org: &str, column: usize, value: &str) -> Problem {
    let mut lab = Lab::with(&People::new());
    let (csv, side) = match org == BANK {
        true => (&mut lab.clients, Side::Here),
        false => (&mut lab.members, partner(org)),
    };
    *csv = with_cell(csv, 7, column, value);
    let problem = refused(&lab, &job(BANK, BY_TIERS), Code::ValueOutside);
    assert_eq!(problem.side, side, "{problem:?}");
    assert!(!problem.what.contains(value), "a value: {problem:?}");
    problem
}

#[test]
fn a_group_value_outside_its_domain_names_side_and_column() {
    for org in [BANK, SHOP] {
        let problem = refused_cell(org, 1, "bronze");
        assert!(problem.what.contains("tier"), "{problem:?}");
    }
}

#[test]
fn a_measure_that_is_no_number_names_side_and_column() {
    for org in [BANK, SHOP] {
        let problem = refused_cell(org, 2, "twelve");
        assert!(problem.what.contains("amount"), "{problem:?}");
    }
}

#[test]
fn a_value_outside_the_jobs_own_domain_names_the_side_and_leaves_no_table() {
    let ask = "SELECT date_part('year', c.opened_on) AS year, COUNT(*) AS n FROM {clients} c JOIN {members} m ON c.phone = m.phone \
               GROUP BY date_part('year', c.opened_on)";
    for (asker, side) in [(BANK, Side::Here), (SHOP, partner(BANK))] {
        let lab = Lab::with(&People::new());
        let domains = "domains: { year: [\"2015\", \"2016\"] }\n";
        let yaml = job(asker, ask) + domains;
        let problem = refused(&lab, &yaml, Code::ValueOutside);
        assert_eq!(problem.side, side, "{problem:?}");
        assert!(!problem.what.contains("2017"), "a value: {problem:?}");
    }
}
