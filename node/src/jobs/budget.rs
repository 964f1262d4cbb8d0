//! How many sessions a dataset has left with a partner. Every session opened counts, whatever came of it, and it counts before
//! it opens: a partner cannot get answers for free by breaking off.

use entente_wire::names::{DatasetName, OrgName};
use entente_wire::problem::{Code, Problem};
use jiff::Timestamp;

/// The running window of `jobs_per_30d`.
pub(crate) const WINDOW_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// One dataset's budget with one partner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget<'a> {
    /// Whose dataset.
    pub(crate) owner: &'a OrgName,
    /// Which.
    pub(crate) dataset: &'a DatasetName,
    /// With whom it is used.
    pub(crate) user: &'a OrgName,
    /// Sessions in any 30 days.
    pub(crate) limit: u64,
}

impl Budget<'_> {
    /// Sessions left, with these opened within the window.
    pub(crate) fn left(&self, opened_at_ms: &[u64]) -> u64 {
        self.limit.saturating_sub(opened_at_ms.len() as u64)
    }

    /// Whether one more session may open. `opened_at_ms`: those within the window, oldest first.
    pub(crate) fn check(&self, opened_at_ms: &[u64]) -> Result<(), Problem> {
        if self.left(opened_at_ms) > 0 {
            return Ok(());
        }
        let Self {
            owner,
            dataset,
            user,
            limit,
        } = self;
        let what = format!(
            "{user} and {owner} have used up the {limit} sessions in 30 days that the policy of {owner}'s dataset {dataset} allows"
        );
        // The oldest so many are in the way that one fewer than the limit is left once they are out of the window.
        let in_the_way = (opened_at_ms.len() as u64).saturating_sub(*limit);
        let frees_up = usize::try_from(in_the_way)
            .ok()
            .and_then(|place| opened_at_ms.get(place));
        let todo = match frees_up.map(|at| day(at.saturating_add(WINDOW_MS))) {
            Some(day) => format!(
                "run it on {day} or later, when the next one is free, or ask {owner} to raise jobs_per_30d"
            ),
            None => format!("ask {owner} to raise jobs_per_30d: it allows none"),
        };
        Err(Problem::partner(owner, Code::BudgetUsedUp, what, todo))
    }
}

/// The first day on which all of the given moment has passed, in UTC.
fn day(unix_ms: u64) -> String {
    let ms = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    match Timestamp::from_millisecond(ms) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => "a day after the year 9999".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 3_600 * 1_000;
    /// 2026-09-21 10:13:20 UTC.
    const T0_MS: u64 = 1_790_000_000_000;

    fn check(limit: u64, opened_at_ms: &[u64]) -> Result<(), Problem> {
        let owner: OrgName = "river-pay".parse().expect("a name");
        let user: OrgName = "north-bank".parse().expect("a name");
        let dataset: DatasetName = "users".parse().expect("a name");
        Budget {
            owner: &owner,
            dataset: &dataset,
            user: &user,
            limit,
        }
        .check(opened_at_ms)
    }

    #[test]
    fn the_last_one_may_open_and_one_more_may_not() {
        assert_eq!(check(2, &[T0_MS]), Ok(()));
        let problem = check(2, &[T0_MS, T0_MS + DAY_MS]).expect_err("used up");
        assert_eq!(problem.code, Code::BudgetUsedUp);
        assert!(problem.todo.contains("2026-10-21"), "{}", problem.todo);
    }

    #[test]
    fn after_the_limit_was_lowered_the_day_named_is_the_one_that_helps() {
        let opened: Vec<u64> = (0..4).map(|day| T0_MS + day * DAY_MS).collect();
        let problem = check(2, &opened).expect_err("used up");
        assert!(problem.todo.contains("2026-10-23"), "{}", problem.todo);
    }

    #[test]
    fn a_limit_of_none_names_no_day() {
        let problem = check(0, &[]).expect_err("none allowed");
        assert!(problem.todo.contains("allows none"), "{}", problem.todo);
    }
}
