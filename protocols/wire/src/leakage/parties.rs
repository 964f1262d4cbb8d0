//! The two parties: R, who reads the result, and S, its partner (protocols.md §6).

use super::{Cheat, NOT_PREVENTED, Observer, Party, Run, Who};
use crate::names::OrgName;
use crate::plan::Operator;

/// What R receives, learns and could get.
pub(super) fn receiver(run: &Run<'_>) -> Observer {
    let (me, partner) = (run.receiver.org(), run.sender.org());
    let mut learns = match &run.plan.operator {
        Operator::Reveal { .. } => vec![which(run)],
        Operator::Table { min_group, .. } => vec![
            which(run),
            format!(
                "The table, which it computes from that and its own columns; also the groups of fewer than {min_group} ids, which its \
                 node knows and does not show."
            ),
        ],
        Operator::Overlap { min_group, .. } => vec![
            format!(
                "How many of {} are among {}: the exact number. Its node learns it even if it is below {min_group} and then does \
                 not show it.",
                own_ids(run.receiver),
                entered(run.sender)
            ),
            "Not which ids these are, unless they are none or all of them.".to_owned(),
        ],
    };
    learns.extend(about_conditions(run));
    learns.extend([size(run.sender), time(run.sender)]);
    Observer {
        who: party(me),
        receives: vec![
            format!("The result, for {me}'s people."),
            points(run.sender, &format!("each padded id of {partner}")),
            points(
                run.receiver,
                "each padded id of its own, returned under the partner's key",
            ),
            records(run.sender),
        ],
        learns,
        cheating: receiver_cheating(run),
    }
}

/// "Which of its own ids …", the truth about a reveal.
fn which(run: &Run<'_>) -> String {
    format!(
        "Which of {} are among {}: id by id.",
        own_ids(run.receiver),
        entered(run.sender)
    )
}

fn own_ids(party: Party<'_>) -> &'static str {
    if party.conditions().is_empty() {
        "its own ids"
    } else {
        "its own ids that meet the conditions on its side"
    }
}

/// Which of the sender's ids take part.
fn entered(sender: Party<'_>) -> String {
    let partner = sender.org();
    let consent = sender.publication.policy.consent.is_some();
    match (consent, sender.conditions().is_empty()) {
        (true, true) => format!("{partner}'s ids with consent"),
        (true, false) => {
            format!("{partner}'s ids with consent that meet the conditions on {partner}'s side")
        }
        (false, true) => format!("{partner}'s ids"),
        (false, false) => format!("{partner}'s ids that meet the conditions on {partner}'s side"),
    }
}

/// A condition at the sender's side says something about each matched person.
fn about_conditions(run: &Run<'_>) -> Option<String> {
    let conditions = run.sender.conditions();
    if conditions.is_empty() {
        return None;
    }
    let (partner, conditions) = (run.sender.org(), conditions.join(" AND "));
    Some(match &run.plan.operator {
        Operator::Overlap { .. } => format!(
            "How many of the common ids meet {partner}'s condition {conditions}; not which."
        ),
        Operator::Reveal { .. } | Operator::Table { .. } => format!(
            "Of each matched id, that it meets {partner}'s condition {conditions}; of an id it already knows to be at {partner}, a missing \
             match tells that it does not, or that consent is missing."
        ),
    })
}

fn receiver_cheating(run: &Run<'_>) -> Vec<Cheat> {
    let (me, partner) = (run.receiver.org(), run.sender.org());
    let mut cheats = vec![
        cheat(
            format!(
                "Enter ids that it does not hold, or only those it is curious about, up to its padded size of {}.",
                run.receiver.ids()
            ),
            format!("{NOT_PREVENTED}; `min_set` is kept by {me}'s own node"),
        ),
        cheat(
            format!("Find out other ids of {partner} by trying all phone numbers or addresses."),
            format!(
                "{partner}'s secret exponent, fresh in each run: without it no candidate can be tested"
            ),
        ),
    ];
    match &run.plan.operator {
        Operator::Reveal { .. } => cheats.push(cheat(
            "Keep the list of matched ids and use it for something else.".to_owned(),
            format!("{NOT_PREVENTED}; the purpose binds by contract"),
        )),
        Operator::Table { .. } => cheats.extend([
            cheat(
                "Keep the list of matched ids, or compute other tables from it.".to_owned(),
                format!("{NOT_PREVENTED}; its node holds the list and is meant to drop it"),
            ),
            cheat(
                "Show groups that are smaller than allowed.".to_owned(),
                format!("{NOT_PREVENTED}; the threshold is applied by {me}'s own node"),
            ),
        ]),
        Operator::Overlap { .. } => cheats.extend([
            cheat(
                "Recognise which of its ids matched by relating its blinded points to each other, or by entering one id many times \
                 in disguise."
                    .to_owned(),
                format!("{NOT_PREVENTED}; the protocol is safe against parties that follow it"),
            ),
            cheat(
                "Ask slightly different questions and subtract the exact numbers.".to_owned(),
                format!("{NOT_PREVENTED} by noise, there is none; each question needs its own approvals, at most {} in 30 days", jobs(run)),
            ),
        ]),
    }
    cheats.push(cheat(
        "Run the job again, or over other data, with the same approvals.".to_owned(),
        format!("{partner}'s node, which counts runs and attempts on disk and sees the signed dataset version"),
    ));
    cheats
}

fn jobs(run: &Run<'_>) -> u64 {
    run.sender.publication.policy.budget.jobs_per_30d
}

/// What S receives, learns and could get.
pub(super) fn sender(run: &Run<'_>) -> Observer {
    let (me, partner) = (run.sender.org(), run.receiver.org());
    Observer {
        who: party(me),
        receives: vec![
            points(run.receiver, &format!("each padded id of {partner}")),
            records(run.receiver),
        ],
        learns: vec![
            "Nothing about the result: neither which ids are common nor how many.".to_owned(),
            size(run.receiver),
            time(run.receiver),
        ],
        cheating: vec![
            cheat(
                "Leave out ids or invent some, so that the result is wrong.".to_owned(),
                format!("{NOT_PREVENTED}; its signed dataset version is on record"),
            ),
            cheat(
                format!("Find out ids of {partner} by trying all phone numbers or addresses."),
                format!(
                    "{partner}'s secret exponent, fresh in each run: without it no candidate can be tested"
                ),
            ),
            cheat(
                "Send malformed, repeated or neutral group elements.".to_owned(),
                format!("{partner}'s node, which checks every element and ends the run"),
            ),
            cheat(
                "Break off in the middle.".to_owned(),
                format!("{NOT_PREVENTED}; the result is lost, nothing is learned from it"),
            ),
        ],
    }
}

fn party(org: &OrgName) -> Who {
    Who::Party { org: org.clone() }
}

fn points(party: Party<'_>, of: &str) -> String {
    format!(
        "{} group elements of 32 bytes, one for {of}; they look random.",
        party.ids()
    )
}

fn records(party: Party<'_>) -> String {
    format!(
        "{}'s part of the job: approvals with the names of its approvers, signed opening and transcript (dataset version, padded \
         size, byte counts, hashes).",
        party.org()
    )
}

fn time(party: Party<'_>) -> String {
    format!(
        "How long {}'s node takes, which tells roughly how many rows it reads.",
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

pub(super) fn cheat(attempt: String, stopped_by: String) -> Cheat {
    Cheat {
        attempt,
        stopped_by,
    }
}
