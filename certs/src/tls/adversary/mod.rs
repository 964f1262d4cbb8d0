//! What somebody who can reach a port, stand between two nodes, or lure a node to his own port may try. Here: the ports and
//! the strangers that the tests are made of.
#![expect(
    clippy::unwrap_used,
    reason = "a failed unwrap fails the test that it stands in"
)]

mod identities;
mod ports;

use crate::chain::ChainError;
use crate::node_certificate::NodeCertificate;
use crate::test_bench::{DAY, DEADLINE, Org, next, org, port};
use crate::tls::{ConnectError, TlsLimits, TlsParty, connect_proven, provider};
use crate::{Connection, Expected, OrgRoot, Peer};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, HandshakeKind, NamedGroup, SignatureScheme};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_stream::StreamExt;

/// A port that begins HTTP/2 as tonic does, with an empty SETTINGS frame, and tells whom it let in.
async fn serve(party: &TlsParty, limits: TlsLimits) -> (SocketAddr, JoinHandle<Peer>) {
    let (address, mut port) = port(party, &limits).await;
    let served = tokio::spawn(async move {
        let mut io = next(&mut port).await;
        io.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        io.flush().await.unwrap();
        let peer = io.peer().clone();
        // Stays open until the client has gone; the port goes on refusing whom it must.
        let mut heard = Vec::new();
        tokio::select! {
            _ = io.read_to_end(&mut heard) => {}
            _ = port.next() => unreachable!("one connection is all that a test makes here"),
        }
        peer
    });
    (address, served)
}

async fn dial(
    from: &TlsParty,
    to: SocketAddr,
    expected: &Expected,
) -> Result<Connection, ConnectError> {
    connect_proven(from, &to.to_string(), expected, DEADLINE).await
}

/// What `client` hears when it shows its certificate at `server`'s port.
async fn refused(client: &TlsParty, server: &Org) -> ConnectError {
    let (address, served) = serve(&server.party, TlsLimits::default()).await;
    let result = dial(client, address, &server.expected()).await;
    assert!(!served.is_finished(), "the server let it in");
    served.abort();
    result.expect_err("the client was let in")
}

/// A client that is not ours: shows any chain, checks nothing, keeps sessions where it can.
struct Stranger {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    alpn: Option<&'static [u8]>,
    sessions: Resumption,
}

impl Stranger {
    fn with(certificate: &NodeCertificate, chain: Vec<CertificateDer<'static>>) -> Self {
        Self {
            chain,
            key: certificate.key.pkcs8().to_vec(),
            alpn: Some(b"h2"),
            sessions: Resumption::store(Arc::new(ClientSessionMemoryCache::new(8))),
        }
    }

    fn config(&self) -> Arc<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Credulous));
        let mut config = if self.chain.is_empty() {
            builder.with_no_client_auth()
        } else {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
            let key = provider().key_provider.load_private_key(key).unwrap();
            let shown = CertifiedKey::new(self.chain.clone(), key);
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(shown)))
        };
        config.alpn_protocols = self.alpn.iter().map(|name| name.to_vec()).collect();
        config.resumption = self.sessions.clone();
        config.enable_early_data = true;
        Arc::new(config)
    }

    /// The connection and the first byte that the server sent, or why there is none.
    async fn call(
        &self,
        config: &Arc<ClientConfig>,
        to: SocketAddr,
    ) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(to).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = TlsConnector::from(config.clone())
            .connect(name, tcp)
            .await?;
        timeout(DEADLINE, tls.read_u8())
            .await
            .expect("an answer in time")?;
        Ok(tls)
    }

    async fn refused_at(&self, server: &Org, what: &str) {
        let (address, served) = serve(&server.party, TlsLimits::default()).await;
        let called = self.call(&self.config(), address).await;
        assert!(
            called.is_err() && !served.is_finished(),
            "{what} was let in"
        );
        served.abort();
    }
}

#[derive(Debug)]
struct Credulous;

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
