//! VOLE-PSI and its parts, both roles in memory on this machine: `cargo bench -p entente-protocols --bench psi_vole`.
//!
//! Prints a table: both parties' processor time (what the kernel charged the whole process, to the nanosecond, ended threads
//! included), wall time and bytes, each an id; medians of several runs. Everything after `--` is a filter: only lines whose name
//! and number of ids, such as `PSI semi-honest 1048576`, contain each of the words are measured.
#![allow(clippy::print_stdout, reason = "a bench reports to a terminal")]

use cpu_time::ProcessTime;
use entente_protocols::block::Block;
use entente_protocols::bounds::OkvsShape;
use entente_protocols::channel::{Channel, memory_pair};
use entente_protocols::okvs::{self, Fill, Rows};
use entente_protocols::ot::{base, extension};
use entente_protocols::prg::Prg;
use entente_protocols::psi::vole::{Setup, receiver, sender};
use entente_protocols::psi::{Id, PaddedSizes, SessionId};
use entente_protocols::secret::Secret;
use entente_protocols::security::Security;
use entente_protocols::vole::{self, code::Code};
use std::time::{Duration, Instant};

/// What a released node should be built with too: the system's allocator hands large buffers back, and every run pays for fresh pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SID: SessionId = SessionId::new([9; 32]);
const RUNS: usize = 5;
const MODES: [Security; 2] = [Security::SemiHonest, Security::Malicious];

fn main() {
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let table = Table {
        words: words.collect(),
    };
    println!(
        "{:<34} {:>10} {:>12} {:>12} {:>10}",
        "", "ids", "CPU ns/id", "wall ns/id", "bytes/id"
    );
    for log_ids in [16, 18, 20] {
        for security in MODES {
            psi(&table, 1 << log_ids, security);
        }
    }
    okvs(&table, 1 << 20);
    for security in MODES {
        vole(&table, 1 << 20, security);
    }
    code::<1>(&table, 1 << 18);
    code::<2>(&table, 1 << 18);
    base_transfers(&table);
    for security in MODES {
        transfers(&table, 1 << 18, security);
    }
}

/// What is printed: the lines whose name contains every word.
struct Table {
    words: Vec<String>,
}

impl Table {
    /// Measures `work`, which does something for each of `count` items and tells how many bytes travelled, several times.
    fn line(&self, name: &str, count: u32, mut work: impl FnMut() -> u64) {
        let full = format!("{name} {count}");
        if !self.words.iter().all(|word| full.contains(word.as_str())) {
            return;
        }
        let mut bytes = 0;
        let mut times: Vec<(Duration, Duration)> = (0..RUNS)
            .map(|_| {
                let (cpu, wall) = (processor_time(), Instant::now());
                bytes = work();
                (processor_time() - cpu, wall.elapsed())
            })
            .collect();
        times.sort();
        let (cpu, wall) = times[times.len() / 2];
        let each = |time: Duration| time.as_nanos() as f64 / f64::from(count);
        println!(
            "{name:<34} {count:>10} {:>12.1} {:>12.1} {:>10.1}",
            each(cpu),
            each(wall),
            bytes as f64 / f64::from(count)
        );
    }
}

/// User and system time of this process, ended threads included.
fn processor_time() -> Duration {
    ProcessTime::now().as_duration()
}

/// Runs both parts of a protocol on two threads: what the second returns, and the bytes of both directions.
fn pair<A: Send, B>(
    a: impl FnOnce(&mut Channel) -> A + Send,
    b: impl FnOnce(&mut Channel) -> B,
) -> (B, u64) {
    let (mut to_b, mut to_a) = memory_pair();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(a(&mut to_b)));
        let result = b(&mut to_a);
        let totals = to_a.totals();
        (result, totals.sent_bytes + totals.received_bytes)
    })
}

fn mode(security: Security) -> &'static str {
    match security.is_malicious() {
        true => "malicious",
        false => "semi-honest",
    }
}

fn ids(range: std::ops::Range<u32>) -> Vec<Id> {
    let spread = |number: u32| {
        let number = u128::from(number) << 64 | 7;
        number.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
    };
    range
        .map(|number| Id::new(spread(number).to_le_bytes()))
        .collect()
}

