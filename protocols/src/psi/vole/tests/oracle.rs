//! Equality with the intersection in the clear at the extremes, and of the two ways to the value behind a tag.

use super::*;
use crate::adversary::{both, honest};
use crate::field;
use crate::okvs::{self, Fill, Rows};
use crate::secret::Secret;

const BOTH_MODES: [Security; 2] = [Security::SemiHonest, Security::Malicious];

/// The first `common` ids are on both sides, in different order; then come each side's own.
fn check(common: u64, receivers_own: u64, senders_own: u64) {
    for security in BOTH_MODES {
        let mine = ids(0..common + receivers_own);
        let mut theirs = ids(1_000_000..1_000_000 + senders_own);
        theirs.extend(ids(0..common).into_iter().rev());
        let setup = setup(mine.len() as u32, theirs.len() as u32, security);
        let (found, sent) = run(&setup, &mine, &theirs);
        let expected: Vec<u32> = (0..).take(common as usize).collect();
        let of = format!("{security:?}, {common} common, {receivers_own} and {senders_own} not");
        assert_eq!((found, sent), (Ok(expected), Ok(())), "{of}");
    }
}

#[test]
fn the_answer_is_right_at_every_extreme() {
    check(0, 0, 0); // dummies only
    check(0, 0, 9); // one side empty
    check(0, 9, 0);
    check(1, 0, 0); // one id
    check(0, 1, 1); // one id each, and not the same
    check(20, 0, 0); // all common
    check(0, 20, 20); // none common
    check(1, 0, 200); // skewed
    check(1, 200, 0);
    check(4_096, 0, 0); // no dummies: all common
    check(0, 4_096, 4_096); // and none
    check(2_000, 3_000, 2_096); // more than the smallest set on one side
}

/// Decode(C, x) = Decode(K, x) + Δ·HB(x) exactly where x is one of R's ids.
#[test]
fn both_sides_get_the_same_value_at_the_receivers_ids_and_nowhere_else() {
    for security in BOTH_MODES {
        let setup = setup(4_096, 4_096, security);
        let (hashes, seed, delta) = (setup.hashes(&SID), Block(5), Block(0x1234_5678 << 90 | 77));
        let keys = Prg::new(Block(3)).blocks(4_096);
        let others = Prg::new(Block(4)).blocks(4_096);
        let rows = Rows::new(&setup.shape, seed, keys.iter().copied()).expect("one bin");
        let encoded = okvs::encode(&setup.shape, &rows, Fill::<Prg>::Zero, |bin, values| {
            hashes.values(bin.keys, values);
        });
        let mut masked = encoded.expect("solvable");
        let receive = |channel: &mut _| {
            let rng = &mut Prg::new(Block(2));
            crate::vole::receiver::run(channel, &SID, &setup.vole, &mut masked, rng)
        };
        let send = |channel: &mut _| {
            let (delta, rng) = (Secret::new(delta), &mut Prg::new(Block(1)));
            crate::vole::sender::run(channel, &SID, &setup.vole, &delta, rng)
        };
        let (c, b, _) = both(honest(), receive, send);
        let (c, mut k) = (c.expect("honest"), b.expect("honest"));
        field::multiply_add(k.expose_mut(), delta, &masked);
        let equal = |ids: &[Block]| {
            let rows = Rows::for_decoding(&setup.shape, seed, ids.iter().copied());
            let receivers = okvs::decode(&setup.shape, &rows, c.expose(), |_, _| {});
            let senders = okvs::decode(&setup.shape, &rows, k.expose(), |bin, values| {
                let mut hashed = vec![Block::ZERO; bin.keys.len()];
                hashes.values(bin.keys, &mut hashed);
                field::multiply_add(values, delta, &hashed);
            });
            let pairs = receivers.iter().zip(&senders);
            pairs.filter(|(mine, theirs)| mine == theirs).count()
        };
        assert_eq!(equal(&keys), keys.len(), "{security:?}, at R's ids");
        assert_eq!(equal(&others), 0, "{security:?}, at other ids");
    }
}
