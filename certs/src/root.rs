//! An organisation's root: one Ed25519 key and a self-signed certificate for it, from which everything else about the
//! organisation follows.
//!
//! The key signs node certificates and the registry of people. It never leaves the organisation; partners hold its
//! fingerprint.

use crate::chain;
use crate::fingerprint::RootFingerprint;
use crate::identity::{Identity, IdentityError, Label};
use crate::key_files::{self, KeyFileError, PrivateKey};
use crate::node_certificate::{NODE_CERTIFICATE_LIFETIME, NodeCertificate};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, SanType, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The root's key, in the folder for keys.
pub(crate) const ROOT_KEY: &str = "root.key";
/// The root's certificate, in the folder for keys.
pub(crate) const ROOT_CERTIFICATE: &str = "root.crt";
/// How long a root lives. Partners pin its key, so a new root means linking anew.
const ROOT_LIFETIME: Duration = Duration::from_secs(20 * 365 * 24 * 3600);
/// Certificates begin an hour early, so that a partner whose clock is behind accepts a fresh one.
const CLOCK_SKEW: Duration = Duration::from_secs(3600);
/// Most DNS names and IP addresses in one node certificate: keeps it below the size that partners accept.
const NAMES_MAX: usize = 32;

/// Why a certificate was not issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The organisation's or node's name cannot stand in a certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Neither a DNS name nor an IP address.
    #[error("\"{given}\" is neither a DNS name nor an IP address")]
    Name {
        /// What was given.
        given: String,
    },
    /// Too many names.
    #[error("{got} names were given for one node; at most {NAMES_MAX} are allowed")]
    TooManyNames {
        /// How many.
        got: usize,
    },
    /// This machine's clock is before 1970 or far in the future.
    #[error("this machine's clock is not usable; set it")]
    Clock,
    /// The certificate could not be made.
    #[error("the certificate could not be made: {0}")]
    Encoding(#[from] rcgen::Error),
}

/// An organisation's root. Holds a secret: no `Debug`, no `Clone`; must not be sent.
pub struct OrgRoot {
    org: Label,
    key: PrivateKey,
    certificate: CertificateDer<'static>,
}

impl OrgRoot {
    /// A new root for `org` (a DNS label in lower case), valid from `now`.
    pub fn create(org: &str, now: SystemTime) -> Result<Self, IssueError> {
        let org = Label::new(org)?;
        let key = PrivateKey::generate();
        let mut params = root_params(&org)?;
        set_validity(&mut params, now, ROOT_LIFETIME)?;
        let certificate = params.self_signed(&key_pair(&key)?)?;
        Ok(Self {
            org,
            key,
            certificate: certificate.into(),
        })
    }

    /// Writes `root.key` and `root.crt`, and makes the folder (its owner's only). A root that exists is not touched.
    pub fn save(&self, keys: &Path) -> Result<(), KeyFileError> {
        key_files::create_folder(keys)?;
        self.key.save_new(&keys.join(ROOT_KEY))?;
        key_files::save_certificate(&keys.join(ROOT_CERTIFICATE), &self.certificate)
    }

    /// Reads `root.key` and `root.crt`, and checks that they belong together and are a root that partners accept.
    pub fn load(keys: &Path, now: SystemTime) -> Result<Self, KeyFileError> {
        let key_path = keys.join(ROOT_KEY);
        let certificate_path = keys.join(ROOT_CERTIFICATE);
        let key = PrivateKey::load(&key_path)?;
        let certificate = key_files::load_certificate(&certificate_path)?;
        let refused = |source| KeyFileError::Certificate {
            path: certificate_path.clone(),
            source,
        };
        let root = chain::read_root(&certificate, unix(now)).map_err(refused)?;
        if root.key != key.public_key() {
            return Err(KeyFileError::Mismatch {
                key: key_path,
                certificate: certificate_path,
            });
        }
        Ok(Self {
            org: root.org,
            key,
            certificate,
        })
    }

    /// Whose root.
    pub fn org(&self) -> &str {
        self.org.as_str()
    }

