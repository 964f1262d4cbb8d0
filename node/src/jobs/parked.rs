//! Records that came before what they speak of: an approval before its job, a job before a partner's newer registry. They wait
//! here, few and in memory only; the coordinator sends everything again when its watch begins anew.

use super::limits::{PARKED_MAX, PARKED_PER_ORG_MAX};
use entente_wire::canonical::Digest;
use entente_wire::names::OrgName;
use entente_wire::sign::Record;
use std::collections::VecDeque;

/// The waiting records, oldest first.
#[derive(Default)]
pub(crate) struct Parked {
    records: VecDeque<(Digest, Record)>,
}

impl Parked {
    /// Lets a record wait. One that waits already is not kept twice; where there is no room the oldest goes.
    pub(crate) fn park(&mut self, record: Record) {
        let digest = record.digest();
        if self.records.iter().any(|(known, _)| *known == digest) {
            return;
        }
        if self.of(&record.org) >= PARKED_PER_ORG_MAX {
            let oldest = self
                .records
                .iter()
                .position(|(_, parked)| parked.org == record.org);
            oldest.map(|place| self.records.remove(place));
        } else if self.records.len() >= PARKED_MAX {
            self.records.pop_front();
        }
        self.records.push_back((digest, record));
    }

    fn of(&self, org: &OrgName) -> usize {
        self.records
            .iter()
            .filter(|(_, parked)| parked.org == *org)
            .count()
    }

    /// Takes all out, to be tried again after something new has come.
    pub(crate) fn take(&mut self) -> Vec<Record> {
        self.records.drain(..).map(|(_, record)| record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_wire::sign::Kind;

    fn record(org: &str, number: usize) -> Record {
        Record {
            kind: Kind::Approval,
            org: org.parse().expect("a name"),
            body: number.to_string().into_bytes(),
            signature: Vec::new(),
        }
    }

    #[test]
    fn a_flood_in_one_name_pushes_out_only_its_own() {
        let mut parked = Parked::default();
        parked.park(record("river-pay", 0));
        for number in 0..10 * PARKED_PER_ORG_MAX {
            parked.park(record("flood", number));
        }
        let left = parked.take();
        assert_eq!(left.len(), PARKED_PER_ORG_MAX + 1);
        assert!(left.iter().any(|record| record.org.as_str() == "river-pay"));
    }

    #[test]
    fn all_together_are_bounded_and_none_waits_twice() {
        let mut parked = Parked::default();
        for number in 0..2 * PARKED_MAX {
            parked.park(record(&format!("org{}", number % 100), number));
            parked.park(record(&format!("org{}", number % 100), number));
        }
        assert_eq!(parked.take().len(), PARKED_MAX);
    }
}
