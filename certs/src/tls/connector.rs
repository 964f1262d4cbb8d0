//! The dialling side: one connection to one pinned organisation, proven in both directions before it is handed out.

use super::party::TlsParty;
use super::verifier::{Refusal, refusal};
use super::{ALPN, BINDING_LABEL};
use crate::chain::{self, Acting, ChainError};
use crate::fingerprint::RootFingerprint;
use crate::peer::{Expected, NotExpected, Peer};
use hyper_util::rt::TokioIo;
use rustls::Error as TlsError;
use rustls_pki_types::ServerName;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncBufReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// How often an idle connection asks whether the other side is there, and how long it waits for the answer.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// HTTP/2 flow-control windows: bandwidth times round trip of a 1 Gbit/s link at 64 ms.
const WINDOW_BYTES: u32 = 8 * 1024 * 1024;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address cannot be read or its name not be resolved.
    #[error("the address {address} is not known: {source}")]
    Address {
        /// As given.
        address: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nothing listens there.
    #[error("nothing listens at {address}")]
    Refused {
        /// As given.
        address: String,
    },
    /// The network does not lead there.
    #[error("{address} cannot be reached: {source}")]
    Network {
        /// As given.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// No answer in time.
    #[error("{address} did not answer {stage} within {after_ms} ms")]
    Timeout {
        /// As given.
        address: String,
        /// What was waited for.
        stage: &'static str,
        /// How long.
        after_ms: u128,
    },
    /// What answers is not a port of Entente, or another version of it.
    #[error(
        "what answers at {address} does not speak Entente's TLS; is the port right? ({source})"
    )]
    NotEntente {
        /// As given.
        address: String,
        /// What TLS said.
        source: TlsError,
    },
    /// The other side closed the connection before it was proven.
    #[error("{address} closed the connection during the handshake")]
    Closed {
        /// As given.
        address: String,
    },
    /// The other side refused this side's certificate.
    #[error(
        "{address} refused this side's certificate: {source}; compare the clocks of both sides"
    )]
    RefusedUs {
        /// As given.
        address: String,
        /// The alert.
        source: TlsError,
    },
    /// Another root is at the other end: another organisation, or somebody in between.
    #[error(
        "what answers at {address} is not the pinned organisation: its root is {got}, pinned is {expected}"
    )]
    WrongRoot {
        /// As given.
        address: String,
        /// As pinned.
        expected: RootFingerprint,
        /// As presented.
        got: RootFingerprint,
    },
    /// The pinned root is at the other end, under another name.
    #[error("the organisation at {address} calls itself {got}, but the pin is for {expected}")]
    WrongOrg {
        /// As given.
        address: String,
        /// As pinned.
        expected: String,
        /// As presented.
        got: String,
    },
    /// The other side's certificates prove nothing.
    #[error("the certificates of {address} prove nothing: {source}")]
    NotProven {
        /// As given.
        address: String,
        /// Why.
        source: ChainError,
    },
    /// HTTP/2 did not begin.
    #[error("{address} does not begin HTTP/2: {source}")]
    Http {
        /// As given.
        address: String,
        /// What tonic said.
        source: tonic::transport::Error,
    },
}

/// A connection whose two ends are proven to each other.
#[derive(Clone, Debug)]
pub struct Connection {
    /// For tonic's clients. When the connection is lost its calls fail as "unavailable"; it does not dial again.
    pub channel: Channel,
    /// Who is at the other end, with the check words of this connection.
    pub peer: Peer,
}

/// [`connect_proven`], for whom the channel is enough.
pub async fn connect(
    party: &TlsParty,
    address: &str,
    expected: &Expected,
    connect_timeout: Duration,
) -> Result<Channel, ConnectError> {
    let connection = connect_proven(party, address, expected, connect_timeout).await?;
    Ok(connection.channel)
}

/// Dials `address` (host:port) and returns once both sides accepted each other's certificates, or after `connect_timeout`.
pub async fn connect_proven(
    party: &TlsParty,
    address: &str,
    expected: &Expected,
    connect_timeout: Duration,
) -> Result<Connection, ConnectError> {
    let mut stage = "the connection attempt";
    let dialled = timeout(connect_timeout, async {
        let tcp = dial(address).await?;
        stage = "the TLS handshake";
        let (tls, peer) = shake_hands(party, address, expected, tcp).await?;
        let channel = begin_http(address, tls).await?;
        Ok(Connection { channel, peer })
    });
    match dialled.await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Timeout {
            address: address.to_owned(),
            stage,
            after_ms: connect_timeout.as_millis(),
        }),
    }
}

