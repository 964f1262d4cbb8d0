//! A node's certificate and its key: what a node shows in every handshake, signed by its organisation's root, valid for
//! thirty days and renewed by the node itself.

use crate::chain::{self, Acting, ChainError, Proven};
use crate::fingerprint::RootFingerprint;
use crate::identity::Label;
use crate::key_files::{self, KeyFileError, PrivateKey};
use crate::root::{IssueError, OrgRoot, ROOT_CERTIFICATE, unix};
use rustls_pki_types::CertificateDer;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How long a node certificate lives. Short, because nothing else ends one: a lost node key is useless after this.
pub const NODE_CERTIFICATE_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

const NODE_KEY: &str = "node.key";
const NODE_CERTIFICATE: &str = "node.crt";

/// Why a node has no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenewError {
    /// A key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The root did not issue one.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

/// A node's certificate with its root and its private key. Holds a secret: no `Debug`, no `Clone`; must not be sent.
pub struct NodeCertificate {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) root: CertificateDer<'static>,
    pub(crate) key: PrivateKey,
    pub(crate) org: Label,
    pub(crate) node: Label,
    pub(crate) fingerprint: RootFingerprint,
    pub(crate) until: SystemTime,
}

impl NodeCertificate {
    /// Writes `node.key` and `node.crt` in the place of the ones before.
    pub fn save(&self, keys: &Path) -> Result<(), KeyFileError> {
        // A crash between the two leaves a pair that does not match; `load_or_issue` then issues again.
        self.key.replace(&keys.join(NODE_KEY))?;
        key_files::save_certificate(&keys.join(NODE_CERTIFICATE), &self.certificate)
    }

    /// Reads `node.key`, `node.crt` and `root.crt`, and checks that partners would accept them now.
    pub fn load(keys: &Path, now: SystemTime) -> Result<Self, KeyFileError> {
        let key_path = keys.join(NODE_KEY);
        let path = keys.join(NODE_CERTIFICATE);
        let key = PrivateKey::load(&key_path)?;
        let certificate = key_files::load_certificate(&path)?;
        let root = key_files::load_certificate(&keys.join(ROOT_CERTIFICATE))?;
        let chain = [certificate, root];
        let refused = |source| KeyFileError::Certificate {
            path: path.clone(),
            source,
        };
        let proven = chain::prove(&chain, Acting::Server, unix(now)).map_err(refused)?;
        chain::prove(&chain, Acting::Client, unix(now)).map_err(refused)?;
        if chain::key_of(&chain[0]) != Some(key.public_key()) {
            let certificate = path;
            let key = key_path;
            return Err(KeyFileError::Mismatch { key, certificate });
        }
        let [certificate, root] = chain;
        let Proven { org, node, .. } = proven;
        Ok(Self {
            certificate,
            root,
            key,
            org,
            node,
            fingerprint: proven.root,
            until: proven.until,
        })
    }

    /// Reads the node's certificate, or has the root issue a new one where there is none yet, where two thirds of its life
    /// are over, or where a crash left half of a pair. What is damaged or foreign stays an error.
    pub fn load_or_issue(
        keys: &Path,
        node: &str,
        names: &[String],
        now: SystemTime,
    ) -> Result<Self, RenewError> {
        match Self::load(keys, now) {
            Ok(read) if !read.renewal_is_due(now) => return Ok(read),
            Ok(_)
            | Err(
                KeyFileError::Missing(_)
                | KeyFileError::Mismatch { .. }
                | KeyFileError::Certificate {
                    source: ChainError::Time { .. },
                    ..
                },
            ) => {}
            Err(error) => return Err(error.into()),
        }
        let issued = OrgRoot::load(keys, now)?.issue(node, names, now)?;
        issued.save(keys)?;
        Ok(issued)
    }

    /// Whose node.
    pub fn org(&self) -> &str {
        self.org.as_str()
    }

    /// The node's name.
    pub fn node(&self) -> &str {
        self.node.as_str()
    }

    /// The root that signed.
    pub fn root(&self) -> RootFingerprint {
        self.fingerprint
    }

    /// When it ends.
    pub fn until(&self) -> SystemTime {
        self.until
    }

    /// Whether two thirds of its life are over, so that a new one should be issued.
    pub fn renewal_is_due(&self, now: SystemTime) -> bool {
        now + NODE_CERTIFICATE_LIFETIME / 3 >= self.until
    }

