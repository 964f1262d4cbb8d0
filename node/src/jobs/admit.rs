//! Which session may open, and what is spent for it.
//!
//! A grant exists only for a job whose approvals are all verified. Opening a session uses up one attempt of the job and one
//! session of the budgets, in the journal, before the partner hears of it: breaking off brings nobody anything. A budget of
//! privacy loss that is too small refuses here too; it is spent when the release begins (`spend`).

use super::derive::{Derived, Planned};
use super::grant::RunGrant;
use super::limits::ATTEMPTS_MAX;
use super::progress::Running;
use super::{Core, Jobs, Live, Tracked, unknown};
use crate::data::Dataset;
use crate::ledger::{Fact, SessionEnd, SessionEnded, SessionOpened};
use entente_wire::approval::VerifiedApproval;
use entente_wire::canonical::Digest;
use entente_wire::limits::WIRE_VERSION;
use entente_wire::local::JobState;
use entente_wire::names::OrgName;
use entente_wire::plan::Side;
use entente_wire::policy::{Epsilon, Policy};
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::JobHash;
use entente_wire::session::Opening;
use entente_wire::sql::Catalog;
use std::sync::Arc;

impl Jobs {
    /// A partner's node opened a session (its certificate and the opening's signature are verified): may it?
    pub fn admit_session(&self, peer: &OrgName, opening: &Opening) -> Result<RunGrant, Problem> {
        let mut live = self.core.live();
        let job = opening.job;
        // Whoever is no party learns nothing about the job, not even that it exists.
        let known = live
            .tracked
            .get(&job)
            .filter(|tracked| tracked.life.partner() == Some(peer));
        let tracked = known.ok_or_else(|| unknown(&job.short()))?;
        if opening.version != WIRE_VERSION {
            let what = format!(
                "{peer} speaks version {} of the contract between nodes, this node version {WIRE_VERSION}",
                opening.version
            );
            return Err(Problem::partner(
                peer,
                Code::VersionDiffers,
                what,
                "upgrade the older of the two nodes",
            ));
        }
        if tracked.life.asker() != peer {
            let what = format!(
                "{} was asked by {}, whose node opens the sessions",
                job.short(),
                tracked.life.asker()
            );
            return Err(Problem::partner(
                peer,
                Code::PartnerMisbehaved,
                what,
                "wait for the asker's node",
            ));
        }
        let (approval, derived) = self.core.may_open(tracked, opening.attempt)?;
        let answered = self.core.answered(&live, &derived, Some(opening))?;
        let loss = approval
            .job()
            .protect
            .epsilon
            .filter(|_| answered.is_none());
        self.core.check_limits(&live, &derived, loss)?;
        self.core
            .check_partner_set(&live, &derived, peer, opening.ids_rounded)?;
        let grant = RunGrant::new(approval, derived, peer.clone(), Some(opening.clone()));
        if let Some(before) = live.get_mut(&job)?.granted.replace(grant.clone()) {
            before.stop(&superseded(peer, opening.attempt));
        }
        Ok(grant)
    }

    /// This node's opening: of the next attempt where it dials, of the admitted one otherwise. When this returns, attempt and
    /// budget are spent, on disk.
    pub fn opening(&self, grant: &RunGrant, nonce_commitment: Digest) -> Result<Opening, Problem> {
        let mut live = self.core.live();
        let job = grant.job();
        let tracked = live.get(&job)?;
        let attempt = grant
            .admitted()
            .map(|opening| opening.attempt)
            .unwrap_or(tracked.life.last_attempt().saturating_add(1));
        // Everything may have changed since the grant: a new policy, a denial, another session.
        let (approval, derived) = self.core.may_open(tracked, attempt)?;
        let answered_by = self.core.answered(&live, &derived, grant.admitted())?;
        let loss = approval
            .job()
            .protect
            .epsilon
            .filter(|_| answered_by.is_none());
        self.core.check_limits(&live, &derived, loss)?;
        let (own, theirs) = self.core.sides(&derived)?;
        let (dataset, policy) = self.core.own_dataset(&live, own)?;
        let ids_rounded = self.core.padded(&live.view, own, &policy)?;
        check_size(&derived, &self.core.own, ids_rounded)?;
        check_sealed(&derived, &self.core.own, &self.core.own, ids_rounded)?;
        let version = dataset.manifest.digest();
        let kept = tracked.kept.as_ref();
        let continues = kept.and_then(|kept| kept.course.continued(version));
        let continues = continues.filter(|continues| grant.would_go_on(continues));
        let opening = Opening {
            version: WIRE_VERSION,
            job,
            attempt,
            dataset_version: version,
            ids_rounded,
            nonce_commitment,
            continues,
            answered_by,
        };
        let opened = SessionOpened {
            peer: grant.peer().clone(),
            dataset: own.dataset.clone(),
            peer_dataset: theirs.dataset.clone(),
            opening: opening.clone(),
        };
        let now_ms = self.core.now_ms();
        let tracked = live.get_mut(&job)?;
        if !tracked.is_current(grant) {
            return Err(superseded(grant.peer(), attempt));
        }
        if let Some(before) = tracked.life.session_on() {
            let end = SessionEnd::Broken {
                problem: superseded(grant.peer(), attempt),
            };
            self.core.write(
                tracked,
                Fact::SessionEnded(SessionEnded {
                    job,
                    attempt: before,
                    end,
                }),
            )?;
        }
        self.core.write(tracked, Fact::SessionOpened(opened))?;
        tracked.unreached = None;
        tracked.running = Some(Running::begin(attempt, now_ms));
        self.core.settle(&mut live, &job)?;
        Ok(opening)
    }
}

