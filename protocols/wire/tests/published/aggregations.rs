//! Aggregations over what four organisations publish alike, asked and refused.

use super::{Asked, Published};
use entente_wire::leakage::{Cost, Statement, aggregation_statement};
use entente_wire::names::{ColumnName, OrgName};
use entente_wire::plan::Aggregation;
use entente_wire::problem::{Code, Problem, Side as At};
use entente_wire::publication::Publication;
use entente_wire::seal::{AggregateTerms, Protocol};
use entente_wire::sql::{self, Catalog};

/// Groups and sums over the accounts that four organisations publish alike.
pub(crate) const BY_TIER: &str = "SELECT a.tier, COUNT(*) AS n, SUM(a.balance) AS total FROM \"*\".accounts AS a GROUP BY a.tier";

pub(crate) fn org(name: &str) -> OrgName {
    name.parse().unwrap()
}

pub(crate) fn column(name: &str) -> ColumnName {
    ColumnName(name.to_owned())
}

pub(crate) fn outcome(asked: &Asked, catalog: &Published) -> Result<Aggregation, Vec<Problem>> {
    sql::aggregation(&asked.job(), &asked.asker, catalog)
}

pub(crate) fn planned(ask: &str) -> Aggregation {
    let plan = outcome(&Asked::of_all(ask), &Published::load());
    plan.unwrap_or_else(|problems| panic!("{ask}: {problems:#?}"))
}

/// The accounts of one organisation as it publishes them, changed.
pub(crate) fn with(org: &str, change: impl FnOnce(&mut Publication)) -> Published {
    let mut catalog = Published::load();
    change(catalog.get_mut(org, "accounts"));
    catalog
}

/// The one problem of a question.
#[track_caller]
pub(crate) fn refused(asked: &Asked, catalog: &Published) -> Problem {
    let problems = outcome(asked, catalog).unwrap_err();
    let [problem] = <[Problem; 1]>::try_from(problems).unwrap();
    assert!(problem.todo.len() > 8, "{problem:?}");
    problem
}

/// A question that is refused for `what`, on the asker's own side, with `todo` as a part of the advice.
#[track_caller]
pub(crate) fn refused_as(asked: &Asked, catalog: &Published, code: Code, what: &str, todo: &str) {
    let problem = refused(asked, catalog);
    assert_eq!(
        (problem.code, &problem.side),
        (code, &At::Request),
        "{problem:?}"
    );
    assert_eq!(problem.what, what);
    assert!(problem.todo.contains(todo), "{problem:?}");
}

/// A statement with everything that it was made from.
pub(crate) struct Stated {
    pub(crate) asked: Asked,
    pub(crate) catalog: Published,
    pub(crate) plan: Aggregation,
    pub(crate) terms: AggregateTerms,
}

impl Stated {
    /// Of `ask` to [`super::PARTIES`].
    pub(crate) fn of_all(ask: &str, epsilon: Option<u64>) -> Self {
        let mut asked = Asked::of_all(ask);
        asked.epsilon = epsilon;
        Self::of(asked, Published::load())
    }

    /// Of [`BY_TIER`] to so many parties.
    pub(crate) fn of_many(count: usize, epsilon: Option<u64>) -> Self {
        let (catalog, names) = Published::load().copied("lake-bank", "accounts", count);
        let mut asked = Asked::of_all(BY_TIER);
        asked.asker = names.first().unwrap().clone();
        asked.results_to = names.iter().take(1).cloned().collect();
        asked.parties = names.into_iter().collect();
        asked.epsilon = epsilon;
        Self::of(asked, catalog)
    }

    /// Of a thousand parties, of which each shares masks with few.
    pub(crate) fn of_few_neighbours() -> Self {
        let mut stated = Self::of_many(1_000, Some(1_000_000));
        stated.terms.picks = Some(120);
        stated.terms.threshold = 61;
        stated.terms.isolable = 5;
        stated
    }

    pub(crate) fn of(asked: Asked, catalog: Published) -> Self {
        let plan = outcome(&asked, &catalog).unwrap();
        let parties = u32::try_from(plan.sides.len()).unwrap();
        let quorum = (parties + plan.colluders) / 2 + 1;
        let terms = AggregateTerms {
            version: 3,
            recipient: plan.recipient().unwrap().clone(),
            words: u32::try_from(plan.words()).unwrap(),
            tag_words: 64,
            survivors_min: quorum.max(plan.min_parties),
            colluders: plan.colluders,
            quorum,
            picks: None,
            threshold: quorum,
            isolable: 0,
        };
        Self {
            asked,
            catalog,
            plan,
            terms,
        }
    }

    /// The statement as things are now.
    pub(crate) fn statement(&self) -> Statement {
        let sides = self.plan.sides.iter();
        let publications: Vec<&Publication> = sides
            .map(|side| self.catalog.publication(&side.org, &side.dataset).unwrap())
            .collect();
        let protocol = Protocol::Aggregate(self.terms.clone());
        let cost = Cost {
            bytes: 12_000,
            seconds: 1,
            memory_mib: 10,
            link: None,
        };
        let job = self.asked.job();
        aggregation_statement(&self.plan, &job, &publications, &protocol, cost).unwrap()
    }
}
