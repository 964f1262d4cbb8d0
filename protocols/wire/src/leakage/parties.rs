//! The two parties: R, who reads the result, and S, its partner, who reads one too where `results_to` names both (protocols.md §5).

use super::{Cheat, NOT_PREVENTED, Observer, Party, ProtocolPart, Run, Who, cheat, release};
use crate::limits::ATTEMPTS_MAX;
use crate::plan::Operator;

/// One party as it looks at the other.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) me: Party<'a>,
    pub(super) partner: Party<'a>,
}

impl<'a> View<'a> {
    /// R's.
    pub(super) fn receiver(run: &'a Run<'a>) -> Self {
        Self {
            run,
            me: run.receiver,
            partner: run.sender,
        }
    }

    /// S's.
    pub(super) fn sender(run: &'a Run<'a>) -> Self {
        Self {
            run,
            me: run.sender,
            partner: run.receiver,
        }
    }
}

/// What R receives, learns and could get.
pub(super) fn receiver(run: &Run<'_>, part: &ProtocolPart) -> Observer {
    if let Operator::Joint(joint) = &run.plan.operator {
        return release::receiver(run, joint, part);
    }
    let view = View::receiver(run);
    let role = &part.receiver;
    let mut cheating = vec![view.enters(role.ids_most)];
    cheating.extend(run.plan.is_mutual().then(falsifies));
    cheating.extend(role.cheats.iter().cloned());
    cheating.extend(view.uses());
    cheating.push(view.repeats());
    cheating.push(cheat(
        "Break off once it has its result.",
        format!(
            "{NOT_PREVENTED}; the attempt counts at {}'s node",
            view.partner.org()
        ),
    ));
    view.observer(
        [view.result()],
        &role.receives,
        view.learns_result(),
        cheating,
    )
}

/// What S receives, learns and could get.
pub(super) fn sender(run: &Run<'_>, part: &ProtocolPart) -> Observer {
    if let Operator::Joint(joint) = &run.plan.operator {
        return release::sender(run, joint, part);
    }
    let view = View::sender(run);
    let role = &part.sender;
    let reads = run.plan.is_mutual();
    let mut cheating = vec![falsifies()];
    cheating.extend(reads.then(|| view.enters(role.ids_most)));
    cheating.extend(role.cheats.iter().cloned());
    cheating.extend(reads.then(|| view.uses()).into_iter().flatten());
    cheating.extend(reads.then(|| view.repeats()));
    cheating.push(match reads {
        false => cheat(
            "Break off in the middle.",
            format!("{NOT_PREVENTED}; the result is lost, nothing is learned from it"),
        ),
        true => cheat(
            "Break off once it has its result, or a part of it.",
            format!(
                "{NOT_PREVENTED}; the attempt counts at {}'s node",
                view.partner.org()
            ),
        ),
    });
    let learns = match reads {
        true => view.learns_result(),
        false => {
            let nothing = "Nothing about the result: neither which ids are common nor, beyond what times tell, how many.";
            vec![nothing.to_owned()]
        }
    };
    let result = reads.then(|| view.result());
    view.observer(result, &role.receives, learns, cheating)
}

