//! Counts who is inside: at most so many at once, and at most so many from one address, so that one machine cannot keep
//! everybody else out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A door with a limit.
#[derive(Clone)]
pub(super) struct Gate {
    inside: Arc<Mutex<Inside>>,
    max: usize,
    per_address_max: usize,
}

#[derive(Default)]
struct Inside {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Somebody is inside until this is dropped.
pub(super) struct Pass {
    inside: Arc<Mutex<Inside>>,
    address: IpAddr,
}

impl Gate {
    pub(super) fn new(max: usize, per_address_max: usize) -> Self {
        Self {
            inside: Arc::default(),
            max,
            per_address_max,
        }
    }

    /// `None` where it is full.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Pass> {
        let mut inside = lock(&self.inside);
        let from_here = inside.by_address.get(&address).copied().unwrap_or(0);
        if inside.all >= self.max || from_here >= self.per_address_max {
            return None;
        }
        inside.all += 1;
        inside.by_address.insert(address, from_here + 1);
        Some(Pass {
            inside: self.inside.clone(),
            address,
        })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = lock(&self.inside);
        inside.all = inside.all.saturating_sub(1);
        let left = inside.by_address.get(&self.address).copied().unwrap_or(0);
        match left {
            0 | 1 => inside.by_address.remove(&self.address),
            more => inside.by_address.insert(self.address, more - 1),
        };
    }
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let gate = Gate::new(3, 2);
        let first = gate.enter(address(1));
        let second = gate.enter(address(1));
        assert!(first.is_some() && second.is_some());
        assert!(gate.enter(address(1)).is_none());
        let other = gate.enter(address(2));
        assert!(other.is_some());
        assert!(gate.enter(address(3)).is_none());
        drop(first);
        assert!(gate.enter(address(1)).is_some());
    }

    #[test]
    fn nothing_is_kept_of_who_left() {
        let gate = Gate::new(3, 2);
        let passes = [gate.enter(address(1)), gate.enter(address(1))];
        drop(passes);
        let inside = lock(&gate.inside);
        assert!(inside.all == 0 && inside.by_address.is_empty());
    }
}
