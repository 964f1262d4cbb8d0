//! Files as they lie on this organisation's disks: opened, recognised by their first bytes, hashed, and read as batches of
//! columns in file order. Nothing here changes a file or copies it.

mod chunk;
mod csv;
mod parquet;
mod plain;
mod quotes;
mod read;
mod reading;
mod source;
mod split;
mod sweep;

pub(crate) use chunk::{Chunk, Failed, Part};
pub(crate) use read::{Form, native_columns};
pub(crate) use reading::Reading;
pub(crate) use sweep::{sweep, sweep_parts};

use super::manifest::Format;
use entente_wire::canonical::Digest;
use entente_wire::problem::{Code, Problem};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Rows in a batch: enough to keep the column kernels busy, few enough for a wide file to stay in megabytes.
pub(crate) const BATCH_ROWS: usize = 8_192;
/// Most rows in a file: row numbers have 32 bits.
pub(crate) const ROWS_MAX: u64 = u32::MAX as u64;
/// Bytes read at a time when a file is hashed.
const HASH_CHUNK_BYTES: usize = 1 << 20;
/// How many first bytes tell what a file is.
const SNIFF_BYTES: usize = 64 * 1024;

/// An open file with the state it was in when it was opened.
#[derive(Debug)]
pub(crate) struct DataFile {
    path: PathBuf,
    file: File,
    stamp: Stamp,
}

/// What changes when somebody writes to a file or puts another in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified_ns: i128,
}

impl DataFile {
    /// Opens a plain file for reading. Folders, pipes and devices are refused before they are opened: a pipe would wait
    /// for its writer forever.
    pub(crate) fn open(path: &Path) -> Result<Self, Problem> {
        let found =
            std::fs::metadata(path).map_err(|error| unreadable(path, &error.to_string()))?;
        if !found.is_file() {
            let what = if found.is_dir() {
                "a folder"
            } else {
                "not a plain file"
            };
            return Err(unreadable(path, &format!("it is {what}")));
        }
        let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
        let stamp = stamp(&file).map_err(|error| unreadable(path, &error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            stamp,
        })
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its size when it was opened.
    pub(crate) fn bytes(&self) -> u64 {
        self.stamp.bytes
    }

    /// A reader from the beginning, over the same open file whatever its name now points to. One at a time: all readers
    /// share one place.
    pub(crate) fn at_start(&self) -> Result<File, Problem> {
        let again = || {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            Ok::<_, std::io::Error>(file)
        };
        again().map_err(|error| unreadable(&self.path, &error.to_string()))
    }

    /// BLAKE3 of the whole file.
    pub(crate) fn hash(&self) -> Result<Digest, Problem> {
        let mut file = self.at_start()?;
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; HASH_CHUNK_BYTES];
        loop {
            let read = file
                .read(&mut chunk)
                .map_err(|error| unreadable(&self.path, &error.to_string()))?;
            if read == 0 {
                return Ok(Digest(*hasher.finalize().as_bytes()));
            }
            hasher.update(chunk.get(..read).unwrap_or_default());
        }
    }

    /// Refuses when the file was written to since it was opened.
    pub(crate) fn check_unchanged(&self) -> Result<(), Problem> {
        match stamp(&self.file) {
            Ok(now) if now == self.stamp => Ok(()),
            Ok(_) => Err(changed(&self.path)),
            Err(error) => Err(unreadable(&self.path, &error.to_string())),
        }
    }

    /// What kind of file it is, by its first bytes and never by its name.
    pub(crate) fn recognise(&self) -> Result<Format, Problem> {
        let mut start = Vec::with_capacity(SNIFF_BYTES);
        self.at_start()?
            .take(SNIFF_BYTES as u64)
            .read_to_end(&mut start)
            .map_err(|error| unreadable(&self.path, &error.to_string()))?;
        recognise(&self.path, &start)
    }
}

fn stamp(file: &File) -> std::io::Result<Stamp> {
    let now = file.metadata()?;
    Ok(Stamp {
        device: now.dev(),
        inode: now.ino(),
        bytes: now.len(),
        modified_ns: i128::from(now.mtime()) * 1_000_000_000 + i128::from(now.mtime_nsec()),
    })
}

fn recognise(path: &Path, start: &[u8]) -> Result<Format, Problem> {
    let refused = |what: &str, todo: &str| Err(malformed(path, what, todo));
    match start {
        [] => return refused("it is empty", "give a file with a header line and rows"),
        [b'P', b'A', b'R', b'1', ..] => return Ok(Format::Parquet),
        [b'P', b'A', b'R', b'E', ..] => {
            return refused("it is an encrypted Parquet file", "decrypt it first");
        }
        [b'P', b'K', 3, 4, ..] => {
            return refused(
                "it is a spreadsheet or a ZIP archive",
                "export it as CSV in UTF-8 or as Parquet",
            );
        }
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'B', b'Z', b'h', ..] => {
            return refused("it is compressed", "unpack it first");
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(utf16(path)),
        _ if start.contains(&0) => {
            // Every second byte of Latin letters in UTF-16 is zero; other binary files have zeros too.
            let zeros = start.iter().filter(|byte| **byte == 0).count();
            if zeros * 3 > start.len() {
                return Err(utf16(path));
            }
            return refused(
                "it holds zero bytes, so it is not a text file",
                "give CSV in UTF-8 or Parquet",
            );
        }
        _ => {}
    }
    let named_parquet = path.extension().is_some_and(|end| end == "parquet");
    if named_parquet {
        return refused(
            "its name says Parquet but its first bytes do not",
            "write it again, or rename it if it is CSV",
        );
    }
    csv::delimiter(path, start).map(|delimiter| Format::Csv { delimiter })
}

fn utf16(path: &Path) -> Problem {
    malformed(
        path,
        "its text is in UTF-16, not in UTF-8",
        "convert it, for example with: iconv -f UTF-16 -t UTF-8",
    )
}

/// The file cannot be read.
pub(crate) fn unreadable(path: &Path, why: &str) -> Problem {
    Problem::here(
        Code::FileUnreadable,
        format!("{} cannot be read: {why}", path.display()),
        "check the path and that the node's user may read the file",
    )
}

/// The file is not what it says.
pub(crate) fn malformed(path: &Path, why: &str, todo: &str) -> Problem {
    Problem::here(
        Code::FileMalformed,
        format!("{} cannot be used: {why}", path.display()),
        todo,
    )
}

/// Row numbers have 32 bits.
fn too_many(file: &DataFile) -> Problem {
    malformed(
        file.path(),
        &format!("it has more than {ROWS_MAX} rows"),
        "split it into several datasets",
    )
}

/// The file is not the one that was registered.
pub(crate) fn changed(path: &Path) -> Problem {
    Problem::here(
        Code::DataChanged,
        format!("{} changed since it was registered", path.display()),
        "register it again with `entente data add`, and publish its policy again",
    )
}
