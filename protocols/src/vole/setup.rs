//! Sizes of a silent VOLE, from the number of outputs; public and the same at both parties.

use super::code::{self, Code};
use super::noisy;
use crate::channel::vector_bytes;
use crate::ot::extension;
use crate::security::Security;

/// Noise values a chunk: (1 − 1/4)^320 < 2^-132 for the code's pseudo-distance of 1/4 (see the module's text).
pub const NOISE: usize = 320;
/// Base entries a chunk: one a noise value, one for the check of the trees, and one that masks the check of the base.
pub(super) const BASE: usize = NOISE + 2;
/// Where the entry for the check of the trees stands.
pub(super) const TREE_CHECK: usize = NOISE;
/// Most outputs a chunk: its vectors stay in the last cache, and the trees' bytes are shared by many outputs.
const CHUNK_OUTPUTS_MAX: usize = 1 << 18;
/// Fewest outputs a chunk, 32 places a noise value. Regular noise in much shorter blocks is
/// within reach of algebraic attacks (Briaud and Øygarden, EUROCRYPT'23).
const CHUNK_OUTPUTS_MIN: usize = 16 * NOISE;
/// Most outputs of one run, far above the largest bucket's: up to here the first chunk has base entries for all others.
pub const OUTPUTS_MAX: usize = 1 << 27;

/// What a job fixes once for all its buckets: sizes, the code, and the mode.
pub struct Setup {
    outputs: usize,
    chunks: usize,
    code: Code,
    security: Security,
}

impl Setup {
    /// For `outputs` outputs a run.
    ///
    /// # Panics
    /// If `outputs` is above [`OUTPUTS_MAX`]: a caller's defect.
    pub fn new(outputs: usize, security: Security) -> Self {
        Self::in_chunks(outputs, CHUNK_OUTPUTS_MAX, security)
    }

    /// In chunks of at most `chunk_outputs_max` outputs: tests make several small ones.
    pub(super) fn in_chunks(outputs: usize, chunk_outputs_max: usize, security: Security) -> Self {
        assert!(outputs <= OUTPUTS_MAX, "outputs in range");
        let chunks = outputs.div_ceil(chunk_outputs_max - BASE).max(1);
        // The first chunk also feeds the base entries of the others.
        let all = outputs + (chunks - 1) * BASE;
        let chunk = all.div_ceil(chunks).max(CHUNK_OUTPUTS_MIN);
        Self {
            outputs,
            chunks,
            code: Code::new(chunk, code::seed(code::NAME)),
            security,
        }
    }

    /// Outputs of a run.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The peer that the run withstands.
    pub fn security(&self) -> Security {
        self.security
    }

    /// Bytes of a run, both directions.
    pub fn bytes(&self) -> u64 {
        let (security, transfers) = (self.security, self.transfers());
        let checks = match security {
            Security::Malicious => 2 * vector_bytes(1, 16),
            Security::SemiHonest => 0,
        };
        let rechosen = match security {
            Security::Malicious => (self.chunks as u64 - 1) * vector_bytes(1, 16),
            Security::SemiHonest => 0,
        };
        let trees = vector_bytes(2 * transfers, 16) + vector_bytes(NOISE, 16);
        let chunk = extension::bytes(transfers, security) + trees + checks;
        let set_up = noisy::bytes(BASE, security) + extension::set_up_bytes(security);
        set_up + self.chunks as u64 * chunk + rechosen
    }

    pub(super) fn code(&self) -> &Code {
        &self.code
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks
    }

    /// Places of a chunk's noise vector.
    pub(super) fn places(&self) -> usize {
        2 * self.code.outputs()
    }

    /// First place of each tree and of the end: trees are as equal as they can be.
    pub(super) fn tree_start(&self, tree: usize) -> usize {
        self.places() * tree / NOISE
    }

    /// Places of one tree.
    pub(super) fn tree_places(&self, tree: usize) -> usize {
        self.tree_start(tree + 1) - self.tree_start(tree)
    }

    /// Outputs of the first chunk that feed other chunks' base.
    pub(super) fn reserved(&self) -> usize {
        (self.chunks - 1) * BASE
    }

    /// Oblivious transfers a chunk.
    pub(super) fn transfers(&self) -> usize {
        (0..NOISE)
            .map(|tree| super::tree::depth(self.tree_places(tree)))
            .sum()
    }
}
