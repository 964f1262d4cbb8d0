//! What was recorded can be read.

use super::{NOW_MS, forget_store, invite};
use crate::ledger::{EpsilonSpent, Fact, Ledger, Pin, SessionOpened, Spent};
use entente_wire::canonical::Digest;
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::policy::Epsilon;
use entente_wire::seal::JobHash;
use entente_wire::session::Opening;
use entente_wire::sign::PublicKey;

fn org(name: &str) -> OrgName {
    name.parse().expect("a name")
}

fn dataset(name: &str) -> DatasetName {
    name.parse().expect("a name")
}

fn session(peer: &str, own: &str, theirs: &str) -> Fact {
    Fact::SessionOpened(SessionOpened {
        peer: org(peer),
        dataset: dataset(own),
        peer_dataset: dataset(theirs),
        opening: Opening {
            version: 1,
            job: JobHash(Digest([9; 32])),
            attempt: 1,
            dataset_version: Digest([1; 32]),
            ids_rounded: 1000,
            nonce_commitment: Digest([2; 32]),
            continues: None,
            answered_by: None,
        },
    })
}

#[test]
fn an_invite_is_used_once_and_by_the_first() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let ledger = Ledger::open(home.path()).expect("opens");
    ledger.record(NOW_MS, invite(1)).expect("records");
    for by in ["river-pay", "harbour-bank"] {
        let used = Fact::InviteUsed {
            token_hash: Digest([1; 32]),
            by: org(by),
        };
        ledger.record(NOW_MS, used).expect("records");
    }
    let state = ledger.invite(&Digest([1; 32])).expect("reads");
    assert_eq!(state.expect("known").used_by, Some(org("river-pay")));
}

#[test]
fn a_new_address_replaces_the_old_pin() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let ledger = Ledger::open(home.path()).expect("opens");
    let pin = |address: &str| Pin {
        org: org("river-pay"),
        address: address.to_owned(),
        root_fingerprint: Digest([1; 32]),
        root_key: PublicKey::from_bytes([2; 32]),
        words: "one two three four".to_owned(),
    };
    for address in ["old:7443", "new:7443"] {
        let linked = Fact::PartnerLinked(pin(address));
        ledger.record(NOW_MS, linked).expect("records");
    }
    assert_eq!(ledger.partners().expect("reads"), [pin("new:7443")]);
}

#[test]
fn sessions_count_by_dataset_and_partner_and_time() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let ledger = Ledger::open(home.path()).expect("opens");
    let facts = [
        (1_000, session("river-pay", "customers", "users")),
        (2_000, session("river-pay", "customers", "shops")),
        (3_000, session("harbour-bank", "customers", "users")),
        (4_000, session("river-pay", "cards", "users")),
    ];
    for (at, fact) in facts {
        ledger.record(at, fact).expect("records");
    }
    let own = |name, peer, since| {
        let found = ledger.sessions_over_ours(&dataset(name), &org(peer), since);
        found.expect("reads")
    };
    assert_eq!(own("customers", "river-pay", 0), [1_000, 2_000]);
    assert_eq!(own("customers", "river-pay", 1_001), [2_000]);
    assert_eq!(own("customers", "harbour-bank", 0), [3_000]);
    assert_eq!(own("custom", "river-pay", 0), [0_u64; 0]);
    let theirs = ledger.sessions_over_theirs(&org("river-pay"), &dataset("users"), 0);
    assert_eq!(theirs.expect("reads"), [1_000, 4_000]);
}

#[test]
fn losses_count_by_dataset_and_partner_and_time_and_survive_a_lost_store() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let ledger = Ledger::open(home.path()).expect("opens");
    let spent = |peer: &str, own: &str, theirs: &str, epsilon| {
        Fact::EpsilonSpent(EpsilonSpent {
            job: JobHash(Digest([9; 32])),
            attempt: 1,
            peer: org(peer),
            dataset: dataset(own),
            peer_dataset: dataset(theirs),
            epsilon: Epsilon(epsilon),
        })
    };
    let facts = [
        (1_000, spent("river-pay", "customers", "users", 1)),
        // Two within one millisecond are two.
        (2_000, spent("river-pay", "customers", "shops", 2)),
        (2_000, spent("river-pay", "customers", "users", 3)),
        (3_000, spent("harbour-bank", "customers", "users", 4)),
    ];
    for (at, fact) in facts {
        ledger.record(at, fact).expect("records");
    }
    ledger
        .record(4_000, session("river-pay", "customers", "users"))
        .expect("records");
    drop(ledger);
    forget_store(home.path());
    let ledger = Ledger::open(home.path()).expect("rebuilds");
    let loss = |at_unix_ms, epsilon| Spent {
        at_unix_ms,
        epsilon: Epsilon(epsilon),
    };
    let own = |peer, since| {
        let found = ledger.losses_over_ours(&dataset("customers"), &org(peer), since);
        found.expect("reads")
    };
    let all = [loss(1_000, 1), loss(2_000, 2), loss(2_000, 3)];
    assert_eq!(own("river-pay", 1_000), all);
    assert_eq!(own("river-pay", 1_001), all[1..]);
    assert_eq!(own("river-pay", 2_001), []);
    assert_eq!(own("harbour-bank", 0), [loss(3_000, 4)]);
    let theirs = ledger.losses_over_theirs(&org("river-pay"), &dataset("users"), 0);
    assert_eq!(theirs.expect("reads"), [loss(1_000, 1), loss(2_000, 3)]);
    assert_eq!(
        ledger.job(&JobHash(Digest([9; 32]))).expect("reads").len(),
        5
    );
}

#[test]
fn a_fact_can_speak_of_the_head_before_it() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let ledger = Ledger::open(home.path()).expect("opens");
    ledger.record(NOW_MS, invite(1)).expect("records");
    let before = ledger.head();
    let (after, _) = ledger
        .record_after(NOW_MS, |head, given| {
            assert_eq!((head, given), (before, 0));
            invite(2)
        })
        .expect("records");
    assert_eq!(after.sequence, 2);
}