    /// What partners pin.
    pub fn fingerprint(&self) -> RootFingerprint {
        RootFingerprint::of_root_key(&self.public_key())
    }

    /// The Ed25519 public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.public_key()
    }

    /// The private key's PKCS#8 document, for signing the registry. Must not be sent or logged.
    pub fn pkcs8(&self) -> &[u8] {
        self.key.pkcs8()
    }

    /// A fresh key and certificate for `node`, valid for [`NODE_CERTIFICATE_LIFETIME`] from `now`. `names` are the DNS
    /// names and IP addresses under which it is reached.
    pub fn issue(
        &self,
        node: &str,
        names: &[String],
        now: SystemTime,
    ) -> Result<NodeCertificate, IssueError> {
        let node = Label::new(node)?;
        let key = PrivateKey::generate();
        let mut params = node_params(&self.org, &node, names)?;
        set_validity(&mut params, now, NODE_CERTIFICATE_LIFETIME)?;
        let certificate = self.sign(&params, &key)?;
        let until = now + NODE_CERTIFICATE_LIFETIME;
        Ok(NodeCertificate {
            certificate,
            root: self.certificate.clone(),
            key,
            org: self.org.clone(),
            node,
            fingerprint: self.fingerprint(),
            until,
        })
    }

    /// Signs what `params` say for the owner of `key`.
    pub(crate) fn sign(
        &self,
        params: &CertificateParams,
        key: &PrivateKey,
    ) -> Result<CertificateDer<'static>, IssueError> {
        let issuer = Issuer::new(root_params(&self.org)?, key_pair(&self.key)?);
        Ok(params.signed_by(&key_pair(key)?, &issuer)?.into())
    }
}

/// A root as [`chain`] wants it, without its time.
pub(crate) fn root_params(org: &Label) -> Result<CertificateParams, IssueError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(org, "root");
    params.subject_alt_names = vec![uri(&Identity::Organisation(org.clone()))?];
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(params)
}

/// A node certificate as [`chain`] wants it, without its time.
pub(crate) fn node_params(
    org: &Label,
    node: &Label,
    names: &[String],
) -> Result<CertificateParams, IssueError> {
    if names.len() > NAMES_MAX {
        return Err(IssueError::TooManyNames { got: names.len() });
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = name(org, node.as_str());
    params.subject_alt_names = vec![uri(&Identity::Node(org.clone(), node.clone()))?];
    for name in names {
        params.subject_alt_names.push(dns_or_ip(name)?);
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn name(org: &Label, common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, org.as_str());
    name.push(DnType::CommonName, common);
    name
}

fn uri(identity: &Identity) -> Result<SanType, IssueError> {
    Ok(SanType::URI(identity.to_string().try_into()?))
}

fn dns_or_ip(name: &str) -> Result<SanType, IssueError> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(ip));
    }
    let bad = || IssueError::Name {
        given: name.chars().take(80).collect(),
    };
    rustls_pki_types::DnsName::try_from(name).map_err(|_| bad())?;
    Ok(SanType::DnsName(name.try_into().map_err(|_| bad())?))
}

pub(crate) fn key_pair(key: &PrivateKey) -> Result<KeyPair, IssueError> {
    let document = PrivatePkcs8KeyDer::from(key.pkcs8());
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(
        &document,
        &PKCS_ED25519,
    )?)
}

/// The last second of 9999: the last that X.509 can write.
const LAST_SECOND: u64 = 253_402_300_799;

fn set_validity(
    params: &mut CertificateParams,
    now: SystemTime,
    lifetime: Duration,
) -> Result<(), IssueError> {
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| IssueError::Clock)?;
    let begin = now.saturating_sub(CLOCK_SKEW).as_secs();
    let end = now.saturating_add(lifetime).as_secs();
    if end > LAST_SECOND {
        return Err(IssueError::Clock);
    }
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(begin);
    params.not_after = epoch + Duration::from_secs(end);
    Ok(())
}

/// The moment as the path validation takes it; a clock before 1970 makes everything "not valid yet".
pub(crate) fn unix(now: SystemTime) -> UnixTime {
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH);
    UnixTime::since_unix_epoch(since_1970.unwrap_or_default())
}
