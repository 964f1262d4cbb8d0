//! No process outlives what started it, however that ends, and a service ends in order when it is told to.

use crate::world::command::binary;
use crate::world::until;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The processes that a process started.
fn children_of(pid: u32) -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, after_name) = stat.rsplit_once(')')?;
        after_name.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    let entries = std::fs::read_dir("/proc").expect("Linux").flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|child| parent(*child) == Some(pid))
        .collect()
}

/// Neither running nor waiting to be collected by somebody else.
fn is_gone(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

/// A running demo, killed with this.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A demo that has started all its processes.
fn demo(home: &Path) -> (Demo, Vec<u32>) {
    let demo = Command::new(binary())
        .arg("--home")
        .arg(home)
        .args(["demo", "--scale", "20000"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let demo = Demo(demo);
    let children = until("the demo's three processes", || {
        let children = children_of(demo.0.id());
        (children.len() == 3).then_some(children)
    });
    (demo, children)
}

fn end_together(mut demo: Demo, children: Vec<u32>) -> Option<i32> {
    let code = demo.0.wait().expect("it is ours").code();
    until("the end of the demo's processes", || {
        children.iter().all(|pid| is_gone(*pid)).then_some(())
    });
    code
}

#[test]
fn a_killed_demo_leaves_no_process() {
    let home = TempDir::with_prefix("entente-").expect("a folder");
    let (demo, children) = demo(home.path());
    signal("-KILL", demo.0.id());
    end_together(demo, children);
}

#[test]
fn an_interrupted_demo_ends_with_130_and_leaves_no_process() {
    let home = TempDir::with_prefix("entente-").expect("a folder");
    let (demo, children) = demo(home.path());
    signal("-INT", demo.0.id());
    assert_eq!(end_together(demo, children), Some(130));
}

#[test]
fn a_node_ends_in_order_at_sigterm() {
    let home = TempDir::with_prefix("entente-").expect("a folder");
    let init = ["init", "--org", "north-bank", "--listen", "127.0.0.1:0"];
    crate::world::command::entente(home.path(), &init).json();
    let mut node = Command::new(binary())
        .args(["--json", "--home"])
        .arg(home.path())
        .arg("node")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let stdout = node.stdout.take().expect("it is piped");
    let mut ready = String::new();
    BufReader::new(stdout)
        .read_line(&mut ready)
        .expect("it prints a line");
    assert!(ready.contains("\"ready\":\"node\""), "{ready}");
    signal("-TERM", node.id());
    assert_eq!(node.wait().expect("it is ours").code(), Some(0));
    assert!(
        !home.path().join("node.sock").exists(),
        "the socket is gone"
    );
}
