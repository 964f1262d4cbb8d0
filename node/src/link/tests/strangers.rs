//! Callers that send what no honest node sends.

use super::bench::{
    client, home, invite, is_linked, is_refused, linked, node, org, request, token, told,
};
use crate::session::tests::bench::opening;
use entente_wire::canonical::Digest;
use entente_wire::people::Registry;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::peer::v1::{Frame, JoinRequest, frame::Content};
use entente_wire::session::Control;
use entente_wire::sign::{Kind, Record, Signer};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use tokio_stream::once;

fn stranger_signer() -> Signer {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
    Signer::from_pkcs8(pkcs8.as_ref()).expect("a key just made")
}

#[tokio::test]
async fn every_deviation_in_a_join_is_refused_and_leaves_the_invite_good() {
    let north = node("north-bank").await;
    let (_folder, river) = home("river-pay");
    let (_folder, harbour) = home("harbour-bank");
    let good = token(&invite(&north, "river-pay"));
    let mut flipped = good.clone();
    flipped[0] ^= 1;
    let registry = crate::home::registry(&river.folder).expect("good");
    let own = |token: &[u8]| request(&river, token.to_vec());
    let by_another_key = Record::sign(
        &stranger_signer(),
        Kind::Registry,
        &org("river-pay"),
        &registry,
    );
    let renamed = Registry {
        org: org("harbour-bank"),
        ..registry.clone()
    };
    let of_another_name = Record::sign(&river.signer, Kind::Registry, &org("river-pay"), &renamed);
    let mut flipped_signature = river.registry_record.clone();
    flipped_signature.signature[5] ^= 1;
    let with = |record: &Record| JoinRequest {
        registry: Some(record.clone().into()),
        ..own(&good)
    };
    let cases = [
        ("a flipped token", own(&flipped), Code::InviteRefused),
        ("no token", own(&[]), Code::InviteRefused),
        ("a long token", own(&[7; 4096]), Code::InviteRefused),
        (
            "another version",
            JoinRequest {
                version: 2,
                ..own(&good)
            },
            Code::VersionDiffers,
        ),
        (
            "no address",
            JoinRequest {
                address: String::new(),
                ..own(&good)
            },
            Code::Argument,
        ),
        (
            "a long address",
            JoinRequest {
                address: "a".repeat(100_000),
                ..own(&good)
            },
            Code::Argument,
        ),
        (
            "no registry",
            JoinRequest {
                registry: None,
                ..own(&good)
            },
            Code::RegistryRefused,
        ),
        (
            "another's registry",
            with(&harbour.registry_record),
            Code::RegistryRefused,
        ),
        (
            "a registry by another key",
            with(&by_another_key),
            Code::RegistryRefused,
        ),
        (
            "a registry by the node key",
            with(&of_another_name),
            Code::RegistryRefused,
        ),
        (
            "a flipped signature",
            with(&flipped_signature),
            Code::RegistryRefused,
        ),
    ];
    let mut client = client(&river, &north).await;
    for (name, request, code) in cases {
        let status = client.join(request).await.expect_err(name);
        assert_eq!(told(&status).code, code, "{name}: {}", told(&status).what);
        assert!(!is_linked(&north, &org("river-pay")), "{name}");
    }
    client
        .join(own(&good))
        .await
        .expect("the invite is still good");
}

#[tokio::test]
async fn joins_refused_in_a_row_turn_everybody_away_for_a_minute() {
    let north = node("north-bank").await;
    let (_folder, harbour) = home("harbour-bank");
    let mut client = client(&harbour, &north).await;
    let mut what = String::new();
    for _ in 0..30 {
        let status = client
            .join(request(&harbour, vec![0; 16]))
            .await
            .expect_err("refused");
        let problem = told(&status);
        assert!(is_refused(&problem));
        what = problem.what;
    }
    assert!(what.contains("too many"), "{what}");
    north.later_s.store(61, std::sync::atomic::Ordering::SeqCst);
    let good = token(&invite(&north, "harbour-bank"));
    client
        .join(request(&harbour, good))
        .await
        .expect("a minute later");
}

async fn session_refused(caller: &crate::home::Home, node: &super::bench::TestNode) -> Problem {
    let opening = opening(1, Digest([0; 32]));
    let open = Control::open(&caller.signer, &caller.config.org, opening);
    let frame = Frame {
        content: Some(Content::Control(open.to_bytes())),
    };
    let mut client = client(caller, node).await;
    let refused = client.session(once(frame)).await;
    told(&refused.expect_err("the call is refused"))
}

#[tokio::test]
async fn a_stranger_opens_no_session() {
    let north = node("north-bank").await;
    let (_folder, river) = home("river-pay");
    let problem = session_refused(&river, &north).await;
    assert_eq!(
        (problem.code, problem.side),
        (Code::PartnerUnknown, Side::Here)
    );
}

#[tokio::test]
async fn a_linked_name_under_another_root_opens_no_session() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    linked(&north, &river).await;
    let (_folder, imposter) = home("river-pay");
    let problem = session_refused(&imposter, &north).await;
    assert_eq!(problem.code, Code::PartnerNotProven);
}

#[tokio::test]
async fn a_registry_that_goes_back_is_refused_at_a_new_link() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let folder = &river.home.folder;
    let person = entente_wire::people::Person {
        role: "compliance".parse().expect("a role"),
        key: stranger_signer().public_key(),
    };
    let mei = "mei".parse().expect("a name");
    let (newer, _) = crate::home::add_person(folder, mei, person).expect("added");
    let mut client = client(&river.home, &north).await;
    let first = JoinRequest {
        registry: Some(newer.into()),
        ..request(&river.home, token(&invite(&north, "river-pay")))
    };
    client.join(first).await.expect("linked");
    let older = request(&river.home, token(&invite(&north, "river-pay")));
    let status = client.join(older).await.expect_err("older");
    assert_eq!(told(&status).code, Code::RegistryRefused);
}
