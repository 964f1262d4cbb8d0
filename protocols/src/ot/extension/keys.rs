//! From a tile's columns to keys: rows, and their hash.

use super::{Columns, TILE_WORDS};
use crate::block::Block;
use crate::hash::CorrelationHash;
use crate::security::Security;
use crate::session_id::SessionId;
use crate::simd::transpose::{self, ROWS, WORDS};

/// The hash that breaks the correlation of the rows. In semi-honest mode one call of the permutation is enough: the rows v_j are
/// sums of pseudo-random streams, or sums of leaves of which two rows never have all in common, so that they are distinct and
/// nobody chose them, and the receiver, who knows them, would have to tell hashes of v_j ⊕ Δ from random ones ([`CorrelationHash::hash_once`]). In malicious mode the receiver can choose rows.
pub(super) struct KeyHash {
    hash: CorrelationHash,
    security: Security,
}

impl KeyHash {
    pub(super) fn new(sid: &SessionId, security: Security) -> Self {
        Self {
            hash: CorrelationHash::new("entente/1/ot-extension/key", sid),
            security,
        }
    }

    /// Rows can be handed out as they are only where their receiver could not choose them.
    ///
    /// # Panics
    /// In malicious mode: a caller's defect.
    pub(super) fn assert_semi_honest(&self) {
        assert!(
            !self.security.is_malicious(),
            "raw rows are for semi-honest transfers"
        );
    }

    /// The keys of rows plus `offset`, whose tweaks count from `first_tweak` on.
    pub(super) fn keys(
        &self,
        rows: &[Block],
        offset: Block,
        first_tweak: u128,
        keys: &mut [Block],
    ) {
        if !self.security.is_malicious() {
            self.hash.hash_once(rows, offset, first_tweak, keys);
            return;
        }
        for (key, row) in keys.iter_mut().zip(rows) {
            *key = *row ^ offset;
        }
        self.hash.hash_all(keys, first_tweak);
    }

    /// Tweaks that a call for so many transfers uses up: whole words where the hash takes them by the word.
    pub(super) fn tweaks(&self, transfers: usize) -> u128 {
        match self.security {
            Security::SemiHonest => transfers.next_multiple_of(128) as u128,
            Security::Malicious => transfers as u128,
        }
    }
}

/// Makes more than 16 bytes of a key: block c is `π(key ⊕ c) ⊕ key ⊕ c` under a permutation of its own. An unknown uniform key makes this a single-key
/// Even–Mansour cipher in counter mode, pseudo-random as [`CorrelationHash::hash_once`] says.
pub struct Stretch {
    hash: CorrelationHash,
}

impl Stretch {
    pub(super) fn new(sid: &SessionId) -> Self {
        Self {
            hash: CorrelationHash::new("entente/1/ot-extension/stretch", sid),
        }
    }

    /// Replaces `blocks` by `each` blocks of every key, one key's after the other's.
    pub fn replace(&self, blocks: &mut Vec<Block>, keys: &[Block], each: usize) {
        blocks.resize(keys.len() * each, Block::ZERO);
        for (key, blocks) in keys.iter().zip(blocks.chunks_exact_mut(each)) {
            for (number, block) in (0..).zip(blocks) {
                *block = *key ^ Block(number);
            }
        }
        self.hash.hash_in_place(blocks);
    }
}

/// Hands out the rows of a tile's words, from `skipped` up to `words`, in pieces of up to [`ROWS`].
pub(super) fn each_rows(
    columns: &Columns,
    skipped: usize,
    words: usize,
    rows: &mut [Block; ROWS],
    mut each: impl FnMut(&[Block]),
) {
    const { assert!(TILE_WORDS.is_multiple_of(WORDS), "pieces fill a tile") };
    for first in (0..words).step_by(WORDS) {
        transpose::rows(columns, first, rows);
        let wanted =
            128 * skipped.saturating_sub(first).min(WORDS)..128 * (words - first).min(WORDS);
        each(&rows[wanted]);
    }
}

/// How far a call has come: rows beyond the transfers asked for are left out.
pub(super) struct Progress {
    pub(super) done: usize,
    count: usize,
}

impl Progress {
    pub(super) fn of(count: usize) -> Self {
        Self { done: 0, count }
    }

    /// The place of the first of `rows`, and those of them that were asked for.
    pub(super) fn take<'a>(&mut self, rows: &'a [Block]) -> (usize, &'a [Block]) {
        let first = self.done;
        let wanted = rows.len().min(self.count - first);
        self.done += wanted;
        (first, &rows[..wanted])
    }
}
