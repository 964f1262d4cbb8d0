//! What a blind join adds up: the public shape of its table, and the columns that each side brings for it.
//!
//! A table has a cell for every pair of a group of R and a group of S, and in every cell the same *moments*: sums, over the ids
//! that both have, of a number of R's row, of S's row, of the product of two, or of 1. A moment has a number of bits b in which its sum is
//! proven to fit as a signed number; everything about it is arithmetic modulo 2^b, and its words travel in ⌈b/8⌉ bytes.

use super::word::Word;
use crate::fault::{Fault, Misuse};
use crate::psi::Id;

/// Most bits of a moment: a word has 128, and one is left so that the differences of two sums still have a sign.
pub const MOMENT_BITS_MAX: u32 = 127;
/// Most words (cells times moments, with S's groups rounded up) of a table: every bin costs AES in proportion, 16,384 words about a hundred
/// times the matching itself.
pub const TABLE_WORDS_MAX: u64 = 1 << 14;
/// Most columns that a side brings: a table has no more words than this.
pub const COLUMNS_MAX: usize = TABLE_WORDS_MAX as usize;

/// What one moment sums, by the places of columns in each side's [`Bucket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// 1: the number of ids.
    Ids,
    /// A column of R.
    Receiver(usize),
    /// A column of S.
    Sender(usize),
    /// The product of a column of R and a column of S.
    Both {
        /// R's column.
        receiver: usize,
        /// S's column.
        sender: usize,
        /// Bits of R's numbers, signed: as many oblivious transfers a bin.
        receiver_bits: u32,
    },
}

/// One moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What it sums.
    pub what: What,
    /// Bits that hold its sum, signed, in every cell.
    pub bits: u32,
}

/// A table's public shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    receiver_groups: u32,
    sender_groups: u32,
    moments: Vec<Moment>,
    /// S's columns that travel in hints, and in how many bits.
    hinted: Vec<(usize, u32)>,
    /// R's columns that are summed by themselves, and in how many bits.
    own: Vec<(usize, u32)>,
}

/// A product of R's number with something selected before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) moment: usize,
    pub(super) receiver_column: usize,
    pub(super) receiver_bits: u32,
    /// Place among the selected words.
    pub(super) selected: usize,
}

impl Table {
    /// A table of `receiver_groups` × `sender_groups` cells. S's groups are rounded up to a power of two; nobody has the groups beyond.
    pub fn new(
        receiver_groups: u32,
        sender_groups: u32,
        moments: Vec<Moment>,
    ) -> Result<Self, Fault> {
        let sender_groups = sender_groups
            .max(1)
            .checked_next_power_of_two()
            .unwrap_or(u32::MAX);
        let cells = u64::from(receiver_groups) * u64::from(sender_groups);
        let words = cells.saturating_mul((moments.len() as u64).max(1));
        if receiver_groups == 0 || words > TABLE_WORDS_MAX {
            return Err(too_many("words of a table", TABLE_WORDS_MAX, words));
        }
        if moments.first().map(|moment| moment.what) != Some(What::Ids) {
            let (what, expected) = ("first moments that are the number of ids", 1);
            return Err(Misuse::Count {
                what,
                expected,
                got: 0,
            }
            .into());
        }
        let (mut hinted, mut own) = (Vec::new(), Vec::new());
        for moment in &moments {
            moment.check()?;
            match moment.what {
                What::Ids => {}
                What::Receiver(column) => widen(&mut own, column, moment.bits),
                What::Sender(column) | What::Both { sender: column, .. } => {
                    widen(&mut hinted, column, moment.bits);
                }
            }
        }
        Ok(Self {
            receiver_groups,
            sender_groups,
            moments,
            hinted,
            own,
        })
    }

    /// Groups of R.
    pub fn receiver_groups(&self) -> u32 {
        self.receiver_groups
    }

    /// Groups of S, rounded up to a power of two.
    pub fn sender_groups(&self) -> u32 {
        self.sender_groups
    }

    /// What every cell holds.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// Cells in the order of R's groups, within one in the order of S's.
    pub fn cells(&self) -> usize {
        self.receiver_groups as usize * self.sender_groups as usize
    }