async fn dial(address: &str) -> Result<TcpStream, ConnectError> {
    let address_owned = || address.to_owned();
    let candidates: Vec<_> = match tokio::net::lookup_host(address).await {
        Ok(found) => found.collect(),
        Err(source) => {
            let address = address_owned();
            return Err(ConnectError::Address { address, source });
        }
    };
    let tcp = TcpStream::connect(candidates.as_slice()).await;
    let tcp = tcp.and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp));
    tcp.map_err(|source| match source.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::Refused {
            address: address_owned(),
        },
        _ => ConnectError::Network {
            address: address_owned(),
            source,
        },
    })
}

async fn shake_hands(
    party: &TlsParty,
    address: &str,
    expected: &Expected,
    tcp: TcpStream,
) -> Result<(TlsStream<TcpStream>, Peer), ConnectError> {
    let connector = TlsConnector::from(Arc::new(party.client_config(expected)));
    // Neither sent nor compared; the pin is what counts.
    let nobody = ServerName::from(std::net::IpAddr::from(Ipv4Addr::UNSPECIFIED));
    let mut tls = connector
        .connect(nobody, tcp)
        .await
        .map_err(|error| during_handshake(address, error))?;
    // In TLS 1.3 a client is finished before the server has judged the client's certificate. The server speaks first in HTTP/2,
    // so its first bytes say that it accepted.
    match tls.fill_buf().await {
        Ok([]) => {
            let address = address.to_owned();
            return Err(ConnectError::Closed { address });
        }
        Ok(_) => {}
        Err(error) => return Err(during_handshake(address, error)),
    }
    let peer = proven_peer(party, address, &tls)?;
    Ok((tls, peer))
}

/// The proof as a value: the chain that the handshake has judged, and what binds it to this connection.
fn proven_peer(
    party: &TlsParty,
    address: &str,
    tls: &TlsStream<TcpStream>,
) -> Result<Peer, ConnectError> {
    let (_, session) = tls.get_ref();
    let not_entente = |source| ConnectError::NotEntente {
        address: address.to_owned(),
        source,
    };
    if session.alpn_protocol() != Some(ALPN) {
        return Err(not_entente(TlsError::NoApplicationProtocol));
    }
    let now = party.clock().current_time();
    let now = now.ok_or_else(|| not_entente(TlsError::FailedToGetCurrentTime))?;
    let chain = session.peer_certificates().unwrap_or_default();
    let proven = chain::prove(chain, Acting::Server, now).map_err(|source| {
        let address = address.to_owned();
        ConnectError::NotProven { address, source }
    })?;
    let binding = session
        .export_keying_material([0; 32], BINDING_LABEL, None)
        .map_err(not_entente)?;
    Ok(Peer::new(proven, binding))
}

fn during_handshake(address: &str, error: io::Error) -> ConnectError {
    let address = address.to_owned();
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TlsError>());
    let Some(tls) = tls else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => ConnectError::Closed { address },
            _ => ConnectError::Network {
                address,
                source: error,
            },
        };
    };
    match refusal(tls) {
        Some(Refusal::NotExpected(NotExpected::Root { expected, got })) => {
            ConnectError::WrongRoot {
                address,
                expected: *expected,
                got: *got,
            }
        }
        Some(Refusal::NotExpected(NotExpected::Org { expected, got })) => ConnectError::WrongOrg {
            address,
            expected: expected.clone(),
            got: got.clone(),
        },
        Some(Refusal::Chain(source)) => ConnectError::NotProven {
            address,
            source: source.clone(),
        },
        None => {
            let source = tls.clone();
            match source {
                TlsError::AlertReceived(alert) if is_about_certificates(alert) => {
                    ConnectError::RefusedUs { address, source }
                }
                _ => ConnectError::NotEntente { address, source },
            }
        }
    }
}

fn is_about_certificates(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired
            | Alert::DecryptError
    )
}

/// Hands the proven stream to tonic. It is the only one this channel ever has: a second dial would be unproven.
async fn begin_http(address: &str, tls: TlsStream<TcpStream>) -> Result<Channel, ConnectError> {
    let http = |source| ConnectError::Http {
        address: address.to_owned(),
        source,
    };
    let once = Arc::new(Mutex::new(Some(TokioIo::new(tls))));
    let connector = service_fn(move |_| {
        let taken = once.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lost = io::Error::new(io::ErrorKind::NotConnected, "the connection was lost");
        std::future::ready(taken.ok_or(lost))
    });
    Endpoint::from_shared(format!("http://{address}"))
        .map_err(http)?
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .connect_with_connector(connector)
        .await
        .map_err(http)
}
