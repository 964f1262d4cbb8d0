//! Both datasets' budgets as this node keeps them: whether they have enough left, and the spending of privacy loss.
//!
//! Each node holds its own dataset's budget and the partner's published one against its own journal, so the stricter of the two
//! policies wins at both. What is checked early, at submission and at the opening, only saves work: the check that counts is
//! made again where the loss is spent, under the same lock.

use super::budget::{Budget, LossBudget, WINDOW_MS, YEAR_MS};
use super::grant::RunGrant;
use super::view::View;
use super::{Core, admit};
use crate::ledger::{EpsilonSpent, Fact};
use entente_wire::plan::Side;
use entente_wire::policy::Epsilon;
use entente_wire::problem::{Code, Problem};
use entente_wire::sql::Catalog;

impl Core {
    /// Whether both datasets' budgets have a session left. The partner keeps its own count; ours tells sooner.
    pub(super) fn check_budgets(
        &self,
        view: &View,
        [own, theirs]: [&Side; 2],
    ) -> Result<(), Problem> {
        let since_ms = self.now_ms().saturating_sub(WINDOW_MS);
        for (side, user) in [(own, theirs), (theirs, own)] {
            let Some(publication) = view.publication(&side.org, &side.dataset) else {
                continue;
            };
            let opened = match side.org == self.own {
                true => self
                    .ledger
                    .sessions_over_ours(&side.dataset, &user.org, since_ms)?,
                false => self
                    .ledger
                    .sessions_over_theirs(&side.org, &side.dataset, since_ms)?,
            };
            let budget = Budget {
                owner: &side.org,
                dataset: &side.dataset,
                user: &user.org,
                limit: publication.policy.budget.jobs_per_30d,
            };
            budget.check(&opened)?;
        }
        Ok(())
    }

    /// Whether both datasets' budgets have this much privacy loss left. A job without noise is not measured by it.
    pub(super) fn check_losses(
        &self,
        view: &View,
        [own, theirs]: [&Side; 2],
        epsilon: Option<Epsilon>,
    ) -> Result<(), Problem> {
        let Some(epsilon) = epsilon else {
            return Ok(());
        };
        let since_ms = self.now_ms().saturating_sub(YEAR_MS);
        for (side, user) in [(own, theirs), (theirs, own)] {
            let Some(publication) = view.publication(&side.org, &side.dataset) else {
                continue;
            };
            let spent = match side.org == self.own {
                true => self
                    .ledger
                    .losses_over_ours(&side.dataset, &user.org, since_ms)?,
                false => self
                    .ledger
                    .losses_over_theirs(&side.org, &side.dataset, since_ms)?,
            };
            let budget = LossBudget {
                owner: &side.org,
                dataset: &side.dataset,
                user: &user.org,
                limit: publication.policy.budget.epsilon_per_year,
            };
            budget.check(&spent, epsilon)?;
        }
        Ok(())
    }

    /// Whether a release would be refused now: it was not asked at the opening where an earlier table could have been the answer.
    pub(super) fn check_loss(&self, grant: &RunGrant) -> Result<(), Problem> {
        let (own, theirs) = self.sides(grant.derived())?;
        let epsilon = grant.approval().job().protect.epsilon;
        self.check_losses(&self.live().view, [own, theirs], epsilon)
    }

    /// The release of this session is about to begin. When this returns, its privacy loss is spent, on disk, whatever comes of the
    /// release; a job without noise spends nothing.
    pub(super) fn spend_epsilon(&self, grant: &RunGrant, attempt: u32) -> Result<(), Problem> {
        let Some(epsilon) = grant.approval().job().protect.epsilon else {
            return Ok(());
        };
        let derived = grant.derived();
        let (own, theirs) = self.sides(derived)?;
        let mut live = self.live();
        let job = grant.job();
        let tracked = live.get(&job)?;
        if !tracked.is_current(grant) || tracked.life.session_on() != Some(attempt) {
            return Err(admit::superseded(grant.peer(), attempt));
        }
        if let Some(problem) = grant.stopped() {
            return Err(problem.clone());
        }
        if tracked.life.end().is_some() {
            let what = format!("{} ended before its release began", job.short());
            return Err(Problem::here(Code::JobState, what, "see the job's state"));
        }
        self.check_losses(&live.view, [own, theirs], Some(epsilon))?;
        let spent = EpsilonSpent {
            job,
            attempt,
            peer: grant.peer().clone(),
            dataset: own.dataset.clone(),
            peer_dataset: theirs.dataset.clone(),
            epsilon,
        };
        self.write(live.get_mut(&job)?, Fact::EpsilonSpent(spent))
    }
}
