//! Sessions over real connections, and what the dialler says where there is none.

use super::bench::{Options, TestNode, linked, node_with, org};
use crate::ledger::Fact;
use crate::session::tests::bench::{Ended, Play, roomy, short};
use crate::session::{Calls, Limits};
use entente_wire::problem::{Code, Problem, Side};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

async fn pair() -> (TestNode, TestNode) {
    let limits = Limits {
        connects_max: 1,
        ..roomy()
    };
    let north = node_with(
        "north-bank",
        Options {
            limits,
            ..Options::default()
        },
    );
    let river = node_with(
        "river-pay",
        Options {
            partner: "north-bank",
            ..Options::default()
        },
    );
    let (north, river) = (north.await, river.await);
    linked(&north, &river).await;
    (north, river)
}

/// Changes where `node` believes its partner to be.
fn moved(node: &TestNode, partner: &TestNode, address: &str) {
    let pin = node
        .ledger
        .partner(&partner.org)
        .expect("readable")
        .expect("linked");
    let pin = crate::ledger::Pin {
        address: address.to_owned(),
        ..pin
    };
    node.ledger
        .record(0, Fact::PartnerLinked(pin))
        .expect("written");
}

async fn dial(node: &TestNode) -> Result<(), Problem> {
    node.sessions.sessions.dial(&None, &node.link).await
}

#[tokio::test]
async fn a_run_crosses_a_real_connection_and_closes_at_both_nodes() {
    let (mut north, mut river) = pair().await;
    dial(&north).await.expect("a good run");
    let (Ended::Closed(here), Ended::Closed(there)) = (
        north.sessions.next_end().await,
        river.sessions.next_end().await,
    ) else {
        panic!("both nodes close");
    };
    assert_eq!(here.mirrors(&river.org, &there), Ok(()));
    north.sessions.sessions.ended().await;
    river.sessions.sessions.ended().await;
}

#[tokio::test]
async fn a_swapped_peer_at_the_pinned_address_gets_nothing() {
    let (mut north, river) = pair().await;
    let imposter = node_with("river-pay", Options::default()).await;
    moved(&north, &river, &imposter.address.to_string());
    let problem = dial(&north).await.expect_err("another root");
    assert_eq!(problem.code, Code::PartnerNotProven);
    let Ended::Broken {
        attempt,
        may_follow,
        ..
    } = north.sessions.next_end().await
    else {
        panic!("nothing ran");
    };
    assert_eq!((attempt, may_follow), (None, false));
}

#[tokio::test]
async fn another_linked_partner_at_the_pinned_address_gets_nothing() {
    let (north, river) = pair().await;
    let harbour = node_with("harbour-bank", Options::default()).await;
    linked(&north, &harbour).await;
    moved(&north, &river, &harbour.address.to_string());
    let problem = dial(&north).await.expect_err("another organisation");
    assert_eq!(problem.code, Code::PartnerNotProven);
}

#[tokio::test]
async fn a_wrong_port_is_named() {
    let (north, river) = pair().await;
    let unbound = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let nobody = unbound.local_addr().expect("bound").to_string();
    drop(unbound);
    moved(&north, &river, &nobody);
    let problem = dial(&north).await.expect_err("nobody listens");
    assert_eq!(problem.code, Code::PartnerUnreachable);
    assert_eq!(
        problem.side,
        Side::Partner {
            org: river.org.clone()
        }
    );
    assert!(problem.what.contains(&nobody), "{}", problem.what);
}

#[tokio::test]
async fn a_port_of_something_else_is_named() {
    let (north, river) = pair().await;
    let other = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    moved(
        &north,
        &river,
        &other.local_addr().expect("bound").to_string(),
    );
    let chatter = tokio::spawn(async move {
        let (mut stream, _) = other.accept().await.expect("a caller");
        let hello = b"220 mail.example ESMTP ready\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, hello)
            .await
            .expect("written");
        stream
    });
    let problem = dial(&north).await.expect_err("not a node");
    assert_eq!(problem.code, Code::PartnerUnreachable);
    drop(chatter.await);
}

