//! The bytes of the journal: records that each carry their checksum and their place in one hash chain.
//!
//! A segment file begins with [`SEGMENT_MAGIC`]; then records follow, each
//! `magic ‖ length ‖ sequence ‖ previous head ‖ body ‖ head` with `head = SHA-256("entente/1/journal", sequence, previous, body)`.
//! So a record can be recognised anywhere in a file, and that tells the two kinds of bad bytes apart:
//! * **a torn tail**: a crash hit the last append, and no whole record follows. It was never acknowledged;
//! * **damage**: whole records follow, or the chain does not fit. Facts were lost or changed.

use super::error::LedgerError;
use entente_wire::canonical::Digest;

/// First bytes of every segment; the digit is the format's version.
pub(super) const SEGMENT_MAGIC: &[u8; 16] = b"ENTENTE-JOURNAL1";
/// First bytes of every record. Bodies are JSON text, in which the byte FF cannot occur, so no body can imitate a record.
const RECORD_MAGIC: [u8; 4] = [0xff, b'J', b'R', 0xff];
/// Magic, length, sequence, previous head.
const PREFIX_BYTES: usize = 4 + 4 + 8 + 32;
/// The head after the body.
const SUFFIX_BYTES: usize = 32;
/// Largest body: a signed document of 512 KiB, escaped into JSON, twice over.
pub(super) const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Where the journal stands: how many facts it holds and the digest that covers them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Facts so far; the first has sequence 1.
    pub sequence: u64,
    /// Covers every fact up to `sequence`.
    pub digest: Digest,
}

impl Head {
    /// Of an empty journal.
    pub fn genesis() -> Self {
        Self {
            sequence: 0,
            digest: Digest::of("entente/1/journal-genesis", &[]),
        }
    }

    /// After one more record.
    pub(super) fn next(&self, body: &[u8]) -> Self {
        let sequence = self.sequence.saturating_add(1);
        let parts: [&[u8]; 3] = [&sequence.to_be_bytes(), &self.digest.0, body];
        Self {
            sequence,
            digest: Digest::of("entente/1/journal", &parts),
        }
    }
}

/// Called with each record: where the chain stands after it, and its body.
pub(super) type Visitor<'a> = dyn FnMut(Head, &[u8]) -> Result<(), LedgerError> + 'a;

/// What checking a segment found.
pub(super) struct Scan {
    /// After the last good record.
    pub(super) head: Head,
    /// The first bytes that are not a good record.
    pub(super) bad: Option<Bad>,
}

/// Bytes that are not what was written.
pub(super) struct Bad {
    /// Where they begin.
    pub(super) offset: usize,
    /// What is wrong there.
    pub(super) what: &'static str,
    /// Cannot be the trace of a crash during the last append.
    pub(super) damage: bool,
}

/// Checks a segment that continues the chain at `start`, visiting each good record.
pub(super) fn scan(
    bytes: &[u8],
    start: Head,
    visit: &mut Visitor<'_>,
) -> Result<Scan, LedgerError> {
    let mut head = start;
    let Some(records) = bytes.strip_prefix(SEGMENT_MAGIC.as_slice()) else {
        // A partial magic in an otherwise empty segment is what a crash while creating it leaves.
        let damage = bytes.len() >= SEGMENT_MAGIC.len() || !SEGMENT_MAGIC.starts_with(bytes);
        let bad = (damage || !bytes.is_empty()).then_some(Bad {
            offset: 0,
            what: "the file does not begin as a journal",
            damage,
        });
        return Ok(Scan { head, bad });
    };
    let mut rest = records;
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let Some(record) = Parsed::at_start(rest) else {
            let torn_max = PREFIX_BYTES + BODY_BYTES_MAX + SUFFIX_BYTES;
            let damage = rest.len() > torn_max || whole_record_in(&rest[1..]);
            return Ok(Scan {
                head,
                bad: Some(Bad {
                    offset,
                    what: "a record does not match its checksum",
                    damage,
                }),
            });
        };
        if record.before != head {
            let what = "a record does not continue the chain";
            return Ok(Scan {
                head,
                bad: Some(Bad {
                    offset,
                    what,
                    damage: true,
                }),
            });
        }
        head = record.after;
        visit(head, record.body)?;
        rest = record.rest;
    }
    Ok(Scan { head, bad: None })
}

/// A record whose checksum holds.
struct Parsed<'a> {
    before: Head,
    after: Head,
    body: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Parsed<'a> {
    fn at_start(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(RECORD_MAGIC.as_slice())?;
        let (length, bytes) = bytes.split_first_chunk::<4>()?;
        let (sequence, bytes) = bytes.split_first_chunk::<8>()?;
        let (previous, bytes) = bytes.split_first_chunk::<32>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let sequence = u64::from_be_bytes(*sequence);
        if length > BODY_BYTES_MAX {
            return None;
        }
        let (body, bytes) = bytes.split_at_checked(length)?;
        let (digest, rest) = bytes.split_first_chunk::<32>()?;
        let before = Head {
            sequence: sequence.checked_sub(1)?,
            digest: Digest(*previous),
        };
        let after = before.next(body);
        (after.digest.0 == *digest).then_some(Self {
            before,
            after,
            body,
            rest,
        })
    }
}

fn whole_record_in(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|offset| Parsed::at_start(&bytes[offset..]).is_some())
}

/// The bytes of a record.
pub(super) fn encode(before: Head, after: Head, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("bodies are at most BODY_BYTES_MAX");
    let mut record = Vec::with_capacity(PREFIX_BYTES + body.len() + SUFFIX_BYTES);
    record.extend_from_slice(&RECORD_MAGIC);
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(&after.sequence.to_be_bytes());
    record.extend_from_slice(&before.digest.0);
    record.extend_from_slice(body);
    record.extend_from_slice(&after.digest.0);
    record
}
