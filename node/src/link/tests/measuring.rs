//! Measurements between real nodes.

use super::bench::{client, home, linked, node};
use entente_wire::rpc::peer::v1::Probe;
use entente_wire::rpc::peer::v1::probe::Content;

#[tokio::test]
async fn linked_nodes_measure_their_link() {
    let (north, river) = (node("north-bank").await, node("river-pay").await);
    linked(&north, &river).await;
    let speed = north.link.speed(&river.org).await.expect("measured");
    assert!(speed.megabits_per_s >= 1 && speed.round_trip_ms >= 1);
    // Further jobs go by the same figures.
    let org = river.org.clone();
    drop(river);
    assert_eq!(north.link.speed(&org).await.expect("fresh"), speed);
}

#[tokio::test]
async fn a_stranger_measures_nothing() {
    let river = node("river-pay").await;
    let (_folder, stranger) = home("harbour-bank");
    let mut client = client(&stranger, &river).await;
    let hello = Probe {
        content: Some(Content::Arrived(0)),
    };
    let refused = client.measure(futures::stream::iter([hello])).await;
    assert!(refused.is_err());
}
