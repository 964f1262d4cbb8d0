//! One bucket of the blind join, both roles in memory on this machine: `cargo bench -p entente-protocols --bench blind`.
//!
//! Prints a table: both parties' processor time, wall time and bytes, each a row of either side; medians of several runs, whose table
//! is held against the truth. Everything after `--` is a filter, as in `psi_vole`.
#![allow(clippy::print_stdout, reason = "a bench reports to a terminal")]

use cpu_time::ProcessTime;
use entente_protocols::blind::{Bucket, Moment, Setup, Table, Transfers, What, receiver, sender};
use entente_protocols::block::Block;
use entente_protocols::channel::memory_pair;
use entente_protocols::prg::Prg;
use entente_protocols::psi::{Id, PaddedSizes, SessionId};
use std::time::{Duration, Instant};

/// As in a released node.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SID: SessionId = SessionId::new([9; 32]);
const RUNS: usize = 3;
/// Bits of a sum of hundredths up to 100,000 over 2^20 rows.
const SUM_BITS: u32 = 46;
/// Bits of a number of rows.
const COUNT_BITS: u32 = 24;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    println!(
        "{:<34} {:>10} {:>12} {:>12} {:>10}",
        "", "rows", "CPU ns/row", "wall ns/row", "bytes/row"
    );
    let count = || {
        vec![Moment {
            what: What::Ids,
            bits: COUNT_BITS,
        }]
    };
    let with_sum = || {
        let what = What::Sender(0);
        let bits = SUM_BITS;
        [count(), vec![Moment { what, bits }]].concat()
    };
    for rows in [1 << 16, 1 << 18, 1 << 20] {
        for (name, groups, moments) in [
            ("count", [1, 1], count()),
            ("count and sum", [1, 1], with_sum()),
            ("count and sum by R, 8 groups", [8, 1], with_sum()),
            ("count and sum by S, 8 groups", [1, 8], with_sum()),
            ("count and sum, 8 x 8 groups", [8, 8], with_sum()),
        ] {
            for transfers in [Transfers::Fast, Transfers::Silent] {
                let name = match transfers {
                    Transfers::Fast => name.to_owned(),
                    Transfers::Silent => format!("{name}, silent"),
                };
                let full = format!("{name} {rows}");
                if words.iter().all(|word| full.contains(word.as_str())) {
                    line(&name, rows, groups, moments.clone(), transfers);
                }
            }
        }
    }
}

fn line(name: &str, rows: u32, groups: [u32; 2], moments: Vec<Moment>, transfers: Transfers) {
    let table = Table::new(groups[0], groups[1], moments).expect("fits");
    let sizes = PaddedSizes::new(rows, rows).expect("under the limit");
    let setup = Setup::new(sizes, 1, table).expect("fits");
    let setup = setup.with_transfers(transfers);
    let bank = bucket(0..rows, groups[0], 0);
    let shop = bucket(rows / 2..rows / 2 + rows, groups[1], 1);
    let truth = truth(&setup, &bank, &shop, rows);
    let mut times: Vec<(Duration, Duration)> = (0..RUNS)
        .map(|_| {
            let (cpu, wall) = (ProcessTime::now(), Instant::now());
            let opened = run(&setup, &bank, &shop);
            let times = (cpu.elapsed(), wall.elapsed());
            assert_eq!(opened, truth, "the table is right");
            times
        })
        .collect();
    times.sort();
    let (cpu, wall) = times[RUNS / 2];
    let each = |time: Duration| time.as_nanos() as f64 / f64::from(rows);
    println!(
        "{name:<34} {rows:>10} {:>12.1} {:>12.1} {:>10.1}",
        each(cpu),
        each(wall),
        setup.bytes() as f64 / f64::from(rows)
    );
}

/// Ids that look like digests, codes and a number each.
fn bucket(ids: std::ops::Range<u32>, groups: u32, columns: usize) -> Bucket {
    let spread = |number: u32| {
        let number = u128::from(number) << 64 | 7;
        number.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
    };
    Bucket {
        ids: ids
            .clone()
            .map(|n| Id::new(spread(n).to_le_bytes()))
            .collect(),
        codes: ids.clone().map(|n| n % groups).collect(),
        columns: vec![ids.map(|n| i128::from(n % 20_000_003) - 1_000).collect(); columns],
    }
}

/// The table in the clear: the second half of the bank's rows are the first half of the shop's.
fn truth(setup: &Setup, bank: &Bucket, shop: &Bucket, rows: u32) -> Vec<u128> {
    let table = setup.table();
    let moments = table.moments();
    let mut words = vec![0i128; table.words()];
    let half = (rows / 2) as usize;
    for row in 0..half {
        let cell = bank.codes[half + row] * table.sender_groups() + shop.codes[row];
        let cell = &mut words[cell as usize * moments.len()..][..moments.len()];
        for (word, moment) in cell.iter_mut().zip(moments) {
            *word += match moment.what {
                What::Sender(column) => shop.columns[column][row],
                _ => 1,
            };
        }
    }
    let bits = moments.iter().map(|moment| moment.bits).cycle();
    words
        .iter()
        .zip(bits)
        .map(|(word, bits)| low(*word as u128, bits))
        .collect()
}

fn run(setup: &Setup, bank: &Bucket, shop: &Bucket) -> Vec<u128> {
    let (mut to_shop, mut to_bank) = memory_pair();
    let (ours, theirs) = std::thread::scope(|scope| {
        let theirs =
            scope.spawn(|| sender::run(&mut to_bank, SID, setup, shop, &mut Prg::new(Block(1))));
        let ours = receiver::run(&mut to_shop, SID, setup, bank, &mut Prg::new(Block(2)));
        (
            ours.expect("honest"),
            theirs.join().expect("no panic").expect("honest"),
        )
    });
    let bits = setup
        .table()
        .moments()
        .iter()
        .map(|moment| moment.bits)
        .cycle();
    let sums = ours.iter().zip(&theirs).zip(bits);
    sums.map(|((a, b), bits)| low(a.wrapping_add(*b), bits))
        .collect()
}

fn low(word: u128, bits: u32) -> u128 {
    word & (u128::MAX >> (u128::BITS - bits))
}
