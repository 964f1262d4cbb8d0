//! The run itself, on a thread of its own: local query, protocol, result under a temporary name. Rows never leave it except into
//! the result of this organisation.

use super::answer::{self, Learned};
use super::grant::RunGrant;
use super::kept::{self, Course, Kept};
use super::matching::Matching;
use super::progress::Stage;
use super::results::Draft;
use super::{Core, Jobs, stored};
use crate::data::{self, OpenDataset, Prepared};
use crate::ledger::ResultFile;
use crate::session::Lanes;
use entente_protocols::channel::{Meter, Totals};
use entente_wire::canonical::Digest;
use entente_wire::problem::{Code, Problem};
use entente_wire::session::Opening;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::sync::Arc;

/// What both nodes have signed and opened. Holds the key of the id digests: no `Debug`.
pub struct RunTerms {
    /// Binds the run to the job, the attempt, both nonces and both openings.
    pub sid: Digest,
    /// Keys the id digests of this session. Must not be sent.
    pub id_key: [u8; 32],
    /// What this node signed.
    pub own: Opening,
    /// What the partner signed.
    pub partner: Opening,
}

/// What a finished run leaves until it is released or dropped.
pub struct RunOutcome {
    pub(super) result: Option<(Draft, ResultFile)>,
}

/// A list that was read, and the buckets still to do.
type Started = (Arc<Kept>, Vec<u64>);

impl Jobs {
    /// Runs an opened session to its last protocol byte. Blocking; belongs on a thread of its own.
    pub(crate) fn run(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        lanes: Lanes,
    ) -> Result<(RunOutcome, Totals), Problem> {
        let ran = self.core.run(grant, terms, lanes);
        // Whatever broke, a run that was asked to end ended for that reason, unless the partner was caught.
        ran.map_err(|problem| match problem.code {
            Code::PartnerMisbehaved => problem,
            _ => grant.stopped().cloned().unwrap_or(problem),
        })
    }
}

impl Core {
    fn run(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        lanes: Lanes,
    ) -> Result<(RunOutcome, Totals), Problem> {
        let derived = grant.derived();
        let (own, _) = self.sides(derived)?;
        grant.approval().check_time(self.now_ms() / 1_000)?;
        let (dataset, policy) = {
            let live = self.live();
            self.check_partner_set(&live, derived, grant.peer(), terms.partner.ids_rounded)?;
            self.own_dataset(&live, own)?
        };
        if dataset.manifest.digest() != terms.own.dataset_version {
            let what = format!(
                "{} was registered anew after this session had opened",
                own.dataset
            );
            return Err(Problem::here(
                Code::DataChanged,
                what,
                "submit the job again",
            ));
        }
        if let Some(earlier) = stored::agreed(&terms.own, &terms.partner) {
            self.enter(grant, Stage::Writing, None);
            return self.copy_stored(grant, terms, earlier);
        }
        self.check_loss(grant)?;
        self.enter(grant, Stage::Reading, Some(dataset.manifest.rows));
        let open = data::open_dataset(grant.approval(), &dataset, &policy)?;
        let (kept, todo) = match self.kept(grant, terms)? {
            Some(kept) => kept,
            None => self.read(grant, terms, &open)?,
        };
        let (learned, totals) = self.matched(grant, terms, (&kept, &todo), lanes)?;
        self.enter(grant, Stage::Writing, None);
        let result = match learned {
            Learned::Nothing => None,
            learned => {
                let draft = self.draft(&grant.job(), terms.own.attempt)?;
                let written =
                    answer::write(&self.own, &open, derived.join()?, &learned, draft.path())?;
                let file = draft.finish(written)?;
                Some((draft, file))
            }
        };
        self.enter(grant, Stage::Closing, None);
        Ok((RunOutcome { result }, totals))
    }

    /// What an earlier session left, and what is still to do, if both nodes go on from there.
    fn kept(&self, grant: &RunGrant, terms: &RunTerms) -> Result<Option<Started>, Problem> {
        let Some(session) = kept::agreed(&terms.own, &terms.partner) else {
            return Ok(None);
        };
        // Both have signed that they go on: to begin anew now would be to answer another question than the partner.
        let kept = self.live().get(&grant.job())?.kept.clone();
        let kept = kept.filter(|kept| kept.course.session() == session);
        let kept = kept.ok_or_else(|| {
            let what = "what this node said it had kept of an earlier session is gone";
            Problem::here(
                Code::SessionLimit,
                what,
                "nothing; it is tried again from the beginning",
            )
        })?;
        let left = kept.course.left(grant.peer(), &terms.own, &terms.partner)?;
        kept.course.reopen(&left);
        Ok(Some((kept, left)))
    }

