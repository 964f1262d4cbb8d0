//! What is about a job stays among its parties; how a job's state follows from their records.

use super::*;

async fn state(of: JobHash, member: &Member, at: &Running) -> Option<JobState> {
    let jobs = member.jobs(at).await.unwrap();
    jobs.into_iter().find(|job| job.job_hash == of.0.0)
}

#[tokio::test]
async fn a_job_goes_from_submitted_to_done() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let at = stage.start().await;
    let (hash, job) = north.submission(&river, YEAR_2100);
    let steps = [
        (&north, job, "submitted", 2),
        (&north, north.approval(hash), "awaiting-approvals", 1),
        (&river, river.approval(hash), "ready", 0),
        (&north, north.report(hash, 1, Step::Running), "running", 0),
        (&river, river.report(hash, 1, Step::Done), "done", 0),
        (&north, north.report(hash, 1, Step::Done), "done", 0),
    ];
    for (by, record, expected, waiting) in steps {
        by.post(&at, record).await.unwrap();
        for member in [&north, &river] {
            let seen = state(hash, member, &at).await.unwrap();
            assert_eq!(seen.state, expected);
            assert_eq!(seen.waiting_for.len(), waiting, "{expected}");
            assert_eq!(seen.asker, "north-bank");
            assert_eq!(seen.parties, ["north-bank", "river-pay"]);
        }
    }
    at.stop().await;
}

#[tokio::test]
async fn a_job_past_its_time_is_expired_and_a_refused_one_failed() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let at = stage.start().await;
    let an_hour_ago = crate::service::unix_s(SystemTime::now()) - 3600;
    let (late, job) = north.submission(&river, an_hour_ago);
    north.post(&at, job).await.unwrap();
    assert_eq!(state(late, &river, &at).await.unwrap().state, "expired");
    let (denied, job) = north.submission(&river, YEAR_2100);
    north.post(&at, job).await.unwrap();
    let denial = river.report(denied, 0, Step::Denied);
    river.post(&at, denial).await.unwrap();
    assert_eq!(state(denied, &north, &at).await.unwrap().state, "failed");
    at.stop().await;
}

#[tokio::test]
async fn a_member_that_is_no_party_receives_nothing_of_a_job() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let outsider = member("harbour-bank");
    let stage = Stage::new(&[&north, &river, &outsider]);
    let at = stage.start().await;
    let mut before = outsider.watch(&at).await.unwrap();
    before.caught_up().await;
    let mut party = river.watch(&at).await.unwrap();
    let (hash, job) = north.submission(&river, YEAR_2100);
    let of_job = [
        job,
        north.approval(hash),
        north.report(hash, 1, Step::Running),
    ];
    for record in &of_job {
        north.post(&at, record.clone()).await.unwrap();
        assert_eq!(party.record().await, *record);
    }
    // This one is for everybody; had anything else been sent to the outsider, it would have come before.
    north.post(&at, north.registry(1)).await.unwrap();
    assert_eq!(before.record().await, north.registry(1));
    let mut after = outsider.watch(&at).await.unwrap();
    assert_eq!(after.caught_up().await, [north.registry(1)]);
    assert_eq!(outsider.jobs(&at).await.unwrap(), []);
    at.stop().await;
}

#[tokio::test]
async fn a_member_that_is_no_party_cannot_speak_about_a_job() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let outsider = member("harbour-bank");
    let stage = Stage::new(&[&north, &river, &outsider]);
    let at = stage.start().await;
    let (hash, job) = north.submission(&river, YEAR_2100);
    // Before the job is known nobody can tell; what the outsider filed then is handed to nobody.
    let early = outsider.report(hash, 0, Step::Denied);
    outsider.post(&at, early).await.unwrap();
    let mut watch = river.watch(&at).await.unwrap();
    assert_eq!(watch.caught_up().await, []);
    north.post(&at, job.clone()).await.unwrap();
    assert_eq!(watch.record().await, job);
    for record in [
        outsider.approval(hash),
        outsider.report(hash, 1, Step::Failed),
    ] {
        let refused = outsider.post(&at, record).await.unwrap_err();
        assert_eq!(refused.code, Code::CoordinatorRefused);
    }
    north.post(&at, north.approval(hash)).await.unwrap();
    assert_eq!(watch.record().await, north.approval(hash));
    let seen = state(hash, &north, &at).await.unwrap();
    assert_eq!(seen.state, "awaiting-approvals");
    at.stop().await;
}

#[tokio::test]
async fn only_the_asker_takes_a_job_back() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let at = stage.start().await;
    let (hash, job) = north.submission(&river, YEAR_2100);
    north.post(&at, job).await.unwrap();
    let by_other = river.report(hash, 0, Step::Cancelled);
    let refused = river.post(&at, by_other).await.unwrap_err();
    assert_eq!(refused.code, Code::CoordinatorRefused);
    let by_asker = north.report(hash, 0, Step::Cancelled);
    north.post(&at, by_asker).await.unwrap();
    assert_eq!(state(hash, &river, &at).await.unwrap().state, "cancelled");
    at.stop().await;
}

#[tokio::test]
async fn an_approval_that_came_before_its_job_waits_for_it() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let at = stage.start().await;
    let (hash, job) = north.submission(&river, YEAR_2100);
    let mut watch = north.watch(&at).await.unwrap();
    assert_eq!(watch.caught_up().await, []);
    river.post(&at, river.approval(hash)).await.unwrap();
    north.post(&at, job).await.unwrap();
    assert_eq!(watch.record().await, river.approval(hash));
    let seen = state(hash, &north, &at).await.unwrap();
    assert_eq!(seen.waiting_for, ["north-bank"]);
    at.stop().await;
}

#[tokio::test]
async fn a_submission_whose_seal_is_not_over_its_text_is_refused() {
    let (north, river) = (member("north-bank"), member("river-pay"));
    let stage = Stage::new(&[&north, &river]);
    let at = stage.start().await;
    let honest = submission(&north.org, &[&north.org, &river.org], YEAR_2100);
    let mut other_text = honest.clone();
    other_text.job.purpose = "something else".to_owned();
    let mut no_party = honest.clone();
    no_party.seal.parties.remove(&north.org);
    for bad in [other_text, no_party] {
        let record = north.sign(Kind::Submission, &bad);
        let refused = north.post(&at, record).await.unwrap_err();
        assert_eq!(refused.code, Code::CoordinatorRefused);
    }
    at.stop().await;
}
