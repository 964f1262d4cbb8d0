//! Plans of the blind join: who is R, which sums a table has, and the proof that none of them wraps, found once more by other means.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::plan::{
    Groups, Joint, MeasureAt, Moment, MomentKind, Operator, Plan, SideColumn, TableValue,
};
use entente_wire::sql::Catalog;
use published::Published;
use published::cases::{accepted, cases, planned};

/// The accepted questions that run by the blind join.
fn joints() -> Vec<(String, Plan, Joint)> {
    let catalog = Published::load();
    let cases = cases("accepted.toml").into_iter();
    let joint = |case| {
        let plan = planned(&case, &catalog);
        let Operator::Joint(joint) = plan.operator.clone() else {
            return None;
        };
        Some((case.name, plan, joint))
    };
    cases.filter_map(joint).collect()
}

/// The smaller published size of a plan's two datasets.
fn ids(plan: &Plan) -> u64 {
    let published = plan.sides.iter().map(|side| {
        let catalog = Published::load();
        let publication = catalog.publication(&side.org, &side.dataset).unwrap();
        publication.ids_rounded
    });
    published.min().unwrap()
}

/// The most that one id adds, from the caps of the plan's measures alone.
fn contribution(plan: &Plan, what: &MomentKind) -> f64 {
    let clip = |side: usize, place: usize| {
        let [low, high] = plan.sides[side].measures[place].clip;
        (low as f64).abs().max((high as f64).abs())
    };
    let column = |side, column| match column {
        SideColumn::Present { .. } => 1.0,
        SideColumn::Value { place } => clip(side, place),
        SideColumn::Square { place } => clip(side, place).powi(2),
        SideColumn::Product { places: [one, two] } => clip(side, one) * clip(side, two),
    };
    match what {
        MomentKind::Ids => 1.0,
        MomentKind::One { side, column: one } => column(*side, *one),
        MomentKind::Both {
            columns: [one, two],
        } => column(0, *one) * column(1, *two),
    }
}

/// The largest sum with its noise, by the formula and in floating point.
fn largest(plan: &Plan, joint: &Joint, moment: &Moment) -> f64 {
    let cap = contribution(plan, &moment.what);
    let threshold = match moment.what {
        MomentKind::Ids => joint.min_group as f64,
        _ => 0.0,
    };
    let noise = joint.epsilon.map_or(0.0, |epsilon| {
        let moments = joint.moments.len() as f64;
        let scale = 2.0 * cap * moments / (epsilon.0 as f64 / 1e6);
        let draws = 2.0 * plan.groups().cells() as f64 * moments;
        // 2·e^(−t/b) over all draws is 2^−43.
        scale * (2.0 * draws * 43_f64.exp2()).ln()
    });
    cap * ids(plan) as f64 + 2.0 * noise + threshold
}

#[test]
fn every_sum_fits_its_bits_with_its_noise_and_needs_them() {
    let (mut noisy, mut wide) = (0, 0);
    for (name, plan, joint) in joints() {
        for moment in &joint.moments {
            assert!(moment.bits <= 127, "{name}");
            let room = (f64::from(moment.bits) - 1.0).exp2();
            let largest = largest(&plan, &joint, moment);
            assert!(largest < room, "{name}: {moment:?}, {largest}");
            // Rounding up ⌈log2 draws⌉ and ln 2 costs a few percent.
            assert!(
                largest * 1.05 >= room / 2.0,
                "{name}: {moment:?}, {largest}"
            );
            let cap = contribution(&plan, &moment.what);
            assert!((moment.cap.0 as f64 / cap - 1.0).abs() < 1e-9, "{name}");
            noisy += usize::from(joint.epsilon.is_some());
            wide += usize::from(moment.bits > 64);
        }
    }
    assert!(
        noisy >= 8 && wide >= 3,
        "{noisy} noisy and {wide} wide sums"
    );
}

#[test]
fn a_table_has_the_sums_it_needs_and_no_others() {
    for (name, plan, joint) in joints() {
        let needed: Vec<usize> = joint
            .columns
            .iter()
            .flat_map(|column| column.value.moments())
            .map(|what| joint.moment(&what).unwrap())
            .collect();
        for (place, moment) in joint.moments.iter().enumerate() {
            assert_eq!(place == 0, moment.what == MomentKind::Ids, "{name}");
            assert_eq!(needed.contains(&place), moment.opened, "{name}: {moment:?}");
            assert!(moment.opened || place == 0, "{name}: {moment:?}");
            let same = joint
                .moments
                .iter()
                .filter(|other| other.what == moment.what);
            assert_eq!(same.count(), 1, "{name}: {moment:?}");
        }
        assert_eq!(plan.matching.ids_max(), 1 << 31);
    }
}

