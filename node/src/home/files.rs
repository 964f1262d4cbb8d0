//! The files of a home: where they are, who may read them, and how they are written whole or not at all.

use entente_wire::problem::{Code, Problem};
use serde::de::DeserializeOwned;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Largest file read here: a registry of a thousand people is under 200 KiB.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn org_toml(folder: &Path) -> PathBuf {
    folder.join("org.toml")
}

pub(super) fn keys(folder: &Path) -> PathBuf {
    folder.join("keys")
}

pub(super) fn sign_key(folder: &Path) -> PathBuf {
    keys(folder).join("sign.key")
}

pub(super) fn registry(folder: &Path) -> PathBuf {
    folder.join("registry.record")
}

pub(super) fn results(folder: &Path) -> PathBuf {
    folder.join("results")
}

pub(super) fn socket(folder: &Path) -> PathBuf {
    folder.join("node.sock")
}

/// Makes the home, its owner's only.
pub(super) fn make_folder(folder: &Path) -> Result<(), Problem> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| io_problem(folder, "made", &error))
}

/// A home that others can write is not the operator's any more: they could swap keys and answers.
pub(super) fn check_folder(folder: &Path) -> Result<(), Problem> {
    let metadata = fs::metadata(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Problem::request(
            Code::Home,
            format!("there is no home folder at {}", folder.display()),
            "begin with `entente init`, or name the folder with --home or ENTENTE_HOME",
        ),
        _ => io_problem(folder, "read", &error),
    })?;
    if !metadata.is_dir() || !org_toml(folder).exists() {
        return Err(Problem::request(
            Code::Home,
            format!(
                "{} is not a finished home folder: it has no org.toml",
                folder.display()
            ),
            "begin with `entente init`, or name the folder with --home or ENTENTE_HOME",
        ));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        let folder = folder.display();
        return Err(Problem::here(
            Code::Home,
            format!("{folder} can be written by others (mode {mode:03o})"),
            format!("look whether anything in it was changed, then `chmod 700 {folder}`"),
        ));
    }
    Ok(())
}

/// Held while the registry changes, so that of two changes at once none is lost.
pub(super) fn lock_registry(folder: &Path) -> Result<File, Problem> {
    let path = folder.join("registry.lock");
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true).mode(0o600);
    let locked = options.open(&path).and_then(|file| {
        file.lock()?;
        Ok(file)
    });
    locked.map_err(|error| io_problem(&path, "locked", &error))
}

/// Writes a file under a temporary name, flushes it, and puts it in the place of what was there.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let written = (|| {
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        match path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    })();
    written.map_err(|error| io_problem(path, "written", &error))
}

/// Reads a JSON document.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Problem> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|error| io_problem(path, "read", &error))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = format!("{} is damaged: {error}", path.display());
        Problem::here(Code::Home, what, "restore the file from your backup")
    })
}

fn io_problem(path: &Path, action: &str, error: &io::Error) -> Problem {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::Disk,
        _ => Code::Home,
    };
    let what = format!("{} cannot be {action}: {error}", path.display());
    Problem::here(
        code,
        what,
        "see that the disk has room and the folder is this user's",
    )
}
