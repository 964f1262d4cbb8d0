//! Linking as two honest operators do it, and what goes wrong between them.

use super::bench::{
    DAY_S, Options, invite, is_linked, is_refused, linked, node, node_with, org, registry_of,
};
use entente_certs::{Invite, InviteToken};
use entente_wire::problem::{Code, Side};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;

#[tokio::test]
async fn both_sides_pin_each_other_and_show_the_same_four_words() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let line = invite(&north, "river-pay");
    let seen = river.link.join(&line).await.expect("linked");
    assert_eq!((&seen.org, seen.registry_version), (&north.org, 1));
    assert_eq!(seen.address, north.address.to_string());
    assert_eq!(seen.reverse_problem, None, "north-bank reaches river-pay");
    assert_eq!(seen.words.split(' ').count(), 4);

    let at_north = north.link.partners().expect("readable");
    let [at_north] = at_north.as_slice() else {
        panic!("one partner is linked");
    };
    assert_eq!((&at_north.org, &at_north.words), (&river.org, &seen.words));
    assert_eq!(at_north.address, river.address.to_string());
    assert_eq!(
        at_north.root_fingerprint,
        river.home.party.root().to_string()
    );
    assert_eq!(seen.root_fingerprint, north.home.party.root().to_string());
    assert!(registry_of(&north, &river.org) == Some(river.home.registry_record.clone()));
    assert!(registry_of(&river, &north.org) == Some(north.home.registry_record.clone()));
    for node in [&north, &river] {
        assert_eq!(node.linked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn an_invite_works_once() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let line = invite(&north, "river-pay");
    river.link.join(&line).await.expect("linked");
    let again = river.link.join(&line).await.expect_err("used");
    assert!(is_refused(&again), "{again}");
    assert_eq!(
        again.side,
        Side::Partner {
            org: north.org.clone()
        }
    );
    // A new one links the same root anew.
    let line = invite(&north, "river-pay");
    river.link.join(&line).await.expect("linked anew");
}

#[tokio::test]
async fn an_invite_redeemed_twice_at_once_lets_one_in() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let line = invite(&north, "river-pay");
    let (one, two) = tokio::join!(river.link.join(&line), river.link.join(&line));
    assert!(one.is_ok() != two.is_ok());
}

#[tokio::test]
async fn an_expired_invite_is_refused_by_both_sides() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let line = invite(&north, "river-pay");
    north.later_s.store(DAY_S + 1, Ordering::SeqCst);
    let late = river.link.join(&line).await.expect_err("expired there");
    assert!(is_refused(&late) && late.what.contains("expired"), "{late}");
    river.later_s.store(DAY_S + 1, Ordering::SeqCst);
    let late = river.link.join(&line).await.expect_err("expired here");
    assert_eq!((late.code, late.side), (Code::InviteRefused, Side::Request));
    assert!(!is_linked(&north, &river.org));
}

#[tokio::test]
async fn an_invite_for_another_organisation_is_refused_and_stays_good() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let harbour = node("harbour-bank").await;
    let line = invite(&north, "river-pay");
    let foreign = harbour.link.join(&line).await.expect_err("not for them");
    assert!(is_refused(&foreign), "{foreign}");
    assert!(!is_linked(&north, &harbour.org));
    river
        .link
        .join(&line)
        .await
        .expect("still good for whom it is for");
}

#[tokio::test]
async fn a_line_with_another_root_pins_nobody() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let line: Invite = invite(&north, "river-pay").parse().expect("an invite");
    let another = river.home.party.root();
    let (address, token) = (line.address(), line.token().clone());
    let tampered = Invite::new("north-bank", address, another, token, line.expires());
    let tampered = tampered.expect("well-formed").encode();
    let problem = river.link.join(&tampered).await.expect_err("not the root");
    assert_eq!(problem.code, Code::PartnerNotProven);
    assert!(!is_linked(&river, &north.org) && !is_linked(&north, &river.org));
    // The token was not handed to whoever answered there.
    river.link.join(&line.encode()).await.expect("still good");
}

