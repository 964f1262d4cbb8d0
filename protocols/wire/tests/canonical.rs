//! The adversary's forms of a document: other bytes that a lenient reader would take for the same thing, or for nearly the same.
//! Every kind of document that is signed or sent goes through all of them, from the good vectors in
//! `protocols/vectors/wire/documents`.

mod tree;

use entente_wire::approval::{NodeApproval, SignedDecision};
use entente_wire::canonical;
use entente_wire::job::Job;
use entente_wire::limits::{CONTROL_BYTES_MAX, DOCUMENT_BYTES_MAX};
use entente_wire::people::Registry;
use entente_wire::policy::Policy;
use entente_wire::problem::Problem;
use entente_wire::publication::Publication;
use entente_wire::report::Report;
use entente_wire::seal::Seal;
use entente_wire::session::{Control, Opening, Transcript};
use entente_wire::submission::Submission;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use tree::Tree;

/// Reads bytes as one type; what is read is encoded again.
type Reader = fn(&[u8]) -> Option<Vec<u8>>;

fn reader<T: serde::Serialize + serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<Vec<u8>> {
    canonical::from_bytes::<T>(bytes)
        .ok()
        .map(|document| canonical::to_bytes(&document))
}

fn control(bytes: &[u8]) -> Option<Vec<u8>> {
    Control::from_bytes(bytes)
        .ok()
        .map(|control| control.to_bytes())
}

const READERS: [(&str, Reader); 19] = [
    ("job", reader::<Job>),
    ("policy", reader::<Policy>),
    ("publication", reader::<Publication>),
    ("registry", reader::<Registry>),
    ("seal", reader::<Seal>),
    ("seal_vole", reader::<Seal>),
    ("seal_blind", reader::<Seal>),
    ("submission", reader::<Submission>),
    ("decision", reader::<SignedDecision>),
    ("approval", reader::<NodeApproval>),
    ("report", reader::<Report>),
    ("problem", reader::<Problem>),
    ("opening", reader::<Opening>),
    ("transcript", reader::<Transcript>),
    ("control_open", control),
    ("control_nonce", control),
    ("control_working", control),
    ("control_closing", control),
    ("control_abort", control),
];

fn good(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/wire/documents");
    fs::read(folder.join(format!("{name}.json"))).expect("the vector is here")
}

fn each(test: impl Fn(&str, &[u8], Reader)) {
    for (name, read) in READERS {
        let bytes = good(name);
        assert_eq!(
            read(&bytes).as_deref(),
            Some(bytes.as_slice()),
            "{name} is not good"
        );
        test(name, &bytes, read);
    }
}

#[track_caller]
fn refused(name: &str, what: &str, read: Reader, bytes: &[u8]) {
    assert!(
        read(bytes).is_none(),
        "{name}, {what}: {}",
        String::from_utf8_lossy(bytes)
    );
}

