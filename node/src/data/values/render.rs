//! Typed values as text: what group domains are compared with and what result files hold. Decimals keep all places of their
//! column: `1.50`.

use super::{exact, moment};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type,
    TimestampMicrosecondType, UInt64Type,
};
use std::sync::Arc;

/// The type has no form as text here; the name is the type's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoText(pub(crate) String);

/// All values of `array` as text.
pub(crate) fn texts(array: &ArrayRef) -> Result<StringArray, NoText> {
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().clone(),
        DataType::Boolean => collect(array.as_boolean().iter(), |v| v.to_string()),
        DataType::Int64 => collect(array.as_primitive::<Int64Type>().iter(), |v| v.to_string()),
        DataType::UInt64 => collect(array.as_primitive::<UInt64Type>().iter(), |v| v.to_string()),
        DataType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).map_err(|_| no_text(array))?;
            collect(array.as_primitive::<Decimal128Type>().iter(), |units| {
                exact::write(units, scale)
            })
        }
        DataType::Float64 => collect(array.as_primitive::<Float64Type>().iter(), |v| {
            float_text(v, exact::of_f64(v))
        }),
        DataType::Float32 => collect(array.as_primitive::<Float32Type>().iter(), |v| {
            float_text(f64::from(v), exact::of_f32(v))
        }),
        DataType::Date32 => collect(array.as_primitive::<Date32Type>().iter(), moment::write_day),
        DataType::Timestamp(_, None) => {
            let array = as_type(array, &TIMESTAMP)?;
            collect(
                array.as_primitive::<TimestampMicrosecondType>().iter(),
                moment::write_moment,
            )
        }
        DataType::Null => StringArray::new_null(array.len()),
        other => {
            let simpler = simpler(other).ok_or_else(|| no_text(array))?;
            return texts(&as_type(array, &simpler)?);
        }
    })
}

const TIMESTAMP: DataType =
    DataType::Timestamp(datafusion::arrow::datatypes::TimeUnit::Microsecond, None);

fn collect<T>(values: impl Iterator<Item = Option<T>>, write: impl Fn(T) -> String) -> StringArray {
    values.map(|value| value.map(&write)).collect()
}

/// The type with the same values whose text is written above.
fn simpler(found: &DataType) -> Option<DataType> {
    Some(match found {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 => DataType::Int64,
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => DataType::UInt64,
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Date32,
        _ => return None,
    })
}

fn as_type(array: &ArrayRef, target: &DataType) -> Result<ArrayRef, NoText> {
    cast(array, target).map_err(|_| no_text(array))
}

fn no_text(array: &ArrayRef) -> NoText {
    NoText(array.data_type().to_string())
}

/// The shortest decimal form; of values beyond 38 digits and of what is not a number, whatever the type prints.
fn float_text(value: f64, number: Option<exact::Number>) -> String {
    let fits = |number: &exact::Number| number.whole_digits() <= exact::DIGITS_MAX;
    match number.filter(fits) {
        Some(number) => match u8::try_from(number.scale.max(0)) {
            Ok(scale) => exact::write_trimmed(number.at_scale(scale), scale, 0),
            Err(_) => value.to_string(),
        },
        None => value.to_string(),
    }
}

/// A copy of `array` as one that is shared.
pub(crate) fn shared(texts: StringArray) -> ArrayRef {
    Arc::new(texts)
}
