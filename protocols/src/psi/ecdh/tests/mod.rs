//! ECDH-PSI against its oracle, its vectors and an adversary.

mod oracle;
mod tamper;
mod vectors;

use super::{Mode, Terms, receiver, sender};
use crate::adversary::Ends;
use crate::block::Block;
use crate::channel::{Channel, Totals};
use crate::fault::Fault;
use crate::prg::Prg;
use crate::psi::{Id, PaddedSizes, SessionId};
use std::thread;

/// Everything that determines a run.
#[derive(Clone)]
struct Setup {
    terms: Terms,
    receiver_ids: Vec<Id>,
    sender_ids: Vec<Id>,
    receiver_seed: Block,
    sender_seed: Block,
}

/// What came of it.
struct Outcome {
    receiver: Result<Vec<u32>, Fault>,
    sender: Result<(), Fault>,
    totals: [Totals; 2],
}

impl Setup {
    fn new(mode: Mode, sizes: [u32; 2], part_points: u32, ids: [Vec<Id>; 2]) -> Self {
        let sizes = PaddedSizes::new(sizes[0], sizes[1]).expect("small sizes");
        let terms = Terms {
            part_points,
            ..Terms::new(SessionId::new([0x5a; 32]), sizes, mode)
        };
        let [receiver_ids, sender_ids] = ids;
        Self {
            terms,
            receiver_ids,
            sender_ids,
            receiver_seed: Block(1),
            sender_seed: Block(2),
        }
    }

    fn receive(&self, channel: &mut Channel) -> Result<Vec<u32>, Fault> {
        let rng = &mut Prg::new(self.receiver_seed);
        let common = receiver::run(channel, &self.terms, &self.receiver_ids, rng)?
            .common()
            .collect();
        Ok(common)
    }

    fn send(&self, channel: &mut Channel) -> Result<(), Fault> {
        sender::run(
            channel,
            &self.terms,
            &self.sender_ids,
            &mut Prg::new(self.sender_seed),
        )
    }

    /// Both roles, each on its own thread; a side that ends lets go of its end of the line.
    fn run(&self, [left, right]: Ends) -> Outcome {
        thread::scope(|scope| {
            let sender = scope.spawn(|| {
                let mut channel = Channel::new(right);
                (self.send(&mut channel), channel.totals())
            });
            let mut channel = Channel::new(left);
            let (receiver, receiver_totals) = (self.receive(&mut channel), channel.totals());
            drop(channel);
            let (sender, sender_totals) = sender.join().expect("the sender does not panic");
            Outcome {
                receiver,
                sender,
                totals: [receiver_totals, sender_totals],
            }
        })
    }

    /// The answer in the clear, as far as R may know it: in count mode only its length means something.
    fn is_right(&self, answer: &[u32]) -> bool {
        let common = (0..)
            .zip(&self.receiver_ids)
            .filter(|(_, id)| self.sender_ids.contains(id));
        let common: Vec<u32> = common.map(|(place, _)| place).collect();
        match self.terms.mode {
            Mode::Reveal => answer == common,
            Mode::Count => answer.len() == common.len(),
        }
    }
}

fn id(number: u32) -> Id {
    Id::new(u128::from(number).to_le_bytes())
}

/// Seven of R's, five of S's, three common, parts of three: every list has several parts and a ragged last one.
fn small(mode: Mode) -> Setup {
    let receiver = [10, 11, 12, 13, 14, 15].map(id).to_vec();
    Setup::new(
        mode,
        [7, 5],
        3,
        [receiver, [15, 99, 11, 12].map(id).to_vec()],
    )
}
