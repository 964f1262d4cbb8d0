//! What can be wrong with the ledger, and how an operator is told.

use entente_wire::problem::{Code, Problem, Side};
use std::io;
use std::path::PathBuf;

/// Why the ledger cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another process holds the lock.
    #[error("another node is using the home folder {}", home.display())]
    InUse {
        /// The home folder.
        home: PathBuf,
    },
    /// The disk refused.
    #[error("{} cannot be {doing}: {source}", path.display())]
    Disk {
        /// What was being done: "read", "written" …
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Bytes in the middle of the journal are not what was written.
    #[error("the journal is damaged at byte {offset} of {}: {what}", path.display())]
    Damaged {
        /// Which segment.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// The journal ends before facts that this node has acted on.
    #[error("the journal ends at fact {found}, but fact {acknowledged} has been acted on")]
    Shortened {
        /// Last fact in the journal.
        found: u64,
        /// Last fact that the store has applied.
        acknowledged: u64,
    },
    /// A fact that this version cannot read.
    #[error("fact {sequence} of the journal cannot be read by this version: {source}")]
    Unreadable {
        /// Which.
        sequence: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A fact larger than a journal record may be.
    #[error("a fact of {got} bytes is larger than the journal takes")]
    TooLarge {
        /// Its size.
        got: usize,
    },
    /// An earlier write failed, so the end of the journal is unknown until the node starts again.
    #[error("an earlier write to the journal failed")]
    Halted,
    /// The store failed; it is a cache and is rebuilt at the next start.
    #[error("the store failed: {source}")]
    Store {
        /// What sled says.
        #[source]
        source: sled::Error,
    },
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        let (code, todo) = match &error {
            LedgerError::InUse { .. } => (
                Code::Home,
                "Stop the other node, or give this one its own --home.",
            ),
            LedgerError::Disk { .. } => (
                Code::Disk,
                "Check space and permissions of the home folder, then start the node again.",
            ),
            LedgerError::Damaged { .. } | LedgerError::Shortened { .. } => (
                Code::JournalDamaged,
                "Do not delete anything: restore journal/ from a backup taken after the last approval, then start again.",
            ),
            LedgerError::Unreadable { .. } => (
                Code::JournalDamaged,
                "Start the node with the version that wrote the journal, or a newer one.",
            ),
            LedgerError::TooLarge { .. } => (
                Code::Defect,
                "Report this to the makers of the software; nothing was written.",
            ),
            LedgerError::Halted => (
                Code::Disk,
                "Check the disk, then start the node again; nothing that was acknowledged is lost.",
            ),
            LedgerError::Store { .. } => (
                Code::Disk,
                "Start the node again: the store is rebuilt from the journal.",
            ),
        };
        Problem::new(code, Side::Here, error.to_string(), todo)
    }
}
