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
        let keys = sender.rows(channel, total * trees.transfers(), rng)?;
        let (mut message, mut dealt) = (Vec::new(), Vec::new());
        for (start, count) in batches() {
            let keys = Keys::new(keys.expose().as_slice(), total, &(start..start + count));
            let mut nodes = vec![Block::ZERO; trees.places() * count];
            trees.deal(keys, *sender.delta().expose(), &mut nodes, &mut message);
            dealt.extend(by_tree(&nodes[..leaves * count], count));
        }
        Ok::<_, Fault>((message, dealt))
    };
    let hold = |channel: &mut Channel| {
        let (trees, rng) = (trees(), &mut Prg::new(Block(2)));
        let mut receiver = Receiver::set_up(channel, &SID, Security::SemiHonest, rng)?;
        let choices: Vec<bool> = trees.choices(indices).collect();
        let keys = receiver.rows(channel, &choices, rng)?;
        Ok::<_, Fault>((trees, keys))
    };
    let (dealt, held, _) = both(honest(), deal, hold);
    let ((message, dealt), (trees, keys)) = (dealt.expect("honest"), held.expect("honest"));
    assert_eq!(message.len(), total * trees.bytes());
    let mut held = Vec::new();
    for (start, count) in batches() {
        let keys = Keys::new(keys.expose().as_slice(), total, &(start..start + count));
        let mut nodes = vec![Block::ONE; trees.places() * count];
        let message = &message[start * trees.bytes()..][..count * trees.bytes()];
        trees.hold(keys, &indices[start..start + count], message, &mut nodes);
        held.extend(by_tree(&nodes[..leaves * count], count));
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

const DELTA: Block = Block(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);

/// A batch of one tree with `leaves` leaves and chosen rows.
fn one_tree(leaves: usize, rows: &[Block]) -> (Trees, Vec<Block>, Vec<u8>) {
    let trees = Trees::new(&SID, leaves);
    let (mut nodes, mut message) = (vec![Block::ZERO; trees.places()], Vec::new());
    trees.deal(one(rows), DELTA, &mut nodes, &mut message);
    (trees, nodes, message)
}

fn one<K>(all: &[K]) -> Keys<'_, K> {
    Keys::new(all, 1, &(0..1))
}

#[test]
fn the_sums_say_nothing_without_the_rows() {
    let rows = [Block(1), Block(2), Block(3)];
    let (_, _, message) = one_tree(8, &rows);
    let (_, _, other) = one_tree(8, &[rows[0], rows[1], Block(77)]);
    assert_eq!(message.len(), 32);
    assert_eq!(message[..16], other[..16], "of the level above");
    assert_ne!(message[16..], other[16..]);
}

#[test]
fn the_leaf_at_the_index_is_not_among_what_one_row_a_level_gives() {
    // Whoever takes, at one level, the row of the path's own side gets the wrong leaves there and not the missing one.
    let rows = [Block(1), Block(2), Block(3)];
    let (trees, all, message) = one_tree(8, &rows);
    let index = [5];
    for wrong in 1..3 {
        let mut choices: Vec<bool> = trees.choices(&index).collect();
        choices[wrong] = !choices[wrong];
        let chosen = rows.iter().zip(choices);
        let chosen: Vec<Block> = chosen
            .map(|(row, right)| *row ^ DELTA.masked(right))
            .collect();
        let mut held = vec![Block::ZERO; 8];
        trees.hold(one(&chosen), &index, &message, &mut held);
        assert!(!held.contains(&all[5]));
        assert_ne!(held[4], all[4]);
    }
}

#[test]
fn leaves_are_what_the_definition_gives_from_the_root_down_and_add_up_to_delta() {
    let (trees, all, _) = one_tree(13, &[Block(9), Block(2), Block(3), Block(4)]);
    let child = |node: Block, right: bool| {
        let mut left = [Block::ZERO];
        trees.halving.left(&[node], &mut left);
        left[0] ^ node.masked(right)
    };
    for (index, leaf) in all.iter().enumerate() {
        let bit = |level: usize| (index >> level) & 1 == 1;
        let top = Block(9) ^ DELTA.masked(bit(3));
        let expected = (0..3)
            .rev()
            .fold(top, |node, level| child(node, bit(level)));
        assert_eq!(*leaf, expected, "leaf {index}");
    }
    let total = all.iter().fold(Block::ZERO, |sum, leaf| sum ^ *leaf);
    assert_eq!(total, DELTA);
}
