//! The ledger against crashes, bit flips and a second node.
#![allow(clippy::panic)] // a test that cannot go on says why

mod journal;
mod reads;
#[cfg(target_os = "linux")]
mod threads;

use super::{Fact, Invite, Ledger, LedgerError};
use entente_wire::canonical::Digest;
use std::fs;
use std::path::{Path, PathBuf};

/// When everything in these tests happens.
const NOW_MS: u64 = 1_790_000_000_000;

fn invite(number: u8) -> Fact {
    Fact::InviteMade(Invite {
        token_hash: Digest([number; 32]),
        org: "river-pay".parse().expect("a name"),
        expires_unix_s: 1_800_000_000,
    })
}

/// A home with this many invites in its journal, closed again.
fn home_with(invites: u8) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    let ledger = Ledger::open(home.path()).expect("opens");
    for number in 1..=invites {
        ledger.record(NOW_MS, invite(number)).expect("records");
    }
    home
}

fn segment(home: &Path) -> PathBuf {
    home.join("journal").join("00000001.journal")
}

/// As after a restore: the journal alone.
fn forget_store(home: &Path) {
    fs::remove_dir_all(home.join("state")).expect("the store is there");
}

fn invites(ledger: &Ledger) -> u8 {
    let known = (1..=9).take_while(|number| {
        let state = ledger.invite(&Digest([*number; 32])).expect("reads");
        state.is_some()
    });
    u8::try_from(known.count()).expect("at most nine")
}

fn refused(home: &Path) -> LedgerError {
    match Ledger::open(home) {
        Ok(_) => panic!("the ledger opened"),
        Err(error) => error,
    }
}