#[tokio::test]
async fn a_line_with_another_name_pins_nobody() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let line: Invite = invite(&north, "river-pay").parse().expect("an invite");
    let (address, token) = (line.address(), line.token().clone());
    let renamed = Invite::new("north-bonk", address, line.root(), token, line.expires());
    let renamed = renamed.expect("well-formed").encode();
    let problem = river.link.join(&renamed).await.expect_err("not the name");
    assert_eq!(problem.code, Code::PartnerNotProven);
    assert!(!is_linked(&river, &org("north-bonk")));
}

#[tokio::test]
async fn a_mistyped_line_is_refused_without_a_call() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let line = invite(&north, "river-pay");
    let cut = &line[..line.len() - 3];
    for bad in ["", "hello", "entente-inv2:abc", cut] {
        let problem = river.link.join(bad).await.expect_err(bad);
        assert_eq!(
            (problem.code, problem.side),
            (Code::InviteRefused, Side::Request)
        );
    }
}

#[tokio::test]
async fn nobody_links_with_itself() {
    let north = node("north-bank").await;
    north.link.invite(&north.org, DAY_S).expect_err("itself");
    let own = Invite::new(
        "north-bank",
        &north.address.to_string(),
        north.home.party.root(),
        InviteToken::generate(),
        SystemTime::now() + Duration::from_secs(DAY_S),
    );
    let own = own.expect("well-formed").encode();
    let problem = north.link.join(&own).await.expect_err("itself");
    assert_eq!(problem.code, Code::InviteRefused);
}

#[tokio::test]
async fn an_invites_life_has_bounds() {
    let north = node("north-bank").await;
    for expires_s in [0, 59, 31 * DAY_S, u64::MAX] {
        let problem = north.link.invite(&org("river-pay"), expires_s);
        assert_eq!(problem.expect_err("refused").code, Code::Argument);
    }
}

#[tokio::test]
async fn nothing_at_the_address_is_named_as_such() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    let line = invite(&north, "river-pay");
    let unbound = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let nobody = unbound.local_addr().expect("bound").to_string();
    drop(unbound);
    let line: Invite = line.parse().expect("an invite");
    let (root, token) = (line.root(), line.token().clone());
    let wrong = Invite::new("north-bank", &nobody, root, token, line.expires());
    let wrong = wrong.expect("well-formed").encode();
    let problem = river.link.join(&wrong).await.expect_err("nobody listens");
    assert_eq!(problem.code, Code::PartnerUnreachable);
    assert!(problem.what.contains(&nobody), "{}", problem.what);
}

#[tokio::test]
async fn a_joiner_that_cannot_be_called_back_is_told_so() {
    let unbound = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let nobody = unbound.local_addr().expect("bound").to_string();
    drop(unbound);
    let north = node("north-bank").await;
    let options = Options {
        advertised: Some(nobody.clone()),
        ..Options::default()
    };
    let river = node_with("river-pay", options).await;
    let line = invite(&north, "river-pay");
    let seen = river.link.join(&line).await.expect("linked all the same");
    let reverse = seen.reverse_problem.expect("north-bank cannot call back");
    // Told by north-bank about river-pay: so it is on this side.
    assert_eq!(
        (reverse.code, reverse.side),
        (Code::PartnerUnreachable, Side::Here)
    );
    assert!(reverse.what.contains(&nobody), "{}", reverse.what);
    assert!(reverse.todo.contains("advertise"), "{}", reverse.todo);
}

#[tokio::test]
async fn another_root_does_not_take_a_linked_name() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    linked(&north, &river).await;
    let imposter = node("river-pay").await;
    let line = invite(&north, "river-pay");
    let problem = imposter.link.join(&line).await.expect_err("another root");
    assert!(is_refused(&problem), "{problem}");
    let pin = north
        .ledger
        .partner(&river.org)
        .expect("readable")
        .expect("linked");
    assert_eq!(pin.root_fingerprint.0, *river.home.party.root().as_bytes());
    // Nor the other way round.
    let false_north = node("north-bank").await;
    let line = invite(&false_north, "river-pay");
    let problem = river.link.join(&line).await.expect_err("another root");
    assert!(is_refused(&problem), "{problem}");
    assert!(
        !is_linked(&false_north, &river.org),
        "nothing was presented"
    );
}
