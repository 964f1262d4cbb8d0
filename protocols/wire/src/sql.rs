//! SQL question to plan.

use crate::job::Job;
use crate::names::{DatasetName, OrgName};
use crate::plan::Plan;
use crate::problem::Problem;
use crate::publication::Publication;

/// What the planner may look at: published datasets, by organisation and name.
pub trait Catalog {
    /// The current publication of a dataset.
    fn publication(&self, org: &OrgName, dataset: &DatasetName) -> Option<&Publication>;
    /// All organisations that have published anything, for error messages.
    fn orgs(&self) -> Vec<OrgName>;
}

/// Plans `job` as asked by `asker`. All problems found are returned, not only the first.
pub fn plan(job: &Job, asker: &OrgName, catalog: &dyn Catalog) -> Result<Plan, Vec<Problem>> {
    let _ = (job, asker, catalog);
    Err(Vec::new())
}
