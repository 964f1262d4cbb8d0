//! The socket in the node's home: for its owner alone.
//!
//! The file has mode 0600, and every connection's user is compared with the file's owner, so that not even the moment between
//! making the file and setting its mode lets anybody else in.

use entente_wire::problem::{Code, Problem};
use futures::stream::{Stream, StreamExt};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio_stream::wrappers::UnixListenerStream;

/// Longest path that a Unix socket's address holds, on Linux, without its closing zero.
const PATH_BYTES_MAX: usize = 107;
/// The system's administrator, who can open any file anyway.
const ROOT_UID: u32 = 0;

/// A bound socket.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    file: SocketFile,
}

/// The socket's file; removed when dropped, so that a client of a stopped node sees at once that it is stopped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    owner: u32,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already, or left for the next start to remove.
        let _ = fs::remove_file(&self.path);
    }
}

impl Socket {
    /// Binds the socket at `path`. The caller holds the home's lock, so a socket file that is there is a dead node's.
    pub(crate) fn bind(path: &Path) -> Result<Self, Problem> {
        let length = path.as_os_str().as_bytes().len();
        if length > PATH_BYTES_MAX {
            let what = format!(
                "the socket's path {} has {length} bytes; the system takes at most {PATH_BYTES_MAX}",
                path.display()
            );
            return Err(Problem::here(
                Code::Home,
                what,
                "give the node a home with a shorter path: --home DIR",
            ));
        }
        remove_dead(path)?;
        let listener = UnixListener::bind(path).map_err(|error| unusable(path, &error))?;
        let made = fs::set_permissions(path, Permissions::from_mode(0o600))
            .and_then(|()| fs::metadata(path));
        let owner = made.map_err(|error| unusable(path, &error))?.uid();
        let file = SocketFile {
            path: path.to_owned(),
            owner,
        };
        Ok(Self { listener, file })
    }

    /// Connections of the file's owner; others are dropped unheard.
    pub(super) fn incoming(self) -> (impl Stream<Item = io::Result<UnixStream>>, SocketFile) {
        let owner = self.file.owner;
        let connections = UnixListenerStream::new(self.listener).filter_map(move |connection| {
            let admitted = match connection {
                Ok(stream) => may_enter(&stream, owner).then_some(Ok(stream)),
                // One connection that could not be accepted is no reason to stop.
                Err(error) => {
                    tracing::warn!("a connection to the node's socket failed: {error}");
                    None
                }
            };
            std::future::ready(admitted)
        });
        (connections, self.file)
    }
}

fn may_enter(stream: &UnixStream, owner: u32) -> bool {
    let user = stream.peer_cred().map(|peer| peer.uid());
    let admitted = user
        .as_ref()
        .is_ok_and(|uid| [owner, ROOT_UID].contains(uid));
    if !admitted {
        tracing::warn!("a connection of another user to the node's socket was refused");
    }
    admitted
}

fn remove_dead(path: &Path) -> Result<(), Problem> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {
            fs::remove_file(path).map_err(|error| unusable(path, &error))
        }
        Ok(_) => {
            let what = format!(
                "{} is in the way of the node's socket and is no socket",
                path.display()
            );
            Err(Problem::here(
                Code::Home,
                what,
                "move it away, then start the node again",
            ))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn unusable(path: &Path, error: &io::Error) -> Problem {
    let what = format!(
        "the node's socket {} cannot be made: {error}",
        path.display()
    );
    Problem::here(Code::Home, what, "check the permissions of the home folder")
}
