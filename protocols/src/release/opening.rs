//! The opening of what was selected: shares of whether a cell is shown, and of its words if it is and of zeros if not.

use super::terms::SHOWN_BITS;
use super::{COMMITMENT, Cells, SHARES, Terms};
use crate::agreement::Role;
use crate::blind::layout::Layout;
use crate::blind::word::Word;
use crate::channel::{Channel, vector_bytes};
use crate::fault::{Fault, Misbehaviour};
use crate::hash;
use crate::session_id::SessionId;
use rand_core::CryptoRng;

/// Bytes of the nonce that hides what is committed to.
const NONCE_BYTES: usize = 32;

/// Opens towards the readers. `shares` are this party's, a row a cell.
pub(super) fn open<W: Word>(
    channel: &mut Channel,
    sid: &SessionId,
    terms: &Terms,
    own: Role,
    shares: &[W],
    rng: &mut impl CryptoRng,
) -> Result<Option<Cells>, Fault> {
    let opening = Opening::new(terms, shares, rng);
    let both = terms.reads(own) && terms.reads(own.other());
    if !both {
        return match terms.reads(own) {
            true => {
                let theirs = opening.receive(channel, terms)?;
                cells(terms, shares, &theirs.words).map(Some)
            }
            false => opening.send(channel).map(|()| None),
        };
    }
    channel.send_part(COMMITMENT, &[opening.commitment(sid, own)])?;
    let commitment: Vec<[u8; 32]> = channel.receive_part(COMMITMENT, 1)?;
    // S opens first; R has committed by then, and opens only to what S committed to.
    if own == Role::Sender {
        opening.send(channel)?;
    }
    let theirs: Opened<W> = opening.receive(channel, terms)?;
    if commitment != [theirs.commitment(sid, own.other())] {
        return Err(Misbehaviour::CheckFailed {
            check: "the commitment to shares of the table",
        }
        .into());
    }
    let cells = cells(terms, shares, &theirs.words)?;
    if own == Role::Receiver {
        opening.send(channel)?;
    }
    Ok(Some(cells))
}

/// Bytes of the opening, both directions.
pub(super) fn bytes(terms: &Terms) -> u64 {
    let row = Layout::new(terms.opened_bits()).bytes_a_row();
    let shares = vector_bytes(NONCE_BYTES + terms.cells() * row, 1);
    match terms.reads(Role::Receiver) && terms.reads(Role::Sender) {
        true => 2 * (vector_bytes(1, 32) + shares),
        false => shares,
    }
}

/// A party's shares as they travel, behind a nonce. Of each word no bit above its moment's is sent.
struct Opening {
    bytes: Vec<u8>,
}

/// The other party's.
struct Opened<W> {
    opening: Opening,
    words: Vec<W>,
}

impl Opening {
    fn new<W: Word>(terms: &Terms, shares: &[W], rng: &mut impl CryptoRng) -> Self {
        let mut bytes = vec![0; NONCE_BYTES];
        rng.fill_bytes(&mut bytes);
        let bits = terms.opened_bits();
        let cut = shares.iter().zip(bits.iter().cycle());
        let cut = cut.map(|(share, bits)| W::from_u128(low(share.to_u128(), *bits)));
        Layout::new(bits.clone()).encode_onto(&cut.collect::<Vec<W>>(), &mut bytes);
        Self { bytes }
    }

    fn send(&self, channel: &mut Channel) -> Result<(), Fault> {
        channel.send_all(SHARES, &self.bytes)
    }

    fn receive<W: Word>(&self, channel: &mut Channel, terms: &Terms) -> Result<Opened<W>, Fault> {
        let bytes: Vec<u8> = channel.receive_all(SHARES, self.bytes.len())?;
        let layout = Layout::new(terms.opened_bits());
        let words = layout
            .decode(&bytes[NONCE_BYTES..], terms.cells())
            .expect("as many bytes as were asked for");
        Ok(Opened {
            opening: Self { bytes },
            words,
        })
    }

    fn commitment(&self, sid: &SessionId, role: Role) -> [u8; 32] {
        let role: &[u8] = &[role as u8];
        hash::digest("entente/1/release/commitment", sid, &[role, &self.bytes])
    }
}

impl<W> Opened<W> {
    fn commitment(&self, sid: &SessionId, role: Role) -> [u8; 32] {
        self.opening.commitment(sid, role)
    }
}

/// What both shares add up to.
fn cells<W: Word>(terms: &Terms, ours: &[W], theirs: &[W]) -> Result<Cells, Fault> {
    let bits = terms.opened_bits();
    let sums: Vec<u128> = ours
        .iter()
        .zip(theirs)
        .zip(bits.iter().cycle())
        .map(|((a, b), bits)| low(a.wrapping_add(*b).to_u128(), *bits))
        .collect();
    sums.chunks_exact(bits.len())
        .map(|cell| cell_of(terms, cell))
        .collect()
}

/// A cell's moments, those that are not opened as 0.
fn cell_of(terms: &Terms, cell: &[u128]) -> Result<Option<Vec<i128>>, Fault> {
    let (shown, mut words) = match cell.split_first() {
        Some((0, words)) => (false, words.iter()),
        Some((1, words)) => (true, words.iter()),
        _ => return Err(broken()),
    };
    if !shown {
        return match words.all(|word| *word == 0) {
            true => Ok(None),
            false => Err(broken()),
        };
    }
    let moments = terms.moments().iter().map(|moment| {
        let opened = moment.opened.then(|| words.next()).flatten();
        opened.map_or(0, |word| signed(*word, moment.bits))
    });
    Ok(Some(moments.collect()))
}

/// Neither shown nor suppressed.
fn broken() -> Fault {
    Misbehaviour::CheckFailed {
        check: "the opened cells",
    }
    .into()
}

fn low(word: u128, bits: u32) -> u128 {
    word & (u128::MAX >> (u128::BITS - bits))
}

fn signed(word: u128, bits: u32) -> i128 {
    let unused = u128::BITS - bits;
    ((word << unused) as i128) >> unused
}

// Modulo 2 every word would be one of the two that mean something.
const _: () = assert!(SHOWN_BITS > 1);
