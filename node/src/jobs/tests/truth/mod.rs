//! The truth: joint tables of thousands of made-up questions over made-up tables, each held against DataFusion in the clear.
//!
//! A *case* is one question of one pair of tables. Of each, the product's own path makes the table, from two files and the text of a
//! job to the CSV that its readers get ([`path`]); in between stands the ideal functionality, and for some cases also the blind join
//! and its release ([`sums`]). The oracle ([`clear`]) is DataFusion's plain join over the same data; every cell is compared ([`cells`]).
//!
//! Not made up here: ids in more than one row, event tables that a question collapses, values that end a job, and noise.

mod cells;
mod chance;
mod clear;
mod draws;
mod files;
mod path;
mod question;
mod sums;
mod tables;

use crate::data::SpillFolder;
use chance::Chance;
use clear::{Clear, Fact};
use path::{Answer, World};
use question::{Question, Shows};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tables::{Rows, Table};

/// Everything is drawn from this and the batch's number. Another seed: `TRUTH_SEED=7 cargo test`.
const SEED: u64 = 20_260_921;
/// Batches have policies of their own.
const BATCHES: usize = 9;
/// Pairs of tables of a batch.
const WORLDS: usize = 8;
/// Questions that are asked of each of them.
const QUESTIONS: usize = 30;
/// Cases of one run.
const CASES: usize = BATCHES * WORLDS * QUESTIONS;
const _: () = assert!(CASES >= 2_000);
/// Batches in flight.
const THREADS: usize = 2;

/// What was seen: without it all cases might have been empty ones.
#[derive(Default)]
struct Seen {
    cases: usize,
    by_protocol: usize,
    shown_rows: usize,
    suppressed: u64,
    empty_tables: usize,
    /// By function: values, and NULLs.
    cells: BTreeMap<&'static str, [usize; 2]>,
}

#[test]
fn joint_tables_are_what_one_join_in_the_clear_says() {
    let seed = std::env::var("TRUTH_SEED").map_or(SEED, |seed| seed.parse().expect("a number"));
    let (seen, next) = (Mutex::new(Seen::default()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(number) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < BATCHES)
                {
                    let batch = Batch::new(seed, number);
                    batch.run(&seen);
                }
            });
        }
    });
    let seen = seen.into_inner().expect("no batch failed");
    assert_eq!(seen.cases, CASES);
    assert_eq!(seen.by_protocol, BATCHES * WORLDS / 2);
    assert!(seen.shown_rows > CASES, "{} rows", seen.shown_rows);
    assert!(seen.suppressed > CASES as u64);
    assert!(
        (CASES / 20..CASES / 2).contains(&seen.empty_tables),
        "{} empty",
        seen.empty_tables
    );
    assert_eq!(seen.cells.len(), 8, "all functions: {:?}", seen.cells);
    for (function, [values, nulls]) in seen.cells {
        let nullable = !matches!(function, "COUNT" | "SUM");
        assert!(
            values > 100 && (nulls > 0) == nullable,
            "{function}: {values} values, {nulls} NULLs"
        );
    }
}

/// Tables of some worlds under two policies, and questions about them.
struct Batch {
    seed: u64,
    number: usize,
    tables: [Table; 2],
    rows: Vec<[Rows; 2]>,
    questions: Vec<Question>,
}

impl Batch {
    fn new(seed: u64, number: usize) -> Self {
        let mut chance = Chance::new(seed.wrapping_mul(1_000).wrapping_add(number as u64));
        let tables = [Table::customers(&mut chance), Table::users(&mut chance)];
        let both = [&tables[0], &tables[1]];
        let rows = (0..WORLDS)
            .map(|number| tables::world(both, number, &mut chance))
            .collect();
        let questions = (0..QUESTIONS)
            .map(|_| draws::question(both, &mut chance))
            .collect();
        Self {
            seed,
            number,
            rows,
            questions,
            tables,
        }
    }

    fn both(&self) -> [&Table; 2] {
        [&self.tables[0], &self.tables[1]]
    }

