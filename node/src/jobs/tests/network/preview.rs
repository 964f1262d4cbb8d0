//! What is refused before anybody approves.

use super::{ALL, NAMES, Network, POLICY, job};
use entente_wire::problem::{Code, Problem};

fn problems(network: &Network, yaml: &str) -> Vec<Problem> {
    network.nodes[0].jobs().check(yaml).problems
}

#[track_caller]
fn refused(network: &Network, yaml: &str, code: Code, words: &str) {
    let problems = problems(network, yaml);
    let found = problems
        .iter()
        .find(|problem| problem.code == code && problem.what.contains(words));
    assert!(
        found.is_some(),
        "{code} \"{words}\" is not among {problems:?}"
    );
}

#[test]
fn the_page_names_all_parties_and_says_what_each_learns() {
    let network = Network::new(5);
    let page = network.nodes[0]
        .jobs()
        .preview(&job(5, ALL, "1.0"), None)
        .expect("a page")
        .page();
    for name in NAMES {
        assert!(page.contains(name), "{name} is not on the page:\n{page}");
    }
    for words in [
        "The coordinator",
        "Every other party",
        "at least 4 of the 5 parties",
        "NOT PREVENTED",
    ] {
        assert!(page.contains(words), "{words} is not on the page:\n{page}");
    }
}

#[test]
fn domains_that_differ_are_refused_with_the_difference() {
    let network = Network::with(3, |place| match place {
        1 => POLICY.replace("\"food\"]", "\"feed\"]"),
        _ => POLICY.to_owned(),
    });
    refused(
        &network,
        &job(3, ALL, "none"),
        Code::Question,
        "only birch-bank has \"feed\"",
    );
}

#[test]
fn a_sum_that_could_wrap_is_refused_with_what_would_fit() {
    let wide = POLICY.replace(
        "clip = [-1000, 1000]",
        "clip = [-10_000_000_000, 10_000_000_000]",
    );
    let network = Network::with(3, |_| wide.clone());
    refused(&network, &job(3, ALL, "none"), Code::JobFile, "could wrap");
    // The sum itself fits; its squares do not.
    let sum = job(3, "SUM(overdue) AS total", "none");
    assert_eq!(problems(&network, &sum), []);
}

#[test]
fn a_party_that_is_not_linked_is_named() {
    let network = Network::new(3);
    let four = job(4, ALL, "none");
    let problems = problems(&network, &four);
    assert!(!problems.is_empty());
    assert!(
        problems
            .iter()
            .any(|problem| problem.what.contains("elm-bank")),
        "{problems:?}"
    );
}
