//! `entente job`: ask a question. Write it, have it checked, see who would learn what, submit it, watch it, read the answer.

mod result;

use crate::cli::Context;
use crate::failure::{Failure, file_problem};
use crate::local_node::{LocalNode, block_on};
use crate::policy::write_new_file;
use crate::progress::{self, Display};
use crate::screen::table;
use clap::{Args, Subcommand};
use entente_wire::local::{JobCheck, JobState, JobView};
use entente_wire::problem::{Code, Problem};
use result::ResultOf;
pub(crate) use result::{read_large_result, read_result, save_result};
use std::path::PathBuf;
use std::time::Duration;

/// Jobs.
#[derive(Subcommand)]
pub(crate) enum Job {
    /// Write a job file to begin from.
    New(File),
    /// Check a job: which rule refuses what, and who could change it.
    Check(File),
    /// The page approvers will see: who receives, learns and could get what. No data is read.
    Preview(File),
    /// Send a job to all parties' approvers.
    Submit(File),
    /// Follow a job until it ends.
    Watch(Watch),
    /// Read the answer.
    Result(ResultOf),
    /// Take a job back.
    Cancel(JobId),
    /// All jobs this node knows.
    List,
}

/// A job file.
#[derive(Args)]
pub(crate) struct File {
    /// The YAML file.
    file: PathBuf,
}

/// A job that was submitted.
#[derive(Args)]
pub(crate) struct JobId {
    /// J-…, as `job submit` printed it.
    job: String,
}

/// Follow a job.
#[derive(Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    id: JobId,
    /// Stop following after this time; the job goes on.
    #[arg(long, value_name = "TIME", value_parser = crate::duration::parse)]
    timeout: Option<Duration>,
}

impl Job {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        if let Self::New(file) = &self {
            return file.write_new(context);
        }
        block_on(async {
            let mut node = LocalNode::connect(&context.home).await?;
            match self {
                // Done above, without a node.
                Self::New(_) => Ok(()),
                Self::Check(file) => {
                    let check = node.job_check(file.read()?).await?;
                    context.screen.show(&check, check_text);
                    if check.problems.is_empty() {
                        return Ok(());
                    }
                    Err(Failure::Problems(check.problems))
                }
                Self::Preview(file) => {
                    let statement = node.job_preview(file.read()?).await?;
                    context
                        .screen
                        .show(&statement, |statement| statement.page());
                    Ok(())
                }
                Self::Submit(file) => {
                    let job = node.job_submit(file.read()?).await?;
                    context.screen.value(&job, &job.id, submitted_text(&job));
                    Ok(())
                }
                Self::Watch(watch) => watch.run(context, &mut node).await,
                Self::Result(result) => result.run(context, &mut node).await,
                Self::Cancel(id) => {
                    let job = node.job_cancel(id.job).await?;
                    context
                        .screen
                        .show(&job, |job| format!("{} {}", job.id, progress::line(job)));
                    Ok(())
                }
                Self::List => {
                    let jobs = node.jobs().await?;
                    context.screen.show(&jobs, |jobs| list_text(jobs));
                    Ok(())
                }
            }
        })
    }
}

impl File {
    fn read(&self) -> Result<String, Problem> {
        std::fs::read_to_string(&self.file)
            .map_err(|fault| file_problem(&self.file, "read", &fault))
    }

    fn write_new(&self, context: &Context) -> Result<(), Failure> {
        let name = self.file.file_stem().and_then(|stem| stem.to_str());
        write_new_file(&self.file, &template(name.unwrap_or("my-question")))?;
        let shown = serde_json::json!({ "file": self.file.display().to_string() });
        context.screen.show(&shown, |_| {
            let file = self.file.display();
            format!("{file}: fill it in, then `entente job check {file}` and `entente job preview {file}`")
        });
        Ok(())
    }
}

