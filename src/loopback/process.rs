//! A service as a child process that never outlives its parent: its standard input is a pipe, and it stops when that closes,
//! whether the parent drops it, panics or is killed.

use entente_wire::problem::{Code, Problem};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A service opens its port within this, on a machine that is busy with other work.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// A service that was told to stop has this long before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a stopping service is looked at.
const STOP_POLL: Duration = Duration::from_millis(10);
/// What a service says, in its home.
const LOG: &str = "service.log";

/// A child that was started and may not be ready yet.
pub(super) struct Starting {
    service: Service,
    ready: mpsc::Receiver<SocketAddr>,
    name: String,
    log: PathBuf,
}

/// A running service.
pub(crate) struct Service {
    child: Child,
    /// Held open for as long as the service may run.
    stdin: Option<ChildStdin>,
    listen: SocketAddr,
    told_to_stop: Option<Instant>,
}

impl Service {
    /// Starts this same binary as `entente --home HOME NOUN…`; its log goes to a file in that home.
    pub(super) fn start(name: &str, home: &Path, noun: &[&str]) -> Result<Starting, Problem> {
        let failed = |fault: std::io::Error| {
            Problem::here(
                Code::Defect,
                format!("{name} cannot be started: {fault}"),
                "check this machine's limits on processes and open files",
            )
        };
        let log = home.join(LOG);
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .arg("--json")
            .arg("--home")
            .arg(home)
            .args(noun)
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(failed)?)
            // A terminal's Ctrl-C reaches the parent alone, which then ends its children in order.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let (sender, ready) = mpsc::channel();
        let stdin = child.stdin.take();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if let Some(listen) = listen_of(&line) {
                        let _ = sender.send(listen);
                    }
                }
            });
        }
        let service = Self {
            child,
            stdin,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            told_to_stop: None,
        };
        let name = name.to_owned();
        Ok(Starting {
            service,
            ready,
            name,
            log,
        })
    }

    /// Where it listens.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash would, without a word to anybody.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Tells it to stop, without waiting.
    pub(super) fn stop(&mut self) {
        self.stdin = None;
        self.told_to_stop.get_or_insert_with(Instant::now);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
        while self
            .told_to_stop
            .is_some_and(|at| at.elapsed() < STOP_TIMEOUT)
        {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(STOP_POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line that a service prints once it is ready.
fn listen_of(line: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    line.get("ready")?;
    line.get("listen")?.as_str()?.parse().ok()
}

impl Starting {
    /// Waits until it listens.
    pub(super) fn wait(mut self) -> Result<Service, Problem> {
        match self.ready.recv_timeout(START_TIMEOUT) {
            Ok(listen) => {
                self.service.listen = listen;
                Ok(self.service)
            }
            Err(_) => Err(self.why()),
        }
    }

    /// The service's own problem, from its log.
    fn why(&self) -> Problem {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let told = log.lines().rev().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            serde_json::from_value(line.get("problem")?.clone()).ok()
        });
        told.unwrap_or_else(|| {
            Problem::here(
                Code::Defect,
                format!("{} did not open its port", self.name),
                format!("see {}", self.log.display()),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ready_line_names_the_port() {
        let ready = r#"{"ready":"node","listen":"127.0.0.1:4711"}"#;
        let address = SocketAddr::from(([127, 0, 0, 1], 4711));
        assert_eq!(listen_of(ready), Some(address));
        assert_eq!(listen_of(r#"{"listen":"127.0.0.1:4711"}"#), None);
        assert_eq!(listen_of("listening on 127.0.0.1:4711"), None);
    }
}
