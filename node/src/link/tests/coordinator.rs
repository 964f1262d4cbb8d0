//! The coordinator's client against a coordinator that the test plays, over real TLS.

use super::bench::{home, org};
use crate::config::CoordinatorAddress;
use crate::home::Home;
use crate::link::coordinator::Pace;
use crate::link::{Coordinator, CoordinatorState, Records};
use crate::session::Stop;
use entente_certs::{COORDINATOR, OrgRoot, TlsLimits, TlsParty, incoming};
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::coordinator::v1::coordinator_server::{
    Coordinator as Service, CoordinatorServer,
};
use entente_wire::rpc::coordinator::v1::{
    JobsReply, JobsRequest, PostReply, RoundDown, RoundUp, WatchReply, WatchRequest,
    watch_reply::Event,
};
use entente_wire::rpc::record::v1::Record as WireRecord;
use entente_wire::sign::{Kind, Record, Signer};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

/// What a test does as the coordinator.
struct Played {
    posted: mpsc::UnboundedSender<Record>,
    watches: mpsc::UnboundedSender<mpsc::Sender<Result<WatchReply, Status>>>,
    /// Given instead of "done" to the next post.
    refusal: Arc<Mutex<Option<Problem>>>,
    admits: bool,
}

#[tonic::async_trait]
impl Service for Played {
    type WatchStream = ReceiverStream<Result<WatchReply, Status>>;

    async fn post(&self, request: Request<WireRecord>) -> Result<Response<PostReply>, Status> {
        if let Some(problem) = self.refusal.lock().expect("not poisoned").take() {
            return Err(problem.into());
        }
        let record = Record::try_from(request.into_inner()).expect("a record");
        self.posted.send(record).expect("the test listens");
        Ok(Response::new(PostReply {}))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        if !self.admits {
            let problem = Problem::request(Code::NotAdmitted, "who is that?", "admit it");
            return Err(problem.into());
        }
        assert_eq!(
            request.into_inner().version,
            entente_wire::limits::WIRE_VERSION
        );
        let (replies, stream) = mpsc::channel(16);
        self.watches.send(replies).expect("the test listens");
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    type RoundStream = ReceiverStream<Result<RoundDown, Status>>;

    async fn round(
        &self,
        _: Request<Streaming<RoundUp>>,
    ) -> Result<Response<Self::RoundStream>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn jobs(&self, _: Request<JobsRequest>) -> Result<Response<JobsReply>, Status> {
        Err(Status::unimplemented("not played"))
    }
}

/// A coordinator's keys; it can be started at the same address more than once.
struct Host {
    party: TlsParty,
    address: SocketAddr,
    admits: bool,
}

/// A running coordinator, as the test sees it.
struct Running {
    posted: mpsc::UnboundedReceiver<Record>,
    watches: mpsc::UnboundedReceiver<mpsc::Sender<Result<WatchReply, Status>>>,
    refusal: Arc<Mutex<Option<Problem>>>,
    serving: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn party() -> TlsParty {
    let now = SystemTime::now();
    let root = OrgRoot::create(COORDINATOR, now).expect("a root");
    TlsParty::new(&root.issue(COORDINATOR, &[], now).expect("a certificate"))
}

impl Host {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self {
            party: party(),
            address: listener.local_addr().expect("bound"),
            admits: true,
        }
    }

    async fn start(&self) -> Running {
        let listener = TcpListener::bind(self.address)
            .await
            .expect("the same port");
        let (posted_tx, posted) = mpsc::unbounded_channel();
        let (watches_tx, watches) = mpsc::unbounded_channel();
        let refusal = Arc::new(Mutex::new(None));
        let played = Played {
            posted: posted_tx,
            watches: watches_tx,
            refusal: Arc::clone(&refusal),
            admits: self.admits,
        };
        let incoming = incoming(listener, &self.party, &TlsLimits::default());
        let serving = Server::builder()
            .add_service(CoordinatorServer::new(played))
            .serve_with_incoming(incoming);
        Running {
            posted,
            watches,
            refusal,
            serving: tokio::spawn(serving).abort_handle(),
        }
    }
}

/// The records of a node: two of its own, and what was delivered.
struct Held {
    own: Vec<Record>,
    delivered: mpsc::UnboundedSender<Record>,
}

impl Records for Held {
    fn own_records(&self) -> Result<Vec<Record>, Problem> {
        Ok(self.own.clone())
    }

