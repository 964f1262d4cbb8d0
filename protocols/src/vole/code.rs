//! The expand-convolute code (Raghuraman, Rindal and Tanguy, CRYPTO'23): the public linear map that turns a long vector with
//! few known noise positions into a half as long one that looks random under the dual LPN assumption.
//!
//! With m outputs the noise vector e has N = 2m places. The code is systematic: output i is `e[i]` plus seven places of the
//! *convolved* second half, one from each quarter and three from anywhere. Convolving replaces place i by a constant of the field
//! times the sum of itself and the place 25 before it, plus a random subset (24 public coin flips) of the 24 places just before it.
//! It is done twice with fresh coins; the second pass begins with what the first left at the end, so that no stretch of places
//! stays light. The constant keeps the 128 bits of a block from being 128 separate words of a binary code.
//!
//! This is the authors' own choice of parameters ("ExConv 7×24"), for which they estimate a pseudo-distance of 1/4 of the length.
//! Never Silver codes: they are broken.
//!
//! Everything here is public but the vector itself, and the vector is only ever added up: no branch or address depends on it.

use crate::block::Block;
use crate::simd::lanes::{self, WINDOW};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// What jobs call it.
pub const NAME: &str = "expand-convolute 7x24";

/// What jobs call it where it is taken over bits.
pub const NAME_OVER_BITS: &str = "expand-convolute 7x24 over bits";

/// The public seed of the code that jobs use by that name: nothing up the sleeve, BLAKE3 of it.
pub fn seed(name: &str) -> [u8; 32] {
    *blake3::hash(format!("entente/1/{name}").as_bytes()).as_bytes()
}

/// Convolved places that one output adds.
pub const EXPANDER_WEIGHT: usize = 7;
/// How many of them come from one equal part each of the second half; the others come from anywhere in it.
const EXPANDER_PARTS: usize = 4;
/// Random diagonals of the convolution.
pub const CONVOLUTION_WIDTH: usize = 24;
/// A place of a vector under the code: K blocks that take the same path.
pub type Lane<const K: usize> = [Block; K];

/// The code for one number of outputs: a public parameter of the job, made once and used for every chunk.
pub struct Code {
    /// Of both passes.
    coefficients: [Vec<[u8; 3]>; 2],
    expander: Vec<[u32; EXPANDER_WEIGHT]>,
}

impl Code {
    /// The code with `outputs` outputs under a public seed.
    ///
    /// # Panics
    /// If there are fewer outputs than [`EXPANDER_WEIGHT`] or they do not fit 32 bits: a caller's defect.
    pub fn new(outputs: usize, seed: [u8; 32]) -> Self {
        assert!(
            outputs >= EXPANDER_WEIGHT && u32::try_from(outputs).is_ok(),
            "outputs in range"
        );
        let mut rng = ChaCha8Rng::from_seed(seed);
        let coefficients = [(); 2].map(|()| {
            let mut coins = vec![[0u8; 3]; outputs];
            rng.fill_bytes(coins.as_flattened_mut());
            coins
        });
        let starts: [u64; EXPANDER_PARTS + 1] =
            std::array::from_fn(|part| outputs as u64 * part as u64 / EXPANDER_PARTS as u64);
        let expander = (0..outputs)
            .map(|_| {
                std::array::from_fn(|place| {
                    let (start, end) = match place < EXPANDER_PARTS {
                        true => (starts[place], starts[place + 1]),
                        false => (0, outputs as u64),
                    };
                    (start + ((u64::from(rng.next_u32()) * (end - start)) >> 32)) as u32
                })
            })
            .collect();
        Self {
            coefficients,
            expander,
        }
    }

    /// Outputs.
    pub fn outputs(&self) -> usize {
        self.expander.len()
    }

    /// Replaces the first m of the 2m places of `noise` by the m outputs; the rest is left in an unspecified state.
    ///
    /// # Panics
    /// If `noise` does not have 2m places: a caller's defect.
    pub fn compress<const K: usize>(&self, noise: &mut [Lane<K>]) {
        self.run::<K, true>(noise);
    }

    /// The same without the constant: the code over bits, under which each of a block's 128 bits is a vector of its own. For noise
    /// that is one bit a place, carried in one of them.
    ///
    /// # Panics
    /// If `noise` does not have 2m places: a caller's defect.
    pub fn compress_bits(&self, noise: &mut [Block]) {
        self.run::<1, false>(noise.as_chunks_mut().0);
    }

    fn run<const K: usize, const SCALED: bool>(&self, noise: &mut [Lane<K>]) {
        assert_eq!(noise.len(), 2 * self.outputs(), "two places an output");
        let (outputs, parity) = noise.split_at_mut(self.outputs());
        let [first, second] = &self.coefficients;
        let history = convolve::<K, SCALED>(first, parity, [[Block::ZERO; K]; WINDOW]);
        convolve::<K, SCALED>(second, parity, history);
        lanes::gather(outputs, parity, &self.expander);
    }
}

