//! Protection: noise, thresholds and the smallest lists, where each time the strictest of the job and both policies counts.

use super::refuse::{At, Refusals};
use super::scope::Scope;
use crate::job::Job;
use crate::policy::{Epsilon, Noise};

/// Smallest group shown: the strictest of the job, HAVING and both policies.
pub(super) fn min_group(job: &Job, having: Option<u64>, scope: &Scope<'_>) -> u64 {
    let policies = scope
        .tables
        .iter()
        .map(|table| table.publication.policy.min_group);
    policies
        .chain(job.protect.min_group)
        .chain(having)
        .max()
        .unwrap_or(0)
}

/// Refuses sets that are published as smaller than either party allows: a list of a few ids asks about persons.
pub(super) fn set_sizes(scope: &Scope<'_>, refusals: &mut Refusals) {
    let strictest = scope
        .tables
        .iter()
        .max_by_key(|table| table.publication.policy.min_set);
    let Some(strictest) = strictest else { return };
    let (least, by) = (strictest.publication.policy.min_set, &strictest.org);
    for table in &scope.tables {
        let ids = table.publication.ids_rounded;
        if ids < least {
            let (org, dataset) = (&table.org, &table.dataset);
            let _: Option<()> = refusals.set(
                org,
                format!("{org} publishes {ids} ids in {dataset}; {by}'s policy wants at least {least} (`min_set`)"),
                format!("use a larger dataset; {by}'s data owner could lower `min_set`"),
            );
        }
    }
}

/// What the answer is, as far as noise is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    /// Rows: noise has no meaning.
    Rows,
    /// A number or a table of a protocol without noise.
    ExactTable,
    /// A table of the blind join, which adds noise inside the computation.
    JointTable,
}

/// Checks `epsilon` and both policies' `noise` and yearly budgets.
pub(super) fn noise(carries: Carries, job: &Job, scope: &Scope<'_>, refusals: &mut Refusals) {
    match (carries, job.protect.epsilon) {
        (Carries::Rows, Some(_)) => {
            let _: Option<()> = refusals.job(
                "`epsilon` has no meaning for revealed rows: they carry no noise",
                "write `epsilon: none`",
            );
        }
        (Carries::Rows, None) => {}
        (Carries::JointTable, Some(epsilon)) => budgets(epsilon, scope, refusals),
        (Carries::JointTable, None) => optional("write an `epsilon` such as 1.0", scope, refusals),
        (Carries::ExactTable, epsilon) => {
            if epsilon.is_some() {
                let _: Option<()> = refusals.job(
                    "`epsilon` asks for noise, which only the blind join adds; `protocol: vole` and `protocol: ecdh` have none",
                    "leave `protocol` out; or write `epsilon: none`, if every party's policy has noise = \"optional\"",
                );
            }
            optional(
                "leave `protocol` out and write an `epsilon` such as 1.0",
                scope,
                refusals,
            );
        }
    }
}

/// Refuses tables without noise where a policy requires it.
fn optional(noisy: &str, scope: &Scope<'_>, refusals: &mut Refusals) {
    for table in &scope.tables {
        if table.publication.policy.noise == Noise::Required {
            let (org, dataset) = (&table.org, &table.dataset);
            let _: Option<()> = refusals.policy(
                At::WHOLE,
                org,
                format!("{org}'s policy of {dataset} requires noise on every table (`noise = \"required\"`)"),
                format!("{noisy}; or {org}'s data owner can write noise = \"optional\" and publish the policy again"),
            );
        }
    }
}

/// Refuses a loss that no year's budget holds: such a job could never run. What is left of the year is known at run time.
fn budgets(epsilon: Epsilon, scope: &Scope<'_>, refusals: &mut Refusals) {
    for table in &scope.tables {
        let most = table.publication.policy.budget.epsilon_per_year;
        if epsilon > most {
            let (org, dataset) = (&table.org, &table.dataset);
            let _: Option<()> = refusals.policy(
                At::WHOLE,
                org,
                format!("one run spends {epsilon}; {org}'s policy of {dataset} allows {most} in a year (`epsilon_per_year`)"),
                format!("write `epsilon: {most}` or less; {org}'s data owner can raise the budget and publish the policy again"),
            );
        }
    }
}
