//! Those who take no part: the coordinator and whoever reads the network; and what everything rests on.

use super::{NOT_PREVENTED, Observer, ProtocolPart, Run, Who, cheat};
use crate::plan::Operator;

/// The coordinator orchestrates and is blind.
pub(super) fn coordinator(run: &Run<'_>) -> Observer {
    let (receiver, sender) = (run.receiver.org(), run.sender.org());
    Observer {
        who: Who::Coordinator,
        receives: vec![
            "The job as written, its seal, the approvals with the names of the approvers, and reports such as \"running\" or \"done\"."
                .to_owned(),
            "Both parties' published schemas, policies and rounded sizes.".to_owned(),
        ],
        learns: vec![
            format!("That {receiver} and {sender} run this job, its question and purpose, who approved it, and when."),
            "No row, id, protocol message or result: these never pass through it.".to_owned(),
        ],
        cheating: vec![
            cheat(
                "Change a job, a policy, an approval or a report, or make one up.".to_owned(),
                "signatures under keys that each node pinned itself; every node derives the job's hash again".to_owned(),
            ),
            cheat(
                "Put itself between the nodes, or name another address or key for one of them.".to_owned(),
                "mutual TLS between the nodes with pinned roots; addresses and keys never come from it".to_owned(),
            ),
            cheat(
                "Send an old job or approval again.".to_owned(),
                "each node's journal of runs and attempts".to_owned(),
            ),
            cheat("Delay or lose records.".to_owned(), format!("{NOT_PREVENTED}; the job waits or expires")),
            cheat("Tell others what it learns.".to_owned(), NOT_PREVENTED.to_owned()),
        ],
    }
}

/// Whoever reads or holds the line.
pub(super) fn eavesdropper(run: &Run<'_>) -> Observer {
    let (receiver, sender) = (run.receiver.org(), run.sender.org());
    Observer {
        who: Who::Eavesdropper,
        receives: vec!["Encrypted TLS 1.3 records between the nodes, and between each node and the coordinator.".to_owned()],
        learns: vec![format!(
            "That {receiver} and {sender} talk, when, and how many bytes, from which {} can be told.",
            match run.plan.operator {
                Operator::Joint(_) => "both padded sizes and the shape of the table",
                _ => "both padded sizes",
            }
        )],
        cheating: vec![
            cheat(
                "Read or change what is sent.".to_owned(),
                "TLS 1.3 with certificates on both sides and a key exchange that also resists quantum computers (X25519MLKEM768)".to_owned(),
            ),
            cheat("Cut the line.".to_owned(), format!("{NOT_PREVENTED}; the run fails and says so at both sides")),
        ],
    }
}

/// What the protection rests on.
pub(super) fn assumptions(run: &Run<'_>, part: &ProtocolPart) -> Vec<String> {
    let (receiver, sender) = (run.receiver.org(), run.sender.org());
    let mut assumptions = part.assumptions.clone();
    assumptions.extend([
        "Ed25519 signatures and SHA-256 cannot be forged; each node's keys are only its own.".to_owned(),
        format!("{receiver} and {sender} each answer for their own data: consent, correct ids, one person behind one id."),
    ]);
    let loss = match &run.plan.operator {
        Operator::Reveal { .. } => return assumptions,
        Operator::Overlap { .. } | Operator::Table { .. } => None,
        Operator::Joint(joint) => joint.epsilon,
    };
    assumptions.push(match loss {
        None => "The result carries no noise (`epsilon: none`, allowed by both policies): it is not differentially private, and \
                 exact numbers can be subtracted from one another."
            .to_owned(),
        Some(epsilon) => format!(
            "The noise makes the released table differentially private with a loss of {epsilon} for each id that is there, is not \
             there, or has other values within its domains and caps. Losses of several tables about one id add up; one person \
             with several ids loses that much for each."
        ),
    });
    assumptions
}
