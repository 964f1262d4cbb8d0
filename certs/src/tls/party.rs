//! One side of all handshakes of a program: its own chain and key, which may be renewed while connections go on.

use super::verifier::{AnyOrganisation, PinnedServer};
use super::{ALPN, provider};
use crate::fingerprint::RootFingerprint;
use crate::key_files::KeyFileError;
use crate::node_certificate::NodeCertificate;
use crate::peer::Expected;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig, SignatureScheme};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

/// A program's own chain and node key, as its handshakes use them. Cheap to clone; all clones change together when the
/// certificate is renewed. Holds a secret: no `Debug`.
#[derive(Clone)]
pub struct TlsParty {
    shown: Arc<Shown>,
    clock: Arc<dyn TimeProvider>,
    server: Arc<ServerConfig>,
}

/// What handshakes show now.
struct Shown(RwLock<Certificate>);

struct Certificate {
    certified: Arc<CertifiedKey>,
    org: String,
    node: String,
    root: RootFingerprint,
    until: SystemTime,
}

impl TlsParty {
    /// Reads `node.key`, `node.crt` and `root.crt`.
    pub fn load(keys: &Path, now: SystemTime) -> Result<Self, KeyFileError> {
        Ok(Self::new(&NodeCertificate::load(keys, now)?))
    }

    /// From a certificate just issued or read.
    pub fn new(certificate: &NodeCertificate) -> Self {
        Self::with_clock(certificate, Arc::new(DefaultTimeProvider))
    }

    pub(crate) fn with_clock(certificate: &NodeCertificate, clock: Arc<dyn TimeProvider>) -> Self {
        let shown = Arc::new(Shown(RwLock::new(Certificate::from(certificate))));
        let server = Arc::new(server_config(shown.clone(), clock.clone()));
        Self {
            shown,
            clock,
            server,
        }
    }

    /// Shows a renewed certificate from the next handshake on. Connections that exist go on.
    pub fn replace(&self, certificate: &NodeCertificate) {
        let renewed = Certificate::from(certificate);
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = renewed;
    }

    /// Whose program this is.
    pub fn org(&self) -> String {
        self.shown.read(|certificate| certificate.org.clone())
    }

    /// The node's name.
    pub fn node(&self) -> String {
        self.shown.read(|certificate| certificate.node.clone())
    }

    /// The own root, as partners pin it.
    pub fn root(&self) -> RootFingerprint {
        self.shown.read(|certificate| certificate.root)
    }

    /// When the certificate shown now ends.
    pub fn until(&self) -> SystemTime {
        self.shown.read(|certificate| certificate.until)
    }

    pub(super) fn clock(&self) -> &Arc<dyn TimeProvider> {
        &self.clock
    }

    pub(super) fn server_config(&self) -> Arc<ServerConfig> {
        self.server.clone()
    }

    /// For one connection to the pinned organisation.
    pub(super) fn client_config(&self, expected: &Expected) -> ClientConfig {
        let verifier = Arc::new(PinnedServer(expected.clone()));
        let mut config = ClientConfig::builder_with_details(provider(), self.clock.clone())
            .with_protocol_versions(&[&TLS13])
            .expect("the provider has TLS 1.3 suites")
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(self.shown.clone());
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        // The one part of a handshake that names somebody in the clear.
        config.enable_sni = false;
        config
    }
}

fn server_config(shown: Arc<Shown>, clock: Arc<dyn TimeProvider>) -> ServerConfig {
    let mut config = ServerConfig::builder_with_details(provider(), clock)
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has TLS 1.3 suites")
        .with_client_cert_verifier(Arc::new(AnyOrganisation))
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    // Before the client has proven itself, it is sent nothing.
    config.send_half_rtt_data = false;
    config
}

impl Shown {
    fn read<T>(&self, part: impl FnOnce(&Certificate) -> T) -> T {
        part(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl From<&NodeCertificate> for Certificate {
    fn from(certificate: &NodeCertificate) -> Self {
        let document = PrivatePkcs8KeyDer::from(certificate.key.pkcs8().to_vec());
        let key = provider()
            .key_provider
            .load_private_key(PrivateKeyDer::Pkcs8(document))
            .expect("a PrivateKey holds an Ed25519 key");
        Self {
            certified: Arc::new(CertifiedKey::new(certificate.chain(), key)),
            org: certificate.org().to_owned(),
            node: certificate.node().to_owned(),
            root: certificate.root(),
            until: certificate.until(),
        }
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(own certificate and key)")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.read(|certificate| certificate.certified.clone()))
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let ours = schemes.contains(&SignatureScheme::ED25519);
        ours.then(|| self.read(|certificate| certificate.certified.clone()))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
