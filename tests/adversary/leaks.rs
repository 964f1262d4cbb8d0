//! What must not be found where it does not belong: on the coordinator's disk, at the partner, in logs, in others' files.

use crate::world::files::{self, BY_TIER, REVEAL, job};
use crate::world::{BANK, PAY, World};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Every file below a folder.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found
}

/// Files below a folder that hold a text.
fn holders(folder: &Path, needle: &str) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        let mut windows = bytes.windows(needle.len());
        windows.any(|window| window == needle.as_bytes())
    };
    all_files(folder).into_iter().filter(holds).collect()
}

#[test]
fn no_identifier_and_no_result_is_found_where_it_does_not_belong() {
    let world = World::linked();
    world.datasets("leaks");
    let (id, end) = world.run(&job("leaks", REVEAL));
    assert_eq!(end["state"], "done", "{end}");
    assert!(
        world.result(BANK, &id).contains(&files::mobile(7)),
        "the asker has it"
    );
    let (table, _) = world.run(&job("leaks", BY_TIER));
    let answer = world.result(BANK, &table);
    let cell = answer.lines().nth(1).and_then(|row| row.split(',').nth(2));
    let total = cell.expect("a total");
    let root = world.folder.path();
    let results = root.join(BANK).join("results");
    let nowhere: [PathBuf; 0] = [];
    for n in [0, 7, 1_199, 1_400] {
        let number = files::mobile(n);
        assert_eq!(holders(&root.join("coordinator"), &number), nowhere);
        assert_eq!(holders(&root.join(PAY), &number), nowhere);
        let bank = holders(&root.join(BANK), &number);
        assert!(
            bank.iter().all(|path| path.starts_with(&results)),
            "{bank:?}"
        );
    }
    assert_eq!(holders(&root.join("coordinator"), total), nowhere);
    assert_eq!(holders(&root.join(PAY), total), nowhere);
}

#[test]
fn keys_results_and_the_socket_are_their_owners_alone() {
    let world = World::shared();
    world.datasets("modes");
    world.run(&job("modes", REVEAL));
    let home = world.home(BANK);
    let mode = |path: &Path| {
        let metadata = std::fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    for name in ["keys", "results"] {
        for path in all_files(&home.join(name)) {
            let is_public = path.extension().is_some_and(|end| end == "crt");
            let mode = mode(&path);
            assert!(
                is_public || mode & 0o077 == 0,
                "{}: {mode:o}",
                path.display()
            );
        }
    }
    assert_eq!(mode(&home.join("node.sock")) & 0o077, 0);
}
