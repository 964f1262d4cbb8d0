//! Which threads work on the store.

use super::{NOW_MS, invite};
use crate::ledger::Ledger;
use std::fs;

/// The names of this process's threads, as the kernel keeps them.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("lists the threads");
    // A thread that has ended meanwhile has no name to read.
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim_end().to_owned()).collect()
}

#[test]
fn no_thread_of_sleds_own_flushes_beside_ours() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let ledger = Ledger::open(home.path()).expect("opens");
    ledger.record(NOW_MS, invite(1)).expect("records");
    let threads = threads();
    assert!(
        threads.iter().any(|name| name.starts_with("sled-io")),
        "sled's threads can be told by their names: {threads:?}"
    );
    assert!(
        !threads.iter().any(|name| name == "log flusher"),
        "{threads:?}"
    );
}
