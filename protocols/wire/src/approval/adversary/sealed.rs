//! Approvals of something else than the job at hand.

use super::*;

#[test]
fn approvals_of_another_job_cannot_be_replayed() {
    let stage = stage();
    let first = submission(&stage);
    let mut second = first.clone();
    second.seal.nonce = JobNonce([8; 16]);
    assert_ne!(first.hash(), second.hash());
    let old = honest(&stage, &first);
    refused(
        check(&stage, &second, &old),
        Code::ApprovalRefused,
        "it approves J-",
    );
    // A node that signs anew over its people's old words gets no further.
    let words = yes(&stage, &first, &river(), &["mei", "lin"]);
    let mut approvals = honest(&stage, &second);
    approvals[1] = stage.node_approval(&river(), second.hash(), words);
    refused(
        check(&stage, &second, &approvals),
        Code::ApprovalRefused,
        "the decision is about J-",
    );
}

/// The name of a part, and what changes it.
type Change = (&'static str, Box<dyn Fn(&mut Seal)>);

#[test]
fn each_part_of_the_seal_is_covered_by_h() {
    let stage = stage();
    let good = submission(&stage);
    let approvals = honest(&stage, &good);
    let party = |change: fn(&mut PartySeal)| {
        move |seal: &mut Seal| change(seal.parties.get_mut(&river()).expect("a party"))
    };
    let changes: Vec<Change> = vec![
        ("job", Box::new(|seal| seal.job.0[0] ^= 1)),
        ("nonce", Box::new(|seal| seal.nonce.0[15] ^= 1)),
        ("asker", Box::new(|seal| seal.asker = river())),
        ("plan version", Box::new(|seal| seal.plan_version += 1)),
        ("plan", Box::new(|seal| seal.plan.0[31] ^= 1)),
        ("leakage", Box::new(|seal| seal.leakage.0[0] ^= 128)),
        (
            "protocol",
            Box::new(|seal| {
                seal.protocol = Protocol::Ecdh {
                    profile: "p256".to_owned(),
                }
            }),
        ),
        ("policy", Box::new(party(|party| party.policy.0[0] ^= 1))),
        ("schema", Box::new(party(|party| party.schema.0[0] ^= 1))),
        ("size", Box::new(party(|party| party.ids_rounded += 1_000))),
        (
            "dataset",
            Box::new(party(|party| {
                party.dataset = "other".parse().expect("a name")
            })),
        ),
        (
            "parties",
            Box::new(|seal| {
                let party = seal.parties.remove(&river()).expect("a party");
                seal.parties.insert(org("harbour-bank"), party);
            }),
        ),
    ];
    for (part, change) in changes {
        let mut changed = good.clone();
        change(&mut changed.seal);
        assert_ne!(changed.hash(), good.hash(), "{part} is not covered by H");
        let problem = good.seal.compare(&changed.seal).expect_err(part);
        assert_eq!(problem.code, Code::JobDiffers, "{part}: {problem}");
        check(&stage, &changed, &approvals).expect_err(part);
    }
    good.seal
        .compare(&good.seal.clone())
        .expect("the same seal");
}

#[test]
fn another_job_text_under_an_approved_seal_is_refused() {
    let stage = stage();
    let mut submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    submission.job.ask = submission.job.ask.replace("COUNT(*)", "SUM(p.spend_90d)");
    refused(
        check(&stage, &submission, &approvals),
        Code::JobDiffers,
        "another job text",
    );
}

#[test]
fn a_policy_published_since_voids_the_job() {
    let mut stage = stage();
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    let cast = stage.orgs.get_mut(&river()).expect("on the stage");
    let publication = cast.publications.values_mut().next().expect("published");
    publication.policy.approvers.need = 1;
    refused(
        check(&stage, &submission, &approvals),
        Code::JobDiffers,
        "another version of users",
    );
    stage
        .orgs
        .get_mut(&river())
        .expect("on the stage")
        .publications
        .clear();
    refused(
        check(&stage, &submission, &approvals),
        Code::DatasetUnknown,
        "no dataset users",
    );
}

#[test]
fn an_expired_job_is_refused_to_the_second() {
    let stage = stage();
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    let expires = submission.job.expires_unix_s;
    let at = |now| verify(&submission, &stage, &stage, &approvals, now);
    at(expires - 1)
        .expect("still valid")
        .check_time(expires)
        .expect_err("no longer");
    refused(at(expires), Code::JobExpired, "expired 0 s ago");
    refused(at(u64::MAX), Code::JobExpired, "expired");
}

#[test]
fn an_answer_cannot_go_to_an_outsider_nor_a_question_come_from_one() {
    let stage = stage();
    let good = submission(&stage);
    let mut outside = good.clone();
    outside.job.results_to.insert(org("harbour-bank"));
    outside.seal.job = outside.job.digest();
    let approvals = honest(&stage, &outside);
    refused(
        check(&stage, &outside, &approvals),
        Code::JobFile,
        "results_to names harbour-bank",
    );
    let mut asked = good.clone();
    asked.seal.asker = org("harbour-bank");
    let approvals = honest(&stage, &asked);
    refused(
        check(&stage, &asked, &approvals),
        Code::JobFile,
        "none of its datasets",
    );
    let mut alone = good;
    alone.seal.parties.remove(&river());
    let approvals = honest(&stage, &alone);
    refused(
        check(&stage, &alone, &approvals),
        Code::JobFile,
        "joins two",
    );
}
