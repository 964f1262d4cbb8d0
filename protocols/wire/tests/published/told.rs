//! What the leakage statement says about the accepted questions of the vectors.

use super::cases::{Case, accepted, cases, planned};
use super::{Published, protocol};
use entente_wire::job::Job;
use entente_wire::leakage::{Observer, Statement, Who, statement};
use entente_wire::plan::{Plan, Side};
use entente_wire::sql::Catalog;

/// One accepted question of the vectors with its statement.
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) job: Job,
    pub(crate) plan: Plan,
    pub(crate) statement: Statement,
}

pub(crate) fn told(catalog: &Published) -> Vec<Told> {
    let cases = cases("accepted.toml").into_iter();
    cases.map(|case| tell(case, catalog)).collect()
}

pub(crate) fn one(name: &str) -> Told {
    tell(accepted(name), &Published::load())
}

fn tell(case: Case, catalog: &Published) -> Told {
    let (job, plan) = (case.job(), planned(&case, catalog));
    let statement = state(&plan, &job, catalog);
    Told {
        name: case.name,
        job,
        plan,
        statement,
    }
}

pub(crate) fn state(plan: &Plan, job: &Job, catalog: &Published) -> Statement {
    let [first, second] = &plan.sides;
    let publication = |side: &Side| catalog.publication(&side.org, &side.dataset).unwrap();
    let publications = [publication(first), publication(second)];
    let (protocol, cost) = protocol(plan, publications);
    statement(plan, job, publications, &protocol, cost).unwrap()
}

impl Told {
    pub(crate) fn party(&self, receiver: bool) -> &Observer {
        let is = |observer: &&Observer| match &observer.who {
            Who::Party { org } => (*org == self.plan.receiver) == receiver,
            Who::OtherParties | Who::Coordinator | Who::Eavesdropper => false,
        };
        self.statement.observers.iter().find(is).unwrap()
    }
}

/// What somebody can do although nobody should.
pub(crate) fn not_prevented(observer: &Observer) -> Vec<&str> {
    let open = observer
        .cheating
        .iter()
        .filter(|cheat| cheat.stopped_by.starts_with("not prevented"));
    open.map(|cheat| cheat.attempt.as_str()).collect()
}

pub(crate) fn any(texts: &[String], words: &str) -> bool {
    texts.iter().any(|text| text.contains(words))
}
