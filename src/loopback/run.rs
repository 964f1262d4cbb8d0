//! What `demo` and `lab` do with a world: register, publish, ask, approve everywhere, and follow the run to its result.

use super::world::{Member, World};
use crate::failure::Failure;
use crate::job;
use crate::local_node::{JobChanges, LocalNode};
use crate::progress::Display;
use entente_wire::local::{DatasetReport, JobState, JobView};
use entente_wire::names::{OrgName, PersonName};
use entente_wire::policy::Policy;
use entente_wire::problem::{Code, Problem};
use serde::Serialize;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

/// What one node says reaches the other's people within this, on a machine that is busy with other work.
const ARRIVE_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a node is asked whether it has arrived.
const ARRIVE_POLL: Duration = Duration::from_millis(20);

/// A job that ended, and how long it took.
pub(crate) struct Finished {
    /// Its last state.
    pub(crate) job: JobView,
    /// From the last approval being handed in to the result on disk, in seconds.
    pub(crate) wall_s: f64,
}

/// Wall time of a named step.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Timer {
    pub(crate) name: String,
    pub(crate) wall_s: f64,
}

impl Timer {
    /// A step that began then and ends now.
    pub(crate) fn since(begin: Instant, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            wall_s: begin.elapsed().as_secs_f64(),
        }
    }
}

impl Member {
    /// Registers a file under the dataset name and the id columns that its policy gives.
    pub(crate) async fn register(
        &mut self,
        policy: &Policy,
        path: &Path,
    ) -> Result<DatasetReport, Problem> {
        let ids = policy.columns.iter().filter_map(|(column, rights)| {
            let kind = String::from(rights.id.clone()?);
            Some(format!("{column}={kind}"))
        });
        let path = path.display().to_string();
        self.node
            .data_add(policy.dataset.to_string(), path, ids.collect())
            .await
    }

    /// Publishes a policy; its problems, if it has any, end this.
    pub(crate) async fn publish(&mut self, policy: &Policy, toml: String) -> Result<(), Failure> {
        let name = policy.dataset.to_string();
        let report = self.node.policy_publish(name, toml).await?;
        if report.problems.is_empty() {
            return Ok(());
        }
        Err(Failure::Problems(report.problems))
    }
}

impl World {
    /// Waits until every member sees as many datasets as were published in all.
    pub(crate) async fn await_catalogs(&mut self, datasets: usize) -> Result<(), Failure> {
        for member in &self.members {
            let what = format!("a partner's publication at {}", member.org);
            await_arrival(&what, || {
                let mut node = member.node.clone();
                async move { Ok((node.catalog().await?.len() >= datasets).then_some(())) }
            })
            .await?;
        }
        Ok(())
    }

    /// Asks, has every party's people approve, and follows the run to its end.
    pub(crate) async fn ask(
        &mut self,
        asker: &OrgName,
        yaml: String,
        display: Display,
        on_approval: impl FnMut(&OrgName, &[PersonName]),
    ) -> Result<Finished, Failure> {
        self.ask_and_lose(asker, yaml, display, on_approval, &[])
            .await
    }

    /// The same, with the nodes of `vanishing` killed in the middle of the run.
    pub(crate) async fn ask_and_lose(
        &mut self,
        asker: &OrgName,
        yaml: String,
        display: Display,
        mut on_approval: impl FnMut(&OrgName, &[PersonName]),
        vanishing: &[OrgName],
    ) -> Result<Finished, Failure> {
        let node = &mut self.member(asker)?.node;
        let submitted = node.job_submit(yaml).await?;
        let mut changes = node.job_watch(submitted.id.clone()).await?;
        let mut last_approval = Instant::now();
        for org in &submitted.parties {
            let member = self.member(org)?;
            await_inbox(member, &submitted.id).await?;
            let before = || last_approval = Instant::now();
            let people = member.approve(&submitted.id, before).await?;
            on_approval(org, &people);
        }
        let mut follow = pin!(follow(&mut changes, display, &submitted));
        let job = tokio::select! {
            job = &mut follow => job?,
            lost = self.lose(vanishing, &submitted.id) => {
                lost?;
                follow.await?
            }
        };
        let wall_s = last_approval.elapsed().as_secs_f64();
        for org in vanishing {
            // Whoever was quicker than its end is lost now.
            self.member(org)?.service.kill();
        }
        job::outcome(&job)?;
        Ok(Finished { job, wall_s })
    }