    fn on_record(&self, record: Record) {
        self.delivered.send(record).expect("the test listens");
    }
}

struct Client {
    _folder: TempDir,
    home: Home,
    own: Vec<Record>,
    state: watch::Receiver<CoordinatorState>,
    delivered: mpsc::UnboundedReceiver<Record>,
    outgoing: mpsc::Sender<Record>,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

fn record(signer: &Signer, text: &str) -> Record {
    Record::sign(signer, Kind::Report, &org("north-bank"), &text)
}

fn client(host: &Host) -> Client {
    let (folder, home) = home("north-bank");
    let own = vec![
        record(&home.signer, "first"),
        record(&home.signer, "second"),
    ];
    let (delivered_tx, delivered) = mpsc::unbounded_channel();
    let (state_tx, state) = watch::channel(CoordinatorState::None);
    let (outgoing, outgoing_rx) = mpsc::channel(4);
    let (stop, stops) = watch::channel(false);
    let address = format!("{}#{}", host.address, host.party.root());
    let coordinator = Coordinator {
        own: org("north-bank"),
        address: address.parse::<CoordinatorAddress>().expect("an address"),
        party: home.party.clone(),
        anew: Arc::default(),
        records: Arc::new(Held {
            own: own.clone(),
            delivered: delivered_tx,
        }),
        pace: Pace {
            silence: Duration::from_secs(2),
            backoff: Duration::from_millis(1),
            backoff_max: Duration::from_millis(20),
            ..Pace::default()
        },
        state: state_tx,
    };
    let running = tokio::spawn(coordinator.run(outgoing_rx, Stop::new(stops)));
    Client {
        _folder: folder,
        home,
        own,
        state,
        delivered,
        outgoing,
        stop,
        running,
    }
}

impl Client {
    async fn down(&mut self) -> Problem {
        let is_down = |state: &CoordinatorState| matches!(state, CoordinatorState::Down(_));
        match &*self.state.wait_for(is_down).await.expect("it runs") {
            CoordinatorState::Down(problem) => problem.clone(),
            _ => panic!("just seen to be down"),
        }
    }

    async fn connected(&mut self) {
        let is_up = |state: &CoordinatorState| *state == CoordinatorState::Connected;
        self.state.wait_for(is_up).await.expect("it runs");
    }
}

impl Running {
    async fn watch(&mut self) -> mpsc::Sender<Result<WatchReply, Status>> {
        let watch = self.watches.recv().await.expect("it runs");
        watch
            .send(Ok(reply(Event::CaughtUp(true))))
            .await
            .expect("the node reads");
        watch
    }

    async fn takes(&mut self, records: &[Record]) {
        for record in records {
            let posted = self.posted.recv().await.expect("it runs");
            assert!(posted == *record);
        }
    }
}

fn reply(event: Event) -> WatchReply {
    WatchReply { event: Some(event) }
}

#[tokio::test]
async fn a_coordinator_that_comes_back_gets_everything_again() {
    let host = Host::new().await;
    let mut client = client(&host);
    assert_eq!(client.down().await.code, Code::CoordinatorUnreachable);

    let mut first = host.start().await;
    let watch = first.watch().await;
    client.connected().await;
    first.takes(&client.own).await;
    let new = record(&client.home.signer, "third");
    client.outgoing.send(new.clone()).await.expect("it runs");
    first.takes(&[new]).await;
    drop((watch, first));
    client.down().await;

    let mut second = host.start().await;
    let _watch = second.watch().await;
    client.connected().await;
    second.takes(&client.own).await;
    client.stop.send(true).expect("it runs");
    client.running.await.expect("it ends when told");
}

#[tokio::test]
async fn another_root_at_the_address_is_told_nothing() {
    let host = Host::new().await;
    let swapped = Host {
        party: party(),
        address: host.address,
        admits: true,
    };
    let mut running = swapped.start().await;
    let mut client = client(&host);
    let problem = client.down().await;
    assert_eq!(
        (problem.code, problem.side),
        (Code::PartnerNotProven, Side::Coordinator)
    );
    assert!(running.watches.try_recv().is_err());
    assert!(running.posted.try_recv().is_err());
}

#[tokio::test]
async fn a_silent_watch_is_given_up_and_begun_again() {
    let host = Host::new().await;
    let mut running = host.start().await;
    let mut client = client(&host);
    let _silent = running.watch().await;
    client.connected().await;
    assert_eq!(client.down().await.code, Code::CoordinatorUnreachable);
    let _again = running.watch().await;
    client.connected().await;
}

#[tokio::test]
async fn a_record_that_is_refused_does_not_hold_up_the_others() {
    let host = Host::new().await;
    let mut running = host.start().await;
    let refusal = Problem::request(Code::CoordinatorRefused, "too many", "fewer");
    *running.refusal.lock().expect("not poisoned") = Some(refusal);
    let client = client(&host);
    let _watch = running.watch().await;
    running.takes(&client.own[1..]).await;
}

#[tokio::test]
async fn an_organisation_that_is_not_admitted_is_told_so() {
    let host = Host {
        admits: false,
        ..Host::new().await
    };
    let _running = host.start().await;
    let mut client = client(&host);
    let problem = client.down().await;
    assert_eq!(problem.code, Code::NotAdmitted);
}

#[tokio::test]
async fn what_is_delivered_is_handed_on_and_nonsense_is_dropped() {
    let host = Host::new().await;
    let mut running = host.start().await;
    let mut client = client(&host);
    let watch = running.watch().await;
    let good = record(&client.home.signer, "theirs");
    let nonsense = WireRecord {
        kind: 99,
        org: "\u{1b}[2J".to_owned(),
        body: vec![0xff; 1000],
        signature: Vec::new(),
    };
    for delivered in [nonsense, good.clone().into()] {
        let event = Event::Record(delivered);
        watch.send(Ok(reply(event))).await.expect("the node reads");
    }
    watch
        .send(Ok(WatchReply { event: None }))
        .await
        .expect("the node reads");
    assert!(client.delivered.recv().await.expect("it runs") == good);
}

#[tokio::test]
async fn records_that_arise_while_it_is_down_hold_nobody_up() {
    let host = Host::new().await;
    let mut client = client(&host);
    client.down().await;
    // More than the queue holds: each is among the own records of the next connection.
    for number in 0..20 {
        let new = record(&client.home.signer, &format!("number {number}"));
        client.outgoing.send(new).await.expect("it runs");
    }
}
