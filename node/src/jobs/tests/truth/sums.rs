//! What stands between the two sides' rows and the released cells: for most cases the ideal functionality, which adds up in the
//! clear what the protocol adds up blindly; for some the blind join and its release themselves.

use super::chance::Chance;
use super::path::Asked;
use crate::data::{JointRows, Prepared};
use crate::jobs::joint::{self, Shape, release_terms};
use crate::jobs::shares::Shares;
use entente_protocols::blind::{Bucket, Party, What};
use entente_protocols::channel::{Channel, memory_pair};
use entente_protocols::fault::Fault;
use entente_protocols::psi::{Id, SessionId};
use entente_protocols::release::{self, Cells};
use entente_wire::plan::SideColumn;
use entente_wire::seal::Transfers;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::BTreeMap;
use std::thread;

const SESSION: [u8; 32] = [9; 32];

/// The released cells by the ideal functionality: both sides' rows of every bucket are added up modulo the moments' bits, split into
/// random shares, kept and added as the product does, and opened where there are enough ids.
pub(super) fn ideal(asked: &Asked, buckets: u64, chance: &mut Chance) -> Cells {
    let shape = Shape::of(&asked.plan).expect("a table that the planner let pass");
    let bits: Vec<u32> = shape
        .table
        .moments()
        .iter()
        .map(|moment| moment.bits)
        .collect();
    let (at_receiver, at_sender) = (Shares::default(), Shares::default());
    for bucket in 0..buckets {
        let sum = added_up(asked, &shape, buckets, bucket);
        let mask: Vec<u128> = sum
            .iter()
            .map(|_| u128::from(chance.word()) << 64 | u128::from(chance.word()))
            .collect();
        let rest = sum.iter().zip(&mask).zip(bits.iter().cycle());
        at_sender.keep(
            bucket,
            rest.map(|((word, mask), bits)| low(word.wrapping_sub(*mask), *bits))
                .collect(),
        );
        let mask = mask.iter().zip(bits.iter().cycle());
        at_receiver.keep(bucket, mask.map(|(mask, bits)| low(*mask, *bits)).collect());
    }
    let words = shape.table.words();
    let shares = [&at_receiver, &at_sender]
        .map(|shares| shares.sum(buckets, words, &bits).expect("all buckets"));
    let words = shares[0]
        .iter()
        .zip(shares[1].iter())
        .zip(bits.iter().cycle());
    let words: Vec<i128> = words
        .map(|((ours, theirs), bits)| signed(ours.wrapping_add(*theirs), *bits))
        .collect();
    let terms = release_terms(&asked.plan).expect("terms that the planner let pass");
    let cells = words.chunks(bits.len()).map(|cell| {
        let shown = cell[0] >= i128::from(terms.min_group());
        let opened = cell.iter().zip(terms.moments());
        shown.then(|| {
            opened
                .map(|(word, moment)| if moment.opened { *word } else { 0 })
                .collect()
        })
    });
    cells.collect()
}

/// Words of one bucket's table.
fn added_up(asked: &Asked, shape: &Shape, buckets: u64, bucket: u64) -> Vec<u128> {
    let rows = |receives: bool| {
        let side = if receives {
            asked.receiver()
        } else {
            1 - asked.receiver()
        };
        let rows = asked.prepared[side].joint_rows(buckets, bucket, shape.columns(receives));
        rows.unwrap_or_else(|problem| panic!("{problem:?}"))
    };
    let (ours, theirs) = (rows(true), rows(false));
    let places = |rows: &JointRows| -> BTreeMap<[u8; 16], usize> {
        let places = rows.ids.iter().map(|id: &Id| *id.as_bytes()).zip(0..);
        places.collect()
    };
    let (our_places, their_places) = (places(&ours), places(&theirs));
    assert_eq!(our_places.len(), ours.ids.len(), "an id stands once");
    let moments = shape.table.moments();
    let mut words = vec![0_u128; shape.table.words()];
    for (id, here) in our_places {
        let Some(&there) = their_places.get(&id) else {
            continue;
        };
        let cell = ours.codes[here] as usize * shape.table.sender_groups() as usize
            + theirs.codes[there] as usize;
        for (place, moment) in moments.iter().enumerate() {
            let adds = match moment.what {
                What::Ids => 1,
                What::Receiver(column) => ours.columns[column][here],
                What::Sender(column) => theirs.columns[column][there],
                What::Both {
                    receiver,
                    sender,
                    receiver_bits,
                } => {
                    let (x, y) = (ours.columns[receiver][here], theirs.columns[sender][there]);
                    assert_eq!(
                        signed(x as u128, receiver_bits),
                        x,
                        "R's number fits its bits"
                    );
                    x.wrapping_mul(y)
                }
            };
            let word = &mut words[cell * moments.len() + place];
            *word = low(word.wrapping_add(adds as u128), moment.bits);
        }
    }
    words
}

