//! Bytes in partitions of one file: written piece by piece as partitions grow, read back whole or piece by piece. What the bytes
//! mean is the caller's; a piece holds whole records because each addition does.

use super::folder::SpillFolder;
use super::scattered::Scattered;
use crate::data::fault::defect;
use entente_wire::problem::Problem;
use rayon::prelude::*;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Partitions that are being written.
pub(super) struct PiecesWriter {
    folder: SpillFolder,
    partitions: Vec<Partition>,
    file: OnceLock<File>,
    file_bytes: AtomicU64,
    piece_bytes_max: usize,
}

/// Partitions that are complete. Threads may read at the same time.
pub(super) struct Pieces {
    folder: SpillFolder,
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

impl PiecesWriter {
    pub(super) fn new(folder: &SpillFolder, partitions: usize) -> Self {
        Self {
            folder: folder.clone(),
            partitions: (0..partitions).map(|_| Partition::default()).collect(),
            file: OnceLock::new(),
            file_bytes: AtomicU64::new(0),
            piece_bytes_max: folder.piece_bytes_max(partitions),
        }
    }

    pub(super) fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Adds chunks that follow those added before, in their order.
    pub(super) fn add(&mut self, chunks: &[Scattered]) -> Result<(), Problem> {
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

    /// All chunks are in.
    pub(super) fn finish(self) -> Pieces {
        let mut partitions = self.partitions;
        for partition in &mut partitions {
            partition.tail.shrink_to_fit();
        }
        Pieces {
            folder: self.folder,
            partitions,
            file: self.file.into_inner(),
        }
    }
}

impl Pieces {
    /// How many partitions there are.
    pub(super) fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// All bytes of one partition, in the order of their addition.
    pub(super) fn partition(&self, place: usize) -> Result<Vec<u8>, Problem> {
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

    /// Puts one piece of a partition, counted from 0, in place of what is in `into`; false if there are fewer. The last one is what
    /// never went to disk.
    pub(super) fn piece(
        &self,
        place: usize,
        number: usize,
        into: &mut Vec<u8>,
    ) -> Result<bool, Problem> {
        let partition = &self.partitions[place];
        into.clear();
        if let Some(piece) = partition.pieces.get(number) {
            into.resize(piece.bytes, 0);
            self.read_back(piece, into)?;
            return Ok(true);
        }
        let last = number == partition.pieces.len();
        if last {
            into.extend_from_slice(&partition.tail);
        }
        Ok(last)
    }

    fn read_back(&self, piece: &Piece, into: &mut [u8]) -> Result<(), Problem> {
        let file = self.file.as_ref();
        let file = file.ok_or_else(|| defect("a spill has no file"))?;
        match file.read_exact_at(into, piece.offset) {
            Ok(()) if crc32fast::hash(into) == piece.checksum => Ok(()),
            Ok(()) => Err(self.folder.damaged()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.folder.damaged())
            }
            Err(error) => Err(self.folder.unusable(&error)),
        }
    }

    /// The file behind it, for tests that damage it.
    #[cfg(test)]
    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }
}
