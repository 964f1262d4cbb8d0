//! Records by partition: added chunk by chunk in file order, read back partition by partition.

use super::folder::SpillFolder;
use super::record::{Layout, Record};
use crate::data::fault::defect;
use entente_wire::problem::Problem;
use rayon::prelude::*;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows that a partition is meant for: its table for finding equal digests then stays in a core's cache.
const PARTITION_ROWS: u64 = 1 << 16;
/// Most partitions; a chunk of rows still has dozens for each.
const LOG2_PARTITIONS_MAX: u32 = 10;

/// A spill that is being written.
pub(crate) struct Spilling {
    folder: SpillFolder,
    layout: Layout,
    log2_partitions: u32,
    partitions: Vec<Partition>,
    file: OnceLock<File>,
    file_bytes: AtomicU64,
    piece_bytes_max: usize,
}

/// A spill that is complete. Threads may read at the same time.
pub(crate) struct Spill {
    folder: SpillFolder,
    layout: Layout,
    log2_partitions: u32,
    partitions: Vec<Partition>,
    file: Option<File>,
}

#[derive(Default)]
struct Partition {
    pieces: Vec<Piece>,
    tail: Vec<u8>,
}

/// Where in the file a part of a partition lies.
struct Piece {
    offset: u64,
    bytes: usize,
    checksum: u32,
}

/// Records of one chunk of rows, grouped by partition, in row order within each.
#[derive(Default)]
pub(crate) struct Scattered {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Spilling {
    /// For about `rows` rows; more or fewer cost memory or time, nothing else.
    pub(crate) fn new(folder: &SpillFolder, layout: Layout, rows: u64) -> Self {
        let partitions = rows.div_ceil(PARTITION_ROWS).max(1).next_power_of_two();
        let log2_partitions = partitions.trailing_zeros().min(LOG2_PARTITIONS_MAX);
        let partitions: Vec<_> = (0..1 << log2_partitions)
            .map(|_| Partition::default())
            .collect();
        Self {
            folder: folder.clone(),
            layout,
            log2_partitions,
            piece_bytes_max: folder.piece_bytes_max(partitions.len()),
            partitions,
            file: OnceLock::new(),
            file_bytes: AtomicU64::new(0),
        }
    }

    /// Groups the records of one chunk. Any thread may do it, for any chunk.
    pub(crate) fn scatter(&self, records: impl Iterator<Item = Record> + Clone) -> Scattered {
        let (width, log2) = (self.layout.width(), self.log2_partitions);
        let mut ends = vec![0; self.partitions.len()];
        for record in records.clone() {
            ends[top_bits(&record.digest, log2)] += width;
        }
        let mut begin = 0;
        for end in &mut ends {
            (begin, *end) = (begin + *end, begin);
        }
        let mut bytes = vec![0; begin];
        for record in records {
            let end = &mut ends[top_bits(&record.digest, log2)];
            self.layout.write(&record, &mut bytes[*end..*end + width]);
            *end += width;
        }
        Scattered { bytes, ends }
    }

    /// Adds the records of chunks that follow those added before, in their order.
    pub(crate) fn add(&mut self, chunks: &[Scattered]) -> Result<(), Problem> {
        let (file, file_bytes) = (&self.file, &self.file_bytes);
        let (folder, piece_bytes_max) = (&self.folder, self.piece_bytes_max);
        let partitions = self.partitions.par_iter_mut().enumerate();
        partitions.try_for_each(|(place, partition)| {
            for chunk in chunks {
                partition.tail.extend_from_slice(chunk.partition(place));
            }
            if partition.tail.len() < piece_bytes_max {
                return Ok(());
            }
            let written = Self::write_out(folder, file, file_bytes, partition);
            written.map_err(|error| folder.unusable(&error))
        })
    }

    fn write_out(
        folder: &SpillFolder,
        file: &OnceLock<File>,
        file_bytes: &AtomicU64,
        partition: &mut Partition,
    ) -> io::Result<()> {
        let file = match file.get() {
            Some(file) => file,
            None => {
                // Two threads may both make one; the second is closed unused.
                let made = folder.file()?;
                file.get_or_init(|| made)
            }
        };
        let bytes = partition.tail.len();
        let offset = file_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        folder.check_room(offset + bytes as u64)?;
        file.write_all_at(&partition.tail, offset)?;
        partition.pieces.push(Piece {
            offset,
            bytes,
            checksum: crc32fast::hash(&partition.tail),
        });
        partition.tail.clear();
        Ok(())
    }

    /// All rows are in.
    pub(crate) fn finish(self) -> Spill {
        let mut partitions = self.partitions;
        for partition in &mut partitions {
            partition.tail.shrink_to_fit();
        }
        Spill {
            folder: self.folder,
            layout: self.layout,
            log2_partitions: self.log2_partitions,
            partitions,
            file: self.file.into_inner(),
        }
    }
}

impl Scattered {
    fn partition(&self, place: usize) -> &[u8] {
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[place]]
    }
}

impl Spill {
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// How many partitions there are, a power of two.
    pub(crate) fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// All records of one partition, in row order.
    pub(crate) fn partition(&self, place: usize) -> Result<Vec<u8>, Problem> {
        let partition = &self.partitions[place];
        let on_disk: usize = partition.pieces.iter().map(|piece| piece.bytes).sum();
        let mut records = vec![0; on_disk];
        let mut rest = records.as_mut_slice();
        for piece in &partition.pieces {
            let (here, after) = rest.split_at_mut(piece.bytes);
            self.read_back(piece, here)?;
            rest = after;
        }
        records.extend_from_slice(&partition.tail);
        Ok(records)
    }

    fn read_back(&self, piece: &Piece, into: &mut [u8]) -> Result<(), Problem> {
        let file = self.file.as_ref();
        let file = file.ok_or_else(|| defect("spilled ids have no file"))?;
        match file.read_exact_at(into, piece.offset) {
            Ok(()) if crc32fast::hash(into) == piece.checksum => Ok(()),
            Ok(()) => Err(self.folder.damaged()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.folder.damaged())
            }
            Err(error) => Err(self.folder.unusable(&error)),
        }
    }

    /// Gives each record whose digest's first log2(`buckets`) bits are the number `bucket` to `take`, partition by partition.
    /// `buckets` is a power of two, whether more or fewer than the partitions.
    pub(crate) fn bucket(
        &self,
        buckets: u64,
        bucket: u64,
        mut take: impl FnMut(&Record),
    ) -> Result<(), Problem> {
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
        for place in first..first + count {
            for record in self.layout.read(&self.partition(place)?) {
                if whole || top_bits(&record.digest, log2_buckets) as u64 == bucket {
                    take(&record);
                }
            }
        }
        Ok(())
    }

    /// The file behind it, for tests that damage it.
    #[cfg(test)]
    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }
}

/// The number in a digest's first bits, first byte first: the bucket rule of `entente_protocols::buckets`.
fn top_bits(digest: &[u8; 16], bits: u32) -> usize {
    let top = u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default());
    // No bits at all would shift everything out, which `>>` alone would refuse.
    top.checked_shr(u64::BITS - bits).unwrap_or(0) as usize
}