#[test]
fn sums_are_shared_between_aggregates() {
    let catalog = Published::load();
    for (name, moments, ids_opened) in [
        ("overlap size", 1, true),
        ("the example of the manual", 3, true),
        // Six sums for three numbers.
        ("correlation across the parties", 6, true),
        // Σx, Σx², Σy, Σy², Σxy of two measures at one party, and the number of ids.
        (
            "regression within one party and the other way round",
            6,
            true,
        ),
        (
            "a mean that WHERE makes complete needs one sum fewer",
            3,
            true,
        ),
        ("spread on both sides", 7, false),
        ("columns of one name at both", 4, false),
        ("a count is of the measure that is added up", 5, false),
        ("pairs of expressions with caps in the job", 6, true),
    ] {
        let Operator::Joint(joint) = planned(&accepted(name), &catalog).operator else {
            panic!("{name} runs by the blind join");
        };
        assert_eq!(joint.moments.len(), moments, "{name}: {:?}", joint.moments);
        assert_eq!(joint.moments[0].opened, ids_opened, "{name}");
    }
}

#[test]
fn a_count_of_values_is_the_number_of_ids_where_where_leaves_no_null() {
    let case = accepted("a mean that WHERE makes complete needs one sum fewer");
    let Operator::Joint(joint) = planned(&case, &Published::load()).operator else {
        panic!("a table");
    };
    let x = MeasureAt { side: 0, place: 0 };
    assert_eq!(joint.moment(&x.present()), Some(0));
    assert_eq!(joint.moment(&x.square()), Some(2));
    let other = MeasureAt { side: 1, place: 0 };
    assert_eq!(joint.moment(&other.value()), None);
    assert_eq!(joint.columns[1].value, TableValue::CountAll);
}

#[test]
fn r_follows_from_published_sizes_and_the_place_of_the_groups() {
    let (both, ours, theirs, none) = (
        "columns of one name at both",
        "two readers",
        "the partner's groups and sums",
        "overlap size",
    );
    for (name, north, river, expected) in [
        (none, 30_000, 29_000, "river-pay"),
        (none, 29_000, 30_000, "north-bank"),
        (none, 30_000, 30_000, "north-bank"),
        (both, 31_000, 30_000, "river-pay"),
        (both, 30_000, 31_000, "north-bank"),
        (ours, 90_000, 30_000, "north-bank"),
        (ours, 91_000, 30_000, "river-pay"),
        (ours, 30_000, 30_000, "north-bank"),
        (theirs, 30_000, 90_000, "river-pay"),
        (theirs, 30_000, 91_000, "north-bank"),
        (theirs, 30_000, 30_000, "river-pay"),
    ] {
        let mut catalog = Published::load();
        catalog.get_mut("north-bank", "customers").ids_rounded = north;
        catalog.get_mut("river-pay", "users").ids_rounded = river;
        let plan = planned(&accepted(name), &catalog);
        let sizes = format!("{name}: {north} and {river}");
        assert_eq!(plan.receiver.as_str(), expected, "{sizes}");
    }
}

#[test]
fn r_does_not_depend_on_who_reads() {
    let catalog = Published::load();
    for readers in [
        &["north-bank"][..],
        &["river-pay"],
        &["north-bank", "river-pay"],
    ] {
        let mut case = accepted("two readers");
        case.asked.results_to = readers.iter().map(|name| name.parse().unwrap()).collect();
        let plan = planned(&case, &catalog);
        assert_eq!(
            plan.receiver.as_str(),
            "north-bank",
            "its groups, sizes near or not"
        );
        let recipients = plan.recipients().into_iter();
        assert!(
            recipients
                .map(|org| org.as_str())
                .eq(readers.iter().copied())
        );
        assert!(!plan.is_mutual(), "no rows, so no tags are returned");
    }
}

#[test]
fn the_senders_groups_are_padded_to_a_power_of_two_and_the_receivers_are_not() {
    let catalog = Published::load();
    let groups = |name| planned(&accepted(name), &catalog).groups();
    let expected = |receiver, sender| Groups { receiver, sender };
    assert_eq!(groups("the example of the manual"), expected(4, 4));
    assert_eq!(groups("columns of one name at both"), expected(2, 4));
    assert_eq!(groups("table over own columns"), expected(12, 1));
    assert_eq!(groups("the largest table"), expected(1_024, 4));
    assert_eq!(groups("overlap size"), expected(1, 1));
}

#[test]
fn more_moments_or_less_loss_mean_more_noise() {
    let catalog = Published::load();
    let noise = |name: &str, millionths| {
        let mut case = accepted(name);
        case.asked.epsilon = Some(millionths);
        let Operator::Joint(joint) = planned(&case, &catalog).operator else {
            panic!("{name} runs by the blind join");
        };
        let noise = joint.noise(0).unwrap();
        noise.numerator as f64 / noise.denominator as f64
    };
    assert_eq!(noise("overlap size", 1_000_000), 2.0);
    assert_eq!(noise("overlap size", 250_000), 8.0);
    assert_eq!(noise("the example of the manual", 1_000_000), 6.0);
    let Operator::Joint(exact) = planned(&accepted("overlap size"), &catalog).operator else {
        panic!("a count runs by the blind join");
    };
    assert_eq!((exact.noise(0), exact.noisy_parties()), (None, 0));
}
