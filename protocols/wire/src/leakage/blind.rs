//! What is true of the blind join only (protocols.md §7): its messages, what they hide, and what its parties could do to it.
//!
//! R's ids are hidden from S by a mask that only R knows; S's ids from R by S's secret Δ and by one-time masks, a fresh one for each
//! bin. Everything after the hints works on values that are split between both nodes, so neither sees a match.

use super::vole::{counted, first_transfers, silent_vole};
use super::{Cheat, NOT_PREVENTED, ProtocolPart, Role, Run, cheat};
use crate::seal::{BlindTerms, Transfers};

/// Bytes of an element of the masked vector.
const ELEMENT_BYTES: u32 = 16;
/// Bytes of a word of a hint.
const WORD_BYTES: u32 = 8;
/// Hints for each id of S: one for each bin that R could have put it in.
const HINTS_AN_ID: u64 = 3;

/// What the statement says of it.
pub(super) fn part(run: &Run<'_>, terms: &BlindTerms) -> ProtocolPart {
    let transfers = match terms.transfers {
        Transfers::Fast => "SoftSpokenOT, 4 bits at a time",
        Transfers::Silent => "silent oblivious transfers",
    };
    let buckets = counted(terms.buckets, "bucket");
    ProtocolPart {
        name: format!(
            "the blind join (protocols.md §7), semi-honest, in {buckets}, with {transfers}"
        ),
        receiver: receiver(run, terms),
        sender: sender(run, terms),
        assumptions: assumptions(terms),
    }
}

/// R sends a masked vector and receives hints.
fn receiver(run: &Run<'_>, terms: &BlindTerms) -> Role {
    let partner = run.sender.org();
    let hints = ids_most(terms, terms.sender_bucket_ids).saturating_mul(HINTS_AN_ID);
    let hint_bytes = terms.hint_words.saturating_mul(WORD_BYTES);
    Role {
        receives: vec![
            format!(
                "{} that hold{} {hints} hints of {hint_bytes} bytes, {HINTS_AN_ID} for each padded id of {partner}; a common id's gives \
                 random shares, every other's noise, and the two look alike.",
                counted(terms.buckets, "vector"),
                if terms.buckets == 1 { "s" } else { "" },
            ),
            messages(partner.as_str()),
        ],
        ids_most: ids_most(terms, terms.receiver_bucket_ids),
        cheats: vec![
            cheat(
                format!(
                    "Find out other ids of {partner} by trying all phone numbers or addresses."
                ),
                format!(
                    "{partner}'s secret number, fresh in each run and bucket: without it no candidate's hint can be opened"
                ),
            ),
            cheat(
                format!(
                    "Encode several ids for one bin, or more than its padded size: hints of one bin that open alike tell which of them \
                     {partner} has."
                ),
                only_semi_honest(),
            ),
            secret_number(partner.as_str()),
        ],
    }
}

/// S receives a masked vector and sends hints.
fn sender(run: &Run<'_>, terms: &BlindTerms) -> Role {
    let partner = run.receiver.org();
    let elements = terms.vector_elements;
    Role {
        receives: vec![
            format!(
                "{} of {elements} elements of {ELEMENT_BYTES} bytes, which hold {partner}'s padded ids behind a mask; they look random.",
                counted(terms.buckets, "vector")
            ),
            messages(partner.as_str()),
        ],
        ids_most: ids_most(terms, terms.sender_bucket_ids),
        cheats: vec![
            cheat(
                format!("Find out ids of {partner} by trying all phone numbers or addresses."),
                format!("the mask, which only {partner}'s node knows, fresh in each run and bucket"),
            ),
            cheat(
                "Send hints under which ids match that it does not hold, or an id counts for more than its cap.".to_owned(),
                only_semi_honest(),
            ),
            cheat(
                format!("Send malformed messages of the VOLE or the oblivious transfers to find out bits that {partner} chose."),
                only_semi_honest(),
            ),
        ],
    }
}

fn secret_number(partner: &str) -> Cheat {
    cheat(
        format!(
            "Send malformed messages of the VOLE or the oblivious transfers to find out {partner}'s secret number or shares, and with \
             them ids of {partner} by trying."
        ),
        only_semi_honest(),
    )
}

fn only_semi_honest() -> String {
    format!(
        "{NOT_PREVENTED}; the blind join is safe against parties that follow it, and has no mode against others"
    )
}

/// Everything else that a partner sends in the protocol.
fn messages(partner: &str) -> String {
    format!(
        "{partner}'s messages of the oblivious transfers, the silent VOLE, the comparisons of bins and the grouping of shares; they \
         look random, and their lengths depend on padded sizes and the table's shape only."
    )
}

fn assumptions(terms: &BlindTerms) -> Vec<String> {
    let choices = match terms.transfers {
        Transfers::Fast => "",
        Transfers::Silent => {
            " Over bits it is hard too: the choices of silent transfers rest on that."
        }
    };
    vec![
        "Both nodes run the protocol as written (semi-honest). What a node that does not could get is listed under its name."
            .to_owned(),
        silent_vole(&terms.code, terms.noise) + choices,
        "AES under public keys behaves like an ideal cipher and stays unpredictable on related inputs (correlation robust), in the \
         oblivious transfers and the trees that shares are grouped with; BLAKE3 behaves like a random function."
            .to_owned(),
        first_transfers(),
        "Chance alone makes a run fail, miss a common id, count one too many or let noise leave the range of its sum with a \
         probability of at most 2^-40 over the whole job."
            .to_owned(),
    ]
}

/// All buckets' padded ids of one side.
fn ids_most(terms: &BlindTerms, bucket_ids: u32) -> u64 {
    terms.buckets.saturating_mul(bucket_ids.into())
}
