//! A pass over all rows of a file on all cores: pieces are read one after another, parsed and worked on side by side, and what
//! comes of them is handed over in file order.

use super::chunk::{Body, Chunk, Failed, Part};
use super::reading::Reading;
use super::source::Source;
use super::{ROWS_MAX, too_many};
use entente_wire::problem::Problem;
use rayon::prelude::*;

/// Reads all rows. `work` is given each chunk, on any thread; `take` puts what came of consecutive chunks, in file order, into
/// `state`, and is told the number of rows they stand for.
///
/// Errors: the first in file order; what was taken before it is of no use then.
pub(crate) fn sweep<S: Sync, T: Send>(
    reading: &Reading<'_>,
    state: &mut S,
    work: impl Fn(&S, &Chunk) -> Result<T, Problem> + Sync,
    take: impl FnMut(&mut S, Vec<T>, u64) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let work = |state: &S, part: Part<'_>| Ok(work(state, &part.chunk()?)?);
    sweep_parts(reading, state, work, take)
}

/// The same where `work` chooses how it looks at rows.
pub(crate) fn sweep_parts<S: Sync, T: Send>(
    reading: &Reading<'_>,
    state: &mut S,
    work: impl Fn(&S, Part<'_>) -> Result<T, Failed> + Sync,
    mut take: impl FnMut(&mut S, Vec<T>, u64) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let told = |failed: Failed| failed.told(reading);
    let mut source = Source::open(reading)?;
    let mut first_row = 0u64;
    let mut wave = source.wave();
    loop {
        let here = std::mem::take(&mut wave.pieces);
        if here.is_empty() {
            return wave.ended.map_err(told);
        }
        let (next, bodies) = rayon::join(
            // What follows an error is nothing.
            || wave.ended.is_ok().then(|| source.wave()),
            || {
                let bodies = here.into_par_iter().map(|raw| Body::of(raw, reading));
                bodies.collect::<Vec<_>>()
            },
        );
        let begin = first_row;
        let mut parts = Vec::with_capacity(bodies.len());
        for body in bodies {
            let begins = u32::try_from(first_row).map_err(|_| too_many(reading.file))?;
            let part = Part::new(reading, begins, body.map_err(told)?)?;
            first_row += u64::from(part.rows());
            if first_row > ROWS_MAX {
                return Err(too_many(reading.file));
            }
            parts.push(part);
        }
        let seen: &S = state;
        let done = parts.into_par_iter().map(|part| work(seen, part));
        let done: Vec<_> = done.collect();
        let done: Result<Vec<T>, Failed> = done.into_iter().collect();
        take(state, done.map_err(told)?, first_row - begin)?;
        match next {
            Some(next) => wave = next,
            None => return wave.ended.map_err(told),
        }
    }
}

#[cfg(test)]
mod tests;
