//! Bars of error beside noisy numbers.

use super::*;

#[test]
fn noise_brings_bars_of_error_and_never_a_division_by_zero() {
    let columns = &all_columns()[2..];
    let plan = plan_of("north-bank", columns, Some(Epsilon(1_000_000)));
    let moments = joint(&plan).expect("made above").moments.len();
    let errors = vec![16.97; moments];
    for n in [-3, 0, 1, 2] {
        let mut cells = vec![None; plan.groups().cells() as usize];
        // Everything is as noise alone may leave it: n ids, and as many values, with sums that fit nothing.
        let mut words = vec![0; moments];
        let count = joint(&plan).expect("made above").moment(&BALANCE.present());
        (words[0], words[count.expect("there")]) = (n, n);
        let x = joint(&plan).expect("made above").moment(&AGE.value());
        words[x.expect("there")] = 5;
        cells[0] = Some(words);
        let table = table_of(&plan, &cells, Some(&errors));
        assert_eq!(table.columns[1].0, "n_se");
        let row = &texts(&table)[0];
        let of = |name: &str| {
            let place = table.columns.iter().position(|column| column.0 == name);
            row[place.expect("a column")].clone()
        };
        let expected = (n >= 0).then(|| n.to_string());
        assert_eq!(of("n"), expected);
        assert_eq!(of("n_se").is_some(), n >= 0);
        assert_eq!(of("a").is_some(), n > 0, "over {n}");
        assert_eq!(of("v").is_some(), n > 1, "over {n}");
        for statistic in ["r", "r_se", "m", "m_se", "i", "i_se"] {
            assert_eq!(of(statistic), None, "x does not vary: {statistic}");
        }
        assert_eq!(of("s_se"), Some("0.17".to_owned()), "16.97 cents");
    }
}

#[test]
fn a_bar_of_error_has_three_digits() {
    let whole = Form::of(0, 0, 0);
    let written = |form: Form, error| match form.error(error) {
        Value::Number { units, scale, keep } => {
            crate::data::values::exact::write_trimmed(units, scale, keep)
        }
        _ => "NULL".to_owned(),
    };
    assert_eq!(written(whole, 16.97), "17");
    assert_eq!(written(whole, 1.414), "1.41");
    assert_eq!(written(whole, 0.001), "0");
    assert_eq!(written(whole, 123_456.0), "123000");
    assert_eq!(written(Form::of(2, 10, 2), 1.6974), "0.017");
    assert_eq!(written(whole, f64::INFINITY), "NULL");
    assert_eq!(written(whole, f64::NAN), "NULL");
    assert_eq!(written(whole, 1e40), "NULL");
}

#[test]
fn a_bar_of_error_does_not_take_a_name_that_the_question_gave() {
    let columns = [("n", TableValue::CountAll), ("n_se", TableValue::CountAll)];
    let plan = plan_of("north-bank", &columns, Some(Epsilon(1)));
    let cells = vec![None; plan.groups().cells() as usize];
    let table = table_of(&plan, &cells, Some(&[1.0]));
    let names: Vec<&str> = table.columns.iter().map(|name| name.0.as_str()).collect();
    assert_eq!(names, ["n", "n_se_", "n_se", "n_se_se"]);
}