    fn run(&self, seen: &Mutex<Seen>) {
        let folder = tempfile::tempdir().expect("a folder");
        let spill = SpillFolder::open(&folder.path().join("spill")).expect("a folder");
        let worlds = self
            .rows
            .iter()
            .enumerate()
            .map(|(number, [customers, users])| {
                World::new(
                    self.both(),
                    [customers, users],
                    number,
                    folder.path(),
                    &spill,
                )
            });
        let worlds: Vec<World> = worlds.collect();
        let side = |org: usize| self.rows.iter().map(|rows| &rows[org]).collect::<Vec<_>>();
        let [customers, users] = [0, 1].map(|org| files::clear(&self.tables[org], &side(org)));
        let clear = Clear::new(customers, users);
        for (number, question) in self.questions.iter().enumerate() {
            let least = question.least([0, 1].map(|org| self.tables[org].min_group));
            let truths = clear.answers(question, least, WORLDS);
            for (world, truth) in truths.iter().enumerate() {
                let case = Case {
                    batch: self,
                    question,
                    world,
                };
                // In every second world one, in each another.
                let protocol = world % 2 == 0 && number == world * QUESTIONS / WORLDS;
                let answer = case.answer(&worlds[world], folder.path(), &spill, protocol);
                let mut seen = seen.lock().expect("no batch failed");
                seen.by_protocol += usize::from(protocol);
                case.check(&answer, truth, &mut seen);
            }
        }
    }
}

/// One question of one world.
struct Case<'a> {
    batch: &'a Batch,
    question: &'a Question,
    world: usize,
}

impl Case<'_> {
    /// The product's table; the same by the protocols, where asked.
    fn answer(&self, world: &World, folder: &Path, spill: &SpillFolder, protocol: bool) -> Answer {
        let asked = world.ask(self.question, spill);
        let mut chance = Chance::new(self.world as u64);
        let buckets = 1 << chance.below(4);
        let ideal = sums::ideal(&asked, buckets, &mut chance);
        let answer = asked.answer(&ideal, folder, "table.csv");
        if protocol {
            let parties = [
                asked.plan.receiver.as_str(),
                asked.plan.sides[1 - asked.receiver()].org.as_str(),
            ];
            let opened = sums::protocol(&asked, self.world);
            for (party, cells) in parties.into_iter().zip(&opened) {
                assert_eq!(
                    cells.is_some(),
                    self.question.readers.contains(&party),
                    "{}",
                    self.told()
                );
                let Some(cells) = cells else { continue };
                assert_eq!(
                    *cells,
                    ideal,
                    "the protocols add up something else\n{}",
                    self.told()
                );
                let own = asked.answer(cells, folder, "own.csv");
                assert_eq!(
                    (own.csv, own.suppressed),
                    (answer.csv.clone(), answer.suppressed),
                    "{}",
                    self.told()
                );
            }
        }
        answer
    }

    fn check(&self, answer: &Answer, truth: &[Vec<Fact>], seen: &mut Seen) {
        let mut lines = answer.csv.lines();
        assert_eq!(
            lines.next(),
            Some(cells::heading(self.question).as_str()),
            "{}",
            self.told()
        );
        let shown = &truth[..truth.len().min(self.question.limit.unwrap_or(usize::MAX))];
        let printed: Vec<Vec<Option<String>>> = lines.map(cells::fields).collect();
        assert_eq!(
            printed.len(),
            shown.len(),
            "rows: {printed:#?}\nand not {shown:#?}\n{}",
            self.told()
        );
        for (printed, facts) in printed.iter().zip(shown) {
            assert_eq!(printed.len(), facts.len(), "columns\n{}", self.told());
            for (place, (cell, fact)) in printed.iter().zip(facts).enumerate() {
                let output = &self.question.outputs[place];
                let text = cell.as_deref().unwrap_or("");
                let expected = cells::expected(fact, &output.shows, text, answer.decimals[place]);
                let name = &output.name;
                assert_eq!(
                    expected.as_ref(),
                    Ok(cell),
                    "{name} of {printed:?}\n{fact:?}\n{}",
                    self.told()
                );
                if !matches!(output.shows, Shows::Key(_)) {
                    let counts = seen.cells.entry(output.shows.function()).or_default();
                    counts[usize::from(cell.is_none())] += 1;
                }
            }
        }
        let suppressed = self.question.cells() - truth.len() as u64;
        assert_eq!(answer.suppressed, suppressed, "suppressed\n{}", self.told());
        seen.cases += 1;
        seen.shown_rows += shown.len();
        seen.suppressed += suppressed;
        seen.empty_tables += usize::from(shown.is_empty());
    }

    /// All that is needed to make the case again.
    fn told(&self) -> String {
        let Batch { seed, number, .. } = self.batch;
        let mut text = format!(
            "TRUTH_SEED={seed}, batch {number}, world {}\n{}\n{:#?}\n",
            self.world,
            self.question.ask(),
            self.question.job().measures
        );
        for (table, rows) in self.batch.tables.iter().zip(&self.batch.rows[self.world]) {
            let _ = writeln!(text, "{}: {:?}", table.dataset, table.columns);
            for row in rows {
                let _ = writeln!(text, "{row:?}");
            }
        }
        text
    }
}
