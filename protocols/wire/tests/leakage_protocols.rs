//! The leakage statement says of each protocol what it is, what it rests on, and what its mode leaves open.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::job::SecurityChoice;
use entente_wire::leakage::statement;
use entente_wire::plan::Matching;
use entente_wire::seal::{Protocol, VoleTerms};
use published::told::{Told, any, not_prevented, one, told};
use published::{Published, protocol};

#[test]
fn the_protocol_is_named_with_its_mode_and_what_it_rests_on() {
    let mut seen = [0; 3];
    for told in told(&Published::load()) {
        let (runs, rests_on) = (&told.statement.runs, &told.statement.assumptions);
        let (place, named) = match told.plan.matching {
            Matching::Ecdh => (0, "ECDH-PSI over ristretto255"),
            Matching::Vole { security } => match security {
                SecurityChoice::SemiHonest => (1, "VOLE-PSI (protocols.md §5), semi-honest"),
                SecurityChoice::Malicious => (1, "VOLE-PSI (protocols.md §5), malicious"),
            },
            Matching::Blind => (2, "the blind join (protocols.md §7), semi-honest"),
        };
        assert!(any(runs, named), "{}: {runs:?}", told.name);
        // What each protocol rests on: ECDH-PSI, VOLE-PSI, the blind join.
        for (words, rests) in [
            ("hash to the group", [true, false, false]),
            (
                "dual LPN problem with 320 regular noise values",
                [false, true, true],
            ),
            ("\"expand-convolute 7x24\"", [false, true, true]),
            ("nobody has proven", [false, true, true]),
            ("ideal cipher", [false, true, true]),
            ("correlation robust", [false, false, true]),
            ("like a random function", [true, true, true]),
            ("first oblivious transfers", [false, true, true]),
            ("2^-40 over the whole job", [false, true, true]),
            ("noise leave the range", [false, false, true]),
            ("large quantum computer", [true, true, true]),
        ] {
            assert_eq!(any(rests_on, words), rests[place], "{}: {words}", told.name);
        }
        let malicious = named.ends_with("malicious");
        assert_eq!(any(rests_on, "(malicious)"), malicious, "{}", told.name);
        assert_eq!(any(rests_on, "(semi-honest)"), !malicious, "{}", told.name);
        seen[place] += 1;
    }
    assert!(seen.iter().all(|seen| *seen >= 4), "{seen:?}");
}

#[test]
fn counts_and_bytes_are_those_of_the_sealed_parameters() {
    let mut told = one("reveal own rows");
    let catalog = Published::load();
    let publications = [
        catalog.get("north-bank", "customers"),
        catalog.get("river-pay", "users"),
    ];
    let (protocol, cost) = protocol(&told.plan, publications);
    let Protocol::Vole(terms) = protocol else {
        panic!("a reveal runs by VOLE-PSI");
    };
    let terms = VoleTerms {
        buckets: 4,
        receiver_bucket_ids: 7_600,
        sender_bucket_ids: 30_100,
        vector_elements: 9_957,
        tag_bytes: 11,
        ..terms
    };
    let protocol = Protocol::Vole(terms);
    told.statement = statement(&told.plan, &told.job, publications, &protocol, cost).unwrap();
    assert!(any(&told.statement.runs, "in 4 buckets"));
    let (receiver, sender) = (told.party(true), told.party(false));
    assert!(any(&receiver.receives, "120400 tags of 11 bytes"));
    assert!(any(
        &sender.receives,
        "4 vectors of 9957 elements of 16 bytes"
    ));
    assert!(
        not_prevented(receiver)
            .join("\n")
            .contains("up to its padded size of 30400")
    );
}

#[test]
fn malicious_mode_stops_what_semi_honest_mode_leaves_open_and_says_what_it_does_not() {
    let (weak, strong) = (
        one("reveal own rows"),
        one("reveal own rows to one that may cheat"),
    );
    let open = |told: &Told, receiver| not_prevented(told.party(receiver)).join("\n");
    assert!(open(&weak, true).contains("find out river-pay's secret number"));
    assert!(open(&weak, false).contains("Invent tags"));
    assert!(!open(&strong, true).contains("secret number"));
    assert!(!open(&strong, false).contains("Invent tags"));
    // |P| = 39,300 elements hold at most 2·|P|/1.35 ids.
    let twice = strong.party(true).cheating.iter().find(|cheat| {
        cheat
            .attempt
            .contains("Encode about twice as many ids as its padded size")
    });
    assert!(twice.unwrap().stopped_by.contains("no more than 58222"));
    let stopped = |receiver, words: &str| {
        let cheats = &strong.party(receiver).cheating;
        let found = cheats.iter().find(|cheat| cheat.attempt.contains(words));
        found.unwrap().stopped_by.clone()
    };
    assert!(stopped(true, "secret number").contains("ends the run for good"));
    assert!(stopped(false, "Invent tags").contains("takes exactly 120000"));
    assert!(stopped(false, "noise lies").contains("about one bit"));
}

#[test]
fn a_second_reader_takes_the_first_ones_word() {
    let mut mutual = 0;
    let by_list = |told: &Told| !matches!(told.plan.matching, Matching::Blind);
    for told in told(&Published::load()).into_iter().filter(by_list) {
        let receiver = not_prevented(told.party(true)).join("\n");
        let sender = not_prevented(told.party(false)).join("\n");
        let both = told.plan.is_mutual();
        for (texts, words) in [
            (&receiver, "Say of other tags that they matched, or of none"),
            (&receiver, "Leave out ids or invent some"),
            (&sender, "Enter ids that it does not hold"),
            (&sender, "Keep the list of matched ids"),
        ] {
            assert_eq!(texts.contains(words), both, "{}: {words}", told.name);
        }
        assert_eq!(
            any(&told.party(false).receives, "One bit for each of its tags"),
            both
        );
        assert_eq!(told.statement.recipients.len(), 1 + usize::from(both));
        mutual += usize::from(both);
    }
    assert_eq!(mutual, 2);
    let sender = not_prevented(one("both read own rows").party(false)).join("\n");
    assert!(sender.contains("learn from those that are returned"));
}