    /// Words of the whole table, cell by cell.
    pub fn words(&self) -> usize {
        self.cells() * self.moments.len()
    }

    /// Whether some sum needs more than 64 bits.
    pub(super) fn is_wide(&self) -> bool {
        self.moments.iter().any(|moment| moment.bits > u64::BITS)
    }

    /// Bits of each moment.
    pub(super) fn bits(&self) -> Vec<u32> {
        self.moments.iter().map(|moment| moment.bits).collect()
    }

    /// S's columns that travel in hints, each with its bits.
    pub(super) fn hinted(&self) -> &[(usize, u32)] {
        &self.hinted
    }

    /// R's columns that are summed by themselves, each with its bits.
    pub(super) fn own(&self) -> &[(usize, u32)] {
        &self.own
    }

    /// Places of the moments that are no products among the selected words: 1, then hinted columns, then R's own.
    pub(super) fn plain(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let place_of = |list: &[(usize, u32)], column| list.iter().position(|(c, _)| *c == column);
        let moments = self.moments.iter().enumerate();
        moments.filter_map(move |(place, moment)| {
            let selected = match moment.what {
                What::Ids => 0,
                What::Sender(column) => 1 + place_of(&self.hinted, column)?,
                What::Receiver(column) => 1 + self.hinted.len() + place_of(&self.own, column)?,
                What::Both { .. } => return None,
            };
            Some((place, selected))
        })
    }

    /// The moments that are products.
    pub(super) fn products(&self) -> impl Iterator<Item = Product> + '_ {
        let moments = self.moments.iter().enumerate();
        moments.filter_map(|(place, moment)| match moment.what {
            What::Both {
                receiver,
                sender,
                receiver_bits,
            } => {
                let hinted = self.hinted.iter().position(|(c, _)| *c == sender)?;
                Some(Product {
                    moment: place,
                    receiver_column: receiver,
                    receiver_bits,
                    selected: 1 + hinted,
                })
            }
            What::Ids | What::Receiver(_) | What::Sender(_) => None,
        })
    }

    /// Rows of selected words as rows of moments; places of products stay zero.
    pub(super) fn arranged<W: Word>(&self, selected: &[W], words: usize) -> Vec<W> {
        let moments = self.moments.len();
        let mut rows = vec![W::ZERO; selected.len() / words * moments];
        for (to, from) in self.plain() {
            let from = selected.iter().skip(from).step_by(words);
            let to = rows.iter_mut().skip(to).step_by(moments);
            to.zip(from).for_each(|(to, from)| *to = *from);
        }
        rows
    }

    /// Puts one moment into rows of moments.
    pub(super) fn put<W: Word>(&self, rows: &mut [W], moment: usize, words: &[W]) {
        let rows = rows.iter_mut().skip(moment).step_by(self.moments.len());
        rows.zip(words).for_each(|(to, from)| *to = *from);
    }

    /// Words of the whole table, each modulo 2^bits of its moment: what a share has above them means nothing.
    pub(super) fn reduced<W: Word>(&self, words: &[W]) -> Vec<u128> {
        let bits = self.moments.iter().map(|moment| moment.bits).cycle();
        let words = words.iter().zip(bits);
        words
            .map(|(word, bits)| word.to_u128() & (u128::MAX >> (u128::BITS - bits)))
            .collect()
    }

    /// Everything of the moments that both sides have to mean alike.
    pub(super) fn write_terms(&self, numbers: &mut Vec<u64>) {
        for moment in &self.moments {
            let what = match moment.what {
                What::Ids => [0; 4],
                What::Receiver(column) => [1, column as u64, 0, 0],
                What::Sender(column) => [2, column as u64, 0, 0],
                What::Both {
                    receiver,
                    sender,
                    receiver_bits,
                } => [3, receiver as u64, sender as u64, receiver_bits.into()],
            };
            numbers.extend(what);
            numbers.push(moment.bits.into());
        }
    }

    /// Columns that R brings.
    pub(super) fn receiver_columns(&self) -> usize {
        let columns = self.moments.iter().map(|moment| match moment.what {
            What::Receiver(column)
            | What::Both {
                receiver: column, ..
            } => column + 1,
            What::Ids | What::Sender(_) => 0,
        });
        columns.max().unwrap_or(0)
    }

    /// Columns that S brings.
    pub(super) fn sender_columns(&self) -> usize {
        let columns = self.hinted.iter().map(|(column, _)| column + 1);
        columns.max().unwrap_or(0)
    }
}

