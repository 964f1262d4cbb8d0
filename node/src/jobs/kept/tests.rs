use super::*;
use entente_wire::limits::WIRE_VERSION;
use entente_wire::seal::JobHash;

const FIRST: Digest = Digest([1; 32]);
const OURS: Digest = Digest([2; 32]);
const THEIRS: Digest = Digest([3; 32]);

fn opening(dataset_version: Digest, continues: Option<Continued>) -> Opening {
    Opening {
        version: WIRE_VERSION,
        job: JobHash(Digest([7; 32])),
        attempt: 2,
        dataset_version,
        ids_rounded: 1_000,
        nonce_commitment: Digest([4; 32]),
        continues,
        answered_by: None,
    }
}

fn continued(session: Digest, finished: &[bool]) -> Option<Continued> {
    Some(Continued {
        session,
        finished: BucketSet::new(finished),
    })
}

fn course() -> Course {
    Course::new(FIRST, [OURS, THEIRS], 3)
}

fn left(ours: &[bool], theirs: &Opening) -> Result<Vec<u64>, Code> {
    let peer = "river-pay".parse().expect("a name");
    let own = opening(OURS, continued(FIRST, ours));
    course()
        .left(&peer, &own, theirs)
        .map_err(|problem| problem.code)
}

#[test]
fn only_what_both_finished_is_not_run_again() {
    let theirs = |finished: &[bool]| opening(THEIRS, continued(FIRST, finished));
    let none = [false; 3];
    assert_eq!(left(&none, &theirs(&none)), Ok(vec![0, 1, 2]));
    assert_eq!(
        left(&[true, true, false], &theirs(&[true, false, true])),
        Ok(vec![1, 2])
    );
    assert_eq!(left(&[true; 3], &theirs(&[true; 3])), Ok(vec![]));
}

#[test]
fn a_partner_with_another_dataset_version_or_set_of_buckets_is_blamed() {
    let finished = continued(FIRST, &[true; 3]);
    let caught = Err(Code::PartnerMisbehaved);
    assert_eq!(left(&[true; 3], &opening(OURS, finished)), caught);
    let other_set = opening(THEIRS, continued(FIRST, &[true; 12]));
    assert_eq!(left(&[true; 3], &other_set), caught);
}

#[test]
fn sessions_go_on_only_where_both_name_the_same_one() {
    let named = |session| opening(OURS, continued(session, &[true; 3]));
    assert_eq!(agreed(&named(FIRST), &named(FIRST)), Some(FIRST));
    assert_eq!(agreed(&named(FIRST), &named(OURS)), None);
    assert_eq!(agreed(&named(FIRST), &opening(OURS, None)), None);
    assert_eq!(agreed(&opening(OURS, None), &named(FIRST)), None);
}

#[test]
fn a_list_of_another_version_is_not_offered() {
    assert!(course().continued(OURS).is_some());
    assert!(course().continued(THEIRS).is_none());
}

#[test]
fn what_was_said_is_whole_and_the_same_whichever_session_it_ran_in() {
    let (one, other) = (course(), course());
    for bucket in 0..3 {
        assert!(one.said().is_err(), "bucket {bucket} is missing");
        one.finish(bucket, [bucket as u8; 32]);
        other.finish(2 - bucket, [2 - bucket as u8; 32]);
    }
    assert_eq!(one.said(), other.said());
    other.finish(1, [9; 32]);
    assert_ne!(one.said(), other.said());
}

#[test]
fn a_bucket_that_is_run_again_is_not_over_until_it_is_over_again() {
    let course = course();
    for bucket in 0..3 {
        course.finish(bucket, [1; 32]);
    }
    let finished = |course: &Course| {
        let continued = course.continued(OURS).expect("the same version");
        continued.finished.of(3)
    };
    course.reopen(&[0, 2]);
    assert_eq!(finished(&course), Some(vec![false, true, false]));
    assert!(course.said().is_err());
    course.finish(0, [2; 32]);
    assert_eq!(finished(&course), Some(vec![true, true, false]));
}
