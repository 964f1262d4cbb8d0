//! The same seal at every party, and a name for every difference.

use super::*;
use crate::canonical::{from_bytes, to_bytes};
use crate::leakage::statement;
use crate::names::ColumnName;
use crate::policy::Verb;
use crate::rehearsal::Stage;
use crate::sql::{Catalog, plan};
use std::collections::BTreeSet;

fn org(name: &str) -> OrgName {
    name.parse().expect("a valid name")
}

/// North publishes the same columns as River; River lets North learn which of its ids it holds.
fn stage() -> Stage {
    let mut rivers: Publication = from_bytes(include_bytes!(
        "../../../vectors/wire/documents/publication.json"
    ))
    .expect("good");
    let mut norths = rivers.clone();
    norths.org = org("north-bank");
    norths.policy.dataset = "customers".parse().expect("a name");
    let mobile = ColumnName("mobile".to_owned());
    let grants = |publication: &mut Publication, verb, to: &str| {
        let column = publication
            .policy
            .columns
            .get_mut(&mobile)
            .expect("a column");
        column.may.insert(verb, BTreeSet::from([org(to)]));
    };
    grants(&mut rivers, Verb::Reveal, "north-bank");
    grants(&mut norths, Verb::Match, "river-pay");
    Stage::default()
        .with_org("north-bank", &[])
        .with_org("river-pay", &[])
        .with_publication(norths)
        .with_publication(rivers)
}

fn job() -> Job {
    from_bytes(include_bytes!("../../../vectors/wire/job/smallest.json")).expect("a good vector")
}

fn derived(stage: &Stage, job: &Job) -> Result<Seal, Problem> {
    let plan = plan(job, &org("north-bank"), stage).expect("a plan");
    stage
        .submission(job, &org("north-bank"), &plan)
        .map(|submission| submission.seal)
}

#[test]
fn the_same_arguments_give_the_same_seal_and_it_travels_unchanged() {
    let seal = derived(&stage(), &job()).expect("a seal");
    let again = derived(&stage(), &job()).expect("a seal");
    assert_eq!(seal, again);
    assert_eq!(seal.hash(), again.hash());
    let arrived: Seal = from_bytes(&to_bytes(&seal)).expect("own bytes");
    assert_eq!(arrived.hash(), seal.hash());
    assert_eq!(seal.compare(&arrived), Ok(()));
    assert!(seal.hash().short().starts_with("J-") && seal.hash().short().len() == 10);
}

#[test]
fn a_change_at_any_party_is_named() {
    let seal = derived(&stage(), &job()).expect("a seal");
    let differs = |change: fn(&mut Publication)| {
        let mut stage = stage();
        let cast = stage.orgs.get_mut(&org("river-pay")).expect("on the stage");
        cast.publications.values_mut().for_each(change);
        let theirs = derived(&stage, &job()).expect("a seal");
        assert_ne!(seal.hash(), theirs.hash());
        seal.compare(&theirs).expect_err("another seal").what
    };
    assert!(differs(|theirs| theirs.policy.min_set += 1).contains("river-pay's policy differs"));
    assert!(
        differs(|theirs| theirs.ids_rounded += 1_000)
            .contains("river-pay's published size differs")
    );
    let text = |theirs: &mut Publication| {
        let spend = ColumnName("spend_90d".to_owned());
        theirs
            .schema
            .0
            .insert(spend, crate::publication::ColumnType::Integer);
    };
    assert!(differs(text).contains("river-pay's schema differs"));
    let mut another = job();
    another.purpose.push('!');
    let theirs = derived(&stage(), &another).expect("a seal");
    assert!(
        seal.compare(&theirs)
            .expect_err("another job")
            .what
            .contains("the job's text differs")
    );
}

#[test]
fn publications_out_of_the_plans_order_are_a_defect() {
    let stage = stage();
    let (job, north) = (job(), org("north-bank"));
    let plan = plan(&job, &north, &stage).expect("a plan");
    let [left, right] = stage.publications(&plan);
    let page = statement(&plan, &job, [left, right]);
    let nonce = JobNonce([1; 16]);
    let swapped = derive(&job, &north, nonce, &plan, [right, left], &page);
    assert_eq!(swapped.expect_err("swapped").code, Code::Defect);
    let outsider = derive(
        &job,
        &org("harbour-bank"),
        nonce,
        &plan,
        [left, right],
        &page,
    );
    assert_eq!(
        outsider.expect_err("asked from outside").code,
        Code::JobFile
    );
    assert_eq!(stage.orgs().len(), 2);
}
