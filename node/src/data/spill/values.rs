//! Values of rows by the partitions of their ids: a partition's values stand in the order of those of its ids that entered.
//!
//! Nothing in memory grows with rows. While values are written there are a piece of each partition of ids ([`super::homes`]), what
//! waits to be handed out, and what each partition of values keeps before it is written; afterwards only the last.

use super::folder::SpillFolder;
use super::homes::Homes;
use super::pieces::{Pieces, PiecesWriter};
use super::scattered::Scattered;
use super::store::Spill;
use super::value_record::ValueLayout;
use datafusion::arrow::array::{Array, Int64Array};
use entente_wire::problem::Problem;

/// Bytes that wait until they are handed out to the partitions: enough that the visit to each is worth its while.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// Values that are being written.
pub(crate) struct SpillingValues<'a> {
    layout: ValueLayout,
    homes: Homes<'a>,
    writer: PiecesWriter,
    waiting: Vec<Scattered>,
}

/// Values that are complete. Threads may read at the same time.
pub(crate) struct SpilledValues {
    layout: ValueLayout,
    pieces: Pieces,
}

impl<'a> SpillingValues<'a> {
    /// For rows whose ids are in `ids`.
    pub(crate) fn new(folder: &SpillFolder, layout: ValueLayout, ids: &'a Spill) -> Self {
        Self {
            layout,
            homes: Homes::new(ids),
            writer: PiecesWriter::new(folder, ids.partitions()),
            waiting: Vec::new(),
        }
    }

    /// Adds the values of `rows`, which follow those added before. `groups` has one for each where the layout has codes; each of
    /// `measures` has one.
    pub(crate) fn add(
        &mut self,
        rows: &[u32],
        groups: &[u32],
        measures: &[Int64Array],
    ) -> Result<(), Problem> {
        let mut begin = 0;
        while begin < rows.len() {
            let homes = self.homes.of(&rows[begin..])?;
            let write = |(row, _): &(usize, u16), out: &mut [u8]| {
                let measures = measures
                    .iter()
                    .map(|values| values.is_valid(*row).then(|| values.value(*row)));
                let code = groups.get(*row).copied().unwrap_or(0);
                self.layout.write(code, measures, out);
            };
            let records = (begin..).zip(homes.iter().copied());
            self.waiting.push(Scattered::of(
                records,
                (self.writer.partitions(), self.layout.width()),
                |(_, home)| usize::from(*home),
                write,
            ));
            begin += homes.len();
            if self.waiting.iter().map(Scattered::len).sum::<usize>() >= WAITING_BYTES_MAX {
                self.hand_out()?;
            }
        }
        Ok(())
    }

    fn hand_out(&mut self) -> Result<(), Problem> {
        self.writer.add(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    /// All rows are in.
    pub(crate) fn finish(mut self) -> Result<SpilledValues, Problem> {
        self.hand_out()?;
        Ok(SpilledValues {
            layout: self.layout,
            pieces: self.writer.finish(),
        })
    }
}

impl SpilledValues {
    pub(crate) fn layout(&self) -> ValueLayout {
        self.layout
    }

    /// The records of one partition, in row order.
    pub(crate) fn partition(&self, place: usize) -> Result<Vec<u8>, Problem> {
        self.pieces.partition(place)
    }

    /// The file behind it, for tests that damage it.
    #[cfg(test)]
    pub(crate) fn file(&self) -> Option<&std::fs::File> {
        self.pieces.file()
    }
}
