//! Before the run: Open and Nonce.

use super::{assert_misbehaved, dialing, ends_with, listening, river};
use crate::session::Identity;
use crate::session::tests::bench::{Play, identity, opening, org, roomy, short};
use entente_wire::canonical::Digest;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::peer::v1::frame::Content;
use entente_wire::session::{Control, SessionNonce};
use tonic::Status;

#[tokio::test]
async fn a_dialer_that_says_nothing_is_hung_up_on() {
    let (_node, mut script) = listening(Play::Honest, short());
    assert_eq!(script.hear_abort().await.code, Code::PartnerSilent);
    assert!(script.next().await.is_none());
}

#[tokio::test]
async fn a_partner_that_does_not_answer_the_open_is_silent() {
    let (_node, _script, end) = dialing(Play::Honest, short());
    ends_with(end, Code::PartnerSilent, river()).await;
}

#[tokio::test]
async fn a_partner_that_keeps_its_nonce_is_silent_on_both_ends() {
    let (mut node, mut script) = listening(Play::Honest, short());
    let commitment = SessionNonce([9; 32]).commitment();
    script.say(&script.open(opening(1, commitment))).await;
    assert!(matches!(script.hear().await, Control::Open { .. }));
    assert_eq!(script.hear_abort().await.code, Code::PartnerSilent);
    assert_eq!(node.broken().await.side, river());

    let (_node, mut script, end) = dialing(Play::Honest, short());
    assert!(matches!(script.hear().await, Control::Open { .. }));
    script.say(&script.open(opening(1, commitment))).await;
    assert!(matches!(script.hear().await, Control::Nonce { .. }));
    ends_with(end, Code::PartnerSilent, river()).await;
}

#[tokio::test]
async fn data_before_the_nonce_blames_the_sender() {
    let (_node, mut script) = listening(Play::Honest, roomy());
    script.data(0, b"early").await;
    assert_misbehaved(&script.hear_abort().await);

    let (mut node, mut script) = listening(Play::Honest, roomy());
    let commitment = SessionNonce([9; 32]).commitment();
    script.say(&script.open(opening(1, commitment))).await;
    script.data(0, b"early").await;
    assert!(matches!(script.hear().await, Control::Open { .. }));
    assert_misbehaved(&script.hear_abort().await);
    assert_misbehaved(&node.broken().await);
}

#[tokio::test]
async fn a_nonce_that_was_not_committed_to_blames_the_sender() {
    let (mut node, mut script) = listening(Play::Honest, roomy());
    let commitment = SessionNonce([9; 32]).commitment();
    script.say(&script.open(opening(1, commitment))).await;
    assert!(matches!(script.hear().await, Control::Open { .. }));
    let nonce = SessionNonce([8; 32]);
    script.say(&Control::Nonce { nonce }).await;
    assert_misbehaved(&script.hear_abort().await);
    assert_misbehaved(&node.broken().await);
}

#[tokio::test]
async fn our_own_commitment_sent_back_blames_the_sender() {
    let (_node, mut script, end) = dialing(Play::Honest, roomy());
    let Control::Open { opening, .. } = script.hear().await else {
        panic!("an Open is due");
    };
    script.say(&script.open(opening)).await;
    assert_misbehaved(&script.hear_abort().await);
    ends_with(end, Code::PartnerMisbehaved, river()).await;
}

#[tokio::test]
async fn an_open_for_another_job_or_attempt_blames_the_sender() {
    let commitment = SessionNonce([9; 32]).commitment();
    let mut other_job = opening(1, commitment);
    other_job.job.0 = Digest([8; 32]);
    for theirs in [opening(2, commitment), other_job] {
        let (_node, mut script, end) = dialing(Play::Honest, roomy());
        assert!(matches!(script.hear().await, Control::Open { .. }));
        script.say(&script.open(theirs)).await;
        ends_with(end, Code::PartnerMisbehaved, river()).await;
    }
}

#[tokio::test]
async fn an_open_signed_by_another_key_is_not_believed() {
    let (_node, mut script) = listening(Play::Honest, roomy());
    let stranger = Identity {
        org: org("river-pay"),
        ..identity("harbour-bank")
    };
    let commitment = SessionNonce([9; 32]).commitment();
    let open = Control::open(&stranger.signer, &stranger.org, opening(1, commitment));
    script.say(&open).await;
    assert_eq!(script.hear_abort().await.code, Code::PartnerNotProven);
}

#[tokio::test]
async fn a_partner_of_another_version_is_named_by_its_version() {
    let (_node, mut script) = listening(Play::Honest, roomy());
    let commitment = SessionNonce([9; 32]).commitment();
    let mut newer = opening(1, commitment);
    newer.version = 2;
    script.say(&script.open(newer)).await;
    let problem = script.hear_abort().await;
    assert_eq!(problem.code, Code::VersionDiffers);
    assert!(problem.what.contains("version 2"), "{}", problem.what);

    // The same where its Open has another shape.
    let (_node, mut script) = listening(Play::Honest, roomy());
    let shape = br#"{"kind":"open","opening":{"version":3,"cluster":true}}"#;
    script.send(Content::Control(shape.to_vec())).await;
    let problem = script.hear_abort().await;
    assert_eq!(problem.code, Code::VersionDiffers);
    assert!(problem.what.contains("version 3"), "{}", problem.what);
}

#[tokio::test]
async fn a_partner_without_the_session_call_is_of_another_version() {
    let (_node, script, end) = dialing(Play::Honest, roomy());
    let status = Status::unimplemented("no such method");
    script
        .outgoing
        .send(Err(status))
        .await
        .expect("the node reads");
    ends_with(end, Code::VersionDiffers, river()).await;
}

#[tokio::test]
async fn messages_in_another_order_blame_the_sender() {
    let nonce = || SessionNonce([9; 32]);
    let (_node, mut script) = listening(Play::Honest, roomy());
    script.say(&Control::Nonce { nonce: nonce() }).await;
    assert_misbehaved(&script.hear_abort().await);

    let (_node, mut script) = listening(Play::Honest, roomy());
    script.say(&script.closing(script.transcript(1))).await;
    assert_misbehaved(&script.hear_abort().await);

    let (_node, mut script) = listening(Play::Honest, roomy());
    script.dial_handshake().await;
    script
        .say(&script.open(opening(1, nonce().commitment())))
        .await;
    assert_misbehaved(&script.hear_abort().await);

    let (_node, mut script, end) = dialing(Play::Honest, roomy());
    script.answer_handshake().await;
    script.say(&script.closing(script.transcript(1))).await;
    ends_with(end, Code::PartnerMisbehaved, river()).await;
}

#[tokio::test]
async fn a_refused_job_is_told_to_the_dialer() {
    let (node, mut script) = listening(Play::Honest, roomy());
    let refusal = Problem::here(Code::JobUsed, "J-07 has run", "submit a new job");
    *node.runs.refuse.lock().expect("not poisoned") = Some(refusal.clone());
    let commitment = SessionNonce([9; 32]).commitment();
    script.say(&script.open(opening(1, commitment))).await;
    assert_eq!(script.hear_abort().await, refusal);
}
