//! Noise and what it spends, at whom.

use super::round::{Before, honest, losing};
use super::{Network, job};
use entente_wire::policy::Epsilon;
use entente_wire::problem::Code;

const COUNT: &str = "COUNT(*) AS n, SUM(overdue) AS total";

/// Losses of organisation `place`'s dataset to the reader, as node `at` has written them down.
fn losses(network: &Network, at: usize, place: usize) -> Vec<Epsilon> {
    let ledger = network.nodes[at].ledger();
    let dataset = "accounts".parse().expect("a name");
    let spent = match at == place {
        true => ledger.losses_over_ours(&dataset, &network.nodes[0].org, 0),
        false => ledger.losses_over_theirs(&network.nodes[place].org, &dataset, 0),
    };
    spent
        .expect("reads")
        .iter()
        .map(|loss| loss.epsilon)
        .collect()
}

#[test]
fn a_table_with_noise_spends_at_every_party_and_at_the_reader_for_each_of_them() {
    let mut network = Network::new(3);
    let job = network.ready(&job(3, COUNT, "1.5"));
    assert!(network.round(&honest(1)).opened);
    let one = Epsilon(1_500_000);
    for place in [1, 2] {
        assert_eq!(losses(&network, place, place), [one], "{place} of its own");
        assert_eq!(losses(&network, 0, place), [one], "the reader of {place}'s");
    }
    // The reader learns nothing new of its own data, and the others learn nothing at all.
    assert_eq!(losses(&network, 0, 0), []);
    assert_eq!(losses(&network, 1, 2), []);
    let header = network.result(job).lines().next().map(str::to_owned);
    assert_eq!(header.as_deref(), Some("industry,n,n_se,total,total_se"));
}

#[test]
fn what_was_spent_is_missing_in_the_next_job() {
    let mut network = Network::new(3);
    network.ready(&job(3, COUNT, "1.5"));
    assert!(network.round(&honest(1)).opened);
    let problem = network.nodes[0]
        .jobs()
        .submit(&job(3, COUNT, "0.6"), None)
        .expect_err("0.5 is left");
    assert_eq!(problem.code, Code::BudgetUsedUp, "{problem}");
    assert!(problem.what.contains("0.5 is left"), "{problem}");
    let last = network.ready(&job(3, COUNT, "0.5"));
    assert!(network.round(&honest(1)).opened);
    network.result(last);
}

#[test]
fn a_loss_is_spent_before_the_numbers_leave_and_not_earlier() {
    for (step, spent) in [
        (Before::Contribution, 0),
        (Before::Vote, 1),
        (Before::Unmasking, 1),
    ] {
        let mut network = Network::new(5);
        network.ready(&job(5, COUNT, "1.0"));
        let vanishes = |place: usize| if place == 1 { step } else { Before::Never };
        network.round(&losing(&vanishes));
        assert_eq!(losses(&network, 1, 1).len(), spent, "{step:?}");
        assert_eq!(losses(&network, 2, 2).len(), 1, "{step:?}");
    }
}

#[test]
fn rounds_of_one_job_spend_one_loss_together() {
    let mut network = Network::new(3);
    // There is not enough for two of them.
    let job = network.ready(&job(3, COUNT, "1.5"));
    network.round(&losing(&|_| Before::Vote));
    for place in 0..3 {
        network.nodes[place].start();
    }
    network.deliver();
    let outcome = network.round(&honest(2));
    assert!(outcome.opened, "{:?}", outcome.problems);
    network.result(job);
    let once = [Epsilon(1_500_000)];
    assert_eq!(losses(&network, 1, 1), once);
    assert_eq!(losses(&network, 0, 1), once);
}

#[test]
fn rounds_count_against_the_number_of_jobs() {
    let mut network = Network::new(3);
    for _ in 0..4 {
        network.ready(&job(3, COUNT, "none"));
        assert!(network.round(&honest(1)).opened);
    }
    let problem = network.nodes[0]
        .jobs()
        .submit(&job(3, COUNT, "none"), None)
        .expect_err("four were allowed");
    assert_eq!(problem.code, Code::BudgetUsedUp, "{problem}");
}

#[test]
fn noise_moves_numbers_about_as_far_as_the_table_says() {
    let mut network = Network::new(3);
    let exact = network.ready(&job(3, COUNT, "none"));
    assert!(network.round(&honest(1)).opened);
    let exact = network.result(exact);
    let noisy = network.ready(&job(3, COUNT, "1.0").replace("min_group: 3", "min_group: 1"));
    assert!(network.round(&honest(1)).opened);
    let noisy = network.result(noisy);
    let rows = |csv: &str| -> Vec<Vec<String>> {
        let lines = csv.lines().skip(1);
        lines
            .map(|line| line.split(',').map(str::to_owned).collect())
            .collect()
    };
    let (exact, noisy) = (rows(&exact), rows(&noisy));
    let number = |cell: &String| -> f64 { cell.parse().expect("a number") };
    let mut moved = 0;
    for row in &noisy {
        let truth = exact.iter().find(|truth| truth[0] == row[0]);
        let truth = number(&truth.expect("all groups are in the exact table")[2]);
        let (sum, error) = (number(&row[3]), number(&row[4]));
        // Twenty standard errors of a Laplace variable are passed with probability e^-28.
        assert!((truth - sum).abs() < 20.0 * error, "{truth} {sum} {error}");
        moved += usize::from(truth != sum);
    }
    // A group of thirty people is not shown if chance takes away all of them, and a sum of cents stays as it was about never.
    assert!(moved > 0, "no noise, or no table: {noisy:?}");
}
