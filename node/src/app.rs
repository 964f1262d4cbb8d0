//! A running node: the only place where its parts are wired together.
//!
//! Everything is read and checked before the port is opened; `ready` is told the address once partners can call. On the word
//! to stop the node takes no new sessions, lets those that are on finish for a while, ends what is left and says so to the
//! partners, and closes. A run that was cut stays in the journal as broken, and the asker's node tries again.

mod serve;
#[cfg(test)]
mod tests;

use crate::api::{Api, AskStatus, Socket};
use crate::config::Config;
use crate::home::Home;
use crate::jobs::{Jobs, Setting as JobsSetting, Surroundings};
use crate::ledger::Ledger;
use crate::link::{self, Coordinator, CoordinatorState, Link, Pace, PeerService, Waits};
use crate::round::{self, Rounds};
use crate::session::{Identity, Sessions, Stop};
use entente_wire::local::Status;
use entente_wire::problem::{Code, Problem};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot, watch};

/// A node whose parts are made and whose doors are open, not yet serving.
struct Node {
    home: Arc<Home>,
    jobs: Jobs,
    link: Link,
    sessions: Arc<Sessions<Jobs>>,
    listener: TcpListener,
    bound: SocketAddr,
    socket: Socket,
    coordinator: watch::Sender<CoordinatorState>,
    /// Told when the coordinator should be asked for everything again.
    anew: Arc<Notify>,
    /// Becomes true when no new sessions are taken any more.
    draining: watch::Sender<bool>,
    /// Becomes true when what is left has to end.
    stopping: watch::Sender<bool>,
}

/// Runs the node of `home` until `shutdown` ends. `ready` is told the address that partners can call.
pub async fn run(
    home: &Path,
    shutdown: impl Future + Send,
    ready: oneshot::Sender<SocketAddr>,
) -> Result<(), Problem> {
    let folder = home.to_owned();
    let loaded = tokio::task::spawn_blocking(move || load(&folder)).await;
    let (home, ledger) = loaded.unwrap_or_else(|_| Err(not_started("the home")))?;
    let (listener, bound) = bind(&home.config).await?;
    let opened = tokio::task::spawn_blocking(move || open(home, ledger, listener, bound)).await;
    let node = opened.unwrap_or_else(|_| Err(not_started("the jobs")))?;
    tracing::info!(org = %node.home.config.org, listen = %bound, "the node is up");
    // Whoever asked to be told may be gone; that is no reason to stop.
    let _ = ready.send(bound);
    serve::until(node, shutdown).await
}

/// Reads and checks the home, then takes the ledger's lock: a second node of one home ends here.
fn load(folder: &Path) -> Result<(Home, Ledger), Problem> {
    let home = Home::load(folder, SystemTime::now())?;
    let ledger = Ledger::open(folder)?;
    Ok((home, ledger))
}

async fn bind(config: &Config) -> Result<(TcpListener, SocketAddr), Problem> {
    let listen = config.listen;
    let bound = TcpListener::bind(listen).await;
    let bound = bound.and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Problem::here(
            Code::PortInUse,
            format!("something else listens at {listen} already"),
            "stop it, or change listen in org.toml",
        ),
        _ => Problem::here(
            Code::Home,
            format!("the node cannot listen at {listen}: {error}"),
            "change listen in org.toml to an address of this machine and a port it may open",
        ),
    })
}

fn open(
    home: Home,
    ledger: Ledger,
    listener: TcpListener,
    bound: SocketAddr,
) -> Result<Node, Problem> {
    let org = home.config.org.clone();
    let jobs = Jobs::open(JobsSetting {
        ledger: ledger.clone(),
        org: org.clone(),
        node_key: Arc::clone(&home.signer),
        root_key: home.root_key,
        results: home.results(),
        surroundings: Surroundings::system(),
    })?;
    jobs.put_registry(home.registry_record.clone())
        .map_err(|problem| {
            let todo = "restore registry.record from the newest backup";
            Problem::here(
                Code::Home,
                format!("registry.record: {}", problem.what),
                todo,
            )
        })?;
    let (draining, _) = watch::channel(false);
    let (stopping, stops) = watch::channel(false);
    let identity = Identity {
        org: org.clone(),
        signer: Arc::clone(&home.signer),
    };
    let limits = home.config.sessions.limits();
    let (linked, anew) = (jobs.clone(), Arc::new(Notify::new()));
    let watch_anew = Arc::clone(&anew);
    let link = Link::new(link::Setting {
        own: org,
        ledger,
        party: home.party.clone(),
        advertised: home.config.advertised(bound),
        waits: Waits {
            connect: limits.connect,
            ..Waits::default()
        },
        clock: Arc::new(SystemTime::now),
        linked: Box::new(move || {
            linked.ledger_changed()?;
            watch_anew.notify_one();
            Ok(())
        }),
    });
    let sessions = Sessions::new(identity, Arc::new(jobs.clone()), limits, Stop::new(stops));
    let (coordinator, _) = watch::channel(CoordinatorState::None);
    Ok(Node {
        socket: Socket::bind(&home.socket())?,
        home: Arc::new(home),
        jobs,
        link,
        sessions: Arc::new(sessions),
        listener,
        bound,
        coordinator,
        anew,
        draining,
        stopping,
    })
}

impl Node {
    /// The service behind the inbound port.
    fn peer_service(&self) -> PeerService<Jobs> {
        PeerService::new(self.link.clone(), Arc::clone(&self.sessions))
    }

    /// The service behind the socket.
    fn api(&self) -> Api {
        let (link, coordinator) = (self.link.clone(), self.coordinator.subscribe());
        let org = self.home.config.org.clone();
        let root_fingerprint = self.home.party.root().to_string();
        let listen = self.bound.to_string();
        let status: AskStatus = Arc::new(move || {
            let state = coordinator.borrow().clone();
            Ok(Status {
                org: org.clone(),
                listen: listen.clone(),
                root_fingerprint: root_fingerprint.clone(),
                coordinator_connected: state == CoordinatorState::Connected,
                coordinator_problem: match state {
                    CoordinatorState::Down(problem) => Some(problem),
                    CoordinatorState::None | CoordinatorState::Connected => None,
                },
                partners: link.partners()?,
            })
        });
        Api::new(self.jobs.clone(), self.link.clone(), status)
    }

    /// Rounds of aggregations, which go by way of the coordinator.
    fn rounds(&self) -> Rounds {
        let config = &self.home.config;
        let line = (config.coordinator.clone(), self.home.party.clone());
        let (own, jobs) = (config.org.clone(), self.jobs.clone());
        let ends = [self.drains(), self.stops()];
        Rounds::new(own, jobs, line, round::Limits::default(), ends)
    }

    /// The coordinator's client, if a coordinator is set.
    fn coordinator_client(&self) -> Option<Coordinator<Jobs>> {
        let address = self.home.config.coordinator.clone()?;
        Some(Coordinator {
            own: self.home.config.org.clone(),
            address,
            party: self.home.party.clone(),
            records: Arc::new(self.jobs.clone()),
            pace: Pace::default(),
            state: self.coordinator.clone(),
            anew: Arc::clone(&self.anew),
        })
    }

    fn drains(&self) -> Stop {
        Stop::new(self.draining.subscribe())
    }

    fn stops(&self) -> Stop {
        Stop::new(self.stopping.subscribe())
    }
}

fn not_started(part: &str) -> Problem {
    let what = format!("{part} could not be opened: the thread that did it ended");
    Problem::here(Code::Defect, what, "report this with the node's log")
}
