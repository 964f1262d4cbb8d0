//! Known answers of protocols with long frames, under `vectors/`: how they are made, read, held and written anew.
//!
//! A **good** vector is a whole run: inputs, both generators' seeds, every frame of either side and both outputs. Frames of more than
//! [`FRAME_BYTES_SHOWN`] are told by length and BLAKE3. A **bad** one names such a run, the role that hears, one change to
//! one frame of what it hears, and the fault in which it must end; the other frames are the run's own.

use crate::adversary::{Recorded, Scripted, both, record};
use crate::block::Block;
use crate::channel::{Channel, HEADER_BYTES, Kind};
use crate::fault::Fault;
use crate::security::Security;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Frames up to here stand in a vector byte for byte.
const FRAME_BYTES_SHOWN: usize = 64;

/// The roles, as the vectors call them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Receiver = 0,
    Sender = 1,
}

/// A run of a protocol on fixed inputs and seeds.
pub(crate) trait Run: Sync {
    /// Where its vectors stand, below `vectors/`.
    const FOLDER: &str;
    /// Name of its file, without the ending.
    fn name(&self) -> &'static str;
    /// Everything that determines it.
    fn inputs(&self) -> Value;
    /// One role, and its output.
    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault>;
}

/// What is done to a frame that a role hears.
pub(crate) enum Change {
    /// Bytes put in place of others, from a place of the body on.
    Put(usize, Vec<u8>),
    /// Bits flipped, from a place of the body on.
    Flip(usize, Vec<u8>),
    /// Bytes put into the header.
    Header(usize, Vec<u8>),
    /// A body cut, or filled up with zeros, to this many bytes; the header tells the truth.
    BodyBytes(usize),
    /// Nothing comes: the peer is gone.
    Gone,
}

/// A case to be refused: its name, who hears it, which of the frames of a kind is changed, and how.
pub(crate) type BadCase = (&'static str, Role, (Kind, usize), Change);

/// A file below `vectors/`.
fn path(folder: &str, name: &str) -> PathBuf {
    let vectors = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    vectors.join(folder).join(format!("{name}.json"))
}

/// The bad vectors of a folder, without the ending.
pub(crate) fn bad_names(folder: &str) -> Vec<String> {
    let path = path(folder, "bad");
    let folder = path.parent().expect("it has a folder").read_dir();
    let names = folder.expect("the folder is there").map(|entry| {
        let name = entry.expect("readable").file_name();
        let name = name.into_string().expect("plain names");
        name.trim_end_matches(".json").to_owned()
    });
    let mut names: Vec<_> = names.filter(|name| name.starts_with("bad_")).collect();
    names.sort();
    names
}

pub(crate) fn read(folder: &str, name: &str) -> Value {
    let path = path(folder, name);
    let text =
        std::fs::read_to_string(&path).unwrap_or_else(|error| unreachable!("{path:?}: {error}"));
    serde_json::from_str(&text).expect("the vector is JSON")
}

pub(crate) fn write(folder: &str, name: &str, vector: &Value) {
    let path = path(folder, name);
    let text = serde_json::to_string_pretty(vector).expect("plain values");
    std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("writable");
    std::fs::write(path, text + "\n").expect("writable");
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

pub(crate) fn number(value: &Value) -> usize {
    let number = value.as_u64().and_then(|number| number.try_into().ok());
    number.expect("a number")
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).expect("hexadecimal")
}

/// Blocks in full, each as its 16 bytes.
pub(crate) fn blocks(blocks: &[Block]) -> Value {
    blocks
        .iter()
        .map(|block| hex::encode(block.to_bytes()))
        .collect()
}

/// Pairs of blocks, in full.
pub(crate) fn pairs(pairs: &[[Block; 2]]) -> Value {
    pairs.iter().map(|pair| blocks(pair)).collect()
}

/// Many blocks: the first two, and the hash of all, one after the other.
pub(crate) fn many_blocks(all: &[Block]) -> Value {
    let mut hasher = blake3::Hasher::new();
    all.iter().for_each(|block| {
        hasher.update(&block.to_bytes());
    });
    let hash = hasher.finalize().to_hex();
    json!({ "count": all.len(), "first": blocks(&all[..2]), "blake3": hash.as_str() })
}

pub(crate) fn mode(security: Security) -> &'static str {
    match security {
        Security::SemiHonest => "semi_honest",
        Security::Malicious => "malicious",
    }
}

/// The good vector of a run as it is now.
fn good<R: Run>(run: &R) -> Value {
    let (frames, outputs) = record(|ends| {
        let receiver = |channel: &mut Channel| run.role(Role::Receiver, channel);
        let (receiver, sender, totals) =
            both(ends, receiver, |channel| run.role(Role::Sender, channel));
        let outputs = [receiver, sender].map(|output| output.expect("an honest run succeeds"));
        (outputs, totals)
    });
    let ([receiver, sender], totals) = outputs;
    let shown = |frame: &Vec<u8>| match frame.len() <= FRAME_BYTES_SHOWN {
        true => json!(hex::encode(frame)),
        false => json!({ "bytes": frame.len(), "blake3": blake3::hash(frame).to_hex().as_str() }),
    };
    let side = |side: usize| {
        let frames: Vec<Value> = frames[side].iter().map(shown).collect();
        json!({ "frames": frames, "blake3_of_all": hex::encode(totals[side].sent_hash) })
    };
    json!({
        "inputs": run.inputs(),
        "from_receiver": side(0),
        "from_sender": side(1),
        "receiver_output": receiver,
        "sender_output": sender,
    })
}

