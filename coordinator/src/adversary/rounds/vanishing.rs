//! Members that go, hang or say farewell, at every step. No deadline is waited for but where a member hangs.

use super::*;
use entente_wire::problem::Side;

/// The sum that was opened is that of the survivors that all were told.
fn assert_sum(played: &[Played], survivors: &[u32], what: &str) {
    assert_eq!(played[0].survivors, survivors, "{what}");
    assert_eq!(played[0].sum, sum_of(survivors), "{what}");
}

#[tokio::test]
async fn all_that_do_their_part_get_the_sum_opened() {
    let cast = Cast::new(3, TIMING).await;
    let job = cast.job(0, 3).await;
    // Again and again: a round leaves nothing behind.
    for _ in 0..3 {
        let played = cast.play(job, None).await;
        assert_sum(&played, &[0, 1, 2], "all");
        assert_eq!(played[0].unmasked_by, [1, 2]);
        assert!(
            played
                .iter()
                .all(|one| one.end == Some(None) && one.number == Some(1))
        );
        assert!(
            played[1..].iter().all(|one| one.sum.is_empty()),
            "not for others"
        );
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn a_member_that_goes_at_any_step_is_missed_by_nobody_if_enough_are_left() {
    let cast = Cast::new(4, TIMING).await;
    let before = ALL_STEPS.map(Quirk::Vanishes);
    let after = ALL_STEPS.map(Quirk::Answers);
    let leaves = ALL_STEPS.map(Quirk::Leaves);
    let quirks = before
        .iter()
        .chain(&after)
        .chain(&leaves)
        .chain(&[Quirk::HalfUploads]);
    for (number, quirk) in (0..).zip(quirks) {
        let what = format!("{quirk:?}");
        let job = cast.job(number, 3).await;
        let played = cast.play(job, Some((2, *quirk))).await;
        let counts = match quirk {
            Quirk::Delays(..) => false,
            Quirk::Vanishes(at) | Quirk::Leaves(at) | Quirk::Hangs(at) => *at > At::Delivery,
            Quirk::Answers(at) => *at >= At::Delivery,
            Quirk::HalfUploads => false,
        };
        let survivors: &[u32] = if counts { &[0, 1, 2, 3] } else { &[0, 1, 3] };
        assert_sum(&played, survivors, &what);
        for place in [0, 1, 3] {
            assert_eq!(played[place].end, Some(None), "{what}");
        }
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn a_member_that_goes_where_all_are_needed_ends_the_round_at_once_with_a_reason() {
    let cast = Cast::new(3, TIMING).await;
    let before = ALL_STEPS.map(Quirk::Vanishes);
    let quirks = before
        .iter()
        .chain(&[Quirk::HalfUploads, Quirk::Leaves(At::Introductions)]);
    for (number, quirk) in (0..).zip(quirks) {
        let job = cast.job(number, 3).await;
        let played = cast.play(job, Some((2, *quirk))).await;
        assert_eq!(played[0].sum, [0; 0], "{quirk:?}");
        for one in &played[..2] {
            let told = one.end.clone().flatten().expect("a problem");
            assert_eq!(
                (told.code, &told.side),
                (Code::PartnerSilent, &Side::Network)
            );
            assert!(told.what.contains("member-0002"), "{told}");
        }
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn a_recipient_that_goes_at_any_step_ends_the_round_in_its_name() {
    let cast = Cast::new(4, TIMING).await;
    let at_sum = [Quirk::Vanishes(At::Sum), Quirk::Leaves(At::Sum)];
    let quirks = ALL_STEPS.map(Quirk::Vanishes).into_iter().chain(at_sum);
    for (number, quirk) in (0..).zip(quirks) {
        let job = cast.job(number, 2).await;
        let played = cast.play(job, Some((0, quirk))).await;
        let leaves = quirk == Quirk::Leaves(At::Sum);
        for one in &played[1..] {
            let told = one.end.clone().flatten().expect("a problem");
            let side = Side::Partner {
                org: cast.members[0].org.clone(),
            };
            assert_eq!(told.side, side, "{quirk:?}");
            assert!(
                told.what.contains("member-0000, who opens the sum"),
                "{told}"
            );
            assert_eq!(told.what.contains("disk is full"), leaves, "{told}");
        }
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn a_member_that_hangs_is_out_at_the_deadline() {
    let wait = Duration::from_secs(3);
    let rounds = RoundWaits {
        gather: NEVER,
        prepare: wait,
        step: wait,
        upload: wait,
        idle: NEVER,
    };
    hang(Timing { rounds, ..TIMING }, &ALL_STEPS).await;
}

#[tokio::test]
async fn a_member_that_queries_its_data_for_longer_than_a_step_takes_part() {
    let rounds = RoundWaits {
        step: Duration::from_secs(1),
        ..TIMING.rounds
    };
    let cast = Cast::new(3, Timing { rounds, ..TIMING }).await;
    let job = cast.job(0, 3).await;
    let quirk = Quirk::Delays(At::Begin, Duration::from_secs(3));
    let played = cast.play(job, Some((2, quirk))).await;
    assert_sum(&played, &[0, 1, 2], "nobody was too late");
    cast.at.stop().await;
}

#[tokio::test]
async fn a_member_whose_words_do_not_come_is_out_before_the_others_miss_their_turn() {
    let rounds = RoundWaits {
        idle: Duration::from_secs(2),
        ..TIMING.rounds
    };
    let cast = Cast::new(7, Timing { rounds, ..TIMING }).await;
    // As many as may upload at the same time begin to, and send no words.
    let job = cast.job(0, 3).await;
    let mut players = JoinSet::new();
    for place in 0..7 {
        let player = cast.join(place, job).await;
        players.spawn(async move {
            match place {
                0..3 => player.play(None).await,
                _ => player.sign_only().await,
            }
        });
    }
    let played = in_time(players.join_all()).await;
    let well = played.iter().filter(|one| one.end == Some(None));
    assert!(well.clone().all(|one| one.survivors == [0, 1, 2]));
    assert_eq!(well.count(), 3);
    for told in played.into_iter().filter_map(|one| one.end.flatten()) {
        assert!(
            told.what.contains("the words of its contribution in time"),
            "{told}"
        );
    }
    cast.at.stop().await;
}

impl Player {
    /// Signs a contribution that never comes.
    async fn sign_only(mut self) -> Played {
        let mut played = Played::default();
        while let Some(down) = self.next().await {
            played.note(self.place, &down);
            for answer in self.answers(&down) {
                if !matches!(answer, Up::Words(_)) {
                    self.say(answer).await;
                }
            }
        }
        played
    }
}

/// In a job for each step one member hangs there; all at the same time, since each waits for a deadline.
async fn hang(timing: Timing, steps: &[At]) {
    let cast = Cast::new(4, timing).await;
    let mut players = JoinSet::new();
    for (number, at) in (0..).zip(steps.iter().copied()) {
        let job = cast.job(number, 3).await;
        let mut seated = Vec::new();
        for place in 0..4 {
            seated.push(cast.join(place, job).await);
        }
        for player in seated {
            let quirk = (player.place == 2).then_some(Quirk::Hangs(at));
            players.spawn(async move { (at, player.place, player.play(quirk).await) });
        }
    }
    for (at, place, played) in in_time(players.join_all()).await {
        match (at, place) {
            // It is not waited for where the others' boxes are enough, so it hears of the end like all.
            (At::Survivors, 2) => assert_eq!(played.end, Some(None)),
            (_, 2) => {
                let told = played.end.flatten().unwrap();
                assert_eq!(told.code, Code::CoordinatorRefused, "{at:?}");
                assert!(told.what.contains("in time"), "{at:?}: {told}");
            }
            _ => assert_eq!(played.end, Some(None), "{at:?} {place}"),
        }
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn a_recipient_that_does_not_open_ends_the_round_at_the_deadline() {
    let rounds = RoundWaits {
        upload: Duration::from_secs(2),
        ..TIMING.rounds
    };
    let cast = Cast::new(3, Timing { rounds, ..TIMING }).await;
    let job = cast.job(0, 3).await;
    let played = cast.play(job, Some((0, Quirk::Hangs(At::Sum)))).await;
    assert_sum(&played, &[0, 1, 2], "it has the sum all the same");
    for one in &played[1..] {
        let told = one.end.clone().flatten().expect("a problem");
        assert!(
            told.what
                .contains("member-0000, who opens the sum, did not send word"),
            "{told}"
        );
    }
    cast.at.stop().await;
}
