//! Places for sessions: a partner that opens more than its share is turned away at once, not queued.

use super::blame;
use super::limits::Limits;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Free places, inbound and outbound apart: two nodes that dial each other must not wait for each other's places.
pub(super) struct Slots {
    inbound: Arc<Semaphore>,
    outbound: Arc<Semaphore>,
    places: u32,
    per_partner_max: u32,
    inbound_of: Mutex<BTreeMap<OrgName, Arc<Semaphore>>>,
    closed: AtomicBool,
}

/// A taken place; free again when dropped.
pub(super) struct Slot {
    _all: OwnedSemaphorePermit,
    _partner: Option<OwnedSemaphorePermit>,
}

impl Slots {
    pub(super) fn new(limits: &Limits) -> Self {
        let places = || Arc::new(Semaphore::new(limits.sessions_max as usize));
        Self {
            inbound: places(),
            outbound: places(),
            places: limits.sessions_max,
            per_partner_max: limits.per_partner_max,
            inbound_of: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Gives no more places: the node is being stopped.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    fn check_open(&self) -> Result<(), Problem> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(blame::stopping()),
            false => Ok(()),
        }
    }

    /// A place for a session that `partner` (a pinned one, so the map stays small) has opened, or a refusal.
    pub(super) fn take_inbound(&self, partner: &OrgName) -> Result<Slot, Problem> {
        self.check_open()?;
        let of_partner = self.of_partner(partner).try_acquire_owned();
        let of_partner = of_partner.map_err(|_| {
            let what = format!(
                "{partner} has {} sessions open here, as many as one partner may",
                self.per_partner_max
            );
            full(blame::at(partner), &what)
        })?;
        let all = Arc::clone(&self.inbound).try_acquire_owned();
        let all = all.map_err(|_| full(Side::Here, "all places for sessions are taken"))?;
        Ok(Slot {
            _all: all,
            _partner: Some(of_partner),
        })
    }

    /// A place for a session that this node opens; waits for one, since own jobs are not refused.
    pub(super) async fn take_outbound(&self) -> Result<Slot, Problem> {
        let all = Arc::clone(&self.outbound).acquire_owned().await;
        let all = all.map_err(|_| full(Side::Here, "no places for sessions are left"))?;
        self.check_open()?;
        Ok(Slot {
            _all: all,
            _partner: None,
        })
    }

    /// Returns once all places are free.
    pub(super) async fn all_free(&self) {
        for places in [&self.inbound, &self.outbound] {
            // The semaphores are never closed, so there is no error to see.
            let _ = places.acquire_many(self.places).await;
        }
    }

    fn of_partner(&self, partner: &OrgName) -> Arc<Semaphore> {
        let mut map = self
            .inbound_of
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let places = map
            .entry(partner.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(self.per_partner_max as usize)));
        Arc::clone(places)
    }
}

fn full(side: Side, what: &str) -> Problem {
    let todo = "the run is tried again by itself; if that fails too, try at a quieter time";
    Problem::new(Code::SessionLimit, side, what, todo)
}
