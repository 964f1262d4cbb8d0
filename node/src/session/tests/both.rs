//! Two nodes of ours against each other.

use super::bench::{
    Ended, FakeRuns, Node, Play, identity, org, own_problem, partner_of, roomy, short,
};
use crate::session::limits::QUEUE_FRAMES_MAX;
use crate::session::{Calls, Identity, Limits, Line, Sessions};
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use futures::StreamExt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// The way from the asker's node to the other.
struct Wire {
    asker: Identity,
    other: Identity,
    listener: Arc<Sessions<FakeRuns>>,
}

impl Calls for Wire {
    fn call<'a>(
        &'a self,
        _partner: &'a OrgName,
    ) -> Pin<Box<dyn Future<Output = Result<Line, Problem>> + Send + 'a>> {
        let (outgoing, frames) = mpsc::channel(QUEUE_FRAMES_MAX);
        let frames = ReceiverStream::new(frames).map(Ok).boxed();
        let replies = self.listener.serve(partner_of(&self.asker), frames);
        let (us, partner) = (self.asker.org.clone(), partner_of(&self.other));
        Box::pin(async move { Ok(Line::new(us, partner, outgoing, replies?)) })
    }
}

fn pair(asks: Play, answers: Play, limits: &Limits) -> (Node, Node, Wire) {
    let (asker, other) = (identity("north-bank"), identity("river-pay"));
    let dialer = Node::new(asker.clone(), "river-pay", asks, limits.clone());
    let listener = Node::new(other.clone(), "north-bank", answers, limits.clone());
    let wire = Wire {
        asker,
        other,
        listener: Arc::clone(&listener.sessions),
    };
    (dialer, listener, wire)
}

#[tokio::test]
async fn both_nodes_close_with_transcripts_that_mirror_each_other() {
    let (mut asker, mut other, wire) = pair(Play::Honest, Play::Honest, &roomy());
    asker.sessions.dial(&None, &wire).await.expect("a good run");
    let (Ended::Closed(here), Ended::Closed(there)) =
        (asker.next_end().await, other.next_end().await)
    else {
        panic!("both nodes close");
    };
    assert_eq!(here.mirrors(&org("river-pay"), &there), Ok(()));
    assert_eq!(here.sent_bytes, 3 * 64);
}

#[tokio::test]
async fn a_problem_at_the_other_node_is_told_to_the_asker_without_its_details() {
    let (mut asker, mut other, wire) = pair(Play::Honest, Play::Fails, &roomy());
    let told = asker.sessions.dial(&None, &wire).await;
    let told = told.expect_err("the other side failed");
    assert_eq!(told.code, Code::ValueOutside);
    let river = Side::Partner {
        org: org("river-pay"),
    };
    assert_eq!(told.side, river);
    assert!(!told.what.contains("customers"), "{}", told.what);
    assert_eq!(other.broken().await, own_problem());
    let Ended::Broken { may_follow, .. } = asker.next_end().await else {
        panic!("the attempt broke off");
    };
    assert!(!may_follow, "bad data is not cured by another attempt");
}

#[tokio::test]
async fn a_problem_at_the_asker_ends_the_other_node_too() {
    let (asker, mut other, wire) = pair(Play::Fails, Play::Honest, &roomy());
    let problem = asker.sessions.dial(&None, &wire).await;
    assert_eq!(problem, Err(own_problem()));
    let north = Side::Partner {
        org: org("north-bank"),
    };
    assert_eq!(other.broken().await.side, north);
}

#[tokio::test]
async fn a_thread_that_dies_is_a_problem_and_not_a_hang() {
    let (asker, mut other, wire) = pair(Play::Panics, Play::Honest, &roomy());
    let problem = asker.sessions.dial(&None, &wire).await;
    let problem = problem.expect_err("the run died");
    assert_eq!((problem.code, problem.side), (Code::Defect, Side::Here));
    assert_eq!(other.broken().await.code, Code::Defect);
}

#[tokio::test]
async fn two_sides_that_only_send_end_by_their_deadline() {
    let limits = Limits {
        attempts_max: 1,
        ..short()
    };
    let (mut asker, mut other, wire) = pair(Play::SendsForEver, Play::SendsForEver, &limits);
    let problem = asker.sessions.dial(&None, &wire).await;
    assert_eq!(problem.map_err(|p| p.code), Err(Code::PartnerMisbehaved));
    assert_eq!(asker.broken().await.code, Code::PartnerMisbehaved);
    assert_eq!(other.broken().await.code, Code::PartnerMisbehaved);
}

#[tokio::test]
async fn stopping_the_asker_ends_the_run_at_both_nodes_and_leaves_it_for_the_next_start() {
    let (mut asker, mut other, wire) = pair(Play::Honest, Play::WorksUntilTold, &roomy());
    let sessions = Arc::clone(&asker.sessions);
    let dialing = tokio::spawn(async move { sessions.dial(&None, &wire).await });
    other.run_began().await;
    asker.stop.send(true).expect("the node is there");
    let end = dialing.await.expect("no panic");
    assert_eq!(end.map_err(|p| p.code), Err(Code::NodeNotRunning));
    let Ended::Broken { may_follow, .. } = asker.next_end().await else {
        panic!("the attempt broke off");
    };
    assert!(may_follow);
    other.go_on.send(()).expect("the run waits");
    let problem = other.broken().await;
    assert_eq!(problem.code, Code::NodeNotRunning);
    asker.sessions.ended().await;
    other.sessions.ended().await;
}

#[tokio::test]
async fn a_full_partner_is_tried_again_and_then_named() {
    let limits = Limits {
        per_partner_max: 0,
        ..roomy()
    };
    let (mut asker, _other, wire) = pair(Play::Honest, Play::Honest, &limits);
    let problem = asker.sessions.dial(&None, &wire).await;
    let problem = problem.expect_err("no place is free");
    assert_eq!(problem.code, Code::SessionLimit);
    for _ in 0..limits.connects_max {
        let Ended::Broken { attempt, .. } = asker.next_end().await else {
            panic!("nothing ran");
        };
        assert_eq!(
            attempt, None,
            "no attempt is used up before the partner is reached"
        );
    }
}
