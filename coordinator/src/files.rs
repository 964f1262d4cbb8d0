//! Small files of the coordinator's home: read with a bound, replaced whole.

use entente_wire::problem::{Code, Problem};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::limits::FILE_BYTES_MAX;

/// The whole file.
pub(crate) fn read(path: &Path) -> Result<String, Problem> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Problem::here(
                Code::Home,
                format!("{} is missing", path.display()),
                "make a coordinator's home with `entente coordinator init`, or name another with --home",
            ),
            _ => unusable(path, &error),
        })?;
    Ok(text)
}

/// Puts `text` in the place of what was there; whole or not at all.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Problem> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = PathBuf::from(name);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            _ => Ok(()),
        });
    written.map_err(|error| unusable(path, &error))
}

/// A file or folder that the operating system does not let us use.
pub(crate) fn unusable(path: &Path, error: &io::Error) -> Problem {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::Disk,
        _ => Code::Home,
    };
    Problem::here(
        code,
        format!("{} cannot be used: {error}", path.display()),
        "check its owner, its permissions and the free space",
    )
}
