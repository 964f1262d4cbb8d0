//! Whole nodes: their doors open only when all is well, and close in order.

use super::run;
use crate::home::{Settings, init};
use entente_wire::local::{InviteLine, Partner, Status};
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::local::v1::local_client::LocalClient;
use entente_wire::rpc::local::v1::{Document, Empty, InviteRequest, JoinInvite};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

fn made(org: &str, listen: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join("home");
    let settings = Settings {
        org: org.parse().expect("a valid name"),
        listen: listen.to_owned(),
        advertise: None,
        coordinator: None,
    };
    init(&home, &settings, SystemTime::now()).expect("a new home");
    (folder, home)
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), Problem>>,
}

async fn start(home: &Path) -> Result<Running, Problem> {
    let (stop, stopped) = oneshot::channel();
    let (ready, readiness) = oneshot::channel();
    let home = home.to_owned();
    let ended = tokio::spawn(async move { run(&home, stopped, ready).await });
    match readiness.await {
        Ok(address) => Ok(Running {
            address,
            stop,
            ended,
        }),
        Err(_) => Err(ended.await.expect("no panic").expect_err("never ready")),
    }
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.ended.await.expect("no panic").expect("a good end");
    }
}

async fn local(home: &Path) -> LocalClient<Channel> {
    let path = home.join("node.sock");
    let connector = tower::service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://node");
    let channel = endpoint.connect_with_connector(connector).await;
    LocalClient::new(channel.expect("the node's socket"))
}

fn read<T: DeserializeOwned>(answer: Result<tonic::Response<Document>, tonic::Status>) -> T {
    let document = answer.expect("an answer").into_inner();
    serde_json::from_slice(&document.json).expect("the document")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_ready_at_its_address_answers_its_owner_and_ends_when_told() {
    let (_folder, home) = made("north-bank", "127.0.0.1:0");
    let node = start(&home).await.expect("ready");
    let address = node.address;
    TcpStream::connect(address).await.expect("it listens");
    let status: Status = read(local(&home).await.status(Empty {}).await);
    assert_eq!(status.org.as_str(), "north-bank");
    assert_eq!(status.listen, address.to_string());
    assert!(!status.coordinator_connected && status.coordinator_problem.is_none());
    node.stop().await;
    assert!(
        TcpStream::connect(address).await.is_err(),
        "it still listens"
    );
    assert!(!home.join("node.sock").exists());
    // Locks are free again.
    start(&home).await.expect("ready again").stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_stay_do_not_hold_up_the_end() {
    let (_folder, home) = made("north-bank", "127.0.0.1:0");
    let node = start(&home).await.expect("ready");
    let mut client = local(&home).await;
    let _: Vec<Partner> = read(client.partners(Empty {}).await);
    let _silent = TcpStream::connect(node.address).await.expect("it listens");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let (_folder, home) = made("north-bank", &address);
    let problem = start(&home).await.err().expect("taken");
    assert_eq!(problem.code, Code::PortInUse);
    assert!(problem.what.contains(&address), "{}", problem.what);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_of_one_home_ends_before_it_listens() {
    let (_folder, home) = made("north-bank", "127.0.0.1:0");
    let first = start(&home).await.expect("ready");
    let problem = start(&home).await.err().expect("one is on");
    assert_eq!(problem.code, Code::Home);
    // It has not taken the first one's socket away.
    let status: Status = read(local(&home).await.status(Empty {}).await);
    assert_eq!(status.listen, first.address.to_string());
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_home_opens_no_port() {
    let unbound = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = unbound.local_addr().expect("bound");
    drop(unbound);
    let (_folder, home) = made("north-bank", &address.to_string());
    let key = home.join("keys/sign.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("set");
    let problem = start(&home).await.err().expect("refused");
    assert_eq!(problem.code, Code::KeyFile);
    assert!(TcpStream::connect(address).await.is_err());
    assert!(!home.join("node.sock").exists() && !home.join("journal").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_registry_than_the_journals_is_refused() {
    let (_folder, home) = made("north-bank", "127.0.0.1:0");
    let file = home.join("registry.record");
    let older = fs::read(&file).expect("a file");
    let person = entente_wire::people::Person {
        role: "compliance".parse().expect("a role"),
        key: entente_wire::sign::PublicKey::from_bytes(
            entente_certs::PrivateKey::generate().public_key(),
        ),
    };
    crate::home::add_person(&home, "mei".parse().expect("a name"), person).expect("added");
    start(&home).await.expect("ready").stop().await;
    fs::write(&file, older).expect("written");
    let problem = start(&home).await.err().expect("refused");
    assert_eq!(problem.code, Code::Home);
    assert!(problem.what.contains("registry.record"), "{}", problem.what);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_link_through_their_owners_sockets_and_remember_it() {
    let (_north, north_home) = made("north-bank", "127.0.0.1:0");
    let (_river, river_home) = made("river-pay", "127.0.0.1:0");
    let north = start(&north_home).await.expect("ready");
    let river = start(&river_home).await.expect("ready");
    let invite = InviteRequest {
        org: "river-pay".to_owned(),
        expires_s: 3600,
    };
    let line: InviteLine = read(local(&north_home).await.invite(invite).await);
    let join = JoinInvite {
        invite: line.invite,
    };
    let seen: Partner = read(local(&river_home).await.join(join).await);
    assert_eq!(seen.reverse_problem, None);
    north.stop().await;
    let north = start(&north_home).await.expect("ready again");
    let partners: Vec<Partner> = read(local(&north_home).await.partners(Empty {}).await);
    assert_eq!(partners.len(), 1);
    assert_eq!(partners[0].words, seen.words);
    north.stop().await;
    river.stop().await;
}
