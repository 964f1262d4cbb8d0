//! Whole runs of both roles, held against the same table computed in the clear.

mod lengths;
mod oracle;
mod parts;
mod steps;
mod tamper;
mod vectors;
mod views;

use super::*;
use crate::block::Block;
use crate::channel::{Channel, Totals, memory_pair};
use crate::fault::Fault;
use crate::prg::Prg;
use crate::psi::{Id, PaddedSizes, SessionId};
use rand_core::Rng;

pub(super) const SID: SessionId = SessionId::new([9; 32]);

/// An id that looks like a keyed digest.
pub(super) fn id(number: u64) -> Id {
    // Far from the seeds of the runs, whose dummies would be the same.
    Id::new(Prg::new(Block(u128::from(number) | 1 << 120)).blocks(1)[0].to_bytes())
}

/// Rows with these ids, codes and numbers drawn from a seed; magnitudes up to `cap`.
pub(super) fn rows(ids: &[Id], groups: u32, columns: usize, cap: i64, seed: u64) -> Bucket {
    let mut rng = Prg::new(Block(u128::from(seed) << 64 | 1));
    let mut number = |below: u64| rng.next_u64() % below;
    Bucket {
        ids: ids.to_vec(),
        codes: ids.iter().map(|_| number(groups.into()) as u32).collect(),
        columns: (0..columns)
            .map(|_| {
                let width = 2 * cap.unsigned_abs() + 1;
                let column = ids
                    .iter()
                    .map(|_| i128::from(number(width)) - i128::from(cap));
                column.collect()
            })
            .collect(),
    }
}

/// The table in the clear.
pub(super) fn plain(table: &Table, receiver: &Bucket, sender: &Bucket) -> Vec<i128> {
    let mut words = vec![0; table.words()];
    for (r, id) in receiver.ids.iter().enumerate() {
        let Some(s) = sender.ids.iter().position(|other| other == id) else {
            continue;
        };
        let cell = receiver.codes[r] * table.sender_groups() + sender.codes[s];
        for (place, moment) in table.moments().iter().enumerate() {
            words[cell as usize * table.moments().len() + place] += match moment.what {
                What::Ids => 1,
                What::Receiver(column) => receiver.columns[column][r],
                What::Sender(column) => sender.columns[column][s],
                What::Both {
                    receiver: f,
                    sender: h,
                    ..
                } => receiver.columns[f][r] * sender.columns[h][s],
            };
        }
    }
    words
}

/// Both parties' shares put together, as signed numbers.
pub(super) fn opened(table: &Table, shares: [&[u128]; 2]) -> Vec<i128> {
    let bits = table.moments().iter().map(|moment| moment.bits).cycle();
    let words = shares[0].iter().zip(shares[1]).zip(bits);
    words
        .map(|((a, b), bits)| {
            let unused = 128 - bits;
            ((a.wrapping_add(*b) << unused) as i128) >> unused
        })
        .collect()
}

/// What came of one run of a bucket.
pub(super) struct Run {
    pub(super) shares: [Result<Vec<u128>, Fault>; 2],
    pub(super) totals: Totals,
}

pub(super) fn run(setup: &Setup, receiver: &Bucket, sender: &Bucket, seed: u64) -> Run {
    let (mut at_receiver, mut at_sender) = memory_pair();
    let rng = |role: u64| Prg::new(Block(u128::from(2 * seed + role)));
    std::thread::scope(|scope| {
        let sent =
            scope.spawn(move || sender::run(&mut at_sender, SID, setup, sender, &mut rng(1)));
        let received = receiver::run(&mut at_receiver, SID, setup, receiver, &mut rng(0));
        let totals = at_receiver.totals();
        drop::<Channel>(at_receiver);
        Run {
            shares: [received, sent.join().expect("no panic")],
            totals,
        }
    })
}

/// Runs, and opens the table.
pub(super) fn table(setup: &Setup, receiver: &Bucket, sender: &Bucket, seed: u64) -> Vec<i128> {
    let Run { shares, .. } = run(setup, receiver, sender, seed);
    let [received, sent] = shares.map(|shares| shares.expect("both roles are honest"));
    opened(setup.table(), [&received, &sent])
}

pub(super) fn setup(table: Table) -> Setup {
    let sizes = PaddedSizes::new(0, 0).expect("in range");
    Setup::new(sizes, 1, table).expect("a table that fits")
}

/// The same with silent transfers.
pub(super) fn silent(table: Table) -> Setup {
    setup(table).with_transfers(Transfers::Silent)
}

pub(super) fn moment(what: What, bits: u32) -> Moment {
    Moment { what, bits }
}
