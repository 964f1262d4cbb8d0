//! Secure aggregation in one process: `cargo bench -p entente-protocols --bench aggregate`; `-- 1000` runs the large round instead, once.
//!
//! Times are of this machine's wall clock. A node's masking is what it does to a vector of a million cells among ten members, once on one thread and once on
//! all; bytes a cell are those of the contribution.
#![allow(clippy::print_stdout, reason = "a bench reports to a terminal")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

#[path = "../src/aggregate/tests/rehearsal.rs"]
mod rehearsal;

use criterion::{Criterion, Throughput};
use entente_protocols::aggregate::messages::{Contribution, RoundMessage};
use entente_protocols::aggregate::{self, Member, Terms};
use entente_protocols::block::Block;
use entente_protocols::prg::Prg;
use rehearsal::{Hop, Rehearsal, Step, honest, keys, proposal};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CELLS: u32 = 1_000_000;
const MEMBERS: usize = 10;

fn value(member: Member, cell: usize) -> i64 {
    (cell as i64 & 0xffff) * (i64::from(member.0) + 1) - 70_000
}

/// Streams onto a megabyte, again and again: what the kernel gives by itself.
fn stream(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mask stream");
    let mut words = vec![0u64; 1 << 17];
    group.throughput(Throughput::Bytes(8 << 17));
    group.bench_function("one core", |bencher| {
        bencher.iter(|| aggregate::add_mask_stream(black_box(Block(7)), &mut words));
    });
    group.finish();
}

/// The whole third step of a node, ten members: boxes, keys, masks and authenticator, on one thread and on all.
fn masking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a node's masking, 10 members, 10^6 cells");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(CELLS.into()));
    let terms = Arc::new(Terms::new(proposal(&keys(MEMBERS), CELLS, 2)).expect("fits"));
    let stage = Stage::new(&terms);
    for threads in [1, 0] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        let name = if threads == 1 {
            "one thread"
        } else {
            "all threads"
        };
        group.bench_function(name, |bencher| {
            pool.install(|| {
                bencher.iter_batched(
                    || stage.dealt(),
                    |dealt| stage.contribute(dealt),
                    criterion::BatchSize::PerIteration,
                );
            });
        });
    }
    let bytes = stage.contribute(stage.dealt()).encode().len();
    println!(
        "uploaded: {:.6} bytes a cell",
        bytes as f64 / f64::from(CELLS)
    );
    group.finish();
}

/// Member 1 of a round, again and again up to its contribution.
struct Stage<'a> {
    terms: &'a Arc<Terms>,
    keys: Vec<rehearsal::Key>,
    introductions: Vec<u8>,
    delivery: Vec<u8>,
    vector: Vec<i64>,
}

impl<'a> Stage<'a> {
    fn new(terms: &'a Arc<Terms>) -> Self {
        let keys = keys(MEMBERS);
        let heard = std::sync::Mutex::new([vec![], vec![]]);
        let line = |hop: Hop, bytes: Vec<u8>| {
            if hop.member == Member(1) && [0x0702, 0x0704].contains(&hop.kind) {
                heard.lock().expect("not poisoned")[usize::from(hop.kind == 0x0704)] =
                    bytes.clone();
            }
            (hop.kind < 0x0705).then_some(bytes)
        };
        let vectors = |_| vec![0; CELLS as usize];
        Rehearsal {
            terms,
            keys: &keys,
            vectors: &vectors,
            vanishes: &|_| Step::Never,
            line: &line,
            seed: 1,
        }
        .run();
        let [introductions, delivery] = heard.into_inner().expect("not poisoned");
        let vector = (0..CELLS as usize)
            .map(|cell| value(Member(1), cell))
            .collect();
        Self {
            terms,
            keys,
            introductions,
            delivery,
            vector,
        }
    }

    fn dealt(&self) -> aggregate::Dealt {
        let rng = |step| rehearsal::rng(1, Member(1), step);
        let introduced = aggregate::introduce(
            self.terms,
            Member(1),
            aggregate::PersistedRound::begun(self.terms),
            &self.keys[1],
            &mut rng(Step::Introduce),
        );
        let (state, _) = introduced.expect("a member");
        let introductions =
            RoundMessage::delivered(&self.introductions, self.terms).expect("honest");
        let (state, _) = state
            .deal(&introductions, &mut rng(Step::Deal))
            .expect("honest");
        state
    }

    fn contribute(&self, state: aggregate::Dealt) -> Contribution {
        let delivery = RoundMessage::delivered(&self.delivery, self.terms).expect("honest");
        let (_, contribution) = state
            .contribute(&delivery, &self.vector, &self.keys[1])
            .expect("honest");
        contribution
    }
}

/// A thousand members and ten thousand cells; a third vanishes, at all steps in turn.
fn thousand() {
    let keys = keys(1_000);
    let start = Instant::now();
    let terms = Arc::new(Terms::new(proposal(&keys, 10_000, 50)).expect("fits"));
    println!(
        "terms with {:?}: {:.2} s",
        terms.degree(),
        start.elapsed().as_secs_f64()
    );
    let steps = [
        Step::Introduce,
        Step::Deal,
        Step::Contribute,
        Step::Vote,
        Step::Release,
    ];
    let vanishes = |member: Member| match member.index() % 3 {
        1 => steps[member.index() / 3 % steps.len()],
        _ => Step::Never,
    };
    let vectors = |member: Member| (0..10_000).map(|cell| value(member, cell)).collect();
    let bytes = AtomicUsize::new(0);
    let line = |hop: Hop, sent: Vec<u8>| {
        bytes.fetch_add(sent.len(), Ordering::Relaxed);
        honest(hop, sent)
    };
    let (start, cpu) = (Instant::now(), cpu_time::ProcessTime::now());
    let rehearsal = Rehearsal {
        terms: &terms,
        keys: &keys,
        vectors: &vectors,
        vanishes: &vanishes,
        line: &line,
        seed: 1,
    };
    let outcome = rehearsal.run();
    let (wall, cpu) = (start.elapsed(), cpu.elapsed());
    assert_eq!(outcome.faults, [], "nobody cheats");
    let sum = outcome.sum.expect("enough stay");
    for (cell, got) in sum.cells.iter().enumerate() {
        let due: i64 = sum
            .survivors
            .iter()
            .map(|member| value(*member, cell))
            .sum();
        assert_eq!(*got, due, "cell {cell}");
    }
    println!(
        "1,000 members, 10,000 cells, {} contributions added: exact, {:.1} s wall, {:.1} s of processor time, {} MB in all",
        sum.survivors.len(),
        wall.as_secs_f64(),
        cpu.as_secs_f64(),
        bytes.into_inner() / 1_000_000
    );
}

fn main() {
    if std::env::args().any(|argument| argument == "1000") {
        return thousand();
    }
    let mut criterion = Criterion::default().configure_from_args();
    stream(&mut criterion);
    masking(&mut criterion);
    criterion.final_summary();
}
