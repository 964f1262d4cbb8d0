//! Nodes that stop in the middle and come back: a round is never begun twice, and the next one is another.

use super::round::{Before, Script, honest, losing};
use super::{ALL, Network, job};
use entente_wire::local::JobState;
use entente_wire::rpc::coordinator::v1::round_down::Step as Down;

#[test]
fn a_node_that_stopped_in_a_round_takes_part_in_the_next() {
    let mut network = Network::new(3);
    let job = network.ready(&job(3, ALL, "none"));
    let vanishes = |place: usize| {
        if place == 1 {
            Before::Contribution
        } else {
            Before::Never
        }
    };
    let outcome = network.round(&losing(&vanishes));
    assert!(!outcome.opened, "three of three are needed");
    network.nodes[1].start();
    network.deliver();
    let grants = network.grants();
    let least: Vec<u64> = grants
        .iter()
        .zip(&network.nodes)
        .filter_map(|(grant, node)| node.jobs().joins(grant.as_ref()?).ok())
        .collect();
    assert_eq!(
        least,
        [2, 2, 2],
        "a begun number is used up, also after a restart"
    );
    let outcome = network.round_of(grants, &honest(2));
    assert!(outcome.opened, "{:?}", outcome.problems);
    network.deliver();
    assert_eq!(network.nodes[1].state(job), JobState::Done);
    network.result(job);
}

#[test]
fn a_reader_that_stopped_before_it_signed_ends_a_job_that_too_few_can_go_on_with() {
    let mut network = Network::new(5);
    let job = network.ready(&job(5, ALL, "none"));
    let vanishes = |place: usize| match place {
        0 => Before::Vote,
        _ => Before::Never,
    };
    let outcome = network.round(&losing(&vanishes));
    assert!(!outcome.opened);
    for node in &network.nodes[1..] {
        assert_eq!(node.state(job), JobState::Running, "waits for the reader");
    }
    network.nodes[0].start();
    network.deliver();
    for node in &network.nodes {
        assert_eq!(node.state(job), JobState::Failed, "{}", node.org);
    }
}

#[test]
fn what_one_party_fails_at_ends_nothing_for_the_others() {
    let mut network = Network::new(5);
    let job = network.ready(&job(5, ALL, "none"));
    // Member 2 leaves for good.
    let line = |place: usize, step| match (place, step) {
        (2, Down::Introductions(_)) => Down::Words(vec![0; 8]),
        (_, step) => step,
    };
    let outcome = network.round(&Script {
        number: 1,
        vanishes: &|_| Before::Never,
        line: &line,
    });
    assert!(outcome.opened, "{:?}", outcome.problems);
    assert_eq!(network.nodes[2].state(job), JobState::Failed);
    for place in [0, 1, 3, 4] {
        assert_eq!(network.nodes[place].state(job), JobState::Done);
    }
}

#[test]
fn after_three_rounds_that_broke_the_job_has_failed() {
    let mut network = Network::new(3);
    let job = network.ready(&job(3, ALL, "none"));
    for number in 1..=3 {
        let vanishes = |place: usize| {
            if place == 1 {
                Before::Contribution
            } else {
                Before::Never
            }
        };
        let outcome = network.round(&Script {
            number,
            vanishes: &vanishes,
            line: &|_, step| step,
        });
        assert!(!outcome.opened);
        network.nodes[1].start();
        network.deliver();
    }
    for node in &network.nodes {
        assert_eq!(node.state(job), JobState::Failed, "{}", node.org);
        assert!(node.view(job).problem.is_some(), "{}", node.org);
    }
}

#[test]
fn a_partner_cannot_open_a_session_of_two_for_an_aggregation() {
    let mut network = Network::new(3);
    let job = network.ready(&job(3, ALL, "none"));
    let opening = entente_wire::session::Opening {
        version: entente_wire::limits::WIRE_VERSION,
        job,
        attempt: 1,
        dataset_version: super::super::bench::digest(1),
        ids_rounded: 16,
        nonce_commitment: super::super::bench::digest(2),
        continues: None,
        answered_by: None,
    };
    let (asker, other) = (network.nodes[0].org.clone(), &network.nodes[1]);
    let problem = other
        .jobs()
        .admit_session(&asker, &opening)
        .err()
        .expect("no session of two");
    assert_eq!(
        problem.code,
        entente_wire::problem::Code::JobUnknown,
        "{problem}"
    );
}

#[test]
fn a_cancelled_job_takes_no_part_any_more() {
    let mut network = Network::new(3);
    let job = network.ready(&job(3, ALL, "none"));
    let grants = network.grants();
    network.nodes[0]
        .jobs()
        .cancel(&job.short())
        .expect("the asker may");
    network.deliver();
    let outcome = network.round_of(grants, &honest(1));
    assert!(!outcome.opened);
    assert!(
        outcome.problems.iter().all(Option::is_some),
        "{:?}",
        outcome.problems
    );
    network.clock.advance(1);
}
