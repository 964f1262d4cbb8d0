//! ECDH-PSI, both roles in memory on this machine: `cargo bench -p entente-protocols --bench ecdh`.
//!
//! Criterion's throughput line counts rows (one id of each side); the line before it gives the bytes a row.
#![allow(clippy::print_stdout, reason = "a bench reports to a terminal")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use entente_protocols::block::Block;
use entente_protocols::channel::memory_pair;
use entente_protocols::prg::Prg;
use entente_protocols::psi::ecdh::{receiver, sender, traffic};
use entente_protocols::psi::{Id, PaddedSizes, SessionId};
use std::hint::black_box;
use std::thread;

const SID: SessionId = SessionId::new([9; 32]);

fn ids(numbers: std::ops::Range<u32>) -> Vec<Id> {
    numbers
        .map(|number| Id::new(u128::from(number).to_le_bytes()))
        .collect()
}

fn reveal(ours: &[Id], theirs: &[Id], sizes: PaddedSizes) -> Vec<u32> {
    let (mut left, mut right) = memory_pair();
    thread::scope(|scope| {
        scope.spawn(|| sender::reveal(&mut right, SID, theirs, sizes, &mut Prg::new(Block(1))));
        receiver::reveal(&mut left, SID, ours, sizes, &mut Prg::new(Block(2)))
            .expect("an honest run succeeds")
    })
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ecdh reveal");
    group.sample_size(10);
    for rows in [1_u32 << 10, 1 << 14] {
        let (ours, theirs) = (ids(0..rows), ids(rows / 2..rows / 2 + rows));
        let sizes = PaddedSizes::new(rows, rows).expect("under the limit");
        assert_eq!(reveal(&ours, &theirs, sizes).len(), rows as usize / 2);
        let traffic = traffic(sizes);
        println!(
            "{rows} rows: {:.1} bytes a row",
            (traffic.from_receiver + traffic.from_sender) as f64 / f64::from(rows)
        );
        group.throughput(Throughput::Elements(rows.into()));
        group.bench_function(format!("{rows} x {rows}"), |bencher| {
            bencher.iter(|| black_box(reveal(&ours, &theirs, sizes)));
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
