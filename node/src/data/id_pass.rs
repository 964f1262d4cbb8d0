//! One pass over a file for one id column: texts to keyed digests, spilled by partition with what the policy's rules need.

use super::facts::{FactReader, Facts};
use super::fault::defect;
use super::file::{self, Chunk, Failed, Part, Reading};
use super::ids::{Digester, Normaliser, Rejection};
use super::manifest::Dataset;
use super::one_row::{Digest16, Ids, Reduction};
use super::rows::RowSet;
use super::spill::{Record, Scattered, SpillFolder, Spilling};
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use entente_wire::names::ColumnName;
use entente_wire::policy::IdKind;
use entente_wire::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// Ids that are only counted here are digested under a key of their own; these digests are never sent or kept.
pub(crate) const COUNTING_KEY: [u8; 32] = *b"entente: ids that are counted   ";

/// Ids of one column on their way into a spill.
pub(crate) struct IdPass {
    column: ColumnName,
    kind: IdKind,
    key: [u8; 32],
    facts: FactReader,
    spilling: Spilling,
    consenting: RowSet,
    rows: u64,
    usable_rows: u64,
    rejected: BTreeMap<Rejection, u64>,
}

/// The ids of one chunk of rows.
pub(crate) struct ChunkIds {
    scattered: Scattered,
    /// Usable rows with consent, a bit a row.
    consenting: Vec<u64>,
    rows: u32,
    usable_rows: u64,
    rejected: BTreeMap<Rejection, u64>,
}

/// The usable ids of some texts. The texts themselves go no further.
struct Keyed {
    /// The place of each among the texts, ascending.
    places: Vec<u32>,
    digests: Vec<Digest16>,
    rejected: BTreeMap<Rejection, u64>,
    texts: u32,
}

/// Normalises and digests texts, one after the other.
struct Keying<'a> {
    normaliser: Normaliser,
    canonical: String,
    digester: Digester<'a>,
    keyed: Keyed,
}

impl<'a> Keying<'a> {
    /// For about `texts` texts.
    fn new(kind: &IdKind, key: &'a [u8; 32], texts: usize) -> Self {
        Self {
            normaliser: Normaliser::new(kind),
            canonical: String::with_capacity(64),
            digester: Digester::new(key, kind, texts),
            keyed: Keyed {
                places: Vec::with_capacity(texts),
                digests: Vec::new(),
                rejected: BTreeMap::new(),
                texts: 0,
            },
        }
    }

    fn see(&mut self, text: Option<&str>) {
        let outcome = match text {
            Some(text) => self.normaliser.normalise(text, &mut self.canonical),
            None => Err(Rejection::Empty),
        };
        match outcome {
            Ok(()) => {
                self.digester.put(&self.canonical);
                self.keyed.places.push(self.keyed.texts);
            }
            Err(why) => *self.keyed.rejected.entry(why).or_default() += 1,
        }
        self.keyed.texts += 1;
    }

    fn finish(self) -> Keyed {
        Keyed {
            digests: self.digester.finish(),
            ..self.keyed
        }
    }
}

impl IdPass {
    /// For about `rows` rows.
    pub(crate) fn new(
        column: &ColumnName,
        kind: &IdKind,
        key: [u8; 32],
        facts: FactReader,
        (folder, rows): (&SpillFolder, u64),
    ) -> Self {
        Self {
            column: column.clone(),
            kind: kind.clone(),
            key,
            spilling: Spilling::new(folder, facts.layout(), rows),
            facts,
            consenting: RowSet::default(),
            rows: 0,
            usable_rows: 0,
            rejected: BTreeMap::new(),
        }
    }

    pub(crate) fn column(&self) -> &ColumnName {
        &self.column
    }

    pub(crate) fn kind(&self) -> &IdKind {
        &self.kind
    }

    /// The columns that it reads.
    pub(crate) fn columns(&self) -> BTreeSet<&ColumnName> {
        let mut columns = self.facts.columns();
        columns.insert(&self.column);
        columns
    }

    /// Takes the ids out of one part, whose columns are [`Self::columns`] and typed. On any thread, for any part.
    pub(crate) fn read(&self, part: Part<'_>) -> Result<ChunkIds, Failed> {
        let first_row = part.first_row();
        if self.facts.columns().is_empty() {
            let mut keying = Keying::new(&self.kind, &self.key, part.rows() as usize);
            part.texts(|fields| keying.see(fields.first().copied().flatten()))?;
            return Ok(self.scattered(first_row, &keying.finish(), &Facts::default()));
        }
        Ok(self.read_chunk(&part.chunk()?)?)
    }

