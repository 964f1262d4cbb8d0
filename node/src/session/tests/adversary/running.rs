//! While the run is on: what comes in, silence, and lines that break.

use super::{assert_misbehaved, dialing, ends_with, listening, river};
use crate::session::limits::DATA_BYTES_MAX;
use crate::session::tests::bench::{
    Ended, LANES, Lines, Node, Play, identity, opening, roomy, short,
};
use crate::session::tests::script::line_to;
use entente_wire::limits::CONTROL_BYTES_MAX;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::peer::v1::{Data, Frame, frame::Content};
use entente_wire::session::{Control, SessionNonce};
use std::sync::Arc;

#[tokio::test]
async fn oversize_unknown_and_empty_frames_blame_the_sender() {
    let data = |lane, bytes| {
        Content::Data(Data {
            lane,
            payload: vec![0; bytes],
        })
    };
    let frames = [
        Content::Control(vec![b' '; CONTROL_BYTES_MAX + 1]),
        Content::Control(b"{}".to_vec()),
        Content::Control(br#"{"kind": "working"}"#.to_vec()),
        data(0, DATA_BYTES_MAX + 1),
        data(LANES, 64),
    ];
    for frame in frames {
        let (mut node, mut script) = listening(Play::Honest, roomy());
        script.dial_handshake().await;
        script.send(frame).await;
        assert_misbehaved(&node.broken().await);
        assert_misbehaved(&script.hear_abort().await);
    }
}

#[tokio::test]
async fn surplus_data_blames_the_sender() {
    let (mut node, mut script) = listening(Play::Honest, roomy());
    script.dial_handshake().await;
    script.take_rounds().await;
    script.send_rounds().await;
    script.data(0, b"one more").await;
    script.say(&script.closing(script.transcript(1))).await;
    assert_misbehaved(&node.broken().await);
    assert_misbehaved(&script.hear_abort().await);
}

#[tokio::test]
async fn a_flood_after_the_run_does_not_hold_the_node() {
    let (mut node, mut script, end) = dialing(Play::Honest, roomy());
    script.answer_handshake().await;
    script.take_rounds().await;
    script.send_rounds().await;
    let outgoing = script.outgoing.clone();
    let flood = tokio::spawn(async move {
        let frame = || Ok(crate::session::line::data_frame(0, vec![0; 1024]));
        while outgoing.send(frame()).await.is_ok() {}
    });
    ends_with(end, Code::PartnerMisbehaved, river()).await;
    assert_misbehaved(&node.broken().await);
    flood.await.expect("the node hangs up on the flood");
}

#[tokio::test]
async fn a_partner_silent_in_the_run_ends_it_by_the_deadline() {
    let (mut node, mut script) = listening(Play::Honest, short());
    script.dial_handshake().await;
    script.data(0, &[0; 64]).await;
    let problem = node.broken().await;
    assert_eq!((problem.code, problem.side), (Code::PartnerSilent, river()));
    assert_eq!(script.hear_abort().await.code, Code::PartnerSilent);
}

#[tokio::test]
async fn a_partner_at_work_is_waited_for_beyond_the_idle_deadline() {
    let (mut node, mut script) = listening(Play::Honest, short());
    script.dial_handshake().await;
    assert_eq!(script.work_along(short().idle * 2).await, None);
    script.send_rounds().await;
    script.say(&script.closing(script.transcript(1))).await;
    assert!(matches!(script.hear().await, Control::Closing { .. }));
    assert!(matches!(node.next_end().await, Ended::Closed(_)));
}

#[tokio::test]
async fn a_partner_at_work_for_ever_is_given_up() {
    let (mut node, mut script) = listening(Play::Honest, short());
    script.dial_handshake().await;
    let said = script.work_along(roomy().stall).await;
    assert!(matches!(said, Some(Control::Abort { .. })), "{said:?}");
    assert_eq!(node.broken().await.code, Code::PartnerSilent);
}

#[tokio::test]
async fn a_partner_at_work_for_ever_before_its_closing_is_given_up() {
    let (_node, mut script, end) = dialing(Play::Honest, short());
    script.answer_handshake().await;
    script.take_rounds().await;
    script.send_rounds().await;
    assert!(matches!(script.hear().await, Control::Closing { .. }));
    let outgoing = script.outgoing.clone();
    let at_work = tokio::spawn(async move {
        let frame = || Frame {
            content: Some(Content::Control(Control::Working {}.to_bytes())),
        };
        let mut pace = tokio::time::interval(short().working_every);
        while outgoing.send(Ok(frame())).await.is_ok() {
            pace.tick().await;
        }
    });
    ends_with(end, Code::PartnerSilent, river()).await;
    at_work.await.expect("the node hangs up");
}

#[tokio::test]
async fn a_partner_that_reads_nothing_ends_the_run_by_the_deadline() {
    let (mut node, mut script) = listening(Play::SendsForEver, short());
    script.dial_handshake().await;
    let problem = node.broken().await;
    assert_eq!((problem.code, problem.side), (Code::PartnerSilent, river()));
}

#[tokio::test]
async fn a_partner_silent_before_its_closing_ends_the_attempt_by_the_deadline() {
    let (_node, mut script, end) = dialing(Play::Honest, short());
    script.answer_handshake().await;
    script.take_rounds().await;
    script.send_rounds().await;
    assert!(matches!(script.hear().await, Control::Closing { .. }));
    ends_with(end, Code::PartnerSilent, river()).await;
}

#[tokio::test]
async fn a_line_that_breaks_at_any_step_is_noticed_and_tried_again() {
    for step in 0..5 {
        let (mut node, mut script, _end) = dialing(Play::Honest, roomy());
        if step > 0 {
            assert!(matches!(script.hear().await, Control::Open { .. }));
        }
        if step > 1 {
            let nonce = SessionNonce([9; 32]);
            script
                .say(&script.open(opening(1, nonce.commitment())))
                .await;
            assert!(matches!(script.hear().await, Control::Nonce { .. }));
            script.say(&Control::Nonce { nonce }).await;
        }
        if step > 2 {
            script.take_rounds().await;
        }
        if step > 3 {
            script.send_rounds().await;
            assert!(matches!(script.hear().await, Control::Closing { .. }));
        }
        drop(script);
        let problem = node.broken().await;
        assert_eq!(
            problem.code,
            Code::PartnerSilent,
            "step {step}: {}",
            problem.what
        );
        assert_eq!(problem.side, Side::Network, "step {step}");
    }
}

#[tokio::test]
async fn a_dialer_that_goes_away_at_any_step_frees_its_place() {
    for step in 0..4 {
        let (node, mut script) = listening(Play::Honest, roomy());
        if step > 0 {
            script.dial_handshake().await;
        }
        if step > 1 {
            script.take_rounds().await;
        }
        if step > 2 {
            script.send_rounds().await;
        }
        drop(script);
        node.sessions.ended().await;
    }
}

#[tokio::test]
async fn broken_lines_are_tried_as_often_as_allowed_with_a_new_attempt_each() {
    let us = identity("north-bank");
    let mut node = Node::new(us.clone(), "river-pay", Play::Honest, roomy());
    let river = identity("river-pay");
    let (first, first_script) = line_to(&us.org, &river);
    let (second, second_script) = line_to(&us.org, &river);
    let (third, mut script) = line_to(&us.org, &river);
    drop((first_script, second_script));
    let lines = Lines(
        [Ok(first), Ok(second), Ok(third)]
            .into_iter()
            .collect::<std::collections::VecDeque<_>>()
            .into(),
    );
    let sessions = Arc::clone(&node.sessions);
    let end = tokio::spawn(async move { sessions.dial(&None, &lines).await });
    script.answer_handshake().await;
    script.take_rounds().await;
    script.send_rounds().await;
    assert!(matches!(script.hear().await, Control::Closing { .. }));
    script.say(&script.closing(script.transcript(3))).await;
    end.await
        .expect("no panic")
        .expect("the third attempt is good");
    for attempt in [1, 2] {
        let Ended::Broken {
            attempt: used,
            may_follow,
            ..
        } = node.next_end().await
        else {
            panic!("the first two break off");
        };
        assert_eq!((used, may_follow), (Some(attempt), true));
    }
    assert!(matches!(node.next_end().await, Ended::Closed(_)));
}

/// Neither by hanging up nor by naming a reason that would be tried again.
#[tokio::test]
async fn a_partner_that_was_caught_stays_caught_however_it_leaves() {
    for aborts in [false, true] {
        let (mut node, mut script) = listening(Play::CatchesWhenTold, roomy());
        script.dial_handshake().await;
        node.run_began().await;
        if aborts {
            let problem = Problem::here(Code::NodeNotRunning, "it is stopped", "wait");
            script.say(&Control::Abort { problem }).await;
        }
        drop(script);
        node.go_on.send(()).expect("the run listens");
        let Ended::Broken {
            problem,
            may_follow,
            ..
        } = node.next_end().await
        else {
            panic!("the session breaks");
        };
        assert_eq!((problem.code, may_follow), (Code::PartnerMisbehaved, false));
    }
}

#[tokio::test]
async fn more_than_a_lane_takes_blames_the_sender_by_the_deadline() {
    let (mut node, mut script) = listening(Play::WorksUntilTold, short());
    script.dial_handshake().await;
    node.run_began().await;
    let frame = || Ok(crate::session::line::data_frame(0, vec![0; 64]));
    // Until the node has not taken one for longer than it waits for its own lane.
    let patience = short().idle * 2;
    while tokio::time::timeout(patience, script.outgoing.send(frame()))
        .await
        .is_ok()
    {}
    node.go_on.send(()).expect("the run listens");
    assert_misbehaved(&node.broken().await);
    assert_misbehaved(&script.hear_abort().await);
}
