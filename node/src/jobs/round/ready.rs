//! What a node does before a round begins at it: it looks whether it may take part, and once everybody is here makes its own numbers, under
//! verified approvals. They are held in memory until the round takes them.

use super::journal::loss_due;
use crate::data::{self, Vector};
use crate::jobs::derive::Derived;
use crate::jobs::grant::RunGrant;
use crate::jobs::progress::{Running, Stage};
use crate::jobs::view::View;
use crate::jobs::{Core, Jobs};
use entente_wire::canonical::Digest;
use entente_wire::plan::Aggregation;
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::Publication;
use entente_wire::sql::Catalog;

/// This organisation's numbers. Holds sums over people: no `Debug`.
pub(super) struct Ready {
    vector: Vector,
    dataset_version: Digest,
}

impl Ready {
    pub(super) fn into_words(self) -> Vec<i64> {
        self.vector.words
    }

    pub(super) fn dataset_version(&self) -> Digest {
        self.dataset_version
    }
}

impl Jobs {
    /// This node would take part in a round now: the least number that it may have here. Every smaller one was begun, or may have been.
    pub(crate) fn joins(&self, grant: &RunGrant) -> Result<u64, Problem> {
        self.is_wanted(grant)?;
        let core = &self.core;
        let mut live = core.live();
        let job = grant.job();
        let tracked = live.get(&job)?;
        let attempt = tracked.life.last_attempt().saturating_add(1);
        core.may_open(tracked, attempt)?;
        core.check_aggregation(&live.view, grant.derived(), loss_due(tracked, grant))?;
        let now_ms = core.now_ms();
        let tracked = live.get_mut(&job)?;
        let mut running = Running::begin(attempt, now_ms);
        running.enter(Stage::Gathering, None, now_ms);
        tracked.running = Some(running);
        core.show(tracked);
        Ok(attempt.into())
    }

    /// Whether the round is still wanted: nobody has ended the job, and no other grant has taken this one's place.
    pub(crate) fn is_wanted(&self, grant: &RunGrant) -> Result<(), Problem> {
        if let Some(problem) = grant.stopped() {
            return Err(problem.clone());
        }
        let live = self.core.live();
        let tracked = live.get(&grant.job())?;
        match tracked.is_current(grant) && tracked.life.end().is_none() {
            true => Ok(()),
            false => Err(super::not_current()),
        }
    }
}

impl Core {
    /// Runs the local query. Blocking.
    pub(super) fn make_ready(&self, grant: &RunGrant) -> Result<Ready, Problem> {
        let plan = grant.derived().aggregation()?;
        grant.approval().check_time(self.now_ms() / 1_000)?;
        let (dataset, policy) = {
            let live = self.live();
            let side = plan.side(&self.own);
            let side =
                side.ok_or_else(|| super::defect("this organisation takes no part in the plan"))?;
            self.own_dataset(&live, side)?
        };
        self.enter(grant, Stage::Reading, Some(dataset.manifest.rows));
        let open = data::open_dataset(grant.approval(), &dataset, &policy)?;
        let mut rows_read = |done, total| self.read_rows(grant, done, total);
        let key = self.fresh_seed()?;
        let vector = data::vector(&open, plan, &self.own, key, &self.spill, &mut rows_read)
            // Whatever broke, a run that was asked to end ended for that reason.
            .map_err(|problem| grant.stopped().cloned().unwrap_or(problem))?;
        let sealed = grant.approval().party(&self.own);
        if sealed.is_none_or(|sealed| vector.ids > sealed.ids_rounded) {
            let what = format!(
                "{} has more ids in its table than it has published",
                self.own
            );
            let todo = "publish the dataset's policy again, then submit the job again";
            return Err(Problem::here(Code::DataChanged, what, todo));
        }
        Ok(Ready {
            vector,
            dataset_version: dataset.manifest.digest(),
        })
    }

    /// Limits that a round would meet now: links, budgets.
    pub(in crate::jobs) fn check_aggregation(
        &self,
        view: &View,
        derived: &Derived,
        epsilon: Option<entente_wire::policy::Epsilon>,
    ) -> Result<(), Problem> {
        let plan = derived.aggregation()?;
        let others = plan.sides.iter().filter(|side| side.org != self.own);
        for side in others {
            self.check_linked(&side.org)?;
        }
        self.check_uses(view, &self.uses(derived)?, epsilon)
    }
}

/// What the plan's parties have published, in its order.
pub(super) fn publications<'a>(
    plan: &Aggregation,
    view: &'a View,
) -> Result<Vec<&'a Publication>, Problem> {
    let publications = plan.sides.iter().map(|side| {
        let publication = view.publication(&side.org, &side.dataset);
        publication.ok_or_else(super::not_current)
    });
    publications.collect()
}
