//! The end: Closing and Abort.

use super::{assert_misbehaved, dialing, ends_with, listening, river};
use crate::session::tests::bench::{Play, identity, roomy};
use crate::session::tests::script::Script;
use entente_wire::canonical::Digest;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::peer::v1::frame::Content;
use entente_wire::session::Control;

#[tokio::test]
async fn a_closing_over_other_bytes_is_refused_on_both_ends() {
    for change in 0..6 {
        let wrong = |script: &Script| {
            let mut transcript = script.transcript(1);
            match change {
                0 => transcript.sent = Digest([0; 32]),
                1 => transcript.received = Digest([0; 32]),
                2 => transcript.sent_bytes += 1,
                3 => transcript.received_bytes += 1,
                4 => transcript.attempt += 1,
                _ => transcript.job.0 = Digest([0; 32]),
            }
            transcript
        };
        let (mut node, mut script) = listening(Play::Honest, roomy());
        script.dial_handshake().await;
        script.take_rounds().await;
        script.send_rounds().await;
        script.say(&script.closing(wrong(&script))).await;
        assert_misbehaved(&script.hear_abort().await);
        assert_misbehaved(&node.broken().await);

        let (_node, mut script, end) = dialing(Play::Honest, roomy());
        script.answer_handshake().await;
        script.take_rounds().await;
        script.send_rounds().await;
        assert!(matches!(script.hear().await, Control::Closing { .. }));
        script.say(&script.closing(wrong(&script))).await;
        ends_with(end, Code::PartnerMisbehaved, river()).await;
    }
}

#[tokio::test]
async fn a_closing_signed_by_another_key_is_refused() {
    let (_node, mut script, end) = dialing(Play::Honest, roomy());
    script.answer_handshake().await;
    script.take_rounds().await;
    script.send_rounds().await;
    assert!(matches!(script.hear().await, Control::Closing { .. }));
    let stranger = identity("river-pay");
    let closing = Control::closing(&stranger.signer, &stranger.org, script.transcript(1));
    script.say(&closing).await;
    ends_with(end, Code::PartnerNotProven, river()).await;
}

#[tokio::test]
async fn a_dialer_that_closes_before_the_protocol_has_ended_is_blamed() {
    let (mut node, mut script) = listening(Play::Honest, roomy());
    script.dial_handshake().await;
    script.data(0, &[0; 64]).await;
    script.say(&script.closing(script.transcript(1))).await;
    assert_misbehaved(&node.broken().await);
}

#[tokio::test]
async fn an_abort_in_the_run_is_told_from_the_partners_side() {
    let (mut node, mut script) = listening(Play::Honest, roomy());
    script.dial_handshake().await;
    let theirs = Problem::here(Code::DataChanged, "The file changed.", "register it again");
    script.say(&Control::Abort { problem: theirs }).await;
    let problem = node.broken().await;
    assert_eq!((problem.code, problem.side), (Code::DataChanged, river()));
}

#[tokio::test]
async fn an_abort_with_control_characters_blames_the_sender() {
    let (mut node, mut script) = listening(Play::Honest, roomy());
    script.dial_handshake().await;
    let steering = br#"{"kind":"abort","problem":{"code":"E4007","side":{"at":"here"},"what":"\u001b[2J","todo":""}}"#;
    script.send(Content::Control(steering.to_vec())).await;
    assert_misbehaved(&node.broken().await);
}
