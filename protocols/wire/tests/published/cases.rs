//! The cases of `accepted.toml` and `refused.toml`.

use super::{Asked, read};
use entente_wire::job::Job;
use entente_wire::plan::Plan;
use entente_wire::problem::Problem;
use entente_wire::sql::{self, Catalog};

/// One case of a vector file: the job, and what is expected of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) asked: Asked,
    pub(crate) expected: toml::Table,
}

impl Case {
    pub(crate) fn job(&self) -> Job {
        self.asked.job()
    }

    pub(crate) fn plan(&self, catalog: &dyn Catalog) -> Result<Plan, Vec<Problem>> {
        sql::plan(&self.job(), &self.asked.asker, catalog)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.expected.get(key).map(|value| value.as_str().unwrap())
    }
}

pub(crate) fn cases(file: &str) -> Vec<Case> {
    let mut table: toml::Table = read(file);
    let Some(toml::Value::Array(cases)) = table.remove("case") else {
        panic!("{file} has no cases");
    };
    cases.into_iter().map(case).collect()
}

fn case(value: toml::Value) -> Case {
    let mut table: toml::Table = value.try_into().unwrap();
    let mut expected = toml::Table::new();
    for key in [
        "plan",
        "same_as",
        "filters",
        "problems",
        "min_group_planned",
    ] {
        if let Some(value) = table.remove(key) {
            expected.insert(key.to_owned(), value);
        }
    }
    let name = table.remove("name").unwrap().as_str().unwrap().to_owned();
    let asked = table
        .try_into()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    Case {
        name,
        asked,
        expected,
    }
}

pub(crate) fn accepted(name: &str) -> Case {
    cases("accepted.toml")
        .into_iter()
        .find(|case| case.name == name)
        .unwrap()
}

pub(crate) fn planned(case: &Case, catalog: &dyn Catalog) -> Plan {
    case.plan(catalog)
        .unwrap_or_else(|problems| panic!("{}: {problems:#?}", case.name))
}
