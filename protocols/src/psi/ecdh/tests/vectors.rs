//! Known answers: those of the RFCs, and this protocol's own transcripts, good and bad.
//!
//! `vectors/ecdh/` holds them as JSON, all bytes in hexadecimal. `reveal.json` and `count.json` are whole runs: inputs, the
//! seed of each role's generator ([`Prg`]), every frame of either side, and the answer. Each `bad_*.json` says what one side
//! hears in such a run, and the fault in which it must end.

use super::super::group::{Encoded, Exponent, HashToGroup, decode};
use super::*;
use crate::adversary::{Scripted, record};
use crate::channel::HEADER_BYTES;
use crate::secret::Secret;
use crate::vectors::{self, bytes, text};
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use std::sync::PoisonError;

fn read(name: &str) -> Value {
    vectors::read("ecdh", name.trim_end_matches(".json"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn exactly<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("the documented width")
}

fn frames(value: &Value) -> Vec<Vec<u8>> {
    list(value).iter().map(bytes).collect()
}

fn scalar(value: &Value) -> Secret<Scalar> {
    Secret::new(Scalar::from_canonical_bytes(exactly(value)).expect("a canonical scalar"))
}

#[test]
fn rfc9496_multiples_of_the_generator_decode_and_encode() {
    let multiples = read("rfc9496_a.json");
    for (factor, encoding) in (0_u64..).zip(list(&multiples["generator_multiples"])) {
        let point = RistrettoPoint::mul_base(&Scalar::from(factor));
        assert_eq!(point.compress().0, exactly(encoding));
        let decoded = decode(&[Encoded(exactly(encoding))]);
        match factor {
            0 => assert!(decoded.is_err(), "the identity is refused"),
            _ => assert_eq!(decoded, Ok(vec![point])),
        }
    }
}

#[test]
fn rfc9496_one_way_map() {
    for case in list(&read("rfc9496_a.json")["one_way_map"]) {
        let point = RistrettoPoint::from_uniform_bytes(&exactly(&case["input"]));
        assert_eq!(point.compress().0, exactly(&case["output"]));
    }
}

#[test]
fn rfc9496_bad_encodings_are_refused() {
    let genuine = Encoded(RistrettoPoint::mul_base(&Scalar::from(5_u64)).compress().0);
    for case in list(&read("bad_rfc9496_a2.json")["cases"]) {
        let bad = Encoded(exactly(&case["encoding"]));
        assert!(
            decode(&[genuine, bad, genuine]).is_err(),
            "{}",
            text(&case["why"])
        );
    }
}

#[test]
fn rfc9380_expand_message_xmd() {
    let vector = read("rfc9380_k3.json");
    let hash = HashToGroup::with(text(&vector["dst"]).as_bytes(), b"");
    for case in list(&vector["cases"]) {
        let expected = bytes(&case["uniform_bytes"]);
        let mut uniform = vec![0; expected.len()];
        hash.expand(text(&case["message"]).as_bytes(), &mut uniform);
        assert_eq!(uniform, expected);
    }
}

/// Blinding is R's masking, evaluation is S's raising; the RFC's last hash is not part of PSI and done here.
#[test]
fn rfc9497_blinding_and_evaluation() {
    let vector = read("rfc9497_a1.json");
    let hash = HashToGroup::with(&bytes(&vector["hash_to_group_dst"]), b"");
    for case in list(&vector["cases"]) {
        let (input, blind) = (bytes(&case["input"]), scalar(&case["blind"]));
        let point = Encoded(hash.point(&input).compress().0);
        let blinded = Exponent::of(&blind)
            .raise(&[point])
            .expect("a genuine point");
        assert_eq!(blinded[0].0, exactly(&case["blinded_element"]));
        let evaluated = Exponent::of(&scalar(&vector["secret_key"]))
            .raise(&blinded)
            .expect("a genuine point");
        assert_eq!(evaluated[0].0, exactly(&case["evaluation_element"]));
        let unblind = Secret::new(blind.expose().invert());
        let unblinded = Exponent::of(&unblind)
            .raise(&evaluated)
            .expect("a genuine point")[0]
            .0;
        let output = Sha512::new()
            .chain_update((input.len() as u16).to_be_bytes())
            .chain_update(&input);
        let output = output
            .chain_update(32_u16.to_be_bytes())
            .chain_update(unblinded)
            .chain_update("Finalize");
        assert_eq!(output.finalize()[..], bytes(&case["output"]));
    }
}

fn to_json(setup: &Setup) -> Value {
    let (frames, outcome) = record(|ends| setup.run(ends));
    let ids = |ids: &[Id]| {
        ids.iter()
            .map(|id| hex::encode(id.as_bytes()))
            .collect::<Vec<_>>()
    };
    let encoded = frames.map(|frames| frames.iter().map(hex::encode).collect::<Vec<_>>());
    let terms = &setup.terms;
    json!({
        "mode": match terms.mode { Mode::Reveal => "reveal", Mode::Count => "count" },
        "sid": hex::encode(terms.sid.as_bytes()),
        "padded_sizes": [terms.sizes.receiver(), terms.sizes.sender()],
        "part_points": terms.part_points,
        "receiver_ids": ids(&setup.receiver_ids),
        "sender_ids": ids(&setup.sender_ids),
        "receiver_seed": hex::encode(setup.receiver_seed.to_bytes()),
        "sender_seed": hex::encode(setup.sender_seed.to_bytes()),
        "from_receiver": encoded[0],
        "from_sender": encoded[1],
        "answer": outcome.receiver.expect("an honest run succeeds"),
    })
}

fn from_json(vector: &Value) -> Setup {
    let ids = |value: &Value| {
        list(value)
            .iter()
            .map(|id| Id::new(exactly(id)))
            .collect::<Vec<_>>()
    };
    let number = |value: &Value| u32::try_from(value.as_u64().expect("a number")).expect("32 bits");
    let mode = match text(&vector["mode"]) {
        "reveal" => Mode::Reveal,
        _ => Mode::Count,
    };
    let sizes = [&vector["padded_sizes"][0], &vector["padded_sizes"][1]].map(number);
    let ids = [&vector["receiver_ids"], &vector["sender_ids"]].map(ids);
    let mut setup = Setup::new(mode, sizes, number(&vector["part_points"]), ids);
    setup.terms.sid = SessionId::new(exactly(&vector["sid"]));
    setup.receiver_seed = Block::from_bytes(exactly(&vector["receiver_seed"]));
    setup.sender_seed = Block::from_bytes(exactly(&vector["sender_seed"]));
    setup
}

/// One side alone, hearing `lines`: its answer, and what it said.
fn alone(setup: &Setup, side: &str, lines: &[Vec<u8>]) -> (Result<Vec<u32>, Fault>, Vec<Vec<u8>>) {
    let (transport, said) = Scripted::recorded(lines);
    let mut channel = Channel::new(Box::new(transport));
    let answer = match side {
        "receiver" => setup.receive(&mut channel),
        _ => setup.send(&mut channel).map(|()| Vec::new()),
    };
    let said = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (answer, said)
}

#[test]
fn each_role_alone_repeats_its_side_of_the_transcripts() {
    for name in ["reveal.json", "count.json"] {
        let vector = read(name);
        let setup = from_json(&vector);
        let [from_receiver, from_sender] =
            [&vector["from_receiver"], &vector["from_sender"]].map(frames);
        let (answer, said) = alone(&setup, "receiver", &from_sender);
        assert_eq!(json!(answer.expect("a good transcript")), vector["answer"]);
        assert_eq!(said, from_receiver);
        let (answer, said) = alone(&setup, "sender", &from_receiver);
        assert_eq!(answer, Ok(Vec::new()));
        assert_eq!(said, from_sender);
    }
}

#[test]
fn bad_transcripts_end_in_their_fault() {
    let names = vectors::bad_names("ecdh").into_iter();
    let names: Vec<_> = names.filter(|name| !name.contains("rfc")).collect();
    assert_eq!(names.len(), bad_cases(&frames_of_reveal()).len());
    for name in names {
        let vector = read(&name);
        let setup = from_json(&read(text(&vector["run"])));
        let (answer, _) = alone(&setup, text(&vector["side"]), &frames(&vector["hears"]));
        assert_eq!(
            answer.expect_err(&name).to_string(),
            text(&vector["fault"]),
            "{name}"
        );
    }
}

type Lines = Vec<Vec<u8>>;

fn frames_of_reveal() -> [Lines; 2] {
    record(|ends| small(Mode::Reveal).run(ends)).0
}

/// Name, the side that hears it, and what it hears in a reveal run.
fn bad_cases(
    [from_receiver, from_sender]: &[Lines; 2],
) -> Vec<(&'static str, &'static str, Lines)> {
    let with = |lines: &Lines, change: &dyn Fn(&mut Lines)| {
        let mut lines = lines.clone();
        change(&mut lines);
        lines
    };
    let receiver = |change: &dyn Fn(&mut Lines)| ("receiver", with(from_sender, change));
    let sender = |change: &dyn Fn(&mut Lines)| ("sender", with(from_receiver, change));
    let put = |line: usize, at: usize, bytes: &'static [u8]| {
        move |lines: &mut Lines| lines[line][at..at + bytes.len()].copy_from_slice(bytes)
    };
    const BODY: usize = HEADER_BYTES;
    let resize = |line: usize, points: u8| {
        move |lines: &mut Lines| {
            lines[line].resize(BODY + 32 * usize::from(points), 0);
            lines[line][6] = 32 * points;
        }
    };
    let double_point =
        |line: usize| move |lines: &mut Lines| lines[line].copy_within(BODY..BODY + 32, BODY + 32);
    let cases = [
        (
            "agreement_of_another_version",
            receiver(&put(0, BODY, &[2])),
        ),
        (
            "agreement_of_another_profile",
            receiver(&put(0, BODY + 1, &[2])),
        ),
        (
            "agreement_of_the_same_role",
            receiver(&put(0, BODY + 2, &[0])),
        ),
        (
            "agreement_of_another_mode",
            receiver(&put(0, BODY + 3, &[1])),
        ),
        (
            "agreement_of_another_size",
            receiver(&put(0, BODY + 4, &[8])),
        ),
        (
            "agreement_of_another_session",
            sender(&put(0, BODY + 16, &[0, 0])),
        ),
        (
            "agreement_too_long",
            receiver(&|lines| {
                lines[0].push(0);
                lines[0][6] += 1;
            }),
        ),
        (
            "agreement_too_short",
            receiver(&|lines| {
                lines[0].pop();
                lines[0][6] -= 1;
            }),
        ),
        ("blinded_identity", sender(&put(1, BODY, &[0; 32]))),
        ("masked_identity", receiver(&put(1, BODY, &[0; 32]))),
        ("evaluated_identity", receiver(&put(2, BODY, &[0; 32]))),
        ("blinded_not_canonical", sender(&put(1, BODY, &[0xff; 32]))),
        (
            "masked_not_canonical",
            receiver(&put(1, BODY + 64, &[0xff; 32])),
        ),
        (
            "evaluated_not_canonical",
            receiver(&put(2, BODY + 32, &[0xff; 32])),
        ),
        ("blinded_point_twice", sender(&double_point(1))),
        ("masked_point_twice", receiver(&double_point(1))),
        ("evaluated_point_twice", receiver(&double_point(2))),
        ("part_too_short", sender(&resize(1, 2))),
        ("part_too_long", sender(&resize(1, 4))),
        ("part_of_another_kind", receiver(&put(1, 0, &[4]))),
        ("frame_out_of_sequence", receiver(&put(2, 2, &[7]))),
        ("frame_stating_another_length", sender(&put(1, 6, &[95]))),
        (
            "frame_shorter_than_its_header",
            sender(&|lines| lines[1].truncate(9)),
        ),
        ("peer_gone_half_way", sender(&|lines| lines.truncate(2))),
    ];
    cases
        .into_iter()
        .map(|(name, (side, lines))| (name, side, lines))
        .collect()
}

/// Run by hand after a deliberate change of the protocol; the difference is then reviewed like code.
#[test]
#[ignore = "writes the vectors instead of testing them"]
fn rewrite_the_transcripts() {
    let write = |name: &str, vector: &Value| vectors::write("ecdh", name, vector);
    write("reveal", &to_json(&small(Mode::Reveal)));
    write("count", &to_json(&small(Mode::Count)));
    for (name, side, lines) in bad_cases(&frames_of_reveal()) {
        let fault = alone(&small(Mode::Reveal), side, &lines).0.expect_err(name);
        let hears: Vec<_> = lines.iter().map(hex::encode).collect();
        let vector = json!({ "run": "reveal.json", "side": side, "hears": hears, "fault": fault.to_string() });
        write(&format!("bad_{name}"), &vector);
    }
}
