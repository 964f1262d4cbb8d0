//! One round, from joining to its end: the coordinator's messages to the round's steps, and their answers back. Whatever is waited for, it is
//! for so long only, and only while somebody wants it.

use super::blame::{endless, lost, no_coordinator, reason, stopping};
use super::line::Line;
use super::{Failed, Inner, Rounds};
use crate::jobs::{Answer, Round, RunGrant};
use entente_wire::limits::WIRE_VERSION;
use entente_wire::problem::Problem;
use entente_wire::rpc::coordinator::v1::{
    RoundJoin, round_down::Step as Down, round_up::Step as Up,
};
use std::future::Future;
use std::pin::pin;
use tokio::time::{Instant, sleep, timeout, timeout_at};

impl Rounds {
    /// One round.
    pub(super) async fn once(&self, grant: &RunGrant) -> Result<(), Failed> {
        let _place = self.inner.places.acquire().await;
        let before = |problem| Failed {
            problem,
            attempt: None,
        };
        let mut line = self.joined(grant).await.map_err(before)?;
        let by = grant.clone();
        let round = self.blocking(move |jobs| Round::new(jobs, &by)).await;
        let mut round = Some(round.map_err(before)?);
        match self.carried(grant, &mut line, &mut round).await {
            Ok(()) => Ok(()),
            Err(problem) => {
                line.leave(&problem).await;
                let attempt = round.as_ref().and_then(Round::attempt);
                Err(Failed { problem, attempt })
            }
        }
    }

    /// A line to the coordinator, which has been told the least number that the round may have here.
    async fn joined(&self, grant: &RunGrant) -> Result<Line, Problem> {
        let Inner {
            own,
            coordinator,
            party,
            limits,
            ..
        } = &*self.inner;
        let address = coordinator.as_ref().ok_or_else(no_coordinator)?;
        let by = grant.clone();
        let join = RoundJoin {
            version: WIRE_VERSION,
            job_hash: grant.job().0.0.to_vec(),
            round_min: self.blocking(move |jobs| jobs.joins(&by)).await?,
        };
        let mut drain = self.inner.drain.clone();
        tokio::select! {
            line = Line::open(own, (address, party), limits, join) => line,
            () = drain.requested() => Err(stopping()),
        }
    }

    /// Step by step to the end of the round.
    async fn carried(
        &self,
        grant: &RunGrant,
        line: &mut Line,
        round: &mut Option<Round>,
    ) -> Result<(), Problem> {
        let deadline = Instant::now() + self.inner.limits.round;
        loop {
            let begun = round.as_ref().and_then(Round::attempt).is_some();
            let step = self.while_wanted((grant, begun), line.next());
            let step = timeout_at(deadline, step).await;
            let step = step.map_err(|_| endless())??;
            if let Down::End(end) = step {
                if !end.problem.is_empty() {
                    return Err(reason(&end.problem, &self.inner.own));
                }
                let bytes = line.bytes();
                return self
                    .with_round(round, move |round| round.close(bytes))
                    .await;
            }
            let answer = self.taken(grant, begun, round, step).await?;
            match answer {
                Answer::Nothing => {}
                Answer::Step(message) => line.send(*message).await?,
                Answer::Contribution { signature, words } => {
                    line.step(Up::Contribution(signature)).await?;
                    let sent = self.while_wanted((grant, true), line.words(&words));
                    timeout_at(deadline, sent).await.map_err(|_| endless())??;
                }
                Answer::Opened => {
                    // The table is this organisation's whatever becomes of the line now.
                    let bytes = line.bytes();
                    self.with_round(round, move |round| round.close(bytes))
                        .await?;
                    let _ = line.step(Up::Opened(true)).await;
                    let _ = timeout(self.inner.limits.farewell, line.next()).await;
                    return Ok(());
                }
            }
        }
    }

    /// What is waited for on the line, unless somebody ends the job, or this node, before it comes. A round that has not begun is left when
    /// the node drains, one that has when it stops.
    async fn while_wanted<T>(
        &self,
        (grant, begun): (&RunGrant, bool),
        waited: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        tokio::select! {
            done = waited => done,
            problem = self.until_unwanted(grant, begun) => Err(problem),
        }
    }

    async fn until_unwanted(&self, grant: &RunGrant, begun: bool) -> Problem {
        let mut stop = match begun {
            true => self.inner.stop.clone(),
            false => self.inner.drain.clone(),
        };
        let unwanted = async {
            loop {
                sleep(self.inner.limits.look_every).await;
                if let Some(problem) = self.is_unwanted(grant).await {
                    return problem;
                }
            }
        };
        tokio::select! {
            problem = unwanted => problem,
            () = stop.requested() => stopping(),
        }
    }

    /// The round's answer to a message. The first one has it query its data, which may take minutes and ends early if nobody wants it any more.
    async fn taken(
        &self,
        grant: &RunGrant,
        begun: bool,
        round: &mut Option<Round>,
        step: Down,
    ) -> Result<Answer, Problem> {
        let mut answer = pin!(self.with_round(round, |round| round.take(step)));
        if begun {
            return answer.await;
        }
        tokio::select! {
            answer = &mut answer => answer,
            problem = self.until_unwanted(grant, begun) => {
                grant.stop(&problem);
                let _ = answer.await;
                Err(problem)
            }
        }
    }

    /// A step of the round on a thread where it may compute and block.
    async fn with_round<T: Send + 'static>(
        &self,
        round: &mut Option<Round>,
        step: impl FnOnce(&mut Round) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let mut taken = round.take().ok_or_else(lost)?;
        let (given_back, done) = tokio::task::spawn_blocking(move || {
            let done = step(&mut taken);
            (taken, done)
        })
        .await
        .map_err(|_| lost())?;
        *round = Some(given_back);
        done
    }
}
