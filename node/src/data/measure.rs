//! Measures: numbers in exact fixed point. A value becomes DECIMAL(38, scale), half away from zero, then it is clipped, then
//! it is an integer in units of 10^-scale. NULL stays NULL; NaN and infinities end the job.

use super::values::exact;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int64Type, UInt64Type,
};
use entente_wire::plan::Measure;

/// Why values are no measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unmeasurable {
    /// So many values are NaN or infinite.
    NotFinite(u64),
    /// Values of this type are no numbers.
    NotNumbers(String),
}

/// The values as clipped integers.
pub(crate) fn fixed_point(array: &ArrayRef, measure: &Measure) -> Result<Int64Array, Unmeasurable> {
    let scale = measure.scale;
    let clip = |units: i128| clipped(units, measure.clip);
    match array.data_type() {
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>().iter();
            Ok(values
                .map(|v| v.map(|v| clip(exact::rescale(i128::from(v), 0, scale))))
                .collect())
        }
        DataType::UInt64 => {
            let values = array.as_primitive::<UInt64Type>().iter();
            Ok(values
                .map(|v| v.map(|v| clip(exact::rescale(i128::from(v), 0, scale))))
                .collect())
        }
        DataType::Decimal128(_, from) => {
            let from = i32::from(*from);
            let values = array.as_primitive::<Decimal128Type>().iter();
            Ok(values
                .map(|v| v.map(|v| clip(exact::rescale(v, from, scale))))
                .collect())
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().iter();
            finite(values.map(|v| v.map(exact::of_f64)), measure)
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().iter();
            finite(values.map(|v| v.map(exact::of_f32)), measure)
        }
        DataType::Null => Ok(Int64Array::new_null(array.len())),
        other if other.is_integer() => {
            let not_numbers = |_| Unmeasurable::NotNumbers(other.to_string());
            fixed_point(
                &cast(array, &DataType::Int64).map_err(not_numbers)?,
                measure,
            )
        }
        other => Err(Unmeasurable::NotNumbers(other.to_string())),
    }
}

fn finite(
    values: impl Iterator<Item = Option<Option<exact::Number>>>,
    measure: &Measure,
) -> Result<Int64Array, Unmeasurable> {
    let mut not_finite = 0;
    let fixed = values.map(|value| {
        let Some(number) = value? else {
            not_finite += 1;
            return None;
        };
        Some(clipped(number.at_scale(measure.scale), measure.clip))
    });
    let fixed: Int64Array = fixed.collect();
    match not_finite {
        0 => Ok(fixed),
        rows => Err(Unmeasurable::NotFinite(rows)),
    }
}

fn clipped(units: i128, [low, high]: [i64; 2]) -> i64 {
    match i64::try_from(units) {
        Ok(units) => units.min(high).max(low),
        Err(_) if units < 0 => low,
        Err(_) => high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Decimal128Array, Float64Array};
    use entente_wire::plan::SqlText;
    use std::sync::Arc;

    fn measure(clip: [i64; 2], scale: u8) -> Measure {
        Measure {
            sql: SqlText("\"x\"".to_owned()),
            clip,
            scale,
        }
    }

    fn fixed(array: ArrayRef, clip: [i64; 2], scale: u8) -> Result<Vec<Option<i64>>, Unmeasurable> {
        fixed_point(&array, &measure(clip, scale)).map(|array| array.iter().collect())
    }

    #[test]
    fn floats_round_as_they_are_written_and_halves_go_away_from_zero() {
        let floats = Float64Array::from(vec![
            Some(1.005),
            Some(-2.675),
            Some(0.125),
            None,
            Some(1e300),
        ]);
        assert_eq!(
            fixed(Arc::new(floats), [-1_000, 1_000], 2),
            Ok(vec![Some(101), Some(-268), Some(13), None, Some(1_000)])
        );
    }

    #[test]
    fn values_that_are_not_finite_end_the_job_with_their_number() {
        let floats = Float64Array::from(vec![Some(f64::NAN), Some(1.0), Some(f64::INFINITY), None]);
        assert_eq!(
            fixed(Arc::new(floats), [0, 10], 0),
            Err(Unmeasurable::NotFinite(2))
        );
    }

    #[test]
    fn the_cap_is_taken_after_rounding_and_nothing_wraps() {
        let wide = Decimal128Array::from(vec![
            Some(i128::MAX),
            Some(i128::MIN),
            Some(10_049),
            Some(10_050),
        ])
        .with_precision_and_scale(38, 2);
        let wide: ArrayRef = Arc::new(wide.expect("38 digits are allowed"));
        assert_eq!(
            fixed(wide, [-100, 1_005], 1),
            Ok(vec![Some(1_005), Some(-100), Some(1_005), Some(1_005)])
        );
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, i64::MIN, 3]));
        assert_eq!(
            fixed(whole, [i64::MIN, i64::MAX], 18),
            Ok(vec![
                Some(i64::MAX),
                Some(i64::MIN),
                Some(3_000_000_000_000_000_000)
            ])
        );
    }
}
