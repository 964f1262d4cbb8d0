//! Ids by partition: added chunk by chunk in file order, read back partition by partition.

use super::folder::SpillFolder;
use super::pieces::{Pieces, PiecesWriter};
use super::record::{Layout, Record};
use super::scattered::Scattered;
use crate::data::fault::defect;
use entente_wire::problem::Problem;
use std::ops::Range;

/// Rows that a partition is meant for: its table for finding equal digests then stays in a core's cache.
const PARTITION_ROWS: u64 = 1 << 16;
/// Most partitions; a chunk of rows still has dozens for each.
const LOG2_PARTITIONS_MAX: u32 = 10;

/// A spill that is being written.
pub(crate) struct Spilling {
    layout: Layout,
    log2_partitions: u32,
    writer: PiecesWriter,
}

/// A spill that is complete. Threads may read at the same time.
pub(crate) struct Spill {
    layout: Layout,
    log2_partitions: u32,
    pieces: Pieces,
}

/// Where the ids of one bucket lie: in whole partitions, or in a part of one.
pub(crate) struct Share {
    places: Range<usize>,
    whole: bool,
    log2_buckets: u32,
    bucket: u64,
}

impl Spilling {
    /// For about `rows` rows; more or fewer cost memory or time, nothing else.
    pub(crate) fn new(folder: &SpillFolder, layout: Layout, rows: u64) -> Self {
        let partitions = rows.div_ceil(PARTITION_ROWS).max(1).next_power_of_two();
        let log2_partitions = partitions.trailing_zeros().min(LOG2_PARTITIONS_MAX);
        Self {
            layout,
            log2_partitions,
            writer: PiecesWriter::new(folder, 1 << log2_partitions),
        }
    }

    /// Groups the records of one chunk. Any thread may do it, for any chunk.
    pub(crate) fn scatter(&self, records: impl Iterator<Item = Record> + Clone) -> Scattered {
        Scattered::of(
            records,
            (self.writer.partitions(), self.layout.width()),
            |record| top_bits(&record.digest, self.log2_partitions),
            |record, out| self.layout.write(record, out),
        )
    }

    /// Adds the records of chunks that follow those added before, in their order.
    pub(crate) fn add(&mut self, chunks: &[Scattered]) -> Result<(), Problem> {
        self.writer.add(chunks)
    }

    /// All rows are in.
    pub(crate) fn finish(self) -> Spill {
        Spill {
            layout: self.layout,
            log2_partitions: self.log2_partitions,
            pieces: self.writer.finish(),
        }
    }
}

impl Spill {
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// How many partitions there are, a power of two.
    pub(crate) fn partitions(&self) -> usize {
        self.pieces.partitions()
    }

    /// All records of one partition, in row order.
    pub(crate) fn partition(&self, place: usize) -> Result<Vec<u8>, Problem> {
        self.pieces.partition(place)
    }

    pub(super) fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// Gives each record whose digest's first log2(`buckets`) bits are the number `bucket` to `take`, partition by partition.
    /// `buckets` is a power of two, whether more or fewer than the partitions.
    pub(crate) fn bucket(
        &self,
        buckets: u64,
        bucket: u64,
        mut take: impl FnMut(&Record),
    ) -> Result<(), Problem> {
        let share = self.share(buckets, bucket)?;
        for place in share.places() {
            for record in self.layout.read(&self.partition(place)?) {
                if share.holds(&record) {
                    take(&record);
                }
            }
        }
        Ok(())
    }

    /// Where the records of a bucket lie.
    pub(crate) fn share(&self, buckets: u64, bucket: u64) -> Result<Share, Problem> {
        if !buckets.is_power_of_two() || bucket >= buckets {
            return Err(defect("a bucket was asked for that the job does not have"));
        }
        let log2_buckets = buckets.trailing_zeros();
        let whole = log2_buckets <= self.log2_partitions;
        let (first, count) = if whole {
            let log2_each = self.log2_partitions - log2_buckets;
            (bucket << log2_each, 1usize << log2_each)
        } else {
            (bucket >> (log2_buckets - self.log2_partitions), 1)
        };
        let first = usize::try_from(first).map_err(|_| defect("a bucket number is too large"))?;
        Ok(Share {
            places: first..first + count,
            whole,
            log2_buckets,
            bucket,
        })
    }

    /// The file behind it, for tests that damage it.
    #[cfg(test)]
    pub(super) fn file(&self) -> Option<&std::fs::File> {
        self.pieces.file()
    }
}

impl Share {
    /// The partitions.
    pub(crate) fn places(&self) -> Range<usize> {
        self.places.clone()
    }

    /// Whether a record of these partitions is the bucket's.
    pub(crate) fn holds(&self, record: &Record) -> bool {
        self.whole || top_bits(&record.digest, self.log2_buckets) as u64 == self.bucket
    }
}

/// The number in a digest's first bits, first byte first: the bucket rule of `entente_protocols::buckets`.
fn top_bits(digest: &[u8; 16], bits: u32) -> usize {
    let top = u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default());
    // No bits at all would shift everything out, which `>>` alone would refuse.
    top.checked_shr(u64::BITS - bits).unwrap_or(0) as usize
}
