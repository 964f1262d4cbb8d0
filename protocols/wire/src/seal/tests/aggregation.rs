//! The seal of an aggregation: the parties that the job names, the parameters that the plan says, and a name for every difference.

use super::*;
use crate::leakage::aggregation_statement;
use crate::limits::{DOCUMENT_BYTES_MAX, JOB_BYTES_MAX};
use crate::plan::Aggregation;
use crate::rehearsal::aggregate_protocol;
use crate::seal::AggregateTerms;
use crate::sign::{Kind, Record};
use crate::sql;
use crate::submission::Submission;

const PARTIES: [&str; 5] = ["bank-a", "bank-b", "bank-c", "bank-d", "bank-e"];

/// What each of so many organisations publishes, for `reader` to add up.
fn publication(name: &str, reader: &str) -> Publication {
    let good = include_bytes!("../../../../vectors/wire/documents/publication.json");
    let mut publication: Publication = from_bytes(good).expect("good");
    publication.org = org(name);
    let columns = [
        ("mobile", Verb::Count),
        ("segment", Verb::Group),
        ("spend_90d", Verb::Sum),
    ];
    for (column, verb) in columns {
        let rules = publication
            .policy
            .columns
            .get_mut(&ColumnName(column.to_owned()));
        rules
            .expect("a column")
            .may
            .insert(verb, BTreeSet::from([org(reader)]));
    }
    publication
}

fn stage_of(names: &[&str]) -> Stage {
    let [reader, ..] = names else {
        return Stage::default();
    };
    names.iter().fold(Stage::default(), |stage, name| {
        stage
            .with_org(
                name,
                &[
                    ("mei", "compliance"),
                    ("omar", "data-owner"),
                    ("ana", "security"),
                ],
            )
            .with_publication(publication(name, reader))
    })
}

fn job_of(names: &[&str]) -> Job {
    let mut job = job();
    job.ask = "SELECT u.segment, COUNT(*) AS n, SUM(u.spend_90d) AS spend FROM \"*\".users u GROUP BY u.segment".to_owned();
    job.parties = names.iter().map(|name| org(name)).collect();
    job.results_to = names.iter().take(1).map(|name| org(name)).collect();
    job.aggregate = Some(crate::job::Attendance::default());
    job.protect = crate::job::Protect {
        epsilon: Some(crate::policy::Epsilon(1_000_000)),
        ..Default::default()
    };
    job
}

fn planned(job: &Job, stage: &Stage) -> Aggregation {
    let asker = job.results_to.first().expect("a reader");
    sql::aggregation(job, asker, stage).expect("a plan")
}

fn submitted(job: &Job, stage: &Stage) -> Submission {
    let plan = planned(job, stage);
    let asker = job.results_to.first().expect("a reader");
    stage
        .aggregation_submission(job, asker, &plan)
        .expect("a seal")
}

/// A seal with other terms, other publications or another job than planned.
fn resealed(
    job: &Job,
    change: impl FnOnce(&mut Protocol),
    publications: impl FnOnce(&mut Vec<&Publication>),
) -> Result<Seal, Problem> {
    let stage = stage_of(&PARTIES);
    let plan = planned(&job_of(&PARTIES), &stage);
    let sides = plan.sides.iter();
    let mut published: Vec<&Publication> = sides
        .map(|side| {
            stage
                .publication(&side.org, &side.dataset)
                .expect("published")
        })
        .collect();
    let (mut protocol, cost) = aggregate_protocol(&plan);
    let page = aggregation_statement(&plan, job, &published, &protocol, cost)?;
    change(&mut protocol);
    publications(&mut published);
    let nonce = JobNonce([1; 16]);
    derive_aggregation(
        job,
        &org("bank-a"),
        nonce,
        &plan,
        &published,
        &protocol,
        &page,
    )
}

fn terms(protocol: &Protocol) -> AggregateTerms {
    let sealed = match protocol {
        Protocol::Aggregate(terms) => Some(terms.clone()),
        Protocol::Ecdh { .. } | Protocol::Vole(_) | Protocol::Blind(_) => None,
    };
    sealed.expect("an aggregation")
}

#[test]
fn the_same_arguments_give_the_same_submission_and_everybody_can_approve_it() {
    let (stage, job) = (stage_of(&PARTIES), job_of(&PARTIES));
    let submission = submitted(&job, &stage);
    assert_eq!(submission, submitted(&job, &stage));
    assert!(submission.seal.parties.keys().eq(&job.parties));
    let AggregateTerms {
        survivors_min,
        quorum,
        colluders,
        words,
        ..
    } = terms(&submission.seal.protocol);
    // Three segments, of which each has a number of ids and a sum.
    assert_eq!((words, colluders, quorum, survivors_min), (6, 2, 4, 4));
    let record = Record::sign(
        &stage.cast(&org("bank-a")).node,
        Kind::Submission,
        &org("bank-a"),
        &submission,
    );
    assert_eq!(Submission::open(&record, &stage), Ok(submission.clone()));
    let approved = stage.verified(&submission, 0).expect("all approve");
    assert_eq!(approved.approvals().len(), PARTIES.len());
    let mut one_short = stage.approvals(&submission);
    one_short.pop();
    let problem = crate::approval::verify(&submission, &stage, &stage, &one_short, 0)
        .expect_err("one is missing");
    assert_eq!(problem.code, Code::ApprovalsMissing);
    assert!(problem.what.contains("bank-e"), "{problem}");
}

