//! From shares of a bin's moments to shares of the table (protocols.md §7.6 and §7.7).
//!
//! For every bin both have a share of a row of moments, which is zero where no id matched. R knows the code g of its group and, for a
//! match, h' = h ⊕ s, S's code under a mask that S drew for the bin; S knows the mask s. Three steps move the row to its cell:
//!
//! 1. *Reverse*: R deals its share of the row as a one-hot vector at s; S adds its own share there. They share a vector over
//!    S's groups with the row at s.
//! 2. *Shift*: moved by h', the row comes to h' ⊕ s = h.
//! 3. *Route*: S deals its share of that vector as a row of a one-hot vector at g, over R's groups; R adds its own there.
//!
//! All bins' tables are added up. Where R or S has one group only, the steps for it fall away. Nobody learns anything: all that is sent
//! is masked by what the other party lacks. Each party's share of the table is masked by the other's leaves. Nothing here
//! branches on a code or takes an address from one.
//!
//! Bins go through in pieces that fit the caches. R opens a few pieces before it closes the first, so that the line is never idle; how
//! many frames that leaves under way is bounded, or two parties that both send would wait for each other on a bounded line.

mod receiver;
mod sender;

use super::expansion::blocks;
use super::layout::{Layout, SPARE_BYTES};
use super::one_hot::OneHot;
use super::shift::Shift;
use super::tally::{Chooser, Tally};
use super::trees::BATCH_MAX;
use super::word::Word;
use crate::channel::{Channel, Kind};
use crate::fault::Fault;
use crate::session_id::SessionId;
use std::ops::Range;

pub(super) const FROM_RECEIVER: Kind = Kind::new(0x0520, "grouping: the receiver's vectors");
pub(super) const FROM_SENDER: Kind = Kind::new(0x0521, "grouping: the sender's vectors");

/// Most bins of a piece.
const PIECE_BINS_MAX: usize = 2048;
/// Most bytes that S sends for a piece of more than one bin: one frame.
const PIECE_BYTES_MAX: usize = 1 << 20;
/// Most transfers of a piece of more than one bin. They fit one frame; with a frame for each of its calls R never sends more than four a piece.
const PIECE_TRANSFERS_MAX: usize = 3 << 12;
/// Pieces that R opens before it closes the first, with less than 4 MiB under way: a line's worth of 50 ms at half a gigabit a second.
///
/// Parties that both wait to send would wait for ever. S is at most `AHEAD` pieces behind; if it is i pieces behind, R waits for it with no
/// more than i pieces' frames, four each, and S waits for R with no more than `AHEAD` + 1 − i pieces' frames, four each too. A line
/// holds eight a direction, so at most one of them waits: R from i = 3 on, S up to i = 2.
const AHEAD: usize = 4;
/// Blocks that one place of a batch's vectors stretches to: half of the first cache, with what they are added to.
const BATCH_BLOCKS: usize = 512;

/// Both parties' part of the grouping of one bucket. Tweaks go on from call to call, so one is made for all bins of a session.
pub struct Grouping {
    receiver_groups: usize,
    sender_groups: usize,
    /// Of a bin's moments.
    layout: Layout,
    reverse: Option<OneHot>,
    shift: Option<Shift>,
    route: Option<OneHot>,
    /// What was received for a piece and what is to be sent, kept because fresh pages would cost more than what is done with them.
    received: Vec<u8>,
    message: Vec<u8>,
}

/// Some bins as R has them.
#[derive(Clone, Copy)]
pub struct ReceiverBins<'a, W> {
    /// R's codes, below its number of groups.
    pub codes: &'a [u32],
    /// What the hints gave as S's codes under its masks, below S's number of groups; anything where S has one group.
    pub masked_codes: &'a [u32],
    /// Shares of the moments, bin by bin.
    pub words: &'a [W],
}

/// Some bins as S has them.
#[derive(Clone, Copy)]
pub struct SenderBins<'a, W> {
    /// The masks of S's codes, below its number of groups; anything where S has one group.
    pub masks: &'a [u32],
    /// Shares of the moments, bin by bin.
    pub words: &'a [W],
}

impl Grouping {
    /// For tables of `receiver_groups` × `sender_groups` cells with the moments of `layout`.
    ///
    /// # Panics
    /// If there is no group, or S's are not a power of two: a caller's defect.
    pub fn new(
        sid: &SessionId,
        receiver_groups: usize,
        sender_groups: usize,
        layout: &Layout,
    ) -> Self {
        assert!(receiver_groups >= 1, "at least one group");
        assert!(sender_groups.is_power_of_two(), "a power of two");
        let by_sender = sender_groups > 1;
        Self {
            receiver_groups,
            sender_groups,
            layout: layout.clone(),
            reverse: by_sender.then(|| {
                let sid = sid.part("grouping: reverse", 0);
                OneHot::new(&sid, sender_groups, layout.clone())
            }),
            shift: by_sender
                .then(|| Shift::new(&sid.part("grouping: shift", 0), sender_groups, layout)),
            route: (receiver_groups > 1).then(|| {
                let sid = sid.part("grouping: route", 0);
                OneHot::new(&sid, receiver_groups, layout.repeated(sender_groups))
            }),
            received: Vec::new(),
            message: Vec::new(),
        }
    }

    /// Words of a table, laid out by R's group, S's group and moment.
    pub fn table_words(&self) -> usize {
        self.receiver_groups * self.vector_words()
    }

