//! What an operator can get wrong with a home, and what must never happen to keys.

use super::*;
use entente_wire::problem::Side;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tempfile::TempDir;

fn settings() -> Settings {
    Settings {
        org: "north-bank".parse().expect("a valid name"),
        listen: "127.0.0.1:0".to_owned(),
        advertise: None,
        coordinator: None,
    }
}

/// A folder in a fresh temporary one, since a home must not be writable by others.
fn made() -> (TempDir, PathBuf) {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path().join("home");
    init(&folder, &settings(), SystemTime::now()).expect("a new home");
    (temporary, folder)
}

fn person() -> Person {
    Person {
        role: "compliance".parse().expect("a valid role"),
        key: PublicKey::from_bytes(PrivateKey::generate().public_key()),
    }
}

fn load(folder: &Path) -> Result<Home, Problem> {
    Home::load(folder, SystemTime::now())
}

fn refused(folder: &Path) -> Problem {
    load(folder).err().expect("the home is refused")
}

#[test]
fn a_new_home_loads_and_its_secrets_are_the_owners_only() {
    let (_temporary, folder) = made();
    let home = load(&folder).expect("a good home");
    assert_eq!(registry(&folder).expect("good").people.len(), 0);
    assert_eq!(home.config.listen.port(), 0);
    for entry in fs::read_dir(folder.join("keys")).expect("keys") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("metadata").permissions().mode() & 0o777;
        let name = entry.file_name().into_string().expect("a plain name");
        assert!(
            name.ends_with(".crt") || mode == 0o600,
            "{name} has mode {mode:o}"
        );
    }
    let mode = fs::metadata(&folder)
        .expect("metadata")
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let (_temporary, folder) = made();
    let before = fs::read(folder.join("keys/root.key")).expect("a key");
    let problem = init(&folder, &settings(), SystemTime::now()).expect_err("taken");
    assert_eq!((problem.code, &problem.side), (Code::Home, &Side::Request));
    // Not even where only the keys are left.
    fs::remove_file(folder.join("org.toml")).expect("removed");
    fs::remove_file(folder.join("registry.record")).expect("removed");
    init(&folder, &settings(), SystemTime::now()).expect_err("taken");
    assert_eq!(
        fs::read(folder.join("keys/root.key")).expect("a key"),
        before
    );
}

#[test]
fn wrong_settings_make_no_home() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path().join("home");
    let bad = [
        Settings {
            listen: "7443".into(),
            ..settings()
        },
        Settings {
            listen: "a\"\nmtls = \"off".into(),
            ..settings()
        },
        Settings {
            advertise: Some("north".into()),
            ..settings()
        },
        Settings {
            advertise: Some("a:1\u{7f}".into()),
            ..settings()
        },
        Settings {
            coordinator: Some("c:1".into()),
            ..settings()
        },
    ];
    for settings in bad {
        let problem = init(&folder, &settings, SystemTime::now()).expect_err("refused");
        assert_eq!(
            (problem.code, problem.side),
            (Code::Argument, Side::Request)
        );
        assert!(!folder.exists());
    }
}

#[test]
fn settings_are_read_back_as_given() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path().join("home");
    let coordinator = format!("c.example:7444#{}", "ab".repeat(32));
    let given = Settings {
        listen: "0.0.0.0:7443".into(),
        advertise: Some("north.example:443".into()),
        coordinator: Some(coordinator.clone()),
        ..settings()
    };
    init(&folder, &given, SystemTime::now()).expect("a new home");
    let config = load(&folder).expect("a good home").config;
    assert_eq!(config.advertise.map(String::from), given.advertise);
    assert_eq!(config.coordinator.map(|c| c.to_string()), Some(coordinator));
}

#[test]
fn no_home_and_half_a_home_say_how_to_begin() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path().join("home");
    for _ in 0..2 {
        let problem = refused(&folder);
        assert_eq!(problem.code, Code::Home);
        assert!(problem.todo.contains("entente init"), "{}", problem.todo);
        fs::create_dir_all(&folder).expect("made");
    }
}

