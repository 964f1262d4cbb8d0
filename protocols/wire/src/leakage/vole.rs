//! What is true of VOLE-PSI only (protocols.md §3 and §5), semi-honest and malicious.
//!
//! In both modes R's ids are hidden from S by a mask that only R knows, and S's ids from R by S's secret Δ. The modes differ in
//! what a node gets that breaks the protocol: the malicious one checks the silent VOLE on both sides and binds tags to ids.

use super::{Cheat, NOT_PREVENTED, ProtocolPart, Role, Run, cheat};
use crate::job::SecurityChoice;
use crate::names::OrgName;
use crate::seal::VoleTerms;

/// Bytes of an element of the masked vector.
const ELEMENT_BYTES: u32 = 16;

/// What the statement says of it.
pub(super) fn part(run: &Run<'_>, terms: &VoleTerms) -> ProtocolPart {
    let (name, model) = match terms.security {
        SecurityChoice::SemiHonest => (
            "semi-honest",
            "Both nodes run the protocol as written (semi-honest). What a node that does not could get is listed under its name.",
        ),
        SecurityChoice::Malicious => (
            "malicious",
            "A node may send what it likes (malicious): the checks named under the parties end the run, and what they do not stop is \
             listed there.",
        ),
    };
    let buckets = counted(terms.buckets, "bucket");
    let mut assumptions = vec![model.to_owned()];
    assumptions.extend(hardness(terms));
    ProtocolPart {
        name: format!("VOLE-PSI (protocols.md §5), {name}, in {buckets}"),
        receiver: receiver(run, terms),
        sender: sender(run, terms),
        assumptions,
    }
}

/// Mathematics and luck.
fn hardness(terms: &VoleTerms) -> Vec<String> {
    vec![
        silent_vole(&terms.code, terms.noise),
        "AES under public keys behaves like an ideal cipher, and BLAKE3 like a random function.".to_owned(),
        first_transfers(),
        "Chance alone makes a run fail, miss a common id or report one too many with a probability of at most 2^-40 over the whole \
         job."
            .to_owned(),
    ]
}

/// What the silent VOLE rests on.
pub(super) fn silent_vole(code: &str, noise: u32) -> String {
    format!(
        "The dual LPN problem with {noise} regular noise values is hard for the code \"{code}\". That rests on a pseudo-distance of \
         1/4, which the code's authors estimate and nobody has proven."
    )
}

/// What the first oblivious transfers rest on.
pub(super) fn first_transfers() -> String {
    "The Diffie-Hellman problem is hard in ristretto255, in which the first oblivious transfers are made. It does not resist a \
     large quantum computer: whoever keeps all messages may open them then."
        .to_owned()
}

/// R sends masked vectors and receives tags.
fn receiver(run: &Run<'_>, terms: &VoleTerms) -> Role {
    let partner = run.sender.org();
    let mut receives = vec![format!(
        "{} tags of {} bytes, one for each padded id of {partner}, sorted by value; those of ids that are not common look random.",
        ids_most(terms, terms.sender_bucket_ids),
        terms.tag_bytes
    )];
    receives.push(messages(partner, terms));
    let mut cheats = vec![cheat(
        format!("Find out other ids of {partner} by trying all phone numbers or addresses."),
        format!(
            "{partner}'s secret number, fresh in each run and bucket: without it no candidate's tag can be computed"
        ),
    )];
    match terms.security {
        SecurityChoice::SemiHonest => cheats.push(cheat(
            format!(
                "Encode more ids than its padded size, or send malformed messages of the VOLE to find out {partner}'s secret number, \
                 and with it ids of {partner} by trying."
            ),
            only_malicious(),
        )),
        SecurityChoice::Malicious => cheats.extend([
            cheat(
                "Encode about twice as many ids as its padded size, in the room that its vectors leave.",
                format!(
                    "{NOT_PREVENTED}; counting shows that they hold no more than {}",
                    encoded_most(terms)
                ),
            ),
            cheat(
                format!("Send malformed messages of the VOLE to find out {partner}'s secret number."),
                format!("{partner}'s node, which checks the base of the VOLE and ends the run for good"),
            ),
        ]),
    }
    if run.plan.is_mutual() {
        cheats.push(returns(run.receiver.org(), partner));
    }
    Role {
        receives,
        ids_most: ids_most(terms, terms.receiver_bucket_ids),
        cheats,
    }
}