    /// What one call for `bins` bins says.
    pub fn count(&self, tally: &mut Tally, bins: usize) {
        for piece in self.pieces(bins) {
            let bins = piece.len();
            tally.call(Chooser::Sender, self.reverse_transfers() * bins);
            tally.message(self.reverse_bytes() * bins, 1);
            tally.call(Chooser::Receiver, self.shift_transfers() * bins);
            tally.call(Chooser::Receiver, self.route_transfers() * bins);
            tally.message(self.forward_bytes() * bins, 1);
        }
    }

    /// Words of a vector over S's groups.
    fn vector_words(&self) -> usize {
        self.sender_groups * self.layout.words()
    }

    /// Transfers a bin in which R sends.
    fn reverse_transfers(&self) -> usize {
        self.reverse
            .as_ref()
            .map_or(0, |reverse| reverse.trees.transfers())
    }

    /// Transfers a bin in which S sends: those of the shift, then those of the route.
    fn forward_transfers(&self) -> usize {
        self.shift_transfers() + self.route_transfers()
    }

    fn route_transfers(&self) -> usize {
        self.route
            .as_ref()
            .map_or(0, |route| route.trees.transfers())
    }

    fn shift_transfers(&self) -> usize {
        self.shift.as_ref().map_or(0, Shift::transfers)
    }

    /// Bytes a bin that R sends for what it deals.
    fn reverse_bytes(&self) -> usize {
        self.reverse.as_ref().map_or(0, OneHot::bytes)
    }

    /// Bytes a bin that S sends for what it deals.
    fn forward_bytes(&self) -> usize {
        self.shift_bytes() + self.route.as_ref().map_or(0, OneHot::bytes)
    }

    fn shift_bytes(&self) -> usize {
        self.shift.as_ref().map_or(0, Shift::bytes)
    }

    /// Receives a piece's message into the buffer that is kept, which is to be given back.
    fn received(
        &mut self,
        channel: &mut Channel,
        kind: Kind,
        bytes: usize,
    ) -> Result<Vec<u8>, Fault> {
        let mut received = std::mem::take(&mut self.received);
        received.resize(bytes, 0);
        channel.receive_into(kind, &mut received)?;
        Ok(received)
    }

    /// How bins are cut into pieces.
    fn pieces(&self, bins: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let limits = [
            PIECE_BINS_MAX,
            PIECE_BYTES_MAX / self.forward_bytes().max(1),
            PIECE_TRANSFERS_MAX / self.forward_transfers().max(1),
        ];
        let piece = limits.into_iter().fold(usize::MAX, usize::min).max(1);
        // Whole words of the extension, where it is more than one.
        let piece = if piece > 128 {
            piece / 128 * 128
        } else {
            piece
        };
        cut(0..bins, piece)
    }

    /// How a piece is cut into batches, by their places within it.
    fn batches<W: Word>(&self, bins: usize) -> impl Iterator<Item = Range<usize>> + use<W> {
        let batch = BATCH_BLOCKS / blocks::<W>(self.vector_words()).min(BATCH_BLOCKS);
        cut(0..bins, batch.min(BATCH_MAX))
    }
}

fn cut(whole: Range<usize>, part: usize) -> impl Iterator<Item = Range<usize>> {
    let end = whole.end;
    whole
        .step_by(part)
        .map(move |start| start..end.min(start + part))
}

/// Adds all of `rows` to `sum`; rows may be padded beyond its words.
#[inline(always)]
fn add_all<W: Word>(sum: &mut [W], rows: &[W], stride: usize) {
    each_column(sum, rows, stride, W::wrapping_add);
}

/// Subtracts all of `rows` from `sum`; rows may be padded beyond its words.
#[inline(always)]
fn subtract_all<W: Word>(sum: &mut [W], rows: &[W], stride: usize) {
    each_column(sum, rows, stride, W::wrapping_sub);
}

/// Columns that are added up at a time: they stay in registers.
const COLUMNS: usize = 8;

#[inline(always)]
fn each_column<W: Word>(sum: &mut [W], rows: &[W], stride: usize, with: impl Fn(W, W) -> W) {
    let (wide, narrow) = sum.as_chunks_mut::<COLUMNS>();
    let left = COLUMNS * wide.len();
    for (start, columns) in (0..).step_by(COLUMNS).zip(wide) {
        *columns = columns_from(start, *columns, rows, stride, &with);
    }
    for (start, column) in (left..).zip(narrow) {
        [*column] = columns_from(start, [*column], rows, stride, &with);
    }
}

#[inline(always)]
fn columns_from<W: Word, const N: usize>(
    start: usize,
    mut sums: [W; N],
    rows: &[W],
    stride: usize,
    with: impl Fn(W, W) -> W,
) -> [W; N] {
    for row in rows.chunks_exact(stride) {
        let words = row[start..]
            .first_chunk::<N>()
            .expect("a row is as long as the sum");
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum = with(*sum, *word);
        }
    }
    sums
}

/// Adds to each place of a table those of `rows` whose code it is.
#[inline(always)]
fn add_by_code<W: Word>(table: &mut [W], rows: &[W], codes: &[u32]) {
    let words = rows.len() / codes.len();
    for (place, cell) in table.chunks_exact_mut(words).enumerate() {
        for (row, code) in rows.chunks_exact(words).zip(codes) {
            let here = *code as usize == place;
            for (sum, word) in cell.iter_mut().zip(row) {
                *sum = sum.wrapping_add(word.masked(here));
            }
        }
    }
}

#[cfg(test)]
mod tests;
