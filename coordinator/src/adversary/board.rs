//! The board by itself: its bounds, slow readers, and what is thrown away.

use super::*;
use crate::board::Board;
use crate::limits::{
    BYTES_PER_ORG_MAX, KEPT_AFTER_EXPIRY, RECORDS_PER_ORG_MAX, WATCH_QUEUE_RECORDS,
};
use crate::records::Filed;
use tokio::sync::mpsc::error::TryRecvError;

const NOW: u64 = 1_900_000_000;

fn filed(by: &Member, record: rpc::Record, now_unix_s: u64) -> Filed {
    Filed::read(record, &by.org, now_unix_s).unwrap()
}

/// A report that is a record of its own for each attempt, with `padding` bytes more.
fn report(by: &Member, attempt: u32, padding: usize) -> Filed {
    let mut filed = filed(
        by,
        by.report(JobHash(Digest([7; 32])), attempt, Step::Running),
        NOW,
    );
    filed.record.body.resize(padding, b' ');
    filed
}

/// Files as many as are taken.
fn fill(board: &mut Board, by: &Member, padding: usize) -> usize {
    for attempt in 1.. {
        let filed = report(by, attempt, padding);
        if board.check(&filed).is_err() {
            return attempt as usize - 1;
        }
        board.file(filed);
    }
    unreachable!("attempts have no end")
}

#[test]
fn one_member_can_file_so_much_and_no_more_and_others_do_not_feel_it() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let mut board = Board::default();
    assert_eq!(fill(&mut board, &north, 8), RECORDS_PER_ORG_MAX);
    board.check(&report(&river, 1, 8)).unwrap();
    // What takes the place of an older record needs no place.
    let mut newer = report(&north, 1, 8);
    newer.record.signature[0] ^= 1;
    assert!(board.check(&newer).unwrap());

    let mut board = Board::default();
    let padding = 200_000;
    let most = BYTES_PER_ORG_MAX / padding;
    assert!(fill(&mut board, &north, padding) <= most);
    board.check(&report(&river, 1, padding)).unwrap();
}

#[test]
fn a_watch_that_is_not_read_is_let_go_and_the_next_one_misses_nothing() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let mut board = Board::default();
    let mut slow = board.watch(&river.org).unwrap();
    let last = WATCH_QUEUE_RECORDS as u64 + 1;
    for version in 1..=last {
        board.file(filed(&north, north.registry(version), NOW));
    }
    for _ in 0..WATCH_QUEUE_RECORDS {
        slow.coming.try_recv().expect("what fitted the queue");
    }
    let end = slow.coming.try_recv().err();
    assert_eq!(end, Some(TryRecvError::Disconnected));
    let next = board.watch(&river.org).unwrap();
    assert_eq!(next.now.len(), 1);
    assert!(next.now[0].record == north.registry(last));
}

#[test]
fn old_jobs_and_records_without_a_job_are_thrown_away_and_the_rest_is_not() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let mut board = Board::default();
    let kept = KEPT_AFTER_EXPIRY.as_secs();
    let (old, old_job) = north.submission(&river, NOW);
    let (young, young_job) = north.submission(&river, NOW + 1);
    let nowhere = JobHash(Digest([9; 32]));
    for (by, record) in [
        (&north, north.registry(1)),
        (&north, old_job),
        (&river, river.approval(old)),
        (&north, young_job),
        (&river, river.approval(young)),
        (&river, river.approval(nowhere)),
    ] {
        board.file(filed(by, record, NOW));
    }
    assert_eq!(board.outdated(NOW + kept), []);
    let outdated = board.outdated(NOW + kept + 1);
    assert_eq!(outdated.len(), 3, "{outdated:?}");
    for key in &outdated {
        board.remove(key);
    }
    let seen_by_river = board.watch(&river.org).unwrap().now.len();
    assert_eq!(seen_by_river, 2, "the registry and the young job");
    let seen_by_north = board.watch(&north.org).unwrap().now.len();
    assert_eq!(seen_by_north, 1, "the approval of the young job");
    assert_eq!(board.jobs_of(&north.org, NOW).len(), 1);
    assert_eq!(board.outdated(NOW + kept + 1), []);
}

#[test]
fn an_answer_about_jobs_fits_one_message_and_shows_the_newest() {
    let north = member("north-bank");
    let mut board = Board::default();
    let names: Vec<OrgName> = (0..999)
        .map(|number| {
            format!("a-rather-long-name-of-party-{number}")
                .parse()
                .unwrap()
        })
        .collect();
    let parties: Vec<&OrgName> = names.iter().chain([&north.org]).collect();
    for number in 0..16 {
        let job = submission(&north.org, &parties, YEAR_2100 + number);
        let record = north.sign(Kind::Submission, &job);
        let filed = Filed::read(record, &north.org, NOW + number).unwrap();
        board.file(filed);
    }
    let jobs = board.jobs_of(&north.org, NOW);
    assert!((2..16).contains(&jobs.len()), "{} jobs", jobs.len());
    let newest = submission(&north.org, &parties, YEAR_2100 + 15).hash();
    assert_eq!(jobs.first().unwrap().job_hash, newest.0.0);
}
