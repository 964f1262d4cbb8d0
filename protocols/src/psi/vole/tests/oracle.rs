//! Equality with the intersection in the clear at the extremes.

use super::*;

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
