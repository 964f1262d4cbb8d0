//! What is true of ECDH-PSI only (protocols.md §6).

use super::{Party, ProtocolPart, Role, Run, cheat};

/// What the statement says of it.
pub(super) fn part(run: &Run<'_>) -> ProtocolPart {
    let (receiver, sender) = (run.receiver.org(), run.sender.org());
    ProtocolPart {
        name: "ECDH-PSI over ristretto255 (protocols.md §6)".to_owned(),
        receiver: Role {
            receives: vec![
                points(run.sender, &format!("each padded id of {sender}")),
                points(
                    run.receiver,
                    "each padded id of its own, returned under the partner's key",
                ),
            ],
            ids_most: run.receiver.ids(),
            cheats: vec![cheat(
                format!("Find out other ids of {sender} by trying all phone numbers or addresses."),
                exponent(run.sender),
            )],
        },
        sender: Role {
            receives: vec![points(run.receiver, &format!("each padded id of {receiver}"))],
            ids_most: run.sender.ids(),
            cheats: vec![
                cheat(
                    format!("Find out ids of {receiver} by trying all phone numbers or addresses."),
                    exponent(run.receiver),
                ),
                cheat(
                    "Send malformed, repeated or neutral group elements.",
                    format!("{receiver}'s node, which checks every element and ends the run"),
                ),
            ],
        },
        assumptions: vec![
            "Both nodes run the protocol as written (semi-honest). What a node that does not could get is listed under its name."
                .to_owned(),
            "The decisional Diffie-Hellman problem is hard in ristretto255, and its hash to the group (SHA-512) behaves like a random \
             function. Neither resists a large quantum computer: whoever keeps the group elements may open them then."
                .to_owned(),
        ],
    }
}

fn points(party: Party<'_>, of: &str) -> String {
    format!(
        "{} group elements of 32 bytes, one for {of}; they look random.",
        party.ids()
    )
}

fn exponent(party: Party<'_>) -> String {
    format!(
        "{}'s secret exponent, fresh in each run: without it no candidate can be tested",
        party.org()
    )
}
