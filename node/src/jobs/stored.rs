//! A table that was released before answers the same plan over the same versions of both datasets again: it is copied, no
//! protocol runs, and no privacy loss is spent, since nothing new is told. (protocols.md §8.)
//!
//! Each node looks in its own journal for such a job and names it in its opening; only where both name the same one is it
//! reused. A node whose memory is shorter names none, and the job runs. What the reader copies is the file it released then, if it
//! still is that file.

use super::answer::Written;
use super::derive::Derived;
use super::grant::RunGrant;
use super::life::{End, Life};
use super::results::{Draft, digest};
use super::run::{RunOutcome, RunTerms};
use super::views::released;
use super::{Core, Live};
use crate::ledger::ResultFile;
use entente_protocols::channel::Totals;
use entente_wire::canonical::Digest;
use entente_wire::names::OrgName;
use entente_wire::plan::Operator;
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::{JobHash, Seal};
use entente_wire::session::Opening;
use std::fs;

/// Domain of what both transcripts are bound to where a stored table is the answer.
const STORED_TAG: &str = "entente/1/answered-by";

impl Core {
    /// The newest job whose table would answer this one over our data as it is now, as far as this node alone can tell.
    pub(super) fn answered_by(
        &self,
        live: &Live,
        derived: &Derived,
        own_version: Digest,
    ) -> Option<JobHash> {
        let lives = live.tracked.values().map(|tracked| &tracked.life);
        let answers = lives.filter(|life| self.answers(life, derived, own_version, None));
        let newest = answers.max_by_key(|life| {
            let session = life.closed_session();
            session.map(|session| session.opened_at_ms)
        });
        newest.map(Life::job)
    }

    /// Whether `earlier`'s table would, and was made with that version of the partner's data.
    pub(super) fn is_answered_by(
        &self,
        live: &Live,
        derived: &Derived,
        [own_version, partner_version]: [Digest; 2],
        earlier: &JobHash,
    ) -> bool {
        let tracked = live.get(earlier).ok();
        tracked.is_some_and(|tracked| {
            self.answers(&tracked.life, derived, own_version, Some(partner_version))
        })
    }

    fn answers(
        &self,
        earlier: &Life,
        derived: &Derived,
        own_version: Digest,
        partner_version: Option<Digest>,
    ) -> bool {
        let Ok(Operator::Joint(joint)) = derived.join().map(|plan| &plan.operator) else {
            return false;
        };
        let Some(session) = earlier.closed_session() else {
            return false;
        };
        let versions = match (session.partner_version, partner_version) {
            (None, _) => false,
            (Some(then), now) => now.is_none_or(|now| now == then),
        };
        earlier.end() == Some(&End::Done)
            && same_plan(&earlier.submission().seal, &derived.seal)
            && session.own_version == own_version
            && versions
            && (!joint.readers.contains(&self.own)
                || released(earlier).is_some_and(|result| self.is_as_released(result)))
    }

    fn is_as_released(&self, result: &ResultFile) -> bool {
        digest(&self.result_path(result)).is_ok_and(|digest| digest == result.digest)
    }

    /// The run of a job that an earlier one's table answers.
    pub(super) fn copy_stored(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        earlier: JobHash,
    ) -> Result<(RunOutcome, Totals), Problem> {
        let versions = [terms.own.dataset_version, terms.partner.dataset_version];
        let stored = {
            let live = self.live();
            if !self.is_answered_by(&live, grant.derived(), versions, &earlier) {
                return Err(other_versions(grant.peer(), &earlier));
            }
            released(&live.get(&earlier)?.life).cloned()
        };
        let result = match stored {
            Some(stored) => Some(self.copy(grant, terms, &stored)?),
            None => None,
        };
        let known = Digest::of(STORED_TAG, &[&earlier.0.0]);
        let totals = Totals::joined(&[]).bound_to(&known.0);
        Ok((RunOutcome { result }, totals))
    }

    fn copy(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        stored: &ResultFile,
    ) -> Result<(Draft, ResultFile), Problem> {
        let draft = self.draft(&grant.job(), terms.own.attempt)?;
        let from = self.result_path(stored);
        fs::copy(&from, draft.path()).map_err(|error| {
            let what = format!(
                "the stored result {} cannot be copied: {error}",
                from.display()
            );
            Problem::here(
                Code::Disk,
                what,
                "check space and permissions of the home folder",
            )
        })?;
        let file = draft.finish(Written {
            rows: stored.rows,
            suppressed_groups: stored.suppressed_groups,
            types: stored.types.clone(),
        })?;
        if file.digest != stored.digest {
            let what = "the stored result was changed while it was copied";
            let todo = "nothing; it is tried again";
            return Err(Problem::here(Code::DataChanged, what, todo));
        }
        Ok((draft, file))
    }
}

/// The earlier job whose table both openings name as the answer.
pub(super) fn agreed(own: &Opening, partner: &Opening) -> Option<JobHash> {
    own.answered_by
        .filter(|_| own.answered_by == partner.answered_by)
}

/// The plan holds readers, thresholds, noise and display: whatever could make another table.
fn same_plan(earlier: &Seal, now: &Seal) -> bool {
    earlier.plan_version == now.plan_version && earlier.plan == now.plan
}

fn other_versions(peer: &OrgName, earlier: &JobHash) -> Problem {
    let what = format!(
        "{peer} named the table of {} as the answer, which was made from other data than it has signed for now",
        earlier.short()
    );
    let todo = "do not repeat the job before the partner has explained it";
    Problem::partner(peer, Code::PartnerMisbehaved, what, todo)
}
