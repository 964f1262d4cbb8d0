//! A job as this organisation's people see it.

use super::life::{End, Life};
use super::{Core, Tracked};
use crate::ledger::{ResultFile, SessionEnd};
use entente_wire::local::{JobState, JobView, Progress, Waiting};
use entente_wire::names::OrgName;
use entente_wire::problem::Problem;

impl Core {
    /// The view of a job that has just come in.
    pub(super) fn first_view(&self, life: &Life) -> JobView {
        let submission = life.submission();
        JobView {
            hash: life.job(),
            id: life.job().short(),
            name: submission.job.name.to_string(),
            asker: life.asker().clone(),
            parties: submission.seal.parties.keys().cloned().collect(),
            state: life.state(false),
            waiting_for: Vec::new(),
            progress: None,
            problem: None,
            result_rows: None,
            suppressed_groups: None,
            summed_parties: None,
            result_path: None,
        }
    }

    pub(super) fn view_of(&self, tracked: &Tracked) -> JobView {
        let life = &tracked.life;
        let result = released(life);
        JobView {
            state: life.state(tracked.approval.is_some()),
            waiting_for: self.waiting_for(tracked),
            progress: self.progress_of(tracked),
            problem: problem_of(tracked),
            result_rows: result.map(|result| result.rows),
            suppressed_groups: result.map(|result| result.suppressed_groups),
            summed_parties: summed(life).map(<[OrgName]>::to_vec),
            result_path: result.map(|result| self.result_path(result).display().to_string()),
            ..self.first_view(life)
        }
    }

    fn waiting_for(&self, tracked: &Tracked) -> Vec<Waiting> {
        let life = &tracked.life;
        if life.state(tracked.approval.is_some()) != JobState::AwaitingApprovals {
            return Vec::new();
        }
        let missing = life
            .submission()
            .seal
            .parties
            .keys()
            .filter(|org| !life.approvals().contains_key(*org));
        let waiting = missing.filter_map(|org| {
            // What happens inside a partner's house is not seen here: its whole quorum counts as missing.
            let (need, of) = match &tracked.missing_here {
                Some(missing) if *org == self.own => missing.clone(),
                _ => tracked.quorums.get(org)?.clone(),
            };
            Some(Waiting {
                org: org.clone(),
                need,
                of,
            })
        });
        waiting.collect()
    }

    fn progress_of(&self, tracked: &Tracked) -> Option<Progress> {
        let approved_at_ms = tracked.life.approved_at_ms();
        if let Some(running) = &tracked.running {
            return Some(running.progress(approved_at_ms, self.now_ms()));
        }
        let (attempt, session) = tracked.life.sessions().iter().next_back()?;
        let (sent_bytes, received_bytes, stages_ms) = match session.end.as_ref()? {
            SessionEnd::Closed { own, stages_ms, .. } => {
                (own.sent_bytes, own.received_bytes, stages_ms)
            }
            SessionEnd::Summed {
                sent_bytes,
                received_bytes,
                stages_ms,
                ..
            } => (*sent_bytes, *received_bytes, stages_ms),
            SessionEnd::Broken { .. } => return None,
        };
        let waited_ms = session
            .opened_at_ms
            .saturating_sub(approved_at_ms.unwrap_or(session.opened_at_ms));
        Some(Progress {
            attempt: *attempt,
            stage: "done".to_owned(),
            rows_done: 0,
            rows_total: None,
            sent_bytes,
            received_bytes,
            elapsed_ms: stages_ms
                .iter()
                .fold(waited_ms, |sum, (_, ms)| sum.saturating_add(*ms)),
            eta_ms: None,
            stages_ms: stages_ms.clone(),
        })
    }
}

/// The parties whose numbers are in an aggregation's sum, once this node has seen its end.
fn summed(life: &Life) -> Option<&[OrgName]> {
    let mut sessions = life.sessions().values();
    sessions.find_map(|session| match session.end.as_ref()? {
        SessionEnd::Summed { survivors, .. } => Some(survivors.as_slice()),
        SessionEnd::Closed { .. } | SessionEnd::Broken { .. } => None,
    })
}

/// The result that was released to this organisation.
pub(super) fn released(life: &Life) -> Option<&ResultFile> {
    life.sessions()
        .values()
        .find_map(|session| match session.end.as_ref()? {
            SessionEnd::Closed { result, .. } | SessionEnd::Summed { result, .. } => {
                result.as_ref()
            }
            SessionEnd::Broken { .. } => None,
        })
}

fn problem_of(tracked: &Tracked) -> Option<Problem> {
    match tracked.life.end() {
        Some(End::Failed(problem)) => Some(problem.clone()),
        Some(End::Expired) => Some(tracked.life.expired()),
        Some(End::Done | End::Cancelled) => None,
        None => {
            let broken = tracked
                .life
                .sessions()
                .values()
                .next_back()
                .and_then(|session| match session.end.as_ref()? {
                    SessionEnd::Broken { problem } => Some(problem.clone()),
                    SessionEnd::Closed { .. } | SessionEnd::Summed { .. } => None,
                });
            tracked
                .hindrance
                .clone()
                .or_else(|| tracked.unreached.clone())
                .or(broken)
        }
    }
}
