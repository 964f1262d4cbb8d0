//! A question in parts, and its text for the product: a job as its author would have sent it.

use super::tables::Cap;
use entente_wire::job::{Job, Measure, Protect};
use entente_wire::names::ColumnName;
use std::collections::BTreeMap;

/// A group key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) sql: String,
    pub(super) name: String,
    /// 0 is the bank's, 1 the platform's.
    pub(super) org: usize,
    pub(super) domain: Vec<String>,
    pub(super) nullable: bool,
    /// The job lists the domain.
    pub(super) listed: bool,
}

/// A number that is added up.
#[derive(Debug, Clone)]
pub(super) struct Number {
    pub(super) sql: String,
    pub(super) cap: Cap,
    /// The job gives cap and scale.
    pub(super) capped_by_job: bool,
}

/// What an output column shows.
#[derive(Debug, Clone)]
pub(super) enum Shows {
    /// By its place in GROUP BY.
    Key(usize),
    CountAll,
    Count(String),
    Sum(Number),
    Avg(Number),
    VarSamp(Number),
    StddevSamp(Number),
    Corr([Number; 2]),
    RegrSlope([Number; 2]),
    RegrIntercept([Number; 2]),
}

#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) shows: Shows,
}

#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) keys: Vec<Key>,
    pub(super) outputs: Vec<Output>,
    /// Conjuncts of ON behind the equality.
    pub(super) on: Vec<String>,
    pub(super) filters: Vec<String>,
    pub(super) having: Option<u64>,
    pub(super) min_group: Option<u64>,
    /// Places in `outputs`, and whether descending.
    pub(super) order: Vec<(usize, bool)>,
    pub(super) limit: Option<usize>,
    pub(super) readers: Vec<&'static str>,
    /// Whether the bank's table stands first in FROM.
    pub(super) bank_first: bool,
}

impl Shows {
    /// As questions write it; a key's own text.
    fn sql(&self, keys: &[Key]) -> String {
        match self {
            Self::Key(place) => keys[*place].sql.clone(),
            Self::CountAll => "COUNT(*)".to_owned(),
            Self::Count(sql) => format!("COUNT({sql})"),
            _ => {
                let numbers: Vec<&str> = self
                    .numbers()
                    .iter()
                    .map(|number| number.sql.as_str())
                    .collect();
                format!("{}({})", self.function(), numbers.join(", "))
            }
        }
    }

    pub(super) fn function(&self) -> &'static str {
        match self {
            Self::Key(_) => "",
            Self::CountAll | Self::Count(_) => "COUNT",
            Self::Sum(_) => "SUM",
            Self::Avg(_) => "AVG",
            Self::VarSamp(_) => "VAR_SAMP",
            Self::StddevSamp(_) => "STDDEV_SAMP",
            Self::Corr(_) => "CORR",
            Self::RegrSlope(_) => "REGR_SLOPE",
            Self::RegrIntercept(_) => "REGR_INTERCEPT",
        }
    }

    /// What is added up: of two, y first.
    pub(super) fn numbers(&self) -> &[Number] {
        match self {
            Self::Key(_) | Self::CountAll | Self::Count(_) => &[],
            Self::Sum(x) | Self::Avg(x) | Self::VarSamp(x) | Self::StddevSamp(x) => {
                std::slice::from_ref(x)
            }
            Self::Corr(pair) | Self::RegrSlope(pair) | Self::RegrIntercept(pair) => pair,
        }
    }
}

impl Question {
    /// The SQL of the job.
    pub(super) fn ask(&self) -> String {
        let shown =
            |output: &Output| format!("{} AS {}", output.shows.sql(&self.keys), output.name);
        let outputs: Vec<String> = self.outputs.iter().map(shown).collect();
        let tables = ["\"north-bank\".customers b", "\"river-pay\".users p"];
        let [first, second] = if self.bank_first {
            tables
        } else {
            [tables[1], tables[0]]
        };
        let mut on = vec!["b.mobile = p.mobile".to_owned()];
        on.extend(self.on.iter().map(|conjunct| format!("({conjunct})")));
        let mut text = format!(
            "SELECT {} FROM {first} JOIN {second} ON {}",
            outputs.join(", "),
            on.join(" AND ")
        );
        text += &self.tail(
            "WHERE",
            self.filters
                .iter()
                .map(|filter| format!("({filter})"))
                .collect(),
            " AND ",
        );
        let keys = self.keys.iter().map(|key| key.sql.clone());
        text += &self.tail("GROUP BY", keys.collect(), ", ");
        if let Some(least) = self.having {
            text += &format!(" HAVING COUNT(*) >= {least}");
        }
        let order = self.order.iter().map(|(place, descending)| {
            format!(
                "{}{}",
                self.outputs[*place].name,
                if *descending { " DESC" } else { "" }
            )
        });
        text += &self.tail("ORDER BY", order.collect(), ", ");
        if let Some(limit) = self.limit {
            text += &format!(" LIMIT {limit}");
        }
        text
    }

    fn tail(&self, clause: &str, parts: Vec<String>, between: &str) -> String {
        match parts.is_empty() {
            true => String::new(),
            false => format!(" {clause} {}", parts.join(between)),
        }
    }

    /// The job of the bank that asks it, exact.
    pub(super) fn job(&self) -> Job {
        let listed = self.keys.iter().filter(|key| key.listed);
        Job {
            entente: 1,
            name: "truth".parse().expect("a name"),
            purpose: "compare with the clear".to_owned(),
            legal_basis: "consent".to_owned(),
            ask: self.ask(),
            parties: std::collections::BTreeSet::new(),
            aggregate: None,
            protect: Protect {
                min_group: self.min_group,
                ..Protect::default()
            },
            results_to: self
                .readers
                .iter()
                .map(|org| org.parse().expect("a name"))
                .collect(),
            expires_unix_s: 1_798_675_200,
            runs: 1,
            domains: listed
                .map(|key| (ColumnName(key.name.clone()), key.domain.clone()))
                .collect(),
            measures: self.measures(),
        }
    }

    /// Caps and scales of expressions, under the names of their outputs.
    fn measures(&self) -> BTreeMap<ColumnName, Measure> {
        let mut measures = BTreeMap::new();
        for output in &self.outputs {
            let numbers = output.shows.numbers();
            let pair: &[&str] = if numbers.len() > 1 {
                &[".y", ".x"]
            } else {
                &[""]
            };
            for (number, ending) in numbers
                .iter()
                .zip(pair)
                .filter(|(number, _)| number.capped_by_job)
            {
                let Cap { clip, scale } = number.cap;
                measures.insert(
                    ColumnName(format!("{}{ending}", output.name)),
                    Measure { clip, scale },
                );
            }
        }
        measures
    }

    /// The smallest group that is shown: the strictest of all four.
    pub(super) fn least(&self, policies: [u64; 2]) -> u64 {
        let own = [self.having, self.min_group];
        own.into_iter().flatten().chain(policies).max().unwrap_or(1)
    }

    /// Cells, shown or not.
    pub(super) fn cells(&self) -> u64 {
        let sizes = self
            .keys
            .iter()
            .map(|key| key.domain.len() as u64 + u64::from(key.nullable));
        sizes.product()
    }

    /// Keys in the order in which rows stand without ORDER BY: those of the first table in FROM, then the second's.
    pub(super) fn keys_by_table(&self) -> Vec<usize> {
        let first = usize::from(!self.bank_first);
        let of =
            |org: usize| (0..self.keys.len()).filter(move |place| self.keys[*place].org == org);
        of(first).chain(of(1 - first)).collect()
    }
}
