//! Columns as questions see them: from a file's text or native arrays to the one Arrow type that stands for each
//! [`Storage`]. A value that does not fit the registered type means that the file is not the registered one.

use super::{exact, infer, moment};
use crate::data::manifest::Storage;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type, TimeUnit};
use datafusion::arrow::error::ArrowError;
use exact::Numeric;
use std::sync::Arc;

/// A value does not have the registered type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misfit;

impl From<ArrowError> for Misfit {
    /// Arrow's message is dropped: it quotes values.
    fn from(_: ArrowError) -> Self {
        Self
    }
}

/// The Arrow type that stands for `storage`; `None` where questions cannot use the column.
pub(crate) fn arrow_type(storage: &Storage) -> Option<DataType> {
    Some(match storage {
        Storage::Text => DataType::Utf8,
        Storage::Integer => DataType::Int64,
        Storage::Decimal { precision, scale } => {
            DataType::Decimal128(*precision, i8::try_from(*scale).ok()?)
        }
        Storage::Float => DataType::Float64,
        Storage::Boolean => DataType::Boolean,
        Storage::Date => DataType::Date32,
        Storage::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Storage::Unusable { .. } => return None,
    })
}

/// A column of a CSV file: text to typed values.
pub(crate) fn from_text(texts: &StringArray, storage: &Storage) -> Result<ArrayRef, Misfit> {
    Ok(match storage {
        Storage::Text | Storage::Unusable { .. } => Arc::new(texts.clone()),
        Storage::Integer => Arc::new(
            parse(texts, |text| match exact::read(text)? {
                Numeric::Whole(number) => i64::try_from(number.units).ok(),
                _ => None,
            })?
            .collect::<Int64Array>(),
        ),
        Storage::Decimal { precision, scale } => {
            let units = parse(texts, |text| match exact::read(text)? {
                Numeric::Whole(number) | Numeric::Fraction(number) => Some(number.at_scale(*scale)),
                Numeric::NotFinite => None,
            })?;
            Arc::new(decimals(units, *precision, *scale)?)
        }
        Storage::Float => {
            Arc::new(parse(texts, |text| text.trim_ascii().parse().ok())?.collect::<Float64Array>())
        }
        Storage::Boolean => Arc::new(parse(texts, infer::boolean)?.collect::<BooleanArray>()),
        Storage::Date => Arc::new(parse(texts, moment::day)?.collect::<Date32Array>()),
        Storage::Timestamp => {
            Arc::new(parse(texts, moment::moment)?.collect::<TimestampMicrosecondArray>())
        }
    })
}

/// All values through `read`; refuses as soon as one does not fit.
fn parse<T>(
    texts: &StringArray,
    read: impl Fn(&str) -> Option<T>,
) -> Result<impl Iterator<Item = Option<T>>, Misfit> {
    let mut values = Vec::with_capacity(texts.len());
    for text in texts {
        values.push(match text {
            Some(text) => Some(read(text).ok_or(Misfit)?),
            None => None,
        });
    }
    Ok(values.into_iter())
}

fn decimals(
    units: impl Iterator<Item = Option<i128>>,
    precision: u8,
    scale: u8,
) -> Result<Decimal128Array, Misfit> {
    let scale = i8::try_from(scale).map_err(|_| Misfit)?;
    let array = units.collect::<Decimal128Array>();
    let array = array.with_precision_and_scale(precision, scale)?;
    array.validate_decimal_precision(precision)?;
    Ok(array)
}

/// A column of a Parquet file: native values to the type that stands for them.
pub(crate) fn from_native(array: &ArrayRef, storage: &Storage) -> Result<ArrayRef, Misfit> {
    let target = arrow_type(storage).ok_or(Misfit)?;
    match (array.data_type(), storage) {
        (DataType::Float16 | DataType::Float32, Storage::Decimal { precision, scale }) => {
            let singles = exactly(array, &DataType::Float32)?;
            let units = singles.as_primitive::<Float32Type>().iter();
            float_units(units.map(|v| v.map(exact::of_f32)), *precision, *scale)
        }
        (DataType::Float64, Storage::Decimal { precision, scale }) => {
            let units = array.as_primitive::<Float64Type>().iter();
            float_units(units.map(|v| v.map(exact::of_f64)), *precision, *scale)
        }
        (DataType::Timestamp(unit, Some(_)), Storage::Timestamp) => {
            let utc = DataType::Timestamp(*unit, Some("+00:00".into()));
            exactly(&exactly(array, &utc)?, &target)
        }
        _ => exactly(array, &target),
    }
}

fn float_units(
    numbers: impl Iterator<Item = Option<Option<exact::Number>>>,
    precision: u8,
    scale: u8,
) -> Result<ArrayRef, Misfit> {
    let mut units = Vec::new();
    for number in numbers {
        units.push(match number {
            Some(number) => Some(number.ok_or(Misfit)?.at_scale(scale)),
            None => None,
        });
    }
    Ok(Arc::new(decimals(units.into_iter(), precision, scale)?))
}

/// A cast in which a value that does not fit is an error, never a null.
pub(crate) fn exactly(array: &ArrayRef, target: &DataType) -> Result<ArrayRef, Misfit> {
    if array.data_type() == target {
        return Ok(Arc::clone(array));
    }
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    Ok(cast_with_options(array, target, &strict)?)
}
