//! Nodes with real homes, ledgers and ports.

use crate::home::{Home, Settings, init};
use crate::ledger::{Fact, Ledger, SignedRecord};
use crate::link::{Link, PeerService, Setting, Waits};
use crate::session::tests::bench::{Node as Sessions, Play, roomy};
use crate::session::{Identity, Limits};
use entente_certs::{Connection, Expected, TlsLimits, connect_proven, incoming};
use entente_wire::limits::WIRE_VERSION;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::peer::v1::JoinRequest;
use entente_wire::rpc::peer::v1::peer_client::PeerClient;
use entente_wire::rpc::peer::v1::peer_server::PeerServer;
use entente_wire::sign::Record;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tonic::Status;
use tonic::transport::{Channel, Server};

pub(super) const DAY_S: u64 = 24 * 3600;

pub(super) fn org(name: &str) -> OrgName {
    name.parse().expect("a valid name")
}

/// One organisation with its node, listening. Dropping it closes the port.
pub(super) struct TestNode {
    pub(super) org: OrgName,
    pub(super) home: Home,
    pub(super) ledger: Ledger,
    pub(super) link: Link,
    pub(super) address: SocketAddr,
    /// Added to the machine's clock.
    pub(super) later_s: Arc<AtomicU64>,
    /// How often the node was told that somebody was linked.
    pub(super) linked: Arc<AtomicU64>,
    pub(super) sessions: Sessions,
    serving: AbortHandle,
    _folder: TempDir,
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What a test may want to be different.
pub(super) struct Options {
    /// Where partners are told to call; the bound address if not set.
    pub(super) advertised: Option<String>,
    pub(super) partner: &'static str,
    pub(super) play: Play,
    pub(super) limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            advertised: None,
            partner: "river-pay",
            play: Play::Honest,
            limits: roomy(),
        }
    }
}

pub(super) fn home(name: &str) -> (TempDir, Home) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("home");
    let settings = Settings {
        org: org(name),
        listen: "127.0.0.1:0".to_owned(),
        advertise: None,
        coordinator: None,
    };
    init(&path, &settings, SystemTime::now()).expect("a new home");
    let home = Home::load(&path, SystemTime::now()).expect("a good home");
    (folder, home)
}

pub(super) async fn node(name: &str) -> TestNode {
    node_with(name, Options::default()).await
}

pub(super) async fn node_with(name: &str, options: Options) -> TestNode {
    let (folder, home) = home(name);
    let ledger = Ledger::open(&home.folder).expect("a new ledger");
    let record = SignedRecord::from(&home.registry_record);
    let seen = Fact::RegistrySeen { record };
    ledger.record(0, seen).expect("written");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let advertised = options.advertised.unwrap_or_else(|| address.to_string());
    let (later_s, linked) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (later, counted) = (Arc::clone(&later_s), Arc::clone(&linked));
    let link = Link::new(Setting {
        own: home.config.org.clone(),
        ledger: ledger.clone(),
        party: home.party.clone(),
        advertised: Ok(advertised.parse().expect("an address")),
        waits: Waits {
            connect: Duration::from_secs(20),
            call: Duration::from_secs(20),
            probe: Duration::from_secs(20),
        },
        clock: Arc::new(move || {
            SystemTime::now() + Duration::from_secs(later.load(Ordering::SeqCst))
        }),
        linked: Box::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }),
    });
    let identity = Identity {
        org: home.config.org.clone(),
        signer: Arc::clone(&home.signer),
    };
    let sessions = Sessions::new(identity, options.partner, options.play, options.limits);
    let service = PeerService::new(link.clone(), Arc::clone(&sessions.sessions));
    let incoming = incoming(listener, &home.party, &TlsLimits::default());
    let serving = Server::builder()
        .add_service(PeerServer::new(service))
        .serve_with_incoming(incoming);
    TestNode {
        org: home.config.org.clone(),
        home,
        ledger,
        link,
        address,
        later_s,
        linked,
        sessions,
        serving: tokio::spawn(serving).abort_handle(),
        _folder: folder,
    }
}

/// A token that `inviter` gives out for `name`.
pub(super) fn invite(inviter: &TestNode, name: &str) -> String {
    let made = inviter.link.invite(&org(name), DAY_S);
    made.expect("an invite").invite
}

pub(super) fn token(line: &str) -> Vec<u8> {
    let invite: entente_certs::Invite = line.parse().expect("an invite");
    invite.token().as_bytes().to_vec()
}

/// Links two nodes.
pub(super) async fn linked(inviter: &TestNode, joiner: &TestNode) {
    let line = invite(inviter, joiner.org.as_str());
    joiner.link.join(&line).await.expect("linked");
}

/// A connection from `caller` to `node`, past everything that the caller's own node would refuse.
pub(super) async fn connection(caller: &Home, node: &TestNode) -> Connection {
    let expected = Expected {
        org: node.org.as_str().to_owned(),
        root: node.home.party.root(),
    };
    let within = Duration::from_secs(20);
    connect_proven(&caller.party, &node.address.to_string(), &expected, within)
        .await
        .expect("a connection")
}

pub(super) async fn client(caller: &Home, node: &TestNode) -> PeerClient<Channel> {
    PeerClient::new(connection(caller, node).await.channel)
}

/// A join as an honest node would send it.
pub(super) fn request(caller: &Home, token: Vec<u8>) -> JoinRequest {
    JoinRequest {
        version: WIRE_VERSION,
        token,
        address: "127.0.0.1:9".to_owned(),
        registry: Some(caller.registry_record.clone().into()),
    }
}

/// The problem that a refusal carries, as its teller put it.
pub(super) fn told(status: &Status) -> Problem {
    Problem::from_status(status)
}

pub(super) fn registry_of(node: &TestNode, org: &OrgName) -> Option<Record> {
    let record = node.ledger.registry(org).expect("readable");
    record.as_ref().map(Record::from)
}

pub(super) fn is_linked(node: &TestNode, org: &OrgName) -> bool {
    node.ledger.partner(org).expect("readable").is_some()
}

pub(super) fn is_refused(problem: &Problem) -> bool {
    problem.code == Code::InviteRefused
}
