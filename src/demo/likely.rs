//! Holds a table with noise against the truth: no number may be further from it than chance explains.
//!
//! The partner alone adds noise, to three sums of each group: customers, those whose spending is known, and the spending. With
//! ε = 1 shared by three sums it is discrete Laplace noise of scale 2·cap·3, so that of all sums of all groups together one is
//! more than [`ERRORS_MOST`] standard errors away in fewer than one of 10^9 runs, whatever the data are; a test computes this.
//! Everything below follows from that: within these bounds nothing that is right is called wrong.

use super::oracle::{Cell, Group, MIN_GROUP, Truth};
use super::verdict::{by_group, expect_columns};
use crate::result_table::ResultTable;
use std::collections::BTreeMap;

/// Most standard errors between an opened sum and the truth.
pub(super) const ERRORS_MOST: f64 = 18.0;
/// The scale of the noise in a number of customers: 2·cap·sums/ε.
const COUNT_SCALE: f64 = 6.0;
/// The largest spending of one customer, in the unit of the averages.
const SPEND_CAP: f64 = 100_000.0;
/// Standard errors are written with three digits.
pub(super) const ROUNDED: f64 = 1.01;

/// Why the noisy table cannot be the truth with noise; nothing when it can.
pub(super) fn table_is_likely(table: &ResultTable, truth: &Truth) -> Result<(), String> {
    expect_columns(
        table,
        &[
            "tier",
            "segment",
            "customers",
            "customers_se",
            "average_spend",
            "average_spend_se",
        ],
    )?;
    let rows = by_group(table, &truth.groups)?;
    for (group, cell) in &truth.groups {
        let checked = match rows.get(group) {
            Some(numbers) => shown(cell, numbers),
            None => suppressed(cell),
        };
        checked.map_err(|what| format!("{group:?}: {what}, {cell:?} in truth"))?;
    }
    has_noise(&rows, truth)
}

/// That all sums of two groups or more are spared by their noise happens in fewer than one of 10^18 runs.
fn has_noise(rows: &BTreeMap<Group, &[Option<String>]>, truth: &Truth) -> Result<(), String> {
    let is_exact = |(group, numbers): (&Group, &&[Option<String>])| {
        let cell = &truth.groups[group];
        numbers.first() == Some(&Some(cell.customers.to_string()))
            && numbers.get(2) == Some(&cell.average())
    };
    match rows.len() > 1 && rows.iter().all(is_exact) {
        true => Err("no number has noise".to_owned()),
        false => Ok(()),
    }
}

/// A group that is not shown has few customers, give or take the noise.
fn suppressed(cell: &Cell) -> Result<(), String> {
    match (cell.customers as f64) < MIN_GROUP as f64 + count_error_most() {
        true => Ok(()),
        false => Err("suppressed".to_owned()),
    }
}

fn shown(cell: &Cell, numbers: &[Option<String>]) -> Result<(), String> {
    let [customers, customers_error, average, average_error] = numbers else {
        return Err("other numbers than asked for".to_owned());
    };
    let [Some(customers), Some(error)] = [customers, customers_error].map(number) else {
        return Err("no number of customers".to_owned());
    };
    if (error - standard_error(COUNT_SCALE)).abs() > 0.01 * error {
        return Err(format!("{error} is not the noise's standard error"));
    }
    let away = (customers - cell.customers as f64).abs();
    if customers < MIN_GROUP as f64 || away > count_error_most() {
        return Err(format!("{customers} customers are shown"));
    }
    match [average, average_error].map(number) {
        [Some(average), Some(error)] => average_is_likely(cell, average, error),
        // Noise may take so few values to none at all.
        [None, None] if cell.values as f64 <= count_error_most() => Ok(()),
        other => Err(format!("an average of {other:?}")),
    }
}

/// A noisy sum over a noisy count n is off by at most (|noise of the sum| + average·|noise of the count|)/n. The cap times the
/// standard error of a count is that of the sum, and an average is below the cap: so this is at most [`ERRORS_MOST`] times twice
/// the sum's standard error over n, which is not above the average's own.
fn average_is_likely(cell: &Cell, average: f64, error: f64) -> Result<(), String> {
    let due = match cell.values {
        0 => 0.0,
        values => cell.sum as f64 / 100.0 / values as f64,
    };
    if error > 0.0 && (average - due).abs() <= 2.0 * ERRORS_MOST * ROUNDED * error {
        return errors_are_honest(cell, average, error);
    }
    Err(format!("an average of {average} ± {error}"))
}

