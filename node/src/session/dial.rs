//! The asker's side: reach the partner's node, run, and try again where a new attempt may cure it.

use super::{Calls, Line, Role, Runs, Sessions, blame};
use entente_wire::problem::Problem;
use tokio::time::sleep;

/// One attempt that came to nothing.
struct Failed {
    /// The attempt used up, if the partner was reached at all.
    attempt: Option<u32>,
    problem: Problem,
}

impl<R: Runs> Sessions<R> {
    /// Carries one granted run to its end: closed at both nodes, or broken for a reason that is recorded.
    pub(crate) async fn dial(&self, grant: &R::Grant, calls: &dyn Calls) -> Result<(), Problem> {
        let _slot = self.slots.take_outbound().await?;
        let mut stop = self.stop.clone();
        let (mut attempts, mut connects) = (0, 0);
        loop {
            let Err(failed) = self.attempt(grant, calls).await else {
                return Ok(());
            };
            match failed.attempt {
                Some(_) => attempts += 1,
                None => connects += 1,
            }
            let may_follow = blame::may_retry(&failed.problem)
                && attempts < self.limits.attempts_max
                && connects < self.limits.connects_max;
            let Problem {
                code, side, what, ..
            } = &failed.problem;
            tracing::warn!(%code, %side, may_follow, "{what}");
            self.broken(grant, failed.attempt, &failed.problem, may_follow)
                .await;
            // A node that is being stopped leaves the rest to its next start.
            if !may_follow || stop.is_requested() {
                return Err(failed.problem);
            }
            let doublings = u32::min(attempts + connects - 1, 16);
            let pause = self.limits.backoff.saturating_mul(1 << doublings);
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.requested() => return Err(blame::stopping()),
            }
        }
    }

    async fn attempt(&self, grant: &R::Grant, calls: &dyn Calls) -> Result<(), Failed> {
        let unreached = |problem| Failed {
            attempt: None,
            problem,
        };
        let partner = self.runs.partner(grant);
        let mut stop = self.stop.clone();
        let mut line = tokio::select! {
            line = calls.call(&partner) => line.map_err(unreached)?,
            () = stop.requested() => return Err(unreached(blame::stopping())),
        };
        let mut attempt = None;
        let end = self.run_on(&mut line, grant, &mut attempt).await;
        line.farewell(end.as_ref().err(), self.limits.farewell)
            .await;
        end.map_err(|problem| Failed { attempt, problem })
    }

    async fn run_on(
        &self,
        line: &mut Line,
        grant: &R::Grant,
        attempt: &mut Option<u32>,
    ) -> Result<(), Problem> {
        let agreed = self.dial_handshake(line, grant, attempt).await?;
        let carried = self.run(line, Role::Dialer, grant, &agreed).await;
        let result = carried.result?;
        self.close(line, Role::Dialer, grant, &agreed, result, None)
            .await
    }
}