impl View<'_> {
    pub(super) fn observer(
        self,
        result: impl IntoIterator<Item = String>,
        messages: &[String],
        result_learned: Vec<String>,
        cheating: Vec<Cheat>,
    ) -> Observer {
        let mut receives: Vec<String> = result.into_iter().collect();
        receives.extend(messages.iter().cloned());
        receives.push(records(self.partner));
        let mut learns = result_learned;
        learns.extend([size(self.partner), self.time()]);
        Observer {
            who: Who::Party {
                org: self.me.org().clone(),
            },
            receives,
            learns,
            cheating,
        }
    }

    fn time(self) -> String {
        let partner = self.partner.org();
        let writes = self.run.plan.recipients().contains(&partner);
        let writes = match writes {
            true => " and, as it writes its result before it closes, how large that is",
            false => "",
        };
        format!(
            "How long {partner}'s node takes, which tells roughly how many rows it reads{writes}."
        )
    }

    pub(super) fn result(self) -> String {
        format!("The result, for {}'s people.", self.me.org())
    }

    /// What a reader learns by design.
    fn learns_result(self) -> Vec<String> {
        let mut learns = match &self.run.plan.operator {
            Operator::Reveal { .. } => vec![self.which()],
            Operator::Table { min_group, .. } => vec![
                self.which(),
                format!(
                    "The table, which it computes from that and its own columns; also the groups of fewer than {min_group} ids, which its \
                     node knows and does not show."
                ),
            ],
            // Its reader learns what `release` says.
            Operator::Joint(_) => Vec::new(),
            Operator::Overlap { min_group, .. } => vec![
                format!(
                    "How many of {} are among {}: the exact number. Its node learns it even if it is below {min_group} and then does \
                     not show it.",
                    own_ids(self.me),
                    entered(self.partner)
                ),
                "Not which ids these are, unless they are none or all of them.".to_owned(),
            ],
        };
        learns.extend(self.about_conditions());
        learns
    }

    /// "Which of its own ids …", the truth about a reveal.
    fn which(self) -> String {
        format!(
            "Which of {} are among {}: id by id.",
            own_ids(self.me),
            entered(self.partner)
        )
    }

    /// A condition at the partner's side says something about each matched person.
    pub(super) fn about_conditions(self) -> Option<String> {
        let conditions = self.partner.conditions();
        if conditions.is_empty() {
            return None;
        }
        let (partner, conditions) = (self.partner.org(), conditions.join(" AND "));
        Some(match &self.run.plan.operator {
            Operator::Overlap { .. } => format!(
                "How many of the common ids meet {partner}'s condition {conditions}; not which."
            ),
            Operator::Joint(_) => format!(
                "That only common ids which meet {partner}'s condition {conditions} are added up; not which these are."
            ),
            Operator::Reveal { .. } | Operator::Table { .. } => format!(
                "Of each matched id, that it meets {partner}'s condition {conditions}; of an id it already knows to be at {partner}, a missing \
                 match tells that it does not, or that consent is missing."
            ),
        })
    }

    /// Whoever reads can ask about whom it likes.
    pub(super) fn enters(self, ids_most: u64) -> Cheat {
        cheat(
            format!(
                "Enter ids that it does not hold, or only those it is curious about, up to its padded size of {ids_most} in each of at \
                 most {ATTEMPTS_MAX} attempts."
            ),
            format!(
                "{NOT_PREVENTED}; `min_set` is kept by {}'s own node",
                self.me.org()
            ),
        )
    }

    /// What a reader can make of what it has learned.
    fn uses(self) -> Vec<Cheat> {
        match &self.run.plan.operator {
            Operator::Reveal { .. } => vec![cheat(
                "Keep the list of matched ids and use it for something else.",
                format!("{NOT_PREVENTED}; the purpose binds by contract"),
            )],
            Operator::Table { .. } => vec![
                cheat(
                    "Keep the list of matched ids, or compute other tables from it.",
                    format!("{NOT_PREVENTED}; its node holds the list and is meant to drop it"),
                ),
                cheat(
                    "Show groups that are smaller than allowed.",
                    format!(
                        "{NOT_PREVENTED}; the threshold is applied by {}'s own node",
                        self.me.org()
                    ),
                ),
            ],
            Operator::Joint(_) => Vec::new(),
            Operator::Overlap { .. } => vec![
                cheat(
                    "Recognise which of its ids matched by relating its blinded points to each other, or by entering one id many \
                     times in disguise.",
                    format!("{NOT_PREVENTED}; the protocol is safe against parties that follow it"),
                ),
                cheat(
                    "Ask slightly different questions and subtract the exact numbers.",
                    format!(
                        "{NOT_PREVENTED} by noise, there is none; each question needs its own approvals, at most {} in 30 days",
                        self.partner.publication.policy.budget.jobs_per_30d
                    ),
                ),
            ],
        }
    }

    pub(super) fn repeats(self) -> Cheat {
        cheat(
            "Run the job again with the same approvals.",
            format!(
                "{}'s node, which counts runs and attempts on disk, at most {ATTEMPTS_MAX}; each attempt's signed dataset version is on \
                 record",
                self.partner.org()
            ),
        )
    }
}

/// Whoever does not read alone can spoil another's result.
fn falsifies() -> Cheat {
    cheat(
        "Leave out ids or invent some, so that the result is wrong.",
        format!("{NOT_PREVENTED}; its signed dataset version is on record"),
    )
}

fn own_ids(party: Party<'_>) -> &'static str {
    if party.conditions().is_empty() {
        "its own ids"
    } else {
        "its own ids that meet the conditions on its side"
    }
}

/// Which of the partner's ids take part.
fn entered(party: Party<'_>) -> String {
    let partner = party.org();
    let consent = party.publication.policy.consent.is_some();
    match (consent, party.conditions().is_empty()) {
        (true, true) => format!("{partner}'s ids with consent"),
        (true, false) => {
            format!("{partner}'s ids with consent that meet the conditions on {partner}'s side")
        }
        (false, true) => format!("{partner}'s ids"),
        (false, false) => format!("{partner}'s ids that meet the conditions on {partner}'s side"),
    }
}

fn records(party: Party<'_>) -> String {
    format!(
        "{}'s part of the job: approvals with the names of its approvers, signed opening and transcript (dataset version, padded \
         size, byte counts, hashes).",
        party.org()
    )
}

fn size(party: Party<'_>) -> String {
    let grid = party.publication.policy.set_grid;
    format!(
        "That {} has at most {} ids, a number that it rounds up to a multiple of {grid} and has published.",
        party.org(),
        party.ids()
    )
}
