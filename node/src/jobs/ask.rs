//! What a data team does with a job file: check it, see the page that approvers will see, submit it, take it back.

use super::decide::in_words;
use super::derive::{Derived, derive};
use super::view::View;
use super::{Core, Jobs, Live, records};
use crate::ledger::{Fact, SignedRecord};
use entente_wire::job::Job;
use entente_wire::leakage::Statement;
use entente_wire::link_speed::LinkSpeed;
use entente_wire::local::{JobCheck, JobState, JobView};
use entente_wire::names::OrgName;
use entente_wire::plan::Side;
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::{JobNonce, Protocol};
use entente_wire::sign::{Kind, Record};
use entente_wire::sql::Catalog;
use entente_wire::submission::Submission;

impl Jobs {
    /// Which rule refuses what in a job file. Reads no data, sends nothing.
    pub fn check(&self, yaml: &str) -> JobCheck {
        let nonce = JobNonce([0; 16]);
        match self.core.examine(yaml, nonce, None) {
            Ok((_, derived)) => JobCheck {
                problems: Vec::new(),
                summary: Some(derived.statement.runs.join("\n")),
            },
            Err(problems) => JobCheck {
                problems,
                summary: None,
            },
        }
    }

    /// The partner, the speed of the link to whom decides how the job runs.
    pub fn depends_on_link_to(&self, yaml: &str) -> Option<OrgName> {
        let (_, derived) = self.core.examine(yaml, JobNonce([0; 16]), None).ok()?;
        let (_, theirs) = self.core.sides(&derived).ok()?;
        matches!(derived.seal.protocol, Protocol::Blind(_)).then(|| theirs.org.clone())
    }

    /// The leakage statement: the page that approvers see, for the link as it was measured.
    pub fn preview(&self, yaml: &str, link: Option<LinkSpeed>) -> Result<Statement, Problem> {
        let nonce = JobNonce([0; 16]);
        let (_, derived) = self.core.examine(yaml, nonce, link).map_err(first)?;
        Ok(derived.statement)
    }

    /// Seals a job for the link as it was measured, and sends it to all parties.
    pub fn submit(&self, yaml: &str, link: Option<LinkSpeed>) -> Result<JobView, Problem> {
        let seed = self.core.fresh_seed()?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = seed;
        let nonce = JobNonce([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]);
        let (job, derived) = self.core.examine(yaml, nonce, link).map_err(first)?;
        let submission = Submission {
            job,
            seal: derived.seal,
        };
        let hash = submission.hash();
        let record = Record::sign(
            &self.core.node_key,
            Kind::Submission,
            &self.core.own,
            &submission,
        );
        let mut live = self.core.live();
        let fact = Fact::SubmissionSeen {
            job: hash,
            record: SignedRecord::from(&record),
        };
        self.core.begin(&mut live, &hash, fact)?;
        self.core.post(record);
        Ok(self.core.view_of(live.get(&hash)?))
    }

    /// Takes a job of this organisation back. A run that is on is broken off.
    pub fn cancel(&self, job_ref: &str) -> Result<JobView, Problem> {
        let mut live = self.core.live();
        let job = live.find(job_ref)?;
        let tracked = live.get_mut(&job)?;
        let state = tracked.life.state(tracked.approval.is_some());
        if *tracked.life.asker() != self.core.own {
            let asker = tracked.life.asker();
            let what = format!(
                "{} was asked by {asker}; only {asker} can cancel it",
                job.short()
            );
            let todo = "deny it, if it still waits for approvals here";
            return Err(Problem::request(Code::JobState, what, todo));
        }
        if state == JobState::Cancelled {
            return Ok(self.core.view_of(tracked));
        }
        if state.is_final() {
            let what = format!(
                "{} is {} and cannot be cancelled",
                job.short(),
                in_words(state)
            );
            return Err(Problem::request(
                Code::JobState,
                what,
                "nothing; it has ended",
            ));
        }
        self.core.write(tracked, Fact::JobCancelled { job })?;
        if let Some(granted) = &tracked.granted {
            granted.stop(&records::cancelled(&job, &self.core.own));
        }
        self.core.settle(&mut live, &job)?;
        Ok(self.core.view_of(live.get(&job)?))
    }
}

impl Core {
    /// Reads, plans and derives a job file, and looks at what would refuse it later: all problems at once.
    fn examine(
        &self,
        yaml: &str,
        nonce: JobNonce,
        link: Option<LinkSpeed>,
    ) -> Result<(Job, Derived), Vec<Problem>> {
        let job = Job::from_yaml(yaml).map_err(|problem| vec![problem])?;
        let live = self.live();
        let mut problems = Vec::new();
        if job.has_expired(self.now_ms() / 1_000) {
            let what = "the job's `expires` lies in the past";
            problems.push(Problem::request(
                Code::JobExpired,
                what,
                "write a later moment, such as a week from now",
            ));
        }
        match derive(&job, &self.own, nonce, link, &live.view) {
            Ok(derived) => {
                problems.extend(self.would_refuse(&live, &derived, &job));
                if problems.is_empty() {
                    return Ok((job, derived));
                }
            }
            Err(found) => problems.extend(found),
        }
        Err(problems)
    }

    /// Limits that a run of this plan would meet now.
    fn would_refuse(&self, live: &Live, derived: &Derived, job: &Job) -> Vec<Problem> {
        let view = &live.view;
        if job.is_aggregation() {
            let checked = self.check_aggregation(view, derived, job.protect.epsilon);
            return checked.err().into_iter().collect();
        }
        let Ok((own, theirs)) = self.sides(derived) else {
            return Vec::new();
        };
        let stored = self.answered(live, derived, None).ok().flatten();
        let loss = job.protect.epsilon.filter(|_| stored.is_none());
        let checks = [
            self.check_linked(&theirs.org),
            self.check_set(view, own, theirs),
            self.check_budgets(view, [own, theirs]),
            self.check_losses(view, [own, theirs], loss),
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }

    pub(super) fn check_linked(&self, partner: &OrgName) -> Result<(), Problem> {
        if self.ledger.partner(partner)?.is_some() {
            return Ok(());
        }
        let what = format!("{partner} is not linked with this node");
        Err(Problem::here(
            Code::PartnerUnknown,
            what,
            format!("link it first: `entente invite {partner}`"),
        ))
    }

    /// Whether our list is large enough for both policies.
    pub(super) fn check_set(&self, view: &View, own: &Side, theirs: &Side) -> Result<(), Problem> {
        let eligible = self.eligible(view, own)?;
        for side in [own, theirs] {
            let Some(publication) = view.publication(&side.org, &side.dataset) else {
                continue;
            };
            let min_set = publication.policy.min_set;
            if eligible < min_set {
                // The partner may be told: no count.
                let what = format!(
                    "fewer ids of {}'s {} can enter a job than the {min_set} that {}'s policy of {} asks for",
                    own.org, own.dataset, side.org, side.dataset
                );
                let todo = "use a larger dataset, or ask the policy's owner to lower min_set";
                return Err(Problem::here(Code::SetTooSmall, what, todo));
            }
        }
        Ok(())
    }

    /// Fresh randomness from the operating system.
    pub(super) fn fresh_seed(&self) -> Result<[u8; 32], Problem> {
        self.surroundings.seed().ok_or_else(|| {
            let what = "the operating system gave no randomness";
            Problem::here(Code::Defect, what, "check the machine, then try again")
        })
    }
}

fn first(problems: Vec<Problem>) -> Problem {
    problems.into_iter().next().unwrap_or_else(|| {
        let what = "the job was refused without a reason";
        Problem::here(Code::Defect, what, "report this with the job file")
    })
}
