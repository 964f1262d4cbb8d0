//! How many refused records get a line in the journal. Anyone can make the coordinator deliver rubbish in any name; it must be
//! seen, and must not fill the disk.

use super::limits::REFUSALS_PER_HOUR_MAX;
use entente_wire::names::OrgName;
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600 * 1_000;
/// Names counted one by one in an hour; further ones share a count.
const NAMES_MAX: usize = 256;

/// Refusals of the running hour, by the name that the record came in.
#[derive(Default)]
pub(crate) struct Refusals {
    hour: u64,
    counts: BTreeMap<OrgName, u32>,
    others: u32,
}

impl Refusals {
    /// Counts a refusal; whether it gets a line in the journal.
    pub(crate) fn count(&mut self, org: &OrgName, now_ms: u64) -> bool {
        let hour = now_ms / HOUR_MS;
        if hour != self.hour {
            *self = Self {
                hour,
                ..Self::default()
            };
        }
        let known = self.counts.contains_key(org) || self.counts.len() < NAMES_MAX;
        let count = if known {
            self.counts.entry(org.clone()).or_default()
        } else {
            &mut self.others
        };
        *count = count.saturating_add(1);
        *count <= REFUSALS_PER_HOUR_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_in_many_names_stays_bounded() {
        let mut refusals = Refusals::default();
        let lines = (0..100_000_u32).filter(|number| {
            let org = format!("org{}", number % 5_000).parse().expect("a name");
            refusals.count(&org, 1)
        });
        assert!(lines.count() <= (NAMES_MAX + 1) * REFUSALS_PER_HOUR_MAX as usize);
    }

    #[test]
    fn the_next_hour_counts_anew() {
        let mut refusals = Refusals::default();
        let org = "river-pay".parse().expect("a name");
        for _ in 0..REFUSALS_PER_HOUR_MAX {
            assert!(refusals.count(&org, 1));
        }
        assert!(!refusals.count(&org, 2));
        assert!(refusals.count(&org, HOUR_MS));
    }
}
