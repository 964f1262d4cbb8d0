//! How a session asks for a job: the other side of [`crate::session::Runs`].

use super::grant::RunGrant;
use super::limits::KEPT_MS;
use super::run::{RunOutcome, RunTerms};
use super::{Core, Jobs, Live};
use crate::ledger::{Fact, SessionEnd, SessionEnded, SignedRecord};
use crate::session::{Agreed, End, Lanes, Runs};
use entente_protocols::channel::Totals;
use entente_wire::canonical::Digest;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::JobHash;
use entente_wire::session::{Opening, Transcript};
use entente_wire::sign::{Kind, Record};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long a partner that dials before our copy of its approval has come is kept waiting: well under the time after which it
/// hangs up, and longer than a coordinator in order takes.
const APPROVALS_ARRIVE: Duration = Duration::from_secs(10);

impl Runs for Jobs {
    type Grant = RunGrant;
    type Outcome = RunOutcome;

    fn admit(&self, partner: &OrgName, opening: &Opening) -> Result<RunGrant, Problem> {
        if let Ok(runtime) = Handle::try_current() {
            runtime.block_on(self.settled(opening.job, APPROVALS_ARRIVE));
        }
        self.admit_session(partner, opening)
    }

    fn partner(&self, grant: &RunGrant) -> OrgName {
        grant.peer().clone()
    }

    fn opening(&self, grant: &RunGrant, nonce_commitment: Digest) -> Result<Opening, Problem> {
        self.opening(grant, nonce_commitment)
    }

    fn lanes(&self, grant: &RunGrant) -> u32 {
        grant.lanes()
    }

    fn run(
        &self,
        grant: &RunGrant,
        session: &Agreed,
        lanes: Lanes,
    ) -> Result<(RunOutcome, Totals), Problem> {
        self.agreed(grant, &session.partner_record)?;
        let terms = RunTerms {
            sid: session.sid,
            id_key: session.id_key,
            own: session.own.clone(),
            partner: session.partner.clone(),
        };
        self.run(grant, &terms, lanes)
    }

    fn ended(&self, grant: &RunGrant, end: End<RunOutcome>) -> Result<(), Problem> {
        match end {
            End::Closed {
                outcome,
                own,
                partner_record,
            } => self.closed(grant, outcome, own, &partner_record),
            End::Broken {
                attempt,
                problem,
                may_follow,
            } => self.broken(grant, attempt, problem, may_follow),
        }
    }
}

impl Jobs {
    /// Both nodes have signed what they will use: the partner's word is evidence and is kept.
    pub fn agreed(&self, grant: &RunGrant, partner: &Record) -> Result<(), Problem> {
        let mut live = self.core.live();
        let job = grant.job();
        let tracked = live.get_mut(&job)?;
        let partner = SignedRecord::from(partner);
        self.core
            .write(tracked, Fact::SessionAgreed { job, partner })
    }

    /// Both nodes have closed: the result is released, here and nowhere else.
    pub fn closed(
        &self,
        grant: &RunGrant,
        outcome: RunOutcome,
        own: Transcript,
        partner: &Record,
    ) -> Result<(), Problem> {
        let mut live = self.core.live();
        let (job, attempt) = (grant.job(), own.attempt);
        if let Err(problem) = self.core.may_release(&live, grant, &own, partner) {
            drop(outcome);
            if live.get(&job)?.is_current(grant) {
                let end = SessionEnd::Broken {
                    problem: problem.clone(),
                };
                self.core.end(&mut live, &job, attempt, end)?;
            }
            return Err(problem);
        }
        let result = match outcome.result {
            Some((draft, result)) => {
                draft.release()?;
                Some(result)
            }
            None => None,
        };
        let now_ms = self.core.now_ms();
        let stages_ms = live
            .get_mut(&job)?
            .running
            .take()
            .map(|running| running.finished(now_ms))
            .unwrap_or_default();
        let end = SessionEnd::Closed {
            own,
            peer: SignedRecord::from(partner),
            result,
            stages_ms,
        };
        self.core.end(&mut live, &job, attempt, end)
    }