/// One pass over `parity`, as if `history` stood before it. Returns the last places.
fn convolve<const K: usize, const SCALED: bool>(
    coefficients: &[[u8; 3]],
    parity: &mut [Lane<K>],
    history: [Lane<K>; WINDOW],
) -> [Lane<K>; WINDOW] {
    let head = parity.len().min(WINDOW);
    let mut line = history.to_vec();
    for (i, (place, coefficients)) in parity.iter_mut().zip(coefficients).take(head).enumerate() {
        lanes::portable::step::<K, SCALED>(place, &line[i..i + WINDOW], *coefficients);
        line.push(*place);
    }
    lanes::convolve::<K, SCALED>(parity, coefficients);
    let last = match parity.len().checked_sub(WINDOW) {
        Some(start) => &parity[start..],
        None => &line[head..],
    };
    last.try_into().expect("a window's length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field;

    fn random_blocks(seed: u128, count: usize) -> Vec<Block> {
        crate::prg::Prg::new(Block(seed)).blocks(count)
    }

    fn compressed(code: &Code, mut noise: Vec<Block>) -> Vec<Block> {
        let lanes: &mut [Lane<1>] = noise.as_chunks_mut().0;
        code.compress(lanes);
        noise.truncate(code.outputs());
        noise
    }

    /// The definition, place by place.
    fn oracle(code: &Code, noise: &[Block], scaler: Block) -> Vec<Block> {
        let m = code.outputs();
        let mut parity = noise[m..].to_vec();
        let mut history = vec![Block::ZERO; WINDOW];
        for coefficients in &code.coefficients {
            let mut line = history.clone();
            line.extend_from_slice(&parity);
            for i in 0..m {
                let at = i + WINDOW;
                let mut sum = field::multiply(line[at] ^ line[i], scaler);
                for j in 0..CONVOLUTION_WIDTH {
                    if (coefficients[i][j / 8] >> (j % 8)) & 1 == 1 {
                        sum ^= line[i + 1 + j];
                    }
                }
                line[at] = sum;
            }
            parity = line[WINDOW..].to_vec();
            history = line[m..].to_vec();
        }
        let output = |(e, row): (&Block, &[u32; EXPANDER_WEIGHT])| {
            row.iter()
                .fold(*e, |sum, place| sum ^ parity[*place as usize])
        };
        noise.iter().zip(&code.expander).map(output).collect()
    }

    #[test]
    fn compression_follows_the_definition_at_every_small_size() {
        for outputs in [7, 8, 24, 25, 26, 49, 50, 51, 200, 1_001] {
            let code = Code::new(outputs, [3; 32]);
            let noise = random_blocks(outputs as u128, 2 * outputs);
            let expected = oracle(&code, &noise, Block(lanes::SCALER.into()));
            assert_eq!(
                compressed(&code, noise.clone()),
                expected,
                "{outputs} outputs"
            );
            let mut bits = noise.clone();
            code.compress_bits(&mut bits);
            assert_eq!(bits[..outputs], oracle(&code, &noise, Block::ONE));
        }
    }

    #[test]
    fn two_blocks_in_one_lane_take_the_same_path_as_one() {
        let code = Code::new(500, [4; 32]);
        let (a, b) = (random_blocks(1, 1_000), random_blocks(2, 1_000));
        let mut both: Vec<Lane<2>> = a.iter().zip(&b).map(|(a, b)| [*a, *b]).collect();
        code.compress(&mut both);
        let alone = compressed(&code, a).into_iter().zip(compressed(&code, b));
        for (both, (a, b)) in both.iter().zip(alone) {
            assert_eq!(*both, [a, b]);
        }
    }

    #[test]
    fn one_noise_place_reaches_about_half_of_a_convolved_region() {
        let code = Code::new(4_096, [5; 32]);
        let mut noise = vec![Block::ZERO; 8_192];
        noise[4_096 + 100] = Block::ONE;
        let outputs = compressed(&code, noise);
        for bit in 0..128 {
            let touched = outputs.iter().filter(|out| (out.0 >> bit) & 1 == 1).count();
            assert!(
                (1_600..2_500).contains(&touched),
                "bit {bit} of {touched} among 4096 outputs depends on bit 0 of the place"
            );
        }
    }

    #[test]
    fn over_bits_a_place_reaches_half_of_the_outputs_in_its_own_bit_alone() {
        let code = Code::new(4_096, [5; 32]);
        let mut noise = vec![Block::ZERO; 8_192];
        noise[4_096 + 100] = Block::ONE;
        code.compress_bits(&mut noise);
        let outputs = &noise[..4_096];
        assert!(outputs.iter().all(|output| output.0 <= 1));
        let touched = outputs.iter().filter(|output| output.0 == 1).count();
        assert!((1_600..2_500).contains(&touched), "{touched} of 4096");
    }

    #[test]
    fn every_part_of_the_second_half_is_looked_at() {
        let code = Code::new(4_096, [6; 32]);
        for place in 0..EXPANDER_WEIGHT {
            let (start, end) = match place < EXPANDER_PARTS {
                true => (1_024 * place as u32, 1_024 * (place as u32 + 1)),
                false => (0, 4_096),
            };
            let looked_at: Vec<u32> = code.expander.iter().map(|row| row[place]).collect();
            assert!(looked_at.iter().all(|at| (start..end).contains(at)));
            let (low, high) = (looked_at.iter().min(), looked_at.iter().max());
            assert!(low < Some(&(start + 20)) && high > Some(&(end - 20)));
        }
    }
}