#[test]
fn every_good_vector_has_a_reader() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/wire/documents");
    let entries = fs::read_dir(folder).expect("the vectors are here");
    let documents = entries.filter(|entry| {
        let path = entry.as_ref().expect("readable").path();
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    assert_eq!(documents.count(), READERS.len());
}

#[test]
fn white_space_anywhere_is_refused() {
    each(|name, bytes, read| {
        let mut inside_text = false;
        for (place, byte) in bytes.iter().enumerate() {
            // A quote begins or ends a text unless it is escaped; the vectors' escapes are \" and \n only.
            if *byte == b'"' && (place == 0 || bytes[place - 1] != b'\\') {
                inside_text = !inside_text;
            }
            if inside_text {
                continue;
            }
            for blank in [b' ', b'\n', b'\t', b'\r'] {
                let mut spaced = bytes.to_vec();
                spaced.insert(place + 1, blank);
                refused(name, "white space", read, &spaced);
            }
        }
        refused(name, "leading space", read, &[b" ", bytes].concat());
        refused(
            name,
            "byte order mark",
            read,
            &["\u{feff}".as_bytes(), bytes].concat(),
        );
    });
}

#[test]
fn truncated_and_extended_documents_are_refused() {
    each(|name, bytes, read| {
        for end in 0..bytes.len() {
            refused(name, "truncated", read, &bytes[..end]);
        }
        for tail in ["\0", "{}", "null", ",", "}", "1"] {
            refused(name, "extended", read, &[bytes, tail.as_bytes()].concat());
        }
        refused(name, "doubled", read, &[bytes, bytes].concat());
    });
}

#[test]
fn another_order_of_fields_is_refused() {
    each(|name, bytes, read| {
        for changed in Tree::of(bytes).each_object(|fields| {
            let swaps = (1..fields.len()).map(|second| {
                let mut swapped = fields.clone();
                swapped.swap(second - 1, second);
                swapped
            });
            swaps.collect()
        }) {
            refused(name, "fields swapped", read, &changed.to_bytes());
        }
    });
}

#[test]
fn a_field_twice_missing_or_unknown_is_refused() {
    each(|name, bytes, read| {
        let tree = Tree::of(bytes);
        for changed in tree.each_object(|fields| {
            let twice = fields
                .iter()
                .map(|field| [fields.clone(), vec![field.clone()]].concat());
            twice.collect()
        }) {
            refused(name, "field twice", read, &changed.to_bytes());
        }
        for changed in tree.each_object(|fields| {
            let unknown = ("unknown_field".to_owned(), Tree::Number("1".to_owned()));
            let first = [vec![unknown.clone()], fields.clone()].concat();
            vec![first, [fields.clone(), vec![unknown]].concat()]
        }) {
            // Where names are data (columns, people, parties), the value has another shape instead.
            refused(name, "unknown field", read, &changed.to_bytes());
        }
        if let Tree::Object(fields) = &tree {
            for missing in 0..fields.len() {
                let mut fewer = fields.clone();
                fewer.remove(missing);
                refused(name, "field missing", read, &Tree::Object(fewer).to_bytes());
            }
        }
    });
}

#[test]
fn another_writing_of_a_number_is_refused() {
    each(|name, bytes, read| {
        for changed in Tree::of(bytes).each_number(|number| {
            let shapes = [
                "{}.0", "{}e0", "{}E0", "0{}", "+{}", "{}.", "\"{}\"", "[{}]",
            ];
            let others = ["-0", "1.5", "1e400", "NaN", "99999999999999999999", "true"];
            let shaped = shapes.iter().map(|shape| shape.replace("{}", number));
            shaped.chain(others.map(str::to_owned)).collect()
        }) {
            refused(name, "another number", read, &changed.to_bytes());
        }
    });
}

#[test]
fn another_writing_of_a_text_is_refused() {
    each(|name, bytes, read| {
        for changed in Tree::of(bytes).each_text(|text| {
            let Some(first) = text.chars().next().filter(char::is_ascii) else {
                return Vec::new();
            };
            let escaped = format!("\"\\u{:04x}{}", u32::from(first), &text[1..]);
            vec![
                format!("{escaped}\""),
                escaped,
                format!("'{text}'"),
                text.to_owned(),
            ]
        }) {
            refused(name, "escapes", read, &changed.to_bytes());
        }
        let text = String::from_utf8_lossy(bytes);
        if let Some(hash) = text
            .split('"')
            .find(|part| part.len() == 64 && part.bytes().any(|b| b.is_ascii_lowercase()))
        {
            let upper = text.replacen(hash, &hash.to_uppercase(), 1);
            refused(name, "upper-case hexadecimal", read, upper.as_bytes());
        }
        refused(
            name,
            "not UTF-8",
            read,
            &text.replacen('"', "\"\u{1}", 1).into_bytes(),
        );
        let mut invalid = bytes.to_vec();
        invalid.insert(2, 0xff);
        refused(name, "not UTF-8", read, &invalid);
    });
}

#[test]
fn oversized_and_deeply_nested_documents_are_refused_before_they_are_read() {
    each(|name, bytes, read| {
        let most = if name.starts_with("control") {
            CONTROL_BYTES_MAX
        } else {
            DOCUMENT_BYTES_MAX
        };
        for length in [most, most + 1, 8 * most] {
            refused(name, "padded", read, &[bytes, &vec![b' '; length]].concat());
            refused(name, "nested", read, &vec![b'['; length]);
            refused(name, "nested", read, &b"{\"a\":".repeat(length / 5));
        }
        refused(name, "empty", read, b"");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the bytes are changed: what is read at all is read as exactly these bytes.
    #[test]
    fn reencoding_is_byte_identical_or_refused(
        which in 0..READERS.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..4),
        splice in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
    ) {
        let (name, read) = READERS[which];
        let mut bytes = good(name);
        for (place, value, kind) in edits {
            let place = place.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match kind {
                _ if bytes.is_empty() => bytes.push(value),
                0 => bytes[place] = value,
                1 => bytes[place] ^= 1 << (value % 8),
                2 => bytes.insert(place, b"0123456789abcdef\"{}[],: \\-.eu"[usize::from(value) % 29]),
                _ => drop(bytes.remove(place)),
            }
        }
        if let Some((from, to)) = splice.filter(|_| !bytes.is_empty()) {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let piece = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.splice(from..from, piece);
        }
        if let Some(again) = read(&bytes) {
            prop_assert_eq!(again, bytes);
        }
    }
}