    /// What is shown in a handshake: the node's certificate, then its root.
    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone(), self.root.clone()]
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn home(org: &str) -> (TempDir, OrgRoot) {
        let folder = tempfile::tempdir().unwrap();
        let root = OrgRoot::create(org, now()).unwrap();
        root.save(folder.path()).unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let node = root.issue("node-1", &names, now()).unwrap();
        node.save(folder.path()).unwrap();
        (folder, root)
    }

    #[test]
    fn root_and_node_are_read_back() {
        let (folder, root) = home("north-bank");
        let read = OrgRoot::load(folder.path(), now()).unwrap();
        assert_eq!(read.org(), "north-bank");
        assert_eq!(read.fingerprint(), root.fingerprint());
        assert_eq!(read.pkcs8(), root.pkcs8());
        let node = NodeCertificate::load(folder.path(), now()).unwrap();
        assert_eq!((node.org(), node.node()), ("north-bank", "node-1"));
        assert_eq!(node.root(), root.fingerprint());
        assert_eq!(node.until(), now() + NODE_CERTIFICATE_LIFETIME);
    }

    #[test]
    fn a_root_is_never_overwritten() {
        let (folder, _) = home("north-bank");
        let again = OrgRoot::create("north-bank", now()).unwrap();
        let saved = again.save(folder.path());
        assert!(matches!(saved, Err(KeyFileError::Exists(_))));
        OrgRoot::load(folder.path(), now()).expect("the first root is whole");
    }

    #[test]
    fn renewal_is_due_before_the_end() {
        let (_folder, root) = home("north-bank");
        let node = root.issue("node-1", &[], now()).unwrap();
        assert!(!node.renewal_is_due(now() + 19 * DAY));
        assert!(node.renewal_is_due(now() + 20 * DAY));
    }

    #[test]
    fn a_node_without_a_usable_pair_is_issued_a_new_one() {
        let (folder, root) = home("north-bank");
        let keys = folder.path();
        let renew = |now| NodeCertificate::load_or_issue(keys, "node-1", &[], now).unwrap();
        let first = renew(now());
        assert_eq!(renew(now()).certificate, first.certificate, "still good");
        let late = renew(now() + 25 * DAY);
        assert_ne!(late.certificate, first.certificate);
        assert_eq!(late.root(), root.fingerprint());
        let later = renew(now() + 200 * DAY);
        PrivateKey::generate()
            .replace(&keys.join(NODE_KEY))
            .unwrap();
        let after_crash = renew(now() + 200 * DAY);
        assert_ne!(after_crash.certificate, later.certificate);
        fs::remove_file(keys.join(NODE_KEY)).unwrap();
        fs::remove_file(keys.join(NODE_CERTIFICATE)).unwrap();
        renew(now());
    }

    #[test]
    fn a_damaged_node_key_is_an_error_and_stays_as_it_is() {
        let (folder, _) = home("north-bank");
        let path = folder.path().join(NODE_KEY);
        fs::write(&path, "garbage").unwrap();
        let renewed = NodeCertificate::load_or_issue(folder.path(), "node-1", &[], now());
        assert!(matches!(
            renewed,
            Err(RenewError::KeyFile(KeyFileError::Malformed { .. }))
        ));
        assert_eq!(fs::read(&path).unwrap(), b"garbage");
    }

    #[test]
    fn a_key_of_another_node_is_a_mismatch() {
        let (folder, root) = home("north-bank");
        let other = tempfile::tempdir().unwrap();
        let node = root.issue("node-1", &[], now()).unwrap();
        node.save(other.path()).unwrap();
        fs::copy(other.path().join(NODE_KEY), folder.path().join(NODE_KEY)).unwrap();
        let loaded = NodeCertificate::load(folder.path(), now());
        assert!(matches!(loaded, Err(KeyFileError::Mismatch { .. })));
    }

    #[test]
    fn a_root_key_of_another_root_is_a_mismatch() {
        let (folder, _) = home("north-bank");
        let (other, _) = home("north-bank");
        fs::copy(
            other.path().join("root.key"),
            folder.path().join("root.key"),
        )
        .unwrap();
        let loaded = OrgRoot::load(folder.path(), now());
        assert!(matches!(loaded, Err(KeyFileError::Mismatch { .. })));
    }

    #[test]
    fn a_certificate_of_another_root_or_an_ended_one_is_refused() {
        let (folder, _) = home("north-bank");
        let late = NodeCertificate::load(folder.path(), now() + 31 * DAY);
        let Err(KeyFileError::Certificate { source, .. }) = late else {
            unreachable!("an expired certificate was loaded")
        };
        assert!(source.to_string().contains("expired"), "{source}");

        let (other, _) = home("north-bank");
        fs::copy(
            other.path().join(ROOT_CERTIFICATE),
            folder.path().join(ROOT_CERTIFICATE),
        )
        .unwrap();
        let foreign = NodeCertificate::load(folder.path(), now());
        assert!(matches!(foreign, Err(KeyFileError::Certificate { .. })));
    }

    #[test]
    fn names_that_cannot_stand_in_a_certificate_are_refused() {
        let (_folder, root) = home("north-bank");
        assert!(OrgRoot::create("North Bank", now()).is_err());
        assert!(root.issue("node/1", &[], now()).is_err());
        for bad in ["", "a b", "-x", "host:7443", "ü.example"] {
            assert!(
                root.issue("node-1", &[bad.to_owned()], now()).is_err(),
                "{bad:?} was taken"
            );
        }
        let many = vec!["localhost".to_owned(); 33];
        assert!(root.issue("node-1", &many, now()).is_err());
    }
}