impl Moment {
    fn check(&self) -> Result<(), Fault> {
        let (column, factor) = match self.what {
            What::Ids => (0, 1),
            What::Receiver(column) | What::Sender(column) => (column, 1),
            What::Both {
                receiver,
                sender,
                receiver_bits,
            } => (receiver.max(sender), receiver_bits),
        };
        if column >= COLUMNS_MAX {
            return Err(too_many("columns", COLUMNS_MAX as u64, column as u64 + 1));
        }
        for bits in [self.bits, factor] {
            if !(1..=MOMENT_BITS_MAX).contains(&bits) {
                return Err(too_many(
                    "bits of a moment",
                    MOMENT_BITS_MAX.into(),
                    bits.into(),
                ));
            }
        }
        Ok(())
    }
}

/// Notes that a column is needed in so many bits.
fn widen(list: &mut Vec<(usize, u32)>, column: usize, bits: u32) {
    match list.iter_mut().find(|(c, _)| *c == column) {
        Some((_, most)) => *most = bits.max(*most),
        None => list.push((column, bits)),
    }
}

fn too_many(what: &'static str, max: u64, got: u64) -> Fault {
    let (max, got) = (max as usize, usize::try_from(got).unwrap_or(usize::MAX));
    Misuse::TooMany { what, max, got }.into()
}

/// One side's rows of one bucket, one row an id.
pub struct Bucket {
    /// Distinct, at most as many as the bucket is padded to.
    pub ids: Vec<Id>,
    /// Each row's group, below the side's number of groups.
    pub codes: Vec<u32>,
    /// Numbers by column, then by row; the table's moments name columns by their place. Magnitudes below 2^127.
    pub columns: Vec<Vec<i128>>,
}

impl Bucket {
    /// R's: before anything is said, so that the peer does not learn from where the run ends what was wrong.
    pub(super) fn check_receiver(&self, table: &Table) -> Result<(), Fault> {
        self.check(table.receiver_groups(), table.receiver_columns())?;
        let products = table.products();
        let factors = products.map(|product| (product.receiver_column, product.receiver_bits));
        self.check_widths(table.own().iter().copied().chain(factors))
    }

    /// S's.
    pub(super) fn check_sender(&self, table: &Table) -> Result<(), Fault> {
        self.check(table.sender_groups(), table.sender_columns())?;
        self.check_widths(table.hinted().iter().copied())
    }

    /// Whether the numbers of each column are signed numbers of so many bits.
    fn check_widths(&self, columns: impl Iterator<Item = (usize, u32)>) -> Result<(), Fault> {
        for (column, bits) in columns {
            let column = self.columns[column].iter();
            // The same as its sign from the bit's place on.
            let wide = column.filter(|number| **number >> (bits - 1) != **number >> 127);
            match wide.count() {
                0 => {}
                got => return Err(too_many("numbers wider than their moment", 0, got as u64)),
            }
        }
        Ok(())
    }

    /// Whether it has a code below `groups` and `columns` numbers for every id.
    fn check(&self, groups: u32, columns: usize) -> Result<(), Fault> {
        let count = |what, expected, got| {
            Err(Misuse::Count {
                what,
                expected,
                got,
            }
            .into())
        };
        if self.codes.len() != self.ids.len() {
            return count("group codes", self.ids.len(), self.codes.len());
        }
        if self.columns.len() < columns {
            return count("columns", columns, self.columns.len());
        }
        if let Some(column) = self.columns.iter().find(|c| c.len() != self.ids.len()) {
            return count("numbers of a column", self.ids.len(), column.len());
        }
        match self.codes.iter().max() {
            Some(code) if *code >= groups => {
                Err(too_many("groups", groups.into(), u64::from(*code) + 1))
            }
            _ => Ok(()),
        }
    }
}