fn low(word: u128, bits: u32) -> u128 {
    word & (u128::MAX >> (u128::BITS - bits))
}

fn signed(word: u128, bits: u32) -> i128 {
    let unused = u128::BITS - bits;
    (word << unused) as i128 >> unused
}

/// The same by the protocols themselves, over a line in memory; what the receiver and the sender read.
pub(super) fn protocol(asked: &Asked, world: usize) -> [Option<Cells>; 2] {
    let (mut to_sender, mut to_receiver) = memory_pair();
    thread::scope(|scope| {
        let sender = scope.spawn(|| role(asked, false, &mut to_receiver, world));
        let receiver = role(asked, true, &mut to_sender, world);
        [receiver, sender.join().expect("no panic")]
    })
}

/// Both ways in which transfers are made have their turn.
fn transfers(world: usize) -> Transfers {
    match world & 2 {
        0 => Transfers::Fast,
        _ => Transfers::Silent,
    }
}

fn role(asked: &Asked, receives: bool, channel: &mut Channel, world: usize) -> Option<Cells> {
    let mut rng = ChaCha20Rng::seed_from_u64(2 * world as u64 + u64::from(receives));
    let shape = Shape::of(&asked.plan).expect("a table that the planner let pass");
    let job = joint::job(&asked.plan, asked.sizes, transfers(world)).expect("sizes that fit");
    let buckets = job.buckets().count();
    let side = if receives {
        asked.receiver()
    } else {
        1 - asked.receiver()
    };
    let party = Side {
        prepared: &asked.prepared[side],
        columns: shape.columns(receives),
        buckets,
        shares: Shares::default(),
    };
    let todo: Vec<u64> = (0..buckets).collect();
    let (sid, lanes) = (SessionId::new(SESSION), std::slice::from_mut(channel));
    let ran = match receives {
        true => job.receive(lanes, sid, &todo, &party, &mut rng),
        false => job.send(lanes, sid, &todo, &party, &mut rng),
    };
    ran.expect("an honest partner");
    let bits: Vec<u32> = shape
        .table
        .moments()
        .iter()
        .map(|moment| moment.bits)
        .collect();
    let share = party
        .shares
        .sum(buckets, shape.table.words(), &bits)
        .expect("all buckets");
    let terms = release_terms(&asked.plan).expect("terms that the planner let pass");
    let opened = match receives {
        true => release::receiver::run(channel, sid, &terms, &share, &mut rng),
        false => release::sender::run(channel, sid, &terms, &share, &mut rng),
    };
    opened.expect("an honest partner")
}

/// One organisation in the protocol.
struct Side<'a> {
    prepared: &'a Prepared,
    columns: &'a [SideColumn],
    buckets: u64,
    shares: Shares,
}

impl Party for Side<'_> {
    type Error = Fault;

    fn load(&self, bucket: u64) -> Result<Bucket, Fault> {
        let rows = self.prepared.joint_rows(self.buckets, bucket, self.columns);
        let JointRows {
            ids,
            codes,
            columns,
        } = rows.expect("rows in memory");
        Ok(Bucket {
            ids,
            codes,
            columns,
        })
    }

    fn finished(&self, number: u64, shares: Vec<u128>, _: [u8; 32]) -> Result<(), Fault> {
        self.shares.keep(number, shares);
        Ok(())
    }

    fn broke_off(&self) {}
}