#[test]
fn each_missing_damaged_or_open_file_is_named() {
    let files = [
        "keys/root.key",
        "keys/root.crt",
        "keys/node.crt",
        "keys/sign.key",
        "registry.record",
    ];
    for file in files {
        let (_temporary, folder) = made();
        let path = folder.join(file);
        let good = fs::read(&path).expect("a file");
        for bad in [b"".as_slice(), b"garbage", &good[..good.len() / 2]] {
            fs::write(&path, bad).expect("written");
            let problem = refused(&folder);
            assert_eq!(problem.side, Side::Here);
            assert!(problem.what.contains(file), "{file}: {}", problem.what);
        }
        fs::remove_file(&path).expect("removed");
        // A node certificate that is gone is issued again.
        assert_eq!(load(&folder).is_ok(), file == "keys/node.crt", "{file}");
    }
    for file in ["keys/root.key", "keys/node.key", "keys/sign.key"] {
        let (_temporary, folder) = made();
        let path = folder.join(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        let problem = refused(&folder);
        assert_eq!(problem.code, Code::KeyFile);
        assert!(problem.what.contains(file), "{}", problem.what);
    }
}

#[test]
fn a_home_that_others_can_write_is_refused() {
    let (_temporary, folder) = made();
    for mode in [0o720, 0o702, 0o777] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).expect("set");
        assert_eq!(refused(&folder).code, Code::Home);
        registry(&folder).expect_err("refused");
    }
}

#[test]
fn keys_and_settings_of_two_organisations_do_not_mix() {
    let (_temporary, north) = made();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let river = temporary.path().join("home");
    let settings = Settings {
        org: "river-pay".parse().expect("a valid name"),
        ..settings()
    };
    init(&river, &settings, SystemTime::now()).expect("a new home");
    for file in [
        "org.toml",
        "keys/root.key",
        "keys/sign.key",
        "keys/node.crt",
        "registry.record",
    ] {
        let own = fs::read(north.join(file)).expect("a file");
        fs::copy(river.join(file), north.join(file)).expect("copied");
        assert!(
            load(&north).is_err(),
            "{file} of another organisation was taken"
        );
        fs::write(north.join(file), own).expect("written");
    }
    load(&north).expect("good again");
}

#[test]
fn a_tampered_registry_is_refused() {
    let (_temporary, folder) = made();
    let path = folder.join("registry.record");
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(
        &path,
        text.replace("\\\"version\\\":1", "\\\"version\\\":2"),
    )
    .expect("written");
    assert_ne!(fs::read_to_string(&path).expect("a file"), text);
    assert_eq!(refused(&folder).code, Code::Home);
}

#[test]
fn each_person_makes_a_new_version_that_the_root_signed() {
    let (_temporary, folder) = made();
    let name = |text: &str| text.parse::<PersonName>().expect("a valid name");
    let mei = person();
    let (record, second) = add_person(&folder, name("mei"), mei.clone()).expect("added");
    assert_eq!(second.version, 2);
    let home = load(&folder).expect("a good home");
    assert_eq!(registry(&folder), Ok(second.clone()));
    assert!(home.registry_record == record);
    assert_eq!(Registry::open(&record, home.root_key, None), Ok(second));
    // The same again changes nothing; another key under the same name is refused.
    let (_, again) = add_person(&folder, name("mei"), mei.clone()).expect("known");
    assert_eq!(again.version, 2);
    assert!(add_person(&folder, name("mei"), person()).is_err(), "taken");
    // One key, two people.
    assert!(
        add_person(&folder, name("anna"), mei).is_err(),
        "one key is one person"
    );
    assert_eq!(registry(&folder).expect("good").version, 2);
}

#[test]
fn the_roots_and_the_nodes_keys_stand_for_no_person() {
    let (_temporary, folder) = made();
    let home = load(&folder).expect("a good home");
    for key in [home.root_key, home.signer.public_key()] {
        let person = Person { key, ..person() };
        let name = "mei".parse().expect("a valid name");
        let problem = add_person(&folder, name, person).err().expect("refused");
        assert_eq!(problem.code, Code::Argument);
    }
}

#[test]
fn people_added_at_once_are_all_kept() {
    let (_temporary, folder) = made();
    let adding: Vec<_> = (0..8)
        .map(|number| {
            let folder = folder.clone();
            std::thread::spawn(move || {
                let name = format!("person-{number}").parse().expect("a valid name");
                add_person(&folder, name, person()).expect("added");
            })
        })
        .collect();
    for thread in adding {
        thread.join().expect("no panic");
    }
    let registry = registry(&folder).expect("good");
    assert_eq!((registry.people.len(), registry.version), (8, 9));
}

#[test]
fn a_certificate_is_issued_again_before_it_ends() {
    let (_temporary, folder) = made();
    let home = load(&folder).expect("a good home");
    let until = home.party.until();
    home.renew_certificate(SystemTime::now()).expect("good");
    assert_eq!(home.party.until(), until, "not yet due");
    let late = until - Duration::from_secs(3 * 24 * 3600);
    home.renew_certificate(late).expect("good");
    assert!(home.party.until() > until);
}
