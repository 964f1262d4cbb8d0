use super::*;
use crate::adversary::{both, honest};
use crate::channel::Channel;
use crate::fault::Fault;
use crate::ot::extension::{Receiver, Sender};
use crate::prg::Prg;
use crate::security::Security;

const SID: SessionId = SessionId::new([5; 32]);

/// One tree for each of `indices`, in batches of at most `batch`: all leaves, and what the holder has of them, tree by tree.
fn run(leaves: usize, indices: &[u32], batch: usize) -> (Vec<Vec<Block>>, Vec<Vec<Block>>) {
    let total = indices.len();
    let trees = || Trees::new(&SID.part("trees", 0), leaves);
    let batches = || {
        (0..total)
            .step_by(batch)
            .map(|at| (at, batch.min(total - at)))
    };
    let deal = |channel: &mut Channel| {
        let (trees, rng) = (trees(), &mut Prg::new(Block(1)));
        let mut sender = Sender::set_up(channel, &SID, Security::SemiHonest, rng)?;
        let keys = sender.extend(channel, total * trees.transfers(), rng)?;
        let (mut message, mut dealt) = (Vec::new(), Vec::new());
        for (start, count) in batches() {
            let keys = Keys::new(keys.expose().as_slice(), total, &(start..start + count));
            let mut nodes = vec![Block::ZERO; leaves * count];
            trees.deal(keys, &mut nodes, &mut message);
            dealt.extend(by_tree(&nodes, count));
        }
        Ok::<_, Fault>((message, dealt))
    };
    let hold = |channel: &mut Channel| {
        let (trees, rng) = (trees(), &mut Prg::new(Block(2)));
        let mut receiver = Receiver::set_up(channel, &SID, Security::SemiHonest, rng)?;
        let choices: Vec<bool> = trees.choices(indices).collect();
        let keys = receiver.extend(channel, &choices, rng)?;
        Ok::<_, Fault>((trees, keys))
    };
    let (dealt, held, _) = both(honest(), deal, hold);
    let ((message, dealt), (trees, keys)) = (dealt.expect("honest"), held.expect("honest"));
    assert_eq!(message.len(), total * trees.bytes());
    let mut held = Vec::new();
    for (start, count) in batches() {
        let keys = Keys::new(keys.expose().as_slice(), total, &(start..start + count));
        let mut nodes = vec![Block::ONE; leaves * count];
        let message = &message[start * trees.bytes()..][..count * trees.bytes()];
        trees.hold(keys, &indices[start..start + count], message, &mut nodes);
        held.extend(by_tree(&nodes, count));
    }
    (dealt, held)
}

fn by_tree(nodes: &[Block], count: usize) -> Vec<Vec<Block>> {
    let tree = |tree| nodes.iter().copied().skip(tree).step_by(count).collect();
    (0..count).map(tree).collect()
}

#[test]
fn the_holder_has_every_leaf_but_the_one_at_its_index() {
    for leaves in (2..18).chain([64]) {
        let indices: Vec<u32> = (0..leaves as u32).collect();
        let (dealt, held) = run(leaves, &indices, 7);
        for (index, (all, held)) in dealt.iter().zip(&held).enumerate() {
            let mut expected = all.clone();
            assert_ne!(expected[index], Block::ZERO);
            expected[index] = Block::ZERO;
            assert_eq!(held, &expected, "{leaves} leaves, index {index}");
            let distinct = |leaf| all.iter().filter(|other| *other == leaf).count() == 1;
            assert!(all.iter().all(distinct), "leaves are all different");
        }
    }
}

#[test]
fn leaves_do_not_depend_on_how_trees_are_batched() {
    let indices: Vec<u32> = (0..150).map(|tree| tree % 11).collect();
    let whole = run(11, &indices, BATCH_MAX);
    for batch in [1, 13] {
        assert_eq!(run(11, &indices, batch).1, whole.1);
    }
}

/// A batch of one tree with `leaves` leaves and chosen pairs of keys.
fn one_tree(leaves: usize, pairs: &[[Block; 2]]) -> (Trees, Vec<Block>, Vec<u8>) {
    let trees = Trees::new(&SID, leaves);
    let (mut nodes, mut message) = (vec![Block::ZERO; leaves], Vec::new());
    trees.deal(one(pairs), &mut nodes, &mut message);
    (trees, nodes, message)
}

fn one<K>(all: &[K]) -> Keys<'_, K> {
    Keys::new(all, 1, &(0..1))
}

#[test]
fn the_sums_say_nothing_without_the_keys() {
    let pairs = [1, 2, 3].map(|i| [Block(i), Block(1 << i)]);
    let (_, _, message) = one_tree(8, &pairs);
    let mut others = pairs;
    others[2] = [Block(77), Block(78)];
    let (_, _, other) = one_tree(8, &others);
    assert_eq!(message[..32], other[..32], "of the level above");
    assert_ne!(message[32..48], other[32..48]);
    assert_ne!(message[48..], other[48..]);
}

#[test]
fn the_leaf_at_the_index_is_not_among_what_one_key_a_level_gives() {
    // Whoever takes, at one level, the key of the path's own side gets the wrong leaves there and not the missing one.
    let pairs = [1, 2, 3].map(|i| [Block(i), Block(1 << (10 * i))]);
    let (trees, all, message) = one_tree(8, &pairs);
    let index = [5];
    for wrong in 1..3 {
        let mut choices: Vec<bool> = trees.choices(&index).collect();
        choices[wrong] = !choices[wrong];
        let keys: Vec<Block> = pairs
            .iter()
            .zip(choices)
            .map(|(pair, right)| pair[usize::from(right)])
            .collect();
        let mut held = vec![Block::ZERO; 8];
        trees.hold(one(&keys), &index, &message, &mut held);
        assert!(!held.contains(&all[5]));
        assert_ne!(held[4], all[4]);
    }
}

#[test]
fn trees_are_those_of_the_single_tree_code() {
    // Above its first level a tree of the single-tree code is grown from a root; below, both must agree on how nodes double.
    let mut all = vec![Block::ZERO; 13];
    let mut sums = [[Block::ZERO; 2]; 4];
    let doubling = Doubling::new(SID.as_bytes());
    crate::vole::tree::deal(&doubling, Block(9), &mut all, &mut sums);
    let mut pairs = [[Block::ZERO; 2]; 4];
    pairs[0] = sums[0];
    let (_, leaves, message) = one_tree(13, &pairs);
    assert_eq!(leaves, all);
    let sent: Vec<u8> = sums[1..]
        .as_flattened()
        .iter()
        .flat_map(|sum| sum.to_bytes())
        .collect();
    assert_eq!(message, sent);
}
