//! Homes that cannot be used: no keys, bad keys, somebody else's, a port that is taken, two nodes in one.

use crate::world::command::{Outcome, entente};
use entente_wire::problem::{Code, Side};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// A home of an organisation that never ran.
fn home() -> TempDir {
    let home = TempDir::with_prefix("entente-").expect("a folder");
    entente(
        home.path(),
        &["init", "--org", "north-bank", "--listen", "127.0.0.1:0"],
    )
    .json();
    home
}

/// Starts the node, which must refuse at once.
#[track_caller]
fn refuses(home: &Path, code: Code) -> String {
    let problem = entente(home, &["node"]).problem(code);
    assert_eq!(problem.side, Side::Here, "{problem:?}");
    format!("{} {}", problem.what, problem.todo)
}

#[test]
fn a_folder_that_is_no_home_is_refused() {
    let folder = TempDir::with_prefix("entente-").expect("a folder");
    for home in [folder.path(), &folder.path().join("absent")] {
        let problem = entente(home, &["node"]).problem(Code::Home);
        assert!(problem.todo.contains("entente init"), "{problem:?}");
    }
}

#[test]
fn a_missing_key_file_is_named() {
    for name in ["root.key", "root.crt", "sign.key"] {
        let home = home();
        std::fs::remove_file(home.path().join("keys").join(name)).expect("it is there");
        let text = refuses(home.path(), Code::KeyFile);
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn a_key_file_of_rubbish_is_named() {
    for name in ["root.key", "root.crt", "sign.key", "node.key"] {
        let home = home();
        let path = home.path().join("keys").join(name);
        std::fs::write(
            &path,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        )
        .expect("it can be written");
        let text = refuses(home.path(), Code::KeyFile);
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let home = home();
    let path = home.path().join("keys/root.key");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("it is ours");
    let text = refuses(home.path(), Code::KeyFile);
    assert!(text.contains("chmod 600"), "{text}");
}

#[test]
fn keys_of_another_organisation_are_refused() {
    let (one, other) = (home(), TempDir::with_prefix("entente-").expect("a folder"));
    entente(
        other.path(),
        &["init", "--org", "river-pay", "--listen", "127.0.0.1:0"],
    )
    .json();
    for name in ["root.key", "root.crt"] {
        let from = other.path().join("keys").join(name);
        std::fs::copy(from, one.path().join("keys").join(name)).expect("it can be written");
    }
    refuses(one.path(), Code::Home);
}

#[test]
fn a_setting_that_does_not_exist_is_named_with_its_line() {
    let home = home();
    let path = home.path().join("org.toml");
    let text = std::fs::read_to_string(&path).expect("settings");
    std::fs::write(&path, format!("{text}mtls = false\n")).expect("it can be written");
    let text = refuses(home.path(), Code::Home);
    assert!(text.contains("mtls") && text.contains("line"), "{text}");
}

/// Takes a port, and has an organisation or a coordinator want it.
fn with_port_taken(run: impl Fn(&Path, &str) -> Outcome) {
    let folder = TempDir::with_prefix("entente-").expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let problem = run(folder.path(), &address).problem(Code::PortInUse);
    assert!(problem.what.contains(&address), "{problem:?}");
    assert_eq!(problem.side, Side::Here, "{problem:?}");
}

#[test]
fn a_port_in_use_is_named() {
    with_port_taken(|home, address| {
        entente(home, &["init", "--org", "north-bank", "--listen", address]).json();
        entente(home, &["node"])
    });
    with_port_taken(|home, address| {
        entente(home, &["coordinator", "init", "--listen", address]).json();
        entente(home, &["coordinator", "run"])
    });
}

#[test]
fn a_second_node_in_one_home_is_refused() {
    let home = home();
    let _first = crate::world::process::Service::start(home.path(), &["node"]);
    refuses(home.path(), Code::Home);
    assert!(
        entente(home.path(), &["status"]).succeeded(),
        "the first goes on"
    );
}

#[test]
fn names_that_cannot_stand_in_certificates_are_refused() {
    let folder = TempDir::with_prefix("entente-").expect("a folder");
    for name in ["North", "north bank", "north.bank", "", "-x", "北行"] {
        let outcome = entente(folder.path(), &["init", "--org", name]);
        assert_eq!(outcome.status.code(), Some(2), "{name}: {outcome:?}");
    }
    assert!(!folder.path().join("keys").exists());
}