/// An error that is too large would excuse any average: it is bounded by the fewest values that noise can have left.
fn errors_are_honest(cell: &Cell, average: f64, error: f64) -> Result<(), String> {
    let fewest = cell.values as f64 - count_error_most();
    let of_sum = standard_error(COUNT_SCALE * SPEND_CAP);
    let most = of_sum.hypot(average * standard_error(COUNT_SCALE)) / fewest;
    match fewest < 1.0 || error <= most * ROUNDED {
        true => Ok(()),
        false => Err(format!("a standard error of {error}, at most {most}")),
    }
}

fn count_error_most() -> f64 {
    ERRORS_MOST * standard_error(COUNT_SCALE)
}

/// Of discrete Laplace noise, P(k) ∝ exp(−|k|/scale).
pub(super) fn standard_error(scale: f64) -> f64 {
    let ratio = (-1.0 / scale).exp();
    (2.0 * ratio).sqrt() / (1.0 - ratio)
}

pub(super) fn number(text: &Option<String>) -> Option<f64> {
    text.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::people::{SEGMENTS, TIERS};
    use super::*;
    use crate::result_table::Notes;

    #[test]
    fn a_false_alarm_comes_in_fewer_than_one_of_a_billion_runs() {
        const SUMS_A_GROUP: usize = 3;
        let sums = (TIERS.len() * SEGMENTS.len() * SUMS_A_GROUP) as f64;
        for scale in [COUNT_SCALE, COUNT_SCALE * SPEND_CAP] {
            // P(|noise| ≥ t) = 2·ratio^t/(1 + ratio) for whole t.
            let ratio = (-1.0 / scale).exp();
            let at = (ERRORS_MOST * standard_error(scale)).floor();
            let beyond = 2.0 * (-at / scale).exp() / (1.0 + ratio);
            assert!(sums * beyond < 1e-9, "{}", sums * beyond);
        }
    }

    #[test]
    fn the_standard_error_is_that_of_the_distribution() {
        let ratio = (-1.0 / COUNT_SCALE).exp();
        let weights = (0..2_000).map(|k| (f64::from(k), ratio.powi(k)));
        let (mut all, mut squares) = (0.0, 0.0);
        for (k, weight) in weights {
            let both_signs = if k == 0.0 { weight } else { 2.0 * weight };
            all += both_signs;
            squares += both_signs * k * k;
        }
        let error: f64 = squares / all;
        assert!((error.sqrt() - standard_error(COUNT_SCALE)).abs() < 1e-9);
    }

    fn truth() -> Truth {
        let cell = |customers, values, sum| Cell {
            customers,
            values,
            sum,
        };
        Truth {
            groups: [
                (("gold", "new"), cell(1_000, 990, 990 * 1_500_000)),
                (("gold", "vip"), cell(60, 20, 20 * 9_000_000)),
                (("basic", "vip"), cell(0, 0, 0)),
            ]
            .into(),
            shared_by_email: 70,
        }
    }

    fn judged(rows: &str, suppressed: u64) -> Result<(), String> {
        let header = "tier,segment,customers,customers_se,average_spend,average_spend_se";
        let csv = format!("{header}\n{rows}");
        let table = ResultTable::from_csv(csv.as_bytes(), 10, Notes::suppressed(suppressed));
        table_is_likely(&table.expect("valid CSV"), &truth())
    }

    #[test]
    fn what_noise_explains_is_likely() {
        for (rows, suppressed) in [
            ("gold,new,1009,8.48,15712.25,867\n", 2),
            ("gold,new,1009,8.48,14000.25,867\ngold,vip,55,8.48,,\n", 1),
            // Nobody is there, and noise shows the group all the same.
            (
                "gold,new,991,8.47,15712.25,867\nbasic,vip,51,8.48,-70000.5,90300\n",
                1,
            ),
        ] {
            assert_eq!(judged(rows, suppressed), Ok(()), "{rows}");
        }
    }

    #[test]
    fn what_noise_does_not_explain_is_noticed() {
        for (rows, suppressed) in [
            ("", 3),
            ("gold,new,1009,8.48,15712.25,867\n", 1),
            ("gold,new,1200,8.48,15712.25,867\n", 2),
            ("gold,new,1009,84.8,15712.25,867\n", 2),
            (
                "gold,new,1000,8.48,15000.00,857\ngold,vip,60,8.48,90000.00,42400\n",
                1,
            ),
            ("gold,new,1009,8.48,50000.25,867\n", 2),
            ("gold,new,1009,8.48,50000.25,8670\n", 2),
            ("gold,new,1009,8.48,15712.25,0\n", 2),
            ("gold,new,1009,8.48,,\n", 2),
            (
                "gold,new,1009,8.48,15712.25,867\ngold,vip,49,8.48,90000.25,42000\n",
                1,
            ),
        ] {
            assert!(judged(rows, suppressed).is_err(), "{rows}");
        }
    }
}