/// Of two readers R alone sees both sides' tags; S has to take its word.
fn returns(me: &OrgName, partner: &OrgName) -> Cheat {
    cheat(
        format!(
            "Say of other tags that they matched, or of none: {partner} then reads a wrong list, or none, while {me} has its own."
        ),
        format!("{NOT_PREVENTED}; {me}'s node alone sees which tags match"),
    )
}

/// S receives masked vectors and sends tags.
fn sender(run: &Run<'_>, terms: &VoleTerms) -> Role {
    let partner = run.receiver.org();
    let elements = terms.vector_elements;
    let mut receives = vec![
        format!(
            "{} of {elements} elements of {ELEMENT_BYTES} bytes, which hold {partner}'s padded ids behind a mask; they look random.",
            counted(terms.buckets, "vector")
        ),
        messages(partner, terms),
    ];
    if run.plan.is_mutual() {
        receives.push(format!(
            "One bit for each of its tags: whether it matched, by {partner}'s word."
        ));
    }
    let mut cheats = vec![cheat(
        format!("Find out ids of {partner} by trying all phone numbers or addresses."),
        format!("the mask, which only {partner}'s node knows, fresh in each run and bucket"),
    )];
    match terms.security {
        SecurityChoice::SemiHonest => cheats.push(cheat(
            format!(
                "Invent tags or send malformed messages of the VOLE, so that ids match which it does not hold{}.",
                match run.plan.is_mutual() {
                    true => ", and learn from those that are returned about ids that it did not enter",
                    false => "",
                }
            ),
            only_malicious(),
        )),
        SecurityChoice::Malicious => cheats.extend([
            cheat(
                "Invent tags, so that ids match which it does not hold.",
                format!(
                    "tags that hold the whole id, under a coin that both toss; {partner}'s node takes exactly {}",
                    ids_most(terms, terms.sender_bucket_ids)
                ),
            ),
            cheat(
                format!("Send malformed messages of the VOLE to guess where {partner}'s noise lies."),
                format!(
                    "{partner}'s node, which checks and ends the run for good; that a check passes tells about one bit, which the \
                     amount of noise allows for"
                ),
            ),
        ]),
    }
    cheats.push(cheat(
        "Send messages of a wrong length, or tags twice.",
        format!("{partner}'s node, which checks both and ends the run"),
    ));
    Role {
        receives,
        ids_most: ids_most(terms, terms.sender_bucket_ids),
        cheats,
    }
}

/// Why the semi-honest mode may be used at all, and what to do where it may not.
fn only_malicious() -> String {
    format!("{NOT_PREVENTED} in semi-honest mode, only by `security: malicious`")
}

/// Everything else that a partner sends in the protocol.
fn messages(partner: &OrgName, terms: &VoleTerms) -> String {
    let coin = match terms.security {
        SecurityChoice::SemiHonest => "",
        SecurityChoice::Malicious => ", its checks, and its part of a jointly tossed coin",
    };
    format!(
        "{partner}'s messages of the oblivious transfers and the silent VOLE that go before{coin}; they look random."
    )
}

/// All buckets' padded ids of one side.
fn ids_most(terms: &VoleTerms, bucket_ids: u32) -> u64 {
    terms.buckets.saturating_mul(bucket_ids.into())
}

/// The counting bound of protocols.md §5: |P| elements hold at most 2·|P|/1.35 ids.
fn encoded_most(terms: &VoleTerms) -> u64 {
    let elements = terms.buckets.saturating_mul(terms.vector_elements.into());
    elements.saturating_mul(200) / 135
}

/// A number of things.
pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
