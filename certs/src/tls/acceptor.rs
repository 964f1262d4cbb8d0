//! The listening side: accepts, bounds and finishes handshakes, and gives tonic only connections whose peer is proven.
//!
//! Handshakes run beside each other, each against a deadline. Whoever is refused learns it by TLS alert or by a closed
//! connection; the listener goes on.

use super::gate::{Gate, Pass};
use super::party::TlsParty;
use super::{ALPN, BINDING_LABEL};
use crate::chain::{self, Acting};
use crate::peer::Peer;
use rustls::time_provider::TimeProvider;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::Stream;
use tonic::transport::server::Connected;
use tracing::{debug, info, warn};

/// How long the listener rests when the operating system cannot give it a connection (out of file handles).
const REST_AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(200);

/// Limits of one port.
#[derive(Debug, Clone)]
pub struct TlsLimits {
    /// A handshake, and then the first byte inside it, must come within this time.
    pub handshake_timeout: Duration,
    /// Handshakes at the same time: each costs a signature and some 20 KiB before anybody is proven.
    pub handshakes_max: usize,
    /// The same from one address.
    pub handshakes_per_address_max: usize,
    /// Connections at the same time, handshakes included.
    pub connections_max: usize,
    /// The same from one address. Several organisations may share one, so it is not small.
    pub connections_per_address_max: usize,
}

impl Default for TlsLimits {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(10),
            handshakes_max: 256,
            handshakes_per_address_max: 64,
            connections_max: 1024,
            connections_per_address_max: 256,
        }
    }
}

/// The connections of a port whose peers are proven, for tonic's `serve_with_incoming`. Runs in a tokio runtime. Dropping
/// it closes the port and ends unfinished handshakes. Never yields an error.
pub fn incoming(listener: TcpListener, party: &TlsParty, limits: &TlsLimits) -> Incoming {
    Incoming {
        listener,
        acceptor: TlsAcceptor::from(party.server_config()),
        clock: party.clock().clone(),
        handshake_timeout: limits.handshake_timeout,
        handshakes: Gate::new(limits.handshakes_max, limits.handshakes_per_address_max),
        connections: Gate::new(limits.connections_max, limits.connections_per_address_max),
        running: JoinSet::new(),
        rest: None,
    }
}

/// See [`incoming`].
pub struct Incoming {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    clock: Arc<dyn TimeProvider>,
    handshake_timeout: Duration,
    handshakes: Gate,
    connections: Gate,
    running: JoinSet<Option<TlsIo>>,
    rest: Option<Pin<Box<Sleep>>>,
}

impl Stream for Incoming {
    type Item = Result<TlsIo, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.running.poll_join_next(context) {
                Poll::Ready(Some(Ok(Some(connection)))) => {
                    return Poll::Ready(Some(Ok(connection)));
                }
                Poll::Ready(Some(_)) => continue,
                Poll::Ready(None) | Poll::Pending => {}
            }
            if let Some(rest) = &mut self.rest {
                ready!(rest.as_mut().poll(context));
                self.rest = None;
            }
            match ready!(self.listener.poll_accept(context)) {
                Ok((tcp, address)) => self.begin(tcp, address),
                Err(error) => {
                    warn!(%error, "cannot accept connections");
                    self.rest = Some(Box::pin(sleep(REST_AFTER_ACCEPT_ERROR)));
                }
            }
        }
    }
}

impl Incoming {
    fn begin(&mut self, tcp: TcpStream, address: SocketAddr) {
        let connection = self.connections.enter(address.ip());
        let handshake = self.handshakes.enter(address.ip());
        let (Some(connection), Some(handshake)) = (connection, handshake) else {
            debug!(%address, "too many connections, closed");
            return;
        };
        let acceptor = self.acceptor.clone();
        let clock = self.clock.clone();
        let deadline = self.handshake_timeout;
        self.running.spawn(async move {
            let finished = timeout(deadline, accept(tcp, acceptor, clock)).await;
            drop(handshake);
            match finished {
                Ok(Ok((tls, peer))) => Some(TlsIo {
                    tls,
                    peer,
                    first_byte: Some(Box::pin(sleep(deadline))),
                    _connection: connection,
                }),
                Ok(Err(error)) => {
                    info!(%address, %error, "connection refused");
                    None
                }
                Err(_) => {
                    debug!(%address, "no handshake in time, closed");
                    None
                }
            }
        });
    }
}

async fn accept(
    tcp: TcpStream,
    acceptor: TlsAcceptor,
    clock: Arc<dyn TimeProvider>,
) -> io::Result<(TlsStream<TcpStream>, Peer)> {
    let refuse = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    tcp.set_nodelay(true)?;
    let tls = acceptor.accept(tcp).await?;
    let (_, session) = tls.get_ref();
    if session.alpn_protocol() != Some(ALPN) {
        return Err(refuse("the client does not speak HTTP/2"));
    }
    let now = clock.current_time().ok_or_else(|| refuse("no clock"))?;
    // The handshake has judged this chain; judged again, it gives the proof as a value.
    let chain = session.peer_certificates().unwrap_or_default();
    let proven = chain::prove(chain, Acting::Client, now).map_err(io::Error::other)?;
    let binding = session
        .export_keying_material([0; 32], BINDING_LABEL, None)
        .map_err(io::Error::other)?;
    Ok((tls, Peer::new(proven, binding)))
}

/// A connection whose peer is proven. tonic puts the [`Peer`] into every request's extensions.
pub struct TlsIo {
    tls: TlsStream<TcpStream>,
    peer: Peer,
    /// Whoever finished the handshake has to say something, or he only holds the place.
    first_byte: Option<Pin<Box<Sleep>>>,
    _connection: Pass,
}

impl TlsIo {
    /// Who is at the other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }
}

impl Connected for TlsIo {
    type ConnectInfo = Peer;
    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for TlsIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.tls).poll_read(context, buffer);
        if read.is_ready() {
            self.first_byte = None;
        } else if let Some(deadline) = &mut self.first_byte {
            ready!(deadline.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for TlsIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }
}
