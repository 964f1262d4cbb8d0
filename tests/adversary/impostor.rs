//! Impostors and strangers at a node's port, and at the other end of a link.

use crate::world::command::entente;
use crate::world::files::{OVERLAP, job};
use crate::world::process::Service;
use crate::world::{BANK, PAY, World};
use entente_certs::{Expected, OrgRoot, RootFingerprint, TlsParty, connect};
use entente_wire::limits::WIRE_VERSION;
use entente_wire::problem::Code;
use entente_wire::rpc::peer::v1 as rpc;
use entente_wire::rpc::record::v1::Record;
use rpc::frame::Content;
use rpc::peer_client::PeerClient;
use std::io::{Read, Write};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The fingerprint of an organisation's root.
fn root_of(world: &World, org: &str) -> RootFingerprint {
    let status = world.at(org, &["status"]).json();
    let text = status["root_fingerprint"].as_str().expect("a fingerprint");
    text.parse().expect("a fingerprint")
}

/// A party that anybody can make: a root of its own under any name.
fn stranger(org: &str) -> TlsParty {
    let now = SystemTime::now();
    let root = OrgRoot::create(org, now).expect("a root");
    let certificate = root.issue("node", &[], now).expect("a certificate");
    TlsParty::new(&certificate)
}

#[test]
fn a_partner_swapped_for_another_with_its_name_is_not_spoken_to() {
    let world = World::linked();
    world.datasets("swapped");
    let address = world.listen(PAY);
    let id = world.submit(BANK, &job("swapped", OVERLAP));
    world.await_inbox(PAY, &id);
    world.approve(PAY, &id, "data-owner").json();
    world.approve(PAY, &id, "compliance").json();
    world.await_inbox(BANK, &id);
    world.approve(BANK, &id, "data-owner").json();
    // Somebody else, with the partner's name and keys of its own, takes the port before the last approval.
    world.stop(PAY, false);
    let home = world.folder.path().join("impostor");
    let listen = address.to_string();
    entente(&home, &["init", "--org", PAY, "--listen", &listen]).json();
    let _impostor = Service::start(&home, &["node"]);
    world.approve(BANK, &id, "compliance").json();
    let end = world.end(BANK, &id);
    assert_eq!(end["state"], "failed", "{end}");
    let code = Code::PartnerNotProven.as_str();
    assert_eq!(end["problem"]["code"], code, "{end}");
    assert!(!world.at(BANK, &["job", "result", &id]).succeeded());
}

/// Whether a frame is the other side's part of a session.
fn opens(frame: &rpc::Frame) -> bool {
    match &frame.content {
        Some(Content::Control(bytes)) => !String::from_utf8_lossy(bytes).contains("abort"),
        Some(Content::Data(_)) => true,
        None => false,
    }
}

#[test]
fn a_stranger_gets_no_session_and_no_link() {
    let world = World::shared();
    let address = world.listen(BANK).to_string();
    let expected = Expected {
        org: BANK.to_owned(),
        root: root_of(&world, BANK),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        // One with a name that nobody knows, and one who took the partner's name.
        for org in ["harbour-bank", PAY] {
            let channel = connect(&stranger(org), &address, &expected, CONNECT_TIMEOUT).await;
            let channel = channel.expect("TLS lets strangers in, so that they can join");
            let mut client = PeerClient::new(channel);
            let frames = tokio_stream::iter([rpc::Frame { content: None }]);
            if let Ok(answer) = client.session(frames).await {
                let first = answer.into_inner().message().await;
                assert!(!matches!(first, Ok(Some(frame)) if opens(&frame)), "{org}");
            }
            let join = rpc::JoinRequest {
                version: WIRE_VERSION,
                token: vec![0; 16],
                address: "127.0.0.1:1".to_owned(),
                registry: Some(Record::default()),
            };
            let joined = client.join(join).await;
            joined.expect_err("the token was never given");
        }
    });
    let partners = world.at(BANK, &["partners"]).json();
    assert_eq!(partners.as_array().map(Vec::len), Some(1), "{partners}");
}

#[test]
fn an_invite_links_once_and_only_whom_it_names() {
    let world = World::unlinked();
    let invited = world.at(BANK, &["invite", PAY]).json();
    let line = invited["invite"].as_str().expect("a line").to_owned();
    // A third organisation got hold of the line.
    let home = world.folder.path().join("third");
    entente(
        &home,
        &["init", "--org", "harbour-bank", "--listen", "127.0.0.1:0"],
    )
    .json();
    let _third = Service::start(&home, &["node"]);
    entente(&home, &["join", &line]).problem(Code::InviteRefused);
    world.at(PAY, &["join", &line]).json();
    world.at(PAY, &["join", &line]).problem(Code::InviteRefused);
    let partners = world.at(BANK, &["partners"]).json();
    assert_eq!(partners.as_array().map(Vec::len), Some(1), "{partners}");
}

#[test]
fn an_invite_that_was_changed_or_cut_is_refused() {
    let world = World::unlinked();
    let invited = world.at(BANK, &["invite", PAY]).json();
    let line = invited["invite"].as_str().expect("a line").to_owned();
    let middle = line.len() / 2;
    let other = if &line[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    let changed = format!("{}{other}{}", &line[..middle], &line[middle + 1..]);
    let cut = line[..line.len() - 3].to_owned();
    for bad in [changed, cut, "entente-inv1:".to_owned(), "hello".to_owned()] {
        world.at(PAY, &["join", &bad]).problem(Code::InviteRefused);
    }
    // The true one still works: nothing was used up.
    world.at(PAY, &["join", &line]).json();
}

#[test]
fn whoever_does_not_speak_mutual_tls_gets_nothing() {
    let world = World::shared();
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for first in [&b"GET / HTTP/1.1\r\n\r\n"[..], http2, &[0; 512]] {
        let tcp = std::net::TcpStream::connect(world.listen(BANK));
        let mut tcp = tcp.expect("the port is open");
        let timeout = Some(Duration::from_secs(30));
        tcp.set_read_timeout(timeout).expect("a timeout");
        tcp.write_all(first).expect("it takes bytes");
        let mut answer = Vec::new();
        let _ = tcp.read_to_end(&mut answer);
        // A TLS alert, or nothing.
        assert!(answer.is_empty() || answer[0] == 21, "{answer:?}");
    }
    assert!(world.at(BANK, &["status"]).succeeded());
}

#[test]
fn an_organisation_that_was_not_admitted_sees_nothing() {
    let world = World::shared();
    let home = TempDir::with_prefix("entente-").expect("a folder");
    let url = &world.coordinator_url;
    let init = [
        "init",
        "--org",
        "harbour-bank",
        "--listen",
        "127.0.0.1:0",
        "--coordinator",
        url,
    ];
    entente(home.path(), &init).json();
    let _node = Service::start(home.path(), &["node"]);
    let status = entente(home.path(), &["status"]).json();
    assert_eq!(status["coordinator_connected"], false, "{status}");
    let catalog = entente(home.path(), &["catalog"]).json();
    assert_eq!(catalog, serde_json::json!([]));
}
