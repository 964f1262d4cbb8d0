//! What goes on while a node is up, and in which order it ends.

use super::Node;
use crate::api::{Api, Socket};
use crate::home::Home;
use crate::jobs::{Jobs, RunGrant};
use crate::link::{Coordinator, Link, Records};
use crate::round::Rounds;
use crate::session::{Sessions, Stop};
use entente_certs::{TlsLimits, incoming};
use entente_wire::limits::RPC_MESSAGE_BYTES_MAX;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::peer::v1::peer_server::PeerServer;
use entente_wire::sign::Record;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tonic::transport::Server;
use tracing::Instrument;

/// How long runs may go on after the word to stop. Less than a service manager waits before it kills (90 s by default).
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long what was told to end may take: to say goodbye to a partner, to finish an answer.
const END_TIMEOUT: Duration = Duration::from_secs(10);
/// How long clients of the own socket may take to hang up. Their answers are small and local.
const OWNER_TIMEOUT: Duration = Duration::from_secs(1);
/// How often the own certificate is looked at. It is renewed ten days before it ends.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(3600);
/// Connections to the inbound port. A node has some partners with a few connections each; each connection may fill its
/// window, so this times [`WINDOW_BYTES`] is what strangers can make the node hold.
const CONNECTIONS_MAX: usize = 128;
/// The same from one address.
const CONNECTIONS_PER_ADDRESS_MAX: usize = 32;
/// HTTP/2 flow-control window of a connection: bandwidth times round trip of a 1 Gbit/s link at 32 ms.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Calls at once on one connection: a partner opens one connection a session.
const CALLS_PER_CONNECTION_MAX: u32 = 8;
/// HTTP/2 headers of one call; ours are some hundred bytes.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// How often an idle connection is asked whether the other side is there, and how long its answer may take.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Serves until `shutdown`, or until a part that must not end ends; then drains and closes.
pub(super) async fn until(node: Node, shutdown: impl Future + Send) -> Result<(), Problem> {
    let (sessions, draining, stopping) = (
        Arc::clone(&node.sessions),
        node.draining.clone(),
        node.stopping.clone(),
    );
    let rounds = node.rounds();
    let mut parts = start(node, rounds.clone());
    let ended = tokio::select! {
        _ = shutdown => Ok(()),
        ended = parts.next_end() => ended.unwrap_or(Ok(())).and_then(|()| Err(part_died())),
    };
    tracing::info!("the node stops");
    sessions.admit_no_more();
    draining.send_replace(true);
    let runs = async {
        sessions.ended().await;
        rounds.ended().await;
    };
    if timeout(DRAIN_TIMEOUT, runs).await.is_err() {
        tracing::warn!("runs are still on and are ended");
    }
    stopping.send_replace(true);
    let closed = timeout(END_TIMEOUT, async {
        sessions.ended().await;
        rounds.ended().await;
        while parts.next_end().await.is_some() {}
    });
    if closed.await.is_err() {
        tracing::warn!(left = ?parts.names, "connections that did not end in time were cut");
    }
    parts.running.shutdown().await;
    ended
}

/// What goes on while a node is up.
#[derive(Default)]
struct Parts {
    running: JoinSet<(&'static str, Result<(), Problem>)>,
    names: BTreeSet<&'static str>,
}

impl Parts {
    fn begin(
        &mut self,
        name: &'static str,
        part: impl Future<Output = Result<(), Problem>> + Send + 'static,
    ) {
        self.names.insert(name);
        self.running.spawn(async move { (name, part.await) });
    }

