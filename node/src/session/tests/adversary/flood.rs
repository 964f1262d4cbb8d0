//! More sessions than a partner's share.

use super::{listening, river};
use crate::session::tests::bench::{Play, identity, roomy, short};
use crate::session::tests::script::call;
use entente_wire::problem::{Code, Side};

#[tokio::test]
async fn a_partner_cannot_hold_more_places_than_its_share() {
    let (node, _first) = listening(Play::Honest, roomy());
    let river = identity("river-pay");
    let _second = call(&node, &river).expect("the second place");
    let refused = call(&node, &river).err().expect("the share is used up");
    assert_eq!(refused.code, Code::SessionLimit);
    assert_eq!(refused.side, self::river());
    let harbour = identity("harbour-bank");
    let _third = call(&node, &harbour).expect("another partner has its own share");
    let refused = call(&node, &identity("lake-shop"))
        .err()
        .expect("all places are taken");
    assert_eq!(
        (refused.code, refused.side),
        (Code::SessionLimit, Side::Here)
    );
}

#[tokio::test]
async fn a_place_is_free_again_after_its_session() {
    let (node, mut script) = listening(Play::Honest, roomy());
    script.data(0, b"nonsense").await;
    script.hear_abort().await;
    drop(script);
    node.sessions.ended().await;
    let river = identity("river-pay");
    for _ in 0..short().per_partner_max {
        std::mem::forget(call(&node, &river).expect("free again"));
    }
}