    /// An attempt broke off, or the partner was not reached at all. `may_follow`: another attempt may still follow.
    pub fn broken(
        &self,
        grant: &RunGrant,
        attempt: Option<u32>,
        problem: Problem,
        may_follow: bool,
    ) -> Result<(), Problem> {
        let mut live = self.core.live();
        let job = grant.job();
        let tracked = live.get_mut(&job)?;
        if !tracked.is_current(grant) {
            // A newer session took this one's place and has recorded its end. But a partner that was caught does not get away
            // by being quick.
            if problem.code != Code::PartnerMisbehaved || tracked.life.end().is_some() {
                return Ok(());
            }
            if let Some(newer) = tracked.granted.take() {
                newer.stop(&problem);
            }
            tracked.kept = None;
            if let Some(attempt) = tracked.life.session_on() {
                let end = SessionEnd::Broken {
                    problem: problem.clone(),
                };
                let ended = SessionEnded { job, attempt, end };
                self.core.write(tracked, Fact::SessionEnded(ended))?;
            }
            self.core.write(tracked, Fact::JobFailed { job, problem })?;
            return self.core.settle(&mut live, &job);
        }
        tracked.running = None;
        if tracked.life.session_on().is_none() || attempt.is_none() {
            tracked.unreached = Some(problem.clone());
        }
        if let Some(attempt) = attempt.filter(|attempt| tracked.life.session_on() == Some(*attempt))
        {
            let end = SessionEnd::Broken {
                problem: problem.clone(),
            };
            self.core.write(
                tracked,
                Fact::SessionEnded(SessionEnded { job, attempt, end }),
            )?;
        }
        match may_follow {
            true => tracked.kept_until_ms = self.core.now_ms().saturating_add(KEPT_MS),
            false => tracked.kept = None,
        }
        if !may_follow && tracked.life.end().is_none() {
            self.core.write(tracked, Fact::JobFailed { job, problem })?;
        }
        // The dialer keeps its grant while it tries again; a partner's session leaves none behind.
        if !may_follow || *tracked.life.asker() != self.core.own {
            tracked.granted = None;
        }
        self.core.settle(&mut live, &job)
    }
}

impl Core {
    /// Whether the partner signed the same bytes, and nobody has ended the job meanwhile.
    fn may_release(
        &self,
        live: &Live,
        grant: &RunGrant,
        own: &Transcript,
        partner: &Record,
    ) -> Result<(), Problem> {
        let life = &live.get(&grant.job())?.life;
        if let Some(problem) = grant.stopped() {
            return Err(problem.clone());
        }
        if !live.get(&grant.job())?.is_current(grant)
            || life.end().is_some()
            || life.session_on() != Some(own.attempt)
        {
            let what = format!("{} ended before its session did", grant.job().short());
            return Err(Problem::here(Code::JobState, what, "see the job's state"));
        }
        let theirs: Transcript = partner.open_pinned(Kind::Transcript, &live.view)?;
        if partner.org != *grant.peer() {
            return Err(partner.refused(format!("the session was with {}", grant.peer())));
        }
        own.mirrors(grant.peer(), &theirs)
    }

    fn end(
        &self,
        live: &mut Live,
        job: &JobHash,
        attempt: u32,
        end: SessionEnd,
    ) -> Result<(), Problem> {
        let tracked = live.get_mut(job)?;
        tracked.granted = None;
        tracked.running = None;
        tracked.kept = None;
        if tracked.life.session_on() == Some(attempt) {
            self.write(
                tracked,
                Fact::SessionEnded(SessionEnded {
                    job: *job,
                    attempt,
                    end,
                }),
            )?;
        }
        self.settle(live, job)
    }
}