#[tokio::test]
async fn a_partner_that_is_not_linked_is_not_called() {
    let (north, _river) = pair().await;
    let stranger = org("lake-shop");
    let problem = north.link.call(&stranger).await.err().expect("not linked");
    assert_eq!(
        (problem.code, problem.side),
        (Code::PartnerUnknown, Side::Here)
    );
}

#[tokio::test]
async fn a_partner_that_pinned_another_root_of_ours_says_so() {
    let (north, river) = pair().await;
    let renewed = node_with("north-bank", Options::default()).await;
    let pin = north
        .ledger
        .partner(&river.org)
        .expect("readable")
        .expect("linked");
    let record = north
        .ledger
        .registry(&river.org)
        .expect("readable")
        .expect("here");
    renewed
        .ledger
        .record(0, Fact::PartnerLinked(pin))
        .expect("written");
    renewed
        .ledger
        .record(0, Fact::RegistrySeen { record })
        .expect("written");
    let problem = dial(&renewed)
        .await
        .expect_err("not the root that is pinned there");
    assert_eq!(
        (problem.code, problem.side),
        (Code::PartnerNotProven, Side::Here)
    );
}

/// A way to the partner that a test can cut or freeze.
struct Way {
    address: String,
    forwarding: tokio::task::AbortHandle,
    frozen: watch::Sender<bool>,
}

impl Way {
    async fn to(node: &TestNode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let (frozen, mut freezes) = watch::channel(false);
        let to = node.address;
        let forwarding = tokio::spawn(async move {
            let (mut here, _) = listener.accept().await.expect("a caller");
            let mut there = TcpStream::connect(to).await.expect("the node");
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
                () = async { drop(freezes.wait_for(|frozen| *frozen).await) } => {}
            }
            // Frozen: both ends stay open, nothing moves.
            std::future::pending::<()>().await;
        });
        Self {
            address,
            forwarding: forwarding.abort_handle(),
            frozen,
        }
    }
}

/// A run that waits for a partner at work, over a way that can be cut.
async fn run_under_way(
    limits: Limits,
) -> (TestNode, TestNode, Way, JoinHandle<Result<(), Problem>>) {
    let limits = Limits {
        attempts_max: 1,
        connects_max: 1,
        ..limits
    };
    let north = node_with(
        "north-bank",
        Options {
            limits: limits.clone(),
            ..Options::default()
        },
    );
    let river = node_with(
        "river-pay",
        Options {
            partner: "north-bank",
            play: Play::WorksUntilTold,
            limits,
            ..Options::default()
        },
    );
    let (north, mut river) = (north.await, river.await);
    linked(&north, &river).await;
    let way = Way::to(&river).await;
    moved(&north, &river, &way.address);
    let (sessions, link) = (Arc::clone(&north.sessions.sessions), north.link.clone());
    let end = tokio::spawn(async move { sessions.dial(&None, &link).await });
    river.sessions.run_began().await;
    (north, river, way, end)
}

#[tokio::test]
async fn a_connection_cut_in_the_run_ends_it_at_both_nodes() {
    let (_north, mut river, way, end) = run_under_way(roomy()).await;
    way.forwarding.abort();
    let problem = end.await.expect("no panic").expect_err("cut");
    assert_eq!(
        (problem.code, problem.side),
        (Code::PartnerSilent, Side::Network)
    );
    river.sessions.go_on.send(()).expect("the run waits");
    assert_eq!(river.sessions.broken().await.code, Code::PartnerSilent);
    river.sessions.sessions.ended().await;
}

#[tokio::test]
async fn a_connection_that_carries_nothing_any_more_ends_by_the_deadline() {
    let (_north, river, way, end) = run_under_way(short()).await;
    way.frozen.send(true).expect("it is forwarding");
    let problem = end.await.expect("no panic").expect_err("silent");
    assert_eq!(problem.code, Code::PartnerSilent);
    river.sessions.go_on.send(()).expect("the run waits");
}
