//! The tamper sweep: whatever is done to a frame ends in a fault, in the right answer, or, where a peer's or a broken line's change
//! of a body cannot be seen here, in two transcripts that differ.

use super::*;
use crate::adversary::{Effort, Ended, assert_only_unnoticed, record};
use crate::{oprf, vole};

/// Nothing binds S's hints to what R sent, or R to what S did: both compare what was said before anything opens.
const UNBOUND: [(Kind, &str); 3] = [
    (BIN_SEED, "another seed gives other bins"),
    (HINT_SEED, "another seed gives other rows"),
    (HINTS, "other hints are other shares"),
];

fn ended(sid: SessionId, setup: &Setup, ends: Ends) -> Ended {
    let layout = Layout::new(vec![40]);
    let (mine, theirs) = (ids(0..3_000), ids(0..4_000));
    let columns = columns::<u64>(theirs.len(), 3, &layout);
    let inputs = Inputs {
        ids: &theirs,
        codes: &columns.codes,
        words: &columns.words,
    };
    let ((received, sent), totals) = run_over(sid, setup, &mine, inputs, ends);
    let is_wrong = match (&received, &sent) {
        (Ok(received), Ok(sent)) => {
            common_if_right(&layout, &mine, inputs, received, sent) != Some(mine.len())
        }
        _ => false,
    };
    Ended {
        faults: [received.err(), sent.err()],
        totals,
        is_wrong,
    }
}

#[test]
fn tampering_ends_in_a_fault_or_shows_in_the_transcripts() {
    let setup = setup(4_096, 4_096, 3, &Layout::new(vec![40]));
    let session = |ends: Ends| ended(SID, &setup, ends);
    let (genuine, untouched) = record(session);
    assert!(untouched.faults == [None, None] && !untouched.is_wrong);
    let (other, _) = record(|ends| ended(SessionId::new([8; 32]), &setup, ends));
    let listed = [&UNBOUND[..], &oprf::UNBOUND, &vole::UNNOTICEABLE].concat();
    let effort = Effort::Sampled { body_bits: 2 };
    assert_only_unnoticed(effort, [&genuine, &other], session, &listed);
}
