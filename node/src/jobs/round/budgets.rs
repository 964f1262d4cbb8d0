//! What an aggregation uses of which budgets. Each party keeps its own dataset's budget towards the recipient; the recipient also keeps
//! everybody else's towards itself, as they have published it, so the stricter of both counts.

use crate::jobs::Core;
use crate::jobs::budget::{Budget, LossBudget, WINDOW_MS, YEAR_MS};
use crate::jobs::derive::Derived;
use crate::jobs::view::View;
use crate::ledger::{LedgerError, Used, Uses};
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::policy::{Epsilon, Policy};
use entente_wire::problem::Problem;
use entente_wire::sql::Catalog;

impl Core {
    /// Whose data the aggregation uses, and towards whom, as far as this node keeps budgets.
    pub(in crate::jobs) fn uses(&self, derived: &Derived) -> Result<Uses, Problem> {
        let plan = derived.aggregation()?;
        let (own, recipient) = plan
            .side(&self.own)
            .zip(plan.recipient())
            .ok_or_else(|| super::defect("this organisation takes no part in the plan"))?;
        let others = plan.sides.iter().filter(|side| side.org != self.own);
        let reads = match *recipient == self.own {
            true => others
                .map(|side| Used {
                    org: side.org.clone(),
                    dataset: side.dataset.clone(),
                })
                .collect(),
            false => Vec::new(),
        };
        Ok(Uses {
            recipient: recipient.clone(),
            dataset: own.dataset.clone(),
            reads,
        })
    }

    /// Whether all budgets have a round and this much privacy loss left.
    pub(in crate::jobs) fn check_uses(
        &self,
        view: &View,
        uses: &Uses,
        epsilon: Option<Epsilon>,
    ) -> Result<(), Problem> {
        let since_ms = self.now_ms().saturating_sub(WINDOW_MS);
        for (owner, dataset, policy) in self.budgets_of(view, uses) {
            let opened = match *owner == self.own {
                true => self
                    .ledger
                    .sessions_over_ours(dataset, &uses.recipient, since_ms),
                false => self.ledger.sessions_over_theirs(owner, dataset, since_ms),
            };
            let budget = Budget {
                owner,
                dataset,
                user: &uses.recipient,
                limit: policy.budget.jobs_per_30d,
            };
            budget.check(&opened?)?;
        }
        self.check_uses_losses(view, uses, epsilon)
    }

    /// Whether all budgets have this much privacy loss left.
    pub(in crate::jobs) fn check_uses_losses(
        &self,
        view: &View,
        uses: &Uses,
        epsilon: Option<Epsilon>,
    ) -> Result<(), Problem> {
        let Some(epsilon) = epsilon else {
            return Ok(());
        };
        let since_ms = self.now_ms().saturating_sub(YEAR_MS);
        for (owner, dataset, policy) in self.budgets_of(view, uses) {
            let spent: Result<_, LedgerError> = match *owner == self.own {
                true => self
                    .ledger
                    .losses_over_ours(dataset, &uses.recipient, since_ms),
                false => self.ledger.losses_over_theirs(owner, dataset, since_ms),
            };
            let budget = LossBudget {
                owner,
                dataset,
                user: &uses.recipient,
                limit: policy.budget.epsilon_per_year,
            };
            budget.check(&spent?, epsilon)?;
        }
        Ok(())
    }

    /// The datasets whose budgets this node keeps, with their policies.
    fn budgets_of<'a>(
        &'a self,
        view: &'a View,
        uses: &'a Uses,
    ) -> impl Iterator<Item = (&'a OrgName, &'a DatasetName, &'a Policy)> {
        let own = (uses.recipient != self.own).then_some((&self.own, &uses.dataset));
        let others = uses.reads.iter().map(|used| (&used.org, &used.dataset));
        own.into_iter().chain(others).filter_map(|(org, dataset)| {
            let publication = view.publication(org, dataset)?;
            Some((org, dataset, &publication.policy))
        })
    }
}
