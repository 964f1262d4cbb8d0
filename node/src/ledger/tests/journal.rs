//! What is on disk stays; what is not as it was written is noticed.

use super::{NOW_MS, forget_store, home_with, invite, invites, refused, segment};
use crate::ledger::{Ledger, LedgerError};
use entente_wire::problem::{Code, Problem};
use proptest::prelude::*;
use std::fs::{self, OpenOptions};
use std::io::Write;

#[test]
fn facts_survive_a_restart_and_a_lost_store() {
    let home = home_with(3);
    assert_eq!(invites(&Ledger::open(home.path()).expect("opens")), 3);
    forget_store(home.path());
    let ledger = Ledger::open(home.path()).expect("rebuilds");
    assert_eq!((invites(&ledger), ledger.head().sequence), (3, 3));
}

#[test]
fn a_second_node_on_one_home_is_refused() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let first = Ledger::open(home.path()).expect("opens");
    let problem = Problem::from(refused(home.path()));
    assert_eq!(problem.code, Code::Home);
    drop(first);
    Ledger::open(home.path()).expect("the lock is free again");
}

#[test]
fn a_torn_tail_is_set_aside_and_cut_with_a_note() {
    let home = home_with(2);
    let whole = fs::read(segment(home.path())).expect("reads");
    let third = home_with(3);
    let longer = fs::read(segment(third.path())).expect("reads");
    assert!(longer.starts_with(&whole));
    for torn in whole.len() + 1..longer.len() {
        fs::write(segment(home.path()), &longer[..torn]).expect("writes");
        let ledger = Ledger::open(home.path()).expect("a crash is survived");
        assert_eq!(ledger.notes().len(), 1, "cut at {torn}");
        ledger.record(NOW_MS, invite(3)).expect("goes on");
        assert_eq!(invites(&ledger), 3);
        drop(ledger);
        fs::write(segment(home.path()), &whole).expect("writes");
        forget_store(home.path());
    }
}

#[test]
fn zeros_that_a_crash_left_behind_are_cut() {
    let home = home_with(2);
    let mut file = OpenOptions::new()
        .append(true)
        .open(segment(home.path()))
        .expect("opens");
    file.write_all(&[0; 4096]).expect("writes");
    drop(file);
    let ledger = Ledger::open(home.path()).expect("a crash is survived");
    assert_eq!((invites(&ledger), ledger.notes().len()), (2, 1));
}

#[test]
fn a_journal_that_ends_before_what_was_acted_on_is_refused() {
    let home = home_with(3);
    let shorter = fs::read(segment(home_with(2).path())).expect("reads");
    fs::write(segment(home.path()), shorter).expect("writes");
    let error = refused(home.path());
    assert!(
        matches!(
            error,
            LedgerError::Shortened {
                found: 2,
                acknowledged: 3
            }
        ),
        "{error}"
    );
    assert_eq!(Problem::from(error).code, Code::JournalDamaged);
}

#[test]
fn a_store_of_another_journal_is_set_aside_and_rebuilt() {
    let (home, other) = (home_with(2), home_with(1));
    let other_ledger = Ledger::open(other.path()).expect("opens");
    other_ledger.record(NOW_MS, invite(7)).expect("records");
    drop(other_ledger);
    forget_store(home.path());
    fs::rename(other.path().join("state"), home.path().join("state")).expect("moves");
    let ledger = Ledger::open(home.path()).expect("rebuilds");
    assert_eq!((invites(&ledger), ledger.notes().len()), (2, 1));
    assert!(home.path().join("state.damaged-1").exists());
}

#[test]
fn a_spoiled_store_is_set_aside_and_rebuilt() {
    let home = home_with(3);
    for entry in fs::read_dir(home.path().join("state")).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            fs::write(&path, b"not a store at all").expect("writes");
        }
    }
    assert_eq!(invites(&Ledger::open(home.path()).expect("rebuilds")), 3);
}

#[test]
fn a_missing_segment_is_damage() {
    let home = home_with(2);
    fs::rename(
        segment(home.path()),
        home.path().join("journal/00000002.journal"),
    )
    .expect("moves");
    assert!(matches!(refused(home.path()), LedgerError::Damaged { .. }));
}

#[test]
fn records_of_another_journal_do_not_fit_the_chain() {
    let (home, other) = (home_with(3), home_with(2));
    let other = Ledger::open(other.path()).map(|ledger| {
        ledger.record(NOW_MS + 1, invite(3)).expect("records");
        drop(ledger);
        fs::read(segment(other.path())).expect("reads")
    });
    let own = fs::read(segment(home.path())).expect("reads");
    let other = other.expect("opens");
    // The last record of the other journal after all of ours: whole by itself, but not the next of this chain.
    let last = &other[own.len() - (own.len() - 16) / 3..];
    fs::write(segment(home.path()), [own.as_slice(), last].concat()).expect("writes");
    assert!(matches!(refused(home.path()), LedgerError::Damaged { .. }));
}

/// What opening found: `None` refused with E8005, otherwise how many facts are left and whether something was cut.
fn opened(home: &std::path::Path) -> Option<(u8, bool)> {
    match Ledger::open(home) {
        Ok(ledger) => Some((invites(&ledger), !ledger.notes().is_empty())),
        Err(error) => {
            assert_eq!(Problem::from(error).code, Code::JournalDamaged);
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_flipped_bit_changes_or_hides_an_acknowledged_fact(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let home = home_with(4);
        let mut bytes = fs::read(segment(home.path())).expect("reads");
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        fs::write(segment(home.path()), &bytes).expect("writes");
        prop_assert_eq!(opened(home.path()), None);
    }

    #[test]
    fn without_a_store_a_flipped_bit_costs_at_most_the_last_fact_and_never_silently(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let home = home_with(4);
        forget_store(home.path());
        let mut bytes = fs::read(segment(home.path())).expect("reads");
        let last = bytes.len() - (bytes.len() - 16) / 4;
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        fs::write(segment(home.path()), &bytes).expect("writes");
        let expected = (place >= last).then_some((3, true));
        prop_assert_eq!(opened(home.path()), expected);
    }

    #[test]
    fn a_journal_cut_anywhere_gives_a_prefix_and_says_so(place in any::<prop::sample::Index>()) {
        let home = home_with(4);
        forget_store(home.path());
        let bytes = fs::read(segment(home.path())).expect("reads");
        let (kept, record) = (place.index(bytes.len()), (bytes.len() - 16) / 4);
        fs::write(segment(home.path()), &bytes[..kept]).expect("writes");
        let facts = kept.saturating_sub(16) / record;
        let clean = kept == 0 || kept == 16 + facts * record;
        prop_assert_eq!(opened(home.path()), Some((u8::try_from(facts).expect("few"), !clean)));
    }
}
