//! Registries that must not be taken: stepped back, two-tongued, signed by the wrong key, or with one key for two speakers.

use super::*;
use crate::canonical::Digest;
use crate::rehearsal::Stage;

fn org(name: &str) -> OrgName {
    name.parse().expect("a valid name")
}
fn north() -> OrgName {
    org("north-bank")
}
fn river() -> OrgName {
    org("river-pay")
}
fn person(name: &str) -> PersonName {
    name.parse().expect("a valid name")
}

fn stage() -> Stage {
    Stage::default()
        .with_org("north-bank", &[("ada", "compliance")])
        .with_org(
            "river-pay",
            &[
                ("mei", "compliance"),
                ("kai", "data-owner"),
                ("tao", "intern"),
            ],
        )
}

fn record(stage: &Stage, registry: &Registry) -> Record {
    let cast = stage.cast(&river());
    Record::sign(&cast.root, Kind::Registry, &river(), registry)
}

#[test]
fn goes_forwards_only_and_says_one_thing_per_version() {
    let stage = stage();
    let cast = stage.cast(&river());
    let root_key = cast.root.public_key();
    let first = cast.registry.clone();
    let second = first
        .next(|next| drop(next.people.remove(&person("kai"))))
        .expect("valid");
    let other_second = first
        .next(|next| drop(next.people.remove(&person("tao"))))
        .expect("valid");
    let open = |registry: &Registry, held: Option<&Registry>| {
        Registry::open(&record(&stage, registry), root_key, held)
    };
    assert_eq!(open(&first, None), Ok(first.clone()));
    assert_eq!(open(&second, Some(&first)), Ok(second.clone()));
    assert_eq!(open(&second, Some(&second)), Ok(second.clone()));
    let back = open(&first, Some(&second)).expect_err("goes back");
    assert_eq!(back.code, Code::RegistryRefused);
    assert!(
        back.what.contains("version 1") && back.what.contains("version 2"),
        "{back}"
    );
    let split = open(&other_second, Some(&second)).expect_err("two tongues");
    assert!(split.what.contains("two different"), "{split}");
}

#[test]
fn is_signed_by_the_pinned_root_and_by_nothing_else() {
    let stage = stage();
    let cast = stage.cast(&river());
    let by_node = Record::sign(&cast.node, Kind::Registry, &river(), &cast.registry);
    let by_north = Record::sign(
        &stage.cast(&north()).root,
        Kind::Registry,
        &river(),
        &cast.registry,
    );
    for record in [by_node, by_north] {
        let problem =
            Registry::open(&record, cast.root.public_key(), None).expect_err("a wrong key");
        assert_eq!(problem.code, Code::RegistryRefused);
    }
    let norths = &stage.cast(&north()).registry;
    let foreign = Record::sign(&cast.root, Kind::Registry, &river(), norths);
    let problem =
        Registry::open(&foreign, cast.root.public_key(), None).expect_err("another's people");
    assert!(
        problem.what.contains("a registry of north-bank"),
        "{problem}"
    );
}

#[test]
fn one_key_is_one_speaker() {
    let stage = stage();
    let cast = stage.cast(&river());
    let mei = cast.registry.people[&person("mei")].clone();
    let reused = [
        cast.registry
            .next(|next| next.people.get_mut(&person("kai")).expect("known").key = mei.key),
        cast.registry.next(|next| next.node_key = mei.key),
    ];
    for change in reused {
        let flaw = change.expect_err("one key twice");
        assert!(flaw.what.contains("also another person's"), "{flaw}");
    }
    // The same on the way in, and for the root key.
    let mut unchecked = cast.registry.clone();
    unchecked.people.insert(person("zoe"), mei);
    assert!(Registry::open(&record(&stage, &unchecked), cast.root.public_key(), None).is_err());
    let mut rooted = cast.registry.clone();
    rooted.node_key = cast.root.public_key();
    assert!(Registry::open(&record(&stage, &rooted), cast.root.public_key(), None).is_err());
}

#[test]
fn has_a_size_that_is_checked_on_the_way_in() {
    let stage = stage();
    let cast = stage.cast(&river());
    let mut large = cast.registry.clone();
    for number in 0..=PEOPLE_MAX {
        let key = PublicKey(Digest::of("t", &[&number.to_be_bytes()]));
        let role = "compliance".parse().expect("a role");
        large
            .people
            .insert(person(&format!("p{number}")), Person { role, key });
    }
    assert!(Registry::open(&record(&stage, &large), cast.root.public_key(), None).is_err());
    assert!(stage.registry(&org("nobody")).is_none());
}

#[test]
fn a_key_under_which_anybody_can_sign_is_not_registered() {
    let stage = stage();
    let registry = &stage.cast(&river()).registry;
    let weak = PublicKey::from_bytes([0; 32]);
    let flaws = [
        registry.next(|next| next.node_key = weak),
        registry.next(|next| next.people.get_mut(&person("kai")).expect("known").key = weak),
    ];
    for flaw in flaws {
        assert!(flaw.expect_err("weak").what.contains("anybody could sign"));
    }
}
