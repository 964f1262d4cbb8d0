//! Known answers of protocols with long frames, under `vectors/`: how they are made, read, held and written anew.
//!
//! A **good** vector is a whole run: inputs, both generators' seeds, every frame of either side and both outputs. Frames of more than
//! [`FRAME_BYTES_SHOWN`] are told by length and BLAKE3, and megabytes of them as one ([`Told`]). A **bad** one names such a run, the role that hears, one change to
//! one frame of what it hears, and the fault in which it must end; the other frames are the run's own.

use crate::adversary::{Frames, Recorded, Scripted, both, record};
use crate::block::Block;
use crate::channel::{Channel, HEADER_BYTES, Kind};
use crate::fault::Fault;
use crate::security::Security;
use serde_json::{Value, json};
use std::cell::OnceCell;
use std::path::PathBuf;

/// Frames up to here stand in a vector byte for byte.
const FRAME_BYTES_SHOWN: usize = 64;

/// The roles, as the vectors call them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Receiver = 0,
    Sender = 1,
}

/// How a good vector tells what a side has sent.
pub(crate) enum Told {
    /// Frame by frame: those of at most so many bytes in full, longer ones by length and hash.
    Frames(usize),
    /// As one: how many frames, their bytes and their hash.
    Whole,
}

/// A run of a protocol on fixed inputs and seeds.
pub(crate) trait Run: Sync {
    /// Where its vectors stand, below `vectors/`.
    const FOLDER: &str;
    /// Name of its file, without the ending.
    fn name(&self) -> &'static str;
    /// Everything that determines it.
    fn inputs(&self) -> Value;
    /// How it tells its frames.
    fn told(&self) -> Told {
        Told::Frames(FRAME_BYTES_SHOWN)
    }
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
    /// The same by one byte less than it has.
    Shorter,
    /// And by one more.
    Longer,
    /// Nothing comes: the peer is gone.
    Gone,
}

/// A case to be refused: its name, who hears it, which of the frames of a kind is changed, and how.
pub(crate) type BadCase = (&'static str, Role, (Kind, usize), Change);

/// The cases that every message has: another one in its place, a byte too few, one too many, and none.
macro_rules! each_way {
    ($name:literal, $role:expr, $message:expr) => {{
        use $crate::vectors::Change::{Gone, Header, Longer, Shorter};
        [
            (
                concat!($name, "_of_another_kind"),
                $role,
                $message,
                Header(0, vec![0xff, 0x7f]),
            ),
            (concat!($name, "_too_short"), $role, $message, Shorter),
            (concat!($name, "_too_long"), $role, $message, Longer),
            (concat!($name, "_missing"), $role, $message, Gone),
        ]
    }};
}
pub(crate) use each_way;

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
    let shown = |frame: &Vec<u8>, in_full: usize| match frame.len() <= in_full {
        true => json!(hex::encode(frame)),
        false => json!({ "bytes": frame.len(), "blake3": blake3::hash(frame).to_hex().as_str() }),
    };
    let side = |side: usize| {
        let (frames, totals) = (&frames[side], &totals[side]);
        let hash = hex::encode(totals.sent_hash);
        match run.told() {
            Told::Frames(in_full) => {
                let frames: Vec<Value> = frames.iter().map(|frame| shown(frame, in_full)).collect();
                json!({ "frames": frames, "blake3_of_all": hash })
            }
            Told::Whole => {
                json!({ "frames": frames.len(), "bytes": totals.sent_bytes, "blake3_of_all": hash })
            }
        }
    };
    json!({
        "inputs": run.inputs(),
        "from_receiver": side(0),
        "from_sender": side(1),
        "receiver_output": receiver,
        "sender_output": sender,
    })
}

/// What both sides say in the honest runs, each of which is made once, when it is asked for.
struct Honest<'a, R> {
    runs: &'a [R],
    said: Vec<OnceCell<Frames>>,
}

impl<'a, R: Run> Honest<'a, R> {
    fn new(runs: &'a [R]) -> Self {
        let said = runs.iter().map(|_| OnceCell::new()).collect();
        Self { runs, said }
    }

