//! The blind join's first steps, both roles in memory on this machine: `cargo bench -p entente-protocols --bench blind_hints`.
//!
//! Prints a table: both parties' processor time, wall time and bytes, each a row; medians of several runs. Everything after `--` is a
//! filter: only lines whose name contains each of the words are measured.
#![allow(clippy::print_stdout, reason = "a bench reports to a terminal")]

use cpu_time::ProcessTime;
use entente_protocols::blind::cuckoo::{Bins, Table};
use entente_protocols::blind::hints::{self, receiver, sender};
use entente_protocols::blind::layout::Layout;
use entente_protocols::block::Block;
use entente_protocols::bounds;
use entente_protocols::channel::{Channel, memory_pair};
use entente_protocols::oprf;
use entente_protocols::prg::Prg;
use entente_protocols::psi::{Id, PaddedSizes, SessionId};
use entente_protocols::security::Security;
use std::time::{Duration, Instant};

/// What a released node should be built with too: the system's allocator hands large buffers back, and every run pays for fresh pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SID: SessionId = SessionId::new([9; 32]);
const RUNS: usize = 5;
const ROWS: u32 = 1 << 20;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    println!(
        "{:<40} {:>12} {:>12} {:>10}",
        "at 2^20 rows a side", "CPU ns/row", "wall ns/row", "bytes/row"
    );
    let line = |name: &str, work: &mut dyn FnMut() -> u64| {
        if words.iter().all(|word| name.contains(word.as_str())) {
            measure(name, work);
        }
    };
    let keys = Prg::new(Block(5)).blocks(ROWS as usize);
    cuckoo(&line, &keys);
    oprf(&line, &keys);
    for (name, code_bits, bits) in [
        ("hints, a target alone", 0, &[][..]),
        ("hints, one word of 50 bits", 3, &[50]),
        ("hints, one word of 64 bits", 3, &[64]),
        ("hints, three words of 50 bits", 3, &[50; 3]),
    ] {
        hints(&line, &format!("OPRF, cuckoo and {name}"), code_bits, bits);
    }
}

type Line<'a> = dyn Fn(&str, &mut dyn FnMut() -> u64) + 'a;

/// Measures `work`, which tells how many bytes travelled, several times.
fn measure(name: &str, work: &mut dyn FnMut() -> u64) {
    let mut bytes = 0;
    let mut times: Vec<(Duration, Duration)> = (0..RUNS)
        .map(|_| {
            let (cpu, wall) = (ProcessTime::now(), Instant::now());
            bytes = work();
            (cpu.elapsed(), wall.elapsed())
        })
        .collect();
    times.sort();
    let (cpu, wall) = times[times.len() / 2];
    let each = |time: Duration| time.as_nanos() as f64 / f64::from(ROWS);
    println!(
        "{name:<40} {:>12.1} {:>12.1} {:>10.1}",
        each(cpu),
        each(wall),
        bytes as f64 / f64::from(ROWS)
    );
}

/// Runs both parts of a protocol on two threads; the bytes of both directions.
fn pair<A: Send, B>(
    a: impl FnOnce(&mut Channel) -> A + Send,
    b: impl FnOnce(&mut Channel) -> B,
) -> u64 {
    let (mut to_b, mut to_a) = memory_pair();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(a(&mut to_b)));
        drop(b(&mut to_a));
        let totals = to_a.totals();
        totals.sent_bytes + totals.received_bytes
    })
}

fn cuckoo(line: &Line<'_>, keys: &[Block]) {
    let bins = Bins::new(&SID, Block(1), bounds::cuckoo_bins(ROWS.into()) as u32);
    line("bins of ids", &mut || {
        drop(bins.of(keys));
        0
    });
    line("cuckoo table", &mut || {
        Table::new(&bins, keys).map(|_| 0).expect("placed")
    });
}

fn oprf(line: &Line<'_>, keys: &[Block]) {
    let setup = oprf::Setup::new(ROWS.into(), 1, Security::SemiHonest);
    line("OPRF, R at its keys", &mut || {
        pair(
            |channel| oprf::sender::run(channel, &SID, &setup, &mut Prg::new(Block(1))).is_ok(),
            |channel| {
                let rng = &mut Prg::new(Block(2));
                oprf::receiver::run(channel, &SID, &setup, keys, rng).expect("honest")
            },
        )
    });
    let (mut to_receiver, mut to_sender) = memory_pair();
    let mut rng = Prg::new(Block(2));
    let evaluator = std::thread::scope(|scope| {
        scope.spawn(|| oprf::receiver::run(&mut to_sender, &SID, &setup, keys, &mut rng).map(drop));
        oprf::sender::run(&mut to_receiver, &SID, &setup, &mut Prg::new(Block(1)))
    });
    let evaluator = evaluator.expect("honest");
    line("OPRF, S at three keys a row", &mut || {
        (0..3).for_each(|_| drop(evaluator.evaluate(keys)));
        0
    });
}

fn hints(line: &Line<'_>, name: &str, code_bits: u32, bits: &[u32]) {
    let layout = Layout::new(bits.to_vec());
    let ids = |seed| -> Vec<Id> {
        let blocks = Prg::new(Block(seed)).blocks(ROWS as usize);
        blocks.iter().map(|id| Id::new(id.to_bytes())).collect()
    };
    let (mine, mut theirs) = (ids(1), ids(2));
    theirs[..ROWS as usize / 2].copy_from_slice(&mine[..ROWS as usize / 2]);
    let codes = vec![0; ROWS as usize];
    let words: Vec<u64> = (0..ROWS as u64 * bits.len() as u64).collect();
    let sizes = PaddedSizes::new(ROWS, ROWS).expect("in range");
    line(name, &mut || {
        let setup = hints::Setup::new(sizes, 1, code_bits, &layout).expect("in range");
        let inputs = sender::Inputs {
            ids: &theirs,
            codes: &codes,
            words: &words,
        };
        let bytes = pair(
            |channel| {
                let rng = &mut Prg::new(Block(1));
                sender::run::<u64>(channel, &SID, &setup, inputs, rng).expect("honest")
            },
            |channel| {
                let rng = &mut Prg::new(Block(2));
                receiver::run(channel, &SID, &setup, &mine, rng).expect("honest")
            },
        );
        assert_eq!(bytes, setup.bytes());
        bytes
    });
}
