//! Four check words that two people compare by telephone when they link their organisations.
//!
//! Linking rests on the invite: it carries a root fingerprint, so nobody can step between unless he changes the invite on
//! its way. Against somebody who can, both screens show four words made from the TLS exporter of the connection over
//! which the two nodes link (RFC 8446 §7.5; "channel binding", RFC 9266). Somebody in the middle has two connections with two
//! unrelated exporters.
//!
//! Why not from the two fingerprints: whoever sits between chooses his own keys, offline and as often as he likes, and
//! finds two that give equal words after about 2^20 tries. The exporter is fixed by fresh randomness of both ends: as a
//! client he commits before he sees the server's share; as a server he can try, but only until the other side's connection
//! deadline, and each try costs a signature. Four words of 1024 are **40 bits**: one guess succeeds with 2^-40; forcing equal
//! words takes about 2^40 signatures within a deadline of ten seconds, which is more than a million cores; some thousand
//! where he first holds open the 2^8 connections that the inviting node lets one address have.

use ring::digest::{Context, SHA256};
use std::sync::LazyLock;

/// Words are short, are told apart by their first four letters, differ in at least two letters, and sound unlike each other.
const LIST: &str = include_str!("words.txt");
/// 2^10 words: ten bits each.
const WORDS: usize = 1024;
const WORDS_SHOWN: usize = 4;

static BY_NUMBER: LazyLock<Vec<&'static str>> = LazyLock::new(|| LIST.split_whitespace().collect());

/// The four words of a connection's binding, with single spaces between.
pub(crate) fn of_binding(binding: &[u8; 32]) -> String {
    let mut context = Context::new(&SHA256);
    context.update(b"entente/1/check-words");
    context.update(binding);
    let hash = context.finish();
    let words = hash.as_ref().chunks_exact(2).take(WORDS_SHOWN).map(|pair| {
        let number = usize::from(u16::from_be_bytes([pair[0], pair[1]])) % WORDS;
        BY_NUMBER[number]
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_list_has_1024_words_told_apart_by_four_letters() {
        assert_eq!(BY_NUMBER.len(), WORDS);
        let beginnings: BTreeSet<&str> = BY_NUMBER.iter().map(|word| &word[..4]).collect();
        assert_eq!(beginnings.len(), WORDS);
        for word in BY_NUMBER.iter() {
            assert!((4..=8).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|c| c.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn no_two_words_differ_in_one_letter_only() {
        for (place, one) in BY_NUMBER.iter().enumerate() {
            for other in BY_NUMBER.iter().skip(place + 1) {
                let differing = one.bytes().zip(other.bytes()).filter(|(a, b)| a != b);
                let apart = differing.count() + one.len().abs_diff(other.len());
                assert!(apart > 1, "{one} and {other}");
            }
        }
    }

    #[test]
    fn every_bit_of_the_binding_changes_the_words() {
        let words = of_binding(&[0; 32]);
        assert_eq!(words.split(' ').count(), WORDS_SHOWN);
        for bit in 0..256 {
            let mut binding = [0; 32];
            binding[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(of_binding(&binding), words, "bit {bit}");
        }
    }
}
