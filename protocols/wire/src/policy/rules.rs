//! What every policy has to be, whoever wrote it and however it came here.

use super::{ColumnPolicy, Policy, Quorum};
use crate::canonical;
use crate::decimal::SCALE_MAX;
use crate::flaw::{Flaw, require};
use crate::limits::{
    COLUMNS_MAX, DOMAIN_VALUE_BYTES_MAX, DOMAIN_VALUES_MAX, IDS_MAX, JOBS_PER_30D_MAX, PARTIES_MAX,
    POLICY_BYTES_MAX, ROLES_MAX,
};
use crate::printable::is_unprintable;
use std::collections::BTreeSet;

impl Policy {
    /// The rules that a file's shape alone cannot hold. Paths are those of the TOML file.
    pub(crate) fn check(&self) -> Result<(), Flaw> {
        for (field, column) in [("consent", &self.consent), ("latest", &self.latest)] {
            if let Some(column) = column {
                column
                    .check()
                    .map_err(|flaw| flaw.within(["dataset", field]))?;
            }
        }
        for (field, ids) in [
            ("min_group", self.min_group),
            ("min_set", self.min_set),
            ("set_grid", self.set_grid),
        ] {
            require((1..=IDS_MAX).contains(&ids), || {
                Flaw::at(
                    ["dataset", field],
                    format!("{ids} is not a number of ids from 1 to {IDS_MAX}"),
                    "write a number such as 50",
                )
            })?;
        }
        let budget = &self.budget;
        budget
            .epsilon_per_year
            .check()
            .map_err(|flaw| flaw.within(["dataset", "budget", "epsilon_per_year"]))?;
        require(budget.jobs_per_30d <= JOBS_PER_30D_MAX, || {
            let what = format!("{} runs in 30 days are no limit", budget.jobs_per_30d);
            Flaw::at(
                ["dataset", "budget", "jobs_per_30d"],
                what,
                format!("write at most {JOBS_PER_30D_MAX}"),
            )
        })?;
        self.approvers
            .check()
            .map_err(|flaw| flaw.within(["dataset", "approvers"]))?;
        self.check_columns()?;
        require(canonical::to_bytes(self).len() <= POLICY_BYTES_MAX, || {
            let what = format!("the whole policy is longer than {POLICY_BYTES_MAX} bytes");
            Flaw::at(
                [],
                what,
                "shorten the longest domains, or publish fewer columns",
            )
        })
    }

    fn check_columns(&self) -> Result<(), Flaw> {
        require(self.columns.len() <= COLUMNS_MAX, || {
            Flaw::at(
                ["columns"],
                format!("there are more than {COLUMNS_MAX} columns"),
                "publish fewer columns",
            )
        })?;
        require(
            self.columns.values().any(|column| column.id.is_some()),
            || {
                let fix =
                    "give the column that people are matched on an id kind: id = \"e164(+86)\"";
                Flaw::at(
                    ["columns"],
                    "no column has an `id`, so nothing can be matched",
                    fix,
                )
            },
        )?;
        for (name, column) in &self.columns {
            name.check()
                .and_then(|()| column.check())
                .map_err(|flaw| flaw.within(["columns", &name.0]))?;
        }
        Ok(())
    }
}

impl Quorum {
    fn check(&self) -> Result<(), Flaw> {
        require((1..=ROLES_MAX).contains(&self.of.len()), || {
            Flaw::at(
                ["of"],
                format!("there have to be 1 to {ROLES_MAX} roles"),
                "name the roles that approve: [\"data-owner\"]",
            )
        })?;
        let most = u32::try_from(self.of.len()).unwrap_or(u32::MAX);
        require((1..=most).contains(&self.need), || {
            let what = format!(
                "{} of {most} different roles cannot be asked for",
                self.need
            );
            Flaw::at(
                ["need"],
                what,
                format!("write a number from 1 to {most}, or add roles to `of`"),
            )
        })
    }
}

impl ColumnPolicy {
    fn check(&self) -> Result<(), Flaw> {
        for (verb, orgs) in &self.may {
            require(self.id.is_some() || !verb.needs_id(), || {
                let what = format!("`{verb}` is granted, but the column holds no ids");
                Flaw::at(
                    ["may", verb.as_str()],
                    what,
                    "add `id`, or take the grant away",
                )
            })?;
            require(orgs.len() <= PARTIES_MAX, || {
                let what = format!("there are more than {PARTIES_MAX} organisations");
                Flaw::at(["may", verb.as_str()], what, "grant to fewer organisations")
            })?;
        }
        if let Some(values) = &self.domain {
            domain(values).map_err(|flaw| flaw.within(["domain"]))?;
        }
        match (self.clip, self.scale) {
            (Some(range), Some(scale)) => clip(range, scale),
            (None, None) => Ok(()),
            (Some(_), None) => Err(Flaw::at(
                ["clip"],
                "`clip` stands without `scale`",
                "add how many decimals are kept: scale = 2",
            )),
            (None, Some(_)) => Err(Flaw::at(
                ["scale"],
                "`scale` stands without `clip`",
                "add the range that values are capped to: clip = [0, 1000]",
            )),
        }
    }
}

/// A public list of values: not empty, not overlong, no value twice, each one a line.
pub(crate) fn domain(values: &[String]) -> Result<(), Flaw> {
    require((1..=DOMAIN_VALUES_MAX).contains(&values.len()), || {
        let what = format!(
            "a domain has 1 to {DOMAIN_VALUES_MAX} values, not {}",
            values.len()
        );
        Flaw::at([], what, "list every value that can occur")
    })?;
    let mut seen = BTreeSet::new();
    for (place, value) in values.iter().enumerate() {
        let place = place.to_string();
        require(
            value.len() <= DOMAIN_VALUE_BYTES_MAX && !value.chars().any(is_unprintable),
            || {
                let what = format!(
                    "the value is longer than {DOMAIN_VALUE_BYTES_MAX} bytes or has control characters"
                );
                Flaw::at(
                    [&place],
                    what,
                    "use shorter values, for example through CASE",
                )
            },
        )?;
        require(seen.insert(value), || {
            Flaw::at(
                [&place],
                "the value stands in the domain twice",
                "keep one of the two",
            )
        })?;
    }
    Ok(())
}

/// A cap and its scale.
pub(crate) fn clip([low, high]: [i64; 2], scale: u8) -> Result<(), Flaw> {
    require(scale <= SCALE_MAX, || {
        Flaw::at(
            ["scale"],
            format!("at most {SCALE_MAX} decimals can be kept"),
            "write a smaller scale",
        )
    })?;
    require(low < high, || {
        Flaw::at(
            ["clip"],
            "the first bound is not below the second",
            "write the smaller bound first: [0, 1000]",
        )
    })
}
