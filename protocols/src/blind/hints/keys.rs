//! H(x ‖ i): an id as the key of one of its three bins.

use super::super::cuckoo::FUNCTIONS;
use crate::block::Block;
use crate::hash::CorrelationHash;
use crate::session_id::SessionId;

/// Ids hashed at a time: stays on the stack.
const BATCH: usize = 64;

/// One hash a function, so that none takes an id twice.
pub(super) struct KeyHash {
    functions: [CorrelationHash; FUNCTIONS],
}

impl KeyHash {
    pub(super) fn new(sid: &SessionId) -> Self {
        let functions = std::array::from_fn(|function| {
            let sid = sid.part("hint key", function as u64);
            CorrelationHash::new("entente/1/blind/hint-key", &sid)
        });
        Self { functions }
    }

    /// The keys of all ids for one function.
    pub(super) fn keys(&self, function: usize, ids: &[Block]) -> Vec<Block> {
        let mut keys = ids.to_vec();
        self.functions[function].hash_each(&mut keys, 0);
        keys
    }

    /// The key of each id for a function of its own. All are computed and one is kept, so that time tells nothing of which.
    pub(super) fn chosen(&self, ids: &[Block], functions: impl Iterator<Item = u8>) -> Vec<Block> {
        let mut chosen = Vec::with_capacity(ids.len());
        let mut functions = functions;
        for ids in ids.chunks(BATCH) {
            let mut keys = [[Block::ZERO; BATCH]; FUNCTIONS];
            for (keys, hash) in keys.iter_mut().zip(&self.functions) {
                let keys = &mut keys[..ids.len()];
                keys.copy_from_slice(ids);
                hash.hash_each(keys, 0);
            }
            for (place, function) in functions.by_ref().take(ids.len()).enumerate() {
                let of = |i: u8| keys[usize::from(i)][place].masked(i == function);
                chosen.push(of(0) ^ of(1) ^ of(2));
            }
        }
        chosen
    }
}