impl Core {
    /// Hands out a run to be dialled.
    pub(super) fn grant_dial(&self, tracked: &mut Tracked) -> Result<(), Problem> {
        let (Some(approval), Some(derived)) = (&tracked.approval, &tracked.derived) else {
            return Ok(());
        };
        let recipient = match &derived.planned {
            Planned::Join(_) => None,
            Planned::Aggregation(plan) => plan.recipient(),
        };
        let Some(peer) = tracked.life.partner().or(recipient) else {
            return Ok(());
        };
        let grant = RunGrant::new(
            Arc::clone(approval),
            Arc::clone(derived),
            peer.clone(),
            None,
        );
        // Without room now, the next tick tries again; the grant counts as given so that the life does not ask at once.
        tracked.granted = self.dials.try_send(grant.clone()).is_ok().then_some(grant);
        Ok(())
    }

    /// Whether the job may open this attempt now.
    pub(super) fn may_open(
        &self,
        tracked: &Tracked,
        attempt: u32,
    ) -> Result<(Arc<VerifiedApproval>, Arc<Derived>), Problem> {
        let (life, job) = (&tracked.life, tracked.life.job().short());
        if life.submission().job.has_expired(self.now_ms() / 1_000) {
            return Err(life.expired());
        }
        match life.state(tracked.approval.is_some()) {
            JobState::Done => {
                let what = format!("{job} has run as often as it may");
                return Err(Problem::here(Code::JobUsed, what, "submit a new job"));
            }
            // The asker's node dials anew because it saw the line break, which this side may notice much later.
            JobState::Running if *life.asker() != self.own && Some(attempt) > life.session_on() => {
            }
            JobState::Running => {
                let what = format!("a session of {job} is on already");
                return Err(Problem::here(
                    Code::JobState,
                    what,
                    "wait until it has ended",
                ));
            }
            JobState::Ready => {}
            state @ (JobState::Failed | JobState::Cancelled | JobState::Expired) => {
                let what = format!("{job} is {}", super::decide::in_words(state));
                return Err(Problem::here(Code::JobState, what, "submit a new job"));
            }
            JobState::Submitted | JobState::AwaitingApprovals => {
                let what = format!("not every approval of {job} is here and verified");
                return Err(Problem::here(
                    Code::ApprovalsMissing,
                    what,
                    "wait until they have arrived",
                ));
            }
        }
        if attempt <= life.last_attempt() || attempt > ATTEMPTS_MAX {
            let what = format!(
                "attempt {attempt} of {job} is used up; {} of {ATTEMPTS_MAX} were made",
                life.last_attempt()
            );
            return Err(Problem::here(Code::JobUsed, what, "submit a new job"));
        }
        match (&tracked.approval, &tracked.derived) {
            (Some(approval), Some(derived)) => Ok((Arc::clone(approval), Arc::clone(derived))),
            _ => Err(Problem::here(
                Code::Defect,
                format!("{job} is ready without approvals"),
                "report this with the node's log",
            )),
        }
    }

    /// Both datasets' budgets and our own list's size. `loss`: what a release would spend.
    fn check_limits(
        &self,
        live: &Live,
        derived: &Derived,
        loss: Option<Epsilon>,
    ) -> Result<(), Problem> {
        let (own, theirs) = self.sides(derived)?;
        self.check_set(&live.view, own, theirs)?;
        self.check_budgets(&live.view, [own, theirs])?;
        self.check_losses(&live.view, [own, theirs], loss)
    }

