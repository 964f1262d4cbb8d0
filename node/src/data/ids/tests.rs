#![allow(clippy::unwrap_used, clippy::panic)] // tests: a failure is the point

use super::*;
use proptest::prelude::*;

fn kind(text: &str) -> IdKind {
    IdKind::try_from(text.to_owned()).unwrap()
}

fn read(kind_text: &str, text: &str) -> Result<String, Rejection> {
    let mut out = String::from("left over");
    let outcome = Normaliser::new(&kind(kind_text)).normalise(text, &mut out);
    match outcome {
        Ok(()) => Ok(out),
        Err(why) => {
            assert_eq!(out, "", "a refused text leaves nothing behind");
            Err(why)
        }
    }
}

fn vectors(file: &str) -> Vec<Vec<String>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/ids/");
    let text = std::fs::read_to_string(format!("{folder}{file}")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

/// The text column is the inside of a JSON string.
fn unescaped(text: &str) -> String {
    serde_json::from_str(&format!("\"{text}\"")).unwrap()
}

#[test]
fn every_good_vector_gives_its_canonical_form_and_is_stable() {
    for file in ["e164.tsv", "email.tsv", "cn-id.tsv", "raw.tsv"] {
        for line in vectors(file) {
            let text = unescaped(&line[1]);
            assert_eq!(read(&line[0], &text).as_deref(), Ok(&*line[2]), "{line:?}");
            assert_eq!(
                read(&line[0], &line[2]).as_deref(),
                Ok(&*line[2]),
                "{line:?}"
            );
        }
    }
}

#[test]
fn every_bad_vector_is_refused_for_its_reason() {
    let mut seen = std::collections::BTreeSet::new();
    for line in vectors("bad.tsv") {
        let why = read(&line[0], &unescaped(&line[1])).expect_err(&format!("{line:?}"));
        assert_eq!(why.to_string(), line[2], "{line:?}");
        seen.insert(why);
    }
    assert_eq!(seen.len(), Rejection::ALL.len(), "each reason has a vector");
}

#[test]
fn digests_are_the_published_ones() {
    for line in vectors("digest.tsv") {
        let key: [u8; 32] = hex::decode(&line[0]).unwrap().try_into().unwrap();
        assert_eq!(
            hex::encode(digest(&key, &kind(&line[1]), &line[2])),
            line[3],
            "{line:?}"
        );
    }
    assert!(vectors("digest.tsv").len() >= 4);
}

#[test]
fn many_digests_at_once_are_the_single_ones() {
    let key = [3; 32];
    for id_kind in ["e164(+86)", "email", "cn-id", "raw"].map(kind) {
        for count in [0usize, 1, 7, 300] {
            let texts: Vec<String> = (0..count).map(|i| "x".repeat(i * 13 % 100)).collect();
            let mut digester = Digester::new(&key, &id_kind, count);
            texts.iter().for_each(|text| digester.put(text));
            let single = texts.iter().map(|text| digest(&key, &id_kind, text));
            assert_eq!(digester.finish(), single.collect::<Vec<_>>());
        }
    }
}

#[test]
fn families_and_keys_separate_digests() {
    let text = "13800138000";
    let one = digest(&[1; 32], &IdKind::Raw, text);
    assert_ne!(one, digest(&[2; 32], &IdKind::Raw, text));
    assert_ne!(one, digest(&[1; 32], &IdKind::Email, text));
    let (mainland, hong_kong) = (kind("e164(+86)"), kind("e164(+852)"));
    assert_eq!(
        digest(&[1; 32], &mainland, "+8613800138000"),
        digest(&[1; 32], &hong_kong, "+8613800138000"),
        "one number is one id whatever the column's country"
    );
}

#[test]
fn a_number_beyond_the_byte_limit_is_refused_before_it_is_read() {
    assert_eq!(read("e164(+86)", &"1".repeat(257)), Err(Rejection::TooLong));
}

/// A separator that may stand between any two digits.
fn separator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "", "", "", " ", "-", "\u{a0}", "\u{3000}", "\u{2013}", ".", "(", ")", "\u{200b}",
    ])
}

proptest! {
    #[test]
    fn any_dressing_of_a_number_gives_the_same_id(
        second in 3u8..=9, rest in prop::collection::vec(0u8..10, 9),
        prefix in prop::sample::select(vec!["", "+86", "0086", "86", "0", "+86 0"]),
        full_width in any::<bool>(),
        separators in prop::collection::vec(separator(), 11),
    ) {
        let digits: String = [1, second].iter().chain(&rest).map(|d| char::from(b'0' + d)).collect();
        let mut dressed = prefix.to_owned();
        for (digit, separator) in digits.chars().zip(&separators) {
            dressed.push_str(separator);
            dressed.push(digit);
        }
        if full_width {
            dressed = dressed.chars().map(|c| match c {
                '0'..='9' | '+' => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
                other => other,
            }).collect();
        }
        prop_assert_eq!(read("e164(+86)", &dressed), Ok(format!("+86{digits}")));
    }

    #[test]
    fn no_text_panics_and_what_is_accepted_is_canonical(
        text in "\\PC{0,40}", digits in "[+0-9 ()xX.-]{0,24}",
        kind_text in prop::sample::select(vec!["e164(+86)", "e164(+49)", "e164(+1)", "e164(+225)", "email", "cn-id", "raw"]),
    ) {
        for text in [text, digits] {
            if let Ok(canonical) = read(kind_text, &text) {
                prop_assert_eq!(read(kind_text, &canonical), Ok(canonical));
            }
        }
    }

    #[test]
    fn one_wrong_digit_of_an_identity_number_is_always_seen(place in 0usize..17, change in 1u8..10) {
        let mut number = *b"11010519491231002X";
        number[place] = b'0' + (number[place] - b'0' + change) % 10;
        prop_assert!(read("cn-id", std::str::from_utf8(&number).unwrap()).is_err());
    }

    #[test]
    fn upgrading_is_the_same_as_writing_the_century(order in 0u16..996, day in 1u8..=28, month in 1u8..=12, year in 0u8..100) {
        let old = format!("110105{year:02}{month:02}{day:02}{order:03}");
        let new = read("cn-id", &old).unwrap();
        prop_assert_eq!(new.len(), 18);
        let begins = format!("11010519{year:02}");
        prop_assert!(new.starts_with(&begins));
        prop_assert_eq!(read("cn-id", &new), Ok(new));
    }
}
