//! The README's three terminals, pasted block by block into three shells, as a newcomer does it; only the folder and the ports are
//! this test's own.

use crate::world::command::{binary, entente};
use crate::world::until;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// Longest a block may take.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(120);

/// One block of the README and the terminals it is for.
struct Block {
    terminals: Vec<usize>,
    text: String,
}

/// The blocks between the markers that name a terminal, in order.
fn blocks() -> Vec<Block> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    let (_, by_hand) = readme.split_once("<!-- by-hand -->").expect("the marker");
    let (by_hand, _) = by_hand
        .split_once("<!-- end by-hand -->")
        .expect("the marker");
    let mut blocks = Vec::new();
    for part in by_hand.split("```sh").skip(1) {
        let (head, rest) = part.split_once('\n').expect("a line");
        let (text, _) = rest.split_once("```").expect("the block ends");
        let terminals = match head.trim() {
            "" => continue,
            "every" => vec![0, 1, 2],
            number => vec![number.parse::<usize>().expect("a terminal") - 1],
        };
        let text = text.to_owned();
        blocks.push(Block { terminals, text });
    }
    assert!(blocks.len() >= 9, "the README has lost its blocks");
    blocks
}

/// A shell that a person types into.
struct Terminal {
    shell: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<String>,
    said: Vec<String>,
}

impl Terminal {
    fn open(folder: &Path) -> Self {
        let mut shell = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .spawn()
            .expect("bash is there");
        let mut stdin = shell.stdin.take().expect("it is piped");
        let stdout = shell.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        writeln!(stdin, "set -euo pipefail").expect("the shell reads");
        Self {
            shell,
            stdin,
            lines,
            said: Vec::new(),
        }
    }

    /// Pastes a block and waits until its last command has ended well; what it printed.
    fn paste(&mut self, text: &str) -> String {
        const END: &str = "--- the block has ended ---";
        write!(self.stdin, "{text}\necho '{END}'\n").expect("the shell reads");
        self.said.clear();
        loop {
            let line = self.lines.recv_timeout(BLOCK_TIMEOUT);
            let Ok(line) = line else {
                panic!(
                    "a command failed or hangs:\n{text}\nsaid:\n{}",
                    self.said.join("\n")
                );
            };
            if line == END {
                return self.said.join("\n");
            }
            self.said.push(line);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The shell and what it still runs in the background.
        let group = format!("-{}", self.shell.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.shell.wait();
    }
}

/// Ports that nobody listens on now, all different.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

#[test]
fn the_readmes_three_terminals_give_the_demos_answer() {
    let scratch = TempDir::with_prefix("entente-").expect("a folder");
    let folder = scratch.path().join("kept");
    let shown = folder.display().to_string();
    let demo = ["demo", "--keep", &shown, "--scale", "4000", "--seed", "9"];
    let report = entente(scratch.path(), &demo).json();
    let due = report["questions"][0]["result"]["rows"].clone();
    let bin = Path::new(binary())
        .parent()
        .expect("a folder")
        .display()
        .to_string();
    let ports = free_ports();
    let fitted = |text: &str| {
        let mut text = text
            .replace("/tmp/entente", &shown)
            .replace("$PWD/target/debug", &bin);
        for (at, port) in ports.iter().enumerate() {
            text = text.replace(
                &format!("127.0.0.1:{}", 7440 + at),
                &format!("127.0.0.1:{port}"),
            );
        }
        text
    };
    let mut terminals = [(); 3].map(|()| Terminal::open(scratch.path()));
    let mut answer = String::new();
    for block in blocks() {
        // A person is slower than the network; a test is not.
        if block.text.contains("entente catalog") {
            until("both datasets in the catalogue", || {
                let catalog = entente(&folder.join("bank"), &["catalog"]).json();
                (catalog.as_array()?.len() == 2).then_some(())
            });
        }
        if block.text.contains("entente inbox") {
            until("the job in the inbox", || {
                let inbox = entente(&folder.join("pay"), &["inbox"]).json();
                (inbox.as_array()?.len() == 1).then_some(())
            });
        }
        for terminal in block.terminals {
            answer = terminals[terminal].paste(&fitted(&block.text)) + "\n" + &answer;
        }
    }
    for row in due.as_array().expect("rows") {
        for cell in row.as_array().expect("cells") {
            let cell = cell.as_str().expect("text");
            assert!(answer.contains(cell), "{cell} is not in:\n{answer}");
        }
    }
}
