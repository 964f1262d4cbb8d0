//! What was measured of links, for as long as it counts.

use super::measure::FRESH;
use entente_wire::link_speed::LinkSpeed;
use entente_wire::names::OrgName;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// The last measurement with each pinned partner, so the map stays small.
#[derive(Default)]
pub(super) struct Measured(Mutex<BTreeMap<OrgName, (Instant, LinkSpeed)>>);

impl Measured {
    pub(super) fn fresh(&self, org: &OrgName) -> Option<LinkSpeed> {
        let measured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, speed) = measured.get(org)?;
        (at.elapsed() < FRESH).then_some(*speed)
    }

    pub(super) fn put(&self, org: &OrgName, speed: LinkSpeed) {
        let mut measured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        measured.insert(org.clone(), (Instant::now(), speed));
    }
}
