//! Who may join, how often, and when a round begins.

use super::*;
use crate::limits::{ROUND_NUMBER_MAX, ROUNDS_PER_ORG_MAX};
use entente_wire::problem::Side;

fn refusal(joined: Result<Player, Problem>) -> Problem {
    joined.err().expect("the join was taken")
}

#[tokio::test]
async fn strangers_outsiders_and_senseless_joins_are_refused_by_name() {
    let cast = Cast::new(3, TIMING).await;
    let job = cast.job(0, 3).await;
    let other = cast.members[0].submission(&cast.members[1], YEAR_2100);
    cast.members[0].post(&cast.at, other.1).await.unwrap();
    let good = || good_join(job);
    let unknown = JobHash(Digest([9; 32]));
    let bad = [
        (good_join(unknown), Code::JobUnknown),
        (good_join(other.0), Code::CoordinatorRefused),
        (
            RoundJoin {
                version: WIRE_VERSION + 1,
                ..good()
            },
            Code::VersionDiffers,
        ),
        (
            RoundJoin {
                job_hash: vec![0; 31],
                ..good()
            },
            Code::CoordinatorRefused,
        ),
        (
            RoundJoin {
                round_min: ROUND_NUMBER_MAX + 1,
                ..good()
            },
            Code::CoordinatorRefused,
        ),
    ];
    for (join, code) in bad {
        let told = refusal(Player::join(&cast.members[1], &cast.at, join).await);
        assert_eq!(told.code, code, "{told}");
    }
    let unknown = refusal(Player::join(&cast.members[1], &cast.at, good_join(unknown)).await);
    assert!(unknown.what.contains(&"09".repeat(32)), "{unknown}");
    let first = Up::Introduction(vec![1]);
    let no_join = Player::begin(&cast.members[1], &cast.at, first, 1).await;
    assert_eq!(refusal(no_join).code, Code::CoordinatorRefused);
    let stranger = member("harbour-bank");
    let told = refusal(Player::join(&stranger, &cast.at, good()).await);
    assert_eq!(told.code, Code::NotAdmitted);
    cast.at.stop().await;
}

#[tokio::test]
async fn a_member_that_is_no_party_cannot_join() {
    let outsider = member("harbour-bank");
    let cast = Cast::new(3, TIMING).await;
    admit(
        cast._stage.home(),
        &outsider.org,
        outsider.root.fingerprint(),
    )
    .unwrap();
    let job = cast.job(0, 3).await;
    let told = refusal(Player::join(&outsider, &cast.at, good_join(job)).await);
    assert_eq!(told.code, Code::CoordinatorRefused);
    assert!(told.what.contains("takes no part"), "{told}");
    cast.at.stop().await;
}

#[tokio::test]
async fn a_submission_with_senseless_terms_is_refused() {
    let cast = Cast::new(3, TIMING).await;
    let good = terms(&cast.members[0].org, 3);
    let stranger = "river-pay".parse().unwrap();
    for bad in [
        AggregateTerms {
            recipient: stranger,
            ..good.clone()
        },
        AggregateTerms {
            words: 0,
            ..good.clone()
        },
        AggregateTerms {
            quorum: 4,
            ..good.clone()
        },
    ] {
        let (_, record) = cast.submission(0, bad);
        let told = cast.members[0].post(&cast.at, record).await.unwrap_err();
        assert_eq!(told.code, Code::CoordinatorRefused, "{told}");
    }
    cast.job_of(0, good).await;
    cast.at.stop().await;
}

