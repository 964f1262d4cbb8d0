//! VOLE-PSI and its parts, both roles in memory on this machine: `cargo bench -p entente-protocols --bench psi_vole`.
//!
//! Prints a table: both parties' processor time and bytes an id pair, and what the parts cost. Processor time comes from the
//! kernel's accounting in ticks of 10 ms, so the whole protocol is run several times and the median taken.
#![allow(clippy::print_stdout, reason = "a bench reports to a terminal")]

use entente_protocols::block::Block;
use entente_protocols::bounds::OkvsShape;
use entente_protocols::channel::memory_pair;
use entente_protocols::okvs::{self, Fill, Rows};
use entente_protocols::prg::Prg;
use entente_protocols::psi::vole::{Setup, receiver, sender};
use entente_protocols::psi::{Id, PaddedSizes, SessionId};
use entente_protocols::secret::Secret;
use entente_protocols::security::Security;
use entente_protocols::vole;
use std::time::{Duration, Instant};

const SID: SessionId = SessionId::new([9; 32]);
const RUNS: usize = 5;

fn main() {
    println!(
        "{:<34} {:>10} {:>12} {:>12} {:>10}",
        "", "ids", "CPU ns/id", "wall ns/id", "bytes/id"
    );
    for log_ids in [16, 18, 20] {
        let ids = 1u32 << log_ids;
        for security in [Security::SemiHonest, Security::Malicious] {
            psi(ids, security);
        }
    }
    parts(1 << 20);
}

fn line(name: &str, ids: u32, mut times: Vec<(Duration, Duration)>, bytes: Option<u64>) {
    times.sort();
    let (cpu, wall) = times[times.len() / 2];
    let each = |time: Duration| time.as_nanos() as f64 / f64::from(ids);
    let bytes = bytes.map_or_else(String::new, |bytes| {
        format!("{:.1}", bytes as f64 / f64::from(ids))
    });
    println!(
        "{name:<34} {ids:>10} {:>12.0} {:>12.0} {bytes:>10}",
        each(cpu),
        each(wall)
    );
}

fn timed(work: impl FnOnce()) -> (Duration, Duration) {
    let (cpu, wall) = (processor_time(), Instant::now());
    work();
    (processor_time() - cpu, wall.elapsed())
}

/// User and system time of this process.
fn processor_time() -> Duration {
    let stat =
        std::fs::read_to_string("/proc/self/stat").expect("Linux tells a process about itself");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |place: usize| fields[place].parse::<u64>().expect("a number of ticks");
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

fn ids(range: std::ops::Range<u32>) -> Vec<Id> {
    let mut blocks: Vec<u128> = range.map(|number| u128::from(number) << 64 | 7).collect();
    for block in &mut blocks {
        *block = block.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645);
    }
    blocks
        .into_iter()
        .map(|block| Id::new(block.to_le_bytes()))
        .collect()
}

fn psi(count: u32, security: Security) {
    let (mine, theirs) = (ids(0..count), ids(count / 2..count / 2 + count));
    let sizes = PaddedSizes::new(count, count).expect("under the limit");
    let mut bytes = 0;
    let times = (0..RUNS)
        .map(|_| {
            timed(|| {
                let setup = Setup::new(sizes, 1, security).expect("under the limit");
                let (mut to_receiver, mut to_sender) = memory_pair();
                let common = std::thread::scope(|scope| {
                    scope.spawn(|| {
                        sender::reveal(
                            &mut to_receiver,
                            SID,
                            &setup,
                            &theirs,
                            &mut Prg::new(Block(1)),
                        )
                    });
                    receiver::reveal(&mut to_sender, SID, &setup, &mine, &mut Prg::new(Block(2)))
                });
                assert_eq!(common.map(|common| common.len()), Ok(count as usize / 2));
                let totals = to_sender.totals();
                bytes = totals.sent_bytes + totals.received_bytes;
            })
        })
        .collect();
    let mode = if security.is_malicious() {
        "malicious"
    } else {
        "semi-honest"
    };
    line(
        &format!("PSI, both parties, {mode}"),
        count,
        times,
        Some(bytes),
    );
}

fn parts(count: u32) {
    let shape = OkvsShape::new(count.into(), 1);
    let keys: Vec<Block> = ids(0..count)
        .iter()
        .map(|id| Block::from_bytes(*id.as_bytes()))
        .collect();
    let lay_out = || Rows::new(&shape, Block(7), keys.iter().copied()).expect("within bounds");
    let mut rows = lay_out();
    let repeat = |work: &mut dyn FnMut()| (0..RUNS).map(|_| timed(&mut *work)).collect::<Vec<_>>();
    line("OKVS rows", count, repeat(&mut || rows = lay_out()), None);
    let mut vector = Vec::new();
    let mut encode = || {
        vector = okvs::encode(&shape, &rows, Fill::<Prg>::Zero, |bin, values| {
            values.copy_from_slice(bin.keys);
        })
        .expect("solvable");
    };
    line("OKVS encode", count, repeat(&mut encode), None);
    let mut random = Prg::new(Block(3)).blocks(shape.width());
    std::mem::swap(&mut random, &mut vector);
    line(
        "OKVS decode",
        count,
        repeat(&mut || drop(okvs::decode(&shape, &rows, &vector, |_, _| {}))),
        None,
    );
    for security in [Security::SemiHonest, Security::Malicious] {
        let setup = vole::Setup::new(shape.width(), security);
        let mut run = || {
            let (mut to_receiver, mut to_sender) = memory_pair();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    vole::sender::run(
                        &mut to_receiver,
                        &SID,
                        &setup,
                        &Secret::new(Block(5)),
                        &mut Prg::new(Block(1)),
                    )
                });
                let mut a = vec![Block::ZERO; setup.outputs()];
                vole::receiver::run(
                    &mut to_sender,
                    &SID,
                    &setup,
                    &mut a,
                    &mut Prg::new(Block(2)),
                )
                .expect("honest");
            });
        };
        line(
            &format!("VOLE, both parties, {security:?}"),
            count,
            repeat(&mut run),
            None,
        );
    }
    let mut code = || drop(vole::code::Code::new(1 << 18, [1; 32]));
    line("code, making it (2^18)", 1 << 18, repeat(&mut code), None);
}
