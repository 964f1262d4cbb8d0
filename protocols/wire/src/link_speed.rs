//! How fast the way between two nodes is, as one of them measured it before it sealed a job.
//!
//! A partner cannot check the figure, and does not have to: it decides only how much is computed to save how many bytes, which
//! either choice does without telling anybody more.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Most that is told apart: far above it, other things take the time.
const MEGABITS_PER_S_MAX: u32 = 10_000;
/// Most that a round trip is counted as.
const ROUND_TRIP_MS_MAX: u32 = 10_000;

/// Both directions' slower one, in steps of 1, 2 and 5, so that two measurements of one link mostly say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpeed {
    /// Rounded down; at least 1.
    pub megabits_per_s: u32,
    /// Rounded up.
    pub round_trip_ms: u32,
}

impl LinkSpeed {
    /// What was measured, rounded.
    pub fn rounded(bits_per_s: u64, round_trip: Duration) -> Self {
        let megabits = bits_per_s / 1_000_000;
        let steps = (0..=4).flat_map(|power| [1, 2, 5].map(|step| step * 10_u32.pow(power)));
        let below = steps.filter(|step| {
            *step <= MEGABITS_PER_S_MAX && (u64::from(*step) <= megabits || *step == 1)
        });
        let milliseconds = round_trip.as_micros().div_ceil(1_000).max(1);
        Self {
            megabits_per_s: below.max().unwrap_or(1),
            round_trip_ms: step_from(milliseconds),
        }
    }

    /// How long so many bytes take in one direction.
    pub fn milliseconds(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(8) / 1_000 / u64::from(self.megabits_per_s.max(1))
    }
}

/// The next step from `milliseconds` on.
fn step_from(milliseconds: u128) -> u32 {
    let steps = (0..4).flat_map(|power| [1, 2, 5].map(|step| step * 10_u32.pow(power)));
    steps
        .chain([ROUND_TRIP_MS_MAX])
        .find(|step| u128::from(*step) >= milliseconds)
        .unwrap_or(ROUND_TRIP_MS_MAX)
}

/// `500 Mbit/s, 20 ms there and back`.
impl fmt::Display for LinkSpeed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            megabits_per_s,
            round_trip_ms,
        } = self;
        write!(
            out,
            "{megabits_per_s} Mbit/s, {round_trip_ms} ms there and back"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_rounded_down_and_a_round_trip_up() {
        for (bits_per_s, microseconds, megabits_per_s, round_trip_ms) in [
            (0, 0, 1, 1),
            (1_999_999, 1_000, 1, 1),
            (943_000_000, 1_001, 500, 2),
            (1_000_000_000, 21_000, 1_000, 50),
            (6_300_000_000, 90, 5_000, 1),
            (u64::MAX, 3_600_000_000, 10_000, 10_000),
        ] {
            let speed = LinkSpeed::rounded(bits_per_s, Duration::from_micros(microseconds));
            let expected = LinkSpeed {
                megabits_per_s,
                round_trip_ms,
            };
            assert_eq!(speed, expected, "{bits_per_s} bit/s");
        }
    }

    #[test]
    fn bytes_take_their_time_whatever_a_partner_wrote() {
        let speed = |megabits_per_s| LinkSpeed {
            megabits_per_s,
            round_trip_ms: 1,
        };
        assert_eq!(speed(500).milliseconds(1_000_000_000), 16_000);
        assert_eq!(speed(0).milliseconds(1_000), 8);
        assert_eq!(speed(1).milliseconds(u64::MAX), u64::MAX / 1_000);
    }
}
