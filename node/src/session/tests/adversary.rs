//! What a hostile or broken partner can do to a session, one deviation a test: never a hang, never a panic, and the blame where
//! it belongs.

mod before;
mod ending;
mod flood;
mod running;

use super::bench::{Lines, Node, Play, identity, org};
use super::script::{Script, call, line_to};
use crate::session::Limits;
use entente_wire::problem::{Code, Problem, Side};
use std::sync::Arc;
use tokio::task::JoinHandle;

fn river() -> Side {
    Side::Partner {
        org: org("river-pay"),
    }
}

/// Our node as the listener, and a scripted dialer.
fn listening(play: Play, limits: Limits) -> (Node, Script) {
    let node = Node::new(identity("north-bank"), "river-pay", play, limits);
    let script = call(&node, &identity("river-pay")).expect("a place is free");
    (node, script)
}

/// Our node as the dialer, one attempt, and a scripted partner.
fn dialing(play: Play, limits: Limits) -> (Node, Script, JoinHandle<Result<(), Problem>>) {
    let us = identity("north-bank");
    let limits = Limits {
        attempts_max: 1,
        ..limits
    };
    let node = Node::new(us.clone(), "river-pay", play, limits);
    let (line, script) = line_to(&us.org, &identity("river-pay"));
    let sessions = Arc::clone(&node.sessions);
    let end = tokio::spawn(async move { sessions.dial(&None, &Lines::one(line)).await });
    (node, script, end)
}

async fn ends_with(end: JoinHandle<Result<(), Problem>>, code: Code, side: Side) {
    let problem = end
        .await
        .expect("no panic")
        .expect_err("the run breaks off");
    assert_eq!(
        (problem.code, problem.side),
        (code, side),
        "{}",
        problem.what
    );
}

fn assert_misbehaved(problem: &Problem) {
    // As told to the culprit: the partner is at fault, which is the teller's word for it.
    assert_eq!(
        (problem.code, &problem.side),
        (Code::PartnerMisbehaved, &river()),
        "{}",
        problem.what
    );
}
