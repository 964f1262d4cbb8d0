//! Which partition each row's id lies in, told for rows in file order.
//!
//! Ids lie by digest, and what is read later of the same rows comes in file order. A partition's records are in row order, so all
//! partitions are read side by side, as a merge reads its runs: the homes of one window of rows at a time are in memory, and one
//! piece of each partition. Nothing of it grows with rows.

use super::record::row_of;
use super::store::Spill;
use crate::data::fault::defect;
use entente_wire::problem::Problem;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU16, Ordering};

/// Rows whose homes are known at the same time: half a megabyte, and hundreds of each partition.
const WINDOW_ROWS: u64 = 1 << 18;
/// Stands where a row has no usable id. Partitions are far fewer.
const NO_HOME: u16 = u16::MAX;

/// The homes of one window of rows, which moves on through the file.
pub(super) struct Homes<'a> {
    spill: &'a Spill,
    cursors: Vec<Cursor>,
    /// The first row of the window; none before the first was asked for.
    first: Option<u64>,
    homes: Vec<AtomicU16>,
}

/// How far a partition has been read.
#[derive(Default)]
struct Cursor {
    /// The piece after the one in `bytes`.
    next: usize,
    bytes: Vec<u8>,
    at: usize,
}

impl<'a> Homes<'a> {
    pub(super) fn new(spill: &'a Spill) -> Self {
        Self {
            spill,
            cursors: (0..spill.partitions()).map(|_| Cursor::default()).collect(),
            first: None,
            homes: (0..WINDOW_ROWS).map(|_| NO_HOME.into()).collect(),
        }
    }

    /// The homes of those of `rows`, ascending, that lie in the window of the first one. Never asked for an earlier window again.
    pub(super) fn of(&mut self, rows: &[u32]) -> Result<Vec<u16>, Problem> {
        let Some(row) = rows.first().map(|row| u64::from(*row)) else {
            return Ok(Vec::new());
        };
        let first = row - row % WINDOW_ROWS;
        self.move_to(first)?;
        let beyond = |row: &u32| u64::from(*row) >= first + WINDOW_ROWS;
        let here = rows.iter().take_while(|row| !beyond(row));
        let home = |row: &u32| {
            let place = u64::from(*row).checked_sub(first)?;
            let home = self.homes.get(usize::try_from(place).ok()?)?;
            Some(home.load(Ordering::Relaxed)).filter(|home| *home != NO_HOME)
        };
        here.map(home)
            .collect::<Option<_>>()
            .ok_or_else(|| defect("a row that was chosen has no id"))
    }

    fn move_to(&mut self, first: u64) -> Result<(), Problem> {
        match self.first {
            Some(now) if now == first => return Ok(()),
            Some(now) if now > first => return Err(defect("rows are not asked in file order")),
            _ => self.first = Some(first),
        }
        let (spill, homes) = (self.spill, &self.homes);
        for home in homes {
            home.store(NO_HOME, Ordering::Relaxed);
        }
        let cursors = self.cursors.par_iter_mut().enumerate();
        cursors.try_for_each(|(place, cursor)| {
            let home =
                u16::try_from(place).map_err(|_| defect("a spill has too many partitions"))?;
            cursor.read(spill, place, first + WINDOW_ROWS, |row| {
                let place = row
                    .checked_sub(first)
                    .and_then(|at| usize::try_from(at).ok());
                if let Some(slot) = place.and_then(|place| homes.get(place)) {
                    slot.store(home, Ordering::Relaxed);
                }
            })
        })
    }
}

impl Cursor {
    /// Goes on to the first row from `end` on; what lies before it is seen.
    fn read(
        &mut self,
        spill: &Spill,
        place: usize,
        end: u64,
        see: impl Fn(u64),
    ) -> Result<(), Problem> {
        let width = spill.layout().width();
        loop {
            while let Some(record) = self.bytes.get(self.at..self.at + width) {
                let row = u64::from(row_of(record));
                if row >= end {
                    return Ok(());
                }
                see(row);
                self.at += width;
            }
            self.at = 0;
            if !spill.pieces().piece(place, self.next, &mut self.bytes)? {
                return Ok(());
            }
            self.next += 1;
        }
    }
}