#[test]
fn every_parameter_of_an_aggregation_is_compared() {
    let seal = submitted(&job_of(&PARTIES), &stage_of(&PARTIES)).seal;
    let changes: [fn(&mut AggregateTerms); 10] = [
        |terms| terms.version += 1,
        |terms| terms.recipient = org("bank-b"),
        |terms| terms.words += 1,
        |terms| terms.tag_words -= 1,
        |terms| terms.survivors_min += 1,
        |terms| terms.colluders -= 1,
        |terms| terms.quorum -= 1,
        |terms| terms.picks = Some(4),
        |terms| terms.threshold -= 1,
        |terms| terms.isolable += 1,
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut terms = terms(&seal.protocol);
        change(&mut terms);
        let theirs = Seal {
            protocol: Protocol::Aggregate(terms),
            ..seal.clone()
        };
        assert_ne!(theirs.hash(), seal.hash(), "parameter {place}");
        let problem = seal.compare(&theirs).expect_err("another protocol");
        assert!(problem.what.contains("the protocol differs"), "{problem}");
    }
}

#[test]
fn a_protocol_that_is_not_the_aggregations_is_a_defect() {
    let job = job_of(&PARTIES);
    let with = |change: fn(&mut AggregateTerms)| {
        let changed = |protocol: &mut Protocol| {
            let mut terms = terms(protocol);
            change(&mut terms);
            *protocol = Protocol::Aggregate(terms);
        };
        resealed(&job, changed, |_| ())
    };
    with(|_| ()).expect("as planned");
    with(|terms| terms.survivors_min = 5).expect("more may have to be there");
    let changes: [fn(&mut AggregateTerms); 6] = [
        |terms| terms.recipient = org("bank-b"),
        |terms| terms.words -= 1,
        |terms| terms.colluders -= 1,
        // Fewer than the job asks for, more than there are, and too few honest ones for a sum.
        |terms| terms.survivors_min = 2,
        |terms| terms.survivors_min = 6,
        |terms| terms.isolable = 1,
    ];
    for (place, change) in changes.into_iter().enumerate() {
        assert_eq!(
            with(change).expect_err("not the plan's").code,
            Code::Defect,
            "change {place}"
        );
    }
    let of_two = resealed(&job, |protocol| *protocol = Protocol::ecdh(), |_| ());
    assert_eq!(of_two.expect_err("of two parties").code, Code::Defect);
    // And the other way round.
    let stage = stage();
    let plan = plan(&super::job(), &org("north-bank"), &stage).expect("a plan");
    let publications = stage.publications(&plan);
    let (_, cost) = protocol(&plan, publications);
    let of_many = aggregate_protocol(&planned(&job, &stage_of(&PARTIES))).0;
    let page = statement(&plan, &super::job(), publications, &of_many, cost);
    assert_eq!(page.expect_err("of many parties").code, Code::Defect);
}

#[test]
fn publications_that_are_not_the_sides_are_a_defect() {
    let job = job_of(&PARTIES);
    let changes: [fn(&mut Vec<&Publication>); 3] = [
        |publications| publications.swap(0, 1),
        |publications| publications.truncate(4),
        |publications| publications.extend_from_within(..1),
    ];
    for change in changes {
        let problem = resealed(&job, |_| (), change).expect_err("other publications");
        assert_eq!(problem.code, Code::Defect);
    }
}

#[test]
fn other_parties_than_the_job_names_are_refused() {
    let good = submitted(&job_of(&PARTIES), &stage_of(&PARTIES));
    assert_eq!(good.seal.check_parties(&good.job), Ok(()));
    let changes: [fn(&mut Job); 3] = [
        |job| drop(job.parties.pop_last()),
        |job| job.parties.extend([org("bank-f")]),
        // As a join of two it would be one of five.
        |job| (job.parties, job.aggregate) = (BTreeSet::new(), None),
    ];
    for change in changes {
        let mut job = good.job.clone();
        change(&mut job);
        let problem = good.seal.check_parties(&job).expect_err("other parties");
        assert_eq!(problem.code, Code::JobFile);
        assert_eq!(
            resealed(&job, |_| (), |_| ()).expect_err("other parties"),
            problem
        );
    }
    let outside = Seal {
        asker: org("bank-f"),
        ..good.seal.clone()
    };
    let problem = outside
        .check_parties(&good.job)
        .expect_err("asked from outside");
    assert!(
        problem
            .what
            .contains("bank-f asks and is not among `parties`"),
        "{problem}"
    );
}

#[test]
fn a_change_at_any_party_of_many_is_named() {
    let job = job_of(&PARTIES);
    let seal = submitted(&job, &stage_of(&PARTIES)).seal;
    for name in PARTIES {
        let mut stage = stage_of(&PARTIES);
        let cast = stage.orgs.get_mut(&org(name)).expect("on the stage");
        cast.publications
            .values_mut()
            .for_each(|theirs| theirs.policy.min_set += 1);
        let theirs = submitted(&job, &stage).seal;
        let problem = seal.compare(&theirs).expect_err("another policy");
        assert!(
            problem.what.contains(&format!("{name}'s policy differs")),
            "{problem}"
        );
    }
}

#[test]
fn a_job_of_a_thousand_parties_with_the_longest_names_fits_a_document() {
    let long = |place: usize| format!("{:b<59}{place:04}", "b");
    let names: Vec<String> = (0..1_000).map(long).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let submission = submitted(&job_of(&names), &stage_of(&names));
    let with_longest_job =
        to_bytes(&submission).len() - to_bytes(&submission.job).len() + JOB_BYTES_MAX;
    // All datasets have the longest name.
    let with_all = with_longest_job + names.len() * (63 - "users".len());
    assert!(with_all <= DOCUMENT_BYTES_MAX, "{with_all} bytes");
    let arrived: Submission = from_bytes(&to_bytes(&submission)).expect("own bytes");
    assert_eq!(arrived.hash(), submission.hash());
}
