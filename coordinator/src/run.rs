//! A running coordinator: everything checked before the port opens, one listener, and an orderly end.

use crate::home::Home;
use crate::limits::{
    CALL_TIMEOUT, CALLS_PER_CONNECTION_MAX, CONNECTION_WINDOW_BYTES, CONNECTIONS_MAX,
    CONNECTIONS_PER_ADDRESS_MAX, DRAIN_TIMEOUT, HEADER_BYTES_MAX, HEARTBEAT, HOUSEKEEPING,
    RECORD_OVERHEAD_BYTES, RoundWaits, STREAM_WINDOW_BYTES,
};
use crate::members::Members;
use crate::service::{Service, Watches, unix_s};
use crate::store::{Opened, Store};
use entente_certs::{TlsLimits, TlsParty, incoming};
use entente_wire::limits::{DOCUMENT_BYTES_MAX, RPC_MESSAGE_BYTES_MAX};
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::coordinator::v1::coordinator_server::CoordinatorServer;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::{interval, timeout};
use tonic::transport::Server;
use tracing::{error, info, warn};

/// Largest message taken from a member: the largest record. A larger one is refused before it is read.
const MESSAGE_BYTES_MAX: usize = DOCUMENT_BYTES_MAX + RECORD_OVERHEAD_BYTES;

/// Runs the coordinator of `home` until `shutdown`. `ready` is told the address once the port is open.
pub async fn run(
    home: &Path,
    shutdown: impl Future<Output = ()> + Send + 'static,
    ready: oneshot::Sender<SocketAddr>,
) -> Result<(), Problem> {
    run_with(home, shutdown, ready, Timing::default()).await
}

/// What tests shorten.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) heartbeat: Duration,
    pub(crate) rounds: RoundWaits,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: HEARTBEAT,
            rounds: RoundWaits::default(),
        }
    }
}

pub(crate) async fn run_with(
    home: &Path,
    shutdown: impl Future<Output = ()> + Send + 'static,
    ready: oneshot::Sender<SocketAddr>,
    timing: Timing,
) -> Result<(), Problem> {
    let home = Home::open(home)?;
    let members = Members::open(home.admitted())?;
    let party = TlsParty::new(&home.certificate(SystemTime::now())?);
    let state = home.state();
    let opened = spawn_blocking(move || Store::open(&state, unix_s(SystemTime::now())));
    let Opened {
        store,
        filed,
        mut closed,
    } = opened.await.map_err(|_| defect())??;
    let (stop, stopping) = watch::channel(false);
    let watches = Watches {
        heartbeat: timing.heartbeat,
        stopping,
    };
    let service = Service::new(store, filed, members, watches, timing.rounds);

    let listener = bind(&home.settings.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| no_port(&home.settings.listen, &error))?;
    info!(%address, root = %party.root(), "the coordinator listens");
    // Whoever waited for it may have gone; that is no reason to stop.
    let _ = ready.send(address);

    let keeper = keep_house(home, party.clone(), service.clone());
    let served = serve(listener, &party, service.clone(), shutdown, stop).await;
    keeper.abort();
    let flushed = spawn_blocking(move || service.flush()).await;
    // The next coordinator of this home needs the store; calls that were cut still let go of it.
    let _ = timeout(DRAIN_TIMEOUT, closed.recv()).await;
    served?;
    flushed.map_err(|_| defect())?
}

async fn serve(
    listener: TcpListener,
    party: &TlsParty,
    service: Service,
    shutdown: impl Future<Output = ()> + Send + 'static,
    stop: watch::Sender<bool>,
) -> Result<(), Problem> {
    let calls = CoordinatorServer::new(service)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(RPC_MESSAGE_BYTES_MAX);
    let mut stopped = stop.subscribe();
    let announce = async move {
        shutdown.await;
        info!("the coordinator stops");
        stop.send_replace(true);
    };
    let serving = Server::builder()
        .http2_keepalive_interval(Some(HEARTBEAT))
        .http2_keepalive_timeout(Some(HEARTBEAT))
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(u32::try_from(CALLS_PER_CONNECTION_MAX).ok())
        .concurrency_limit_per_connection(CALLS_PER_CONNECTION_MAX)
        .timeout(CALL_TIMEOUT)
        .add_service(calls)
        .serve_with_incoming_shutdown(incoming(listener, party, &tls_limits()), announce);
    let drained = async {
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        served = serving => served.map_err(|error| {
            error!(%error, "serving ended");
            defect()
        }),
        () = drained => {
            warn!("some connections did not end in time and were cut");
            Ok(())
        }
    }
}

fn tls_limits() -> TlsLimits {
    TlsLimits {
        connections_max: CONNECTIONS_MAX,
        connections_per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
        ..TlsLimits::default()
    }
}

async fn bind(listen: &str) -> Result<TcpListener, Problem> {
    // A name that resolves to nothing must not hold up the start for minutes.
    let bound = timeout(CALL_TIMEOUT, TcpListener::bind(listen)).await;
    let bound = bound.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    bound.map_err(|error| no_port(listen, &error))
}

fn no_port(listen: &str, error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::AddrInUse {
        return Problem::here(
            Code::PortInUse,
            format!("something else listens at {listen} already"),
            "stop it, or change `listen` in coordinator.toml",
        );
    }
    Problem::here(
        Code::Argument,
        format!("the coordinator cannot listen at {listen}: {error}"),
        "change `listen` in coordinator.toml to an address of this machine and a port it may open",
    )
}

/// Throws old jobs away and renews the own certificate, now and every hour.
fn keep_house(home: Home, party: TlsParty, service: Service) -> AbortHandle {
    let keeping = tokio::spawn(async move {
        let mut hourly = interval(HOUSEKEEPING);
        let home = Arc::new(home);
        loop {
            hourly.tick().await;
            let (home, party, service) = (home.clone(), party.clone(), service.clone());
            let kept = spawn_blocking(move || keep_house_once(&home, &party, &service)).await;
            if let Ok(Err(problem)) = kept {
                warn!(%problem, todo = problem.todo, "housekeeping");
            }
        }
    });
    keeping.abort_handle()
}

fn keep_house_once(home: &Home, party: &TlsParty, service: &Service) -> Result<(), Problem> {
    let now = SystemTime::now();
    let thrown_away = service.throw_away_outdated(unix_s(now))?;
    if thrown_away > 0 {
        info!(records = thrown_away, "records of old jobs thrown away");
    }
    let certificate = home.certificate(now)?;
    if certificate.until() != party.until() {
        party.replace(&certificate);
        info!("the coordinator's certificate is renewed");
    }
    Ok(())
}

fn defect() -> Problem {
    Problem::here(
        Code::Defect,
        "the coordinator failed",
        "look into its log and report this as a defect",
    )
}