    /// The same for a chunk with at least these columns.
    pub(crate) fn read_chunk(&self, chunk: &Chunk) -> Result<ChunkIds, Problem> {
        let texts = id_texts(&chunk.batch, &self.column)?;
        let facts = self.facts.read(&chunk.batch)?;
        Ok(self.read_texts(chunk.first_row, texts, &facts))
    }

    /// The same where the texts come from elsewhere.
    pub(crate) fn read_texts(
        &self,
        first_row: u32,
        texts: &StringArray,
        facts: &Facts,
    ) -> ChunkIds {
        let mut keying = Keying::new(&self.kind, &self.key, texts.len());
        texts.iter().for_each(|text| keying.see(text));
        self.scattered(first_row, &keying.finish(), facts)
    }

    fn scattered(&self, first_row: u32, keyed: &Keyed, facts: &Facts) -> ChunkIds {
        let mut consenting = vec![0u64; (keyed.texts as usize).div_ceil(64)];
        let ids = keyed.places.iter().zip(&keyed.digests);
        let records = ids.map(|(place, digest)| {
            let fact = *place as usize;
            Record {
                digest: *digest,
                row: first_row + place,
                consent: facts.consent.as_ref().is_none_or(|given| given[fact]),
                latest: facts.latest.as_ref().map_or(0, |latest| latest[fact]),
            }
        });
        for record in records.clone().filter(|record| record.consent) {
            let place = (record.row - first_row) as usize;
            consenting[place / 64] |= 1 << (place % 64);
        }
        ChunkIds {
            scattered: self.spilling.scatter(records),
            consenting,
            rows: keyed.texts,
            usable_rows: keyed.digests.len() as u64,
            rejected: keyed.rejected.clone(),
        }
    }

    /// Adds chunks that follow those added before.
    pub(crate) fn add(&mut self, chunks: Vec<ChunkIds>) -> Result<(), Problem> {
        let mut scattered = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let first = u32::try_from(self.rows).map_err(|_| defect("a file has too many rows"))?;
            self.rows += u64::from(chunk.rows);
            self.consenting.grow(self.rows);
            for (place, bits) in (0u32..).zip(&chunk.consenting) {
                self.consenting.insert_bits(first + place * 64, *bits);
            }
            self.usable_rows += chunk.usable_rows;
            for (why, rows) in chunk.rejected {
                *self.rejected.entry(why).or_default() += rows;
            }
            scattered.push(chunk.scattered);
        }
        self.spilling.add(&scattered)
    }

    /// All rows are in: chooses one row an id. Reads published columns again, where they decide.
    pub(crate) fn reduce(self, file: Option<Published<'_>>) -> Result<Reduction, Problem> {
        let ids = Ids {
            spill: self.spilling.finish(),
            consenting: self.consenting,
            rows: self.rows,
            usable_rows: self.usable_rows,
            rejected: self.rejected,
        };
        let columns = self.facts.content_columns();
        let mut reduction = Reduction::of(ids, !columns.is_empty())?;
        let fingerprints = match (reduction.contested(), file) {
            (None, _) => return Ok(reduction),
            (Some(_), None) => return Err(defect("rows are contested without a policy")),
            (Some(rows), Some(file)) => file.fingerprints(&self.facts, &columns, rows)?,
        };
        reduction.resolve(&fingerprints)?;
        Ok(reduction)
    }
}

/// The file that published columns are read from, where they decide which row counts.
#[derive(Clone, Copy)]
pub(crate) struct Published<'a> {
    pub(crate) file: &'a std::sync::Arc<file::DataFile>,
    pub(crate) dataset: &'a Dataset,
}

impl Published<'_> {
    fn fingerprints(
        &self,
        facts: &FactReader,
        columns: &BTreeSet<&ColumnName>,
        rows: &RowSet,
    ) -> Result<Vec<u64>, Problem> {
        let places = self.dataset.places(columns);
        let reading = Reading::of(self.file, self.dataset, &places, file::Form::Typed).only(rows);
        let mut all = Vec::new();
        let read = |_: &_, chunk: &Chunk| facts.fingerprints(&chunk.batch);
        file::sweep(&reading, &mut all, read, |all, fingerprints, _| {
            all.extend(fingerprints.into_iter().flatten());
            Ok(())
        })?;
        Ok(all)
    }
}

/// The joined id's texts in a batch.
pub(crate) fn id_texts<'a>(
    batch: &'a RecordBatch,
    id: &ColumnName,
) -> Result<&'a StringArray, Problem> {
    batch
        .column_by_name(&id.0)
        .and_then(|array| array.as_string_opt::<i32>())
        .ok_or_else(|| defect("an id column was not read as text"))
}
