//! The command line itself: help for every noun, JSON everywhere, exit codes, and errors without a node.

use crate::world::command::{entente, entente_text};
use crate::world::{BANK, World};
use entente_wire::problem::{Code, Side};
use tempfile::TempDir;

#[test]
fn without_a_node_every_client_says_how_to_start_one() {
    let home = TempDir::new().expect("a folder");
    for args in [
        &["status"][..],
        &["partners"],
        &["invite", "x"],
        &["join", "entente-inv1:x"],
        &["data", "list"],
        &["policy", "explain", "mobile", "--to", "x"],
        &["catalog"],
        &["job", "list"],
        &["job", "watch", "J-00000000"],
        &["inbox"],
    ] {
        let problem = entente(home.path(), args).problem(Code::NodeNotRunning);
        assert_eq!(problem.side, Side::Here);
        assert!(problem.todo.contains("entente node"), "{problem:?}");
    }
}

#[test]
fn errors_for_people_have_four_parts() {
    let home = TempDir::new().expect("a folder");
    let outcome = entente_text(home.path(), &["status"]);
    assert_eq!(outcome.status.code(), Some(18));
    for part in ["error E8001", "no node answers", "side:", "to do:"] {
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
    }
}

#[test]
fn wrong_usage_has_exit_code_2_and_every_noun_has_help() {
    let home = TempDir::new().expect("a folder");
    assert_eq!(
        entente(home.path(), &["no-such-noun"]).status.code(),
        Some(2)
    );
    let help = entente_text(home.path(), &["--help"]).stdout;
    for noun in [
        "demo",
        "lab",
        "init",
        "people",
        "coordinator",
        "node",
        "invite",
        "join",
        "data",
        "policy",
        "catalog",
        "job",
        "inbox",
        "approve",
        "deny",
    ] {
        assert!(
            help.contains(&format!("  {noun}")),
            "{noun} is not in the help"
        );
        assert!(
            entente_text(home.path(), &[noun, "--help"]).succeeded(),
            "{noun}"
        );
    }
}

#[test]
fn a_job_template_is_written_once() {
    let home = TempDir::new().expect("a folder");
    let file = home.path().join("first.yaml").display().to_string();
    entente(home.path(), &["job", "new", &file]).json();
    let text = std::fs::read_to_string(&file).expect("it was written");
    entente_wire::job::Job::from_yaml(&text).expect("the template parses");
    entente(home.path(), &["job", "new", &file]).problem(Code::FileUnreadable);
    assert_eq!(std::fs::read_to_string(&file).ok(), Some(text));
}

#[test]
fn a_policy_template_denies_everything_and_can_be_filled_in() {
    let world = World::shared();
    world
        .add(
            BANK,
            "template",
            crate::world::files::customers(),
            &["mobile=e164(+86)"],
        )
        .json();
    let made = world.at(BANK, &["policy", "new", "template"]).json();
    let file = made["file"].as_str().expect("a path");
    let text = std::fs::read_to_string(file).expect("it was written");
    let outcome = world.at(BANK, &["policy", "check", "template"]);
    assert!(!outcome.succeeded(), "consent has to be chosen first");
    std::fs::write(file, text.replace("\"CHOOSE\"", "\"not-needed\"")).expect("it can be edited");
    world.at(BANK, &["policy", "check", "template"]).json();
    world.at(BANK, &["policy", "publish", "template"]).json();
    let args = ["policy", "explain", "template.mobile", "--to", "river-pay"];
    let verbs = world.at(BANK, &args).json()["verbs"].clone();
    let verbs = verbs.as_object().expect("verbs");
    assert!(
        verbs.values().all(|verdict| verdict[0] == false),
        "{verbs:?}"
    );
}

#[test]
fn keys_are_never_overwritten_and_never_readable_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let home = TempDir::new().expect("a folder");
    let file = home.path().join("mei.key");
    let path = file.display().to_string();
    entente(home.path(), &["people", "keygen", "--out", &path]).json();
    let mode = std::fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&file).expect("it reads");
    entente(home.path(), &["people", "keygen", "--out", &path]).problem(Code::KeyFile);
    assert_eq!(std::fs::read(&file).expect("it reads"), before);
}

#[test]
fn a_home_is_made_once() {
    let folder = TempDir::new().expect("a folder");
    let home = folder.path().join("home");
    entente(&home, &["init", "--org", "a", "--listen", "127.0.0.1:0"]).json();
    let root = std::fs::read(home.join("keys/root.key")).expect("a key");
    let again = entente(&home, &["init", "--org", "a", "--listen", "127.0.0.1:0"]);
    assert!(!again.problems().is_empty());
    assert_eq!(
        std::fs::read(home.join("keys/root.key")).expect("a key"),
        root
    );
}

#[test]
fn status_shows_partners_with_the_same_words_at_both_sides() {
    let world = World::shared();
    let words = |org| world.at(org, &["status"]).json()["partners"][0]["words"].clone();
    assert_eq!(words(BANK), words(crate::world::PAY));
    assert!(
        words(BANK)
            .as_str()
            .is_some_and(|words| words.split_whitespace().count() == 4)
    );
}
