//! Private keys and certificates on disk.
//!
//! Private keys are Ed25519, PKCS#8 in PEM, readable by their owner only. Files appear whole or not at all: written under a
//! temporary name, flushed, then renamed. A key file that others can read is refused, not repaired: it may have been copied.

use crate::pem;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Largest key or certificate file. Real ones are under 2 KiB.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// Why a key or certificate file cannot be used. All of these are on this side.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is no such file.
    #[error("{} is missing; restore it from your backup, or begin anew with `entente init`", .0.display())]
    Missing(PathBuf),
    /// The file exists already and is not overwritten.
    #[error("{} exists already and is never overwritten; move it away first if you mean to begin anew", .0.display())]
    Exists(PathBuf),
    /// Others may read or write the file.
    #[error("{} can be used by others (mode {mode:03o}); if nobody has copied it, `chmod 600` it", .path.display())]
    Permissions {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The operating system refused.
    #[error("{} cannot be {action}: {source}", .path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// `read` or `written`.
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// Not what the file's name says.
    #[error("{} does not hold {expected}; restore it from your backup", .path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// A private key and a certificate that do not belong together.
    #[error("{} is not the key of {}; restore both from the same backup", .key.display(), .certificate.display())]
    Mismatch {
        /// The private key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// A certificate that no partner would accept.
    #[error("{} cannot be used: {source}", .path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: crate::ChainError,
    },
}

/// An Ed25519 private key. Holds a secret: no `Debug`, no `Clone`, wiped on drop; must not be sent.
pub struct PrivateKey {
    pkcs8: Zeroizing<Vec<u8>>,
    public: [u8; 32],
}

impl PrivateKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .expect("the operating system gives random bytes");
        Self::from_pkcs8(Zeroizing::new(document.as_ref().to_vec()))
            .expect("ring reads what ring wrote")
    }

    fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        Some(Self { pkcs8, public })
    }

    /// The PKCS#8 document (RFC 8410), as signers take it. Must not be sent or logged.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public key, 32 bytes.
    pub fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// Writes the key, readable by its owner only. A file that exists is not touched.
    pub fn save_new(&self, path: &Path) -> Result<(), KeyFileError> {
        write_new(path, pem::encode("PRIVATE KEY", &self.pkcs8).as_bytes())
    }

    /// As [`Self::save_new`], in the place of what was there.
    pub(crate) fn replace(&self, path: &Path) -> Result<(), KeyFileError> {
        write_over(path, pem::encode("PRIVATE KEY", &self.pkcs8).as_bytes())
    }

    /// Reads a key that only its owner can read.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let text = read(path, Access::OwnerOnly)?;
        let malformed = || KeyFileError::Malformed {
            path: path.to_owned(),
            expected: "an Ed25519 private key (PKCS#8, PEM)",
        };
        let der = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| malformed())?;
        Self::from_pkcs8(Zeroizing::new(der.secret_pkcs8_der().to_vec())).ok_or_else(malformed)
    }
}

/// Writes a certificate in the place of what was there.
pub(crate) fn save_certificate(
    path: &Path,
    certificate: &CertificateDer<'_>,
) -> Result<(), KeyFileError> {
    write_over(path, pem::encode("CERTIFICATE", certificate).as_bytes())
}

/// Reads one certificate.
pub(crate) fn load_certificate(path: &Path) -> Result<CertificateDer<'static>, KeyFileError> {
    let text = read(path, Access::Anyone)?;
    CertificateDer::from_pem_slice(&text).map_err(|_| KeyFileError::Malformed {
        path: path.to_owned(),
        expected: "a certificate (PEM)",
    })
}

/// Makes the folder for keys, its owner's only.
pub(crate) fn create_folder(path: &Path) -> Result<(), KeyFileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| io_error(path, "written", source))
}

enum Access {
    OwnerOnly,
    Anyone,
}

fn read(path: &Path, access: Access) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
        _ => io_error(path, "read", source),
    })?;
    let metadata = file
        .metadata()
        .map_err(|source| io_error(path, "read", source))?;
    let mode = metadata.permissions().mode() & 0o777;
    if matches!(access, Access::OwnerOnly) && mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(KeyFileError::Permissions { path, mode });
    }
    // Sized up front: a growing buffer would leave copies of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX as usize));
    file.take(FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|source| io_error(path, "read", source))?;
    Ok(bytes)
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    let temporary = write_temporary(path, bytes)?;
    // A hard link, unlike a rename, fails where the name is taken.
    let linked = fs::hard_link(&temporary, path);
    let _ = fs::remove_file(&temporary);
    linked.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => io_error(path, "written", source),
    })?;
    flush_folder_of(path)
}

fn write_over(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    let temporary = write_temporary(path, bytes)?;
    fs::rename(&temporary, path).map_err(|source| io_error(path, "written", source))?;
    flush_folder_of(path)
}

fn write_temporary(path: &Path, bytes: &[u8]) -> Result<PathBuf, KeyFileError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = PathBuf::from(name);
    // What a crash left behind has no use.
    let _ = fs::remove_file(&temporary);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
    written.map_err(|source| io_error(path, "written", source))?;
    Ok(temporary)
}

fn flush_folder_of(path: &Path) -> Result<(), KeyFileError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| io_error(path, "written", source))
}

fn io_error(path: &Path, action: &'static str, source: io::Error) -> KeyFileError {
    let path = path.to_owned();
    KeyFileError::Io {
        path,
        action,
        source,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_only_its_owner_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sign.key");
        let key = PrivateKey::generate();
        key.save_new(&path).unwrap();
        assert_eq!(
            PrivateKey::load(&path).unwrap().public_key(),
            key.public_key()
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_existing_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sign.key");
        let first = PrivateKey::generate();
        first.save_new(&path).unwrap();
        let second = PrivateKey::generate().save_new(&path);
        assert!(matches!(second, Err(KeyFileError::Exists(p)) if p == path));
        let kept = PrivateKey::load(&path).unwrap();
        assert_eq!(kept.public_key(), first.public_key());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sign.key");
        PrivateKey::generate().save_new(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let loaded = PrivateKey::load(&path);
            assert!(
                matches!(loaded, Err(KeyFileError::Permissions { mode: m, .. }) if m == mode),
                "mode {mode:o} was taken"
            );
        }
    }

    #[test]
    fn a_missing_or_damaged_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sign.key");
        let missing = PrivateKey::load(&path).err().unwrap();
        assert!(matches!(missing, KeyFileError::Missing(ref p) if *p == path));

        PrivateKey::generate().save_new(&path).unwrap();
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        flipped[40] ^= 1;
        let certificate = pem::encode("CERTIFICATE", b"not a key");
        for bad in [
            &b""[..],
            b"garbage",
            &good[..good.len() / 2],
            certificate.as_bytes(),
            &flipped,
        ] {
            fs::write(&path, bad).unwrap();
            let loaded = PrivateKey::load(&path);
            assert!(matches!(loaded, Err(KeyFileError::Malformed { .. })));
        }
    }

    #[test]
    fn the_errors_say_which_file_and_what_to_do() {
        let path = PathBuf::from("keys/root.key");
        let text = KeyFileError::Permissions { path, mode: 0o644 }.to_string();
        assert!(text.contains("keys/root.key") && text.contains("644") && text.contains("chmod"));
    }
}
