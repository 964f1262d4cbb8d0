//! Records of one chunk of rows, brought into the order of their partitions.

/// Records of one chunk of rows, grouped by partition, in row order within each.
#[derive(Default)]
pub(crate) struct Scattered {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Scattered {
    /// Groups `records`, which take `width` bytes each, into so many partitions.
    pub(super) fn of<R>(
        records: impl Iterator<Item = R> + Clone,
        (partitions, width): (usize, usize),
        partition_of: impl Fn(&R) -> usize,
        write: impl Fn(&R, &mut [u8]),
    ) -> Self {
        let mut ends = vec![0; partitions];
        for record in records.clone() {
            ends[partition_of(&record)] += width;
        }
        let mut begin = 0;
        for end in &mut ends {
            (begin, *end) = (begin + *end, begin);
        }
        let mut bytes = vec![0; begin];
        for record in records {
            let end = &mut ends[partition_of(&record)];
            write(&record, &mut bytes[*end..*end + width]);
            *end += width;
        }
        Self { bytes, ends }
    }

    /// Bytes of all records.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn partition(&self, place: usize) -> &[u8] {
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[place]]
    }
}
