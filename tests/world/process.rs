//! A service as a child process that ends with the test, whatever becomes of the test.

use super::command::binary;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A service opens its port within this, on a machine that is busy with other tests.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running node or coordinator.
pub(crate) struct Service {
    child: Child,
    stdin: Option<ChildStdin>,
    listen: SocketAddr,
}

impl Service {
    /// Starts the service of a home and waits until it is ready. It stops when its standard input closes.
    pub(crate) fn start(home: &Path, noun: &[&str]) -> Self {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(home.join("service.log"))
            .expect("the home takes files");
        let mut child = Command::new(binary())
            .args(["--json", "--home"])
            .arg(home)
            .args(noun)
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("it is piped");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(listen) = line["listen"].as_str() {
                    let _ = sender.send(listen.parse().expect("an address"));
                }
            }
        });
        let listen = receiver.recv_timeout(START_TIMEOUT).unwrap_or_else(|_| {
            let log = std::fs::read_to_string(home.join("service.log")).unwrap_or_default();
            let _ = child.kill();
            panic!("{noun:?} did not open its port:\n{log}");
        });
        Self {
            child,
            stdin,
            listen,
        }
    }

    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("the process is ours");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stdin = None;
        // It stops by itself; if it does not, the deadline of the service's own drain ends it, and this must not hang.
        let pid = self.child.id();
        let (sender, receiver) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if receiver.recv_timeout(Duration::from_secs(10)).is_err() {
                let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
            }
        });
        let _ = self.child.wait();
        let _ = sender.send(());
    }
}
