//! The cache on disk: every filed record, in sled. sled is beta software, so nothing is only here: a damaged store is set
//! aside and begun anew, and nodes hand in everything again when they connect.

use crate::files;
use crate::records::{Filed, RecordKey};
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::record::v1 as rpc;
use prost::Message;
use std::convert::Infallible;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::warn;

/// sled's own cache; the records are in memory anyway.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// sled lets go of its lock a moment after its last handle is dropped: five seconds at most.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The open store.
#[derive(Clone)]
pub(crate) struct Store {
    sled: sled::Db,
    _open: Arc<Open>,
}

/// One process has the store open while this lives.
struct Open {
    /// Ends [`Opened::closed`] when the last clone of the store has gone.
    _closed: mpsc::Sender<Infallible>,
    /// sled's own lock cannot be told from its other errors.
    _lock: File,
}

/// A store just opened.
pub(crate) struct Opened {
    pub(crate) store: Store,
    /// What it holds.
    pub(crate) filed: Vec<Filed>,
    /// Gives `None` once no clone of the store is left.
    pub(crate) closed: mpsc::Receiver<Infallible>,
}

/// A store that cannot be used as it is.
#[derive(Debug, thiserror::Error)]
enum Damaged {
    #[error("sled says: {0}")]
    Sled(#[from] sled::Error),
    #[error("sled still holds its own lock")]
    Locked,
    #[error("sled panicked")]
    Panic,
    #[error("a record in it cannot be read")]
    Record,
}

impl Store {
    /// Opens the store in `folder` with all it holds; a damaged one is set aside and the new one is empty.
    pub(crate) fn open(folder: &Path, now_unix_s: u64) -> Result<Opened, Problem> {
        let lock = lock(&beside(folder, "lock"))?;
        let (sled, filed) = match read_all(folder) {
            Ok(read) => read,
            Err(Damaged::Locked) => return Err(broken(folder, &Damaged::Locked)),
            Err(damage) => {
                set_aside(folder, now_unix_s, &damage)?;
                read_all(folder).map_err(|damage| broken(folder, &damage))?
            }
        };
        let (closing, closed) = mpsc::channel(1);
        let open = Open {
            _closed: closing,
            _lock: lock,
        };
        let store = Self {
            sled,
            _open: Arc::new(open),
        };
        Ok(Opened {
            store,
            filed,
            closed,
        })
    }

    /// Writes a record; on disk after [`Self::flush`].
    pub(crate) fn put(&self, filed: &Filed) -> Result<(), Problem> {
        let mut value = filed.filed_unix_s.to_be_bytes().to_vec();
        value.extend(filed.record.encode_to_vec());
        let written = self.sled.insert(filed.key.as_bytes(), value);
        written.map(drop).map_err(|error| not_written(&error))
    }

    /// Throws a record away.
    pub(crate) fn remove(&self, key: &RecordKey) -> Result<(), Problem> {
        let removed = self.sled.remove(key.as_bytes());
        removed.map(drop).map_err(|error| not_written(&error))
    }

    /// Returns once everything written is on disk.
    pub(crate) fn flush(&self) -> Result<(), Problem> {
        // sled 0.34 reads its write buffer in a flush without pinning the epoch that frees it, so that a flush beside another can use
        // memory that was freed. What else runs beside a flush here pins it.
        let _pinned = crossbeam_epoch::pin();
        self.sled
            .flush()
            .map(drop)
            .map_err(|error| not_written(&error))
    }
}

/// Opens and reads everything, on a thread of its own: sled has open reports of panics over damaged files.
fn read_all(folder: &Path) -> Result<(sled::Db, Vec<Filed>), Damaged> {
    let folder = folder.to_owned();
    let reading = std::thread::spawn(move || {
        let sled = open_sled(&folder)?;
        let filed = sled.iter().map(|entry| decode(&entry?.1));
        let filed = filed.collect::<Result<Vec<_>, _>>()?;
        Ok((sled, filed))
    });
    reading.join().unwrap_or(Err(Damaged::Panic))
}

/// Our own lock is ours already, so sled's is held at most by work of the store before, which ends by itself.
fn open_sled(folder: &Path) -> Result<sled::Db, Damaged> {
    for _ in 0..LOCK_TRIES {
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        match config.open() {
            Err(sled::Error::Io(error)) if error.to_string().contains("acquire lock") => {
                std::thread::sleep(LOCK_PAUSE);
            }
            other => return Ok(other?),
        }
    }
    Err(Damaged::Locked)
}

fn decode(value: &[u8]) -> Result<Filed, Damaged> {
    let (filed_unix_s, record) = value.split_first_chunk::<8>().ok_or(Damaged::Record)?;
    let record = rpc::Record::decode(record).map_err(|_| Damaged::Record)?;
    let org: OrgName = record.org.parse().map_err(|_| Damaged::Record)?;
    let filed_unix_s = u64::from_be_bytes(*filed_unix_s);
    Filed::read(record, &org, filed_unix_s).map_err(|_| Damaged::Record)
}

fn lock(path: &Path) -> Result<File, Problem> {
    let file = File::create(path).map_err(|error| files::unusable(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Problem::here(
            Code::Home,
            "another coordinator runs with this home folder",
            "stop it first, or name another folder with --home",
        )),
        Err(TryLockError::Error(error)) => Err(files::unusable(path, &error)),
    }
}

fn set_aside(folder: &Path, now_unix_s: u64, damage: &Damaged) -> Result<(), Problem> {
    let aside = beside(folder, &format!("damaged-{now_unix_s}"));
    warn!(%damage, aside = %aside.display(), "the store is damaged; set aside, nodes will fill it again");
    fs::rename(folder, &aside).map_err(|error| files::unusable(folder, &error))
}

fn beside(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn broken(folder: &Path, damage: &Damaged) -> Problem {
    Problem::here(
        Code::Disk,
        format!(
            "a new store cannot be made in {}: {damage}",
            folder.display()
        ),
        "check the disk and its free space",
    )
}

fn not_written(error: &sled::Error) -> Problem {
    Problem::here(
        Code::Disk,
        format!("the coordinator's store does not take records: {error}"),
        "check the disk and its free space, then start the coordinator again; nodes hand in everything anew",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Else a pin of ours would hold nothing of sled's.
    #[test]
    fn sled_pins_the_epoch_that_we_pin() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sled = super::open_sled(folder.path()).expect("opens");
        let pinned = Arc::new(AtomicBool::new(false));
        let seen = pinned.clone();
        sled.set_merge_operator(move |_: &[u8], _: Option<&[u8]>, new: &[u8]| {
            seen.store(crossbeam_epoch::is_pinned(), Ordering::Relaxed);
            Some(new.to_vec())
        });
        assert!(!crossbeam_epoch::is_pinned());
        sled.merge(b"key", b"value").expect("merges");
        assert!(
            pinned.load(Ordering::Relaxed),
            "sled has an epoch of its own"
        );
    }
}