    /// The run of that name, and what `role` hears in it.
    fn heard(&self, name: &str, role: Role) -> (&R, &[Vec<u8>]) {
        let runs = self.runs.iter().zip(&self.said);
        let mut named = runs.filter(|(run, _)| run.name() == name);
        let (run, said) = named.next().expect("a good vector");
        let said = said.get_or_init(|| {
            let (frames, _) = record(|ends| {
                let receiver = |channel: &mut Channel| run.role(Role::Receiver, channel);
                both(ends, receiver, |channel| run.role(Role::Sender, channel))
            });
            frames
        });
        (run, &said[1 - role as usize])
    }
}

/// `role` alone, hearing `lines`.
fn alone<R: Run>(run: &R, role: Role, lines: &[Vec<u8>]) -> Result<Value, Fault> {
    let (transport, _): (Recorded<Scripted>, _) = Scripted::recorded(lines);
    run.role(role, &mut Channel::new(Box::new(transport)))
}

impl Change {
    /// As it stands in a vector: places count from the start of `frame`.
    fn told(&self, frame: &[u8]) -> Value {
        let body = frame.len() - HEADER_BYTES;
        let at = |at: usize, bytes: &[u8]| json!({ "at": at, "bytes": hex::encode(bytes) });
        match self {
            Self::Put(place, bytes) => json!({ "put": at(HEADER_BYTES + place, bytes) }),
            Self::Header(place, bytes) => json!({ "put": at(*place, bytes) }),
            Self::Flip(place, bits) => json!({ "flip": at(HEADER_BYTES + place, bits) }),
            Self::BodyBytes(bytes) => json!({ "body_bytes": bytes }),
            Self::Shorter => json!({ "body_bytes": body - 1 }),
            Self::Longer => json!({ "body_bytes": body + 1 }),
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
fn fault_of<R: Run>(vector: &Value, honest: &Honest<'_, R>, name: &str) -> Fault {
    let role = match text(&vector["hears"]) {
        "receiver" => Role::Receiver,
        _ => Role::Sender,
    };
    let (run, lines) = honest.heard(text(&vector["run"]), role);
    let frame = number(&vector["frame"]);
    let mut lines = lines.to_vec();
    match vector["change"] == json!("gone") {
        true => lines.truncate(frame),
        false => apply(&vector["change"], &mut lines[frame]),
    }
    alone(run, role, &lines).expect_err(name)
}

/// The bad vector of a case, without its fault.
fn bad<R: Run>(
    run: &R,
    honest: &Honest<'_, R>,
    (name, role, (kind, nth), change): &BadCase,
) -> Value {
    let (_, lines) = honest.heard(run.name(), *role);
    let of_kind = |frame: &Vec<u8>| frame.starts_with(&kind.number().to_le_bytes());
    let mut places = (0..).zip(lines).filter(|(_, frame)| of_kind(frame));
    let (frame, bytes) = places.nth(*nth).expect(name);
    let hears = match role {
        Role::Receiver => "receiver",
        Role::Sender => "sender",
    };
    json!({ "run": run.name(), "hears": hears, "frame": frame, "message": kind.name(), "change": change.told(bytes) })
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
    let (names, honest) = (bad_names(R::FOLDER), Honest::new(runs));
    for name in &names {
        let vector = read(R::FOLDER, name);
        let fault = fault_of(&vector, &honest, name).to_string();
        assert_eq!(fault, text(&vector["fault"]), "{name}");
    }
    let cases: usize = cases.iter().map(Vec::len).sum();
    assert_eq!(names.len(), cases, "as many vectors as cases");
}

/// Writes all vectors of a folder anew; `cases` belong to the runs of the same place.
pub(crate) fn rewrite<R: Run>(runs: &[R], cases: &[Vec<BadCase>]) {
    let honest = Honest::new(runs);
    for (run, cases) in runs.iter().zip(cases) {
        write(R::FOLDER, run.name(), &good(run));
        for case in cases {
            let mut vector = bad(run, &honest, case);
            let fault = fault_of(&vector, &honest, case.0).to_string();
            vector["fault"] = json!(fault);
            write(R::FOLDER, &format!("bad_{}", case.0), &vector);
        }
    }
}
