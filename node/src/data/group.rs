//! Group codes: a value's place in its public domain, and the codes of all keys of a row combined into one. NULL has the
//! place after the last value where the key may be null. A value outside ends the job: it is counted, never shown.

use super::values::render::{self, NoText};
use datafusion::arrow::array::ArrayRef;
use entente_wire::plan::GroupKey;
use std::collections::HashMap;

/// Looks up one key's codes.
pub(crate) struct Codes<'a> {
    places: HashMap<&'a str, u32>,
    null: Option<u32>,
    size: u32,
}

/// Rows of a batch whose value is not in the domain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outside {
    /// With a value that the domain does not list.
    pub(crate) values: u64,
    /// Without a value, where the key may not be null.
    pub(crate) nulls: u64,
}

impl<'a> Codes<'a> {
    /// For a key's domain; `None` where it has more values than codes.
    pub(crate) fn new(key: &'a GroupKey) -> Option<Self> {
        let values = u32::try_from(key.domain.len()).ok()?;
        let places = key.domain.iter().map(String::as_str).zip(0..);
        Some(Self {
            places: places.collect(),
            null: key.nullable.then_some(values),
            size: values.checked_add(u32::from(key.nullable))?,
        })
    }

    /// Puts this key's codes behind those already in `combined`: combined × size + code. Rows outside are counted.
    pub(crate) fn append(
        &self,
        values: &ArrayRef,
        combined: &mut [u32],
    ) -> Result<Outside, NoText> {
        let texts = render::texts(values)?;
        let mut outside = Outside::default();
        for (text, combined) in texts.iter().zip(combined) {
            let code = match text {
                Some(text) => self.places.get(text).copied(),
                None => self.null,
            };
            match (code, text) {
                // The product of all sizes fits 32 bits; the caller has checked.
                (Some(code), _) => *combined = combined.wrapping_mul(self.size).wrapping_add(code),
                (None, Some(_)) => outside.values += 1,
                (None, None) => outside.nulls += 1,
            }
        }
        Ok(outside)
    }
}

/// How many combined codes all keys have; `None` where 32 bits do not hold them.
pub(crate) fn cells(keys: &[GroupKey]) -> Option<u32> {
    keys.iter().try_fold(1u32, |cells, key| {
        let size = u32::try_from(key.domain.len()).ok()?;
        cells.checked_mul(size.checked_add(u32::from(key.nullable))?)
    })
}

/// The values of all keys behind a combined code; `None` inside is NULL.
pub(crate) fn values_of(keys: &[GroupKey], combined: u32) -> Vec<Option<&str>> {
    let mut rest = combined as usize;
    let mut values = vec![None; keys.len()];
    for (key, value) in keys.iter().zip(&mut values).rev() {
        let size = (key.domain.len() + usize::from(key.nullable)).max(1);
        *value = key.domain.get(rest % size).map(String::as_str);
        rest /= size;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::StringArray;
    use entente_wire::names::ColumnName;
    use entente_wire::plan::SqlText;
    use std::sync::Arc;

    fn key(domain: &[&str], nullable: bool) -> GroupKey {
        GroupKey {
            name: ColumnName("k".to_owned()),
            sql: SqlText("\"k\"".to_owned()),
            domain: domain.iter().map(|value| (*value).to_owned()).collect(),
            nullable,
        }
    }

    #[test]
    fn combined_codes_lead_back_to_all_values() {
        let keys = [
            key(&["a", "b"], true),
            key(&["x"], false),
            key(&["1", "2", "3"], true),
        ];
        assert_eq!(cells(&keys), Some(12));
        let mut seen = std::collections::BTreeSet::new();
        for combined in 0..12 {
            let values = values_of(&keys, combined);
            let mut again = [0];
            for (key, value) in keys.iter().zip(&values) {
                let array: ArrayRef = Arc::new(StringArray::from(vec![*value]));
                let outside = Codes::new(key).map(|codes| codes.append(&array, &mut again));
                assert_eq!(outside, Some(Ok(Outside::default())));
            }
            assert_eq!(again, [combined]);
            seen.insert(values);
        }
        assert_eq!(seen.len(), 12);
    }

    #[test]
    fn values_outside_are_counted_by_sort() {
        let key = key(&["a"], false);
        let array: ArrayRef = Arc::new(StringArray::from(vec![
            Some("a"),
            Some("A"),
            Some("a "),
            None,
        ]));
        let outside = Codes::new(&key).map(|codes| codes.append(&array, &mut [0; 4]));
        assert_eq!(
            outside,
            Some(Ok(Outside {
                values: 2,
                nulls: 1
            }))
        );
    }
}
