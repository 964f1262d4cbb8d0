//! What a dataset has left with a partner: sessions in any 30 days, and privacy loss (ε) in any 365 days.
//!
//! Every session opened counts, whatever came of it, and it counts before it opens; every release that begins counts, and it
//! counts before its first message: a partner cannot get answers for free by breaking off. Losses add up (basic composition),
//! in millionths, so that a budget is exact at its boundary.

use crate::ledger::Spent;
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::policy::Epsilon;
use entente_wire::problem::{Code, Problem};
use jiff::Timestamp;

/// The running window of `jobs_per_30d`.
pub(crate) const WINDOW_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// The running window of `epsilon_per_year`: 365 days, leap year or not.
pub(crate) const YEAR_MS: u64 = 365 * 24 * 3_600 * 1_000;
/// Moments are told to the minute.
const MINUTE_MS: u64 = 60 * 1_000;

/// One dataset's budget of sessions with one partner.
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
        let todo = match frees_up.map(|at| passed(at.saturating_add(WINDOW_MS))) {
            Some(day) => format!(
                "run it on {day} or later, when the next one is free, or ask {owner} to raise jobs_per_30d"
            ),
            None => format!("ask {owner} to raise jobs_per_30d: it allows none"),
        };
        Err(Problem::partner(owner, Code::BudgetUsedUp, what, todo))
    }
}

/// One dataset's budget of privacy loss with one partner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LossBudget<'a> {
    /// Whose dataset.
    pub(crate) owner: &'a OrgName,
    /// Which.
    pub(crate) dataset: &'a DatasetName,
    /// With whom it is used.
    pub(crate) user: &'a OrgName,
    /// Loss in any 365 days.
    pub(crate) limit: Epsilon,
}

impl LossBudget<'_> {
    /// Loss left, with this spent within the window.
    pub(crate) fn left(&self, spent: &[Spent]) -> Epsilon {
        Epsilon(self.limit.0.saturating_sub(total(spent)))
    }

    /// Whether `cost` more may be lost. `spent`: within the window, oldest first.
    pub(crate) fn check(&self, spent: &[Spent], cost: Epsilon) -> Result<(), Problem> {
        let left = self.left(spent);
        if cost <= left {
            return Ok(());
        }
        let Self {
            owner,
            dataset,
            user,
            limit,
        } = self;
        let what = format!(
            "the policy of {owner}'s dataset {dataset} allows a privacy loss of {limit} in 365 days with {user}, of which {left} is left; the job costs {cost}"
        );
        let todo = match self.frees_up(spent, cost) {
            Some(at) => format!(
                "run it on {} or later, when enough is free again, ask with a smaller `epsilon`, or ask {owner} to raise epsilon_per_year",
                passed(at)
            ),
            None => format!(
                "ask with an `epsilon` of at most {limit}: so large a loss is never allowed; or ask {owner} to raise epsilon_per_year"
            ),
        };
        Err(Problem::partner(owner, Code::BudgetUsedUp, what, todo))
    }

    /// The last moment at which `cost` is still too much, if it is not so for ever: the oldest losses leave the window first.
    fn frees_up(&self, spent: &[Spent], cost: Epsilon) -> Option<u64> {
        let room = self.limit.0.checked_sub(cost.0)?;
        let mut rest = total(spent);
        let last = spent.iter().find(|loss| {
            rest = rest.saturating_sub(loss.epsilon.0);
            rest <= room
        });
        last.map(|loss| loss.at_unix_ms.saturating_add(YEAR_MS))
    }
}

/// Each loss is at most 10^9 millionths: more than 10^10 of them fit.
fn total(spent: &[Spent]) -> u64 {
    let losses = spent.iter().map(|loss| loss.epsilon.0);
    losses.fold(0, u64::saturating_add)
}

/// The first minute at which the given moment has passed, in UTC.
fn passed(unix_ms: u64) -> String {
    let minute = (unix_ms / MINUTE_MS).saturating_add(1);
    let ms = i64::try_from(minute.saturating_mul(MINUTE_MS)).unwrap_or(i64::MAX);
    match Timestamp::from_millisecond(ms) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => "a day after the year 9999".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 3_600 * 1_000;
    /// 2026-09-21 14:13:20 UTC.
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

    #[test]
    fn the_minute_named_is_one_at_which_the_moment_has_passed() {
        assert_eq!(passed(T0_MS), "2026-09-21 14:14 UTC");
        assert_eq!(passed(T0_MS + 39_999), "2026-09-21 14:14 UTC");
        assert_eq!(passed(T0_MS + 40_000), "2026-09-21 14:15 UTC");
    }

    /// Losses in millionths, one a day.
    fn spent(millionths: &[u64]) -> Vec<Spent> {
        let days = (0..).map(|day| T0_MS + day * DAY_MS);
        let losses = days.zip(millionths);
        let losses = losses.map(|(at_unix_ms, loss)| Spent {
            at_unix_ms,
            epsilon: Epsilon(*loss),
        });
        losses.collect()
    }

    fn check_loss(limit: u64, millionths: &[u64], cost: u64) -> Result<(), Problem> {
        let owner: OrgName = "river-pay".parse().expect("a name");
        let user: OrgName = "north-bank".parse().expect("a name");
        let dataset: DatasetName = "users".parse().expect("a name");
        LossBudget {
            owner: &owner,
            dataset: &dataset,
            user: &user,
            limit: Epsilon(limit),
        }
        .check(&spent(millionths), Epsilon(cost))
    }

    #[test]
    fn the_last_millionth_may_be_lost_and_one_more_may_not() {
        assert_eq!(check_loss(8_000_000, &[3_000_000, 4_999_999], 1), Ok(()));
        let problem = check_loss(8_000_000, &[3_000_000, 4_999_999], 2).expect_err("too much");
        assert_eq!(problem.code, Code::BudgetUsedUp);
        assert!(
            problem.what.contains("0.000001 is left"),
            "{}",
            problem.what
        );
    }

    #[test]
    fn the_day_named_is_the_first_on_which_enough_has_left_the_window() {
        let losses = [1_000_000, 2_000_000, 3_000_000];
        let day = |limit, cost| check_loss(limit, &losses, cost).expect_err("used up").todo;
        assert!(day(6_000_000, 1_000_000).contains("2027-09-21 14:14"));
        assert!(day(6_000_000, 1_000_001).contains("2027-09-22 14:14"));
        assert!(day(6_000_000, 6_000_000).contains("2027-09-23 14:14"));
        // Lowered below what is spent: the oldest alone do not help.
        assert!(day(2_500_000, 1_000_000).contains("2027-09-23 14:14"));
    }

    #[test]
    fn a_loss_above_the_limit_is_never_free() {
        for losses in [&[][..], &[1_000_000]] {
            let problem = check_loss(2_000_000, losses, 2_000_001).expect_err("too much");
            assert!(problem.todo.contains("never allowed"), "{}", problem.todo);
        }
        let problem = check_loss(0, &[], 1).expect_err("none allowed");
        assert!(problem.todo.contains("never allowed"), "{}", problem.todo);
    }
}
