//! What follows for sizes that occur, and that the bounds count right.

use super::*;

fn sizes(members: usize, colluders: usize) -> Sizes {
    let quorum = (members + colluders) / 2 + 1;
    Sizes {
        members,
        colluders,
        quorum,
        cohort_min: quorum,
    }
}

#[test]
fn sixty_four_members_are_all_neighbours_and_the_quorum_opens() {
    for (members, colluders) in [(3, 0), (10, 3), (64, 20)] {
        let sizes = sizes(members, colluders);
        assert_eq!(
            Degree::new(sizes),
            Degree {
                picks: None,
                threshold: sizes.quorum,
                isolable: 0
            }
        );
    }
}

/// Fixed so that a change of the bounds shows: it would be another leakage statement.
#[test]
fn picks_are_few_and_known() {
    let degrees = [
        (100, 5),
        (200, 20),
        (500, 25),
        (1000, 0),
        (1000, 50),
        (1000, 100),
    ]
    .map(|(members, colluders)| Degree::new(sizes(members, colluders)));
    let found = degrees.map(|degree| (degree.picks, degree.threshold, degree.isolable));
    let expected = [
        (48, 7, 1),
        (89, 22, 1),
        (124, 27, 2),
        (82, 8, 7),
        (178, 45, 3),
        (254, 84, 2),
    ];
    assert_eq!(
        found,
        expected.map(|(picks, threshold, isolable)| (Some(picks), threshold, isolable))
    );
}

/// Backwards: with one pick less, whatever the threshold, some bound fails.
#[test]
fn one_pick_less_fails_a_bound_at_every_threshold() {
    for (members, colluders) in [(200, 5), (1000, 50), (1000, 100)] {
        let sizes = sizes(members, colluders);
        let (bounds, degree) = (Bounds::new(sizes), Degree::new(sizes));
        let picks = degree.picks.expect("fewer than all");
        let failures = bounds.failures(picks, degree.threshold);
        assert!(failures.hold(), "{failures:?}");
        for threshold in 1..picks {
            assert!(
                !bounds.failures(picks - 1, threshold).hold(),
                "{members}: {threshold}"
            );
        }
    }
}

/// The tail, against adding up exact integers.
#[test]
fn a_tail_is_that_of_the_counted_draws() {
    let choose = |n: u128, k: u128| (1..=k).fold(1, |ways, i| ways * (n + 1 - i) / i);
    let bounds = Bounds::new(sizes(40, 5));
    for (good, drawn, least) in [(5, 10, 3), (20, 12, 9), (39, 4, 4), (1, 1, 1)] {
        let ways: u128 = (least..=drawn.min(good))
            .map(|i| choose(good, i) * choose(39 - good, drawn - i))
            .sum();
        let exact = log2(ways as f64 / choose(39, drawn) as f64);
        let [good, drawn, least] = [good, drawn, least].map(|number| number as usize);
        let tail = bounds.hypergeometric([39, good, drawn], least..=drawn);
        assert!((tail - exact).abs() < 1e-9, "{tail} {exact}");
    }
}

#[test]
fn where_no_picks_do_the_graph_is_complete() {
    let all_but_two = sizes(100, 96);
    assert_eq!(
        Degree::new(all_but_two),
        Degree {
            picks: None,
            threshold: 99,
            isolable: 0
        }
    );
}

/// Where nobody colludes and nearly all must take part, few picks would do, and one share would open a secret: the recipient holds one.
#[test]
fn one_share_never_opens_a_secret() {
    let of = |members: usize, cohort_min: usize| Sizes {
        cohort_min,
        ..sizes(members, 0)
    };
    for members in [65, 100, 300, 1000] {
        for cohort_min in [
            members - members / 3,
            members - members / 20,
            members - 1,
            members,
        ] {
            let sizes = of(members, cohort_min);
            let degree = Degree::new(sizes);
            assert!(degree.threshold >= 2, "{sizes:?}: {degree:?}");
        }
    }
    let (picks, bounds) = (40, Bounds::new(of(1000, 1000)));
    assert!(bounds.exposure(picks, 1) > 0.0);
    assert!(bounds.exposure(picks, 2) < -LAMBDA_0);
}

/// Two honest members at least are in a sum together, so one with a share of the noise that the recipient does not know: every size with a complete
/// graph, and above those that differ most.
#[test]
fn two_honest_members_always_stay_together() {
    let check = |members: usize, colluders: usize, parties: usize| {
        let sizes = Sizes {
            cohort_min: sizes(members, colluders).quorum.max(parties),
            ..sizes(members, colluders)
        };
        let honest = sizes.cohort_min - colluders;
        assert!(Degree::new(sizes).isolable + 2 <= honest, "{sizes:?}");
    };
    for members in 3..=COMPLETE_MEMBERS_MAX {
        for colluders in 0..=members - 2 {
            (colluders + 2..=members).for_each(|parties| check(members, colluders, parties));
        }
    }
    for members in [65, 66, 80, 130, 250] {
        for colluders in [0, 1, members / 10, members / 3, members - 3, members - 2] {
            check(members, colluders, colluders + 2);
            check(members, colluders, members);
        }
    }
}