fn psi(table: &Table, count: u32, security: Security) {
    let (mine, theirs) = (ids(0..count), ids(count / 2..count / 2 + count));
    let sizes = PaddedSizes::new(count, count).expect("under the limit");
    table.line(&format!("PSI {}", mode(security)), count, || {
        let setup = &Setup::new(sizes, 1, security).expect("under the limit");
        let (common, bytes) = pair(
            |channel| sender::reveal(channel, SID, setup, &theirs, &mut Prg::new(Block(1))),
            |channel| receiver::reveal(channel, SID, setup, &mine, &mut Prg::new(Block(2))),
        );
        assert_eq!(common.map(|common| common.len()), Ok(count as usize / 2));
        bytes
    });
}

fn okvs(table: &Table, count: u32) {
    let shape = OkvsShape::new(count.into(), 1);
    let keys: Vec<Block> = ids(0..count)
        .iter()
        .map(|id| Block::from_bytes(*id.as_bytes()))
        .collect();
    let lay_out = || Rows::new(&shape, Block(7), keys.iter().copied()).expect("within bounds");
    table.line("OKVS rows", count, || {
        drop(lay_out());
        0
    });
    let rows = lay_out();
    table.line("OKVS encode", count, || {
        let encoded = okvs::encode(&shape, &rows, Fill::<Prg>::Zero, |bin, values| {
            values.copy_from_slice(bin.keys);
        });
        encoded.map_or(0, |_| 0)
    });
    let vector = Prg::new(Block(3)).blocks(shape.width());
    table.line("OKVS decode", count, || {
        drop(okvs::decode(&shape, &rows, &vector, |_, _| {}));
        0
    });
}

fn vole(table: &Table, count: u32, security: Security) {
    let setup = vole::Setup::new(OkvsShape::new(count.into(), 1).width(), security);
    table.line(&format!("VOLE {}", mode(security)), count, || {
        let delta = Secret::new(Block(5));
        let mut a = vec![Block::ZERO; setup.outputs()];
        let (c, bytes) = pair(
            |channel| {
                vole::sender::run(channel, &SID, &setup, &delta, &mut Prg::new(Block(1)))
                    .map(|_| ())
            },
            |channel| {
                vole::receiver::run(channel, &SID, &setup, &mut a, &mut Prg::new(Block(2)))
                    .map(|_| ())
            },
        );
        c.expect("honest");
        bytes
    });
}

fn code<const K: usize>(table: &Table, outputs: u32) {
    if K == 1 {
        table.line("code making", outputs, || {
            drop(Code::new(outputs as usize, [1; 32]));
            0
        });
    }
    let code = Code::new(outputs as usize, [1; 32]);
    let mut places = vec![[Block(3); K]; 2 * outputs as usize];
    table.line(&format!("code with {K} blocks a lane"), outputs, || {
        code.compress(&mut places);
        0
    });
}

fn base_transfers(table: &Table) {
    let choices: Vec<bool> = (0..base::TRANSFERS).map(|i| i % 3 == 0).collect();
    table.line("base OT", base::TRANSFERS as u32, || {
        let (keys, bytes) = pair(
            |channel| base::receive(channel, &SID, &choices, &mut Prg::new(Block(1))).map(|_| ()),
            |channel| base::send(channel, &SID, base::TRANSFERS, &mut Prg::new(Block(2))).is_ok(),
        );
        assert!(keys, "honest");
        bytes
    });
}

/// Without the set-up's base OTs, of which one serves any number of transfers.
fn transfers(table: &Table, count: u32, security: Security) {
    let choices: Vec<bool> = (0..count).map(|i| i % 3 == 0).collect();
    let (mut to_receiver, mut to_sender) = memory_pair();
    let (mut left, mut right) = (Prg::new(Block(1)), Prg::new(Block(2)));
    let (sender, receiver) = std::thread::scope(|scope| {
        let sender =
            scope.spawn(|| extension::Sender::set_up(&mut to_receiver, &SID, security, &mut left));
        let receiver = extension::Receiver::set_up(&mut to_sender, &SID, security, &mut right);
        (sender.join().expect("no panic"), receiver)
    });
    let (mut sender, mut receiver) = (sender.expect("honest"), receiver.expect("honest"));
    let name = format!("OT extension {}", mode(security));
    table.line(&name, count, || {
        let before = to_sender.totals();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(sender.extend(&mut to_receiver, count as usize, &mut left)));
            let keys = receiver.extend(&mut to_sender, &choices, &mut right);
            let keys = keys.map(|keys| keys.expose().len());
            assert_eq!(keys, Ok(count as usize));
        });
        let after = to_sender.totals();
        after.sent_bytes + after.received_bytes - before.sent_bytes - before.received_bytes
    });
}
