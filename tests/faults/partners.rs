//! Partners that are not there, at a wrong port, silent, of another version, or gone in the middle of a session.

use crate::world::command::entente;
use crate::world::files::{OVERLAP, job};
use crate::world::{BANK, PAY, World};
use entente_certs::{Invite, InviteToken, OrgRoot, RootFingerprint};
use entente_wire::problem::Code;
use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime};

/// Every wait for a partner ends by then, and most much earlier.
const PATIENCE: Duration = Duration::from_secs(60);

/// An invite that leads to an address.
fn invite_to(address: &str, root: RootFingerprint) -> String {
    let expires = SystemTime::now() + Duration::from_secs(600);
    let invite = Invite::new(
        "harbour-bank",
        address,
        root,
        InviteToken::generate(),
        expires,
    );
    invite.expect("an invite").encode()
}

fn some_root() -> RootFingerprint {
    let root = OrgRoot::create("harbour-bank", SystemTime::now());
    root.expect("a root").fingerprint()
}

#[test]
fn a_partner_at_a_wrong_port_is_named_with_its_address() {
    let world = World::shared();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").to_string()
    };
    let line = invite_to(&closed, some_root());
    let problem = world
        .at(BANK, &["join", &line])
        .problem(Code::PartnerUnreachable);
    assert!(problem.what.contains(&closed), "{problem:?}");
}

#[test]
fn a_silent_partner_is_given_up_in_time() {
    let world = World::shared();
    // Takes connections, says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let begin = Instant::now();
    let line = invite_to(&address, some_root());
    let problem = world.at(BANK, &["join", &line]).problems().remove(0);
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    let silent = matches!(problem.code, Code::PartnerUnreachable | Code::PartnerSilent);
    assert!(silent, "{problem:?}");
}

#[test]
fn a_partner_with_another_root_than_the_invite_says_is_not_believed() {
    let world = World::shared();
    let address = world.listen(PAY).to_string();
    let line = invite_to(&address, some_root());
    world
        .at(BANK, &["join", &line])
        .problem(Code::PartnerNotProven);
}

#[test]
fn a_partner_that_goes_away_before_the_run_is_named_and_the_job_can_be_cancelled() {
    let world = World::linked();
    world.datasets("gone");
    let id = world.submit(BANK, &job("gone", OVERLAP));
    world.await_inbox(PAY, &id);
    world.approve(PAY, &id, "data-owner").json();
    world.approve(PAY, &id, "compliance").json();
    world.await_inbox(BANK, &id);
    world.approve(BANK, &id, "data-owner").json();
    world.stop(PAY, true);
    world.approve(BANK, &id, "compliance").json();
    // It tries again for a while; nobody has to wait for that.
    let cancelled = world.at(BANK, &["job", "cancel", &id]);
    if cancelled.succeeded() {
        assert_eq!(world.end(BANK, &id)["state"], "cancelled");
    } else {
        let end = world.end(BANK, &id);
        assert_eq!(end["problem"]["side"]["org"], PAY, "{end}");
    }
}

#[test]
fn a_coordinator_that_cannot_be_reached_is_named_and_the_node_runs() {
    let folder = tempfile::TempDir::with_prefix("entente-").expect("a folder");
    let nowhere = format!("127.0.0.1:1#{}", "ab".repeat(32));
    let init = [
        "init",
        "--org",
        "north-bank",
        "--listen",
        "127.0.0.1:0",
        "--coordinator",
        &nowhere,
    ];
    entente(folder.path(), &init).json();
    let _node = crate::world::process::Service::start(folder.path(), &["node"]);
    let status = entente(folder.path(), &["status"]).json();
    assert_eq!(status["coordinator_connected"], false, "{status}");
}
