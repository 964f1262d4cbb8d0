//! The coordinator's home folder: where it listens, its keys, who is admitted, and its cache.
//!
//! ```text
//! HOME/coordinator.toml   listen
//! HOME/keys/              root and node certificate, as every node's
//! HOME/admitted.toml      ORG = "ROOT FINGERPRINT"
//! HOME/state/             sled; a cache
//! ```

use crate::files;
use crate::members::{self, ADMITTED};
use entente_certs::{
    IssueError, KeyFileError, NodeCertificate, OrgRoot, RenewError, RootFingerprint,
};
use entente_wire::problem::{Code, Problem};
use serde::Deserialize;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The name in every coordinator's certificates. Nodes expect it together with the root fingerprint; no member can
/// have it.
pub const COORDINATOR: &str = entente_certs::COORDINATOR;

const SETTINGS: &str = "coordinator.toml";
const KEYS: &str = "keys";
const STATE: &str = "state";
/// Longest address: a DNS name and a port.
const LISTEN_BYTES_MAX: usize = 259;

/// What `init` made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Nodes pin this: `--coordinator HOST:PORT#FINGERPRINT`.
    pub fingerprint: RootFingerprint,
    /// Where it will listen.
    pub listen: String,
    /// The home folder.
    pub home: PathBuf,
}

/// `coordinator.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// `host:port`; port 0 takes any free one.
    pub(crate) listen: String,
}

/// The folders of one home.
pub(crate) struct Home {
    folder: PathBuf,
    pub(crate) settings: Settings,
}

/// Makes a coordinator's home: keys, settings, and nobody admitted. An existing one is left as it is.
pub fn init(home: &Path, listen: &str, now: SystemTime) -> Result<Summary, Problem> {
    check_listen(listen)?;
    let settings_path = home.join(SETTINGS);
    if settings_path.exists() {
        return Err(Problem::here(
            Code::Home,
            format!("{} is a coordinator's home already", home.display()),
            "start it with `entente coordinator run`, or name another folder with --home",
        ));
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home)
        .map_err(|error| files::unusable(home, &error))?;
    let keys = home.join(KEYS);
    let root = match OrgRoot::load(&keys, now) {
        // A first try was interrupted after the keys.
        Ok(root) => root,
        Err(KeyFileError::Missing(_)) => {
            let root = OrgRoot::create(COORDINATOR, now).map_err(not_issued)?;
            root.save(&keys).map_err(key_file)?;
            root
        }
        Err(error) => return Err(key_file(error)),
    };
    members::begin(home)?;
    let settings = Settings {
        listen: listen.to_owned(),
    };
    // Checked above: nothing in it has to be escaped.
    files::replace(&settings_path, &format!("listen = \"{listen}\"\n"))?;
    Ok(Summary {
        fingerprint: root.fingerprint(),
        listen: settings.listen,
        home: home.to_owned(),
    })
}

impl Home {
    pub(crate) fn open(folder: &Path) -> Result<Self, Problem> {
        let path = folder.join(SETTINGS);
        let settings: Settings = toml::from_str(&files::read(&path)?).map_err(|error| {
            Problem::here(
                Code::Home,
                format!("{} is not valid: {}", path.display(), error.message()),
                "it holds one line: listen = \"HOST:PORT\"",
            )
        })?;
        check_listen(&settings.listen)?;
        Ok(Self {
            folder: folder.to_owned(),
            settings,
        })
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join(STATE)
    }

    pub(crate) fn admitted(&self) -> PathBuf {
        self.folder.join(ADMITTED)
    }

    /// The certificate for handshakes, issued anew where it is missing or two thirds old.
    pub(crate) fn certificate(&self, now: SystemTime) -> Result<NodeCertificate, Problem> {
        let keys = self.folder.join(KEYS);
        NodeCertificate::load_or_issue(&keys, COORDINATOR, &[], now).map_err(|error| match error {
            RenewError::KeyFile(error) => key_file(error),
            RenewError::Issue(error) => not_issued(error),
            other => Problem::here(Code::KeyFile, other.to_string(), "restore the keys folder"),
        })
    }
}

fn check_listen(listen: &str) -> Result<(), Problem> {
    let good = listen.len() <= LISTEN_BYTES_MAX
        && listen.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || b".-_[]:%".contains(&c))
                && port.parse::<u16>().is_ok()
        });
    if good {
        return Ok(());
    }
    Err(Problem::request(
        Code::Argument,
        format!("\"{listen}\" is not an address to listen at"),
        "write HOST:PORT, for example 0.0.0.0:7440",
    ))
}

fn key_file(error: KeyFileError) -> Problem {
    Problem::here(
        Code::KeyFile,
        error.to_string(),
        "nodes pin the coordinator's root, so keep its keys folder and a backup of it",
    )
}

fn not_issued(error: IssueError) -> Problem {
    Problem::here(
        Code::KeyFile,
        error.to_string(),
        "check this machine's clock",
    )
}