    /// The earlier job that this node would name as the answer: its own find where it dials, the dialer's if it is one here too.
    pub(super) fn answered(
        &self,
        live: &Live,
        derived: &Derived,
        dialled: Option<&Opening>,
    ) -> Result<Option<JobHash>, Problem> {
        let (own, _) = self.sides(derived)?;
        let (dataset, _) = self.own_dataset(live, own)?;
        let version = dataset.manifest.digest();
        let Some(opening) = dialled else {
            return Ok(self.answered_by(live, derived, version));
        };
        let versions = [version, opening.dataset_version];
        let named = opening.answered_by;
        Ok(named.filter(|earlier| self.is_answered_by(live, derived, versions, earlier)))
    }

    /// Whether the partner's announced list is large enough for both policies and small enough for a run.
    pub(super) fn check_partner_set(
        &self,
        live: &Live,
        derived: &Derived,
        peer: &OrgName,
        ids_rounded: u64,
    ) -> Result<(), Problem> {
        check_size(derived, peer, ids_rounded)?;
        for side in &derived.join()?.sides {
            let publication = live.view.publication(&side.org, &side.dataset);
            let min_set = publication.map_or(0, |publication| publication.policy.min_set);
            if ids_rounded < min_set {
                let what = format!(
                    "{peer} announces {ids_rounded} ids; {}'s policy of {} matches no list of fewer than {min_set}",
                    side.org, side.dataset
                );
                return Err(Problem::partner(
                    peer,
                    Code::SetTooSmall,
                    what,
                    "use a larger dataset",
                ));
            }
        }
        check_sealed(derived, &self.own, peer, ids_rounded)
    }

    /// Our side of the plan and the partner's.
    pub(super) fn sides<'a>(&self, derived: &'a Derived) -> Result<(&'a Side, &'a Side), Problem> {
        let plan = derived.join()?;
        plan.side(&self.own)
            .zip(plan.other_side(&self.own))
            .ok_or_else(|| {
                let what = format!("{} takes no part in the plan", self.own);
                Problem::here(Code::Defect, what, "report this with the node's log")
            })
    }

    /// The dataset of ours that a side names, and the policy it is published under.
    pub(super) fn own_dataset(
        &self,
        live: &Live,
        side: &Side,
    ) -> Result<(Dataset, Policy), Problem> {
        let registered = self.ledger.dataset(&side.dataset)?;
        let publication = live.view.publication(&self.own, &side.dataset);
        registered
            .map(|registered| registered.dataset)
            .zip(publication.map(|publication| publication.policy.clone()))
            .ok_or_else(|| {
                let what = format!(
                    "the dataset {} is not registered and published here",
                    side.dataset
                );
                Problem::here(
                    Code::DatasetUnknown,
                    what,
                    "register it with `entente data add` and publish its policy",
                )
            })
    }
}

pub(super) fn superseded(peer: &OrgName, attempt: u32) -> Problem {
    let what = format!("{peer}'s node opened attempt {attempt} in place of this session");
    Problem::partner(
        peer,
        Code::PartnerSilent,
        what,
        "nothing; the newer session goes on",
    )
}

/// Each protocol has its largest list.
fn check_size(derived: &Derived, org: &OrgName, ids_rounded: u64) -> Result<(), Problem> {
    let most = derived.join()?.matching.ids_max();
    if ids_rounded <= most {
        return Ok(());
    }
    let what = format!(
        "{org}'s list has up to {ids_rounded} ids; the job's protocol matches at most {most}"
    );
    Err(Problem::partner(
        org,
        Code::NotInThisVersion,
        what,
        "use a smaller dataset",
    ))
}

/// A list of another size than people approved: larger, it would test more candidates; either way it needs other parameters.
fn check_sealed(
    derived: &Derived,
    own: &OrgName,
    org: &OrgName,
    ids_rounded: u64,
) -> Result<(), Problem> {
    let sealed = derived.seal.parties.get(org).map(|party| party.ids_rounded);
    if sealed == Some(ids_rounded) {
        return Ok(());
    }
    let sealed = sealed.unwrap_or_default();
    let what =
        format!("{org} would enter up to {ids_rounded} ids; the job was approved with {sealed}");
    let todo = format!("{org} publishes its policy again, then submit the job again");
    Err(match org == own {
        true => Problem::here(Code::DataChanged, what, todo),
        false => Problem::partner(org, Code::DataChanged, what, todo),
    })
}
