//! `entente lab`: asks any question over local files, with as many loopback organisations as it names. Processes, certificates,
//! mTLS, policies and approvals are the real ones; only the approving people are made up, one a role.

mod organisation;
mod report;

use crate::cli::Context;
use crate::failure::{Failure, file_problem};
use crate::job;
use crate::local_node::{LocalNode, block_on};
use crate::loopback::{Folder, Timer, World, await_end};
use crate::progress::Display;
use crate::result_table::ResultTable;
use crate::service::interruptible;
use clap::Args;
use entente_wire::job::Job;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use organisation::{Organisation, Organisations};
use report::{Report, Results, Spent};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Result rows in the JSON document, unless asked otherwise; `--out` has them all.
const ROWS_DEFAULT: usize = 10_000;

/// Ask any question over local files, with as many loopback organisations as it names.
#[derive(Args)]
pub(crate) struct Lab {
    #[command(flatten)]
    organisations: Organisations,
    /// The job file with the question.
    #[arg(long, value_name = "FILE")]
    ask: PathBuf,
    /// Write the asker's result there: as Parquet where the name ends in .parquet, else as CSV.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Most result rows in the JSON document; the count is always whole.
    #[arg(long, value_name = "N", default_value_t = ROWS_DEFAULT)]
    rows: usize,
    /// Kill this organisation's node in the middle of the run, to see what the others do; as often as there are such.
    #[arg(long, value_name = "ORG")]
    vanish: Vec<OrgName>,
    /// Keep homes, keys, logs and results in this folder, which must be empty.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Lab {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        block_on(interruptible(self.ask_all(context)))
    }

    async fn ask_all(self, context: &Context) -> Result<(), Failure> {
        let yaml = std::fs::read_to_string(&self.ask)
            .map_err(|fault| file_problem(&self.ask, "read", &fault))?;
        let job = Job::from_yaml(&yaml)?;
        let organisations = self.organisations.read()?;
        let asker = asker(&job, &organisations)?;
        check_vanishing(&self.vanish, &asker, &organisations)?;
        let mut setup = Vec::new();
        let mut world = start(&organisations, &asker, self.keep.as_deref(), &mut setup).await?;
        check(&mut world, &asker, &yaml).await?;
        let before = Spent::by(&world);
        let display = Display::quiet_unless_interactive(context.screen);
        let finished = world
            .ask_and_lose(&asker, yaml, display, |_, _| {}, &self.vanish)
            .await?;
        let spent = Spent::by(&world);
        let results = self.results(&mut world, &job, &finished.job.id).await?;
        if let Some(out) = &self.out {
            let node = &mut world.member(&asker)?.node;
            job::save_result(node, &finished.job.id, out).await?;
        }
        let results = Results { asker, results };
        let used = [&before, &spent];
        let report = Report::of(&mut world, results, setup, &finished, used, &self.vanish).await?;
        context.screen.show(&report, Report::text);
        Ok(())
    }

    /// What each organisation that reads has at its own node.
    async fn results(
        &self,
        world: &mut World,
        job: &Job,
        id: &str,
    ) -> Result<BTreeMap<OrgName, ResultTable>, Failure> {
        let mut results = BTreeMap::new();
        for org in &job.results_to {
            let member = world.member(org)?;
            await_end(member, id).await?;
            let result = job::read_large_result(&mut member.node, id, self.rows).await?;
            results.insert(org.clone(), result);
        }
        Ok(results)
    }
}

/// Whoever reads the answer asks; the first by name where several do.
fn asker(job: &Job, organisations: &[Organisation]) -> Result<OrgName, Problem> {
    let named = |org: &&OrgName| organisations.iter().any(|named| named.org == **org);
    job.results_to.iter().find(named).cloned().ok_or_else(|| {
        Problem::request(
            Code::JobFile,
            "results_to names none of the organisations given with --org",
            "name one of them in results_to, or give it with --org",
        )
    })
}

/// Whoever is to vanish is there to vanish, and is not the one whose node shows what becomes of the others.
fn check_vanishing(
    vanishing: &[OrgName],
    asker: &OrgName,
    organisations: &[Organisation],
) -> Result<(), Problem> {
    for org in vanishing {
        let todo = "name another organisation of the question with --vanish";
        let wrong = |what| Err(Problem::request(Code::Argument, what, todo));
        if org == asker {
            return wrong(format!("{org} asks, so its node cannot vanish"));
        }
        if !organisations.iter().any(|named| named.org == *org) {
            return wrong(format!("--vanish {org} names no --org"));
        }
    }
    Ok(())
}

