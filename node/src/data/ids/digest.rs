//! The 16 bytes that stand for a canonical id in one job: BLAKE3 under the job's key, over the rules' version, the family and the
//! canonical text. The family's name holds no zero byte, so two families never meet.

use super::IDS_VERSION;
use entente_protocols::hash::keyed_short;
use entente_wire::policy::IdKind;

/// What a digest is a digest of.
const DOMAIN: &[u8] = b"entente/1/id";
/// Bytes of one BLAKE3 block: an id that fits one with what stands before it is digested together with others.
const BLOCK_BYTES: usize = 64;
/// Ids digested together.
const BATCH: usize = 256;

/// The digest of one id.
pub fn digest(key: &[u8; 32], kind: &IdKind, canonical: &str) -> [u8; 16] {
    let mut input = before(kind);
    input.extend_from_slice(canonical.as_bytes());
    long(key, &input)
}

fn before(kind: &IdKind) -> Vec<u8> {
    let version = IDS_VERSION.to_be_bytes();
    [DOMAIN, &version, kind.family().as_bytes(), &[0]].concat()
}

fn long(key: &[u8; 32], input: &[u8]) -> [u8; 16] {
    let hash = blake3::keyed_hash(key, input);
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// Digests of many ids of one kind, in the order in which they are put in.
pub(crate) struct Digester<'a> {
    key: &'a [u8; 32],
    before: Vec<u8>,
    /// A block with that at its beginning.
    begun: [u8; BLOCK_BYTES],
    /// Inputs that wait to be digested together, and whose digests they are.
    blocks: Vec<[u8; BLOCK_BYTES]>,
    lengths: Vec<u8>,
    owners: Vec<usize>,
    digests: Vec<[u8; 16]>,
}

impl<'a> Digester<'a> {
    /// For about `ids` ids.
    pub(crate) fn new(key: &'a [u8; 32], kind: &IdKind, ids: usize) -> Self {
        let before = before(kind);
        let mut begun = [0; BLOCK_BYTES];
        // Twenty bytes or so: no family's name is anywhere near a block.
        begun[..before.len()].copy_from_slice(&before);
        Self {
            key,
            before,
            begun,
            blocks: Vec::with_capacity(BATCH),
            lengths: Vec::with_capacity(BATCH),
            owners: Vec::with_capacity(BATCH),
            digests: Vec::with_capacity(ids),
        }
    }

    pub(crate) fn put(&mut self, canonical: &str) {
        let owner = self.digests.len();
        self.digests.push([0; 16]);
        let length = self.before.len() + canonical.len();
        if length > BLOCK_BYTES {
            let input = [&self.before, canonical.as_bytes()].concat();
            self.digests[owner] = long(self.key, &input);
            return;
        }
        let mut block = self.begun;
        block[self.before.len()..length].copy_from_slice(canonical.as_bytes());
        self.blocks.push(block);
        self.lengths.push(length as u8);
        self.owners.push(owner);
        if self.blocks.len() == BATCH {
            self.digest_waiting();
        }
    }

    /// All digests.
    pub(crate) fn finish(mut self) -> Vec<[u8; 16]> {
        self.digest_waiting();
        self.digests
    }

    fn digest_waiting(&mut self) {
        let mut digests = [[0; 16]; BATCH];
        let digests = &mut digests[..self.blocks.len()];
        keyed_short(self.key, &self.blocks, &self.lengths, digests);
        for (owner, digest) in self.owners.drain(..).zip(digests) {
            self.digests[owner] = *digest;
        }
        self.blocks.clear();
        self.lengths.clear();
    }
}
