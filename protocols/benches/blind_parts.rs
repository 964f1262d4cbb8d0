//! The parts of the blind join that make its cost, both roles in memory on this machine:
//! `cargo bench -p entente-protocols --bench blind_parts`.
//!
//! Prints a table: both parties' processor time (what the kernel charged the whole process), wall time and bytes, each a transfer or
//! a bin; medians of several runs. Set-ups, of which one serves a bucket, are left out. Everything after `--` is a filter: only
//! lines whose name and count, such as `equality of 72 bits 65536`, contain each of the words are measured.
#![allow(clippy::print_stdout, reason = "a bench reports to a terminal")]

use cpu_time::ProcessTime;
use entente_protocols::blind::ots::{Ots, Way};
use entente_protocols::blind::selection::{self, Holder, Selection};
use entente_protocols::blind::{equality, word::Word};
use entente_protocols::block::Block;
use entente_protocols::channel::{Channel, memory_pair};
use entente_protocols::ot::extension::Choices;
use entente_protocols::prg::Prg;
use entente_protocols::session_id::SessionId;
use std::time::{Duration, Instant};

/// What a released node is built with too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SID: SessionId = SessionId::new([9; 32]);
const RUNS: usize = 5;
/// Bins that a bucket works on at a time.
const TILE_BINS: usize = 1 << 16;
/// Bits of a target in the largest jobs, and at 2^20 rows.
const TARGET_BITS: [u32; 2] = [72, 64];

fn main() {
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let words: Vec<String> = words.collect();
    about_this_machine();
    println!(
        "{:<34} {:>10} {:>12} {:>12} {:>10}",
        "", "count", "CPU ns each", "wall ns each", "bytes each"
    );
    let mut bench = Bench::new(words);
    for log_count in [16, 20, 22] {
        bench.transfers(1 << log_count);
    }
    for log_bins in [16, 20] {
        let bins = 1 << log_bins;
        for bits in TARGET_BITS {
            bench.equality(bins, bits);
        }
        bench.selection::<u64>(bins, "selection of a count", &[(Holder::Sender, 21)]);
        let sums = [(Holder::Sender, 21), (Holder::Both, 64)];
        bench.selection::<u64>(bins, "selection of count and sum", &sums);
        let wide = [(Holder::Sender, 21), (Holder::Both, 96), (Holder::Both, 96)];
        bench.selection::<u128>(bins, "selection of two wide sums", &wide);
    }
}

/// Day, processor and cores.
fn about_this_machine() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model
        .and_then(|line| line.split(": ").nth(1))
        .unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("unknown");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let days = now.map_or(0, |now| now.as_secs() / 86_400);
    println!("{model}, {cores} cores, load {load}, day {days} since 1970-01-01");
    println!("cargo bench -p entente-protocols --bench blind_parts");
}

/// Both parties after a set-up, and what is printed: the lines whose name contains every word.
struct Bench {
    words: Vec<String>,
    receiver: Party,
    sender: Party,
}

struct Party {
    channel: Channel,
    ots: Ots,
    rng: Prg,
}

impl Bench {
    fn new(words: Vec<String>) -> Self {
        let (to_sender, to_receiver) = memory_pair();
        let party = |mut channel, seed, set_up: SetUp| {
            let mut rng = Prg::new(Block(seed));
            let ots = set_up(&Way::Fast, &mut channel, &SID, &mut rng).expect("honest");
            Party { channel, ots, rng }
        };
        let (receiver, sender) = std::thread::scope(|scope| {
            let sender = scope.spawn(|| party(to_receiver, 1, Ots::set_up_at_sender));
            let receiver = party(to_sender, 2, Ots::set_up_at_receiver);
            (receiver, sender.join().expect("no panic"))
        });
        Self {
            words,
            receiver,
            sender,
        }
    }

    /// Measures one step of both parties, which does something for each of `count` items, several times.
    fn line<S: Send>(
        &mut self,
        name: &str,
        count: usize,
        receive: impl Fn(&mut Party) + Sync,
        send: impl Fn(&mut Party) -> S + Sync,
    ) {
        let full = format!("{name} {count}");
        if !self.words.iter().all(|word| full.contains(word.as_str())) {
            return;
        }
        let mut bytes = 0;
        let mut times: Vec<(Duration, Duration)> = (0..RUNS)
            .map(|_| {
                let before = travelled(&self.receiver);
                let (cpu, wall) = (ProcessTime::now().as_duration(), Instant::now());
                std::thread::scope(|scope| {
                    scope.spawn(|| send(&mut self.sender));
                    receive(&mut self.receiver);
                });
                let times = (ProcessTime::now().as_duration() - cpu, wall.elapsed());
                bytes = travelled(&self.receiver) - before;
                times
            })
            .collect();
        times.sort();
        let (cpu, wall) = times[times.len() / 2];
        let each = |time: Duration| time.as_nanos() as f64 / count as f64;
        println!(
            "{name:<34} {count:>10} {:>12.1} {:>12.1} {:>10.1}",
            each(cpu),
            each(wall),
            bytes as f64 / count as f64
        );
    }

