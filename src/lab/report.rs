//! What a lab run gives: the result, where the time went, and what every process used.

use crate::duration::{bytes_in_words, in_words};
use crate::failure::Failure;
use crate::loopback::{Finished, Timer, Usage, World, usage_of};
use crate::result_table::ResultTable;
use crate::screen::table;
use entente_wire::local::Progress;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use serde::Serialize;
use std::collections::BTreeMap;

/// The JSON document of `entente lab`.
#[derive(Serialize)]
pub(super) struct Report {
    /// The asker's.
    result: ResultTable,
    /// Where more than one organisation reads: what each has, by its name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    results: BTreeMap<OrgName, ResultTable>,
    /// From all approvals given to the result on disk.
    wall_s: f64,
    /// The run's own stages, as the asker's node saw them.
    stages: Vec<Timer>,
    /// What came before: starting, linking, registering, publishing.
    setup: Vec<Timer>,
    processes: Vec<Process>,
}

/// What one process used.
#[derive(Serialize)]
struct Process {
    org: String,
    role: &'static str,
    /// CPU seconds from the submission to the result on disk, all threads; null of a process that was killed, like all its figures.
    cpu_s: Option<f64>,
    /// CPU seconds of the process's whole life.
    cpu_total_s: Option<f64>,
    /// Largest resident memory of the process's whole life, registration included.
    peak_mib: Option<f64>,
    /// Protocol bytes sent to the other parties; null for the coordinator, which takes no part.
    sent_bytes: Option<u64>,
    /// Protocol bytes received from the other parties.
    received_bytes: Option<u64>,
}

/// What each organisation that reads has, and whose is shown first.
pub(super) struct Results {
    pub(super) asker: OrgName,
    pub(super) results: BTreeMap<OrgName, ResultTable>,
}

impl Results {
    /// The asker's, and all of them where there are several.
    fn split(mut self) -> Result<(ResultTable, BTreeMap<OrgName, ResultTable>), Problem> {
        let several = self.results.len() > 1;
        let own = match several {
            true => self.results.get(&self.asker).cloned(),
            false => self.results.remove(&self.asker),
        };
        let own = own.ok_or_else(|| {
            let what = "the asker's result was not read";
            Problem::here(Code::Defect, what, "report this with the job file")
        })?;
        Ok((own, self.results))
    }
}

/// What every process had used at one moment, members first, the coordinator last.
pub(super) struct Spent {
    each: Vec<Option<Usage>>,
}

impl Spent {
    /// Up to now.
    pub(super) fn by(world: &World) -> Self {
        let members = world.members.iter().map(|member| member.service.pid());
        let pids = members.chain([world.coordinator.pid()]);
        Self {
            each: pids.map(usage_of).collect(),
        }
    }
}

impl Report {
    /// Puts the figures together.
    pub(super) async fn of(
        world: &mut World,
        results: Results,
        setup: Vec<Timer>,
        finished: &Finished,
        [before, after]: [&Spent; 2],
        vanished: &[OrgName],
    ) -> Result<Self, Failure> {
        let stages = finished.job.progress.iter().flat_map(|progress| {
            progress.stages_ms.iter().map(|(name, ms)| Timer {
                name: name.clone(),
                wall_s: *ms as f64 / 1000.0,
            })
        });
        let mut processes = Vec::new();
        let mut progress = Vec::new();
        for member in &mut world.members {
            let jobs = match vanished.contains(&member.org) {
                true => Vec::new(),
                false => member.node.jobs().await?,
            };
            let job = jobs.into_iter().find(|job| job.id == finished.job.id);
            progress.push((Some(member.org.clone()), job.and_then(|job| job.progress)));
        }
        progress.push((None, None));
        let used = before.each.iter().zip(&after.each);
        for ((org, progress), (begin, end)) in progress.into_iter().zip(used) {
            processes.push(Process::of(org, progress, begin.zip(*end)));
        }
        let (result, results) = results.split()?;
        Ok(Self {
            result,
            results,
            wall_s: finished.wall_s,
            stages: stages.collect(),
            setup,
            processes,
        })
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let stages = self.stages.iter().map(timer_text).collect::<Vec<_>>();
        let setup = self.setup.iter().map(timer_text).collect::<Vec<_>>();
        let rows = self.processes.iter().map(Process::row).collect();
        let shown = match self.results.is_empty() {
            true => self.result.text(),
            false => {
                let each = self.results.iter();
                let each = each.map(|(org, result)| format!("{org} reads:\n{}", result.text()));
                each.collect::<Vec<_>>().join("\n\n")
            }
        };
        format!(
            "{}\n\nfrom all approvals to the result on disk: {} ({})\nbefore that: {}\n{}",
            shown,
            in_words(self.wall_s),
            stages.join(", "),
            setup.join(", "),
            table(
                &[
                    "process",
                    "CPU of the job",
                    "CPU in all",
                    "peak memory",
                    "sent",
                    "received"
                ],
                &[1, 2, 3, 4, 5],
                rows
            )
        )
    }
}

fn timer_text(timer: &Timer) -> String {
    format!("{} {}", timer.name, in_words(timer.wall_s))
}

impl Process {
    fn of(org: Option<OrgName>, progress: Option<Progress>, used: Option<(Usage, Usage)>) -> Self {
        let role = if org.is_some() { "node" } else { "coordinator" };
        Self {
            org: org.map_or_else(|| "coordinator".to_owned(), String::from),
            role,
            cpu_s: used.map(|(begin, end)| end.cpu_s - begin.cpu_s),
            cpu_total_s: used.map(|(_, end)| end.cpu_s),
            peak_mib: used.map(|(_, end)| end.peak_mib),
            sent_bytes: progress.as_ref().map(|progress| progress.sent_bytes),
            received_bytes: progress.as_ref().map(|progress| progress.received_bytes),
        }
    }

    fn row(&self) -> Vec<String> {
        let bytes = |count: Option<u64>| count.map_or_else(String::new, bytes_in_words);
        let seconds = |count: Option<f64>| count.map_or_else(String::new, in_words);
        let mib = self.peak_mib.map(|mib| format!("{mib:.0} MiB"));
        vec![
            self.org.clone(),
            seconds(self.cpu_s),
            seconds(self.cpu_total_s),
            mib.unwrap_or_default(),
            bytes(self.sent_bytes),
            bytes(self.received_bytes),
        ]
    }
}
