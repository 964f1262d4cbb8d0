//! The journal: an append-only, hash-chained file that is on disk before anything is acknowledged.
//!
//! What the bytes are is in [`super::chain`]. At start everything is checked: a torn tail, which a crash during the last append
//! leaves and which was never acknowledged, is set aside and cut; anything else that does not check stops the node.
//!
//! One process holds the lock; a second node on the same home is refused.

use super::chain::{BODY_BYTES_MAX, Head, SEGMENT_MAGIC, Visitor, encode, scan};
use super::error::LedgerError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A segment is closed before it grows past this, so that checking one never needs more memory than this and one record.
const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The open journal of one home; the only writer.
pub(crate) struct Journal {
    folder: PathBuf,
    head: Head,
    segment: Segment,
    /// Set when a failed write could not be undone: what is on disk is unknown until the next start.
    halted: bool,
    _lock: File,
}

/// The segment being written.
struct Segment {
    number: u64,
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Journal {
    /// Locks and checks the journal in `folder`, creating it where there is none. The notes say what was repaired.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Vec<String>), LedgerError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(disk("created", folder))?;
        let lock = lock(folder)?;
        let mut notes = Vec::new();
        let numbers = segment_numbers(folder)?;
        let mut head = Head::genesis();
        for (place, number) in numbers.iter().enumerate() {
            let path = segment_path(folder, *number);
            let bytes = fs::read(&path).map_err(disk("read", &path))?;
            let last = place + 1 == numbers.len();
            let scan = scan(&bytes, head, &mut |_, _| Ok(()))?;
            head = scan.head;
            let Some(bad) = scan.bad else { continue };
            if !last || bad.damage {
                return Err(LedgerError::Damaged {
                    path,
                    offset: bad.offset as u64,
                    what: bad.what,
                });
            }
            notes.push(cut(folder, &path, &bytes, bad.offset, head)?);
        }
        let segment = match numbers.last() {
            Some(number) => Segment::reopen(folder, *number)?,
            None => Segment::create(folder, 1)?,
        };
        let journal = Self {
            folder: folder.to_owned(),
            head,
            segment,
            halted: false,
            _lock: lock,
        };
        Ok((journal, notes))
    }

    /// Where the journal stands.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Visits every record after `after` facts, checking the chain again on the way.
    pub(crate) fn read(&self, after: u64, visit: &mut Visitor<'_>) -> Result<(), LedgerError> {
        let mut head = Head::genesis();
        for number in segment_numbers(&self.folder)? {
            let path = segment_path(&self.folder, number);
            let bytes = fs::read(&path).map_err(disk("read", &path))?;
            let scan = scan(&bytes, head, &mut |head, body| {
                if head.sequence > after {
                    visit(head, body)
                } else {
                    Ok(())
                }
            })?;
            if let Some(bad) = scan.bad {
                return Err(LedgerError::Damaged {
                    path,
                    offset: bad.offset as u64,
                    what: bad.what,
                });
            }
            head = scan.head;
        }
        Ok(())
    }

    /// Appends one body. When this returns, the record is on disk.
    pub(crate) fn append(&mut self, body: &[u8]) -> Result<Head, LedgerError> {
        if self.halted {
            return Err(LedgerError::Halted);
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(LedgerError::TooLarge { got: body.len() });
        }
        let head = self.head.next(body);
        let record = encode(self.head, head, body);
        if self.segment.bytes + record.len() as u64 > SEGMENT_BYTES_MAX {
            self.segment = Segment::create(&self.folder, self.segment.number + 1)?;
        }
        if let Err(source) = self.segment.file.write_all(&record) {
            // A part of the record may be there. Taken back, the journal is as before; otherwise nothing more is written.
            self.halted = self.segment.file.set_len(self.segment.bytes).is_err();
            return Err(disk("written", &self.segment.path)(source));
        }
        if let Err(source) = self.segment.file.sync_data() {
            // After a failed fsync the kernel may have dropped the pages: only reading the disk again tells.
            self.halted = true;
            return Err(disk("flushed", &self.segment.path)(source));
        }
        self.segment.bytes += record.len() as u64;
        self.head = head;
        Ok(head)
    }
}

impl Segment {
    fn create(folder: &Path, number: u64) -> Result<Self, LedgerError> {
        let path = segment_path(folder, number);
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(disk("created", &path))?;
        // A crash between creation and here leaves an empty or partial file of this name, which holds no fact.
        file.set_len(0)
            .and_then(|()| file.write_all(SEGMENT_MAGIC))
            .and_then(|()| file.sync_all())
            .map_err(disk("written", &path))?;
        sync_folder(folder)?;
        Ok(Self {
            number,
            path,
            file,
            bytes: SEGMENT_MAGIC.len() as u64,
        })
    }

    fn reopen(folder: &Path, number: u64) -> Result<Self, LedgerError> {
        let path = segment_path(folder, number);
        let file = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(disk("opened", &path))?;
        let bytes = file.metadata().map_err(disk("read", &path))?.len();
        if bytes < SEGMENT_MAGIC.len() as u64 {
            return Self::create(folder, number);
        }
        Ok(Self {
            number,
            path,
            file,
            bytes,
        })
    }
}

/// Sets a torn tail aside and cuts it off.
fn cut(
    folder: &Path,
    path: &Path,
    bytes: &[u8],
    offset: usize,
    head: Head,
) -> Result<String, LedgerError> {
    let torn = bytes.get(offset..).unwrap_or_default();
    let aside = folder.join(format!("torn-after-{}", head.sequence));
    fs::write(&aside, torn).map_err(disk("written", &aside))?;
    let file = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(disk("opened", path))?;
    file.set_len(offset as u64)
        .and_then(|()| file.sync_all())
        .map_err(disk("cut", path))?;
    sync_folder(folder)?;
    Ok(format!(
        "the last write to the journal was cut short by a crash: {} bytes after fact {} were set aside in {}; nothing acknowledged is lost",
        torn.len(),
        head.sequence,
        aside.display()
    ))
}

fn lock(folder: &Path) -> Result<File, LedgerError> {
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(disk("opened", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let home = folder.parent().unwrap_or(folder).to_owned();
            Err(LedgerError::InUse { home })
        }
        Err(TryLockError::Error(source)) => Err(disk("locked", &path)(source)),
    }
}

const SEGMENT_SUFFIX: &str = ".journal";

fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}{SEGMENT_SUFFIX}"))
}

/// The numbers of the segments, in order; a gap is damage.
fn segment_numbers(folder: &Path) -> Result<Vec<u64>, LedgerError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(disk("read", folder))? {
        let name = entry.map_err(disk("read", folder))?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_suffix(SEGMENT_SUFFIX));
        if let Some(Ok(number)) = number.map(str::parse::<u64>) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    for (expected, number) in (1..).zip(&numbers) {
        if *number != expected {
            let path = segment_path(folder, expected);
            return Err(LedgerError::Damaged {
                path,
                offset: 0,
                what: "the segment is missing",
            });
        }
    }
    Ok(numbers)
}

fn sync_folder(folder: &Path) -> Result<(), LedgerError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(disk("flushed", folder))
}

pub(crate) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError::Disk {
        doing,
        path,
        source,
    }
}