/// A job that parses, about organisations that do not exist.
pub(crate) fn template(name: &str) -> String {
    let expires = jiff::Timestamp::now().as_second() + 30 * 24 * 3600;
    format!(
        "entente: 1\n\
         name: {name}\n\
         purpose: say in a sentence what the answer is for\n\
         legal_basis: say on which legal basis the data is used\n\
         # Aggregates over both sides' columns, for the customers that both have: nobody learns which these are. `entente catalog`\n\
         # has the names. Rows of your own (`SELECT b.*`) need the partner's `reveal`.\n\
         # The same columns of three organisations or more are added up, and nothing is matched: FROM \"*\".accounts, with the lines\n\
         #   parties: [your-organisation, second, third]\n\
         #   aggregate: {{ min_parties: 3, dropouts: 1/3 }}\n\
         ask: |\n\
         \x20 SELECT b.tier, p.segment, COUNT(*) AS customers, AVG(p.spend_90d) AS average_spend\n\
         \x20 FROM \"your-organisation\".customers b JOIN \"partner\".users p ON b.mobile = p.mobile\n\
         \x20 GROUP BY b.tier, p.segment\n\
         # epsilon: the privacy loss of a run, paid from both policies' budgets; `none` is without noise, where both allow it, and for\n\
         # rows. Rows may also have `security: malicious`, against a partner that breaks the protocol, and `protocol: ecdh`.\n\
         protect: {{ epsilon: 1.0, min_group: 50 }}\n\
         results_to: [your-organisation]\n\
         expires: {}\n\
         runs: 1\n",
        crate::duration::moment(u64::try_from(expires).unwrap_or_default())
    )
}

fn check_text(check: &JobCheck) -> String {
    match &check.summary {
        Some(summary) => {
            format!("{summary}\nnext: `entente job preview`, then `entente job submit`")
        }
        None => "the job cannot be submitted".to_owned(),
    }
}

fn submitted_text(job: &JobView) -> String {
    let waiting = if job.waiting_for.is_empty() {
        progress::state_name(job.state).to_owned()
    } else {
        format!("waiting: {}", progress::waiting_text(job))
    };
    format!(
        "{waiting}\nnext: approvers see it with `entente inbox`; follow it with `entente job watch {}`",
        job.id
    )
}

fn list_text(jobs: &[JobView]) -> String {
    if jobs.is_empty() {
        return "no jobs yet; begin one with `entente job new FILE`".to_owned();
    }
    let rows = jobs
        .iter()
        .map(|job| {
            vec![
                job.id.clone(),
                job.name.clone(),
                job.asker.to_string(),
                progress::state_text(job),
            ]
        })
        .collect();
    table(&["job", "name", "asked by", "state"], &[], rows)
}

/// How a job ended, as the command's own outcome.
pub(crate) fn outcome(job: &JobView) -> Result<(), Failure> {
    let problem = match (job.state, &job.problem) {
        (JobState::Done, _) => return Ok(()),
        (_, Some(problem)) => problem.clone(),
        (JobState::Expired, None) => Problem::request(
            Code::JobExpired,
            format!("{} expired before it was done", job.id),
            "submit it again with a later `expires`",
        ),
        (state, None) => Problem::request(
            Code::JobState,
            format!("{} is {}", job.id, progress::state_name(state)),
            "see `entente job list`",
        ),
    };
    Err(problem.into())
}

impl Watch {
    async fn run(self, context: &Context, node: &mut LocalNode) -> Result<(), Failure> {
        let job = self.id.job;
        let follow = follow(context, node, &job);
        let last = match self.timeout {
            None => follow.await?,
            Some(timeout) => match tokio::time::timeout(timeout, follow).await {
                Ok(last) => last?,
                Err(_) => {
                    return Err(Failure::from(Problem::request(
                        Code::JobState,
                        format!("{job} has not ended within {} s", timeout.as_secs()),
                        "it goes on; watch it again",
                    )));
                }
            },
        };
        outcome(&last)?;
        if !context.screen.is_json() {
            context.screen.line(ended_text(&last));
        }
        Ok(())
    }
}

fn ended_text(job: &JobView) -> String {
    let line = progress::line(job);
    match job.result_rows {
        Some(rows) => format!(
            "{} {line}; {rows} rows\nnext: `entente job result {}`",
            job.id, job.id
        ),
        None => format!("{} {line}", job.id),
    }
}

/// Shows a job's changes until it ends; its last state.
async fn follow(context: &Context, node: &mut LocalNode, job: &str) -> Result<JobView, Failure> {
    let mut changes = node.job_watch(job.to_owned()).await?;
    let mut display = Display::new(context.screen);
    let mut last = None;
    let ended = loop {
        match changes.next().await {
            Ok(Some(change)) => {
                display.show(&change);
                let is_final = change.state.is_final();
                last = Some(change);
                if is_final {
                    break Ok(());
                }
            }
            Ok(None) => break Ok(()),
            Err(problem) => break Err(problem),
        }
    };
    display.finish();
    ended?;
    last.ok_or_else(|| {
        Failure::from(Problem::here(
            Code::Defect,
            "the node said nothing about the job",
            "report this with the node's log",
        ))
    })
}
