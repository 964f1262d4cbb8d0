//! Statistics and their bars of error against the textbook, over made-up rows.

use super::*;

/// The textbook's two passes over the rows, in floating point.
fn plainly(rows: &[&Row]) -> [Option<f64>; 6] {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let about = |xs: &[f64], ys: &[f64]| {
        let (x, y) = (mean(xs), mean(ys));
        xs.iter()
            .zip(ys)
            .map(|(a, b)| (a - x) * (b - y))
            .sum::<f64>()
    };
    let balances: Vec<f64> = rows
        .iter()
        .filter_map(|row| row.balance)
        .map(|cents| cents as f64 / 100.0)
        .collect();
    let ages: Vec<f64> = rows.iter().map(|row| row.age as f64).collect();
    let spends: Vec<f64> = rows.iter().map(|row| row.spend as f64).collect();
    let over = |n: usize| n as f64 - 1.0;
    let (sxx, syy, sxy) = (
        about(&ages, &ages),
        about(&spends, &spends),
        about(&ages, &spends),
    );
    let varies = ages.iter().any(|age| *age != ages[0]);
    let both = varies && spends.iter().any(|spend| *spend != spends[0]);
    let slope = varies.then(|| sxy / sxx);
    [
        (!balances.is_empty()).then(|| mean(&balances)),
        (balances.len() > 1).then(|| about(&balances, &balances) / over(balances.len())),
        (rows.len() > 1).then(|| (syy / over(rows.len())).sqrt()),
        both.then(|| sxy / (sxx * syy).sqrt()),
        slope,
        slope.map(|slope| mean(&spends) - slope * mean(&ages)),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        0u32..3,
        0u32..3,
        prop::option::weighted(0.8, -100_000i64..50_000),
        0i64..120,
        0i64..1_000,
    );
    let row = row.prop_map(|(tier, segment, balance, age, spend)| Row {
        tier,
        segment,
        balance,
        age,
        spend,
    });
    prop::collection::vec(row, 0..80)
}

proptest! {
    #[test]
    fn statistics_are_those_of_the_textbook(rows in rows(), swapped: bool) {
        let receiver = if swapped { "river-pay" } else { "north-bank" };
        let plan = plan_of(receiver, &all_columns(), None);
        let table = table_of(&plan, &released(&plan, &rows), None);
        let mut shown = texts(&table).into_iter();
        for tier in 0..3 {
            for segment in 0..3 {
                let cell: Vec<&Row> = rows.iter().filter(|row| (row.tier, row.segment) == (tier, segment)).collect();
                if cell.len() < 2 {
                    continue;
                }
                let shown = shown.next().expect("a row");
                prop_assert_eq!(shown[2].clone(), Some(cell.len().to_string()));
                for (text, expected) in shown[5..].iter().zip(plainly(&cell)) {
                    let number = text.as_ref().map(|text| text.parse::<f64>().expect("a number"));
                    prop_assert_eq!(number.is_some(), expected.is_some());
                    if let (Some(number), Some(expected)) = (number, expected) {
                        prop_assert!((number - expected).abs() <= 1e-7 + 1e-9 * expected.abs(), "{} is not {}", number, expected);
                    }
                }
            }
        }
        prop_assert!(shown.next().is_none());
    }

    /// Each moment moved a little by itself moves each statistic by its slope.
    #[test]
    fn bars_of_error_are_what_small_noise_does(rows in rows().prop_filter("enough", |rows| rows.len() > 20), moment in any::<prop::sample::Index>()) {
        let columns = &all_columns()[2..];
        let plan = plan_of("north-bank", columns, Some(Epsilon(1)));
        let joint = joint(&plan).expect("made above");
        // A thousand times everybody, so that one more is little.
        let sum = |kind| rows.iter().map(|row| adds(row, kind)).sum::<i128>() * 1_000_000;
        let words: Vec<i128> = joint.moments.iter().map(|moment| sum(&moment.what)).collect();
        let moment = moment.index(words.len());
        let mut errors = vec![0.0; words.len()];
        errors[moment] = 1.0;
        for column in &joint.columns {
            let scale = form(&plan.sides, &column.value).expect("a form").expect("a number").scale;
            let near = |by: i128| {
                let mut moved = words.clone();
                moved[moment] += by;
                let exact = Sums::new(joint, &moved).and_then(|sums| sums.exact(&column.value)).expect("fits");
                // Twenty digits behind what a table would show.
                exact.and_then(|exact| exact.rounded(scale, 22)).map(|units| units as f64 * 10_f64.powi(scale - 22))
            };
            let error = Sums::new(joint, &words).and_then(|sums| sums.error(&column.value, &errors)).expect("fits");
            let (Some(up), Some(down), Some(error)) = (near(1_000), near(-1_000), error) else {
                continue;
            };
            let expected = ((up - down) / 2_000.0).abs();
            let tolerance = 1e-4 * expected + 1e-13 * near(0).unwrap_or(0.0).abs();
            prop_assert!((error - expected).abs() <= tolerance, "{}: {} is not {}", column.name.0, error, expected);
        }
    }
}
