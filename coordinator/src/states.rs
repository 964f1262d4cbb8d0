//! The state of a job as a pure function of what was filed about it.
//!
//! ```text
//! submitted → awaiting-approvals → ready → running → done
//!      └──────────┴─────────────────┴─────────┴────→ failed | cancelled | expired
//! ```
//!
//! It is what people are shown while they wait. No node acts on it: nodes verify approvals themselves.

use crate::rounds::RoundFacts;
use entente_wire::names::OrgName;
use entente_wire::report::Step;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// What a submission says, as far as states go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobFacts {
    pub(crate) asker: OrgName,
    pub(crate) parties: BTreeSet<OrgName>,
    pub(crate) expires_unix_s: u64,
    /// What its rounds go by, if it is a secure aggregation.
    pub(crate) round: Option<Arc<RoundFacts>>,
}

/// One report about the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported<'a> {
    pub(crate) by: &'a OrgName,
    pub(crate) attempt: u32,
    pub(crate) step: Step,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Filed; no party has approved yet.
    Submitted,
    /// Some parties have approved, not all.
    AwaitingApprovals,
    /// All parties have approved.
    Ready,
    /// A session has begun.
    Running,
    /// The newest run ended well.
    Done,
    /// A party declined or denied, or the newest run ended in a fault.
    Failed,
    /// The asker took it back.
    Cancelled,
    /// Nothing of this happened in time.
    Expired,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submitted => "submitted",
            Self::AwaitingApprovals => "awaiting-approvals",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        })
    }
}

/// The state at `now_unix_s`. What ended well or badly stays so; only what is still open can expire. Reports and approvals of
/// organisations that are no parties count for nothing.
pub(crate) fn state(
    job: &JobFacts,
    approved_by: &BTreeSet<&OrgName>,
    reports: &[Reported<'_>],
    now_unix_s: u64,
) -> State {
    let reports = || reports.iter().filter(|r| job.parties.contains(r.by));
    // Of an aggregation its reader tells: any other party that failed is only not in it.
    let reader = job.round.as_ref().map(|round| round.reader());
    let run = newest_run(reports().filter(|r| reader.is_none_or(|reader| reader == r.by)));
    if run == Some(State::Done) {
        return State::Done;
    }
    if reports().any(|r| r.step == Step::Cancelled && *r.by == job.asker) {
        return State::Cancelled;
    }
    let refused = |r: &Reported<'_>| matches!(r.step, Step::Declined | Step::Denied);
    if run == Some(State::Failed) || reports().any(refused) {
        return State::Failed;
    }
    if now_unix_s >= job.expires_unix_s {
        return State::Expired;
    }
    if run == Some(State::Running) {
        return State::Running;
    }
    match missing(job, approved_by).count() {
        0 => State::Ready,
        all if all == job.parties.len() => State::Submitted,
        _ => State::AwaitingApprovals,
    }
}

/// The parties whose approval is missing.
pub(crate) fn missing<'a>(
    job: &'a JobFacts,
    approved_by: &'a BTreeSet<&OrgName>,
) -> impl Iterator<Item = &'a OrgName> {
    job.parties
        .iter()
        .filter(|party| !approved_by.contains(party))
}

