//! The subspace check (Roy, CRYPTO'22, §4): a random F_2-linear hash of each column, masked by one word of random transfers.
//!
//! The hash of a column of words c_1 … c_n and mask word c_0 is c_0 ⊕ Σ χ^t·c_t over GF(2^128): linear over F_2, and two different
//! columns collide with probability at most n/2^128. The receiver tells its hashes of x and of the 128 columns of v; the sender
//! compares each column of q with the hash of v plus Δ's bit times that of x.

use super::{Columns, TILE_WORDS};
use crate::block::Block;
use crate::fault::{Fault, Misbehaviour};
use crate::field;

/// Hashes of the 128 columns, and of x at the receiver.
pub(super) struct Hashes {
    point: Block,
    power: Block,
    columns: [Block; 128],
    choices: Block,
}

/// What the receiver answers: hashes of x and of its 128 columns.
pub(super) const RESPONSE_BLOCKS: usize = 129;

impl Hashes {
    /// Nothing hashed yet. The first word added is the mask: its coefficient is one.
    pub(super) fn new(point: Block) -> Self {
        Self {
            point,
            power: Block::ONE,
            columns: [Block::ZERO; 128],
            choices: Block::ZERO,
        }
    }

    /// Adds the first `words` words of a tile, and of x.
    pub(super) fn add(&mut self, columns: &Columns, choices: &[Block], words: usize) {
        let mut powers = [Block::ZERO; TILE_WORDS];
        for power in &mut powers[..words] {
            *power = self.power;
            self.power = field::multiply(self.power, self.point);
        }
        for (hash, column) in self.columns.iter_mut().zip(columns) {
            *hash ^= field::inner_product(&column[..words], &powers);
        }
        self.choices ^= field::inner_product(choices, &powers);
    }

    /// The receiver's answer.
    pub(super) fn response(&self) -> Vec<Block> {
        std::iter::once(self.choices).chain(self.columns).collect()
    }

    /// The sender's comparison.
    pub(super) fn check(&self, delta: Block, response: &[Block]) -> Result<(), Fault> {
        let mut difference = Block::ZERO;
        for (bit, (mine, theirs)) in self.columns.iter().zip(&response[1..]).enumerate() {
            let wrong = *mine ^ *theirs ^ response[0].masked((delta.0 >> bit) & 1 == 1);
            difference = Block(difference.0 | wrong.0);
        }
        if difference != Block::ZERO {
            return Err(Misbehaviour::CheckFailed {
                check: "the OT extension's choices",
            }
            .into());
        }
        Ok(())
    }
}
