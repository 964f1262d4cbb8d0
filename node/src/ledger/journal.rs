//! The journal: an append-only, hash-chained file that is on disk before anything is acknowledged.
//!
//! A segment file begins with [`SEGMENT_MAGIC`]; then records follow, each
//! `magic ‖ length ‖ sequence ‖ previous head ‖ body ‖ head` with `head = SHA-256("entente/1/journal", sequence, previous, body)`.
//! So a record carries its own checksum and its place in the chain, and can be recognised anywhere in the file. That is
//! what tells the two kinds of bad bytes apart:
//! * **a torn tail**: a crash hit the last append, no whole record follows. It was never acknowledged; it is set aside and cut;
//! * **damage**: whole records follow, or the chain does not fit. Facts were lost or changed; the node refuses to start.
//!
//! One process holds the lock; a second node on the same home is refused.

use crate::ledger::error::LedgerError;
use entente_wire::canonical::Digest;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// First bytes of every segment; the digit is the format's version.
const SEGMENT_MAGIC: &[u8; 16] = b"ENTENTE-JOURNAL1";
/// First bytes of every record. Bodies are JSON text, in which the byte FF cannot occur, so no body can imitate a record.
const RECORD_MAGIC: [u8; 4] = [0xff, b'J', b'R', 0xff];
/// Magic, length, sequence, previous head.
const PREFIX_BYTES: usize = 4 + 4 + 8 + 32;
/// The head after the body.
const SUFFIX_BYTES: usize = 32;
/// Largest body: a signed document of 256 KiB, escaped into JSON, twice over.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// A segment is closed before it grows past this, so that checking one never needs more memory than this and one record.
const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Where the journal stands: how many facts it holds and the digest that covers them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Facts so far; the first has sequence 1.
    pub sequence: u64,
    /// Covers every fact up to `sequence`.
    pub digest: Digest,
}

impl Head {
    /// Of an empty journal.
    pub fn genesis() -> Self {
        Self {
            sequence: 0,
            digest: Digest::of("entente/1/journal-genesis", &[]),
        }
    }

    fn next(&self, body: &[u8]) -> Self {
        let sequence = self.sequence.saturating_add(1);
        let parts: [&[u8]; 3] = [&sequence.to_be_bytes(), &self.digest.0, body];
        Self {
            sequence,
            digest: Digest::of("entente/1/journal", &parts),
        }
    }
}

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

/// Called with each record: where the chain stands after it, and its body.
pub(crate) type Visitor<'a> = dyn FnMut(Head, &[u8]) -> Result<(), LedgerError> + 'a;

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

/// What checking a segment found.
struct Scan {
    /// After the last good record.
    head: Head,
    /// The first bytes that are not a good record.
    bad: Option<Bad>,
}

struct Bad {
    offset: usize,
    what: &'static str,
    /// Cannot be the trace of a crash during the last append.
    damage: bool,
}

fn scan(bytes: &[u8], start: Head, visit: &mut Visitor<'_>) -> Result<Scan, LedgerError> {
    let mut head = start;
    let Some(records) = bytes.strip_prefix(SEGMENT_MAGIC.as_slice()) else {
        // A partial magic in an otherwise empty segment is what a crash while creating it leaves.
        let damage = bytes.len() >= SEGMENT_MAGIC.len() || !SEGMENT_MAGIC.starts_with(bytes);
        let bad = (damage || !bytes.is_empty()).then_some(Bad {
            offset: 0,
            what: "the file does not begin as a journal",
            damage,
        });
        return Ok(Scan { head, bad });
    };
    let mut rest = records;
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let Some(record) = Parsed::at_start(rest) else {
            let torn_max = PREFIX_BYTES + BODY_BYTES_MAX + SUFFIX_BYTES;
            let damage = rest.len() > torn_max || whole_record_in(&rest[1..]);
            return Ok(Scan {
                head,
                bad: Some(Bad {
                    offset,
                    what: "a record does not match its checksum",
                    damage,
                }),
            });
        };
        if record.before != head {
            let what = "a record does not continue the chain";
            return Ok(Scan {
                head,
                bad: Some(Bad {
                    offset,
                    what,
                    damage: true,
                }),
            });
        }
        head = record.after;
        visit(head, record.body)?;
        rest = record.rest;
    }
    Ok(Scan { head, bad: None })
}

/// A record whose checksum holds.
struct Parsed<'a> {
    before: Head,
    after: Head,
    body: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Parsed<'a> {
    fn at_start(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(RECORD_MAGIC.as_slice())?;
        let (length, bytes) = bytes.split_first_chunk::<4>()?;
        let (sequence, bytes) = bytes.split_first_chunk::<8>()?;
        let (previous, bytes) = bytes.split_first_chunk::<32>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let sequence = u64::from_be_bytes(*sequence);
        if length > BODY_BYTES_MAX {
            return None;
        }
        let (body, bytes) = bytes.split_at_checked(length)?;
        let (digest, rest) = bytes.split_first_chunk::<32>()?;
        let before = Head {
            sequence: sequence.checked_sub(1)?,
            digest: Digest(*previous),
        };
        let after = before.next(body);
        (after.digest.0 == *digest).then_some(Self {
            before,
            after,
            body,
            rest,
        })
    }
}

fn whole_record_in(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|offset| Parsed::at_start(&bytes[offset..]).is_some())
}

fn encode(before: Head, after: Head, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("bodies are at most BODY_BYTES_MAX");
    let mut record = Vec::with_capacity(PREFIX_BYTES + body.len() + SUFFIX_BYTES);
    record.extend_from_slice(&RECORD_MAGIC);
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(&after.sequence.to_be_bytes());
    record.extend_from_slice(&before.digest.0);
    record.extend_from_slice(body);
    record.extend_from_slice(&after.digest.0);
    record
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
