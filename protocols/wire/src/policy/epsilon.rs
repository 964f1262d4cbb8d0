//! Privacy loss, exactly.

use crate::decimal;
use crate::flaw::{Flaw, require};
use crate::limits::EPSILON_MILLIONTHS_MAX;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A privacy loss in millionths: 1.0 is 1_000_000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epsilon(pub u64);

impl Epsilon {
    /// Decimals kept.
    pub const SCALE: u8 = 6;

    pub(crate) fn check(self) -> Result<(), Flaw> {
        require(self.0 <= EPSILON_MILLIONTHS_MAX, || {
            let what = format!("a privacy loss of {self} protects nothing");
            let fix = format!("write at most {}", Self(EPSILON_MILLIONTHS_MAX));
            Flaw::at([], what, fix)
        })
    }
}

impl fmt::Display for Epsilon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = i64::try_from(self.0).unwrap_or(i64::MAX);
        let exact = decimal::render(units, Self::SCALE);
        let shortest = exact.trim_end_matches('0');
        f.write_str(shortest)?;
        if shortest.ends_with('.') {
            f.write_str("0")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_shown_as_people_write_it() {
        for (millionths, text) in [
            (0, "0.0"),
            (8_000_000, "8.0"),
            (100_000, "0.1"),
            (1_250_001, "1.250001"),
        ] {
            assert_eq!(Epsilon(millionths).to_string(), text);
        }
        assert!(Epsilon(EPSILON_MILLIONTHS_MAX).check().is_ok());
        assert!(Epsilon(EPSILON_MILLIONTHS_MAX + 1).check().is_err());
    }
}
