//! Who may call, in whose name, and how much.

use super::*;
use crate::limits::WATCHERS_PER_ORG_MAX;
use entente_wire::limits::DOCUMENT_BYTES_MAX;
use entente_wire::problem::Side;
use std::fs;

#[tokio::test]
async fn members_see_each_others_records_and_not_their_own() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let at = stage.start().await;
    north.post(&at, north.registry(1)).await.unwrap();
    let mut watch = river.watch(&at).await.unwrap();
    assert_eq!(watch.caught_up().await, [north.registry(1)]);
    let mut own = north.watch(&at).await.unwrap();
    assert_eq!(own.caught_up().await, []);
    river.post(&at, river.registry(1)).await.unwrap();
    north.post(&at, north.registry(2)).await.unwrap();
    assert_eq!(own.record().await, river.registry(1));
    assert_eq!(watch.record().await, north.registry(2));
    at.stop().await;
}

#[tokio::test]
async fn a_newer_record_takes_the_place_of_the_older_and_equal_ones_are_not_sent_twice() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let at = stage.start().await;
    let mut watch = river.watch(&at).await.unwrap();
    for version in [1, 1, 2] {
        north.post(&at, north.registry(version)).await.unwrap();
    }
    assert_eq!(watch.record().await, north.registry(1));
    assert_eq!(watch.record().await, north.registry(2));
    let mut later = river.watch(&at).await.unwrap();
    assert_eq!(later.caught_up().await, [north.registry(2)]);
    at.stop().await;
}

#[tokio::test]
async fn a_stranger_is_refused_at_every_call() {
    let (north, stranger) = (member("north-bank"), member("harbour-bank"));
    let impostor = member("north-bank");
    let stage = Stage::new(&[&north]);
    let at = stage.start().await;
    for caller in [&stranger, &impostor] {
        let refused = [
            caller.post(&at, caller.registry(1)).await.err(),
            caller.watch(&at).await.err(),
            caller.jobs(&at).await.err(),
        ];
        for problem in refused {
            let problem = problem.expect("the stranger was let in");
            assert_eq!(problem.code, Code::NotAdmitted);
            assert_eq!(problem.side, Side::Here);
            assert!(
                problem
                    .what
                    .contains(&caller.root.fingerprint().to_string())
            );
        }
    }
    at.stop().await;
}

#[tokio::test]
async fn a_member_cannot_post_in_anothers_name() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let at = stage.start().await;
    let (_, job) = north.submission(&river, YEAR_2100);
    // The other's own records; the other's name on own bytes; the other's body under the own name.
    let named = rpc::Record {
        org: "north-bank".to_owned(),
        ..river.registry(1)
    };
    let inside = rpc::Record {
        org: "river-pay".to_owned(),
        ..north.registry(1)
    };
    let job_inside = rpc::Record {
        org: "river-pay".to_owned(),
        ..job.clone()
    };
    let hash = submission(&north.org, &[&north.org, &river.org], YEAR_2100).hash();
    let approval_inside = rpc::Record {
        org: "river-pay".to_owned(),
        ..north.approval(hash)
    };
    for record in [
        north.registry(1),
        job,
        named,
        inside,
        job_inside,
        approval_inside,
    ] {
        let refused = river.post(&at, record).await.unwrap_err();
        assert_eq!(refused.code, Code::CoordinatorRefused);
        let side = Side::Partner {
            org: river.org.clone(),
        };
        assert_eq!(refused.side, side);
    }
    let mut watch = north.watch(&at).await.unwrap();
    assert_eq!(watch.caught_up().await, []);
    at.stop().await;
}

#[tokio::test]
async fn too_large_and_misshapen_records_are_refused() {
    let north = member("north-bank");
    let stage = Stage::new(&[&north]);
    let at = stage.start().await;
    let registry = || north.registry(1);
    let bad = [
        rpc::Record {
            body: vec![b' '; DOCUMENT_BYTES_MAX + 1],
            ..registry()
        },
        rpc::Record {
            body: [&registry().body[..], b" "].concat(),
            ..registry()
        },
        rpc::Record {
            body: b"{}".to_vec(),
            ..registry()
        },
        rpc::Record {
            kind: rpc::Kind::Publication.into(),
            ..registry()
        },
        rpc::Record {
            kind: rpc::Kind::Unspecified.into(),
            ..registry()
        },
        rpc::Record {
            kind: 77,
            ..registry()
        },
        rpc::Record {
            signature: vec![0; 63],
            ..registry()
        },
        rpc::Record {
            signature: vec![0; 100_000],
            ..registry()
        },
    ];
    for (place, record) in bad.into_iter().enumerate() {
        let refused = north.post(&at, record).await.unwrap_err();
        assert_eq!(refused.code, Code::CoordinatorRefused, "{place}: {refused}");
    }
    // Beyond the largest message nothing is read at all.
    let enormous = rpc::Record {
        body: vec![b' '; 3 * DOCUMENT_BYTES_MAX],
        ..registry()
    };
    let mut client = north.call(&at).await;
    let refused = in_time(client.post(enormous)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::OutOfRange);
    at.stop().await;
}

#[tokio::test]
async fn another_version_is_refused_by_name() {
    let north = member("north-bank");
    let stage = Stage::new(&[&north]);
    let at = stage.start().await;
    let mut client = north.call(&at).await;
    let version = WIRE_VERSION + 1;
    let refused = in_time(client.watch(WatchRequest { version })).await;
    let problem = problem(&refused.unwrap_err());
    assert_eq!(problem.code, Code::VersionDiffers);
    assert!(problem.what.contains(&version.to_string()));
    at.stop().await;
}

#[tokio::test]
async fn watches_of_one_member_are_bounded_and_ended_ones_do_not_count() {
    let north = member("north-bank");
    let stage = Stage::new(&[&north]);
    let at = stage.start().await;
    let mut watches = Vec::new();
    for _ in 0..WATCHERS_PER_ORG_MAX {
        let mut watch = north.watch(&at).await.unwrap();
        watch.caught_up().await;
        watches.push(watch);
    }
    let refused = north.watch(&at).await.err().expect("one watch too many");
    assert_eq!(refused.code, Code::CoordinatorRefused);
    watches.clear();
    // The coordinator hears of the closed connections a moment later; until then it refuses.
    let begun = in_time(async {
        while north.watch(&at).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    begun.await;
    at.stop().await;
}

#[tokio::test]
async fn who_is_struck_from_the_list_is_refused_and_his_watch_ends() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north]);
    let at = stage.start().await;
    let mut watch = north.watch(&at).await.unwrap();
    watch.caught_up().await;
    fs::write(stage.home().join("admitted.toml"), "").unwrap();
    assert_eq!(watch.end().await.code, Code::NotAdmitted);
    let refused = north.post(&at, north.registry(1)).await.unwrap_err();
    assert_eq!(refused.code, Code::NotAdmitted);
    // And who is admitted while it runs is let in.
    admit(stage.home(), &river.org, river.root.fingerprint()).unwrap();
    river.post(&at, river.registry(1)).await.unwrap();
    at.stop().await;
}

#[tokio::test]
async fn a_quiet_watch_hears_heartbeats() {
    let north = member("north-bank");
    let stage = Stage::new(&[&north]);
    let at = stage.start().await;
    let mut watch = north.watch(&at).await.unwrap();
    watch.caught_up().await;
    for _ in 0..3 {
        assert!(matches!(watch.event().await, Ok(Event::Heartbeat(true))));
    }
    at.stop().await;
}