    /// Keys reduced to a byte each.
    fn transfers(&mut self, count: usize) {
        let choices = random(3, count.div_ceil(128));
        self.line(
            "OT, keys to a byte",
            count,
            |party| {
                let (channel, ot, rng) =
                    (&mut party.channel, &mut party.ots.receiver, &mut party.rng);
                let mut sum = 0;
                let each = |_, keys: &[Block]| keys.iter().for_each(|key| sum ^= key.0 as u8);
                let done = ot.extend_each(channel, Choices::new(&choices, count), rng, each);
                assert!(done.is_ok(), "honest {sum}");
            },
            |party| {
                let (channel, ot, rng) =
                    (&mut party.channel, &mut party.ots.sender, &mut party.rng);
                let mut sum = 0;
                let each = |_, [zeros, ones]: [&[Block]; 2]| {
                    zeros.iter().for_each(|key| sum ^= key.0 as u8);
                    ones.iter().for_each(|key| sum ^= key.0 as u8);
                };
                let done = ot.extend_each(channel, count, rng, each);
                assert!(done.is_ok(), "honest {sum}");
            },
        );
    }

    fn equality(&mut self, bins: usize, bits: u32) {
        let (mine, theirs) = (random(4, bins), random(4, bins));
        self.line(
            &format!("equality of {bits} bits"),
            bins,
            |party| {
                for targets in mine.chunks(TILE_BINS) {
                    let (channel, ot, rng) =
                        (&mut party.channel, &mut party.ots.receiver, &mut party.rng);
                    let shares = equality::receive(channel, ot, bits, targets, rng);
                    assert_eq!(shares.map(|shares| shares.len()), Ok(targets.len()));
                }
            },
            |party| {
                for targets in theirs.chunks(TILE_BINS) {
                    let (channel, ot, rng) =
                        (&mut party.channel, &mut party.ots.sender, &mut party.rng);
                    let shares = equality::send(channel, ot, bits, targets, rng);
                    assert_eq!(shares.map(|shares| shares.len()), Ok(targets.len()));
                }
            },
        );
    }

    fn selection<W: Word>(&mut self, bins: usize, name: &str, words: &[(Holder, u32)]) {
        let selection = &Selection::new(words);
        let equal: Vec<bool> = random(5, bins).iter().map(|word| word & 1 == 1).collect();
        let rows: Vec<W> = random(6, bins * words.len())
            .into_iter()
            .map(W::from_u128)
            .collect();
        let tiles = || {
            equal
                .chunks(TILE_BINS)
                .zip(rows.chunks(TILE_BINS * words.len()))
        };
        self.line(
            name,
            bins,
            |party| {
                for (equal, rows) in tiles() {
                    let (channel, ots, rng) = (&mut party.channel, &mut party.ots, &mut party.rng);
                    let shares = selection::receive(channel, ots, selection, equal, rows, rng);
                    assert_eq!(shares.map(|shares| shares.len()), Ok(rows.len()));
                }
            },
            |party| {
                for (equal, rows) in tiles() {
                    let (channel, ots, rng) = (&mut party.channel, &mut party.ots, &mut party.rng);
                    let shares = selection::send(channel, ots, selection, equal, rows, rng);
                    assert_eq!(shares.map(|shares| shares.len()), Ok(rows.len()));
                }
            },
        );
    }
}

type SetUp =
    fn(&Way, &mut Channel, &SessionId, &mut Prg) -> Result<Ots, entente_protocols::fault::Fault>;

fn travelled(party: &Party) -> u64 {
    let totals = party.channel.totals();
    totals.sent_bytes + totals.received_bytes
}

fn random(seed: u128, count: usize) -> Vec<u128> {
    let blocks = Prg::new(Block(seed)).blocks(count);
    blocks.iter().map(|block| block.0).collect()
}
