//! Protection: noise, thresholds and the smallest lists, where each time the strictest of the job and both policies counts.

use super::refuse::{At, Refusals};
use super::scope::Scope;
use crate::job::Job;
use crate::policy::Noise;

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
    /// A number or a table that this version computes without noise.
    ExactTable,
    /// A table that needs the blind join, where noise will be possible.
    BlindTable,
}

/// Checks `epsilon` and both policies' `noise`.
pub(super) fn noise(carries: Carries, job: &Job, scope: &Scope<'_>, refusals: &mut Refusals) {
    let epsilon = job.protect.epsilon.is_some();
    match (carries, epsilon) {
        (Carries::Rows, true) => {
            let _: Option<()> = refusals.job(
                "`epsilon` has no meaning for revealed rows: they carry no noise",
                "write `epsilon: none`",
            );
        }
        (Carries::ExactTable, true) => {
            let _: Option<()> = refusals.version(
                At::WHOLE,
                "`epsilon` asks for noise, which is added inside the computation: it needs the blind join, not available in this \
                 version",
                "write `epsilon: none`, if every party's policy has noise = \"optional\"",
            );
        }
        _ => {}
    }
    if carries == Carries::Rows || (carries == Carries::BlindTable && epsilon) {
        return;
    }
    for table in &scope.tables {
        if table.publication.policy.noise == Noise::Required {
            let (org, dataset) = (&table.org, &table.dataset);
            let _: Option<()> = refusals.policy(
                At::WHOLE,
                org,
                format!("{org}'s policy of {dataset} requires noise on every table (`noise = \"required\"`)"),
                format!(
                    "{org}'s data owner can write noise = \"optional\" and publish the policy again; noise itself needs the blind \
                     join, not available in this version"
                ),
            );
        }
    }
}