/// Starts all processes, links everyone, registers and publishes everything.
async fn start(
    organisations: &[Organisation],
    asker: &OrgName,
    keep: Option<&Path>,
    setup: &mut Vec<Timer>,
) -> Result<World, Failure> {
    let begin = Instant::now();
    let orgs: Vec<_> = organisations
        .iter()
        .map(|organisation| (organisation.org.clone(), organisation.roles()))
        .collect();
    let mut world = World::start(Folder::new(keep)?, &orgs).await?;
    setup.push(Timer::since(begin, "starting"));
    let begin = Instant::now();
    world.link().await?;
    setup.push(Timer::since(begin, "linking"));
    let begin = Instant::now();
    for organisation in organisations {
        let member = world.member(&organisation.org)?;
        for dataset in &organisation.datasets {
            let registered = member.register(&dataset.policy, &dataset.file).await;
            registered.map_err(|problem| seen_from(asker, &member.org, problem.into()))?;
        }
    }
    setup.push(Timer::since(begin, "registering"));
    let begin = Instant::now();
    for organisation in organisations {
        let member = world.member(&organisation.org)?;
        for dataset in &organisation.datasets {
            let policy = dataset.policy_text.clone();
            let published = member.publish(&dataset.policy, policy).await;
            published.map_err(|failure| seen_from(asker, &member.org, failure))?;
        }
    }
    let published = organisations.iter().map(|each| each.datasets.len()).sum();
    world.await_catalogs(published).await?;
    setup.push(Timer::since(begin, "publishing"));
    Ok(world)
}

/// What stopped an organisation's node, in the asker's words: for whoever runs the lab, not every node is "here".
fn seen_from(asker: &OrgName, org: &OrgName, failure: Failure) -> Failure {
    match failure {
        Failure::Problems(mut problems) if asker != org => {
            for problem in &mut problems {
                if problem.side == Side::Here {
                    problem.side = Side::Partner { org: org.clone() };
                }
            }
            Failure::Problems(problems)
        }
        other => other,
    }
}

/// Every reason why the question cannot be asked, before anybody is asked to approve.
async fn check(world: &mut World, asker: &OrgName, yaml: &str) -> Result<(), Failure> {
    let node: &mut LocalNode = &mut world.member(asker)?.node;
    let check = node.job_check(yaml.to_owned()).await?;
    if check.problems.is_empty() {
        return Ok(());
    }
    Err(Failure::Problems(check.problems))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_organisation_that_does_not_ask_can_vanish() {
        let org = |name: &str| name.parse::<OrgName>().expect("a label");
        let named = |name: &str| Organisation {
            org: org(name),
            datasets: Vec::new(),
        };
        let organisations = [named("a"), named("b"), named("c")];
        let vanishing = |name: &str| check_vanishing(&[org(name)], &org("a"), &organisations);
        assert!(vanishing("b").is_ok());
        for wrong in ["a", "d"] {
            let problem = vanishing(wrong).expect_err(wrong);
            assert_eq!(problem.code, Code::Argument);
            assert!(problem.what.contains(wrong), "{problem:?}");
        }
    }

    #[test]
    fn a_problem_is_here_at_the_askers_node_alone() {
        let org = |name: &str| name.parse::<OrgName>().expect("a label");
        let (asker, other) = (org("north-bank"), org("river-pay"));
        let side = |org: &OrgName, side: Side| {
            let problem = Problem {
                side,
                ..Problem::here(Code::ValueOutside, "a value", "repair it")
            };
            match seen_from(&asker, org, problem.into()) {
                Failure::Problems(problems) => problems.first().map(|first| first.side.clone()),
                _ => None,
            }
        };
        assert_eq!(side(&asker, Side::Here), Some(Side::Here));
        let partner = Side::Partner { org: other.clone() };
        assert_eq!(side(&other, Side::Here), Some(partner));
        assert_eq!(side(&other, Side::Request), Some(Side::Request));
    }
}