    /// Kills the nodes of `vanishing`, each once it speaks with the others about the job, or at the latest when it is over there.
    async fn lose(&mut self, vanishing: &[OrgName], id: &str) -> Result<(), Failure> {
        for org in vanishing {
            let member = self.member(org)?;
            let mut changes = member.node.job_watch(id.to_owned()).await?;
            while let Some(job) = changes.next().await? {
                if job.state.is_final() || is_in_the_middle(&job) {
                    break;
                }
            }
            member.service.kill();
        }
        Ok(())
    }
}

/// Whether a run is past all that a node does before the others hear from it: one that vanished earlier would be waited for.
fn is_in_the_middle(job: &JobView) -> bool {
    const BEFORE: [&str; 3] = ["connecting", "reading", "waiting for the other parties"];
    let stage = job.progress.as_ref().map(|progress| &*progress.stage);
    job.state == JobState::Running && stage.is_some_and(|stage| !BEFORE.contains(&stage))
}

/// Waits until a job that has ended at its asker's node has ended at this one too.
pub(crate) async fn await_end(member: &Member, id: &str) -> Result<(), Failure> {
    let what = format!("the end of {id} at {}", member.org);
    await_arrival(&what, || {
        let mut node = member.node.clone();
        async move {
            let jobs = node.jobs().await?;
            let ended = jobs.iter().find(|job| job.id == id && job.state.is_final());
            Ok(ended.map(drop))
        }
    })
    .await
}

/// Shows a job's changes until it ends; its last state.
async fn follow(
    changes: &mut JobChanges,
    mut display: Display,
    submitted: &JobView,
) -> Result<JobView, Failure> {
    let last = loop {
        match changes.next().await {
            Ok(Some(job)) if job.state.is_final() => break Ok(job),
            Ok(Some(job)) => display.show(&job),
            Ok(None) => {
                let asker = &submitted.asker;
                break Err(Problem::here(
                    Code::Defect,
                    format!("{asker}'s node stopped telling about {}", submitted.id),
                    "see the node's log",
                ));
            }
            Err(problem) => break Err(problem),
        }
    };
    display.finish();
    Ok(last?)
}

/// Waits until a job is before this member's people.
async fn await_inbox(member: &Member, id: &str) -> Result<(), Failure> {
    let what = format!("{id} at {}", member.org);
    await_arrival(&what, || {
        let mut node = member.node.clone();
        let id = id.to_owned();
        async move { inbox_has(&mut node, &id).await }
    })
    .await
}

/// Whether a job waits for a decision; a job that this node refused is an error.
async fn inbox_has(node: &mut LocalNode, id: &str) -> Result<Option<()>, Problem> {
    if node.inbox().await?.iter().any(|item| item.job.id == id) {
        return Ok(Some(()));
    }
    let jobs = node.jobs().await?;
    let refused = jobs
        .into_iter()
        .find(|job| job.id == id && job.state == JobState::Failed);
    match refused.and_then(|job| job.problem) {
        Some(problem) => Err(problem),
        None => Ok(None),
    }
}

/// Asks until `arrived` gives something, up to a deadline.
async fn await_arrival<T, F>(what: &str, mut arrived: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<Option<T>, Problem>>,
{
    let end = Instant::now() + ARRIVE_TIMEOUT;
    loop {
        if let Some(found) = arrived().await? {
            return Ok(found);
        }
        if Instant::now() > end {
            return Err(Failure::from(Problem::here(
                Code::Defect,
                format!(
                    "{what} did not arrive within {} s",
                    ARRIVE_TIMEOUT.as_secs()
                ),
                "see the logs of the node and the coordinator",
            )));
        }
        tokio::time::sleep(ARRIVE_POLL).await;
    }
}
