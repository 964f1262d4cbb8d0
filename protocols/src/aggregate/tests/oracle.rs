//! A round gives the plain sum of the survivors' vectors, whoever vanishes, as long as enough stay; and nothing if not.

use super::aggregate::{Column, Member, Terms};
use super::rehearsal::{Key, Outcome, Rehearsal, Step, honest, keys, proposal};
use crate::release::Scale;
use proptest::prelude::*;
use std::sync::Arc;

/// Some vector within the range, of both signs.
pub(super) fn vector(terms: &Terms, member: Member) -> Vec<i64> {
    let cell = |cell: usize| (cell as i64 * 7 - 50) * (i64::from(member.0) + 1) + (1 << 39);
    (0..terms.cells())
        .map(|place| {
            if place % 3 == 0 {
                -cell(place)
            } else {
                cell(place)
            }
        })
        .collect()
}

fn run(terms: &Arc<Terms>, keys: &[Key], steps: &[Step], seed: u128) -> Outcome {
    let vectors = |member: Member| vector(terms, member);
    let vanishes = |member: Member| steps.get(member.index()).copied().unwrap_or(Step::Never);
    Rehearsal {
        terms,
        keys,
        vectors: &vectors,
        vanishes: &vanishes,
        line: &honest,
        seed,
    }
    .run()
}

/// What must come out: the sum over all that contributed, if the recipient and enough others stayed at every step.
fn expected(terms: &Terms, steps: &[Step]) -> Option<(Vec<i64>, Vec<Member>)> {
    let past = |step: Step| {
        terms
            .everyone()
            .filter(move |member| steps[member.index()] > step)
    };
    let enough = past(Step::Contribute).count() >= terms.survivors_min()
        && past(Step::Release).count() >= terms.quorum();
    if !enough || steps[terms.recipient().index()] != Step::Never {
        return None;
    }
    let survivors: Vec<Member> = past(Step::Contribute).collect();
    let mut sum = vec![0; terms.cells()];
    for member in &survivors {
        sum.iter_mut()
            .zip(vector(terms, *member))
            .for_each(|(sum, value)| *sum += value);
    }
    Some((sum, survivors))
}

#[track_caller]
pub(super) fn assert_as_expected(terms: &Terms, steps: &[Step], outcome: Outcome) {
    let got = outcome.sum.map(|sum| (sum.cells, sum.survivors));
    assert_eq!(
        got,
        expected(terms, steps),
        "{steps:?}: {:?}",
        outcome.faults
    );
}

const STEPS: [Step; 6] = [
    Step::Introduce,
    Step::Deal,
    Step::Contribute,
    Step::Vote,
    Step::Release,
    Step::Never,
];

/// All 6^3 and 6^4 patterns, so those past the threshold too.
#[test]
fn every_pattern_of_dropouts_of_few_members_gives_the_plain_sum_or_nothing() {
    for (members, colluders) in [(3, 0), (4, 1)] {
        let keys = keys(members);
        let terms = Arc::new(Terms::new(proposal(&keys, 3, colluders)).expect("fits"));
        for pattern in 0..6usize.pow(members as u32) {
            let step = |member| STEPS[pattern / 6usize.pow(member) % 6];
            let steps: Vec<Step> = (0..members as u32).map(step).collect();
            assert_as_expected(&terms, &steps, run(&terms, &keys, &steps, pattern as u128));
        }
    }
}

/// Every number of dropouts at every step, one step after the other, of ten members.
#[test]
fn as_many_dropouts_as_the_threshold_allows_at_each_step() {
    let keys = keys(10);
    let terms = Arc::new(Terms::new(proposal(&keys, 5, 2)).expect("fits"));
    assert_eq!((terms.quorum(), terms.dropouts_max()), (7, 3));
    for step in &STEPS[..5] {
        for dropouts in 0..=4 {
            let mut steps = vec![Step::Never; 10];
            steps[10 - dropouts..].fill(*step);
            assert_as_expected(&terms, &steps, run(&terms, &keys, &steps, 1));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_mixture_of_dropouts_gives_the_plain_sum_or_nothing(
        members in 3usize..24,
        colluders in 0u16..4,
        cells in 1u32..70,
        weights in prop::collection::vec(0usize..40, 24),
        recipient: prop::sample::Index,
        seed: u128,
    ) {
        let keys = keys(members);
        let mut proposal = proposal(&keys, cells, colluders.min(members as u16 - 3));
        proposal.recipient = Member(recipient.index(members) as u16);
        prop_assume!(usize::from(proposal.min_parties) <= members);
        let terms = Arc::new(Terms::new(proposal).expect("fits"));
        let steps: Vec<Step> = weights[..members].iter().map(|weight| STEPS[(*weight).min(5)]).collect();
        assert_as_expected(&terms, &steps, run(&terms, &keys, &steps, seed));
    }
}

/// A graph in which members know few others: two hundred members, a third of which vanishes at all steps.
#[test]
fn a_third_of_many_members_vanishes_and_the_sum_is_exact() {
    let keys = keys(200);
    let terms = Arc::new(Terms::new(proposal(&keys, 40, 4)).expect("fits"));
    assert!(terms.degree().picks.is_some());
    let steps: Vec<Step> = (0..200)
        .map(|member| match member % 3 {
            1 => STEPS[member / 3 % 5],
            _ => Step::Never,
        })
        .collect();
    assert_as_expected(&terms, &steps, run(&terms, &keys, &steps, 9));
}

/// With noise, the sum is off by what the shares add up to: never by much, hardly ever by nothing.
#[test]
fn noise_is_on_the_sum_of_the_columns_that_should_have_it() {
    let keys = keys(5);
    let mut proposal = proposal(&keys, 50, 1);
    proposal.columns.push(Column {
        cells: 200,
        magnitude_max: 1 << 45,
        noise: Scale::new(300, 7),
    });
    let terms = Arc::new(Terms::new(proposal).expect("fits"));
    let steps = [Step::Never; 5];
    let (sum, _) = expected(&terms, &steps).expect("all stay");
    let noisy = run(&terms, &keys, &steps, 4).sum.expect("all stay").cells;
    assert_eq!(noisy[..50], sum[..50]);
    let off: Vec<i64> = noisy
        .iter()
        .zip(&sum)
        .skip(50)
        .map(|(noisy, sum)| noisy - sum)
        .collect();
    assert!(
        off.iter().all(|noise| noise.unsigned_abs() < 5_000),
        "{off:?}"
    );
    assert!(
        off.iter().filter(|noise| **noise == 0).count() < 20,
        "{off:?}"
    );
}