/// How the newest attempt stands. A fault outweighs the other side's "done", because "done" speaks for both.
fn newest_run<'a>(reports: impl Iterator<Item = &'a Reported<'a>> + Clone) -> Option<State> {
    let of_runs = reports.filter(|r| matches!(r.step, Step::Running | Step::Done | Step::Failed));
    let newest = of_runs.clone().map(|r| r.attempt).max()?;
    let steps = of_runs.filter(|r| r.attempt == newest).map(|r| r.step);
    let has = |wanted: Step| steps.clone().any(|step| step == wanted);
    Some(if has(Step::Failed) {
        State::Failed
    } else if has(Step::Done) {
        State::Done
    } else {
        State::Running
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::rehearsal::{roster, terms};
    use Step::{Cancelled, Declined, Denied, Done, Failed, Running};

    const EXPIRES: u64 = 1_000;

    fn org(name: &str) -> OrgName {
        name.parse().expect("a valid name")
    }

    /// Who approved (n, r, h for the two parties and a stranger), what was reported, before and after the expiry.
    type Row = (
        &'static str,
        &'static [(char, u32, Step)],
        State,
        State,
        &'static str,
    );

    const TABLE: &[Row] = &[
        ("", &[], State::Submitted, State::Expired, "filed only"),
        (
            "n",
            &[],
            State::AwaitingApprovals,
            State::Expired,
            "one of two",
        ),
        (
            "r",
            &[],
            State::AwaitingApprovals,
            State::Expired,
            "the other of two",
        ),
        ("nr", &[], State::Ready, State::Expired, "both"),
        (
            "h",
            &[],
            State::Submitted,
            State::Expired,
            "a stranger's approval counts for nothing",
        ),
        (
            "nr",
            &[('n', 1, Running)],
            State::Running,
            State::Expired,
            "one side has begun",
        ),
        (
            "nr",
            &[('n', 1, Running), ('r', 1, Running)],
            State::Running,
            State::Expired,
            "both have begun",
        ),
        (
            "nr",
            &[('n', 1, Running), ('r', 1, Done)],
            State::Done,
            State::Done,
            "one side says done",
        ),
        (
            "nr",
            &[('n', 1, Done), ('r', 1, Done)],
            State::Done,
            State::Done,
            "both say done",
        ),
        (
            "nr",
            &[('n', 1, Done), ('r', 1, Failed)],
            State::Failed,
            State::Failed,
            "the sides disagree",
        ),
        (
            "nr",
            &[('n', 1, Failed)],
            State::Failed,
            State::Failed,
            "a fault",
        ),
        (
            "nr",
            &[('n', 1, Failed), ('n', 2, Running)],
            State::Running,
            State::Expired,
            "a new attempt after a fault",
        ),
        (
            "nr",
            &[('n', 2, Done), ('n', 1, Failed)],
            State::Done,
            State::Done,
            "the newest attempt counts, in whatever order",
        ),
        (
            "nr",
            &[('n', 1, Done), ('n', 2, Running)],
            State::Running,
            State::Expired,
            "a second run of a job that may run twice",
        ),
        (
            "",
            &[('r', 0, Declined)],
            State::Failed,
            State::Failed,
            "a node declined",
        ),
        (
            "n",
            &[('r', 0, Denied)],
            State::Failed,
            State::Failed,
            "a person denied",
        ),
        (
            "",
            &[('h', 0, Denied)],
            State::Submitted,
            State::Expired,
            "a stranger's denial",
        ),
        (
            "nr",
            &[('h', 1, Done)],
            State::Ready,
            State::Expired,
            "a stranger's done",
        ),
        (
            "n",
            &[('n', 0, Cancelled)],
            State::Cancelled,
            State::Cancelled,
            "taken back by the asker",
        ),
        (
            "n",
            &[('r', 0, Cancelled)],
            State::AwaitingApprovals,
            State::Expired,
            "taken back by somebody else",
        ),
        (
            "nr",
            &[('n', 1, Running), ('n', 1, Cancelled)],
            State::Cancelled,
            State::Cancelled,
            "taken back while running",
        ),
        (
            "nr",
            &[('n', 1, Failed), ('n', 1, Cancelled)],
            State::Cancelled,
            State::Cancelled,
            "taken back after a fault",
        ),
        (
            "nr",
            &[('n', 1, Done), ('n', 1, Cancelled)],
            State::Done,
            State::Done,
            "what is done cannot be taken back",
        ),
    ];

    #[test]
    fn every_row_of_the_table_holds() {
        let name = |short: char| match short {
            'n' => org("north-bank"),
            'r' => org("river-pay"),
            _ => org("harbour-bank"),
        };
        let job = JobFacts {
            asker: name('n'),
            parties: [name('n'), name('r')].into(),
            expires_unix_s: EXPIRES,
            round: None,
        };
        for (approved, reported, before, after, what) in TABLE {
            let approved: Vec<OrgName> = approved.chars().map(name).collect();
            let approved: BTreeSet<&OrgName> = approved.iter().collect();
            let names: Vec<OrgName> = reported.iter().map(|(by, ..)| name(*by)).collect();
            let reports: Vec<Reported<'_>> = reported
                .iter()
                .zip(&names)
                .map(|(&(_, attempt, step), by)| Reported { by, attempt, step })
                .collect();
            let at = |now| state(&job, &approved, &reports, now);
            assert_eq!(at(EXPIRES - 1), *before, "before the expiry: {what}");
            assert_eq!(at(EXPIRES), *after, "at the expiry: {what}");
        }
    }

    #[test]
    fn of_an_aggregation_its_reader_tells() {
        let roster = roster(3);
        let (reader, other) = (&roster[0], &roster[1]);
        let facts = RoundFacts::read(roster.clone(), &terms(reader, 3));
        let job = JobFacts {
            asker: other.clone(),
            parties: roster.iter().cloned().collect(),
            expires_unix_s: EXPIRES,
            round: Some(Arc::new(facts.expect("sensible terms"))),
        };
        let approved: BTreeSet<&OrgName> = job.parties.iter().collect();
        let report = |by, step| Reported {
            by,
            attempt: 1,
            step,
        };
        let told = |reports: &[Reported<'_>]| state(&job, &approved, reports, EXPIRES - 1);
        let by_other = report(other, Failed);
        assert_eq!(told(&[by_other]), State::Ready);
        assert_eq!(told(&[by_other, report(reader, Running)]), State::Running);
        assert_eq!(told(&[by_other, report(reader, Done)]), State::Done);
        assert_eq!(told(&[report(reader, Failed)]), State::Failed);
    }

    #[test]
    fn the_missing_parties_are_named() {
        let (north, river) = (org("north-bank"), org("river-pay"));
        let job = JobFacts {
            asker: north.clone(),
            parties: [north.clone(), river.clone()].into(),
            expires_unix_s: EXPIRES,
            round: None,
        };
        let approved = BTreeSet::from([&north]);
        assert_eq!(missing(&job, &approved).collect::<Vec<_>>(), [&river]);
    }
}
