//! Rounds of aggregations as a node carries them: one stream to the coordinator a round, deadlines, and what to do when a line breaks.
//! What is in the messages, and what has to be on disk before each, is [`crate::jobs::Round`]'s.
//!
//! A round that did not begin, because too few came or the coordinator was away, uses nothing up and is tried again until the job ends.
//! One that began and broke counts as an attempt; the job's life decides whether another follows.

mod blame;
mod carry;
mod limits;
mod line;

pub(crate) use blame::may_follow;
pub(crate) use limits::Limits;

use crate::config::CoordinatorAddress;
use crate::jobs::{Jobs, RunGrant};
use crate::session::Stop;
use entente_certs::TlsParty;
use entente_wire::names::OrgName;
use entente_wire::problem::Problem;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// All rounds of a node. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rounds {
    inner: Arc<Inner>,
}

struct Inner {
    own: OrgName,
    jobs: Jobs,
    /// None is set in `org.toml`: then there are no rounds.
    coordinator: Option<CoordinatorAddress>,
    party: TlsParty,
    limits: Limits,
    /// Requested when no round is to begin any more.
    drain: Stop,
    /// Requested when those that are on have to end.
    stop: Stop,
    places: Semaphore,
}

/// A round that did not come to its end here.
struct Failed {
    problem: Problem,
    /// The attempt that it was, if it began.
    attempt: Option<u32>,
}

impl Rounds {
    /// Rounds of `jobs`, at this coordinator. `[drain, stop]`: when none is to begin, and when those that are on have to end.
    pub(crate) fn new(
        own: OrgName,
        jobs: Jobs,
        (coordinator, party): (Option<CoordinatorAddress>, TlsParty),
        limits: Limits,
        [drain, stop]: [Stop; 2],
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                own,
                jobs,
                coordinator,
                party,
                limits,
                drain,
                stop,
                places: Semaphore::new(limits::ROUNDS_MAX as usize),
            }),
        }
    }

    /// Takes part until a round came to its end, or broke, or nobody wants it any more. How it ended is recorded.
    pub(crate) async fn take_part(&self, grant: RunGrant) {
        let mut tries = 0;
        loop {
            let Err(Failed { problem, attempt }) = self.once(&grant).await else {
                return;
            };
            let may_follow = may_follow(&problem);
            let Problem {
                code, side, what, ..
            } = &problem;
            tracing::warn!(%code, %side, may_follow, "{what}");
            let by = grant.clone();
            let recorded =
                self.blocking(move |jobs| jobs.round_broken(&by, attempt, problem, may_follow));
            if let Err(problem) = recorded.await {
                tracing::error!(code = %problem.code, "the end of a round could not be recorded: {}", problem.what);
                return;
            }
            // After a round that began, the job's life hands out another grant.
            if !may_follow || attempt.is_some() || !self.pause(&grant, tries).await {
                return;
            }
            tries += 1;
        }
    }

    /// Returns once no round is on.
    pub(crate) async fn ended(&self) {
        let _ = self.inner.places.acquire_many(limits::ROUNDS_MAX).await;
    }

    /// Waits before the next try; false if there is to be none.
    async fn pause(&self, grant: &RunGrant, tries: u32) -> bool {
        let Inner { limits, drain, .. } = &*self.inner;
        let pause = limits.backoff.saturating_mul(1 << tries.min(16));
        let (mut drain, until) = (
            drain.clone(),
            Instant::now() + pause.min(limits.backoff_max),
        );
        while Instant::now() < until {
            if self.is_unwanted(grant).await.is_some() {
                return false;
            }
            let left = until.saturating_duration_since(Instant::now());
            tokio::select! {
                () = sleep(left.min(limits.look_every)) => {}
                () = drain.requested() => return false,
            }
        }
        !drain.is_requested()
    }

    /// Why nobody wants the round any more.
    async fn is_unwanted(&self, grant: &RunGrant) -> Option<Problem> {
        let by = grant.clone();
        self.blocking(move |jobs| jobs.is_wanted(&by)).await.err()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Jobs) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let jobs = self.inner.jobs.clone();
        let done = tokio::task::spawn_blocking(move || call(&jobs)).await;
        done.unwrap_or_else(|_| Err(blame::lost()))
    }
}
