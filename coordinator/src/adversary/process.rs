//! The process: homes, ports, restarts, a damaged store, the end.

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tokio::net::TcpListener;

#[tokio::test]
async fn records_outlive_a_restart() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let (hash, job) = north.submission(&river, YEAR_2100);
    let at = stage.start().await;
    north.post(&at, north.registry(3)).await.unwrap();
    north.post(&at, job.clone()).await.unwrap();
    river.post(&at, river.approval(hash)).await.unwrap();
    at.stop().await;

    let at = stage.start().await;
    let mut watch = river.watch(&at).await.unwrap();
    assert_eq!(watch.caught_up().await, [north.registry(3), job]);
    let jobs = north.jobs(&at).await.unwrap();
    assert_eq!(jobs.first().unwrap().waiting_for, ["north-bank"]);
    at.stop().await;
}

/// Overwrites every file of the store.
fn damage(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            damage(&path);
        } else {
            let length = fs::metadata(&path).unwrap().len().max(64);
            let length = usize::try_from(length).unwrap();
            fs::write(&path, vec![0xa5; length]).unwrap();
        }
    }
}

#[tokio::test]
async fn a_damaged_store_is_set_aside_and_filled_again() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let (hash, job) = north.submission(&river, YEAR_2100);
    let refill = |at: Running| {
        let (north, river, job) = (&north, &river, job.clone());
        async move {
            // In the wrong order, as it happens when the partner connects first.
            river.post(&at, river.approval(hash)).await.unwrap();
            north.post(&at, north.registry(1)).await.unwrap();
            north.post(&at, job).await.unwrap();
            at
        }
    };
    let at = refill(stage.start().await).await;
    at.stop().await;
    damage(&stage.home().join("state"));

    let at = stage.start().await;
    assert_eq!(north.jobs(&at).await.unwrap(), []);
    let aside = fs::read_dir(stage.home()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("state.damaged-")
    });
    assert_eq!(aside.count(), 1);

    let at = refill(at).await;
    let mut watch = north.watch(&at).await.unwrap();
    assert_eq!(watch.caught_up().await, [river.approval(hash)]);
    let jobs = river.jobs(&at).await.unwrap();
    assert_eq!(jobs.first().unwrap().state, "awaiting-approvals");
    at.stop().await;
}

#[tokio::test]
async fn a_watch_ends_with_a_word_when_the_coordinator_stops() {
    let north = member("north-bank");
    let stage = Stage::new(&[&north]);
    let at = stage.start().await;
    let mut watch = north.watch(&at).await.unwrap();
    watch.caught_up().await;
    let address = at.address;
    let stopping = tokio::spawn(at.stop());
    assert_eq!(watch.end().await.code, Code::CoordinatorUnreachable);
    drop(watch);
    in_time(stopping).await.unwrap();
    TcpListener::bind(address).await.expect("the port is free");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let stage = Stage::new(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listen = taken.local_addr().unwrap();
    let settings = format!("listen = \"{listen}\"\n");
    fs::write(stage.home().join("coordinator.toml"), settings).unwrap();
    let problem = stage.does_not_start().await;
    assert_eq!(problem.code, Code::PortInUse);
    assert!(problem.what.contains(&listen.to_string()));
}

#[tokio::test]
async fn two_coordinators_do_not_share_a_home() {
    let north = member("north-bank");
    let stage = Stage::new(&[&north]);
    let at = stage.start().await;
    let problem = stage.does_not_start().await;
    assert_eq!(problem.code, Code::Home);
    assert!(problem.what.contains("another coordinator"));
    north.post(&at, north.registry(1)).await.unwrap();
    at.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_home_is_said_before_a_port_opens() {
    let stage = Stage::new(&[]);
    let keys = stage.home().join("keys");
    let good = fs::read(keys.join("root.key")).unwrap();
    fs::write(keys.join("root.key"), "garbage").unwrap();
    assert_eq!(stage.does_not_start().await.code, Code::KeyFile);
    fs::remove_file(keys.join("root.key")).unwrap();
    assert_eq!(stage.does_not_start().await.code, Code::KeyFile);
    fs::write(keys.join("root.key"), good).unwrap();
    let readable = fs::Permissions::from_mode(0o644);
    fs::set_permissions(keys.join("root.key"), readable).unwrap();
    assert_eq!(stage.does_not_start().await.code, Code::KeyFile);

    for settings in ["", "listen = 7", "listen = \"nowhere\"", "port = 1"] {
        fs::write(stage.home().join("coordinator.toml"), settings).unwrap();
        let problem = stage.does_not_start().await;
        assert!(matches!(problem.code, Code::Home | Code::Argument));
    }
    fs::remove_file(stage.home().join("coordinator.toml")).unwrap();
    assert_eq!(stage.does_not_start().await.code, Code::Home);
}

#[test]
fn a_home_is_made_once_and_an_interrupted_one_is_finished_with_the_same_root() {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::now();
    assert!(init(folder.path(), "here", now).is_err());
    assert!(init(folder.path(), "a\"b:1", now).is_err());
    let made = init(folder.path(), "127.0.0.1:7440", now).unwrap();
    let again = init(folder.path(), "127.0.0.1:7440", now).unwrap_err();
    assert_eq!(again.code, Code::Home);
    fs::remove_file(folder.path().join("coordinator.toml")).unwrap();
    let finished = init(folder.path(), "127.0.0.1:7440", now).unwrap();
    assert_eq!(finished, made);
}
