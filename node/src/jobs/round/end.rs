//! How a round ends at this node: the recipient's table, and what the journal says of it.

use super::defect;
use crate::data::{self, Released};
use crate::jobs::aggregate::standard_errors;
use crate::jobs::answer::Written;
use crate::jobs::grant::RunGrant;
use crate::jobs::progress::Stage;
use crate::jobs::results::Draft;
use crate::jobs::{Core, Jobs};
use crate::ledger::{Fact, ResultFile, SessionEnd, SessionEnded};
use entente_protocols::aggregate::{Sum, Terms};
use entente_wire::names::OrgName;
use entente_wire::plan::Aggregation;
use entente_wire::problem::Problem;

/// A table that is written and has no name yet; the file goes with it.
pub(super) struct Opened {
    draft: Draft,
    file: ResultFile,
}

impl Jobs {
    /// The round did not come to its end here. `attempt`: if it had begun. `may_follow`: another one may still follow.
    pub(crate) fn round_broken(
        &self,
        grant: &RunGrant,
        attempt: Option<u32>,
        problem: Problem,
        may_follow: bool,
    ) -> Result<(), Problem> {
        let core = &self.core;
        let mut live = core.live();
        let job = grant.job();
        let tracked = live.get_mut(&job)?;
        if !tracked.is_current(grant) {
            return Ok(());
        }
        if attempt.is_none() {
            tracked.unreached = Some(problem.clone());
        }
        if let Some(attempt) = attempt.filter(|attempt| tracked.life.session_on() == Some(*attempt))
        {
            let end = SessionEnd::Broken {
                problem: problem.clone(),
            };
            core.write(
                tracked,
                Fact::SessionEnded(SessionEnded { job, attempt, end }),
            )?;
        }
        if !may_follow && tracked.life.end().is_none() {
            core.write(tracked, Fact::JobFailed { job, problem })?;
        }
        // A round that did not begin is tried again with the same grant; after one that did, the life decides.
        if attempt.is_some() || !may_follow || tracked.life.end().is_some() {
            tracked.granted = None;
            tracked.running = None;
        }
        core.settle(&mut live, &job)
    }
}

impl Core {
    /// Leaves out what the rules leave out, and writes the rest for this organisation's people.
    pub(super) fn write_table(
        &self,
        grant: &RunGrant,
        attempt: u32,
        terms: &Terms,
        sum: &Sum,
    ) -> Result<Opened, Problem> {
        self.enter(grant, Stage::Writing, None);
        let plan = grant.derived().aggregation()?;
        let cells = cells(plan, &sum.cells)?;
        let errors = standard_errors(plan, terms, sum.survivors.len());
        let released = Released {
            cells: &cells,
            errors: errors.as_deref(),
        };
        let table = data::aggregation_table(plan, released)?;
        let draft = self.draft(&grant.job(), attempt)?;
        table.write_csv(draft.path())?;
        let file = draft.finish(Written {
            rows: table.rows.len() as u64,
            suppressed_groups: table.suppressed,
            types: data::aggregation_types(plan, errors.is_some())?,
        })?;
        Ok(Opened { draft, file })
    }

    pub(super) fn round_closed(
        &self,
        grant: &RunGrant,
        (attempt, survivors): (u32, Vec<OrgName>),
        opened: Option<Opened>,
        [sent_bytes, received_bytes]: [u64; 2],
    ) -> Result<(), Problem> {
        let mut live = self.live();
        let job = grant.job();
        if let Some(problem) = grant.stopped() {
            return Err(problem.clone());
        }
        let tracked = live.get_mut(&job)?;
        let is_on = tracked.is_current(grant)
            && tracked.life.end().is_none()
            && tracked.life.session_on() == Some(attempt);
        if !is_on {
            return Err(super::not_current());
        }
        let result = match opened {
            Some(Opened { draft, file }) => {
                draft.release()?;
                Some(file)
            }
            None => None,
        };
        let now_ms = self.now_ms();
        let stages_ms = tracked
            .running
            .take()
            .map(|running| running.finished(now_ms))
            .unwrap_or_default();
        tracked.granted = None;
        let end = SessionEnd::Summed {
            survivors,
            result,
            sent_bytes,
            received_bytes,
            stages_ms,
        };
        self.write(
            tracked,
            Fact::SessionEnded(SessionEnded { job, attempt, end }),
        )?;
        self.settle(&mut live, &job)
    }
}

/// The cells that are shown, by group code: those with at least as many ids as the rules ask for.
fn cells(plan: &Aggregation, sums: &[i64]) -> Result<Vec<Option<Vec<i128>>>, Problem> {
    let moments = plan.table.moments.len();
    let cells = usize::try_from(plan.cells()).unwrap_or(usize::MAX);
    if cells.checked_mul(moments) != Some(sums.len()) {
        return Err(defect("a sum has other cells than its plan"));
    }
    let least = i128::from(plan.table.min_group);
    let cell = |code: usize| {
        let words = sums.iter().skip(code).step_by(cells);
        let words: Vec<i128> = words.map(|word| i128::from(*word)).collect();
        // The number of ids is the first of every cell.
        let is_shown = words.first().is_some_and(|ids| *ids >= least);
        is_shown.then_some(words)
    };
    Ok((0..cells).map(cell).collect())
}
