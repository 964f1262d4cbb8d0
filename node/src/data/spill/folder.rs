//! The folder that spilled ids go to, and the one way to make a file in it.

use entente_wire::problem::{Code, Problem};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How names of spill files begin.
const PREFIX: &str = "ids-";
/// The folder and its files are this node's own.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// A folder for spilled ids. One a node, made when it starts; all clones are the same folder.
#[derive(Debug, Clone)]
pub struct SpillFolder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Numbers the files of this process.
    next: AtomicU64,
    room: Room,
}

/// How much a spill may take. Only tests have another than [`Room::default`]: they stand in for large data and small disks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Bytes that all partitions together keep in memory.
    pub(crate) memory_bytes: usize,
    /// Least that a partition writes at once.
    pub(crate) piece_bytes_min: usize,
    /// Bytes on disk.
    pub(crate) file_bytes_max: u64,
}

impl Default for Room {
    /// Memory for a million and a half rows, so that small inputs never see the disk; pieces small enough for many partitions,
    /// large enough for a disk; all the disk there is.
    fn default() -> Self {
        Self {
            memory_bytes: 32 << 20,
            piece_bytes_min: 32 << 10,
            file_bytes_max: u64::MAX,
        }
    }
}

impl SpillFolder {
    /// Makes the folder if it is not there, closes it to everybody else, and removes what an older run may have left.
    ///
    /// Errors: the folder cannot be made or is not this user's (`Disk`).
    pub fn open(path: &Path) -> Result<Self, Problem> {
        Self::with_room(path, Room::default())
    }

    /// The same with other limits.
    pub(crate) fn with_room(path: &Path, room: Room) -> Result<Self, Problem> {
        let folder = Self(Arc::new(Inner {
            path: path.to_owned(),
            next: AtomicU64::new(0),
            room,
        }));
        let made = DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(path)
            .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(FOLDER_MODE)))
            .and_then(|()| folder.sweep_out());
        match made {
            Ok(()) => Ok(folder),
            Err(error) => Err(folder.unusable(&error)),
        }
    }

    /// Files are without a name but for an instant; one that a crash hit in that instant is removed here.
    fn sweep_out(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.0.path)? {
            let entry = entry?;
            if entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(PREFIX.as_bytes())
            {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A new file, which is gone when it is closed.
    pub(super) fn file(&self) -> io::Result<File> {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        let path = self.0.path.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }

    /// What may stay in memory where it does not grow beyond this.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.0.room.memory_bytes as u64
    }

    /// What a partition keeps in memory before it is written.
    pub(super) fn piece_bytes_max(&self, partitions: usize) -> usize {
        let room = self.0.room;
        (room.memory_bytes / partitions).max(room.piece_bytes_min)
    }

    /// Refuses what goes beyond the limit, as a full disk does.
    pub(super) fn check_room(&self, bytes: u64) -> io::Result<()> {
        if bytes > self.0.room.file_bytes_max {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// Ids or values cannot be written here, or not be read again.
    pub(super) fn unusable(&self, error: &io::Error) -> Problem {
        Problem::here(
            Code::Disk,
            format!(
                "ids and values cannot be kept in {} while they are sorted: {error}",
                self.0.path.display()
            ),
            "free space there (48 bytes a row are enough, and 9 more for each number asked of it) or check its permissions, then run it again",
        )
    }

    /// What was written is not what is read.
    pub(super) fn damaged(&self) -> Problem {
        Problem::here(
            Code::Disk,
            format!(
                "ids or values kept in {} came back altered: the disk or its memory is failing",
                self.0.path.display()
            ),
            "check the disk and the machine's memory, then run it again",
        )
    }
}
