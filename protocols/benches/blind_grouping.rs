//! The blind join's grouping, both roles in memory on this machine: `cargo bench -p entente-protocols --bench blind_grouping`.
//!
//! Prints a table: both parties' processor time (what the kernel charged the whole process), wall time and bytes, each a bin, with the
//! transfers and without their set-up; medians of several runs. Everything after `--` is a filter: only lines whose name contains
//! each of the words are measured.
#![allow(clippy::print_stdout, reason = "a bench reports to a terminal")]

use cpu_time::ProcessTime;
use entente_protocols::blind::grouping::{Grouping, ReceiverBins, SenderBins};
use entente_protocols::blind::layout::Layout;
use entente_protocols::blind::ots::{Ots, Way};
use entente_protocols::block::Block;
use entente_protocols::channel::{Channel, memory_pair};
use entente_protocols::prg::Prg;
use entente_protocols::psi::SessionId;
use rand_core::Rng;
use std::time::{Duration, Instant};

/// What a released node should be built with too: the system's allocator hands large buffers back, and every run pays for fresh pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SID: SessionId = SessionId::new([9; 32]);
const RUNS: usize = 5;
/// Bits of the moments: a count over a job of 2^24 ids, and a sum of numbers of 22 bits.
const BITS: [u32; 2] = [24, 46];

fn main() {
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let words: Vec<String> = words.collect();
    println!(
        "{:<24} {:>10} {:>12} {:>12} {:>10}",
        "groups of R × S", "bins", "CPU ns/bin", "wall ns/bin", "bytes/bin"
    );
    for (receiver, sender, bins) in [
        (8, 8, 1 << 17),
        (8, 1, 1 << 17),
        (1, 8, 1 << 17),
        (64, 8, 1 << 15),
        (64, 64, 1 << 13),
    ] {
        let name = format!("{receiver} × {sender}");
        if words.iter().all(|word| name.contains(word.as_str())) {
            line(&name, receiver, sender, bins);
        }
    }
}

/// Measures one shape of table over as many bins.
fn line(name: &str, receiver_groups: usize, sender_groups: usize, bins: usize) {
    let layout = Layout::new(BITS.to_vec());
    let mut rng = Prg::new(Block(3));
    let mut codes =
        |groups: usize| -> Vec<u32> { (0..bins).map(|_| rng.next_u32() % groups as u32).collect() };
    let (own, masked, masks) = (
        codes(receiver_groups),
        codes(sender_groups),
        codes(sender_groups),
    );
    let words: Vec<u64> = (0..bins * BITS.len()).map(|_| rng.next_u64()).collect();
    let (mut to_sender, mut to_receiver) = memory_pair();
    let (mut left, mut right) = (Prg::new(Block(1)), Prg::new(Block(2)));
    let (mut at_receiver, mut at_sender) = std::thread::scope(|scope| {
        let set_up =
            scope.spawn(|| Ots::set_up_at_sender(&Way::Fast, &mut to_receiver, &SID, &mut right));
        let at_receiver =
            Ots::set_up_at_receiver(&Way::Fast, &mut to_sender, &SID, &mut left).expect("honest");
        (
            at_receiver,
            set_up.join().expect("no panic").expect("honest"),
        )
    });
    let [mut receiving, mut sending] =
        [(); 2].map(|()| Grouping::new(&SID, receiver_groups, sender_groups, &layout));
    let mut bytes = 0;
    let mut times: Vec<(Duration, Duration)> = (0..RUNS)
        .map(|_| {
            let before = total(&to_sender);
            let (cpu, wall) = (ProcessTime::now(), Instant::now());
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let bins = SenderBins {
                        masks: &masks,
                        words: &words,
                    };
                    let mut table = vec![0; sending.table_words()];
                    let ots = &mut at_sender;
                    let sent = sending.send(&mut to_receiver, ots, bins, &mut table, &mut right);
                    sent.expect("honest");
                });
                let bins = ReceiverBins {
                    codes: &own,
                    masked_codes: &masked,
                    words: &words,
                };
                let mut table = vec![0; receiving.table_words()];
                let ots = &mut at_receiver;
                let received = receiving.receive(&mut to_sender, ots, bins, &mut table, &mut left);
                received.expect("honest");
            });
            let times = (cpu.elapsed(), wall.elapsed());
            bytes = total(&to_sender) - before;
            times
        })
        .collect();
    times.sort();
    let (cpu, wall) = times[RUNS / 2];
    let each = |time: Duration| time.as_nanos() as f64 / bins as f64;
    println!(
        "{name:<24} {bins:>10} {:>12.1} {:>12.1} {:>10.1}",
        each(cpu),
        each(wall),
        bytes as f64 / bins as f64
    );
}

fn total(channel: &Channel) -> u64 {
    channel.totals().sent_bytes + channel.totals().received_bytes
}