    /// The local query from the beginning; what it gives is kept until the job ends.
    fn read(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        open: &OpenDataset,
    ) -> Result<Started, Problem> {
        // What an earlier session left is of no use any more, and its disk space is.
        self.keep(grant, None);
        let plan = grant.derived().join()?;
        let mut rows_read = |done, total| self.read_rows(grant, done, total);
        let (own, key) = (&self.own, terms.id_key);
        let prepared = data::prepare(open, plan, own, key, &self.spill, &mut rows_read)?;
        self.check_list(grant, terms, &prepared)?;
        let buckets = grant.buckets();
        let versions = [terms.own.dataset_version, terms.partner.dataset_version];
        let course = Course::new(terms.sid, versions, buckets);
        let kept = Arc::new(Kept::new(prepared, course));
        self.keep(grant, Some(&kept));
        let todo = kept.course.all();
        Ok((kept, todo))
    }

    fn keep(&self, grant: &RunGrant, kept: Option<&Arc<Kept>>) {
        let mut live = self.live();
        let current = live.tracked.get_mut(&grant.job());
        if let Some(tracked) = current.filter(|tracked| tracked.is_current(grant)) {
            tracked.kept = kept.cloned();
        }
    }

    /// Whether the list that will be matched, after WHERE, is as long as both policies ask: a list of a few is a question
    /// about persons.
    fn check_list(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        prepared: &Prepared,
    ) -> Result<(), Problem> {
        if prepared.ids() > terms.own.ids_rounded {
            let what = format!("{}'s list has more ids than it has published", self.own);
            let todo = "publish the dataset's policy again, then submit the job again";
            return Err(Problem::here(Code::DataChanged, what, todo));
        }
        let live = self.live();
        let plan = grant.derived().join()?;
        let policies = live.view.publications().filter(|publication| {
            let named = plan.side(&publication.org);
            named.is_some_and(|side| side.dataset == publication.policy.dataset)
        });
        let min_set = policies
            .map(|publication| publication.policy.min_set)
            .max()
            .unwrap_or(0);
        if prepared.ids() < min_set {
            // The partner is told this sentence: no count.
            let what = format!(
                "fewer of {}'s ids fulfil the question than the {min_set} that may be matched",
                self.own
            );
            return Err(Problem::here(
                Code::SetTooSmall,
                what,
                "ask for more, or use a larger dataset",
            ));
        }
        Ok(())
    }

    fn matched(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        (kept, todo): (&Arc<Kept>, &[u64]),
        lanes: Lanes,
    ) -> Result<(Learned, Totals), Problem> {
        let ids = terms
            .own
            .ids_rounded
            .saturating_add(terms.partner.ids_rounded);
        let bytes_total = grant.derived().statement.cost.bytes;
        let meter = Meter::default();
        self.enter(grant, Stage::Matching, Some(ids));
        self.with_running(grant, |running| running.cross(meter.clone(), bytes_total));
        let before_release = || {
            self.enter(grant, Stage::Releasing, None);
            self.spend_epsilon(grant, terms.own.attempt)
        };
        let matching = Matching {
            own: &self.own,
            plan: grant.derived().join()?,
            grant,
            terms,
            kept,
            todo,
            before_release: &before_release,
        };
        let rng = ChaCha20Rng::from_seed(self.fresh_seed()?);
        let ran = matching.run(lanes, &meter, rng);
        if ran
            .as_ref()
            .is_err_and(|problem| problem.code == Code::SessionLimit)
        {
            // Chance would have it the same way again with the same digests.
            self.keep(grant, None);
        }
        let (learned, totals) = ran?;
        Ok((learned, totals.bound_to(&kept.course.said()?)))
    }

    pub(super) fn enter(&self, grant: &RunGrant, stage: Stage, rows_total: Option<u64>) {
        let now_ms = self.now_ms();
        self.with_running(grant, |running| running.enter(stage, rows_total, now_ms));
        let live = self.live();
        if let Some(tracked) = live.tracked.get(&grant.job()) {
            self.show(tracked);
        }
    }

    /// Shows how far reading is; ends it if the run is to end.
    pub(super) fn read_rows(&self, grant: &RunGrant, done: u64, total: u64) -> Result<(), Problem> {
        self.with_running(grant, |running| running.rows(done, total));
        grant
            .stopped()
            .map_or(Ok(()), |problem| Err(problem.clone()))
    }

    fn with_running(&self, grant: &RunGrant, change: impl FnOnce(&mut super::progress::Running)) {
        let mut live = self.live();
        let current = live
            .tracked
            .get_mut(&grant.job())
            .filter(|tracked| tracked.is_current(grant));
        if let Some(running) = current.and_then(|tracked| tracked.running.as_mut()) {
            change(running);
        }
    }
}