#[tokio::test]
async fn a_rounds_number_is_the_largest_that_a_member_asks_for() {
    let cast = Cast::new(3, TIMING).await;
    let job = cast.job(0, 3).await;
    let mut players = Vec::new();
    for (member, round_min) in cast.members.iter().zip([2, 3, 0]) {
        let join = RoundJoin {
            round_min,
            ..good_join(job)
        };
        players.push(Player::join(member, &cast.at, join).await.unwrap());
    }
    for player in &mut players {
        assert_eq!(player.next().await, Some(Down::Begin(3)));
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn a_second_stream_takes_the_place_of_the_first_while_others_are_waited_for() {
    let cast = Cast::new(3, TIMING).await;
    let job = cast.job(0, 3).await;
    let mut first = cast.join(1, job).await;
    let mut second = cast.join(1, job).await;
    let told = first.end().await.unwrap();
    assert!(told.what.contains("a new stream"), "{told}");
    let mut others = [cast.join(0, job).await, cast.join(2, job).await];
    for player in others.iter_mut().chain([&mut second]) {
        assert_eq!(player.next().await, Some(Down::Begin(1)));
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn who_comes_again_while_its_round_runs_has_left_it_and_waits_for_the_next() {
    let cast = Cast::new(3, TIMING).await;
    let job = cast.job(0, 3).await;
    let mut players = Vec::new();
    for place in 0..3 {
        players.push(cast.join(place, job).await);
    }
    for player in &mut players {
        assert_eq!(player.next().await, Some(Down::Begin(1)));
    }
    let mut again = cast.join(2, job).await;
    // All three are needed, so that round ends for all.
    for player in &mut players {
        let told = player.end().await.unwrap();
        assert!(told.what.contains("a new stream"), "{told}");
    }
    // And the next begins with those that come.
    let mut others = [cast.join(0, job).await, cast.join(1, job).await];
    for player in others.iter_mut().chain([&mut again]) {
        assert_eq!(player.next().await, Some(Down::Begin(1)));
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn a_round_begins_without_the_absent_once_the_wait_is_over() {
    let timing = Timing {
        rounds: RoundWaits {
            gather: Duration::from_secs(3),
            ..TIMING.rounds
        },
        ..TIMING
    };
    let cast = Cast::new(4, timing).await;
    let enough = cast.job(0, 3).await;
    let all = cast.job(1, 4).await;
    let mut players = JoinSet::new();
    for job in [enough, all] {
        for place in 0..3 {
            let player = cast.join(place, job).await;
            players.spawn(async move { (job, player.play(None).await) });
        }
    }
    for (job, played) in in_time(players.join_all()).await {
        if job == enough {
            assert_eq!(
                (&played.survivors[..], &played.end),
                (&[0, 1, 2][..], &Some(None))
            );
            continue;
        }
        let told = played.end.flatten().unwrap();
        assert_eq!(
            (told.code, &told.side),
            (Code::PartnerSilent, &Side::Network)
        );
        for part in ["3 of 4", "at least 4", "Absent: member-0003"] {
            assert!(told.what.contains(part), "{told}");
        }
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn one_member_takes_part_in_so_many_rounds_and_closed_streams_do_not_count() {
    let cast = Cast::new(3, TIMING).await;
    let mut players = Vec::new();
    let most = ROUNDS_PER_ORG_MAX as u64;
    for number in 0..most {
        let job = cast.job(number, 3).await;
        players.push(cast.join(1, job).await);
    }
    let one_more = cast.job(most, 3).await;
    let join = || Player::join(&cast.members[1], &cast.at, good_join(one_more));
    assert_eq!(refusal(join().await).code, Code::CoordinatorRefused);
    // Others do not feel it.
    cast.join(2, one_more).await;
    players.clear();
    // The coordinator hears of the closed streams a moment later; until then it refuses.
    in_time(async {
        while join().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    cast.at.stop().await;
}

#[tokio::test]
async fn who_waits_hears_heartbeats_and_the_end_of_the_coordinator() {
    let cast = Cast::new(3, TIMING).await;
    let gathering = cast.job(0, 3).await;
    let running = cast.job(1, 3).await;
    let mut players = vec![cast.join(1, gathering).await];
    for place in 0..3 {
        players.push(cast.join(place, running).await);
    }
    for player in &mut players {
        let mut beats = 0;
        while beats < 2 {
            let down = in_time(player.down.message()).await.unwrap().unwrap();
            beats += usize::from(down.step == Some(Down::Heartbeat(true)));
        }
    }
    let stopping = tokio::spawn(cast.at.stop());
    for player in &mut players {
        let told = player.end().await.unwrap();
        assert_eq!(told.code, Code::CoordinatorUnreachable);
    }
    players.clear();
    in_time(stopping).await.unwrap();
}

#[tokio::test]
async fn who_is_struck_from_the_list_is_out_of_the_round() {
    let cast = Cast::new(3, TIMING).await;
    let job = cast.job(0, 2).await;
    let mut players = Vec::new();
    for place in 0..3 {
        players.push(cast.join(place, job).await);
    }
    let list = cast._stage.home().join("admitted.toml");
    let lines = std::fs::read_to_string(&list).unwrap();
    let kept: Vec<&str> = lines
        .lines()
        .filter(|line| !line.contains("member-0002"))
        .collect();
    std::fs::write(&list, kept.join("\n")).unwrap();
    let told = players[2].end().await.unwrap();
    assert_eq!(told.code, Code::NotAdmitted);
    let mut left = JoinSet::new();
    for player in players.drain(..2) {
        left.spawn(player.play(None));
    }
    for played in in_time(left.join_all()).await {
        assert_eq!((played.survivors, played.end), (vec![0, 1], Some(None)));
    }
    cast.at.stop().await;
}