/// What `role` hears in the honest run.
fn heard<R: Run>(run: &R, role: Role) -> Vec<Vec<u8>> {
    let (mut frames, _) = record(|ends| {
        let receiver = |channel: &mut Channel| run.role(Role::Receiver, channel);
        both(ends, receiver, |channel| run.role(Role::Sender, channel))
    });
    std::mem::take(&mut frames[1 - role as usize])
}

/// `role` alone, hearing `lines`.
fn alone<R: Run>(run: &R, role: Role, lines: &[Vec<u8>]) -> Result<Value, Fault> {
    let (transport, _): (Recorded<Scripted>, _) = Scripted::recorded(lines);
    run.role(role, &mut Channel::new(Box::new(transport)))
}

impl Change {
    /// As it stands in a vector: places count from the start of the frame.
    fn told(&self) -> Value {
        let at = |at: usize, bytes: &[u8]| json!({ "at": at, "bytes": hex::encode(bytes) });
        match self {
            Self::Put(place, bytes) => json!({ "put": at(HEADER_BYTES + place, bytes) }),
            Self::Header(place, bytes) => json!({ "put": at(*place, bytes) }),
            Self::Flip(place, bits) => json!({ "flip": at(HEADER_BYTES + place, bits) }),
            Self::BodyBytes(bytes) => json!({ "body_bytes": bytes }),
            Self::Gone => json!("gone"),
        }
    }
}

/// Does to a frame what a vector tells.
fn apply(change: &Value, frame: &mut Vec<u8>) {
    let bytes_of = |what: &Value| bytes(&what["bytes"]).into_iter().zip(number(&what["at"])..);
    if let Some(put) = change.get("put") {
        bytes_of(put).for_each(|(byte, at)| frame[at] = byte);
    } else if let Some(flip) = change.get("flip") {
        bytes_of(flip).for_each(|(bits, at)| frame[at] ^= bits);
    } else {
        let length = number(&change["body_bytes"]);
        frame.resize(HEADER_BYTES + length, 0);
        let stated = u32::try_from(length).expect("a frame's length");
        frame[6..HEADER_BYTES].copy_from_slice(&stated.to_le_bytes());
    }
}

/// The fault in which the role that a bad vector names ends, hearing what it tells.
fn fault_of<R: Run>(vector: &Value, runs: &[R], name: &str) -> Fault {
    let of = text(&vector["run"]);
    let run = runs
        .iter()
        .find(|run| run.name() == of)
        .expect("a good vector");
    let role = match text(&vector["hears"]) {
        "receiver" => Role::Receiver,
        _ => Role::Sender,
    };
    let mut lines = heard(run, role);
    let frame = number(&vector["frame"]);
    match vector["change"] == json!("gone") {
        true => lines.truncate(frame),
        false => apply(&vector["change"], &mut lines[frame]),
    }
    alone(run, role, &lines).expect_err(name)
}

/// The bad vector of a case, without its fault.
fn bad<R: Run>(run: &R, (_, role, (kind, nth), change): &BadCase) -> Value {
    let lines = heard(run, *role);
    let of_kind = |frame: &Vec<u8>| frame.starts_with(&kind.number().to_le_bytes());
    let mut places = (0..).zip(&lines).filter(|(_, frame)| of_kind(frame));
    let (frame, _) = places.nth(*nth).expect("the role hears it");
    let hears = match role {
        Role::Receiver => "receiver",
        Role::Sender => "sender",
    };
    json!({ "run": run.name(), "hears": hears, "frame": frame, "message": kind.name(), "change": change.told() })
}

/// Every good vector is the run as it is now, with the CPU's special instructions and without.
pub(crate) fn assert_good<R: Run>(runs: &[R]) {
    for run in runs {
        let expected = read(R::FOLDER, run.name());
        assert_eq!(good(run), expected, "{}", run.name());
        let portable = crate::simd::without_special_instructions(|| good(run));
        assert_eq!(portable, expected, "{}, portable", run.name());
    }
}

/// Every bad vector in the folder ends in its fault, and there is one for each case.
pub(crate) fn assert_bad<R: Run>(runs: &[R], cases: &[Vec<BadCase>]) {
    let names = bad_names(R::FOLDER);
    for name in &names {
        let vector = read(R::FOLDER, name);
        let fault = fault_of(&vector, runs, name).to_string();
        assert_eq!(fault, text(&vector["fault"]), "{name}");
    }
    let cases: usize = cases.iter().map(Vec::len).sum();
    assert_eq!(names.len(), cases, "as many vectors as cases");
}

/// Writes all vectors of a folder anew; `cases` belong to the runs of the same place.
pub(crate) fn rewrite<R: Run>(runs: &[R], cases: &[Vec<BadCase>]) {
    for (run, cases) in runs.iter().zip(cases) {
        write(R::FOLDER, run.name(), &good(run));
        for case in cases {
            let mut vector = bad(run, case);
            let fault = fault_of(&vector, runs, case.0).to_string();
            vector["fault"] = json!(fault);
            write(R::FOLDER, &format!("bad_{}", case.0), &vector);
        }
    }
}
