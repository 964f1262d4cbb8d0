//! Time and chance, which come from outside: a test brings its own, so that a whole two-party run replays from one seed.

use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a node gets the time and its randomness from.
#[derive(Clone)]
pub struct Surroundings {
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    seeds: Arc<dyn Fn() -> Option<[u8; 32]> + Send + Sync>,
}

impl Surroundings {
    /// The machine's clock and the operating system's randomness.
    pub fn system() -> Self {
        Self::new(system_unix_ms, system_seed)
    }

    /// Any clock (milliseconds since 1970) and any source of fresh 32-byte seeds; `None` when it fails.
    pub fn new(
        clock: impl Fn() -> u64 + Send + Sync + 'static,
        seeds: impl Fn() -> Option<[u8; 32]> + Send + Sync + 'static,
    ) -> Self {
        Self {
            clock: Arc::new(clock),
            seeds: Arc::new(seeds),
        }
    }

    /// Milliseconds since 1970.
    pub(crate) fn now_unix_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Fresh randomness. Secret where it seeds a protocol.
    pub(crate) fn seed(&self) -> Option<[u8; 32]> {
        (self.seeds)()
    }
}

fn system_unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn system_seed() -> Option<[u8; 32]> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).ok()?;
    Some(seed)
}
