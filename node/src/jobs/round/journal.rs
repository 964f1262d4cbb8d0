//! What has to be in the journal before anything of a round leaves: that it begins, and who is in its sum. What is read here is checked again
//! under the lock under which it is written.

use super::ready::Ready;
use super::{not_current, out_of_order};
use crate::jobs::aggregate::{RoundName, terms};
use crate::jobs::grant::RunGrant;
use crate::jobs::limits::ATTEMPTS_MAX;
use crate::jobs::progress::{Running, Stage};
use crate::jobs::{Core, Live, Tracked};
use crate::ledger::{Fact, RoundBegun, RoundContributed, SurvivorsSigned};
use entente_protocols::aggregate::Terms;
use entente_wire::canonical::Digest;
use entente_wire::names::OrgName;
use entente_wire::policy::Epsilon;
use entente_wire::problem::{Code, Problem};

/// Domain of the digest of what is signed.
const SIGNED_TAG: &str = "entente/1/survivors-signed";

impl Core {
    pub(super) fn round_terms(&self, grant: &RunGrant, name: RoundName) -> Result<Terms, Problem> {
        let plan = grant.derived().aggregation()?;
        let live = self.live();
        let publications = super::ready::publications(plan, &live.view)?;
        terms(plan, &publications, &live.view, name)
    }

    /// Whether a round of this number may begin here now.
    pub(super) fn check_due(&self, grant: &RunGrant, attempt: u32) -> Result<(), Problem> {
        let live = self.live();
        self.may_begin(live.get(&grant.job())?, grant, attempt)
    }

    fn may_begin(&self, tracked: &Tracked, grant: &RunGrant, attempt: u32) -> Result<(), Problem> {
        if let Some(problem) = grant.stopped() {
            return Err(problem.clone());
        }
        if !tracked.is_current(grant) || tracked.life.has_signed() {
            return Err(not_current());
        }
        let due = tracked.life.last_attempt() + 1..=ATTEMPTS_MAX;
        if !due.contains(&attempt) {
            return Err(out_of_order(
                "began a round under a number that is used up, or that no member has come to",
            ));
        }
        self.may_open(tracked, attempt).map(|_| ())
    }

    /// Writes down that the round begins. When this returns it never begins again, at this node.
    pub(super) fn begin_round(
        &self,
        grant: &RunGrant,
        attempt: u32,
        terms: &Terms,
        ready: &Ready,
    ) -> Result<(), Problem> {
        let mut live = self.live();
        let job = grant.job();
        let uses = self.uses(grant.derived())?;
        // Everything may have changed since the numbers were made ready: a new policy, a denial, another round.
        let tracked = live.get(&job)?;
        self.may_begin(tracked, grant, attempt)?;
        self.check_uses(&live.view, &uses, loss_due(tracked, grant))?;
        let side = grant.derived().aggregation()?.side(&self.own);
        let (dataset, _) = self.own_dataset(&live, side.ok_or_else(not_current)?)?;
        if dataset.manifest.digest() != ready.dataset_version() {
            return Err(registered_anew(&self.own));
        }
        let begun = RoundBegun {
            job,
            attempt,
            round: Digest(*terms.sid().as_bytes()),
            dataset_version: ready.dataset_version(),
            uses,
        };
        let now_ms = self.now_ms();
        let tracked = live.get_mut(&job)?;
        self.write(tracked, Fact::RoundBegun(begun))?;
        tracked.unreached = None;
        let running = tracked
            .running
            .get_or_insert_with(|| Running::begin(attempt, now_ms));
        running.enter(Stage::Adding, None, now_ms);
        self.settle(&mut live, &job)
    }

    /// Writes down that this node's numbers leave it, and spends the privacy loss: whether a sum with them is opened is not up to this node
    /// any more.
    pub(super) fn contribute(&self, grant: &RunGrant, attempt: Option<u32>) -> Result<(), Problem> {
        let mut live = self.live();
        let job = grant.job();
        let attempt = self.round_on(&live, grant, attempt)?;
        let epsilon = loss_due(live.get(&job)?, grant);
        let uses = self.uses(grant.derived())?;
        self.check_uses_losses(&live.view, &uses, epsilon)?;
        let contributed = RoundContributed {
            job,
            attempt,
            epsilon,
            uses,
        };
        self.write(live.get_mut(&job)?, Fact::RoundContributed(contributed))
    }

    /// Writes down who is in the sum. When this returns, this node signs no other set, in this round or in another one of the job.
    pub(super) fn sign_survivors(
        &self,
        grant: &RunGrant,
        attempt: Option<u32>,
        survivors: &[OrgName],
        record: &[u8],
    ) -> Result<(), Problem> {
        let mut live = self.live();
        let job = grant.job();
        let signed = SurvivorsSigned {
            job,
            attempt: self.round_on(&live, grant, attempt)?,
            survivors: survivors.to_vec(),
            signed: Digest::of(SIGNED_TAG, &[record]),
        };
        self.write(live.get_mut(&job)?, Fact::SurvivorsSigned(signed))
    }

    /// The round's number, if the round is still this node's.
    fn round_on(
        &self,
        live: &Live,
        grant: &RunGrant,
        attempt: Option<u32>,
    ) -> Result<u32, Problem> {
        if let Some(problem) = grant.stopped() {
            return Err(problem.clone());
        }
        let tracked = live.get(&grant.job())?;
        let attempt = attempt.filter(|_| tracked.is_current(grant));
        let attempt = attempt.filter(|attempt| tracked.life.session_on() == Some(*attempt));
        attempt.ok_or_else(not_current)
    }
}

/// The privacy loss that a round of the job still spends: none where an earlier one did, because at most one sum opens of all of them. Whoever
/// signs for one joins no other, and two quorums have an honest party in common.
pub(super) fn loss_due(tracked: &Tracked, grant: &RunGrant) -> Option<Epsilon> {
    let epsilon = grant.approval().job().protect.epsilon;
    epsilon.filter(|_| !tracked.life.has_contributed())
}

fn registered_anew(own: &OrgName) -> Problem {
    Problem::here(
        Code::DataChanged,
        format!(
            "{own}'s dataset was registered anew after its numbers were made ready for the round"
        ),
        "submit the job again",
    )
}
