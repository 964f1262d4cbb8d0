//! The table of a round is the plain sum over exactly those that stayed, whoever vanished before which step.

use super::round::{Before, STEPS, honest, losing, names};
use super::{ALL, Network, Row, job, rows};
use entente_wire::local::JobState;

const INDUSTRIES: [&str; 3] = ["retail", "metal", "food"];

/// The table in the clear, over these organisations' rows.
fn truth(places: &[usize]) -> Vec<(&'static str, u64, u64, i64)> {
    let all: Vec<Row> = places.iter().flat_map(|place| rows(*place)).collect();
    let of = |industry: &&'static str| {
        let rows: Vec<&Row> = all
            .iter()
            .filter(|(name, _, consent)| name == industry && *consent)
            .collect();
        let known: Vec<i64> = rows.iter().filter_map(|(_, overdue, _)| *overdue).collect();
        (
            *industry,
            rows.len() as u64,
            known.len() as u64,
            known.iter().sum(),
        )
    };
    INDUSTRIES.iter().map(of).collect()
}

/// Counts and sums of a result; means and variances are held against them by their own definition.
#[track_caller]
fn check(csv: &str, places: &[usize]) {
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("industry,n,known,total,mean,variance"));
    let lines: Vec<&str> = lines.collect();
    let truth = truth(places);
    assert_eq!(lines.len(), truth.len(), "{csv}");
    for (line, (industry, n, known, total)) in lines.iter().zip(truth) {
        let cells: Vec<&str> = line.split(',').collect();
        let sign = if total < 0 { "-" } else { "" };
        let written = format!("{sign}{}.{:02}", total.abs() / 100, total.abs() % 100);
        assert_eq!(
            cells[..4],
            [industry, &n.to_string(), &known.to_string(), &written],
            "{csv}"
        );
        let mean: f64 = cells[4].parse().expect("a number");
        assert!(
            (mean - total as f64 / 100.0 / known as f64).abs() < 1e-9,
            "{line}"
        );
        let variance: f64 = cells[5].parse().expect("a number");
        assert!(
            (variance - variance_of(industry, places)).abs() < 1e-6,
            "{line}"
        );
    }
}

fn variance_of(industry: &str, places: &[usize]) -> f64 {
    let rows = places.iter().flat_map(|place| rows(*place));
    let known: Vec<f64> = rows
        .filter(|(name, _, consent)| *name == industry && *consent)
        .filter_map(|(_, overdue, _)| Some(overdue? as f64 / 100.0))
        .collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    known.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (known.len() - 1) as f64
}

#[test]
fn the_table_is_the_plain_sum_over_all_parties() {
    for parties in [3, 5] {
        let mut network = Network::new(parties);
        let job = network.ready(&job(parties, ALL, "none"));
        let outcome = network.round(&honest(1));
        assert!(outcome.opened, "{:?}", outcome.problems);
        let all: Vec<usize> = (0..parties).collect();
        check(&network.result(job), &all);
        for node in &network.nodes {
            let view = node.view(job);
            assert_eq!(view.state, JobState::Done, "{}", node.org);
            assert_eq!(view.summed_parties, Some(names(&all)), "{}", node.org);
            assert_eq!(
                view.result_rows.is_some(),
                node.org.as_str() == super::NAMES[0]
            );
        }
    }
}

/// Five parties of which one may be missing.
#[test]
fn whoever_vanishes_before_whichever_step_the_table_is_that_of_the_others_or_there_is_none() {
    for step in STEPS {
        for gone in 0..5 {
            let mut network = Network::new(5);
            let job = network.ready(&job(5, ALL, "none"));
            let vanishes = |place: usize| if place == gone { step } else { Before::Never };
            let script = losing(&vanishes);
            let outcome = network.round(&script);
            // Without its recipient nobody can open a sum.
            assert_eq!(
                outcome.opened,
                gone != 0,
                "{step:?} {gone}: {:?}",
                outcome.problems
            );
            if gone == 0 {
                continue;
            }
            let stayed: Vec<usize> = match step > Before::Contribution {
                // Its numbers had come.
                true => (0..5).collect(),
                false => (0..5).filter(|place| *place != gone).collect(),
            };
            check(&network.result(job), &stayed);
            assert_eq!(
                network.nodes[0].view(job).summed_parties,
                Some(names(&stayed))
            );
            // Also the one that vanished hears that the job is over.
            network.nodes[gone].start();
            network.deliver();
            assert_eq!(
                network.nodes[gone].state(job),
                JobState::Done,
                "{step:?} {gone}"
            );
        }
    }
}

#[test]
fn with_fewer_than_agreed_there_is_no_table_and_no_other_round_once_one_was_signed() {
    for step in STEPS {
        let mut network = Network::new(5);
        let job = network.ready(&job(5, ALL, "none"));
        let vanishes = |place: usize| {
            if place == 2 || place == 4 {
                step
            } else {
                Before::Never
            }
        };
        let script = losing(&vanishes);
        let grants = network.grants();
        let outcome = network.round_of(grants, &script);
        assert!(!outcome.opened, "{step:?}");
        // Two rounds with different survivors would tell the numbers of the difference.
        let signed = step > Before::Contribution;
        for place in [0, 1, 3] {
            let again = network.nodes[place].dial();
            assert_eq!(again.is_none(), signed, "{step:?} {place}");
        }
        network.deliver();
        for place in [0, 1, 3] {
            let node = &network.nodes[place];
            assert_eq!(node.state(job).is_final(), signed, "{step:?} {}", node.org);
        }
        assert!(network.nodes[0].view(job).summed_parties.is_none());
        network.nodes[0]
            .jobs()
            .result(&job.short())
            .expect_err("no table");
    }
}

#[test]
fn groups_below_the_threshold_are_counted_and_not_shown() {
    let mut network = Network::new(3);
    let least = truth(&[0, 1, 2])
        .into_iter()
        .map(|(_, n, ..)| n)
        .max()
        .expect("groups");
    let yaml = job(3, "COUNT(*) AS n", "none");
    let yaml = yaml.replace("min_group: 3", &format!("min_group: {least}"));
    let job = network.ready(&yaml);
    assert!(network.round(&honest(1)).opened);
    let shown = truth(&[0, 1, 2])
        .into_iter()
        .filter(|(_, n, ..)| *n >= least);
    let shown: Vec<String> = shown
        .map(|(industry, n, ..)| format!("{industry},{n}"))
        .collect();
    let result = network.result(job);
    assert_eq!(result.lines().skip(1).collect::<Vec<_>>(), shown);
    assert!(!shown.is_empty() && shown.len() < 3, "{result}");
    let suppressed = network.nodes[0].view(job).suppressed_groups;
    assert_eq!(suppressed, Some(3 - shown.len() as u64));
}
