//! How a running job is shown: on a terminal a line that redraws itself, otherwise one line at each stage.

use crate::duration::{bytes_in_words, in_words};
use crate::screen::Screen;
use entente_wire::local::{JobState, JobView, Progress};
use entente_wire::problem::Problem;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// How often the line on a terminal moves while nothing changes.
const TICK: Duration = Duration::from_millis(120);

/// Shows one job's changes.
pub(crate) struct Display {
    screen: Screen,
    bar: Option<ProgressBar>,
    last_line: String,
    /// What stood in the way when it was told last.
    last_hindrance: Option<String>,
    is_quiet: bool,
}

impl Display {
    /// For a terminal, a pipe, or a program, as `screen` is.
    pub(crate) fn new(screen: Screen) -> Self {
        let bar = screen.is_interactive().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(TICK);
            bar
        });
        Self {
            screen,
            bar,
            last_line: String::new(),
            last_hindrance: None,
            is_quiet: false,
        }
    }

    /// For a command whose own document comes later: progress shows on a terminal or not at all.
    pub(crate) fn quiet_unless_interactive(screen: Screen) -> Self {
        Self {
            is_quiet: !screen.is_interactive(),
            ..Self::new(screen)
        }
    }

    /// The job changed.
    pub(crate) fn show(&mut self, job: &JobView) {
        self.tell_hindrance(job);
        if self.is_quiet {
            return;
        }
        if self.screen.is_json() {
            self.screen.json_line(job);
            return;
        }
        if let Some(bar) = &self.bar {
            redraw(bar, job);
            return;
        }
        // Rows and bytes change all the time; a log wants the stages.
        let line = line(job);
        if line != self.last_line {
            self.screen.line(format!("{} {line}", job.id));
            self.last_line = line;
        }
    }

    /// Says once what a job waits for where nothing else would: nobody should look at a spinner, or at nothing, for hours.
    fn tell_hindrance(&mut self, job: &JobView) {
        let hindrance = hindrance(job);
        if hindrance == self.last_hindrance || self.screen.is_json() {
            return;
        }
        if let Some(what) = &hindrance {
            match &self.bar {
                Some(bar) => bar.println(format!("{}: {what}", job.id)),
                None if self.is_quiet => self.screen.notice(format!("{}: {what}", job.id)),
                None => {}
            }
        }
        self.last_hindrance = hindrance;
    }

    /// Takes the redrawn line off the terminal.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn redraw(bar: &ProgressBar, job: &JobView) {
    let style = match job
        .progress
        .as_ref()
        .and_then(|progress| progress.rows_total)
    {
        Some(_) => "{spinner} {prefix} {bar:24} {pos}/{len} rows {msg}",
        None => "{spinner} {prefix} {msg}",
    };
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    match &job.progress {
        Some(progress) => {
            if let Some(total) = progress.rows_total {
                bar.set_length(total);
                bar.set_position(progress.rows_done);
            }
            bar.set_prefix(format!("{} {}", job.id, progress.stage));
            bar.set_message(traffic(progress));
        }
        None => {
            bar.set_prefix(job.id.clone());
            bar.set_message(state_text(job));
        }
    }
}

/// Bytes and the time that is left.
fn traffic(progress: &Progress) -> String {
    let eta = match progress.eta_ms {
        Some(ms) => format!(", ETA {}", in_words(ms as f64 / 1000.0)),
        None => String::new(),
    };
    format!(
        "sent {}, received {}{eta}",
        bytes_in_words(progress.sent_bytes),
        bytes_in_words(progress.received_bytes)
    )
}

/// A job's state in a line, and what stands in its way.
pub(crate) fn line(job: &JobView) -> String {
    match hindrance(job) {
        Some(what) => format!("{}; {what}", state_text(job)),
        None => state_text(job),
    }
}

/// Why a job that is not over does not go on for now, and what to do about it.
fn hindrance(job: &JobView) -> Option<String> {
    let problem = job.problem.as_ref().filter(|_| !job.state.is_final())?;
    let Problem {
        what, side, todo, ..
    } = problem;
    Some(format!("{what} ({side}); {todo}"))
}

/// A job's state in a line.
pub(crate) fn state_text(job: &JobView) -> String {
    let state = state_name(job.state);
    match (job.state, &job.progress) {
        (JobState::AwaitingApprovals | JobState::Submitted, _) if !job.waiting_for.is_empty() => {
            format!("{state}; waiting: {}", waiting_text(job))
        }
        (JobState::Ready | JobState::Running, Some(progress)) => {
            format!("{state}: {}", progress.stage)
        }
        (JobState::Done, Some(progress)) => format!(
            "{state} in {}; {}",
            in_words(progress.elapsed_ms as f64 / 1000.0),
            traffic(&Progress {
                eta_ms: None,
                ..progress.clone()
            })
        ),
        _ => state.to_owned(),
    }
}

/// Whose approvals are missing: `river-pay 2 of compliance, data-owner`.
pub(crate) fn waiting_text(job: &JobView) -> String {
    let parts: Vec<String> = job
        .waiting_for
        .iter()
        .map(|waiting| {
            let roles: Vec<&str> = waiting.of.iter().map(|role| role.as_str()).collect();
            format!("{} {} of {}", waiting.org, waiting.need, roles.join(", "))
        })
        .collect();
    parts.join("; ")
}

/// The state as JSON has it.
pub(crate) fn state_name(state: JobState) -> &'static str {
    match state {
        JobState::Submitted => "submitted",
        JobState::AwaitingApprovals => "awaiting-approvals",
        JobState::Ready => "ready",
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
        JobState::Expired => "expired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_wire::canonical::Digest;
    use entente_wire::problem::Code;
    use entente_wire::seal::JobHash;

    fn job(state: JobState, problem: Option<Problem>) -> JobView {
        let org = |name: &str| name.parse().expect("a label");
        JobView {
            hash: JobHash(Digest([0; 32])),
            id: "J-00000000".to_owned(),
            name: "overdue".to_owned(),
            asker: org("north-bank"),
            parties: vec![org("north-bank"), org("hill-bank"), org("lake-bank")],
            state,
            waiting_for: Vec::new(),
            progress: Some(Progress {
                attempt: 2,
                stage: "waiting for the other parties".to_owned(),
                rows_done: 0,
                rows_total: None,
                sent_bytes: 0,
                received_bytes: 0,
                elapsed_ms: 0,
                eta_ms: None,
                stages_ms: Vec::new(),
            }),
            problem,
            result_rows: None,
            suppressed_groups: None,
            summed_parties: None,
            result_path: None,
        }
    }

    #[test]
    fn a_job_that_waits_says_for_what_and_one_that_is_over_does_not() {
        let few = Problem::here(Code::TooFewParties, "2 of 3 came", "start the third");
        let waits = line(&job(JobState::Ready, Some(few.clone())));
        let due =
            "ready: waiting for the other parties; 2 of 3 came (on this side); start the third";
        assert_eq!(waits, due);
        let goes_on = line(&job(JobState::Running, None));
        assert_eq!(goes_on, "running: waiting for the other parties");
        let over = line(&job(JobState::Failed, Some(few)));
        assert_eq!(over, "failed");
    }
}
