//! One call of the binary under test, with a deadline.

use entente_wire::problem::{Code, Problem};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longest a command may take: every wait inside it has a shorter deadline.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(180);

/// The binary under test.
pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_entente")
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the binary with `--json` in a home.
pub(crate) fn entente(home: &Path, args: &[&str]) -> Outcome {
    let mut command = Command::new(binary());
    command.arg("--json").arg("--home").arg(home).args(args);
    run(command)
}

/// Runs the binary as a person does.
pub(crate) fn entente_text(home: &Path, args: &[&str]) -> Outcome {
    let mut command = Command::new(binary());
    command.arg("--home").arg(home).args(args);
    run(command)
}

/// Runs any command to its end; one that does not end is a failure.
pub(crate) fn run(mut command: Command) -> Outcome {
    let shown = format!("{command:?}");
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("ENTENTE_HOME")
        .spawn()
        .unwrap_or_else(|fault| panic!("{shown}: {fault}"));
    let pid = child.id().to_string();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(COMMAND_TIMEOUT) else {
        let _ = Command::new("kill")
            .args([OsStr::new("-9"), OsStr::new(&pid)])
            .status();
        panic!("{shown} did not end within {COMMAND_TIMEOUT:?}");
    };
    let output = output.expect("a child's output reads");
    Outcome {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Outcome {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// The document of a command that succeeded.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert!(self.succeeded(), "{self:?}");
        self.last_json_line()
    }

    /// The last document, however the command ended.
    #[track_caller]
    pub(crate) fn last_json_line(&self) -> Value {
        let line = self.stdout.lines().last();
        let line = line.unwrap_or_else(|| panic!("no document: {self:?}"));
        serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }

    /// All problems of a command that failed, the decisive one first. A panic is never a problem.
    #[track_caller]
    pub(crate) fn problems(&self) -> Vec<Problem> {
        assert!(!self.succeeded(), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        let lines = self.stderr.lines().filter(|line| line.starts_with('{'));
        lines
            .map(|line| {
                let line: Value = serde_json::from_str(line).expect("problems are JSON");
                serde_json::from_value(line["problem"].clone()).expect("a problem")
            })
            .collect()
    }

    /// The decisive problem. It has this code, the exit code of its area, and says what to do.
    #[track_caller]
    pub(crate) fn problem(&self, code: Code) -> Problem {
        let problem = self.problems().into_iter().next();
        let problem = problem.unwrap_or_else(|| panic!("no problem: {self:?}"));
        assert_eq!(problem.code, code, "{problem:?}");
        assert!(
            !problem.what.is_empty() && !problem.todo.is_empty(),
            "{problem:?}"
        );
        let area = code.as_str()[1..2].parse::<i32>().expect("a digit");
        assert_eq!(self.status.code(), Some(10 + area), "{self:?}");
        problem
    }
}