    /// How the next part ended; `None` once all have.
    async fn next_end(&mut self) -> Option<Result<(), Problem>> {
        let ended = self.running.join_next().await?;
        Some(ended.map_or_else(
            |_| Err(part_died()),
            |(name, ended)| {
                self.names.remove(name);
                ended
            },
        ))
    }
}

/// Starts all parts. Each ends after the word to stop, and none before.
fn start(node: Node, rounds: Rounds) -> Parts {
    let mut parts = Parts::default();
    let mut drains = node.drains();
    let (peer_service, api) = (node.peer_service(), node.api());
    if let Some(outgoing) = node.jobs.outgoing() {
        let posted = post(node.coordinator_client(), outgoing, node.stops());
        parts.begin("the coordinator's client", posted);
    }
    if let Some(runs) = node.jobs.runs_to_dial() {
        let (sessions, link) = (Arc::clone(&node.sessions), node.link.clone());
        let ways = (sessions, link, rounds);
        parts.begin("dialling", dial(ways, runs, node.drains()));
    }
    let kept = keep_certificate(Arc::clone(&node.home), node.stops());
    parts.begin("the certificate", kept);
    parts.begin("the clock", keep_time(node.jobs.clone(), node.stops()));
    let socket = node.socket;
    parts.begin(
        "the owner's socket",
        answer(api, socket, node.stopping.subscribe()),
    );
    let limits = TlsLimits {
        connections_max: CONNECTIONS_MAX,
        connections_per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
        ..TlsLimits::default()
    };
    let incoming = incoming(node.listener, &node.home.party, &limits);
    let calls = PeerServer::new(peer_service)
        .max_decoding_message_size(RPC_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(RPC_MESSAGE_BYTES_MAX);
    parts.begin("the partners' port", async move {
        let served = Server::builder()
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .max_concurrent_streams(CALLS_PER_CONNECTION_MAX)
            .add_service(calls)
            .serve_with_incoming_shutdown(incoming, async move { drains.requested().await })
            .await;
        served.map_err(|error| {
            let what = format!("the port for partners failed: {error}");
            Problem::here(Code::Defect, what, "start the node again")
        })
    });
    parts
}

/// Answers this organisation's own people. A client that does not hang up after the word to stop is hung up on soon: it may
/// be waiting for this very node to end.
async fn answer(api: Api, socket: Socket, stopping: watch::Receiver<bool>) -> Result<(), Problem> {
    let (mut stop, mut stopped) = (Stop::new(stopping.clone()), Stop::new(stopping));
    let cut = async {
        stopped.requested().await;
        sleep(OWNER_TIMEOUT).await;
    };
    tokio::select! {
        served = api.serve(socket, async move { stop.requested().await }) => served,
        () = cut => Ok(()),
    }
}

/// Hands records to the coordinator, or drops them where there is none: they stay in the ledger.
async fn post(
    coordinator: Option<Coordinator<Jobs>>,
    mut outgoing: mpsc::Receiver<Record>,
    mut stop: Stop,
) -> Result<(), Problem> {
    match coordinator {
        Some(coordinator) => coordinator.run(outgoing, stop).await,
        None => {
            let drained = async { while outgoing.recv().await.is_some() {} };
            tokio::select! {
                () = drained => {}
                () = stop.requested() => {}
            }
        }
    }
    Ok(())
}

/// Dials every run that is ready, or joins its round, until no new sessions are taken; then waits for those that are on.
async fn dial(
    (sessions, link, rounds): (Arc<Sessions<Jobs>>, Link, Rounds),
    mut runs: mpsc::Receiver<RunGrant>,
    mut drain: Stop,
) -> Result<(), Problem> {
    let mut on = JoinSet::new();
    loop {
        tokio::select! {
            run = runs.recv() => match run {
                Some(grant) if grant.is_aggregation() => {
                    let span = tracing::info_span!("round", job = grant.job().short());
                    let rounds = rounds.clone();
                    on.spawn(async move { rounds.take_part(grant).await }.instrument(span));
                }
                Some(grant) => {
                    let span = tracing::info_span!("run", job = grant.job().short());
                    let (sessions, link) = (Arc::clone(&sessions), link.clone());
                    // How it ended is recorded and logged by the session.
                    on.spawn(async move { drop(sessions.dial(&grant, &link).await) }.instrument(span));
                }
                None => break,
            },
            Some(_) = on.join_next() => {}
            () = drain.requested() => break,
        }
    }
    while on.join_next().await.is_some() {}
    Ok(())
}

/// Has the node's certificate issued again in time. A failure is tried again and costs nothing for days.
async fn keep_certificate(home: Arc<Home>, mut stop: Stop) -> Result<(), Problem> {
    let mut hourly = interval(CERTIFICATE_EVERY);
    hourly.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = hourly.tick() => {}
            () = stop.requested() => return Ok(()),
        }
        let home = Arc::clone(&home);
        let kept = tokio::task::spawn_blocking(move || home.renew_certificate(SystemTime::now()));
        if let Ok(Err(problem)) = kept.await {
            tracing::error!(code = %problem.code, "the node's certificate could not be renewed: {}", problem.what);
        }
    }
}

async fn keep_time(jobs: Jobs, mut stop: Stop) -> Result<(), Problem> {
    tokio::select! {
        () = jobs.keep_time() => {}
        () = stop.requested() => {}
    }
    Ok(())
}

fn part_died() -> Problem {
    let what = "a part of the node ended that must not end";
    Problem::here(
        Code::Defect,
        what,
        "start the node again and report this with its log",
    )
}

impl Records for Jobs {
    fn own_records(&self) -> Result<Vec<Record>, Problem> {
        Self::own_records(self)
    }

    fn on_record(&self, record: Record) {
        Self::on_record(self, record);
    }
}
